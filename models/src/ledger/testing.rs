//! What the tests of the ledger and of the node share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::merkle;
use consim_core::machine::ApplyAt;
use consim_core::{
    Batch, Certificate, ChainId, Committed, Digest, NodeId, OpId, Receipt, SecretKey, State,
    StateMachine, Tx, TxId,
};
use std::sync::Arc;

/// A machine whose command [k, n] adds `step` times n to the sum under [k], up to 200 at a time.
pub(crate) struct Sums {
    pub(crate) step: u64,
}

impl StateMachine for Sums {
    fn name(&self) -> &'static str {
        "sums"
    }
    fn genesis(&self, state: &mut dyn State) {
        state.put(b"genesis", b"sums");
    }
    fn apply(&self, state: &mut dyn State, tx: &Tx, _: ApplyAt) -> Receipt {
        let [key, n] = **tx.body() else {
            return Receipt::Refused("not a sum");
        };
        let old = state
            .get(&[key])
            .map_or(0, |v| u64::from_be_bytes((*v).try_into().unwrap()));
        state.put(&[key], &(old + self.step * u64::from(n)).to_be_bytes());
        if n > 200 {
            Receipt::Refused("too much")
        } else {
            Receipt::Applied
        }
    }
}

/// Transaction `number` of the owner of `key`.
pub(crate) fn tx(chain: ChainId, key: &SecretKey, number: u64, body: &[u8]) -> Arc<Tx> {
    let id = TxId {
        origin: NodeId(key.id().0),
        number,
    };
    Arc::new(Tx::new(id, chain, OpId(number), body.into(), key))
}

/// A batch with its true root.
pub(crate) fn batch(proposer: NodeId, time_ns: i64, txs: Vec<Arc<Tx>>) -> Arc<Batch> {
    let leaves: Vec<Digest> = txs.iter().map(|tx| tx.digest()).collect();
    Arc::new(Batch::new(
        proposer,
        time_ns,
        txs.into(),
        merkle::root(&leaves),
    ))
}

/// The batch at its place; nobody signed.
pub(crate) fn committed(chain: ChainId, sequence: u64, batch: Arc<Batch>) -> Arc<Committed> {
    let certificate = Certificate {
        kind: 0,
        view: 0,
        sequence,
        digest: batch.digest(),
        signatures: Vec::new().into(),
        links: Arc::default(),
    };
    Arc::new(Committed {
        chain,
        sequence,
        batch,
        certificate,
    })
}
