//! Proposals and votes (HotStuff, Algorithm 4; Jolteon, Figure 2).

use super::config::{Checks, MAX_TREE};
use super::journal::{PROPOSALS, Record, SAFETY, Said};
use super::marks;
use super::message::Body;
use super::proposal::{Ballot, Proposal};
use super::replica::{BATCH_TIMER, HotStuffReplica};
use super::safety::justified;
use super::seeded;
use crate::consensus::genuine::is_genuine;
use crate::consensus::mempool::Ready;
use crate::ledger::merkle;
use consim_core::chain::Link;
use consim_core::{Batch, Context, Digest, Probe, Tx, Work, Write};
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
        }
        let txs = self.mempool.take(&self.group.block);
        if txs.is_empty() {
            if !open {
                return;
            }
            cx.reached(&marks::DUMMIES_PROPOSED);
        }
        self.propose(cx, txs);
    }

    /// The mempool does not offer what is in the branch of `tip`, and offers what was in flight elsewhere.
    fn mark_in_flight(&mut self, tip: &Digest) {
        let branch: Vec<Arc<Proposal>> = self.tree.branch(tip).cloned().collect();
        let before = std::mem::take(&mut self.in_flight);
        for gone in &before {
            if !branch.iter().any(|p| p.id() == gone.id()) {
                self.mempool.release(gone.batch().txs());
            }
        }
        for proposal in &branch {
            self.mempool.propose(proposal.batch().txs());
        }
        self.in_flight = branch;
    }

    fn propose(&mut self, cx: &mut Context<'_>, txs: Vec<Arc<Tx>>) {
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
        cx.work(Work::hash(
            merkle::hashed_bytes(count) + batch.encoded_len(),
        ));
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
        let proposal = Arc::new(Proposal::new(link, batch, justify, timeouts, signature));
        cx.emit(Probe::Proposed {
            chain: self.group.chain,
            sequence,
            txs: count as u32,
        });
        self.told(proposal.parent_view());
        self.seen = Some(proposal.id());
        self.tree.insert(Arc::clone(&proposal));
        self.in_flight.push(Arc::clone(&proposal));
        let vote = self.promise(cx, &proposal);
        self.journal.then(Said::Proposal(proposal, vote));
        self.watch(cx);
    }

    /// The own proposal is on disk: it is said, with the own vote for it.
    pub(super) fn say_proposal(
        &mut self,
        cx: &mut Context<'_>,
        proposal: Arc<Proposal>,
        vote: &Ballot,
    ) {
        if proposal.view() == self.safety.view {
            let message = self.message(self.said_with(proposal));
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
        let view = proposal.view();
        if view < self.safety.view {
            if self.wanted() == Some(proposal.id()) {
                return self.on_chain(cx, from, std::slice::from_ref(proposal), 0);
            }
            return self.help(cx, from);
        }
        if view == self.safety.view && self.seen.is_some() {
            if self.seen == Some(proposal.id()) {
                self.repeat_vote(cx);
            } else {
                cx.reached(&marks::SECOND_PROPOSAL);
            }
            return;
        }
        cx.work(Work::verify(1));
        let statement = Proposal::statement(self.group.chain, view, &proposal.id());
        if proposal.signature().key != self.group.key_of(from)
            || !self.group.keys.verify(&statement, proposal.signature())
            || !self.is_well_formed(cx, proposal)
            || !justified_or_seeded(self, proposal)
        {
            return cx.reached(&marks::PROPOSAL_REFUSED);
        }
        if let Some(justify) = proposal.justify() {
            self.on_certificate(cx, from, justify, true);
        }
        if let Some(timeouts) = proposal.timeouts()
            && !self.on_timeout_certificate(cx, timeouts)
        {
            return cx.reached(&marks::PROPOSAL_REFUSED);
        }
        if view != self.safety.view {
            return;
        }
        let well = proposal.timeouts().is_none();
        let leader = self.leads(view, &proposal.link().parent, well);
        if leader.is_some_and(|leader| leader != from) {
            return cx.reached(&marks::PROPOSAL_REFUSED);
        }
        self.seen = Some(proposal.id());
        self.pending = Some(Arc::clone(proposal));
        if !self.tree.knows(&proposal.link().parent) {
            cx.reached(&marks::PARENT_MISSING);
            return self.fetch_chain(cx, Some(from));
        }
        self.try_vote(cx);
    }

    /// Does a proposal agree with itself, and is its parent certified? Charges what it takes to know.
    pub(super) fn is_well_formed(&self, cx: &mut Context<'_>, proposal: &Proposal) -> bool {
        let (link, justify) = (proposal.link(), proposal.justify());
        link.parent == justify.map_or(Digest::ZERO, |c| c.digest)
            && link.batch == proposal.batch().digest()
            && link.sequence > 0
            && proposal.parent_view() < link.view
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
        let limits = &self.group.block;
        let txs = batch.txs();
        let bytes: u64 = txs.iter().map(|tx| tx.encoded_len() as u64).sum();
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
            && txs.len() <= limits.transactions as usize
            && bytes <= limits.bytes
            && proposal.signature().key == batch.proposer().into()
            && txs.iter().all(|tx| !self.mempool.ordered(tx.id()))
            && !self.tree.branch(&link.parent).any(again)
            && self.verify_batch(cx, batch)
    }

    /// Verifies a batch; the signatures of transactions that wait here were verified before.
    pub(super) fn verify_batch(&self, cx: &mut Context<'_>, batch: &Batch) -> bool {
        let txs = batch.txs();
        let unknown = txs.iter().filter(|tx| !self.mempool.knows(tx)).count();
        cx.work(Work::verify_batched(
            self.group.keys.of_transactions(unknown as u32),
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
        let message = self.message(Body::Proposal(Arc::clone(proposal)));
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
    }
}

/// Is the proposal justified, or is that not looked at?
fn justified_or_seeded(replica: &HotStuffReplica, proposal: &Proposal) -> bool {
    justified(&replica.group, proposal) || seeded::on(&seeded::NO_LOCK)
}
