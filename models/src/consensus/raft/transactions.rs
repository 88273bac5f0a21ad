//! The way of a transaction to the leader, and into an entry.

use super::config::MAX_IN_FLIGHT;
use super::marks;
use super::message::Body;
use super::replica::{BATCH_TIMER, RaftReplica, Role};
use crate::consensus::mempool::{MAX_FORWARD, MAX_RESENT_TXS, Ready, Source, parts};
use crate::ledger::merkle;
use consim_core::{Batch, Context, Digest, NodeId, Probe, Tx, Work};
use std::sync::Arc;

impl RaftReplica {
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

    /// Upon transactions on their way to the leader.
    pub(super) fn on_forward(&mut self, cx: &mut Context<'_>, txs: &[Arc<Tx>], to_all: bool) {
        if txs.len() > MAX_FORWARD || !self.is_member() {
            return;
        }
        let leads = self.leads();
        for tx in txs {
            let id = tx.id();
            if tx.chain() != self.group.chain || self.mempool.ordered(id) || self.mempool.holds(id)
            {
                continue;
            }
            let signatures = self.group.keys.of_transactions(tx.cohort().count);
            cx.work(Work::verify_batched(signatures));
            cx.work(Work::hash(tx.encoded_len()));
            if !tx.verify(&self.group.keys) || !self.admit(cx, tx, !to_all) {
                continue;
            }
            // Sent to this node alone, by one that takes it for the leader.
            if !to_all && !leads {
                cx.reached(&marks::FORWARDED_ON);
                self.outbox.push(Arc::clone(tx));
            }
        }
        if !leads {
            self.send_outbox(cx);
        }
        self.try_propose(cx);
    }

    /// Sends what was submitted to the leader; what waits when one is found goes there too.
    pub(super) fn send_outbox(&mut self, cx: &mut Context<'_>) {
        let outbox = std::mem::take(&mut self.outbox);
        if let Some(leader) = self.leader
            && leader != self.group.me
        {
            self.forward(cx, outbox, Some(leader));
        }
    }

    /// Sends transactions to a member, or to everybody, in messages of bounded size.
    pub(super) fn forward(&self, cx: &mut Context<'_>, txs: Vec<Arc<Tx>>, to: Option<NodeId>) {
        for txs in parts(txs) {
            let to_all = to.is_none();
            let body = Body::Forward { txs, to_all };
            match to {
                Some(to) => self.send(cx, to, body),
                None => self.multicast(cx, body),
            }
        }
    }

    /// Sends what waits for too long to everybody, and what this node takes charge of to the leader.
    pub(super) fn resend_due(&mut self, cx: &mut Context<'_>) {
        if self.leads() || !self.is_member() {
            return;
        }
        let patience = self.group.patience();
        let due = self.mempool.due(cx.now(), patience, MAX_RESENT_TXS);
        if !due.to_all.is_empty() {
            cx.reached(&marks::SENT_TO_ALL);
        }
        self.forward(cx, due.to_all, None);
        if let Some(leader) = self.leader {
            self.forward(cx, due.taken, Some(leader));
        }
    }

    /// Puts entries into the log while the leader may: with room for more under way, and when a
    /// bound of a block is reached.
    pub(super) fn try_propose(&mut self, cx: &mut Context<'_>) {
        loop {
            let Role::Leader(leading) = &self.role else {
                return;
            };
            if leading.given_to.is_some() || self.log.last() - self.commit >= MAX_IN_FLIGHT {
                return;
            }
            match self.mempool.ready(cx.now(), &self.group.block) {
                Ready::Never => return,
                Ready::At(due) => {
                    if self.batch_timer != Some(due) {
                        self.batch_timer = Some(due);
                        cx.set_timer(BATCH_TIMER, due - cx.now());
                    }
                    return;
                }
                Ready::Now => {}
            }
            let txs = self.mempool.take(&self.group.block);
            if txs.is_empty() {
                return;
            }
            self.propose(cx, txs);
        }
    }

    fn propose(&mut self, cx: &mut Context<'_>, txs: Vec<Arc<Tx>>) {
        let leaves: Vec<Digest> = txs.iter().map(|tx| tx.digest()).collect();
        let count = txs.len();
        let root = merkle::root(&leaves);
        let (me, now) = (self.group.me, cx.wall_ns());
        let batch = Arc::new(Batch::new(me, now, txs.into(), root));
        cx.work(Work::hash(
            merkle::hashed_bytes(count) + batch.encoded_len(),
        ));
        cx.emit(Probe::Proposed {
            chain: self.group.chain,
            sequence: self.log.last() + 1,
            txs: count as u32,
        });
        self.append_own(cx, batch, None);
    }
}
