//! Checkpoints and garbage collection (section 4.3).

use super::journal::{FORMER, LOG, PREPARED, PROPOSALS, Record, STABLE, former_key};
use super::marks;
use super::message::{Ballot, Body, CHECKPOINT};
use super::replica::PbftReplica;
use super::seeded;
use crate::consensus::sync::Kept;
use crate::consensus::{CheckpointHead as _, StateHead};
use crate::ledger::Snapshot;
use consim_core::chain::vote_statement;
use consim_core::{Certificate, Context, Digest, Probe, Work, Write};
use std::sync::Arc;

impl PbftReplica {
    /// The last stable checkpoint.
    pub(super) fn stable(&self) -> u64 {
        self.window.low()
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
        let head = Arc::new(StateHead {
            header,
            root: state.root(),
        });
        cx.work(Work::hash(head.encoded_len()));
        let digest = self.checkpoints.keep(Kept {
            sequence,
            head,
            state,
        });
        if sequence <= stable {
            cx.reached(&marks::CHECKPOINT_PROVEN_BEFORE);
            // It was proven before this replica came to it.
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
        if sequence > self.window.high() {
            return;
        }
        let group = &self.group;
        if let Some(tally) = self.checkpoint_votes.get(sequence) {
            let statement = vote_statement(chain, CHECKPOINT, 0, sequence, &state);
            tally.settle(group, &state, statement);
            tally.add(group, &state, &ballot.signature);
        }
    }

    /// Upon CHECKPOINT (section 4.3): counts it; with a quorum the checkpoint is stable.
    pub(super) fn on_checkpoint(&mut self, cx: &mut Context<'_>, from: usize, ballot: &Ballot) {
        let sequence = ballot.sequence;
        self.catch_up.peers.claim(from, sequence);
        if !sequence.is_multiple_of(self.group.interval)
            || sequence <= self.stable()
            || sequence > self.window.high()
        {
            return;
        }
        let (quorum, chain) = (self.group.quorum, self.group.chain);
        let Some(tally) = self.checkpoint_votes.get(sequence) else {
            return;
        };
        let key = self.group.key_of(from);
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
        let Some(tally) = self.checkpoint_votes.find(sequence) else {
            return;
        };
        if let Some(certificate) = tally.certificate(&self.group, CHECKPOINT, 0, sequence) {
            self.adopt(cx, Arc::new(certificate));
        }
    }

    /// Upon a proof of a stable checkpoint from a peer: verifies and adopts it.
    pub(super) fn on_proof(&mut self, cx: &mut Context<'_>, proof: &Arc<Certificate>) {
        let newer = proof.sequence > self.stable().max(self.checkpoints.proven());
        if !newer {
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

    /// A checkpoint is proven stable: it becomes this replica's if it has executed so far and
    /// come to the same state; a replica that has not is behind and catches up.
    pub(super) fn adopt(&mut self, cx: &mut Context<'_>, proof: Arc<Certificate>) {
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

    /// Garbage collection (section 4.3): everything up to the checkpoint is discarded.
    pub(super) fn make_stable(&mut self, cx: &mut Context<'_>, proof: Arc<Certificate>) {
        let sequence = proof.sequence;
        self.window.advance(sequence);
        self.floor = self.floor.max(sequence);
        self.checkpoints.drop_below(sequence);
        self.checkpoint_votes.drop_below(sequence);
        // The log reaches that far: it was written before, and writes keep their order.
        let record = Record::Stable(Arc::clone(&proof));
        self.journal.write(Write::cell(STABLE, 0, Arc::new(record)));
        if seeded::on(&seeded::LOG_CUT_AT_CHECKPOINT) {
            self.journal.write(Write::cut(LOG, 0));
        }
        let above = sequence.saturating_add(1);
        for (table, key) in [
            (PROPOSALS, above),
            (PREPARED, above),
            (FORMER, former_key(above)),
        ] {
            self.journal.write(Write::erase_below(table, key));
        }
        self.checkpoints.proof = Some(proof);
        if !self.active {
            cx.reached(&marks::CHECKPOINT_WHILE_LEAVING);
        }
        cx.emit(Probe::StableCheckpoint {
            chain: self.group.chain,
            sequence,
        });
        self.end_silence(cx, sequence);
        self.put_forward_again(cx);
        self.try_propose(cx);
    }

    /// What a disk kept.
    pub(super) fn restore_stable(&mut self, proof: Arc<Certificate>) {
        self.window.advance(proof.sequence);
        self.floor = self.floor.max(proof.sequence);
        self.checkpoints.proof = Some(proof);
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
