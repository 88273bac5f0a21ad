//! How transactions come into a mempool: the same in every protocol in which each member verifies what it
//! takes in.

use super::BlockLimits;
use super::mempool::{Mempool, Source};
use consim_core::seeded::{self, SIGNATURES_LEFT_OUT};
use consim_core::{ChainId, Context, Keyring, Mark, Probe, Span, Tx, Work};
use std::sync::Arc;

/// What a transaction has to be to come in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Intake<'a> {
    pub(super) chain: ChainId,
    pub(super) keys: &'a Keyring,
    pub(super) limits: &'a BlockLimits,
    /// The mark of one that is turned away.
    pub(super) full: &'static Mark,
}

impl Intake<'_> {
    /// Takes a transaction into the mempool if there is room and a block can hold it.
    pub(super) fn admit(
        &self,
        cx: &mut Context<'_>,
        mempool: &mut Mempool,
        tx: &Arc<Tx>,
        source: Source,
        patience: Span,
    ) -> bool {
        let bytes = tx.encoded_len();
        if bytes as u64 > self.limits.bytes || !mempool.has_room(bytes, u64::MAX) {
            cx.reached(self.full);
            return false;
        }
        if !mempool.has_room(bytes, cx.room()) {
            cx.emit(Probe::OutOfMemory { chain: self.chain });
            return false;
        }
        mempool.admit(Arc::clone(tx), cx.now(), source, patience);
        cx.emit(Probe::Admitted {
            chain: self.chain,
            tx: tx.id(),
            digest: tx.digest(),
            count: tx.cohort().count,
        });
        true
    }

    /// Is a transaction that another member passed on new, and signed by its origin? Charges what it takes to
    /// know.
    pub(super) fn is_sound(&self, cx: &mut Context<'_>, mempool: &Mempool, tx: &Tx) -> bool {
        let id = tx.id();
        if tx.chain() != self.chain || mempool.ordered(id) || mempool.holds(id) {
            return false;
        }
        let signatures = self.keys.of_transactions(tx.cohort().count);
        cx.work(Work::verify_batched(signatures));
        cx.work(Work::hash(tx.encoded_len()));
        tx.verify(self.keys) || seeded::on(&SIGNATURES_LEFT_OUT)
    }
}
