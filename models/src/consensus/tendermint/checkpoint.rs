//! Checkpoints, which arXiv 1807.04938 leaves to the application: a quorum says to which state the same batches led, so
//! that one that is far behind can take the state over.

use super::config::MAX_OPEN_CHECKPOINTS;
use super::journal::{Record, STABLE};
use super::marks;
use super::message::{Ballot, Body, CHECKPOINT};
use super::replica::TendermintReplica;
use crate::consensus::sync::Kept;
use crate::consensus::{CheckpointHead as _, StateHead};
use crate::ledger::Snapshot;
use consim_core::chain::vote_statement;
use consim_core::{Certificate, Context, Digest, Probe, Work, Write};
use std::sync::Arc;

impl TendermintReplica {
    /// The last stable checkpoint.
    pub(super) fn stable(&self) -> u64 {
        self.checkpoints.proof.as_ref().map_or(0, |c| c.sequence)
    }

    /// The node executed `sequence`. Every so many a checkpoint is taken and told.
    pub(super) fn on_executed(
        &mut self,
        cx: &mut Context<'_>,
        sequence: u64,
        state: &dyn Fn() -> Snapshot,
    ) {
        let stable = self.stable();
        if !sequence.is_multiple_of(self.group.interval) || sequence < stable {
            return;
        }
        let Snapshot { header, state } = state();
        let root = state.root();
        let head = Arc::new(StateHead { header, root });
        cx.work(Work::hash(head.encoded_len()));
        let digest = self.checkpoints.keep(Kept {
            sequence,
            head,
            state,
        });
        if sequence <= stable {
            return self.checkpoints.drop_below(stable);
        }
        if sequence <= self.replayed {
            return;
        }
        self.tell_checkpoint(cx, sequence, digest);
        if let Some((_, ahead)) = self.checkpoints.ahead().cloned() {
            self.adopt(cx, ahead);
        }
        self.try_stable(cx, sequence);
    }

    fn tell_checkpoint(&mut self, cx: &mut Context<'_>, sequence: u64, state: Digest) {
        cx.work(Work::sign(1));
        let chain = self.group.chain;
        let ballot = Ballot::sign(chain, CHECKPOINT, 0, sequence, state, &self.group.key);
        self.multicast(cx, Body::Checkpoint(ballot));
        let group = &self.group;
        let statement = vote_statement(chain, CHECKPOINT, 0, sequence, &state);
        if let Some(tally) = self.checkpoint_votes.get(sequence) {
            tally.settle(group, &state, statement);
            tally.add(group, &state, &ballot.signature);
        }
    }

    /// Upon CHECKPOINT: counts it; with a quorum the checkpoint is stable.
    pub(super) fn on_checkpoint(&mut self, cx: &mut Context<'_>, from: usize, ballot: &Ballot) {
        let sequence = ballot.sequence;
        self.catch_up.peers.claim(from, sequence);
        let open = self.group.interval.saturating_mul(MAX_OPEN_CHECKPOINTS);
        let highest = self.executed.max(self.stable()).saturating_add(open);
        if !sequence.is_multiple_of(self.group.interval)
            || sequence <= self.stable()
            || sequence > highest
        {
            return;
        }
        let (quorum, chain) = (self.group.quorum, self.group.chain);
        let key = self.group.key_of(from);
        let Some(tally) = self.checkpoint_votes.get(sequence) else {
            return;
        };
        if tally.count() >= quorum || tally.voted(key) {
            return;
        }
        cx.work(Work::verify(1));
        let hash = |state: &Digest| vote_statement(chain, CHECKPOINT, 0, sequence, state);
        if tally.vote(&self.group, key, &ballot.digest, &ballot.signature, hash) {
            self.try_stable(cx, sequence);
        }
    }

    fn try_stable(&mut self, cx: &mut Context<'_>, sequence: u64) {
        let tally = self.checkpoint_votes.find(sequence);
        let proof = tally.and_then(|t| t.certificate(&self.group, CHECKPOINT, 0, sequence));
        if let Some(proof) = proof {
            self.adopt(cx, Arc::new(proof));
        }
    }

    /// Upon a proof of a stable checkpoint from a peer: verifies and adopts it.
    pub(super) fn on_proof(&mut self, cx: &mut Context<'_>, proof: &Arc<Certificate>) {
        if proof.sequence <= self.stable().max(self.checkpoints.proven()) {
            return;
        }
        cx.work(Work::verify_batched(proof.signatures.len() as u32));
        if self.is_checkpoint(proof) {
            self.adopt(cx, Arc::clone(proof));
        }
    }

    /// Does it prove a stable checkpoint?
    pub(super) fn is_checkpoint(&self, proof: &Certificate) -> bool {
        let group = &self.group;
        proof.kind == CHECKPOINT
            && proof.view == 0
            && proof.sequence > 0
            && proof.sequence.is_multiple_of(group.interval)
            && proof.verify(group.chain, &group.members, group.quorum, &group.keys)
    }

    /// A checkpoint is proven stable: it becomes this replica's if it has executed so far and come to the
    /// same state; a replica that has not is behind and catches up.
    fn adopt(&mut self, cx: &mut Context<'_>, proof: Arc<Certificate>) {
        let sequence = proof.sequence;
        if sequence <= self.stable() {
            return;
        }
        if self.checkpoints.own_state(sequence) == Some(proof.digest) {
            self.make_stable(cx, proof);
        } else if sequence > self.executed && sequence > self.checkpoints.proven() {
            cx.reached(&marks::CHECKPOINT_AHEAD);
            self.checkpoints.set_ahead(sequence, proof);
            self.seek(cx);
        }
    }

    /// Votes up to the checkpoint are of no use any more.
    pub(super) fn make_stable(&mut self, cx: &mut Context<'_>, proof: Arc<Certificate>) {
        let sequence = proof.sequence;
        self.checkpoints.drop_below(sequence);
        self.checkpoint_votes.drop_below(sequence);
        // The log reaches that far: it was written before, and writes keep their order.
        let record = Record::Stable(Arc::clone(&proof));
        self.journal.write(Write::cell(STABLE, 0, Arc::new(record)));
        self.checkpoints.proof = Some(proof);
        cx.emit(Probe::StableCheckpoint {
            chain: self.group.chain,
            sequence,
        });
    }

    /// Tells checkpoints again that were taken before the last tick and are not stable yet.
    pub(super) fn retell_checkpoints(&mut self, cx: &mut Context<'_>) {
        if let Some((sequence, state)) = self.checkpoints.overdue() {
            cx.reached(&marks::CHECKPOINT_TOLD_AGAIN);
            self.tell_checkpoint(cx, sequence, state);
            self.try_stable(cx, sequence);
        }
    }
}
