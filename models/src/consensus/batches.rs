//! Batches that replicas make and judge, whatever they agree by.

use super::BlockLimits;
use super::genuine::is_genuine;
use super::mempool::Mempool;
use crate::ledger::merkle;
use consim_core::{Batch, ChainId, Context, Digest, Keyring, NodeId, Tx, Work};
use std::sync::Arc;

/// A batch of these transactions at the time of the proposer's clock; charges for hashing it.
pub(super) fn form(cx: &mut Context<'_>, proposer: NodeId, txs: Vec<Arc<Tx>>) -> Arc<Batch> {
    let time = cx.wall_ns();
    form_at(cx, proposer, time, txs)
}

/// The same, at this time.
pub(super) fn form_at(
    cx: &mut Context<'_>,
    proposer: NodeId,
    time_ns: i64,
    txs: Vec<Arc<Tx>>,
) -> Arc<Batch> {
    let leaves: Vec<Digest> = txs.iter().map(|tx| tx.digest()).collect();
    let count = txs.len();
    let root = merkle::root(&leaves);
    let batch = Arc::new(Batch::new(proposer, time_ns, txs.into(), root));
    cx.work(Work::hash(
        merkle::hashed_bytes(count) + batch.encoded_len(),
    ));
    batch
}

/// What a batch is judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judge<'a> {
    pub(super) chain: ChainId,
    pub(super) keys: &'a Keyring,
    pub(super) limits: &'a BlockLimits,
    pub(super) mempool: &'a Mempool,
}

impl Judge<'_> {
    /// Is a fresh batch of `proposer` one to vote for? Charges what it takes to know.
    pub(super) fn accepts(&self, cx: &mut Context<'_>, proposer: NodeId, batch: &Batch) -> bool {
        let txs = batch.txs();
        let bytes: u64 = txs.iter().map(|tx| tx.encoded_len() as u64).sum();
        !txs.is_empty()
            && txs.len() <= self.limits.transactions as usize
            && bytes <= self.limits.bytes
            && batch.proposer() == proposer
            && txs.iter().all(|tx| !self.mempool.ordered(tx.id()))
            && self.verifies(cx, batch)
    }

    /// Verifies a batch; the signatures of transactions that wait here were verified before.
    pub(super) fn verifies(&self, cx: &mut Context<'_>, batch: &Batch) -> bool {
        let txs = batch.txs();
        let unknown = txs.iter().filter(|tx| !self.mempool.knows(tx));
        let unknown = unknown.map(|tx| tx.cohort().count).sum();
        cx.work(Work::verify_batched(self.keys.of_transactions(unknown)));
        cx.work(Work::hash(
            merkle::hashed_bytes(txs.len()) + batch.encoded_len(),
        ));
        batch.valid_or(|batch| is_genuine(batch, self.chain, self.keys))
    }
}
