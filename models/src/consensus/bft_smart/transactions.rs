//! The way of a request to the leader (EDCC 2012, Algorithm 1, lines 1-4).

use super::config::Requests;
use super::message::Body;
use super::replica::BftSmartReplica;
use crate::consensus::mempool::{self, MAX_FORWARD, MAX_RESENT_TXS, Source};
use consim_core::{Context, Span, Tx};
use std::sync::Arc;

impl BftSmartReplica {
    /// Takes a transaction into the mempool if there is room and a block can hold it.
    pub(super) fn admit(&mut self, cx: &mut Context<'_>, tx: &Arc<Tx>, charge: bool) -> bool {
        // Everybody watches over every request, so that all are due at the same time.
        let patience = self.group.patience();
        let (source, patience) = if charge {
            (Source::Charge, patience)
        } else {
            (Source::Shared, Span::from_nanos(patience.nanos() / 2))
        };
        let intake = self.group.intake();
        intake.admit(cx, &mut self.mempool, tx, source, patience)
    }

    /// Takes in those that are new and signed by their origin: how many.
    pub(super) fn take_in(&mut self, cx: &mut Context<'_>, txs: &[Arc<Tx>], to_all: bool) -> usize {
        if txs.len() > MAX_FORWARD {
            return 0;
        }
        let mut taken = 0;
        for tx in txs {
            let sound = self.group.intake().is_sound(cx, &self.mempool, tx);
            if !sound || !self.admit(cx, tx, !to_all) {
                continue;
            }
            taken += 1;
            // Sent to this node alone, by one that takes it for the leader.
            let leads = self.active && self.leads();
            if !to_all && !leads {
                self.outbox.push(Arc::clone(tx));
            }
        }
        taken
    }

    /// Upon FORWARD: takes the requests in; the timer starts.
    pub(super) fn on_forward(&mut self, cx: &mut Context<'_>, txs: &[Arc<Tx>], to_all: bool) {
        self.take_in(cx, txs, to_all);
        if !to_all {
            self.send_to_leader(cx);
        }
        self.watch(cx);
        self.try_propose(cx);
    }

    /// Sends what was submitted to all, or to the leader.
    pub(super) fn send_outbox(&mut self, cx: &mut Context<'_>) {
        match self.group.requests {
            Requests::ToAll => {
                let outbox = std::mem::take(&mut self.outbox);
                self.forward(cx, outbox, None);
            }
            Requests::ToLeader => self.send_to_leader(cx),
        }
    }

    /// Sends what is to be sent to the leader, unless this is the leader.
    pub(super) fn send_to_leader(&mut self, cx: &mut Context<'_>) {
        let outbox = std::mem::take(&mut self.outbox);
        if self.active && !self.leads() {
            self.forward(cx, outbox, Some(self.group.leader(self.regency)));
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

    /// Sends what waits for too long to the leader (Algorithm 1, line 20), which may never have got it.
    pub(super) fn resend_due(&mut self, cx: &mut Context<'_>) {
        let patience = self.group.patience();
        let due = self.mempool.due(cx.now(), patience, MAX_RESENT_TXS);
        self.outbox.extend(due.to_all);
        self.outbox.extend(due.taken);
        self.send_to_leader(cx);
    }
}
