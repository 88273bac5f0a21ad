//! The pacemaker: views, timers, timeouts and the certificates of timeouts (Jolteon, section 3.2, "round
//! synchronisation"; for three phases too).

use super::config::{Group, LeaderRule, MAX_BACKOFF, STEPS};
use super::journal::Said;
use super::leader::{Chosen, Record};
use super::marks;
use super::message::Body;
use super::proposal::{Timeout, TimeoutCertificate, timeout_statement};
use super::replica::{BATCH_TIMER, HotStuffReplica, VIEW_TIMER};
use crate::consensus::members::PerMember;
use consim_core::{Certificate, Context, Probe, Span, Time, Work};
use std::sync::Arc;

/// What is known of the others' timeouts, and the view timer.
#[derive(Debug)]
pub(super) struct Pacemaker {
    /// The latest timeout of each member.
    latest: PerMember<Option<Arc<Timeout>>>,
    /// Views that failed since something was committed.
    pub(super) failed: u32,
    /// When the view's time is up, while the view timer runs.
    pub(super) deadline: Option<Time>,
    /// When the next view began.
    pub(super) began: Time,
}

impl Pacemaker {
    pub(super) fn new(n: usize) -> Self {
        Self {
            latest: PerMember::new(n, None),
            failed: 0,
            deadline: None,
            began: Time::ZERO,
        }
    }
    /// Those who gave `view` up.
    fn of(&self, view: u64) -> impl Iterator<Item = &Arc<Timeout>> {
        let all = self.latest.iter().flatten();
        all.filter(move |timeout| timeout.view == view)
    }
}

/// Between two looks at what may have been lost.
fn step(patience: Span) -> Span {
    Span::from_nanos((patience.nanos() / STEPS).max(1))
}

impl HotStuffReplica {
    // ---- leaders ---------------------------------------------------------------------------------

    /// Who leads `view`: `high` certifies what its leader builds on if the view before went well. `None`:
    /// this replica knows too little to say.
    pub(super) fn leads(&self, view: u64, high: &consim_core::Digest, well: bool) -> Option<usize> {
        if self.group.leader != LeaderRule::Reputation || !well || view <= 1 {
            return Some(self.group.scheduled(view));
        }
        if !self.tree.knows(high) {
            return None;
        }
        let record = |p: &Arc<super::proposal::Proposal>| Record {
            sequence: p.sequence(),
            view: p.view(),
            author: p.batch().proposer(),
            voters: p.link().voters.clone(),
        };
        let seen = self.group.seen_by_reputation();
        let branch = self.tree.branch(high).take(seen);
        let mut records: Vec<Record> = branch.map(record).collect();
        let above = records.last().map_or(u64::MAX, |oldest| oldest.sequence);
        let older = self.recent.iter().rev().filter(|r| r.sequence < above);
        records.extend(older.take(seen - records.len()).cloned());
        match self.group.by_reputation(view, &records) {
            Chosen::Member(member) => Some(member),
            Chosen::InTurn => Some(self.group.scheduled(view)),
            Chosen::Unknown => None,
        }
    }
    /// Who leads this view.
    pub(super) fn leads_now(&self) -> usize {
        let safety = &self.safety;
        let well = safety.entered.is_none();
        let scheduled = self.group.scheduled(safety.view);
        self.leads(safety.view, &safety.high.id(), well)
            .unwrap_or(scheduled)
    }

    // ---- timers ----------------------------------------------------------------------------------

    /// How long this view may take: the first timer, doubled with each view that failed since the last
    /// commit.
    pub(super) fn patience(&self) -> Span {
        let doubled = self.pacemaker.failed.min(MAX_BACKOFF);
        self.group.wait() + self.group.timeout.times(1 << doubled)
    }
    /// Does this replica wait for something to be committed?
    pub(super) fn waits(&self) -> bool {
        let payload = match &self.layer {
            // What is not in a batch yet, or in one that too few have, no leader can propose.
            Some(layer) => layer.waits() || layer.seals_full() && !self.mempool.is_empty(),
            None => !self.mempool.is_empty(),
        };
        payload || self.untold.is_some() || self.awaits_payload() || self.holds_open()
    }
    /// Are there transactions that are proposed, and not committed, where the chain goes on?
    fn holds_open(&self) -> bool {
        let safety = &self.safety;
        let voted = safety
            .vote
            .filter(|&(view, _)| view == safety.view)
            .map(|(_, id)| id);
        let tips = [Some(safety.high.id()), voted];
        let mut branches = tips.iter().flatten().flat_map(|id| self.tree.branch(id));
        branches.any(|p| !p.batch().txs().is_empty())
    }
    /// Starts the view timer if something waits and it does not run.
    pub(super) fn watch(&mut self, cx: &mut Context<'_>) {
        if self.pacemaker.deadline.is_none() && self.waits() {
            self.start_view_timer(cx);
        }
    }
    fn start_view_timer(&mut self, cx: &mut Context<'_>) {
        let patience = self.patience();
        self.pacemaker.deadline = Some(cx.now() + patience);
        // A loss or two cost a look, a slow line does not.
        cx.set_timer(VIEW_TIMER, step(patience).times(STEPS / 2));
    }
    /// Something was committed: what else waits has time anew.
    pub(super) fn restart_view_timer(&mut self, cx: &mut Context<'_>) {
        if self.overtaken() {
            return cx.reached(&marks::OLDEST_OVERTAKEN);
        }
        self.stop_view_timer(cx);
        if self.waits() || self.safety.timeout.is_some() {
            self.start_view_timer(cx);
        }
    }
    /// Does a leader that stays let others overtake the oldest transaction? Its time is not prolonged then
    /// (as in PBFT).
    fn overtaken(&self) -> bool {
        self.group.leader == LeaderRule::Stable
            && self.pacemaker.deadline.is_some()
            && match &self.layer {
                Some(layer) => layer.overtaken(),
                None => self.mempool.overtaken(),
            }
    }
    fn stop_view_timer(&mut self, cx: &mut Context<'_>) {
        if self.pacemaker.deadline.take().is_some() {
            cx.cancel_timer(VIEW_TIMER);
        }
    }

    /// Upon a step of the view timer: says again what may have been lost. Upon its end: gives the view
    /// up.
    pub(super) fn on_view_timer(&mut self, cx: &mut Context<'_>) {
        let Some(deadline) = self.pacemaker.deadline else {
            return;
        };
        let joined = self.pacemaker.of(self.safety.view).count() > self.group.faults;
        if !self.waits() && !joined {
            self.pacemaker.deadline = None;
            return;
        }
        let (now, patience) = (cx.now(), self.patience());
        if now >= deadline {
            self.resend_due(cx);
            match self.safety.timeout.clone() {
                None => self.give_up(cx),
                Some(own) => self.multicast(cx, Body::Timeout(own)),
            }
            self.pacemaker.deadline = Some(now + patience);
            cx.set_timer(VIEW_TIMER, step(patience));
        } else {
            let step = step(patience).min(deadline - now);
            cx.set_timer(VIEW_TIMER, step);
        }
        self.repeat(cx);
    }

    // ---- views -----------------------------------------------------------------------------------

    pub(super) fn tell_view(&self, cx: &mut Context<'_>) {
        cx.emit(Probe::View {
            chain: self.group.chain,
            view: self.group.told(self.safety.view),
            leader: self.group.node(self.leads_now()),
        });
    }

    /// Enters a view, by a certificate of the view before or since that failed.
    fn enter(&mut self, cx: &mut Context<'_>, view: u64, entered: Option<Arc<TimeoutCertificate>>) {
        if view > self.safety.view + 1 && self.safety.view > 1 {
            cx.reached(&marks::VIEW_JUMPED);
        }
        let (before, told) = (self.leads_now(), self.group.told(self.safety.view));
        self.safety.view = view;
        self.safety.entered = entered;
        self.safety.timeout = None;
        self.pending = None;
        self.proposed = None;
        self.seen = None;
        self.pacemaker.began = cx.now();
        self.votes.drop_up_to(self.safety.high.view());
        // Whom reputation chooses after a view that went well is no change of leaders that failed.
        let chosen = self.group.leader == LeaderRule::Reputation && self.safety.entered.is_none();
        if self.group.told(view) != told && !chosen {
            self.tell_view(cx);
        }
        if self.batch_timer.take().is_some() {
            cx.cancel_timer(BATCH_TIMER);
        }
        if !self.overtaken() {
            self.stop_view_timer(cx);
        }
        self.watch(cx);
        if !self.to_all() && !self.in_batches() && self.leads_now() != before {
            self.outbox = self.mempool.charges();
            self.set_forward_timer(cx);
        }
        self.try_propose(cx);
    }

    /// A certificate for the highest view is here: on to the next view.
    pub(super) fn advance(&mut self, cx: &mut Context<'_>, certified: u64) {
        if certified >= self.safety.view {
            self.enter(cx, certified + 1, None);
        }
    }

    /// A quorum gave a view up: on to the one that it leads to.
    fn advance_failed(&mut self, cx: &mut Context<'_>, timeouts: &Arc<TimeoutCertificate>) {
        let next = self.group.after_failed(timeouts.view);
        if next <= self.safety.view {
            return;
        }
        self.pacemaker.failed = self.pacemaker.failed.saturating_add(1);
        if self.pacemaker.failed == 3 {
            cx.reached(&marks::VIEWS_FAILED_IN_ROW);
        }
        self.enter(cx, next, Some(Arc::clone(timeouts)));
    }

    /// Follows a verified certificate of timeouts that a peer showed.
    pub(super) fn on_timeout_certificate(
        &mut self,
        cx: &mut Context<'_>,
        timeouts: &Arc<TimeoutCertificate>,
    ) -> bool {
        if self.group.after_failed(timeouts.view) <= self.safety.view {
            return true;
        }
        cx.work(
            self.group
                .checking(timeouts.entries.len(), timeouts.statements()),
        );
        if !timeouts.verify(&self.group) {
            return false;
        }
        self.advance_failed(cx, timeouts);
        true
    }

    // ---- timeouts --------------------------------------------------------------------------------

    /// Gives this view up: no vote in it any more.
    fn give_up(&mut self, cx: &mut Context<'_>) {
        if self.silent.is_some() || self.safety.timeout.is_some() {
            return;
        }
        cx.emit(Probe::ViewTimeout {
            chain: self.group.chain,
            view: self.group.told(self.safety.view),
        });
        let (view, high) = (self.safety.view, self.safety.high.view());
        cx.work(Work::sign(1));
        let statement = timeout_statement(self.group.chain, view, high);
        let vote = self.safety.vote.filter(|&(of, _)| of == view);
        let timeout = Arc::new(Timeout {
            view,
            signature: self.group.key.sign(&statement),
            high: self.safety.high.certificate.clone(),
            entered: self.safety.entered.clone(),
            vote: vote.map(|(view, id)| self.ballot(cx, view, id)),
        });
        self.safety.voted = self.safety.voted.max(view);
        self.safety.timeout = Some(Arc::clone(&timeout));
        self.write_safety();
        self.journal.then(Said::Timeout(timeout));
    }

    /// The own timeout is on disk.
    pub(super) fn say_timeout(&mut self, cx: &mut Context<'_>, timeout: &Arc<Timeout>) {
        if timeout.view != self.safety.view {
            return;
        }
        self.multicast(cx, Body::Timeout(Arc::clone(timeout)));
        self.restore_timeout(Arc::clone(timeout));
        if let Some(vote) = &timeout.vote {
            // It went to the leader of the next view alone.
            self.count_vote(cx, self.group.me, vote);
        }
        self.count_timeouts(cx);
    }

    /// Counts the own timeout.
    pub(super) fn restore_timeout(&mut self, timeout: Arc<Timeout>) {
        if let Some(own) = self.pacemaker.latest.get_mut(self.group.me) {
            *own = Some(timeout);
        }
    }

    /// Upon TIMEOUT: it shows how its signer came to its view, so that this replica comes there too; the
    /// vote in it is counted; with f+1 this replica gives the view up too, with a quorum it is over.
    pub(super) fn on_timeout(&mut self, cx: &mut Context<'_>, from: usize, timeout: &Arc<Timeout>) {
        let known = self.pacemaker.latest.get(from).and_then(Option::as_ref);
        if timeout.view < self.safety.view {
            return self.help(cx, from);
        }
        if known.is_some_and(|known| known.view >= timeout.view) {
            return;
        }
        if !self.verify_timeout(cx, from, timeout) {
            return cx.reached(&marks::TIMEOUT_REFUSED);
        }
        if let Some(high) = &timeout.high {
            self.on_certificate(cx, from, high, false);
        }
        if let Some(entered) = &timeout.entered
            && !self.on_timeout_certificate(cx, entered)
        {
            return cx.reached(&marks::TIMEOUT_REFUSED);
        }
        if timeout.view > self.safety.view {
            // It does not show how it came there.
            return cx.reached(&marks::TIMEOUT_REFUSED);
        }
        if let Some(latest) = self.pacemaker.latest.get_mut(from) {
            *latest = Some(Arc::clone(timeout));
        }
        if let Some(vote) = &timeout.vote
            && vote.view == timeout.view
        {
            let before = self.safety.view;
            self.count_vote(cx, from, vote);
            if self.safety.view > before {
                cx.reached(&marks::VOTES_FROM_TIMEOUTS);
            }
        }
        if timeout.view < self.safety.view {
            return self.help(cx, from);
        }
        self.count_timeouts(cx);
    }

    fn verify_timeout(&self, cx: &mut Context<'_>, from: usize, timeout: &Timeout) -> bool {
        let group = &self.group;
        cx.work(Work::verify(1));
        let high = timeout.high_view();
        let statement = timeout_statement(group.chain, timeout.view, high);
        let carried = |t: &Arc<TimeoutCertificate>| t.high() <= high;
        timeout.signature.key == group.key_of(from)
            && high < timeout.view
            && timeout.entered.as_ref().is_none_or(carried)
            && group.keys.verify(&statement, &timeout.signature)
            && timeout
                .high
                .as_ref()
                .is_none_or(|c| self.is_certificate(cx, c))
    }

    /// Is it a certificate of votes for a proposal? One that is known costs nothing.
    pub(super) fn is_certificate(&self, cx: &mut Context<'_>, certificate: &Certificate) -> bool {
        let group = &self.group;
        let shape = certificate.kind == group.vote_kind()
            && certificate.sequence == 0
            && certificate.view > 0
            && certificate.links.is_empty();
        let high = &self.safety.high;
        if high
            .certificate
            .as_ref()
            .is_some_and(|known| **known == *certificate)
        {
            return shape;
        }
        cx.work(group.checking(certificate.signatures.len(), 1));
        let quorum = if super::seeded::on(&super::seeded::SIGNERS_COUNTED_TWICE) {
            1
        } else {
            group.quorum
        };
        shape && certificate.verify(group.chain, &group.members, quorum, &group.keys)
    }

    /// Joins f+1 others that gave this view up; ends it with a quorum.
    pub(super) fn count_timeouts(&mut self, cx: &mut Context<'_>) {
        let view = self.safety.view;
        let count = self.pacemaker.of(view).count();
        if count > self.group.faults && self.safety.timeout.is_none() {
            cx.reached(&marks::TIMEOUT_JOINED);
            self.give_up(cx);
            if self.pacemaker.deadline.is_none() {
                self.start_view_timer(cx);
            }
        }
        if count >= self.group.quorum {
            let entry = |t: &Arc<Timeout>| (t.signature, t.high_view());
            let mut entries: Vec<_> = self.pacemaker.of(view).map(entry).collect();
            entries.sort_unstable_by_key(|(signature, _)| signature.key);
            cx.reached(&marks::VIEW_CERTIFIED_FAILED);
            cx.work(self.group.making(entries.len()));
            let sum = self
                .group
                .sum(entries.iter().map(|&(signature, _)| signature));
            let timeouts = TimeoutCertificate { view, entries, sum };
            self.advance_failed(cx, &Arc::new(timeouts));
        }
    }
}

impl Group {
    /// The bits of the signers of a certificate, member 0 in the lowest.
    pub(super) fn voters(&self, certificate: Option<&Arc<Certificate>>) -> Box<[u64]> {
        let Some(certificate) = certificate else {
            return Box::default();
        };
        let mut words = vec![0u64; self.len().div_ceil(64)];
        for signature in certificate.signatures.iter() {
            if let Some(index) = self.index_of_key(signature.key)
                && let Some(word) = words.get_mut(index / 64)
            {
                *word |= 1 << (index % 64);
            }
        }
        words.into()
    }
}
