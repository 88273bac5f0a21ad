//! Coming back from the disk.

use super::journal::{BODY, PREPARED, PROPOSAL, Record, Signed, VOTES, Votes};
use super::marks;
use super::replica::{Prepared, QbftReplica};
use super::rounds::Phase;
use super::seeded;
use crate::consensus::sync::Syncs as _;
use consim_core::{Context, Disk, Payload};
use std::sync::Arc;

fn record(value: &Arc<dyn Payload>) -> Option<&Record> {
    value.as_any().downcast_ref()
}

impl QbftReplica {
    /// Once all that it may have voted for is decided, a silent replica may vote again.
    pub(super) fn end_silence(&mut self, cx: &mut Context<'_>) {
        if self.silence_is_over() {
            self.timer_lost = seeded::on(&seeded::TIMER_LOST);
            self.speak_again(cx);
        }
    }

    /// Takes over what the disk kept: executes the log again, takes its votes and what it saw prepared back, and
    /// asks the others how far they are.
    pub(super) fn recover(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        self.recover_past(cx, disk);
        self.restore_votes(disk);
        self.ask_everybody(cx);
        self.begin_height(cx);
    }

    /// Takes back what it signed, and what it saw prepared. A log that was cut may end below that.
    fn restore_votes(&mut self, disk: &Disk) {
        if self.past.silent.is_some() {
            return;
        }
        if let Some(Record::Votes(votes)) = disk.cell(VOTES, 0).and_then(record) {
            self.votes = votes.clone();
        }
        self.written = disk.cell(PROPOSAL, 0).cloned();
        let Some(Record::Prepared(proof)) = disk.cell(PREPARED, 0).and_then(record) else {
            return;
        };
        let beside = match disk.cell(BODY, 0).and_then(record) {
            Some(Record::Body(batch)) => Some(batch),
            _ => None,
        };
        self.body = beside.map(|batch| batch.digest());
        let written = self.written_proposal().map(|p| &p.batch);
        let mut bodies = written.into_iter().chain(beside);
        let batch = bodies.find(|batch| batch.digest() == proof.digest);
        self.prepared = batch.map(|batch| Prepared {
            proof: Arc::clone(proof),
            batch: Arc::clone(batch),
        });
    }

    /// Goes on in a height in which it signed something in an earlier life. What it signed is said again; it is
    /// the same as before, since signing is deterministic.
    pub(super) fn resume(&mut self, cx: &mut Context<'_>) {
        let Votes {
            round,
            change,
            signed,
            ..
        } = self.votes.clone();
        if self.prepared().is_some() {
            cx.reached(&marks::CAME_BACK_PREPARED);
        }
        cx.reached(&marks::CAME_BACK_VOTED);
        self.round = round;
        self.progress_at = cx.now();
        for round in signed.iter().map(|signed| signed.round).chain([round]) {
            self.rounds.open(round);
        }
        self.tell_view(cx);
        let own = self.resume_proposal(cx, &signed);
        let height = self.height();
        if let Some(change) = change {
            let said = self.change_to_say(change);
            self.say(cx, &said);
        }
        for signed in &signed {
            let prepare = signed.prepare.filter(|_| own != Some(signed.round));
            let prepare = prepare.map(|digest| (Phase::Prepare, digest));
            let commit = signed.commit.map(|digest| (Phase::Commit, digest));
            for (phase, digest) in prepare.into_iter().chain(commit) {
                if self.height() == height {
                    let said = self.sign(cx, phase, signed.round, digest);
                    self.say(cx, &said);
                }
            }
        }
        if self.height() == height {
            self.try_propose(cx);
            self.replay_future(cx);
        }
    }

    /// Takes up what it prepared again; returns the round for which it put it forward itself.
    fn resume_proposal(&mut self, cx: &mut Context<'_>, signed: &[Signed]) -> Option<u64> {
        let proposal = Arc::clone(self.written_proposal()?);
        let (round, digest) = (proposal.view, proposal.batch.digest());
        let here = |s: &Signed| s.round == round && s.prepare == Some(digest);
        if proposal.sequence != self.height() || !signed.iter().any(here) {
            return None;
        }
        let message = self.written.clone()?;
        let (group, known) = (&self.group, self.rounds.get_mut(round)?);
        known.settle(group, &proposal);
        known.prepares.add(group, &digest, &proposal.signature);
        if proposal.signature.key != self.group.key.id() {
            return None;
        }
        cx.reached(&marks::PROPOSER_CAME_BACK);
        known.said = [Some(Arc::clone(&message)), None];
        cx.multicast(self.group.members(), message);
        Some(round)
    }

    /// The host found damage while this replica is up: what is in memory is written again.
    pub(super) fn scrubbed(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        self.scrub_past(cx, disk);
        if disk.any_damaged(VOTES) && self.past.silent.is_none() {
            self.keep_votes();
        }
        if disk.any_damaged(PROPOSAL) {
            self.write_proposal_again();
        }
        if (disk.any_damaged(PREPARED) || disk.any_damaged(BODY))
            && let Some(prepared) = self.prepared.clone()
        {
            self.body = None;
            self.keep_prepared(prepared);
        }
    }
}
