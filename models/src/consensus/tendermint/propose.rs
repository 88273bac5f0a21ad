//! How a round begins, and what is put forward in it (arXiv 1807.04938, Algorithm 1, lines 11-21).

use super::journal::{BODY, PROPOSAL, Record, Said, VALID, What};
use super::marks;
use super::message::{Ballot, Body, PREVOTE, Polka, Proposal, Times};
use super::replica::{BATCH_TIMER, Running, TendermintReplica, Valid};
use super::replica::{COMMIT_TIMER, PRECOMMIT_TIMER, PREVOTE_TIMER, PROPOSE_TIMER};
use super::rounds::{Phase, PutForward, Round, Step};
use super::seeded;
use crate::consensus::batches::{self, Judge};
use crate::consensus::mempool::Ready;
use crate::consensus::proposal::Statements;
use consim_core::{Batch, Certificate, Context, Payload, Probe, Work, Write};
use std::sync::Arc;

impl TendermintReplica {
    // ---- a round begins --------------------------------------------------------------------------

    /// StartRound (lines 11-21).
    pub(super) fn start_round(&mut self, cx: &mut Context<'_>, round: u64) {
        self.stop_timers(cx);
        self.round = round;
        self.step = self.first_step_of(cx, round);
        self.rounds.open(round);
        if let Some(gossip) = &mut self.gossip {
            gossip.drop_below(self.rounds.lowest());
        }
        self.progress_at = cx.now();
        if round > 0 {
            // What was put forward before and is not valid may be put forward again.
            self.mempool.next_view();
            self.own = None;
            self.keep_round();
        }
        if round == 3 {
            cx.reached(&marks::ROUNDS_IN_VAIN);
        }
        self.tell_view(cx);
        self.try_propose(cx);
        self.replay_future(cx);
    }

    /// Remembers, in memory and on disk, the round and why it began: whoever says something in it can show the
    /// others the way there, also after a restart.
    fn keep_round(&mut self) {
        if !self.may_vote() {
            return;
        }
        let before = self.round.saturating_sub(1);
        let former = self.rounds.get(before);
        let precommits = former.map(|round| round.precommits_of(&self.group, self.height()));
        self.votes.round = self.round;
        self.votes.before = precommits.unwrap_or_default();
        self.keep_votes();
    }

    /// Timers of another round or height mean nothing.
    pub(super) fn stop_timers(&mut self, cx: &mut Context<'_>) {
        let running = std::mem::take(&mut self.running);
        let timers = [
            (running.propose, PROPOSE_TIMER),
            (running.prevote, PREVOTE_TIMER),
            (running.precommit, PRECOMMIT_TIMER),
            (running.commit, COMMIT_TIMER),
            (self.batch_timer.take().is_some(), BATCH_TIMER),
        ];
        for (runs, timer) in timers {
            if runs {
                cx.cancel_timer(timer);
            }
        }
        self.running = Running::default();
    }

    // ---- the proposer ----------------------------------------------------------------------------

    /// Puts a value forward if it is this replica's turn (lines 14-19): the valid one if there is one, else
    /// a new batch once a bound of a block is reached.
    pub(super) fn try_propose(&mut self, cx: &mut Context<'_>) {
        let fresh = |round: &Round| round.digest.is_none();
        if self.step != Step::Propose
            || !self.proposes()
            || !self.may_vote()
            || !self.rounds.get(self.round).is_some_and(fresh)
        {
            return;
        }
        let valid = self.valid().cloned();
        if let Some(Valid { proof, batch }) = valid
            && !seeded::on(&seeded::VALID_VALUE_NOT_PROPOSED)
        {
            cx.reached(&marks::VALID_PROPOSED);
            return self.propose(cx, batch, Some(proof), None);
        }
        if self.votes.locked.is_some() {
            // The seeded bug: nothing else can it vote for.
            return;
        }
        match self.mempool.ready(cx.now(), &self.group.block) {
            Ready::Never => return,
            Ready::At(due) => {
                if self.batch_timer != Some(due) {
                    self.batch_timer = Some(due);
                    cx.set_timer(BATCH_TIMER, due - cx.now());
                }
                return;
            }
            Ready::Now => {}
        }
        let Some((time, times)) = self.moment(cx) else {
            return;
        };
        let txs = self.mempool.take(&self.group.block);
        if txs.is_empty() {
            return;
        }
        let count = txs.len();
        let batch = batches::form_at(cx, self.group.node(self.group.me), time, txs);
        cx.emit(Probe::Proposed {
            chain: self.group.chain,
            sequence: self.height(),
            txs: count as u32,
        });
        self.own = Some(Arc::clone(&batch));
        self.propose(cx, batch, None, times);
    }

    /// Its PREVOTE is in the PROPOSAL: what it puts forward is valid, and it is not locked on anything else,
    /// since `lockedRound` is never above `validRound`.
    fn propose(
        &mut self,
        cx: &mut Context<'_>,
        batch: Arc<Batch>,
        valid: Option<Arc<Certificate>>,
        times: Option<Arc<Times>>,
    ) {
        cx.work(Work::sign(1));
        let (round, height, chain) = (self.round, self.height(), self.group.chain);
        let digest = batch.digest();
        let vote = Ballot::sign(chain, PREVOTE, round, height, digest, &self.group.key);
        let signature = vote.signature;
        let proposal = Arc::new(Proposal::new(round, height, batch, signature));
        let valid_round = valid.as_ref().map(|proof| proof.view);
        let message = self.message(Body::Proposal {
            proposal: Arc::clone(&proposal),
            valid,
            times,
        });
        self.settle(&proposal, (valid_round, true), &message);
        self.step = Step::Prevote;
        if let Some(prevote) = self.votes.place(round, Phase::Prevote) {
            *prevote = Some(digest);
        }
        self.keep_proposal(&message);
        self.keep_votes();
        self.journal.then(Said {
            what: What::Proposal,
            height,
            round,
            digest,
            signature,
            message,
        });
    }

    // ---- PROPOSAL --------------------------------------------------------------------------------

    /// Upon PROPOSAL of the round's proposer, the first: validates it, and its valid round.
    pub(super) fn on_proposal(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        proposal: &Arc<Proposal>,
        (valid, times): (Option<&Arc<Certificate>>, Option<&Arc<Times>>),
        payload: &Arc<dyn Payload>,
    ) {
        let (round, height) = (proposal.view, proposal.sequence);
        if !self.is_due(cx, from, (round, height), payload)
            || from != self.group.proposer(height, round)
        {
            return;
        }
        let Some(known) = self.rounds.get(round) else {
            return;
        };
        let digest = proposal.batch.digest();
        if known.digest.is_some_and(|seen| seen != digest) {
            return cx.reached(&marks::SECOND_PROPOSAL);
        }
        if known.put_forward.is_some() || known.refused {
            return;
        }
        cx.work(Work::verify(1));
        let statement = proposal.statements(self.group.chain).first;
        if proposal.signature.key != self.group.key_of(from)
            || !self.group.keys.verify(&statement, &proposal.signature)
        {
            return cx.reached(&marks::PROPOSAL_REFUSED);
        }
        self.take_proposal(cx, from, proposal, (valid, times), payload);
    }

    /// What the proposer of a round put forward and signed is here: validates it, and its valid round.
    pub(super) fn take_proposal(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        proposal: &Arc<Proposal>,
        (valid, times): (Option<&Arc<Certificate>>, Option<&Arc<Times>>),
        payload: &Arc<dyn Payload>,
    ) {
        let round = proposal.view;
        let digest = proposal.batch.digest();
        let Some(known) = self.rounds.get(round) else {
            return;
        };
        if known.digest.is_some_and(|seen| seen != digest)
            || known.put_forward.is_some()
            || known.refused
        {
            return;
        }
        let timely = valid.is_some() || self.is_timely(cx, round, &proposal.batch);
        if !self.is_valid(cx, from, proposal, valid)
            || (valid.is_none() && !self.has_its_time(cx, &proposal.batch, times))
        {
            cx.reached(&marks::PROPOSAL_REFUSED);
            if let Some(known) = self.rounds.get_mut(round) {
                known.refused = true;
            }
            return self.refuse(cx, round);
        }
        self.settle(proposal, (valid.map(|proof| proof.view), timely), payload);
        let group = &self.group;
        if let Some(known) = self.rounds.get_mut(round) {
            known.prevotes.add(group, &digest, &proposal.signature);
        }
        self.upon(cx, round);
    }

    /// `valid(v)`, and for a value of an earlier round the 2f+1 prevotes of that (line 28), of which one is
    /// of a correct member that found it valid.
    fn is_valid(
        &self,
        cx: &mut Context<'_>,
        from: usize,
        proposal: &Proposal,
        valid: Option<&Arc<Certificate>>,
    ) -> bool {
        let batch = &proposal.batch;
        match valid {
            None => self.judge().accepts(cx, self.group.node(from), batch),
            Some(proof) => {
                proof.view < proposal.view
                    && proof.digest == batch.digest()
                    && (self.is_polka(cx, proof) || seeded::on(&seeded::VALID_ROUND_NOT_PROVED))
                    && self.judge().verifies(cx, batch)
            }
        }
    }

    /// Are these 2f+1 prevotes of one round of this height for one value?
    pub(super) fn is_polka(&self, cx: &mut Context<'_>, proof: &Certificate) -> bool {
        let group = &self.group;
        cx.work(Work::verify_batched(proof.signatures.len() as u32));
        proof.kind == PREVOTE
            && proof.sequence == self.height()
            && proof.digest != super::message::NIL
            && proof.verify(group.chain, group.signers(), group.quorum(), &group.keys)
    }

    pub(super) fn judge(&self) -> Judge<'_> {
        Judge {
            chain: self.group.chain,
            keys: &self.group.keys,
            limits: &self.group.block,
            mempool: &self.mempool,
        }
    }

    /// From now on this is what its round puts forward: its votes are counted.
    pub(super) fn settle(
        &mut self,
        proposal: &Proposal,
        (valid_round, timely): (Option<u64>, bool),
        message: &Arc<dyn Payload>,
    ) {
        let statements = proposal.statements(self.group.chain);
        if let Some(round) = self.rounds.get_mut(proposal.view) {
            round.settle(&self.group, &proposal.batch, statements);
            round.put_forward = Some(PutForward {
                valid_round,
                timely,
                message: Arc::clone(message),
            });
        }
    }

    // ---- valid values ----------------------------------------------------------------------------

    /// Upon a valid value with its prevotes, of another member: it is valid here, too, as if the prevotes
    /// had come one after the other.
    pub(super) fn on_polka(&mut self, cx: &mut Context<'_>, from: usize, polka: &Arc<Polka>) {
        let Polka { proof, batch } = &**polka;
        let round = proof.view;
        if proof.sequence > self.height() {
            self.past.peers.claim(from, proof.sequence - 1);
        }
        if proof.sequence != self.height() {
            return;
        }
        if round > self.round || self.valid_round().is_some_and(|own| own >= round) {
            return;
        }
        let fits = |known: &Round| known.digest.is_none_or(|d| d == proof.digest);
        let known = self.rounds.get(round).is_none_or(fits);
        if !known
            || proof.digest != batch.digest()
            || !self.is_polka(cx, proof)
            || !self.judge().verifies(cx, batch)
        {
            return cx.reached(&marks::POLKA_REFUSED);
        }
        cx.reached(&marks::POLKA_TAKEN);
        let (chain, height) = (self.group.chain, self.height());
        let statements = Statements::of(chain, round, height, &proof.digest);
        if let Some(known) = self.rounds.get_mut(round) {
            if known.digest.is_none() {
                known.settle(&self.group, batch, statements);
            }
            known.polka = true;
        }
        let valid = Valid {
            proof: Arc::clone(proof),
            batch: Arc::clone(batch),
        };
        self.upon_polka(cx, valid);
        self.upon(cx, round);
    }

    /// Remembers, in memory and on disk, the valid value.
    pub(super) fn keep_valid(&mut self, valid: Valid) {
        let record = Record::Valid(Arc::clone(&valid.proof));
        let forgotten = seeded::on(&seeded::LOCK_FORGOTTEN);
        self.valid = Some(valid);
        self.keep_body();
        self.journal.write(if forgotten {
            Write::erase_below(VALID, u64::MAX)
        } else {
            Write::cell(VALID, 0, Arc::new(record))
        });
    }

    /// Remembers, in memory and on disk, what is prevoted.
    pub(super) fn keep_proposal(&mut self, message: &Arc<dyn Payload>) {
        self.written = Some(Arc::clone(message));
        self.keep_body();
        let message = Arc::clone(message);
        self.journal.write(Write::cell(PROPOSAL, 0, message));
    }

    /// The body of the valid value is in the proposal that is on disk, or beside it.
    fn keep_body(&mut self) {
        let Some(valid) = self.valid().cloned() else {
            return;
        };
        let written = self.written_proposal().map(|(p, _)| p.batch.digest());
        if ![written, self.body].contains(&Some(valid.proof.digest)) {
            self.body = Some(valid.proof.digest);
            let record = Record::Body(valid.batch);
            self.journal.write(Write::cell(BODY, 0, Arc::new(record)));
        }
    }
}
