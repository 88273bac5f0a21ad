//! Checkpoints: a quorum says to which state the same batches led, so that one that is far behind can take
//! the state over, and what led there can be given up.

use super::config::MAX_OPEN_CHECKPOINTS;
use super::journal::{Record, STABLE};
use super::marks;
use super::message::{Body, Head};
use super::proposal::{Ballot, CHECKPOINT};
use super::replica::HotStuffReplica;
use crate::consensus::sync::Kept;
use crate::consensus::{CheckpointHead as _, StateHead};
use crate::ledger::Snapshot;
use consim_core::chain::vote_statement;
use consim_core::{Certificate, Context, Digest, Probe, Signers, Work, Write};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Votes for checkpoints above the stable one, by checkpoint and state. The view of such a vote and of a
/// proof is the checkpoint's sequence number.
pub(super) type CheckpointVotes = BTreeMap<u64, Vec<(Digest, Signers)>>;

impl HotStuffReplica {
    /// The last stable checkpoint.
    pub(super) fn stable(&self) -> u64 {
        self.checkpoints.proof.as_ref().map_or(0, |c| c.view)
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
        let committed = self.log.get(sequence);
        let Some(link) = committed.and_then(|c| c.certificate.links.first()) else {
            return;
        };
        let Snapshot { header, state } = state();
        let root = state.root();
        let head = Arc::new(Head {
            state: StateHead { header, root },
            link: link.clone(),
        });
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
    }

    fn tell_checkpoint(&mut self, cx: &mut Context<'_>, sequence: u64, state: Digest) {
        cx.work(Work::sign(1));
        let group = &self.group;
        let ballot = Ballot::sign(group.chain, CHECKPOINT, sequence, state, &group.key);
        self.multicast(cx, Body::Checkpoint(ballot));
        self.count_checkpoint(cx, &ballot);
    }

    /// Upon CHECKPOINT: counts it; with a quorum the checkpoint is stable.
    pub(super) fn on_checkpoint(&mut self, cx: &mut Context<'_>, from: usize, ballot: &Ballot) {
        self.catch_up.peers.claim(from, ballot.view);
        if ballot.signature.key == self.group.key_of(from) {
            self.count_checkpoint(cx, ballot);
        }
    }

    fn count_checkpoint(&mut self, cx: &mut Context<'_>, ballot: &Ballot) {
        let (sequence, group) = (ballot.view, &self.group);
        let highest = self.executed.max(self.stable()) + group.interval * MAX_OPEN_CHECKPOINTS;
        if !sequence.is_multiple_of(group.interval)
            || sequence <= self.stable()
            || sequence > highest
        {
            return;
        }
        let tallies = self.checkpoint_votes.entry(sequence).or_default();
        if tallies
            .iter()
            .any(|(_, s)| s.contains(ballot.signature.key))
        {
            return;
        }
        if ballot.signature.key != group.key_of(group.me) {
            cx.work(Work::verify(1));
        }
        let statement = vote_statement(group.chain, CHECKPOINT, sequence, 0, &ballot.digest);
        if !group.keys.verify(&statement, &ballot.signature) {
            return;
        }
        let at = tallies
            .iter()
            .position(|(digest, _)| *digest == ballot.digest);
        let at = at.unwrap_or_else(|| {
            let mut signers = Signers::default();
            signers.begin(statement);
            tallies.push((ballot.digest, signers));
            tallies.len() - 1
        });
        let Some((digest, signers)) = tallies.get_mut(at) else {
            return;
        };
        signers.add(&group.keys, &ballot.signature);
        if signers.len() >= group.quorum {
            cx.work(group.making(signers.len()));
            let proof = Certificate {
                kind: CHECKPOINT,
                view: sequence,
                sequence: 0,
                digest: *digest,
                signatures: signers.signatures(&group.keys),
                links: Arc::default(),
            };
            self.adopt(cx, Arc::new(proof));
        }
    }

    /// Upon a proof of a stable checkpoint from a peer: verifies and adopts it.
    pub(super) fn on_proof(&mut self, cx: &mut Context<'_>, proof: &Arc<Certificate>) {
        if proof.view <= self.stable().max(self.checkpoints.proven()) {
            return;
        }
        let group = &self.group;
        cx.work(group.checking(proof.signatures.len(), 1));
        let sound = proof.kind == CHECKPOINT
            && proof.sequence == 0
            && proof.view.is_multiple_of(group.interval)
            && proof.verify(group.chain, &group.members, group.quorum, &group.keys);
        if sound {
            self.adopt(cx, Arc::clone(proof));
        }
    }

    /// A checkpoint is proven stable: it becomes this replica's if it has executed so far and come to the
    /// same state; a replica that has not is behind and catches up.
    fn adopt(&mut self, cx: &mut Context<'_>, proof: Arc<Certificate>) {
        let sequence = proof.view;
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
        let sequence = proof.view;
        self.checkpoints.drop_below(sequence);
        let above = sequence.saturating_add(1);
        self.checkpoint_votes = self.checkpoint_votes.split_off(&above);
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
            self.tell_checkpoint(cx, sequence, state);
        }
    }
}
