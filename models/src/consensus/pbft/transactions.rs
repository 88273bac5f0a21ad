//! The way of a transaction to the primary (section 4.1).

use super::config::{MAX_FORWARD, MAX_RESENT_TXS};
use super::marks;
use super::message::Body;
use super::replica::PbftReplica;
use crate::consensus::mempool::{self, Source};
use consim_core::seeded::{self, SIGNATURES_LEFT_OUT};
use consim_core::{Context, Probe, Tx, Work};
use std::sync::Arc;

impl PbftReplica {
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

    /// Upon FORWARD (section 4.1, the request): takes the transactions in; the view timer starts.
    pub(super) fn on_forward(&mut self, cx: &mut Context<'_>, txs: &[Arc<Tx>], to_all: bool) {
        if txs.len() > MAX_FORWARD {
            return;
        }
        let lead = self.active && self.group.primary(self.view) == self.group.me;
        for tx in txs {
            let id = tx.id();
            if tx.chain() != self.group.chain || self.mempool.ordered(id) || self.mempool.holds(id)
            {
                continue;
            }
            let signatures = self.group.keys.of_transactions(tx.cohort().count);
            cx.work(Work::verify_batched(signatures));
            cx.work(Work::hash(tx.encoded_len()));
            let verified = tx.verify(&self.group.keys) || seeded::on(&SIGNATURES_LEFT_OUT);
            if !verified || !self.admit(cx, tx, !to_all) {
                continue;
            }
            // Sent to this node alone, by one that takes it for the primary.
            if !to_all && !lead {
                cx.reached(&marks::FORWARDED_ON);
                self.outbox.push(Arc::clone(tx));
            }
        }
        if !lead {
            self.send_outbox(cx);
        }
        self.watch(cx);
        self.try_propose(cx);
    }

    /// Sends what was submitted to the primary; what is pending when a view begins goes there too.
    pub(super) fn send_outbox(&mut self, cx: &mut Context<'_>) {
        let outbox = std::mem::take(&mut self.outbox);
        let primary = self.group.primary(self.view);
        if self.active && primary != self.group.me {
            self.forward(cx, outbox, Some(primary));
        }
    }

    /// Sends transactions to a member, or to everybody, in messages of bounded size.
    pub(super) fn forward(&self, cx: &mut Context<'_>, txs: Vec<Arc<Tx>>, to: Option<usize>) {
        for txs in mempool::parts(txs) {
            let body = Body::Forward {
                txs,
                to_all: to.is_none(),
            };
            match to {
                Some(to) => self.send(cx, to, body),
                None => self.multicast(cx, body),
            }
        }
    }

    /// Sends what waits for too long to everybody (section 4.1: "the client broadcasts"), and what
    /// this node takes charge of to the primary. The primary itself orders what it has, but one that
    /// must not sign: the others, who see nothing come of it, leave its view.
    pub(super) fn resend_due(&mut self, cx: &mut Context<'_>) {
        let primary = self.group.primary(self.view);
        let leads = primary == self.group.me;
        if self.active && leads && self.silent.is_none() {
            return;
        }
        let patience = self.group.patience();
        let due = self.mempool.due(cx.now(), patience, MAX_RESENT_TXS);
        if !due.taken.is_empty() {
            cx.reached(&marks::CHARGE_TAKEN);
        }
        if !due.to_all.is_empty() {
            cx.reached(&marks::SENT_TO_ALL);
        }
        self.forward(cx, due.to_all, None);
        if self.active {
            self.forward(cx, due.taken, (!leads).then_some(primary));
        }
    }
}
