//! The normal case (EDCC 2012, Algorithm 1; DSN 2014, figure 2): PROPOSE, WRITE, ACCEPT, one consensus after
//! the other.

use super::journal::{FORMER, LOG, PROOF, Record, Said, Vow, WRITTEN};
use super::marks;
use super::message::{ACCEPT, Ballot, Body, Proposal, WRITE};
use super::replica::{BATCH_TIMER, BftSmartReplica};
use super::seeded;
use crate::consensus::batches::{self, Judge};
use crate::consensus::mempool::Ready;
use crate::consensus::proposal::Statements;
use crate::consensus::sync::Syncs as _;
use crate::consensus::tally::Tally;
use consim_core::chain::vote_statement;
use consim_core::{
    Batch, Certificate, Committed, Context, Delivery, Digest, Payload, Probe, Tx, Work, Write,
};
use std::sync::Arc;

/// Which votes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    Write,
    Accept,
}

impl Phase {
    fn kind(self) -> u8 {
        match self {
            Self::Write => WRITE,
            Self::Accept => ACCEPT,
        }
    }
}

/// The consensus after the last that was decided, in this regency (an epoch of it).
#[derive(Debug, Default)]
pub(super) struct Consensus {
    /// What this regency's leader put forward.
    pub(super) digest: Option<Digest>,
    /// Its body, validated.
    pub(super) batch: Option<Arc<Batch>>,
    pub(super) writes: Tally,
    pub(super) accepts: Tally,
    /// Was an ACCEPT signed?
    accepting: bool,
    /// This replica's votes that are on disk, to be said again; of the leader, its PROPOSE.
    pub(super) said: [Option<Arc<dyn Payload>>; 2],
}

impl Consensus {
    fn of(&mut self, phase: Phase) -> &mut Tally {
        match phase {
            Phase::Write => &mut self.writes,
            Phase::Accept => &mut self.accepts,
        }
    }
    /// The next one, or the next epoch of this one; keeps the memory.
    pub(super) fn begin(&mut self) {
        self.digest = None;
        self.batch = None;
        self.accepting = false;
        self.said = [None, None];
        self.writes.clear();
        self.accepts.clear();
    }
}

/// A write proof with its batch: what this replica accepted last.
#[derive(Clone, Debug)]
pub(super) struct Lock {
    pub(super) proof: Arc<Certificate>,
    pub(super) batch: Arc<Batch>,
}

impl BftSmartReplica {
    /// The consensus that is under way.
    pub(super) fn sequence(&self) -> u64 {
        self.past.executed.saturating_add(1)
    }
    /// The write proof, if it is for what is not decided.
    pub(super) fn lock(&self) -> Option<&Lock> {
        let open = |lock: &&Lock| lock.proof.sequence > self.past.executed;
        self.lock.as_ref().filter(open)
    }

    // ---- the leader ----------------------------------------------------------------------------

    /// Puts a batch forward if the leader may: its regency has begun, it knows all that is decided, nothing
    /// is under way, and a bound of a block is reached.
    pub(super) fn try_propose(&mut self, cx: &mut Context<'_>) {
        if !self.active
            || !self.leads()
            || !self.may_vote()
            || self.current.digest.is_some()
            || self.past.executed < self.called.low
            || self.bound_now().is_some()
        {
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
        let txs = self.mempool.take(&self.group.block);
        if !txs.is_empty() {
            self.propose(cx, txs);
        }
    }

    fn propose(&mut self, cx: &mut Context<'_>, txs: Vec<Arc<Tx>>) {
        let count = txs.len();
        let batch = batches::form(cx, self.group.node(self.group.me), txs);
        cx.emit(Probe::Proposed {
            chain: self.group.chain,
            sequence: self.sequence(),
            txs: count as u32,
        });
        cx.work(Work::sign(1));
        let proposal = Arc::new(self.proposal_at(self.sequence(), batch));
        let (regency, sequence) = (proposal.view, proposal.sequence);
        let (digest, signature) = (proposal.batch.digest(), proposal.signature);
        self.settle(&proposal);
        self.keep_written(&proposal);
        let message = self.message(Body::Propose(proposal));
        self.journal.then(Said::Propose(Vow {
            regency,
            sequence,
            digest,
            signature,
            message,
        }));
        self.watch(cx);
    }

    /// A batch with the own WRITE; the caller charges one signature.
    pub(super) fn proposal_at(&self, sequence: u64, batch: Arc<Batch>) -> Proposal {
        let (regency, chain) = (self.regency, self.group.chain);
        let key = &self.group.key;
        let vote = Ballot::sign(chain, WRITE, regency, sequence, batch.digest(), key);
        Proposal::new(regency, sequence, batch, vote.signature)
    }

    // ---- PROPOSE -------------------------------------------------------------------------------

    /// Upon PROPOSE of this regency's leader for the consensus under way, the first: validates and writes.
    pub(super) fn on_propose(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        proposal: &Arc<Proposal>,
        payload: &Arc<dyn Payload>,
    ) {
        let place = (proposal.view, proposal.sequence);
        if !self.is_due(cx, from, place, payload) || from != self.group.leader(self.regency) {
            return;
        }
        let digest = proposal.batch.digest();
        if let Some(seen) = self.current.digest {
            if seen != digest {
                cx.reached(&marks::SECOND_PROPOSAL);
            }
            return;
        }
        cx.work(Work::verify(1));
        let statements = proposal.statements(self.group.chain);
        if proposal.signature.key != self.group.key_of(from)
            || !self
                .group
                .keys
                .verify(&statements.first, &proposal.signature)
            || !self
                .judge()
                .accepts(cx, self.group.node(from), &proposal.batch)
        {
            return cx.reached(&marks::PROPOSAL_REFUSED);
        }
        self.take_up(cx, proposal);
    }

    pub(super) fn judge(&self) -> Judge<'_> {
        Judge {
            chain: self.group.chain,
            keys: &self.group.keys,
            limits: &self.group.block,
            mempool: &self.mempool,
        }
    }

    /// Verifies a batch.
    pub(super) fn verify_batch(&self, cx: &mut Context<'_>, batch: &Batch) -> bool {
        self.judge().verifies(cx, batch)
    }

    /// From now on this is what this regency puts forward: its votes are counted.
    fn settle(&mut self, proposal: &Proposal) {
        let digest = proposal.batch.digest();
        let statements: Statements = proposal.statements(self.group.chain);
        let (group, current) = (&self.group, &mut self.current);
        current.writes.settle(group, &digest, statements.first);
        current.accepts.settle(group, &digest, statements.second);
        current.digest = Some(digest);
        current.batch = Some(Arc::clone(&proposal.batch));
    }

    /// Remembers, in memory and on disk, for what a WRITE is signed.
    fn keep_written(&mut self, proposal: &Arc<Proposal>) {
        let digest = proposal.batch.digest();
        if let Some(lock) = self.lock()
            && lock.proof.digest != digest
        {
            // The next regency may need the batch of the proof.
            let former = Record::Former(Arc::clone(&lock.batch));
            self.journal.write(Write::cell(FORMER, 0, Arc::new(former)));
        }
        self.written = Some(Arc::clone(proposal));
        let message = self.message(Body::Propose(Arc::clone(proposal)));
        let forgotten = seeded::on(&seeded::WRITTEN_FORGOTTEN);
        self.journal.write(if forgotten {
            Write::erase_below(WRITTEN, u64::MAX)
        } else {
            Write::cell(WRITTEN, 0, message)
        });
    }

    /// May it vote in the consensus under way? A replica whose log was cut off below what it wrote for knows
    /// of its later votes alone.
    fn may_vote(&self) -> bool {
        let above = |sequence: u64| sequence > self.sequence();
        self.past.silent.is_none()
            && self.group.is_member()
            && self.group.is_ours(self.regency)
            && !self.written.as_ref().is_some_and(|p| above(p.sequence))
            && !self
                .lock
                .as_ref()
                .is_some_and(|lock| above(lock.proof.sequence))
    }

    /// Takes up what is put forward and validated: a replica writes.
    pub(super) fn take_up(&mut self, cx: &mut Context<'_>, proposal: &Arc<Proposal>) {
        let digest = proposal.batch.digest();
        self.settle(proposal);
        self.current
            .writes
            .add(&self.group, &digest, &proposal.signature);
        if self.may_vote() {
            self.keep_written(proposal);
            if self.leads() {
                // Its WRITE is in the proposal, which is on disk with the SYNC.
                let message = self.message(Body::Propose(Arc::clone(proposal)));
                self.mempool.propose(proposal.batch.txs());
                self.current.said = [Some(message), None];
            } else {
                let vow = self.vow(cx, Phase::Write, digest);
                self.journal.then(Said::Write(vow));
            }
        }
        self.watch(cx);
        self.try_accept(cx);
        self.try_decide(cx);
    }

    /// Takes up what this regency is bound to, or what this replica had written for in an earlier life, once
    /// it has decided all that is below.
    pub(super) fn resume(&mut self, cx: &mut Context<'_>) {
        if !self.active || self.current.digest.is_some() {
            return;
        }
        let here = (self.regency, self.sequence());
        let written = self.written.clone();
        if let Some(written) = written.filter(|p| (p.view, p.sequence) == here)
            && self.past.silent.is_none()
        {
            return self.say_again(cx, &written);
        }
        let bound = self.opening.as_ref().and_then(|sync| sync.proposal());
        if let Some(proposal) = bound.filter(|p| p.sequence == here.1).cloned() {
            self.take_up(cx, &proposal);
        }
    }

    /// After a restart: the votes in this regency are said again. They are the same as before, since signing
    /// is deterministic.
    fn say_again(&mut self, cx: &mut Context<'_>, written: &Arc<Proposal>) {
        let (digest, regency) = (written.batch.digest(), self.regency);
        self.settle(written);
        self.current
            .writes
            .add(&self.group, &digest, &written.signature);
        if self.leads() {
            cx.reached(&marks::LEADER_CAME_BACK);
            self.mempool.propose(written.batch.txs());
            let message = self.message(Body::Propose(Arc::clone(written)));
            cx.multicast(self.group.members(), Arc::clone(&message));
            self.current.said = [Some(message), None];
        } else {
            cx.reached(&marks::CAME_BACK_WRITTEN);
            let vow = self.vow(cx, Phase::Write, digest);
            self.say_vote(cx, Phase::Write, &vow);
        }
        if self.lock().is_some_and(|lock| lock.proof.view == regency) {
            self.current.accepting = true;
            let vow = self.vow(cx, Phase::Accept, digest);
            self.say_vote(cx, Phase::Accept, &vow);
        }
        self.watch(cx);
    }

    // ---- votes ---------------------------------------------------------------------------------

    /// Signs a vote in the consensus under way.
    fn vow(&self, cx: &mut Context<'_>, phase: Phase, digest: Digest) -> Vow {
        cx.work(Work::sign(1));
        let (chain, regency, sequence) = (self.group.chain, self.regency, self.sequence());
        let tally = match phase {
            Phase::Write => &self.current.writes,
            Phase::Accept => &self.current.accepts,
        };
        let statement = tally
            .statement(&digest)
            .unwrap_or_else(|| vote_statement(chain, phase.kind(), regency, sequence, &digest));
        let ballot = Ballot::over(regency, sequence, digest, &statement, &self.group.key);
        Vow {
            regency,
            sequence,
            digest,
            signature: ballot.signature,
            message: self.message(match phase {
                Phase::Write => Body::Write(ballot),
                Phase::Accept => Body::Accept(ballot),
            }),
        }
    }

    /// The own vote, or the own PROPOSE, is on disk: it is said and counted.
    pub(super) fn say_vote(&mut self, cx: &mut Context<'_>, phase: Phase, vow: &Vow) {
        if vow.sequence < self.group.era().from {
            // It is decided here, and the chain handed over: some of those who decided may lack this vote.
            let former = Arc::clone(&self.group.roster.at(vow.sequence).members);
            return cx.multicast(&former, Arc::clone(&vow.message));
        }
        if vow.regency != self.regency || !self.active {
            return cx.reached(&marks::VOTE_OVERTAKEN);
        }
        cx.multicast(self.group.members(), Arc::clone(&vow.message));
        if vow.sequence != self.sequence() {
            // It is decided here by the votes of others, who may lack this one.
            return;
        }
        let [write, accept] = &mut self.current.said;
        let said = match phase {
            Phase::Write => write,
            Phase::Accept => accept,
        };
        *said = Some(Arc::clone(&vow.message));
        let tally = self.current.of(phase);
        tally.add(&self.group, &vow.digest, &vow.signature);
        self.try_accept(cx);
        self.try_decide(cx);
    }

    /// Is a message of this regency and of the consensus under way? What comes too early is kept.
    fn is_due(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        (regency, sequence): (u64, u64),
        payload: &Arc<dyn Payload>,
    ) -> bool {
        if regency < self.regency || sequence <= self.past.executed {
            return false;
        }
        let ours = self.group.is_ours(regency);
        let now = regency == self.regency && self.active && ours;
        if now && sequence == self.sequence() {
            return true;
        }
        if now || !ours {
            cx.reached(&marks::OUT_OF_CONTEXT);
            self.later(from, payload);
            self.past.peers.claim(from, sequence - 1);
            self.seek_if_left_behind(cx);
        } else {
            self.later(from, payload);
        }
        false
    }

    /// Upon WRITE or ACCEPT: verifies and counts. Votes beyond the quorum are not looked at.
    pub(super) fn on_ballot(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        phase: Phase,
        ballot: &Ballot,
        payload: &Arc<dyn Payload>,
    ) {
        let place = (ballot.view, ballot.sequence);
        if !self.is_due(cx, from, place, payload) {
            return;
        }
        let (chain, quorum, key) = (
            self.group.chain,
            self.group.quorum(),
            self.group.key_of(from),
        );
        let tally = self.current.of(phase);
        if tally.count() >= quorum || tally.voted(key) || !self.group.votes(from) {
            return;
        }
        cx.work(Work::verify(1));
        let (regency, sequence) = place;
        let hash =
            move |digest: &Digest| vote_statement(chain, phase.kind(), regency, sequence, digest);
        let valid = tally.vote(&self.group, key, &ballot.digest, &ballot.signature, hash);
        if valid && tally.count() >= quorum {
            self.try_accept(cx);
            self.try_decide(cx);
        }
    }

    /// With what was put forward and a quorum of WRITE for it, which is a write proof, the replica accepts
    /// (DSN 2014, figure 2).
    fn try_accept(&mut self, cx: &mut Context<'_>) {
        let (Some(digest), Some(batch)) = (self.current.digest, &self.current.batch) else {
            return;
        };
        if !self.may_vote() || self.current.accepting {
            return;
        }
        let batch = Arc::clone(batch);
        let (regency, sequence) = (self.regency, self.sequence());
        let writes = &self.current.writes;
        let proof = (writes.digest() == Some(digest))
            .then(|| writes.certificate(&self.group, WRITE, regency, sequence))
            .flatten();
        match proof {
            Some(proof) => self.keep_proof(Lock {
                proof: Arc::new(proof),
                batch,
            }),
            None if seeded::on(&seeded::ACCEPT_WITHOUT_QUORUM) => {
                // Nothing is kept; what is said waits for a write.
                self.journal.write(Write::erase_below(PROOF, 0));
            }
            None => return,
        }
        self.current.accepting = true;
        let vow = self.vow(cx, Phase::Accept, digest);
        self.journal.then(Said::Accept(vow));
    }

    fn keep_proof(&mut self, lock: Lock) {
        let record = Record::Proof(Arc::clone(&lock.proof));
        let forgotten = seeded::on(&seeded::PROOF_FORGOTTEN);
        self.journal.write(if forgotten {
            Write::erase_below(PROOF, u64::MAX)
        } else {
            Write::cell(PROOF, 0, Arc::new(record))
        });
        if seeded::on(&seeded::WRITTEN_FORGOTTEN) {
            // The bug is not to forget the proof as well.
            let former = Record::Former(Arc::clone(&lock.batch));
            self.journal.write(Write::cell(FORMER, 0, Arc::new(former)));
        }
        self.lock = Some(lock);
    }

    /// With what was put forward and a quorum of ACCEPT for it, which is the decision's proof, it is decided
    /// (EDCC 2012, Algorithm 1, line 13).
    fn try_decide(&mut self, cx: &mut Context<'_>) {
        let (Some(digest), Some(batch)) = (self.current.digest, &self.current.batch) else {
            return;
        };
        let (regency, sequence) = (self.regency, self.sequence());
        let accepts = &self.current.accepts;
        if accepts.digest() != Some(digest) {
            return;
        }
        let proof = accepts.certificate(&self.group, ACCEPT, regency, sequence);
        let Some(certificate) = proof else {
            return;
        };
        if self.lock().is_none_or(|lock| lock.proof.view != regency) {
            cx.reached(&marks::DECIDED_WITHOUT_PROOF);
        }
        let committed = Arc::new(Committed {
            chain: self.group.chain,
            sequence,
            batch: Arc::clone(batch),
            certificate,
        });
        let limits = &self.group.block;
        let room = committed.batch.txs().len() * 2 < limits.transactions as usize
            && committed.batch.encoded_len() as u64 * 2 < limits.bytes;
        self.deliver(cx, committed);
        if room {
            self.mempool.had_room(cx.now(), self.group.patience());
        }
        self.went_on(cx);
    }

    /// Hands up the next decided batch and writes it to the log; the next consensus is under way.
    pub(super) fn deliver(&mut self, cx: &mut Context<'_>, committed: Arc<Committed>) {
        self.past.executed = committed.sequence;
        if let Some(own) = self.current.batch.take().filter(|_| self.leads())
            && own.digest() != committed.batch.digest()
        {
            // Another with the same key was quicker.
            self.mempool.release(own.txs());
        }
        self.mempool.executed(committed.batch.txs());
        let logged: Arc<Committed> = Arc::clone(&committed);
        self.journal.write(Write::append(LOG, logged));
        self.past.log.push(Arc::clone(&committed));
        self.past.decided = Some(Arc::new(committed.certificate.clone()));
        cx.emit(Probe::Committed(Arc::clone(&committed)));
        self.note_change(cx, &committed);
        cx.deliver(Delivery::Ordered {
            committed,
            replayed: false,
        });
        self.current.begin();
        self.enter_view(cx);
    }

    /// Something was decided, here or by what others sent: what comes next.
    pub(super) fn went_on(&mut self, cx: &mut Context<'_>) {
        self.enter_view(cx);
        self.stops.backoff = 0;
        self.end_silence(cx);
        self.progressed(cx);
        self.resume(cx);
        if self.bound_now().is_some() && self.current.digest.is_some() {
            cx.reached(&marks::BOUND_TAKEN_LATE);
        }
        self.replay_future(cx);
        self.try_propose(cx);
    }
}
