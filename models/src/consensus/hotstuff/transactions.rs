//! The way of a transaction to a leader.

use super::marks;
use super::message::Body;
use super::replica::HotStuffReplica;
use crate::consensus::mempool::{self, MAX_FORWARD, MAX_RESENT_TXS, Source};
use consim_core::seeded::{self, SIGNATURES_LEFT_OUT};
use consim_core::{Context, Probe, Tx, Work};
use std::sync::Arc;

impl HotStuffReplica {
    /// Takes a transaction into the mempool if there is room and a block can hold it.
    pub(super) fn admit(&mut self, cx: &mut Context<'_>, tx: &Arc<Tx>, charge: bool) -> bool {
        let bytes = tx.encoded_len();
        let inside = self.group.spread.is_none();
        if inside && bytes as u64 > self.group.block.bytes
            || !self.mempool.has_room(bytes, u64::MAX)
        {
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

    /// Upon FORWARD: takes the transactions in; the view timer starts.
    pub(super) fn on_forward(&mut self, cx: &mut Context<'_>, txs: &[Arc<Tx>], to_all: bool) {
        if txs.len() > MAX_FORWARD {
            return;
        }
        let lead = self.leads_now() == self.group.me;
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
            // Sent to this node alone, by one that takes it for the leader.
            if !to_all && !lead {
                self.outbox.push(Arc::clone(tx));
            }
        }
        if !lead {
            self.send_outbox(cx);
        }
        self.try_awaited(cx);
        self.watch(cx);
        self.try_propose(cx);
    }

    /// Sends what was submitted to the leader, if it stays; to everybody where each view has another, or
    /// where proposals name transactions by their digests; in batches, where payload has a layer of its own.
    pub(super) fn send_outbox(&mut self, cx: &mut Context<'_>) {
        let outbox = std::mem::take(&mut self.outbox);
        let leader = self.leads_now();
        if self.in_batches() {
            self.try_seal(cx);
        } else if self.to_all() {
            self.forward(cx, outbox, None);
        } else if leader != self.group.me {
            self.forward(cx, outbox, Some(leader));
        }
    }

    /// Sends transactions to a member, or to everybody, in messages of bounded size.
    fn forward(&self, cx: &mut Context<'_>, txs: Vec<Arc<Tx>>, to: Option<usize>) {
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

    /// Sends what waits for too long to everybody, and what this node takes charge of to the leader.
    pub(super) fn resend_due(&mut self, cx: &mut Context<'_>) {
        let patience = self.group.patience();
        let due = self.mempool.due(cx.now(), patience, MAX_RESENT_TXS);
        if !due.to_all.is_empty() {
            cx.reached(&marks::SENT_TO_ALL);
        }
        if self.in_batches() {
            return self.resend_batches(cx);
        }
        self.forward(cx, due.to_all, None);
        let leader = self.leads_now();
        if leader != self.group.me {
            self.forward(cx, due.taken, Some(leader));
        }
    }
}
