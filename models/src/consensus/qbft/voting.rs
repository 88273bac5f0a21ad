//! The votes of a round (arXiv 2002.03613, Algorithm 2), and what a proposal and a ROUND-CHANGE lead to.

use super::change::{Justification, RoundChange};
use super::journal::{BODY, PREPARED, PROPOSAL, Record, Said, VOTES, What};
use super::marks;
use super::message::{Ballot, Body, Message, Proposal};
use super::replica::{Prepared, QbftReplica};
use super::rounds::Phase;
use super::seeded;
use crate::consensus::sync::Syncs as _;
use consim_core::chain::vote_statement;
use consim_core::{Batch, Context, Digest, Payload, Work, Write};
use std::sync::Arc;

impl QbftReplica {
    // ---- rules -----------------------------------------------------------------------------------

    /// Carries out what the votes of a round call for. Commits decide in any round, everything else is of the
    /// round under way.
    pub(super) fn upon(&mut self, cx: &mut Context<'_>, round: u64) {
        if !self.try_decide(cx, round) && round == self.round {
            self.try_commit(cx);
        }
    }

    /// With a quorum of prepares for what was put forward (lines 4-7): it is prepared in this round; COMMIT.
    fn try_commit(&mut self, cx: &mut Context<'_>) {
        let round = self.round;
        let free = self.votes.place(round, Phase::Commit);
        if !free.is_some_and(|place| place.is_none()) || !self.may_vote() {
            return;
        }
        let Some(batch) = self.rounds.get(round).and_then(|r| r.batch.clone()) else {
            return;
        };
        let Some(proof) = self.certificate(round, Phase::Prepare) else {
            return;
        };
        let digest = proof.digest;
        let proof = Arc::new(proof);
        self.keep_prepared(Prepared { proof, batch });
        self.cast(cx, Phase::Commit, digest);
    }

    /// The seeded bug: is this replica locked for ever on another value than this?
    pub(super) fn is_locked_on_other(&self, batch: &Batch) -> bool {
        let other = |p: &Prepared| p.proof.digest != batch.digest();
        seeded::on(&seeded::NEVER_UNLOCKED) && self.prepared().is_some_and(other)
    }

    // ---- PROPOSAL --------------------------------------------------------------------------------

    /// Upon PROPOSAL of the round's proposer, the first that is justified: lines 1-3. One of a higher round leads
    /// there.
    pub(super) fn on_proposal(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        proposal: &Arc<Proposal>,
        justification: Option<&Arc<Justification>>,
        payload: &Arc<dyn Payload>,
    ) {
        let (round, height) = (proposal.view, proposal.sequence);
        if !self.is_of_this_height(cx, from, height, payload)
            || from != self.group.proposer(height, round)
        {
            return;
        }
        let digest = proposal.batch.digest();
        match self.rounds.get(round) {
            Some(known) if known.digest.is_some_and(|seen| seen != digest) => {
                return cx.reached(&marks::SECOND_PROPOSAL);
            }
            Some(known) if known.digest.is_some() || known.refused => return,
            None if round <= self.round => return,
            _ => {}
        }
        cx.work(Work::verify(1));
        let statement = proposal.statements(self.group.chain).first;
        if proposal.signature.key != self.group.key_of(from)
            || !self.group.keys.verify(&statement, &proposal.signature)
        {
            return cx.reached(&marks::PROPOSAL_REFUSED);
        }
        if !self.is_justified(cx, from, proposal, justification) {
            cx.reached(&marks::PROPOSAL_REFUSED);
            if let Some(known) = self.rounds.get_mut(round) {
                known.refused = true;
            }
            return;
        }
        if round > self.round {
            cx.reached(&marks::LED_TO_HIGHER_ROUND);
            self.leave(cx, round, false);
            if (self.height(), self.round) != (height, round) {
                return;
            }
        }
        let Some(known) = self.rounds.get_mut(round) else {
            return;
        };
        known.settle(&self.group, proposal);
        known
            .prepares
            .add(&self.group, &digest, &proposal.signature);
        if round == self.round {
            let again = justification.is_some_and(|j| j.highest().is_some());
            self.accept(cx, &proposal.batch, again, payload);
        }
        self.upon(cx, round);
    }

    /// Lines 2-3: the timer starts anew; PREPARE.
    fn accept(
        &mut self,
        cx: &mut Context<'_>,
        batch: &Arc<Batch>,
        again: bool,
        message: &Arc<dyn Payload>,
    ) {
        self.expires = None;
        if !self.may_vote() || !self.votes.is_free(self.round) || self.is_locked_on_other(batch) {
            return;
        }
        if again {
            cx.reached(&marks::PREPARED_AGAIN);
        }
        self.keep_proposal(message);
        self.cast(cx, Phase::Prepare, batch.digest());
    }

    // ---- ROUND-CHANGE ----------------------------------------------------------------------------

    /// Upon ROUND-CHANGE that is in order: f+1 for higher rounds lead there (Algorithm 3, lines 5-10), and a
    /// quorum for its round lets the proposer go on.
    pub(super) fn on_round_change(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        message: &Arc<RoundChange>,
        payload: &Arc<dyn Payload>,
    ) {
        let change = &message.change;
        if !self.is_of_this_height(cx, from, change.height, payload) {
            return;
        }
        let newer = |known: &Option<Arc<RoundChange>>| {
            let known = known.as_ref();
            known.is_none_or(|known| known.change.round < change.round)
        };
        if change.round < self.round || !self.changes.get(from).is_some_and(newer) {
            return;
        }
        if change.signature.key != self.group.key_of(from) || !self.is_in_order(cx, message) {
            return cx.reached(&marks::CHANGE_REFUSED);
        }
        self.keep_change(from, message);
        self.jump(cx);
        self.try_propose(cx);
    }

    fn keep_change(&mut self, member: usize, message: &Arc<RoundChange>) {
        if let Some(kept) = self.changes.get_mut(member) {
            *kept = Some(Arc::clone(message));
        }
    }

    /// Goes to the highest round that f+1 members are in, or above it, if that is above its own.
    fn jump(&mut self, cx: &mut Context<'_>) {
        if seeded::on(&seeded::NO_JUMP) {
            return;
        }
        let rounds = self.changes.iter().flatten().map(|c| c.change.round);
        let mut rounds: Vec<u64> = rounds.filter(|&round| round > self.round).collect();
        rounds.sort_unstable_by(|a, b| b.cmp(a));
        if let Some(&round) = rounds.get(self.group.faults()) {
            cx.reached(&marks::JUMPED);
            self.leave(cx, round, true);
        }
    }

    // ---- own votes -------------------------------------------------------------------------------

    /// Writes down what was signed.
    pub(super) fn keep_votes(&mut self) {
        let record = Arc::new(Record::Votes(self.votes.clone()));
        self.journal.write(Write::cell(VOTES, 0, record));
    }

    /// Votes in the round under way: first on disk, then said. Never twice.
    fn cast(&mut self, cx: &mut Context<'_>, phase: Phase, digest: Digest) {
        let round = self.round;
        let Some(place) = self.votes.place(round, phase).filter(|p| p.is_none()) else {
            return;
        };
        *place = Some(digest);
        self.votes.round = round;
        self.keep_votes();
        let said = self.sign(cx, phase, round, digest);
        self.journal.then(said);
    }

    /// Signs a vote in a round of this height.
    pub(super) fn sign(
        &self,
        cx: &mut Context<'_>,
        phase: Phase,
        round: u64,
        digest: Digest,
    ) -> Said {
        cx.work(Work::sign(1));
        let (chain, height) = (self.group.chain, self.height());
        let tally = self.rounds.get(round).map(|known| match phase {
            Phase::Prepare => &known.prepares,
            Phase::Commit => &known.commits,
        });
        let hashed = tally.and_then(|tally| tally.statement(&digest));
        let statement =
            hashed.unwrap_or_else(|| vote_statement(chain, phase.kind(), round, height, &digest));
        let ballot = Ballot::over(round, height, digest, &statement, &self.group.key);
        let (what, body) = match phase {
            Phase::Prepare => (What::Prepare, Body::Prepare(ballot)),
            Phase::Commit => (What::Commit, Body::Commit(ballot)),
        };
        Said {
            what,
            height,
            round,
            digest,
            signature: ballot.signature,
            message: self.message(body),
        }
    }

    /// The own message is on disk: it is said, and what it says counts here, too.
    pub(super) fn say(&mut self, cx: &mut Context<'_>, said: &Said) {
        // Whoever is in an older round or height may lack this one.
        cx.multicast(self.group.members(), Arc::clone(&said.message));
        if (said.height, said.round) != (self.height(), self.round) {
            cx.reached(&marks::SAID_LATE);
        }
        if said.height != self.height() {
            return;
        }
        let (phase, place) = match said.what {
            What::Proposal | What::Prepare => (Phase::Prepare, 0),
            What::Commit => (Phase::Commit, 1),
            What::Change => return self.own_change(cx, said),
        };
        let group = &self.group;
        let Some(round) = self.rounds.get_mut(said.round) else {
            return;
        };
        if let Some(place) = round.said.get_mut(place) {
            *place = Some(Arc::clone(&said.message));
        }
        let chain = group.chain;
        let hash =
            |digest: &Digest| vote_statement(chain, phase.kind(), said.round, said.height, digest);
        let key = said.signature.key;
        let tally = round.of(phase);
        if !tally.voted(key) {
            tally.vote(group, key, &said.digest, &said.signature, hash);
        }
        self.upon(cx, said.round);
    }

    fn own_change(&mut self, cx: &mut Context<'_>, said: &Said) {
        if said.round != self.round {
            return;
        }
        self.said_change = Some(Arc::clone(&said.message));
        let message = said.message.as_any().downcast_ref::<Message>();
        if let Some(Body::RoundChange(change)) = message.map(|message| &message.body) {
            self.keep_change(self.group.me, change);
            self.try_propose(cx);
        }
    }

    // ---- others' votes ---------------------------------------------------------------------------

    /// Is a message of this height? What comes too early is kept.
    fn is_of_this_height(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        height: u64,
        payload: &Arc<dyn Payload>,
    ) -> bool {
        if height > self.height() {
            cx.reached(&marks::OF_LATER_HEIGHT);
            self.later(from, payload);
            self.past.peers.claim(from, height - 1);
            self.seek_if_left_behind(cx);
        }
        height == self.height() && self.group.votes(from)
    }

    /// Upon PREPARE or COMMIT: verifies and counts it. Votes beyond the quorum are not looked at.
    pub(super) fn on_vote(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        phase: Phase,
        ballot: &Ballot,
        payload: &Arc<dyn Payload>,
    ) {
        let (round, height) = (ballot.view, ballot.sequence);
        if !self.is_of_this_height(cx, from, height, payload) {
            return;
        }
        if round > self.round {
            return self.later(from, payload);
        }
        let (group, chain) = (&self.group, self.group.chain);
        let Some(known) = self.rounds.get_mut(round) else {
            return;
        };
        let (tally, key) = (known.of(phase), group.key_of(from));
        if tally.count() >= group.quorum() || tally.voted(key) {
            return;
        }
        cx.work(Work::verify(1));
        let hash =
            move |digest: &Digest| vote_statement(chain, phase.kind(), round, height, digest);
        let valid = tally.vote(group, key, &ballot.digest, &ballot.signature, hash);
        if valid && tally.voters() >= group.quorum() {
            self.upon(cx, round);
        }
    }

    // ---- what is kept ----------------------------------------------------------------------------

    /// The PROPOSAL that was prepared last.
    pub(super) fn written_proposal(&self) -> Option<&Arc<Proposal>> {
        let message = self.written.as_ref()?.as_any().downcast_ref::<Message>()?;
        match &message.body {
            Body::Proposal { proposal, .. } => Some(proposal),
            _ => None,
        }
    }

    /// What was put forward is written again.
    pub(super) fn write_proposal_again(&mut self) {
        if let Some(written) = self.written.clone() {
            self.journal.write(Write::cell(PROPOSAL, 0, written));
        }
    }

    /// Remembers, in memory and on disk, for what a PREPARE is signed.
    pub(super) fn keep_proposal(&mut self, message: &Arc<dyn Payload>) {
        self.written = Some(Arc::clone(message));
        self.keep_body();
        let message = Arc::clone(message);
        self.journal.write(Write::cell(PROPOSAL, 0, message));
    }

    /// Remembers, in memory and on disk, what is prepared.
    pub(super) fn keep_prepared(&mut self, prepared: Prepared) {
        let record = Record::Prepared(Arc::clone(&prepared.proof));
        self.prepared = Some(prepared);
        self.keep_body();
        self.journal
            .write(Write::cell(PREPARED, 0, Arc::new(record)));
    }

    /// The body of what is prepared is in the proposal that is on disk, or beside it.
    fn keep_body(&mut self) {
        let Some(prepared) = self.prepared().cloned() else {
            return;
        };
        let digest = prepared.proof.digest;
        let written = self.written_proposal().map(|p| p.batch.digest());
        if ![written, self.body].contains(&Some(digest)) {
            self.body = Some(digest);
            let record = Record::Body(prepared.batch);
            self.journal.write(Write::cell(BODY, 0, Arc::new(record)));
        }
    }
}
