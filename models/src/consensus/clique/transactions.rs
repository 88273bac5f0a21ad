//! The way of a transaction to the signers: to all, since each of them seals in its turn.

use super::marks;
use super::message::Body;
use super::replica::CliqueReplica;
use crate::consensus::mempool::{self, MAX_FORWARD, MAX_RESENT_TXS, Source};
use consim_core::seeded::{self, SIGNATURES_LEFT_OUT};
use consim_core::{Context, Probe, Tx, Work};
use std::sync::Arc;

impl CliqueReplica {
    /// Takes a transaction into the mempool if there is room and a block can hold it.
    pub(super) fn admit(&mut self, cx: &mut Context<'_>, tx: &Arc<Tx>, charge: bool) -> bool {
        let bytes = tx.encoded_len();
        if bytes as u64 > self.group.block.bytes || !self.mempool.has_room(bytes, u64::MAX) {
            cx.reached(&marks::MEMPOOL_FULL);
            return false;
        }
        if !self.mempool.has_room(bytes, cx.room()) {
            cx.emit(Probe::OutOfMemory {
                chain: self.group.chain,
            });
            return false;
        }
        let source = if charge {
            Source::Charge
        } else {
            Source::Shared
        };
        let patience = self.group.patience();
        self.mempool
            .admit(Arc::clone(tx), cx.now(), source, patience);
        cx.emit(Probe::Admitted {
            chain: self.group.chain,
            tx: tx.id(),
            digest: tx.digest(),
            count: tx.cohort().count,
        });
        true
    }

    /// Upon FORWARD: takes in those that are new and signed by their origin.
    pub(super) fn on_forward(&mut self, cx: &mut Context<'_>, txs: &[Arc<Tx>]) {
        if txs.len() > MAX_FORWARD {
            return;
        }
        for tx in txs {
            let id = tx.id();
            if tx.chain() != self.group.chain || self.mempool.ordered(id) || self.mempool.holds(id)
            {
                continue;
            }
            let signatures = self.group.keys.of_transactions(tx.cohort().count);
            cx.work(Work::verify_batched(signatures));
            cx.work(Work::hash(tx.encoded_len()));
            if tx.verify(&self.group.keys) || seeded::on(&SIGNATURES_LEFT_OUT) {
                self.admit(cx, tx, false);
            }
        }
    }

    /// Sends what was submitted to all, in messages of bounded size.
    pub(super) fn send_outbox(&mut self, cx: &mut Context<'_>) {
        for txs in mempool::parts(std::mem::take(&mut self.outbox)) {
            self.multicast(cx, Body::Forward { txs });
        }
    }

    /// Sends what waits for too long once more, since somebody may never have got it.
    pub(super) fn resend_due(&mut self, cx: &mut Context<'_>) {
        let patience = self.group.patience();
        let due = self.mempool.due(cx.now(), patience, MAX_RESENT_TXS);
        self.outbox.extend(due.to_all);
        self.outbox.extend(due.taken);
        self.send_outbox(cx);
    }
}
