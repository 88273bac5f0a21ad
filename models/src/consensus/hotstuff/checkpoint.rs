//! Checkpoints: a quorum says to which state the same batches led, so that one that is far behind can take
//! the state over, and what led there can be given up.

use super::config::{KEPT_STATES, MAX_OPEN_CHECKPOINTS, MAX_OWN_STATES};
use super::journal::{Record, STABLE};
use super::marks;
use super::message::{Body, Head};
use super::proposal::{Ballot, CHECKPOINT};
use super::replica::HotStuffReplica;
use crate::consensus::StateHead;
use crate::ledger::{Snapshot, WorldState};
use consim_core::chain::vote_statement;
use consim_core::{Certificate, Context, Digest, Probe, Signers, Work, Write};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Checkpoints above the stable one. The view of a checkpoint's votes and proof is its sequence number.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    /// The proof of the last stable checkpoint; none at the beginning.
    pub(super) proof: Option<Arc<Certificate>>,
    /// A proof of a checkpoint that this replica has not reached yet.
    ahead: Option<Arc<Certificate>>,
    /// This replica's states at checkpoints above the stable one, ascending.
    own: VecDeque<(u64, Digest)>,
    /// Votes, by checkpoint and state.
    tallies: BTreeMap<u64, Vec<(Digest, Signers)>>,
    /// The highest checkpoint of `own` at the last tick: what should be stable by now.
    overdue: u64,
    /// The states themselves, and those of the last stable checkpoints: handles, ascending.
    kept: VecDeque<Kept>,
}

/// A state at a checkpoint, for those that fetch it.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) sequence: u64,
    pub(super) head: Arc<Head>,
    pub(super) state: WorldState,
}

impl Kept {
    /// The state with its header, as a disk holds it.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            header: self.head.state.header.clone(),
            state: self.state.clone(),
        }
    }
}

impl Checkpoints {
    fn own_state(&self, sequence: u64) -> Option<Digest> {
        let own = self.own.iter().find(|(s, _)| *s == sequence);
        own.map(|&(_, state)| state)
    }
    /// The last checkpoint that is known to be stable somewhere.
    pub(super) fn proven(&self) -> u64 {
        self.ahead.as_ref().map_or(0, |c| c.view)
    }
    /// A proof of a checkpoint that this replica has not reached.
    pub(super) fn ahead(&self) -> Option<&Arc<Certificate>> {
        self.ahead.as_ref()
    }
    /// The state at this checkpoint, if it is still kept.
    pub(super) fn kept(&self, sequence: u64) -> Option<&Kept> {
        self.kept.iter().find(|k| k.sequence == sequence)
    }
    /// The latest state that is kept.
    pub(super) fn latest(&self) -> Option<&Kept> {
        self.kept.back()
    }
    /// Keeps a state; old ones give way.
    fn keep(&mut self, kept: Kept) {
        if self.own.len() >= MAX_OWN_STATES {
            self.own.pop_front();
        }
        self.own.push_back((kept.sequence, kept.head.digest()));
        if self.kept.len() >= MAX_OWN_STATES {
            self.kept.pop_front();
        }
        self.kept.push_back(kept);
    }
    /// What is below a stable checkpoint is not told again.
    pub(super) fn drop_below(&mut self, sequence: u64) {
        let stable = self.kept.iter().filter(|k| k.sequence <= sequence).count();
        for _ in KEPT_STATES..stable {
            self.kept.pop_front();
        }
        while self.own.front().is_some_and(|(s, _)| *s <= sequence) {
            self.own.pop_front();
        }
        self.tallies = self.tallies.split_off(&sequence.saturating_add(1));
        if self.proven() <= sequence {
            self.ahead = None;
        }
    }
}

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
        let digest = head.digest();
        self.checkpoints.keep(Kept {
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
        if let Some(ahead) = self.checkpoints.ahead.clone() {
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
        self.catch_up.claim(from, ballot.view);
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
        let tallies = self.checkpoints.tallies.entry(sequence).or_default();
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
        cx.work(Work::verify_batched(proof.signatures.len() as u32));
        let group = &self.group;
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
            self.checkpoints.ahead = Some(proof);
            self.seek(cx);
        }
    }

    /// Votes up to the checkpoint are of no use any more.
    pub(super) fn make_stable(&mut self, cx: &mut Context<'_>, proof: Arc<Certificate>) {
        let sequence = proof.view;
        self.checkpoints.drop_below(sequence);
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
        let overdue = self.checkpoints.overdue;
        let mut own = self.checkpoints.own.iter().rev();
        if let Some(&(sequence, state)) = own.find(|(s, _)| *s <= overdue) {
            self.tell_checkpoint(cx, sequence, state);
        }
        self.checkpoints.overdue = self.checkpoints.own.back().map_or(0, |&(s, _)| s);
    }
}
