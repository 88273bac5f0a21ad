//! The votes of a round (arXiv 1807.04938, Algorithm 1, lines 22-46).

use super::journal::{PROPOSAL, Record, Said, VOTES, What};
use super::marks;
use super::message::{Ballot, Body, Message, NIL, PREVOTE, Polka, Proposal};
use super::replica::{TendermintReplica, Valid};
use super::rounds::{Phase, Step};
use super::seeded;
use crate::consensus::sync::Syncs as _;
use consim_core::chain::vote_statement;
use consim_core::{Certificate, Context, Digest, Payload, Work, Write};
use std::sync::Arc;

impl TendermintReplica {
    // ---- rules -----------------------------------------------------------------------------------

    /// Carries out what the messages of a round call for. Precommits decide in any round, everything else is
    /// of the round under way.
    pub(super) fn upon(&mut self, cx: &mut Context<'_>, round: u64) {
        if self.try_decide(cx, round) || round != self.round {
            return;
        }
        self.try_prevote(cx);
        self.try_precommit(cx);
        self.wait_for_votes(cx);
    }

    /// Lines 22-27 and 28-33: prevotes what is put forward, unless locked on another value that no later
    /// 2f+1 prevotes speak against; then nil.
    fn try_prevote(&mut self, cx: &mut Context<'_>) {
        let Some(round) = self.rounds.get(self.round) else {
            return;
        };
        let (Some(digest), Some(forward)) = (round.digest, &round.put_forward) else {
            return;
        };
        if self.step != Step::Propose {
            return;
        }
        let (valid_round, message) = (forward.valid_round, Arc::clone(&forward.message));
        let timely = forward.timely;
        let accepts = match self.votes.locked.filter(|_| self.may_vote()) {
            None => true,
            Some((_, locked)) if locked == digest => true,
            Some((locked_round, _)) => {
                let later = valid_round.is_some_and(|valid| locked_round <= valid);
                if later {
                    cx.reached(&marks::UNLOCKED);
                }
                later || seeded::on(&seeded::LOCK_NOT_CHECKED)
            }
        };
        self.step = Step::Prevote;
        if !timely {
            cx.reached(&marks::NOT_TIMELY);
            return self.cast(cx, Phase::Prevote, NIL);
        }
        if !accepts {
            cx.reached(&marks::LOCK_HELD);
            return self.cast(cx, Phase::Prevote, NIL);
        }
        if valid_round.is_some() {
            cx.reached(&marks::VALID_PREVOTED);
        }
        if self.may_vote() {
            self.keep_proposal(&message);
        }
        self.cast(cx, Phase::Prevote, digest);
    }

    /// A proposal that is not in order is prevoted nil at once (line 26).
    pub(super) fn refuse(&mut self, cx: &mut Context<'_>, round: u64) {
        if round == self.round && self.step == Step::Propose {
            self.step = Step::Prevote;
            self.cast(cx, Phase::Prevote, NIL);
            self.upon(cx, round);
        }
    }

    /// Lines 36-43: with 2f+1 prevotes for what is put forward, the first time; lines 44-46: with 2f+1 for
    /// nil.
    fn try_precommit(&mut self, cx: &mut Context<'_>) {
        let (round, height, group) = (self.round, self.height(), &self.group);
        let Some(known) = self.rounds.get_mut(round) else {
            return;
        };
        let (digest, batch) = (known.digest, known.batch.clone());
        if let (Some(digest), Some(batch)) = (digest, batch)
            && !known.polka
            && self.step >= Step::Prevote
            && known.prevotes.digest() == Some(digest)
            && let Some(proof) = known.prevotes.certificate(group, PREVOTE, round, height)
        {
            known.polka = true;
            let proof = Arc::new(proof);
            return self.upon_polka(cx, Valid { proof, batch });
        }
        if self.step == Step::Prevote && known.prevotes.votes_for(&NIL) >= group.quorum() {
            cx.reached(&marks::PRECOMMITTED_NIL);
            self.step = Step::Precommit;
            self.cast(cx, Phase::Precommit, NIL);
        }
    }

    /// 2f+1 prevotes are for a value (lines 36-43): the replica locks it and precommits, if they are of its
    /// round and it has not precommitted there; and it is the valid one.
    pub(super) fn upon_polka(&mut self, cx: &mut Context<'_>, valid: Valid) {
        let (round, digest) = (valid.proof.view, valid.proof.digest);
        let locks = round == self.round && self.step == Step::Prevote;
        if !self.may_vote() {
            if locks {
                self.step = Step::Precommit;
            }
            return;
        }
        self.keep_valid(valid);
        if locks {
            if self.votes.locked.is_some() {
                cx.reached(&marks::LOCKED_AGAIN);
            }
            self.votes.locked = Some((round, digest));
            self.step = Step::Precommit;
            self.cast(cx, Phase::Precommit, digest);
        } else {
            cx.reached(&marks::VALID_LATE);
        }
    }

    // ---- own votes -------------------------------------------------------------------------------

    /// Writes down what was signed, and the lock.
    pub(super) fn keep_votes(&mut self) {
        let mut votes = self.votes.clone();
        votes.locked = votes
            .locked
            .filter(|_| !seeded::on(&seeded::LOCK_FORGOTTEN));
        let record = Arc::new(Record::Votes(votes));
        self.journal.write(Write::cell(VOTES, 0, record));
    }

    /// Votes in the round under way: first on disk, then said.
    pub(super) fn cast(&mut self, cx: &mut Context<'_>, phase: Phase, digest: Digest) {
        if !self.may_vote() {
            return;
        }
        let round = self.round;
        // Never twice.
        let Some(place) = self.votes.place(round, phase).filter(|p| p.is_none()) else {
            return;
        };
        *place = Some(digest);
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
            Phase::Prevote => &known.prevotes,
            Phase::Precommit => &known.precommits,
        });
        let hashed = tally.and_then(|tally| tally.statement(&digest));
        let statement =
            hashed.unwrap_or_else(|| vote_statement(chain, phase.kind(), round, height, &digest));
        let ballot = Ballot::over(round, height, digest, &statement, &self.group.key);
        let (what, body) = match phase {
            Phase::Prevote => (What::Prevote, Body::Prevote(ballot)),
            Phase::Precommit => {
                let stamp = self.stamp_of(cx, round, digest);
                (What::Precommit, Body::Precommit(ballot, stamp))
            }
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

    /// The own message is on disk: it is said, and the vote in it counted.
    pub(super) fn say(&mut self, cx: &mut Context<'_>, said: &Said) {
        // Whoever is in an older round or height may lack this one.
        if !self.gossips() {
            cx.multicast(self.group.members(), Arc::clone(&said.message));
        }
        if (said.height, said.round) != (self.height(), self.round) {
            cx.reached(&marks::SAID_LATE);
        }
        self.take_stamp_of(&said.message);
        if said.height != self.height() {
            return;
        }
        let phase = match said.what {
            What::Proposal | What::Prevote => Phase::Prevote,
            What::Precommit => Phase::Precommit,
        };
        let group = &self.group;
        let Some(round) = self.rounds.get_mut(said.round) else {
            return;
        };
        if said.what == What::Proposal {
            round.said = Some(Arc::clone(&said.message));
        }
        let chain = group.chain;
        let hash =
            |digest: &Digest| vote_statement(chain, phase.kind(), said.round, said.height, digest);
        let key = said.signature.key;
        let tally = round.of(phase);
        if !tally.voted(key) {
            tally.vote(group, key, &said.digest, &said.signature, hash);
        }
        if self.gossips() {
            self.spread_own(cx, said, phase);
        }
        self.upon(cx, said.round);
    }

    // ---- others' votes ---------------------------------------------------------------------------

    /// Is a message of this height, and of a round that is known? What comes too early is kept.
    pub(super) fn is_due(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        (round, height): (u64, u64),
        payload: &Arc<dyn Payload>,
    ) -> bool {
        if height < self.height() {
            return false;
        }
        if height > self.height() {
            cx.reached(&marks::OF_LATER_HEIGHT);
            self.later(from, payload);
            self.past.peers.claim(from, height - 1);
            self.seek_if_left_behind(cx);
            return false;
        }
        if round <= self.round {
            return self.rounds.get(round).is_some();
        }
        self.later(from, payload);
        self.seen_in(cx, from, round);
        false
    }

    /// Upon PREVOTE or PRECOMMIT.
    pub(super) fn on_vote(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        phase: Phase,
        ballot: &Ballot,
        payload: &Arc<dyn Payload>,
    ) {
        if self.is_due(cx, from, (ballot.view, ballot.sequence), payload) {
            self.count(cx, from, phase, ballot);
        }
    }

    /// Upon votes of others that a member passes on: they may lead to a higher round (line 55), and count.
    pub(super) fn on_votes(&mut self, cx: &mut Context<'_>, votes: &[(u8, Ballot)]) {
        let chain = self.group.chain;
        for (kind, ballot) in votes {
            let (round, height) = (ballot.view, ballot.sequence);
            let signer = self.group.index_of_key(ballot.signature.key);
            let news = |&signer: &usize| self.rounds_of.get(signer).is_some_and(|&r| r < round);
            if let Some(signer) = signer.filter(news)
                && height == self.height()
                && round > self.round
                && signer != self.group.me
            {
                cx.work(Work::verify(1));
                let statement = vote_statement(chain, *kind, round, height, &ballot.digest);
                if self.group.keys.verify(&statement, &ballot.signature) {
                    self.seen_in(cx, signer, round);
                }
            }
        }
        for (kind, ballot) in votes {
            let signer = self.group.index_of_key(ballot.signature.key);
            if let (Some(phase), Some(signer)) = (Phase::of(*kind), signer)
                && ballot.sequence == self.height()
                && signer != self.group.me
            {
                self.count(cx, signer, phase, ballot);
            }
        }
    }

    /// Verifies a vote in a round that is known, and counts it. Votes beyond the quorum are not looked at.
    pub(super) fn count(
        &mut self,
        cx: &mut Context<'_>,
        signer: usize,
        phase: Phase,
        ballot: &Ballot,
    ) {
        let (round, height) = (ballot.view, ballot.sequence);
        let (group, chain) = (&self.group, self.group.chain);
        let Some(known) = self.rounds.get_mut(round) else {
            return;
        };
        let (tally, key) = (known.of(phase), group.key_of(signer));
        if tally.count() >= group.quorum() || tally.voted(key) || !group.votes(signer) {
            return;
        }
        cx.work(Work::verify(1));
        let hash =
            move |digest: &Digest| vote_statement(chain, phase.kind(), round, height, digest);
        let valid = tally.vote(group, key, &ballot.digest, &ballot.signature, hash);
        let voters = tally.voters();
        if valid {
            self.heard(phase, signer, ballot);
        }
        if valid && voters >= self.group.quorum() {
            self.upon(cx, round);
        }
    }

    // ---- what others lack ------------------------------------------------------------------------

    /// The PROPOSAL that was prevoted last.
    pub(super) fn written_proposal(&self) -> Option<(&Arc<Proposal>, Option<&Arc<Certificate>>)> {
        let message = self.written.as_ref()?.as_any().downcast_ref::<Message>()?;
        match &message.body {
            Body::Proposal {
                proposal, valid, ..
            } => Some((proposal, valid.as_ref())),
            _ => None,
        }
    }

    /// What was prevoted is written again.
    pub(super) fn write_proposal_again(&mut self) {
        if let Some(written) = self.written.clone() {
            self.journal.write(Write::cell(PROPOSAL, 0, written));
        }
    }

    /// The valid value with its prevotes, as others are told of it.
    pub(super) fn polka(&self) -> Option<Body> {
        let valid = self.valid()?;
        Some(Body::Polka(Arc::new(Polka {
            proof: Arc::clone(&valid.proof),
            batch: Arc::clone(&valid.batch),
        })))
    }
}
