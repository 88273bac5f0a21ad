//! Checkpoints and garbage collection (section 4.3).

use super::config::{KEPT_STATES, MAX_OWN_STATES};
use super::journal::{FORMER, LOG, PREPARED, PROPOSALS, Record, STABLE, former_key};
use super::marks;
use super::message::{Ballot, Body, CHECKPOINT};
use super::replica::PbftReplica;
use super::seeded;
use super::tally::Tally;
use crate::consensus::StateHead;
use crate::ledger::{Snapshot, WorldState};
use consim_core::chain::vote_statement;
use consim_core::{Certificate, Context, Digest, Probe, Work, Write};
use std::collections::VecDeque;
use std::sync::Arc;

/// Checkpoints above the stable one.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    /// The proof of the last stable checkpoint; none at the beginning.
    pub(super) proof: Option<Arc<Certificate>>,
    /// A proof of a checkpoint that this replica has not reached yet.
    ahead: Option<Arc<Certificate>>,
    /// This replica's states at checkpoints above the stable one, ascending.
    own: VecDeque<(u64, Digest)>,
    /// Votes, at most one tally for each checkpoint of the window.
    tallies: Vec<(u64, Tally)>,
    spare: Vec<Tally>,
    /// The highest checkpoint of `own` at the last tick: what should be stable by now.
    overdue: u64,
    /// The states themselves, and those of the last stable checkpoints: handles, ascending.
    kept: VecDeque<Kept>,
}

/// A state at a checkpoint, for those that fetch it.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) sequence: u64,
    pub(super) head: Arc<StateHead>,
    pub(super) state: WorldState,
}

impl Kept {
    /// The state with its header, as a disk holds it.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            header: self.head.header.clone(),
            state: self.state.clone(),
        }
    }
}

impl Checkpoints {
    pub(super) fn own_state(&self, sequence: u64) -> Option<Digest> {
        self.own
            .iter()
            .find(|(s, _)| *s == sequence)
            .map(|&(_, state)| state)
    }
    /// The last checkpoint that is known to be stable somewhere.
    pub(super) fn proven(&self) -> u64 {
        self.ahead.as_ref().map_or(0, |c| c.sequence)
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
    pub(super) fn keep(&mut self, kept: Kept) {
        let digest = kept.head.digest();
        if self.own.len() >= MAX_OWN_STATES {
            self.own.pop_front();
        }
        self.own.push_back((kept.sequence, digest));
        if self.kept.len() >= MAX_OWN_STATES {
            self.kept.pop_front();
        }
        self.kept.push_back(kept);
    }
    #[cfg(test)]
    pub(super) fn open(&self) -> usize {
        self.tallies.len()
    }
    #[cfg(test)]
    pub(super) fn own_len(&self) -> usize {
        self.own.len()
    }
    fn tally(&mut self, sequence: u64) -> Option<&mut Tally> {
        if let Some(at) = self.tallies.iter().position(|(s, _)| *s == sequence) {
            return self.tallies.get_mut(at).map(|(_, tally)| tally);
        }
        let tally = self.spare.pop().unwrap_or_default();
        self.tallies.push((sequence, tally));
        self.tallies.last_mut().map(|(_, tally)| tally)
    }
    fn drop_below(&mut self, sequence: u64) {
        let stable = self.kept.iter().filter(|k| k.sequence <= sequence).count();
        for _ in KEPT_STATES..stable {
            self.kept.pop_front();
        }
        while self.own.front().is_some_and(|(s, _)| *s <= sequence) {
            self.own.pop_front();
        }
        let spare = &mut self.spare;
        self.tallies.retain_mut(|(s, tally)| {
            let keep = *s > sequence;
            if !keep {
                let mut tally = std::mem::take(tally);
                tally.clear();
                spare.push(tally);
            }
            keep
        });
        if self.proven() <= sequence {
            self.ahead = None;
        }
    }
}

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
        let digest = head.digest();
        self.checkpoints.keep(Kept {
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
        if let Some(ahead) = self.checkpoints.ahead.clone() {
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
        if let Some(tally) = self.checkpoints.tally(sequence) {
            let statement = vote_statement(chain, CHECKPOINT, 0, sequence, &state);
            tally.settle(group, &state, statement);
            tally.add(group, &state, &ballot.signature);
        }
    }

    /// Upon CHECKPOINT (section 4.3): counts it; with a quorum the checkpoint is stable.
    pub(super) fn on_checkpoint(&mut self, cx: &mut Context<'_>, from: usize, ballot: &Ballot) {
        let sequence = ballot.sequence;
        self.catch_up.claim(from, sequence);
        if !sequence.is_multiple_of(self.group.interval)
            || sequence <= self.stable()
            || sequence > self.window.high()
        {
            return;
        }
        let (quorum, chain) = (self.group.quorum, self.group.chain);
        let Some(tally) = self.checkpoints.tally(sequence) else {
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
        let Some((_, tally)) = self
            .checkpoints
            .tallies
            .iter()
            .find(|(s, _)| *s == sequence)
        else {
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
            self.checkpoints.ahead = Some(proof);
            self.seek(cx);
        }
    }

    /// Garbage collection (section 4.3): everything up to the checkpoint is discarded.
    pub(super) fn make_stable(&mut self, cx: &mut Context<'_>, proof: Arc<Certificate>) {
        let sequence = proof.sequence;
        self.window.advance(sequence);
        self.floor = self.floor.max(sequence);
        self.checkpoints.drop_below(sequence);
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
        let overdue: Option<(u64, Digest)> = self
            .checkpoints
            .own
            .iter()
            .rev()
            .find(|(s, _)| *s <= self.checkpoints.overdue)
            .copied();
        if let Some((sequence, state)) = overdue {
            cx.reached(&marks::CHECKPOINT_TOLD_AGAIN);
            self.tell_checkpoint(cx, sequence, state);
            self.try_stable(cx, sequence);
        }
        self.checkpoints.overdue = self.checkpoints.own.back().map_or(0, |&(s, _)| s);
    }
}
