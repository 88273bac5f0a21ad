//! State transfer (TOCS 2002; CometBFT's state sync): a replica that is far behind takes the state at a proven checkpoint
//! over in place of what led to it.

use super::config::MAX_REPLAYED;
use super::journal::{Record, TAKEN};
use super::marks;
use super::message::Body;
use super::replica::TendermintReplica;
use crate::consensus::StateHead;
use crate::consensus::sync::{MAX_WANTED, StateParts};
use crate::ledger::state::parts::Prefix;
use consim_core::{Context, Delivery, Probe, Write};
use std::sync::Arc;

impl TendermintReplica {
    /// Is it so far behind a proven checkpoint that batches do not help, or are there none?
    pub(super) fn wants_state(&self) -> bool {
        let proven = self.checkpoints.proven();
        self.transfer
            .is_called_for(proven, self.executed, MAX_REPLAYED)
    }

    /// Asks the next member that claims to be there for the state at the proven checkpoint.
    pub(super) fn seek_state(&mut self, cx: &mut Context<'_>) {
        let Some((sequence, proof)) = self.checkpoints.ahead() else {
            return;
        };
        let sequence = *sequence;
        let Some(peer) = self.catch_up.peers.ahead(sequence.saturating_sub(1)) else {
            return;
        };
        let wish = self.transfer.wish(sequence, proof);
        if wish.wanted.is_empty() {
            cx.reached(&marks::STATE_SOUGHT);
        }
        let wanted = wish.wanted;
        self.catch_up.peers.ask(peer);
        self.send(cx, peer, Body::FetchState { sequence, wanted });
    }

    /// Upon FETCH-STATE: sends the head, or as many of the parts as one message may hold.
    pub(super) fn on_fetch_state(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        sequence: u64,
        wanted: &[Prefix],
    ) {
        if wanted.len() > MAX_WANTED || !self.catch_up.peers.may_serve(from) {
            return;
        }
        let kept = self.checkpoints.kept(sequence);
        let proof = self.checkpoints.proof.clone();
        let parts = StateParts::of(kept, sequence, wanted, self.executed, proof);
        self.send(cx, from, Body::State(parts));
    }

    /// Upon STATE that was asked for: verifies and keeps it. A member that sends something else than the
    /// proof covers, or nothing, is not asked again before it makes a new claim.
    pub(super) fn on_state(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        answer: &StateParts<StateHead>,
    ) {
        if answer.parts.len() > MAX_WANTED || !self.catch_up.peers.answered_by(from) {
            return;
        }
        let own = self.checkpoints.latest().map(|kept| kept.state.clone());
        let taken = self.transfer.take(cx, answer, own, false);
        if taken.is_none() {
            cx.emit(Probe::StateRefused {
                chain: self.group.chain,
                from: self.group.node(from),
            });
        }
        let proven = self.checkpoints.proven();
        if let Some(proof) = &answer.proof {
            self.on_proof(cx, proof);
        }
        // One that has gone on to a later checkpoint is asked for that.
        let newer = self.checkpoints.proven() > proven;
        let useful = taken.is_some_and(|useful| useful || newer);
        let claim = if useful { answer.executed } else { 0 };
        self.catch_up.peers.set_claim(from, claim);
        self.try_install(cx);
        self.seek(cx);
    }

    /// Once every part is here, the state stands for all that led to it: it goes to disk and up.
    fn try_install(&mut self, cx: &mut Context<'_>) {
        let Some(taken) = self.transfer.finish(self.executed) else {
            return;
        };
        let (chain, sequence) = (self.group.chain, taken.sequence);
        self.failed = self.failed.saturating_add(self.round);
        self.leave_height(cx, sequence);
        self.own = None;
        self.decided = Some(Arc::clone(&taken.proof));
        self.log.restart(sequence);
        self.mempool.restore(&taken.state.state);
        let record = Record::Taken {
            chain,
            sequence,
            proof: Some(Arc::clone(&taken.proof)),
            head: taken.head,
            state: Arc::clone(&taken.state),
        };
        self.journal.write(Write::cell(TAKEN, 0, Arc::new(record)));
        cx.emit(Probe::StateTaken {
            chain,
            sequence,
            fetched: taken.fetched,
        });
        cx.deliver(Delivery::State {
            sequence,
            state: taken.state,
            replayed: false,
        });
        self.make_stable(cx, taken.proof);
        self.went_on(cx);
    }
}
