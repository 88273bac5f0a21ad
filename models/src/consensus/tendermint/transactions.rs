//! The way of a transaction to the proposers: to all, since every member proposes in its turn (the mempool of
//! CometBFT, without its gossip).

use super::message::Body;
use super::replica::TendermintReplica;
use crate::consensus::mempool::{self, MAX_FORWARD, MAX_RESENT_TXS, Source};
use consim_core::{Context, Tx};
use std::sync::Arc;

impl TendermintReplica {
    /// Takes a transaction into the mempool if there is room and a block can hold it.
    pub(super) fn admit(&mut self, cx: &mut Context<'_>, tx: &Arc<Tx>, charge: bool) -> bool {
        let source = if charge {
            Source::Charge
        } else {
            Source::Shared
        };
        let patience = self.group.patience();
        let intake = self.group.intake();
        intake.admit(cx, &mut self.mempool, tx, source, patience)
    }

    /// Upon FORWARD: takes in those that are new and signed by their origin.
    pub(super) fn on_forward(&mut self, cx: &mut Context<'_>, txs: &[Arc<Tx>]) {
        if txs.len() > MAX_FORWARD {
            return;
        }
        for tx in txs {
            if self.group.intake().is_sound(cx, &self.mempool, tx) {
                self.admit(cx, tx, false);
            }
        }
        self.try_propose(cx);
    }

    /// Sends what was submitted to all, in messages of bounded size.
    pub(super) fn send_outbox(&mut self, cx: &mut Context<'_>) {
        if self.floods() {
            let txs = std::mem::take(&mut self.outbox);
            return self.flood(cx, &txs, None);
        }
        for txs in mempool::parts(std::mem::take(&mut self.outbox)) {
            self.multicast(cx, Body::Forward { txs, to_all: true });
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
