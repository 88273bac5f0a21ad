//! A proposal's batch as digests, and the batch again from what they name.

use super::{MAX_FETCHED, TxBatch};
use consim_core::chain::MAX_BATCH_TXS;
use consim_core::{Batch, CodecError, Decoder, Digest, Encoder, NodeId, Tx, TxId};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A batch without its transactions, and the digests of what holds them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// Who put it forward.
    pub proposer: NodeId,
    /// The proposer's wall clock.
    pub time_ns: i64,
    /// How many transactions.
    pub txs: u32,
    /// The Merkle root of their digests.
    pub tx_root: Digest,
    /// What holds them, in order.
    pub digests: Arc<[Digest]>,
    /// How many more digests there are where each transaction that a cohort stands for has its own: the wire form
    /// has zeros in their place.
    pub unnamed: u32,
}

/// What digests stand for.
#[derive(Clone, Debug)]
pub enum Parcels {
    /// Transactions.
    Txs(Vec<Arc<Tx>>),
    /// Batches of the mempool layer.
    Batches(Vec<Arc<TxBatch>>),
}

impl Head {
    /// The head of `batch`, named by `digests`.
    pub fn of(batch: &Batch, digests: Arc<[Digest]>) -> Self {
        let txs = batch.txs();
        // A batch of the mempool layer has one digest, whatever it holds.
        let each = digests.first() == txs.first().map(|tx| tx.digest()).as_ref();
        let others = Tx::individuals(txs) - txs.len() as u64;
        Self {
            unnamed: if each { others as u32 } else { 0 },
            proposer: batch.proposer(),
            time_ns: batch.time_ns(),
            txs: batch.txs().len() as u32,
            tx_root: batch.tx_root(),
            digests,
        }
    }
    /// The digest of the batch.
    pub fn digest(&self) -> Digest {
        Batch::digest_of(
            self.proposer,
            self.time_ns,
            u64::from(self.txs),
            &self.tx_root,
        )
    }
    /// The batch, once all that it names is at hand, in order; `None` if that is no such batch.
    pub fn batch(&self, parcels: Parcels) -> Option<Batch> {
        let txs = assemble(parcels);
        let count = txs.len() == self.txs as usize;
        count.then(|| Batch::new(self.proposer, self.time_ns, txs.into(), self.tx_root))
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        4 + 8 + 4 + 32 + 4 + 32 * self.digests.len() + 4 + 32 * self.unnamed as usize
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.u32(self.proposer.0)
            .u64(self.time_ns as u64)
            .u32(self.txs)
            .digest(&self.tx_root);
        encode_digests(e, &self.digests);
        e.u32(self.unnamed)
            .raw(&vec![0; 32 * self.unnamed as usize]);
    }
    /// Reads a head.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            proposer: NodeId(d.u32()?),
            time_ns: d.u64()? as i64,
            txs: d.u32()?,
            tx_root: d.digest()?,
            digests: {
                let n = d.list(MAX_BATCH_TXS, 32)?;
                (0..n).map(|_| d.digest()).collect::<Result<_, _>>()?
            },
            unnamed: {
                let unnamed = d.u32()?;
                let filling = d.raw((unnamed as usize).saturating_mul(32))?;
                if filling.iter().any(|&byte| byte != 0) {
                    return Err(CodecError::Invalid("filling"));
                }
                unnamed
            },
        })
    }
}

/// The transactions of parcels in order, each once.
pub fn assemble(parcels: Parcels) -> Vec<Arc<Tx>> {
    match parcels {
        Parcels::Txs(txs) => txs,
        Parcels::Batches(batches) => {
            let all = batches.iter().flat_map(|b| b.txs());
            let mut seen: BTreeSet<TxId> = BTreeSet::new();
            all.filter(|tx| seen.insert(tx.id())).cloned().collect()
        }
    }
}

/// Appends a list of digests.
pub(super) fn encode_digests(e: &mut Encoder<'_>, digests: &[Digest]) {
    e.list(digests.len());
    for digest in digests {
        e.digest(digest);
    }
}

/// Reads what was asked for.
pub(super) fn decode_wanted(d: &mut Decoder<'_>) -> Result<Vec<Digest>, CodecError> {
    let n = d.list(MAX_FETCHED, 32)?;
    (0..n).map(|_| d.digest()).collect()
}
