//! Elections (section 5.2, 5.4.1; thesis, sections 3.10, 4.2.3 and 9.6).

use super::journal::Said;
use super::marks;
use super::message::Body;
use super::progress::{Leading, Progress};
use super::replica::{ELECTION_TIMER, HEARTBEAT_TIMER, RaftReplica, Role};
use super::seeded;
use consim_core::{Context, NodeId, Probe, Span};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

impl RaftReplica {
    /// The own log, as candidates show it.
    fn shown(&self) -> (u64, u64) {
        (self.log.last(), self.log.last_term())
    }
    fn is_up_to_date(&self, (last, last_term): (u64, u64)) -> bool {
        seeded::on(&seeded::VOTE_WITHOUT_LOG_CHECK) || self.log.is_up_to_date(last, last_term)
    }

    /// Upon the election timeout, or when a leader gives its place to this replica: stands for
    /// election, or first asks whether it could win.
    pub(super) fn stand(&mut self, cx: &mut Context<'_>, transfer: bool) {
        self.start_election_timer(cx, true);
        if self.silent.is_some() || !self.is_member() {
            return;
        }
        self.leader = None;
        cx.emit(Probe::ViewTimeout {
            chain: self.group.chain,
            view: self.term,
        });
        if !self.group.options.pre_vote || transfer {
            return self.stand_for_real(transfer);
        }
        self.role = Role::PreCandidate(BTreeSet::from([self.group.me]));
        let (last, last_term) = self.shown();
        let body = Body::RequestVote {
            pre: true,
            transfer,
            last,
            last_term,
        };
        self.multicast_in(cx, self.term + 1, body);
        self.try_win(cx);
    }

    fn stand_for_real(&mut self, transfer: bool) {
        let term = self.term + 1;
        self.role = Role::Candidate(BTreeSet::new());
        self.term = term;
        self.voted = Some(self.group.me);
        self.write_vote();
        self.journal.then(Said::Term(term));
        self.journal.then(Said::Stand { term, transfer });
    }

    /// Its own vote is on disk: it asks for the others'.
    pub(super) fn say_stand(&mut self, cx: &mut Context<'_>, term: u64, transfer: bool) {
        let me = self.group.me;
        let Role::Candidate(votes) = &mut self.role else {
            return;
        };
        if term != self.term {
            return;
        }
        votes.insert(me);
        let (last, last_term) = self.shown();
        let body = Body::RequestVote {
            pre: false,
            transfer,
            last,
            last_term,
        };
        self.multicast(cx, body);
        self.try_win(cx);
    }

    /// Upon the question of somebody who would stand in `term`: yes, unless a leader was heard
    /// lately or its log lacks something.
    pub(super) fn on_pre_vote(
        &mut self,
        cx: &mut Context<'_>,
        from: NodeId,
        term: u64,
        shown: (u64, u64),
    ) {
        self.remind(cx, from);
        if self.hears_leader() {
            return cx.reached(&marks::PRE_VOTE_REFUSED);
        }
        let granted = term > self.term && self.is_up_to_date(shown) && self.silent.is_none();
        // A refusal tells the own term.
        let told = if granted { term } else { self.term };
        let body = self.vote(true, from, granted);
        self.send_in(cx, told, from, body);
    }

    fn vote(&self, pre: bool, candidate: NodeId, granted: bool) -> Body {
        Body::Vote {
            pre,
            voter: self.group.me,
            candidate,
            granted,
        }
    }

    /// Has it heard from a leader within the least election timeout, or is it one?
    fn hears_leader(&self) -> bool {
        self.leads() || self.back || (self.fresh && self.leader.is_some())
    }

    /// Upon `RequestVote` (figure 2).
    pub(super) fn on_request_vote(
        &mut self,
        cx: &mut Context<'_>,
        from: NodeId,
        term: u64,
        transfer: bool,
        shown: (u64, u64),
    ) {
        self.remind(cx, from);
        if self.group.options.check_quorum && !transfer && self.hears_leader() {
            return cx.reached(&marks::DISRUPTION_IGNORED);
        }
        if term > self.term {
            self.step_down(cx, term);
        }
        let free = self.voted.is_none_or(|voted| voted == from);
        if term < self.term || !free || !self.is_up_to_date(shown) || self.silent.is_some() {
            if term == self.term && free {
                cx.reached(&marks::VOTE_REFUSED_TO_SHORT_LOG);
            }
            let body = self.vote(false, from, false);
            return self.send(cx, from, body);
        }
        if matches!(self.role, Role::Follower) {
            self.start_election_timer(cx, true);
        }
        self.voted = Some(from);
        self.write_vote();
        self.journal.then(Said::Vote { term, to: from });
    }

    /// The vote is on disk.
    pub(super) fn say_vote(&mut self, cx: &mut Context<'_>, term: u64, to: NodeId) {
        if term == self.term {
            let body = self.vote(false, to, true);
            self.send(cx, to, body);
        }
    }

    /// Upon a vote, or the answer to the question.
    pub(super) fn on_vote(
        &mut self,
        cx: &mut Context<'_>,
        from: NodeId,
        term: u64,
        pre: bool,
        granted: bool,
    ) {
        let expected = if pre && granted {
            self.term + 1
        } else {
            self.term
        };
        if term > expected {
            return self.step_down(cx, term);
        }
        if term < expected || !granted {
            return;
        }
        match &mut self.role {
            Role::PreCandidate(votes) if pre => votes.insert(from),
            Role::Candidate(votes) if !pre => votes.insert(from),
            _ => return,
        };
        self.try_win(cx);
    }

    fn try_win(&mut self, cx: &mut Context<'_>) {
        match &self.role {
            Role::PreCandidate(votes)
                if self
                    .configuration
                    .decides(&self.group, |n| votes.contains(&n)) =>
            {
                self.stand_for_real(false);
            }
            Role::Candidate(votes)
                if self
                    .configuration
                    .decides(&self.group, |n| votes.contains(&n)) =>
            {
                self.lead(cx);
            }
            _ => {}
        }
    }

    /// It has won: a no-op of its term lets it know what is committed (section 8).
    fn lead(&mut self, cx: &mut Context<'_>) {
        let me = self.group.me;
        cx.cancel_timer(ELECTION_TIMER);
        self.leader = Some(me);
        let mut leading = Leading {
            others: BTreeMap::new(),
            first: self.log.last() + 1,
            round: 0,
            sent: VecDeque::new(),
            confirmed: 0,
            reads: VecDeque::new(),
            early: Vec::new(),
            lease: false,
            given_to: None,
            coming: None,
            leavers: BTreeSet::new(),
        };
        let (next, now) = (self.log.last() + 1, cx.now());
        for &node in self.everybody.iter().filter(|n| **n != me) {
            let progress = Progress::new(next, now, self.group.first_resend());
            leading.others.insert(node, progress);
        }
        self.role = Role::Leader(Box::new(leading));
        cx.emit(Probe::View {
            chain: self.group.chain,
            view: self.term,
            leader: me,
        });
        if self.log.last() > self.commit {
            cx.reached(&marks::LED_WITH_UNCOMMITTED);
        }
        self.mempool.next_view();
        let open: Vec<_> = self.log.from(self.executed + 1).cloned().collect();
        for entry in open {
            self.mempool.propose(entry.ordered.batch.txs());
        }
        self.outbox.clear();
        if !seeded::on(&seeded::COMMITS_OLD_TERMS) {
            let no_op = self.empty_batch(cx);
            self.append_own(cx, no_op, None);
        }
        let joint = self.configurations.last().filter(|(_, c)| c.is_joint());
        if joint.is_some_and(|(at, _)| *at <= self.executed) {
            // Its predecessor did not come to the end of it.
            self.leave_joint(cx);
        }
        self.on_heartbeat_timer(cx);
        self.try_propose(cx);
    }

    /// Hears the leader of a term. Returns whether to listen to it.
    pub(super) fn on_leader(&mut self, cx: &mut Context<'_>, from: NodeId, term: u64) -> bool {
        if term < self.term {
            // It learns so that there is a later term.
            cx.reached(&marks::OLD_LEADER_TOLD);
            let term = None;
            let (prev, first) = (u64::MAX, 0);
            self.send(cx, from, Body::Conflict { prev, term, first });
            return false;
        }
        if term == self.term && self.leads() {
            return false;
        }
        if term > self.term {
            self.enter_term(term);
            self.follow(cx, Some(from));
        } else if self.leader != Some(from) || !matches!(self.role, Role::Follower) {
            self.follow(cx, Some(from));
        }
        self.start_election_timer(cx, true);
        true
    }

    /// Upon the heartbeat timer: tells everybody that it leads; steps down if no majority has
    /// answered for an election timeout (thesis, section 6.2).
    pub(super) fn on_heartbeat_timer(&mut self, cx: &mut Context<'_>) {
        let (now, timeout, me) = (cx.now(), self.group.timeout, self.group.me);
        let Role::Leader(leading) = &self.role else {
            return;
        };
        let hears = |n: NodeId| {
            let progress = leading.others.get(&n);
            n == me || progress.is_some_and(|p| now - p.heard <= timeout)
        };
        if self.group.options.check_quorum && !self.configuration.decides(&self.group, hears) {
            cx.reached(&marks::QUORUM_LOST);
            return self.follow(cx, None);
        }
        cx.set_timer(HEARTBEAT_TIMER, self.group.heartbeat());
        self.begin_round(cx);
        self.resend(cx);
    }

    /// Sends a round of heartbeats.
    pub(super) fn begin_round(&mut self, cx: &mut Context<'_>) {
        let (now, commit) = (cx.now(), self.commit);
        let Role::Leader(leading) = &mut self.role else {
            return;
        };
        leading.round += 1;
        let round = leading.round;
        leading.sent.push_back((round, now));
        // No more than those of an election timeout can still be answered in time.
        while leading.sent.len() > 64 {
            leading.sent.pop_front();
        }
        let to: Vec<_> = leading
            .others
            .iter()
            .map(|(n, p)| (*n, p.matched))
            .collect();
        for (node, matched) in to {
            let commit = commit.min(matched);
            self.send(cx, node, Body::Heartbeat { commit, round });
        }
        self.confirm(cx);
    }

    /// Gives its place to the member that is furthest (thesis, section 3.10).
    pub(super) fn give_place(&mut self, cx: &mut Context<'_>) {
        let configuration = Arc::clone(&self.configuration);
        let Role::Leader(leading) = &mut self.role else {
            return;
        };
        let able = leading
            .others
            .iter()
            .filter(|(n, _)| configuration.contains(**n));
        let best = able.max_by_key(|(n, p)| (p.matched, std::cmp::Reverse(**n)));
        let Some((&node, _)) = best else {
            return;
        };
        leading.given_to = Some(node);
        leading.lease = false;
        cx.reached(&marks::PLACE_GIVEN);
        self.send(cx, node, Body::TimeoutNow);
    }

    /// How long the oldest unanswered heartbeat may be to still found a lease.
    pub(super) fn rest_of_lease(&self, cx: &Context<'_>, sent: consim_core::Time) -> Option<Span> {
        let lease = self.group.lease().nanos();
        let passed = (cx.now() - sent).nanos();
        lease
            .checked_sub(passed)
            .filter(|rest| *rest > 0)
            .map(Span::from_nanos)
    }
}
