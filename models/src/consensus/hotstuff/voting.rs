//! Proposals and votes (HotStuff, Algorithm 4; Jolteon, Figure 2).

use super::announced::Announced;
use super::config::{Checks, MAX_TREE};
use super::journal::{PROPOSALS, Record, SAFETY, Said};
use super::marks;
use super::message::Body;
use super::proposal::{Ballot, Proposal, TimeoutCertificate};
use super::replica::{BATCH_TIMER, HotStuffReplica, InFlight};
use super::safety::justified;
use super::seeded;
use crate::consensus::genuine::is_genuine;
use crate::consensus::mempool::Ready;
use crate::consensus::payload::{Parcels, assemble};
use crate::ledger::merkle;
use consim_core::chain::Link;
use consim_core::{Batch, Certificate, Context, Digest, Probe, Signature, Tx, Work, Write};
use std::sync::Arc;

impl HotStuffReplica {
    // ---- the leader ------------------------------------------------------------------------------

    /// Puts a batch forward while this replica leads the view and has not done so yet: when a bound of a
    /// block is reached, or at once to commit what is in flight.
    pub(super) fn try_propose(&mut self, cx: &mut Context<'_>) {
        let view = self.safety.view;
        if self.silent.is_some() || view <= self.safety.voted || self.leads_now() != self.group.me {
            return;
        }
        let high = self.safety.high.id();
        if !self.tree.knows(&high) {
            return;
        }
        let open =
            self.untold.is_some() || self.tree.branch(&high).any(|p| !p.batch().txs().is_empty());
        self.mark_in_flight(&high);
        if !open {
            match self.payload_ready(cx) {
                Ready::Never => return self.seal_for_want(cx),
                Ready::At(due) => {
                    if self.batch_timer != Some(due) {
                        self.batch_timer = Some(due);
                        cx.set_timer(BATCH_TIMER, due - cx.now());
                    }
                    return;
                }
                Ready::Now => {}
            }
        }
        let (txs, digests) = self.take_payload();
        if txs.is_empty() {
            if !open {
                return;
            }
            cx.reached(&marks::DUMMIES_PROPOSED);
        }
        self.propose(cx, txs, digests);
    }

    /// When can what waits be proposed?
    fn payload_ready(&self, cx: &Context<'_>) -> Ready {
        match &self.layer {
            Some(layer) => layer.ready(cx.now(), &self.group.block),
            None => self.mempool.ready(cx.now(), &self.group.taken()),
        }
    }
    /// What waits, within the bounds of a block, and the digests that name it where payload travels apart.
    fn take_payload(&mut self) -> (Vec<Arc<Tx>>, Option<Arc<[Digest]>>) {
        if let Some(layer) = &mut self.layer {
            let batches = layer.take(&self.group.block);
            let digests = batches.iter().map(|batch| batch.digest()).collect();
            return (assemble(Parcels::Batches(batches)), Some(digests));
        }
        let txs = self.mempool.take(&self.group.taken());
        let apart = self.group.spread.is_some();
        let digests = apart.then(|| txs.iter().map(|tx| tx.digest()).collect());
        (txs, digests)
    }

    /// The mempool does not offer what is in the branch of `tip`, and offers what was in flight elsewhere.
    fn mark_in_flight(&mut self, tip: &Digest) {
        let branch: Vec<Arc<Proposal>> = self.tree.branch(tip).cloned().collect();
        let before = std::mem::take(&mut self.in_flight);
        if self.in_batches() {
            return self.mark_batches_in_flight(before, branch);
        }
        for (gone, _) in &before {
            if !branch.iter().any(|p| p.id() == gone.id()) {
                self.mempool.release(gone.batch().txs());
            }
        }
        for proposal in &branch {
            self.mempool.propose(proposal.batch().txs());
        }
        self.in_flight = branch.into_iter().map(|p| (p, Vec::new())).collect();
    }
    /// The same, where batches are in flight.
    fn mark_batches_in_flight(&mut self, before: Vec<InFlight>, branch: Vec<Arc<Proposal>>) {
        let (stay, gone): (Vec<_>, Vec<_>) = before
            .into_iter()
            .partition(|(p, _)| branch.iter().any(|b| b.id() == p.id()));
        if let Some(layer) = &mut self.layer {
            for (_, digests) in &gone {
                layer.release(digests);
            }
        }
        for proposal in branch {
            let known = stay.iter().find(|(p, _)| p.id() == proposal.id());
            let digests = match known {
                Some((_, digests)) => digests.clone(),
                None => self.batches_in(&proposal),
            };
            if let Some(layer) = &mut self.layer {
                layer.propose(&digests);
            }
            self.in_flight.push((proposal, digests));
        }
    }

    fn propose(&mut self, cx: &mut Context<'_>, txs: Vec<Arc<Tx>>, digests: Option<Arc<[Digest]>>) {
        let (view, me) = (self.safety.view, self.group.me);
        let leaves: Vec<Digest> = txs.iter().map(|tx| tx.digest()).collect();
        let count = txs.len();
        // What holds nothing needs no time.
        let time_ns = if count == 0 { 0 } else { cx.wall_ns() };
        let batch = Arc::new(Batch::new(
            self.group.node(me),
            time_ns,
            txs.into(),
            merkle::root(&leaves),
        ));
        let bytes = match &digests {
            Some(digests) => 32 * digests.len(),
            None => batch.encoded_len(),
        };
        cx.work(Work::hash(merkle::hashed_bytes(count) + bytes));
        cx.work(Work::sign(1));
        let justify = self.safety.high.certificate.clone();
        let parent = self.safety.high.id();
        let sequence = match self.tree.get(&parent) {
            Some(parent) => parent.sequence(),
            None => self.tree.root().sequence,
        } + 1;
        let link = Link {
            view,
            sequence,
            parent,
            batch: batch.digest(),
            voters: self.group.voters(justify.as_ref()),
        };
        let statement = Proposal::statement(self.group.chain, view, &link.id());
        let signature = self.group.key.sign(&statement);
        let timeouts = self.safety.entered.clone();
        let proposal = Proposal::new(link, batch, justify, timeouts, signature);
        let proposal = Arc::new(match digests {
            Some(digests) => proposal.named(digests),
            None => proposal,
        });
        cx.emit(Probe::Proposed {
            chain: self.group.chain,
            sequence,
            txs: count as u32,
        });
        self.told(proposal.parent_view());
        self.seen = Some(proposal.id());
        self.tree.insert(Arc::clone(&proposal));
        let batches = self.batches_in(&proposal);
        self.in_flight.push((Arc::clone(&proposal), batches));
        let vote = self.promise(cx, &proposal);
        self.journal.then(Said::Proposal(proposal, vote));
        self.watch(cx);
    }

    /// The own proposal is on disk: it is said, with the own vote for it.
    pub(super) fn say_proposal(
        &mut self,
        cx: &mut Context<'_>,
        proposal: &Arc<Proposal>,
        vote: &Ballot,
    ) {
        if proposal.view() == self.safety.view {
            let message = self.message(Self::said(proposal));
            cx.multicast(&self.group.members, Arc::clone(&message));
            self.proposed = Some(message);
        }
        self.say_vote(cx, vote);
    }

    /// A proposal tells the others what the certificate of this view commits.
    fn told(&mut self, certified: u64) {
        if self.untold.is_some_and(|untold| untold <= certified) {
            self.untold = None;
        }
    }

    // ---- proposals -------------------------------------------------------------------------------

    /// Upon a proposal: its certificates bring this replica to its view; there it votes, if the proposal
    /// is the leader's and the first, and safe to vote for.
    pub(super) fn on_proposal(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        proposal: &Arc<Proposal>,
    ) {
        if self.follow_proposal(cx, from, &Shown::of(proposal), Some(proposal)) {
            self.first_proposal(cx, from, proposal);
        }
    }

    /// Follows the certificates of a proposal. Is it one of this view, of its leader, and the first? What it
    /// holds is not looked at; `whole`, if it came with that.
    pub(super) fn follow_proposal(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        shown: &Shown<'_>,
        whole: Option<&Arc<Proposal>>,
    ) -> bool {
        let view = shown.link.view;
        if view < self.safety.view {
            match whole {
                Some(proposal) if self.wanted() == Some(shown.id) => {
                    self.on_chain(cx, from, std::slice::from_ref(proposal), 0);
                }
                _ => self.help(cx, from),
            }
            return false;
        }
        if view == self.safety.view && self.seen.is_some() {
            if self.seen == Some(shown.id) {
                self.repeat_vote(cx);
            } else {
                cx.reached(&marks::SECOND_PROPOSAL);
            }
            return false;
        }
        cx.work(Work::verify(1));
        let statement = Proposal::statement(self.group.chain, view, &shown.id);
        if shown.signature.key != self.group.key_of(from)
            || !self.group.keys.verify(&statement, shown.signature)
            || !self.is_well_formed(cx, shown)
            || !justified_or_seeded(self, shown)
        {
            cx.reached(&marks::PROPOSAL_REFUSED);
            return false;
        }
        if let Some(justify) = shown.justify {
            self.on_certificate(cx, from, justify, true);
        }
        if let Some(timeouts) = shown.timeouts
            && !self.on_timeout_certificate(cx, timeouts)
        {
            cx.reached(&marks::PROPOSAL_REFUSED);
            return false;
        }
        if view != self.safety.view {
            return false;
        }
        let well = shown.timeouts.is_none();
        let leader = self.leads(view, &shown.link.parent, well);
        if leader.is_some_and(|leader| leader != from) {
            cx.reached(&marks::PROPOSAL_REFUSED);
            return false;
        }
        true
    }

    /// The first proposal of this view, by its leader, with all that it holds.
    pub(super) fn first_proposal(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        proposal: &Arc<Proposal>,
    ) {
        self.seen = Some(proposal.id());
        self.pending = Some(Arc::clone(proposal));
        if !self.tree.knows(&proposal.link().parent) {
            cx.reached(&marks::PARENT_MISSING);
            return self.fetch_chain(cx, Some(from));
        }
        self.try_vote(cx);
    }

    /// Does a proposal agree with itself, and is its parent certified? Charges what it takes to know.
    pub(super) fn is_well_formed(&self, cx: &mut Context<'_>, shown: &Shown<'_>) -> bool {
        let (link, justify) = (shown.link, shown.justify);
        link.parent == justify.map_or(Digest::ZERO, |c| c.digest)
            && link.batch == shown.batch
            && link.sequence > 0
            && shown.parent_view() < link.view
            && link.voters == self.group.voters(justify)
            && justify.is_none_or(|c| self.is_certificate(cx, c))
    }

    /// Votes for the proposal of this view that waits, now that what it builds on may be here.
    pub(super) fn try_vote(&mut self, cx: &mut Context<'_>) {
        let Some(proposal) = self.pending.clone() else {
            return;
        };
        let parent = proposal.link().parent;
        if proposal.view() != self.safety.view || !self.tree.knows(&parent) {
            return;
        }
        self.pending = None;
        if !self.is_acceptable(cx, &proposal) {
            return cx.reached(&marks::PROPOSAL_REFUSED);
        }
        if self.tree.len() < MAX_TREE {
            self.tree.insert(Arc::clone(&proposal));
        }
        self.told(proposal.parent_view());
        if self.silent.is_some() {
            return;
        }
        if self.safety.may_vote(cx, &self.group, &proposal) {
            if let Some(certified) = self.tree.get(&parent) {
                self.safety.lock(certified.parent_view());
            }
            let vote = self.promise(cx, &proposal);
            self.journal.then(Said::Vote(vote));
        }
        self.watch(cx);
    }

    /// Is it one to vote for, on top of the known parent? The same for all that know its branch.
    fn is_acceptable(&self, cx: &mut Context<'_>, proposal: &Proposal) -> bool {
        let (link, batch) = (proposal.link(), proposal.batch());
        let txs = batch.txs();
        let below = match self.tree.get(&link.parent) {
            Some(parent) => parent.sequence(),
            None => self.tree.root().sequence,
        };
        let again = |branch: &Arc<Proposal>| {
            let ids = branch.ids();
            proposal
                .ids()
                .iter()
                .any(|id| ids.binary_search(id).is_ok())
        };
        link.sequence == below + 1
            && self.fits(proposal)
            && proposal.signature().key == batch.proposer().into()
            // What two members have in batches of theirs is in two blocks, and the ledger executes it once.
            && (self.in_batches()
                || txs.iter().all(|tx| !self.mempool.ordered(tx.id()))
                    && !self.tree.branch(&link.parent).any(again))
            && self.verify_payload(cx, proposal)
    }

    /// Verifies what a proposal holds. What it names by digest was verified when it came: transactions are
    /// not looked at again, batches are read and hashed.
    pub(super) fn verify_payload(&self, cx: &mut Context<'_>, proposal: &Proposal) -> bool {
        let batch = proposal.batch();
        if proposal.digests().is_none() {
            return self.verify_batch(cx, batch);
        }
        let bytes = if self.in_batches() {
            batch.encoded_len()
        } else {
            0
        };
        let count = batch.txs().len();
        cx.work(Work::hash(merkle::hashed_bytes(count) + bytes));
        cx.work(Work::read(bytes as u64));
        batch.valid_or(|batch| is_genuine(batch, self.group.chain, &self.group.keys))
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

    // ---- votes -----------------------------------------------------------------------------------

    /// Signs a vote.
    pub(super) fn ballot(&self, cx: &mut Context<'_>, view: u64, id: Digest) -> Ballot {
        cx.work(Work::sign(1));
        Ballot::sign(
            self.group.chain,
            self.group.vote_kind(),
            view,
            id,
            &self.group.key,
        )
    }

    /// Binds this replica to a proposal: in memory, and on disk before the vote is said.
    fn promise(&mut self, cx: &mut Context<'_>, proposal: &Arc<Proposal>) -> Ballot {
        let (view, id) = (proposal.view(), proposal.id());
        self.safety.voted = view;
        self.safety.vote = Some((view, id));
        let message = self.message(self.written(proposal));
        self.journal.write(Write::cell(PROPOSALS, view, message));
        self.write_safety();
        self.ballot(cx, view, id)
    }

    pub(super) fn write_safety(&mut self) {
        let mut safety = self.safety.clone();
        if seeded::on(&seeded::VOTED_VIEW_NOT_PERSISTED) {
            (safety.voted, safety.vote) = (0, None);
        }
        let record = Record::Safety(safety);
        self.journal.write(Write::cell(SAFETY, 0, Arc::new(record)));
    }

    /// A vote is on disk: it goes to the leader of the next view; to all, if this replica cannot say who
    /// that is.
    pub(super) fn say_vote(&mut self, cx: &mut Context<'_>, vote: &Ballot) {
        if vote.view < self.safety.view {
            return;
        }
        let me = self.group.me;
        match self.leads(vote.view + 1, &vote.digest, true) {
            Some(leader) if leader == me => self.count_vote(cx, me, vote),
            Some(leader) => self.send(cx, leader, Body::Vote(*vote)),
            None => {
                cx.reached(&marks::REPUTATION_UNKNOWN);
                self.multicast(cx, Body::Vote(*vote));
                self.count_vote(cx, me, vote);
            }
        }
    }

    /// Upon a vote of a member.
    pub(super) fn on_vote(&mut self, cx: &mut Context<'_>, from: usize, vote: &Ballot) {
        if vote.view < self.safety.view {
            if vote.view + 1 < self.safety.view {
                self.help(cx, from);
            }
            return;
        }
        self.count_vote(cx, from, vote);
    }

    /// Counts a vote; a quorum for the same makes a certificate.
    pub(super) fn count_vote(&mut self, cx: &mut Context<'_>, member: usize, vote: &Ballot) {
        if vote.view <= self.safety.high.view() || !self.votes.wants(member, vote.view) {
            return;
        }
        if member != self.group.me {
            cx.work(match self.group.checks {
                Checks::Each => Work::verify(1),
                Checks::Together => {
                    Work::verify_batched(self.votes.due_checks(&self.group, vote.view))
                }
            });
        }
        if let Some(certificate) = self.votes.add(&self.group, member, vote) {
            cx.work(self.group.making(certificate.signatures.len()));
            self.on_certificate(cx, member, &Arc::new(certificate), false);
        }
    }

    /// Says the vote of this view again, which is on disk.
    pub(super) fn repeat_vote(&mut self, cx: &mut Context<'_>) {
        if let Some((view, id)) = self.safety.vote
            && view == self.safety.view
            && self.silent.is_none()
            && self.journal.is_idle()
        {
            let vote = self.ballot(cx, view, id);
            self.say_vote(cx, &vote);
        }
    }

    /// Says again what may have been lost in this view.
    pub(super) fn repeat(&mut self, cx: &mut Context<'_>) {
        if let Some(proposed) = self.proposed.clone() {
            cx.multicast(&self.group.members, proposed);
        }
        self.repeat_vote(cx);
        let status = self.status(true, u64::MAX, false);
        self.multicast(cx, status);
        self.fetch_chain(cx, None);
        self.refetch_payload(cx);
        self.seal_for_want(cx);
    }
}

/// A proposal as its votes and its certificates see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'a> {
    pub(super) link: &'a Link,
    /// The link's digest.
    pub(super) id: Digest,
    /// The batch's digest.
    pub(super) batch: Digest,
    pub(super) justify: Option<&'a Arc<Certificate>>,
    pub(super) timeouts: Option<&'a Arc<TimeoutCertificate>>,
    pub(super) signature: &'a Signature,
}

impl<'a> Shown<'a> {
    pub(super) fn of(proposal: &'a Proposal) -> Self {
        Self {
            link: proposal.link(),
            id: proposal.id(),
            batch: proposal.batch().digest(),
            justify: proposal.justify(),
            timeouts: proposal.timeouts(),
            signature: proposal.signature(),
        }
    }
    /// One whose transactions are named by digest.
    pub(super) fn named(announced: &'a Announced) -> Self {
        Self {
            link: announced.link(),
            id: announced.id(),
            batch: announced.head().digest(),
            justify: announced.justify(),
            timeouts: announced.timeouts(),
            signature: announced.signature(),
        }
    }
    /// The view of its parent.
    pub(super) fn parent_view(&self) -> u64 {
        self.justify.map_or(0, |c| c.view)
    }
}

/// Is the proposal justified, or is that not looked at?
fn justified_or_seeded(replica: &HotStuffReplica, shown: &Shown<'_>) -> bool {
    justified(&replica.group, shown) || seeded::on(&seeded::NO_LOCK)
}
