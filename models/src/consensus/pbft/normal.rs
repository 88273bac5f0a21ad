//! The normal case (section 4.2): pre-prepare, prepare, commit.

use super::change::Prepared;
use super::journal::{FORMER, LOG, PREPARED, PROPOSALS, Record, Said, Vow, former_key};
use super::marks;
use super::message::{Ballot, Body, COMMIT, PREPARE, Proposal, Statements};
use super::replica::{BATCH_TIMER, PbftReplica};
use super::seeded;
use super::slots::Tallies;
use crate::consensus::genuine::is_genuine;
use crate::consensus::mempool::Ready;
use crate::consensus::tally::Tally;
use crate::ledger::merkle;
use consim_core::chain::vote_statement;
use consim_core::{
    Batch, Committed, Context, Delivery, Digest, KeyId, Payload, Probe, Signature, Tx, Work, Write,
};
use std::sync::Arc;

/// Which votes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    Prepare,
    Commit,
}

impl Phase {
    pub(super) fn kind(self) -> u8 {
        match self {
            Self::Prepare => PREPARE,
            Self::Commit => COMMIT,
        }
    }
    fn of(self, tallies: &mut Tallies) -> &mut Tally {
        match self {
            Self::Prepare => &mut tallies.prepares,
            Self::Commit => &mut tallies.commits,
        }
    }
}

impl PbftReplica {
    // ---- the primary ---------------------------------------------------------------------------

    /// Puts batches forward while the primary may: in view, between the watermarks, with room in
    /// the pipeline, knowing all that is below, and when a bound of a block is reached.
    pub(super) fn try_propose(&mut self, cx: &mut Context<'_>) {
        let lead = self.group.primary(self.view) == self.group.me;
        if !self.active || !lead || self.silent.is_some() {
            return;
        }
        if self.view > 0 && seeded::on(&seeded::NEW_PRIMARY_WAITS) {
            return;
        }
        loop {
            self.next = self.next.max(self.executed + 1);
            while self
                .window
                .get(self.next)
                .is_some_and(|s| s.digest.is_some())
            {
                self.next += 1;
            }
            let in_flight = self.next - 1 - self.executed;
            if self.next > self.window.high() {
                cx.reached(&marks::WINDOW_FULL);
            }
            if self.next > self.window.high()
                || in_flight >= self.group.pipeline
                || !self.knows_below(self.next)
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
            if txs.is_empty() {
                return;
            }
            self.propose(cx, txs);
        }
    }

    /// Does it know everything below `sequence`? A new primary that did not would put forward
    /// what is ordered already.
    fn knows_below(&self, sequence: u64) -> bool {
        self.executed >= self.changes.low()
            && (self.executed + 1..sequence)
                .all(|s| self.window.get(s).is_some_and(|slot| slot.batch.is_some()))
    }

    fn propose(&mut self, cx: &mut Context<'_>, txs: Vec<Arc<Tx>>) {
        let (view, sequence, me) = (self.view, self.next, self.group.me);
        let leaves: Vec<Digest> = txs.iter().map(|tx| tx.digest()).collect();
        let count = txs.len();
        let batch = Arc::new(Batch::new(
            self.group.node(me),
            cx.wall_ns(),
            txs.into(),
            merkle::root(&leaves),
        ));
        cx.work(Work::hash(
            merkle::hashed_bytes(count) + batch.encoded_len(),
        ));
        cx.work(Work::sign(1));
        let digest = batch.digest();
        let vote = Ballot::sign(
            self.group.chain,
            PREPARE,
            view,
            sequence,
            digest,
            &self.group.key,
        );
        let proposal = Proposal::new(view, sequence, Arc::clone(&batch), vote.signature);
        let statements = proposal.statements(self.group.chain);
        let message = self.message(Body::PrePrepare(Arc::new(proposal)));
        cx.emit(Probe::Proposed {
            chain: self.group.chain,
            sequence,
            txs: count as u32,
        });
        self.settle(sequence, digest, &statements);
        self.keep_proposal(sequence, batch, Arc::clone(&message));
        self.journal.then(Said::PrePrepare(Vow {
            view,
            sequence,
            digest,
            signature: vote.signature,
            message,
        }));
        self.watch(cx);
    }

    /// The own pre-prepare is on disk: it is said, and counts as the primary's prepare.
    pub(super) fn say_pre_prepare(&mut self, cx: &mut Context<'_>, vow: &Vow) {
        if vow.view != self.view || !self.active {
            return;
        }
        cx.multicast(&self.group.members, Arc::clone(&vow.message));
        self.said(Phase::Prepare, vow);
        self.try_prepared(cx, vow.sequence);
    }

    /// Counts an own vote that was said, and keeps it to be said again.
    fn said(&mut self, phase: Phase, vow: &Vow) {
        let sequence = vow.sequence;
        if let Some(slot) = self.window.get_mut(sequence)
            && !slot.finished
        {
            let message = Some(Arc::clone(&vow.message));
            match phase {
                Phase::Prepare => slot.said_prepare = message,
                Phase::Commit => slot.said_commit = message,
            }
        }
        self.count(sequence, phase, vow.digest, vow.signature);
    }

    // ---- pre-prepare ---------------------------------------------------------------------------

    /// Upon PRE-PREPARE of the primary of this view, between the watermarks, with no other batch
    /// accepted for this view and sequence number (section 4.2): validate, accept, prepare.
    pub(super) fn on_pre_prepare(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        proposal: &Arc<Proposal>,
        payload: &Arc<dyn Payload>,
    ) {
        let (view, sequence) = (proposal.view, proposal.sequence);
        if view != self.view || !self.active {
            return self.later(from, view, payload);
        }
        if from != self.group.primary(view) {
            return;
        }
        let digest = proposal.batch.digest();
        let Some(slot) = self.window.open(sequence) else {
            return;
        };
        if let Some(accepted) = slot.digest {
            // The new view has put it forward already, and here is its body.
            if accepted == digest {
                if slot.batch.is_none() {
                    self.on_batch(cx, sequence, &proposal.batch);
                }
            } else {
                cx.reached(&marks::SECOND_PROPOSAL);
            }
            return;
        }
        if sequence <= self.executed && !self.executed_as(sequence, &digest) {
            return cx.reached(&marks::PROPOSAL_OVER_EXECUTED);
        }
        let statements = proposal.statements(self.group.chain);
        cx.work(Work::verify(1));
        if proposal.signature.key != self.group.key_of(from)
            || !self
                .group
                .keys
                .verify(&statements.first, &proposal.signature)
            || !self.is_acceptable(cx, from, &proposal.batch)
        {
            return cx.reached(&marks::PROPOSAL_REFUSED);
        }
        self.settle(sequence, digest, &statements);
        self.count(sequence, Phase::Prepare, digest, proposal.signature);
        self.accept(
            cx,
            sequence,
            Arc::clone(&proposal.batch),
            Arc::clone(payload),
        );
    }

    /// Is a fresh proposal of member `from` one to vote for? Charges what it takes to know.
    fn is_acceptable(&self, cx: &mut Context<'_>, from: usize, batch: &Batch) -> bool {
        let txs = batch.txs();
        let limits = &self.group.block;
        let bytes: u64 = txs.iter().map(|tx| tx.encoded_len() as u64).sum();
        !txs.is_empty()
            && txs.len() <= limits.transactions as usize
            && bytes <= limits.bytes
            && batch.proposer() == self.group.node(from)
            && txs.iter().all(|tx| !self.mempool.ordered(tx.id()))
            && self.verify_batch(cx, batch)
    }

    /// Verifies a batch; the signatures of transactions that wait here were verified before.
    pub(super) fn verify_batch(&self, cx: &mut Context<'_>, batch: &Batch) -> bool {
        let txs = batch.txs();
        let unknown = txs.iter().filter(|tx| !self.mempool.knows(tx));
        let unknown = unknown.map(|tx| tx.cohort().count).sum();
        cx.work(Work::verify_batched(
            self.group.keys.of_transactions(unknown),
        ));
        cx.work(Work::hash(
            merkle::hashed_bytes(txs.len()) + batch.encoded_len(),
        ));
        batch.valid_or(|batch| is_genuine(batch, self.group.chain, &self.group.keys))
    }

    /// From now on `digest` is what this view puts forward at `sequence`.
    pub(super) fn settle(&mut self, sequence: u64, digest: Digest, statements: &Statements) {
        if let Some(tallies) = self.window.tallies(sequence) {
            let group = &self.group;
            tallies.prepares.settle(group, &digest, statements.first);
            tallies.commits.settle(group, &digest, statements.second);
        }
        if let Some(slot) = self.window.open(sequence) {
            slot.digest = Some(digest);
            self.top = self.top.max(sequence);
        }
    }

    /// Counts a vote that is known to be valid.
    pub(super) fn count(
        &mut self,
        sequence: u64,
        phase: Phase,
        digest: Digest,
        signature: Signature,
    ) {
        if let Some(tallies) = self.window.tallies(sequence) {
            phase.of(tallies).add(&self.group, &digest, &signature);
        }
    }

    /// Keeps the body of what is put forward, in memory and on disk.
    fn keep_proposal(&mut self, sequence: u64, batch: Arc<Batch>, message: Arc<dyn Payload>) {
        let Some(slot) = self.window.open(sequence) else {
            return;
        };
        slot.batch = Some(batch);
        self.journal
            .write(Write::cell(PROPOSALS, sequence, message));
        // Others may hold a certificate for what was put forward here before.
        for (former, i) in slot.former.iter().zip(0..) {
            let record = Record::Former(Arc::clone(former));
            let key = former_key(sequence).saturating_add(i);
            self.journal
                .write(Write::cell(FORMER, key, Arc::new(record)));
        }
    }

    /// Accepts what was put forward, now that its body is here: a backup prepares.
    pub(super) fn accept(
        &mut self,
        cx: &mut Context<'_>,
        sequence: u64,
        batch: Arc<Batch>,
        proposal: Arc<dyn Payload>,
    ) {
        let digest = batch.digest();
        if self.silent.is_some() {
            cx.reached(&marks::FOLLOWED_IN_SILENCE);
            if let Some(slot) = self.window.open(sequence) {
                slot.batch = Some(batch);
            }
        } else if self.group.primary(self.view) == self.group.me {
            self.mempool.propose(batch.txs());
            self.keep_proposal(sequence, batch, proposal);
        } else {
            self.keep_proposal(sequence, batch, proposal);
            let vow = self.vow(cx, Phase::Prepare, sequence, digest);
            self.journal.then(Said::Prepare(vow));
        }
        self.watch(cx);
        self.try_prepared(cx, sequence);
        self.try_committed(cx, sequence);
    }

    /// Signs a vote of this view.
    pub(super) fn vow(
        &self,
        cx: &mut Context<'_>,
        phase: Phase,
        sequence: u64,
        digest: Digest,
    ) -> Vow {
        cx.work(Work::sign(1));
        let (chain, view) = (self.group.chain, self.view);
        let votes = self.window.votes(sequence);
        let statement = votes
            .and_then(|t| match phase {
                Phase::Prepare => t.prepares.statement(&digest),
                Phase::Commit => t.commits.statement(&digest),
            })
            .unwrap_or_else(|| vote_statement(chain, phase.kind(), view, sequence, &digest));
        let ballot = Ballot::over(view, sequence, digest, &statement, &self.group.key);
        Vow {
            view,
            sequence,
            digest,
            signature: ballot.signature,
            message: self.message(match phase {
                Phase::Prepare => Body::Prepare(ballot),
                Phase::Commit => Body::Commit(ballot),
            }),
        }
    }

    /// The own vote is on disk: it is said and counted.
    pub(super) fn say_vote(&mut self, cx: &mut Context<'_>, phase: Phase, vow: &Vow) {
        if vow.view != self.view || !self.active {
            return cx.reached(&marks::VOTE_OVERTAKEN);
        }
        cx.multicast(&self.group.members, Arc::clone(&vow.message));
        self.said(phase, vow);
        let sequence = vow.sequence;
        match phase {
            Phase::Prepare => self.try_prepared(cx, sequence),
            Phase::Commit => {
                self.try_tentative(cx);
                self.try_committed(cx, sequence);
            }
        }
    }

    // ---- prepare and commit ----------------------------------------------------------------------

    /// Upon PREPARE or COMMIT of this view, between the watermarks (section 4.2): verify, count.
    /// Votes beyond the quorum are not looked at. Returns whether it may have come to anything that
    /// is to be written.
    #[inline]
    pub(super) fn on_ballot(
        &mut self,
        cx: &mut Context<'_>,
        (from, key): (usize, KeyId),
        phase: Phase,
        ballot: &Ballot,
        payload: &Arc<dyn Payload>,
    ) -> bool {
        let (view, sequence) = (ballot.view, ballot.sequence);
        if view != self.view || !self.active {
            self.later(from, view, payload);
            return false;
        }
        if sequence <= self.floor {
            return false;
        }
        let (chain, quorum) = (self.group.chain, self.group.quorum);
        let Some(tallies) = self.window.tallies(sequence) else {
            return false;
        };
        let tally = phase.of(tallies);
        if tally.count() >= quorum || tally.voted(key) {
            return false;
        }
        cx.work(Work::verify(1));
        let hash =
            move |digest: &Digest| vote_statement(chain, phase.kind(), view, sequence, digest);
        let valid = tally.vote(&self.group, key, &ballot.digest, &ballot.signature, hash);
        if !valid || tally.count() < quorum {
            return false;
        }
        match phase {
            Phase::Prepare => self.try_prepared(cx, sequence),
            Phase::Commit => self.try_committed(cx, sequence),
        }
        true
    }

    /// prepared(m, v, n, i) (section 4.2): the body and a quorum of prepares, the primary's
    /// pre-prepare among them. The replica commits.
    #[inline(never)]
    pub(super) fn try_prepared(&mut self, cx: &mut Context<'_>, sequence: u64) {
        let view = self.view;
        let (Some(slot), Some(votes)) = (self.window.get(sequence), self.window.votes(sequence))
        else {
            return;
        };
        let (Some(digest), Some(_)) = (slot.digest, &slot.batch) else {
            return;
        };
        let silent = self.silent.is_some();
        if silent || slot.prepared_in(view) || votes.prepares.digest() != Some(digest) {
            return;
        }
        let certificate = votes
            .prepares
            .certificate(&self.group, PREPARE, view, sequence);
        let Some(certificate) = certificate else {
            return;
        };
        let Some(slot) = self.window.get_mut(sequence) else {
            return;
        };
        let prepared = Arc::new(Prepared(certificate));
        slot.prepared = Some(Arc::clone(&prepared));
        self.journal
            .write(Write::cell(PREPARED, sequence, prepared));
        let vow = self.vow(cx, Phase::Commit, sequence, digest);
        self.journal.then(Said::Commit(vow));
    }

    /// committed-local(m, v, n, i) (section 4.2): the body and a quorum of commits. Batches are
    /// executed in order.
    #[inline(never)]
    pub(super) fn try_committed(&mut self, cx: &mut Context<'_>, sequence: u64) {
        let view = self.view;
        let (Some(slot), Some(votes)) = (self.window.get(sequence), self.window.votes(sequence))
        else {
            return;
        };
        let (Some(digest), Some(batch)) = (slot.digest, &slot.batch) else {
            return;
        };
        if votes.commits.digest() != Some(digest) {
            return;
        }
        let certificate = votes
            .commits
            .certificate(&self.group, COMMIT, view, sequence);
        let Some(certificate) = certificate else {
            return;
        };
        let unprepared = !slot.prepared_in(view);
        if sequence > self.executed {
            let committed = Arc::new(Committed {
                chain: self.group.chain,
                sequence,
                batch: Arc::clone(batch),
                certificate,
            });
            if let Some(slot) = self.window.get_mut(sequence) {
                slot.committed = Some(committed);
            }
        }
        if unprepared {
            cx.reached(&marks::COMMITTED_UNPREPARED);
        }
        if sequence > self.executed.saturating_add(1) {
            cx.reached(&marks::COMMITTED_OUT_OF_ORDER);
        }
        self.window.finish(sequence);
        while self.window.get(self.floor + 1).is_some_and(|s| s.finished) {
            self.floor += 1;
        }
        self.execute_ready(cx);
    }

    /// Executes what is committed without a gap.
    pub(super) fn execute_ready(&mut self, cx: &mut Context<'_>) {
        let before = self.executed;
        let mut room = false;
        if seeded::on(&seeded::EXECUTES_OVER_GAPS) {
            let mut slots = self.window.iter();
            if let Some((first, _)) = slots.find(|(_, slot)| slot.committed.is_some()) {
                self.executed = self.executed.max(first - 1);
            }
        }
        while let Some(slot) = self.window.get_mut(self.executed + 1)
            && let Some(committed) = slot.committed.take()
        {
            let limits = &self.group.block;
            room = committed.batch.txs().len() * 2 < limits.transactions as usize
                && committed.batch.encoded_len() as u64 * 2 < limits.bytes;
            self.deliver(cx, committed);
        }
        if self.executed > before {
            if room && self.active {
                self.mempool.had_room(cx.now(), self.group.patience());
            }
            self.try_tentative(cx);
            self.changes.progressed(self.group.me);
            self.progressed(cx);
            self.try_propose(cx);
        }
    }

    /// Tentative execution (section 5.1): the next batch is handed up once it is prepared here, its
    /// certificate is on disk, and all before it is committed. A view change may put another in its
    /// place only where no quorum has prepared it.
    fn try_tentative(&mut self, cx: &mut Context<'_>) {
        let sequence = self.executed + 1;
        if !self.group.tentative || self.handed_ahead >= sequence || !self.active {
            return;
        }
        let (view, digest) = match self.window.get(sequence) {
            Some(slot) if slot.said_commit.is_some() => (self.view, slot.digest),
            _ => return,
        };
        if let Some(slot) = self.window.get(sequence)
            && slot.prepared_in(view)
            && let Some(batch) = &slot.batch
            && Some(batch.digest()) == digest
        {
            self.handed_ahead = sequence;
            cx.deliver(Delivery::Tentative {
                sequence,
                batch: Arc::clone(batch),
            });
        }
    }

    /// Hands up the next committed batch and writes it to the log.
    pub(super) fn deliver(&mut self, cx: &mut Context<'_>, committed: Arc<Committed>) {
        self.executed = committed.sequence;
        self.mempool.executed(committed.batch.txs());
        let logged: Arc<Committed> = Arc::clone(&committed);
        if !seeded::on(&seeded::LOG_IN_MEMORY) {
            self.journal.write(Write::append(LOG, logged));
        }
        self.log.push(Arc::clone(&committed));
        cx.emit(Probe::Committed(Arc::clone(&committed)));
        cx.deliver(Delivery::Ordered {
            committed,
            replayed: false,
        });
    }

    /// Was this batch executed at `sequence`?
    pub(super) fn executed_as(&self, sequence: u64, digest: &Digest) -> bool {
        self.logged(sequence)
            .is_some_and(|committed| committed.batch.digest() == *digest)
    }
    /// What was handed up at `sequence`.
    pub(super) fn logged(&self, sequence: u64) -> Option<&Arc<Committed>> {
        self.log.get(sequence)
    }
}
