//! Coming back from the disk.

use super::journal::{BODY, PROPOSAL, Record, Signed, VALID, VOTES, Votes};
use super::marks;
use super::replica::{TendermintReplica, Valid};
use super::rounds::{Phase, Step};
use crate::consensus::sync::Syncs as _;
use consim_core::{Context, Disk, Payload};
use std::sync::Arc;

fn record(value: &Arc<dyn Payload>) -> Option<&Record> {
    value.as_any().downcast_ref()
}

impl TendermintReplica {
    /// Once all that it may have voted for is decided, a silent replica may vote again.
    pub(super) fn end_silence(&mut self, cx: &mut Context<'_>) {
        if self.silence_is_over() {
            self.speak_again(cx);
        }
    }

    // ---- coming back -----------------------------------------------------------------------------

    /// Takes over what the disk kept: executes the log again, takes its votes and its lock back, and
    /// asks the others how far they are.
    pub(super) fn recover(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        self.recover_past(cx, disk);
        self.restore_votes(disk);
        self.ask_everybody(cx);
        self.begin_height(cx);
    }

    /// Takes back what it signed, its lock, and the valid value. A log that was cut may end below that.
    fn restore_votes(&mut self, disk: &Disk) {
        if self.past.silent.is_some() {
            return;
        }
        if let Some(Record::Votes(votes)) = disk.cell(VOTES, 0).and_then(record) {
            self.votes = votes.clone();
        }
        self.written = disk.cell(PROPOSAL, 0).cloned();
        let Some(Record::Valid(proof)) = disk.cell(VALID, 0).and_then(record) else {
            return;
        };
        let beside = match disk.cell(BODY, 0).and_then(record) {
            Some(Record::Body(batch)) => Some(batch),
            _ => None,
        };
        self.body = beside.map(|batch| batch.digest());
        let written = self.written_proposal().map(|(p, _)| &p.batch);
        let mut bodies = written.into_iter().chain(beside);
        let batch = bodies.find(|batch| batch.digest() == proof.digest);
        self.valid = batch.map(|batch| Valid {
            proof: Arc::clone(proof),
            batch: Arc::clone(batch),
        });
    }

    /// Goes on in a height in which it signed something in an earlier life. Its votes are said again; they
    /// are the same as before, since signing is deterministic.
    pub(super) fn resume(&mut self, cx: &mut Context<'_>) {
        let Votes {
            round,
            before,
            signed,
            ..
        } = self.votes.clone();
        if self.votes.locked.is_some() {
            cx.reached(&marks::CAME_BACK_LOCKED);
        }
        cx.reached(&marks::CAME_BACK_VOTED);
        self.round = round;
        let here = signed.last().filter(|last| last.round == round);
        self.step = match here {
            None => Step::Propose,
            Some(here) if here.precommit.is_none() => Step::Prevote,
            Some(_) => Step::Precommit,
        };
        self.progress_at = cx.now();
        let voted = signed.iter().map(|signed| signed.round);
        let mut rounds: Vec<u64> = voted.chain([round.saturating_sub(1), round]).collect();
        rounds.sort_unstable();
        rounds.dedup();
        for round in rounds {
            self.rounds.open(round);
        }
        self.tell_view(cx);
        let own = self.resume_proposal(cx, &signed);
        for signed in &signed {
            let prevote = signed.prevote.filter(|_| own != Some(signed.round));
            let prevote = prevote.map(|digest| (Phase::Prevote, digest));
            let precommit = signed.precommit.map(|digest| (Phase::Precommit, digest));
            for (phase, digest) in prevote.into_iter().chain(precommit) {
                let said = self.sign(cx, phase, signed.round, digest);
                self.say(cx, &said);
            }
        }
        for ballot in &before {
            let signer = self.group.index_of_key(ballot.signature.key);
            if let Some(signer) = signer.filter(|&signer| signer != self.group.me)
                && ballot.sequence == self.height()
            {
                self.count(cx, signer, Phase::Precommit, ballot);
            }
        }
        self.try_propose(cx);
        self.replay_future(cx);
    }

    /// Takes up what it prevoted again; returns the round for which it put it forward itself.
    fn resume_proposal(&mut self, cx: &mut Context<'_>, signed: &[Signed]) -> Option<u64> {
        let (proposal, valid) = self.written_proposal()?;
        let (round, digest) = (proposal.view, proposal.batch.digest());
        let here = |s: &Signed| s.round == round && s.prevote == Some(digest);
        if proposal.sequence != self.height() || !signed.iter().any(here) {
            return None;
        }
        let (proposal, valid) = (Arc::clone(proposal), valid.map(|proof| proof.view));
        let message = self.written.clone()?;
        // What it prevoted was timely then.
        self.settle(&proposal, (valid, true), &message);
        let (group, known) = (&self.group, self.rounds.get_mut(round)?);
        known.prevotes.add(group, &digest, &proposal.signature);
        if proposal.signature.key != self.group.key.id() {
            return None;
        }
        cx.reached(&marks::PROPOSER_CAME_BACK);
        known.said = Some(Arc::clone(&message));
        if self.gossips() {
            self.cut_up(cx, &message);
        } else {
            cx.multicast(self.group.members(), message);
        }
        Some(round)
    }

    // ---- damage while up -------------------------------------------------------------------------

    /// The host found damage while this replica is up: what is in memory is written again.
    pub(super) fn scrubbed(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        self.scrub_past(cx, disk);
        if disk.any_damaged(VOTES) && self.past.silent.is_none() {
            self.keep_votes();
        }
        if disk.any_damaged(PROPOSAL) {
            self.write_proposal_again();
        }
        if (disk.any_damaged(VALID) || disk.any_damaged(BODY))
            && let Some(valid) = self.valid.clone()
        {
            self.body = None;
            self.keep_valid(valid);
        }
    }
}
