//! When a regency is given up (EDCC 2012, Algorithm 1, lines 18-22, and Algorithm 2, lines 1-12): requests
//! that time out, and STOP.

use super::collect::{Called, StopData};
use super::config::{MAX_BACKOFF, REGENCIES};
use super::marks;
use super::message::Body;
use super::replica::{BATCH_TIMER, BftSmartReplica, REQUEST_TIMER};
use crate::consensus::members::PerMember;
use crate::consensus::mempool;
use consim_core::{Context, Probe, Span, Time, Tx};
use std::sync::Arc;

/// What has been done about requests that take too long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// Nothing yet.
    Fresh,
    /// They timed out once and went to the leader.
    Forwarded,
    /// They timed out again: STOP.
    Stopping,
}

/// Who asks for which regency, and what was brought into one.
#[derive(Debug)]
pub(super) struct Stops {
    /// The highest regency that each member asks for or is in, and when it last said so.
    asked: PerMember<(u64, Time)>,
    /// The regency that this replica asks for.
    pub(super) own: u64,
    pub(super) stage: Stage,
    /// Regencies since the last progress.
    pub(super) backoff: u32,
    /// STOP-DATA of each member for a regency that this replica is to lead, verified.
    pub(super) data: PerMember<Option<Arc<StopData>>>,
    /// The own STOP-DATA of this regency, once it is on disk, and when it was last sent.
    pub(super) own_data: Option<(Arc<StopData>, Time)>,
    /// Is the own SYNC on its way to disk?
    pub(super) syncing: bool,
}

impl Stops {
    pub(super) fn new(n: usize) -> Self {
        Self {
            asked: PerMember::new(n, (0, Time::ZERO)),
            own: 0,
            stage: Stage::Fresh,
            backoff: 0,
            data: PerMember::new(n, None),
            own_data: None,
            syncing: false,
        }
    }
}

impl BftSmartReplica {
    // ---- the timer -------------------------------------------------------------------------------

    /// How long requests may take: the first timer, doubled with each regency since the last progress.
    pub(super) fn patience(&self) -> Span {
        let doubled = self.stops.backoff.saturating_sub(1);
        self.group.block.wait + self.group.timeout.times(1 << doubled)
    }
    /// Does this replica wait for something to be decided?
    pub(super) fn waits(&self) -> bool {
        self.current.digest.is_some() || self.bound_now().is_some() || !self.mempool.is_empty()
    }
    fn set_request_timer(&mut self, cx: &mut Context<'_>) {
        self.deadline = Some(cx.now() + self.patience());
        self.waiting_since = cx.now();
        cx.set_timer(REQUEST_TIMER, self.group.first_step());
    }
    /// The regency has to begin in time.
    pub(super) fn wait_for_regency(&mut self, cx: &mut Context<'_>) {
        self.set_request_timer(cx);
    }
    fn cancel_request_timer(&mut self, cx: &mut Context<'_>) {
        if self.deadline.take().is_some() {
            cx.cancel_timer(REQUEST_TIMER);
        }
    }
    /// Starts the timer if something waits and it does not run.
    pub(super) fn watch(&mut self, cx: &mut Context<'_>) {
        if self.active && self.deadline.is_none() && self.waits() {
            self.stops.stage = Stage::Fresh;
            self.set_request_timer(cx);
        }
    }
    /// The group is in reach again, after so long: what it missed is not held back any longer.
    pub(super) fn in_reach_after(&mut self, cx: &Context<'_>, silence: Span) {
        if silence >= self.group.patience().times(2) {
            self.mempool.hurry(cx.now());
        }
    }
    /// Something was decided: the timer starts afresh if more waits, unless the leader lets others overtake
    /// the oldest.
    pub(super) fn progressed(&mut self, cx: &mut Context<'_>) {
        let dry = cx.now() - std::mem::replace(&mut self.progress_at, cx.now());
        self.in_reach_after(cx, dry);
        if !self.active {
            return;
        }
        if !self.waits() {
            self.stops.stage = Stage::Fresh;
            self.cancel_request_timer(cx);
        } else if self.deadline.is_none() || !self.mempool.overtaken() {
            self.stops.stage = Stage::Fresh;
            self.set_request_timer(cx);
        } else {
            cx.reached(&marks::OLDEST_OVERTAKEN);
        }
        self.withdraw();
    }
    /// It asks for no other regency any more, unless the leader lets the oldest lie.
    fn withdraw(&mut self) {
        if self.stops.stage != Stage::Stopping {
            self.stops.own = self.regency;
            if let Some(own) = self.stops.asked.get_mut(self.group.me) {
                *own = (self.regency, own.1);
            }
        }
    }

    /// Upon a step of the timer: says again what may have been lost. Upon its end: requests that timed out
    /// for the first time go to the leader; the second time the replica asks for the next regency and keeps
    /// taking part in this one. A regency that does not begin in time is given up too.
    pub(super) fn on_request_timer(&mut self, cx: &mut Context<'_>) {
        let Some(deadline) = self.deadline else {
            return;
        };
        if self.active && !self.waits() {
            self.deadline = None;
            return;
        }
        let now = cx.now();
        let mut next = deadline;
        if now >= deadline {
            next = now + self.patience();
            if self.active && self.stops.stage == Stage::Fresh {
                self.stops.stage = Stage::Forwarded;
                cx.reached(&marks::REQUEST_FORWARDED);
                self.resend_due(cx);
            } else {
                self.stops.stage = Stage::Stopping;
                self.resend_due(cx);
                self.stop(cx, self.stops.own.max(self.regency + 1));
            }
        }
        // The regency may be another now, with a timer of its own.
        if self.deadline == Some(deadline) {
            let step = self.group.step(now - self.waiting_since);
            self.deadline = Some(next);
            cx.set_timer(REQUEST_TIMER, step.min(next - now));
        }
        self.repeat(cx);
    }

    // ---- STOP ------------------------------------------------------------------------------------

    /// Asks for a regency, with the requests that wait in this replica's charge.
    fn stop(&mut self, cx: &mut Context<'_>, regency: u64) {
        if self.past.silent.is_some() || !self.group.is_member() || !self.group.is_ours(regency) {
            return;
        }
        cx.reached(&marks::STOP_SAID);
        self.stops.own = regency;
        let parts = mempool::parts(self.mempool.charges());
        let txs = parts.into_iter().next().unwrap_or_default();
        self.multicast(cx, Body::Stop { regency, txs });
        self.asks(cx, self.group.me, regency);
    }

    /// Upon STOP: takes its requests in; counts it. One that asks for a regency which is here already is
    /// helped.
    pub(super) fn on_stop(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        regency: u64,
        txs: &[Arc<Tx>],
    ) {
        if self.take_in(cx, txs, true) > 0 {
            cx.reached(&marks::STOP_BROUGHT_REQUESTS);
            self.watch(cx);
        }
        if regency <= self.regency {
            if self.active || regency < self.regency {
                self.help(cx, from, regency);
            }
        } else if !self.group.is_ours(regency) {
            self.hears_of_later_members(cx, from);
        } else {
            self.asks(cx, from, regency);
        }
        self.try_propose(cx);
    }

    /// A member asks for a regency, or is in it: f+1 of them are joined, so that at least one is correct; a
    /// quorum gives up all regencies before.
    pub(super) fn asks(&mut self, cx: &mut Context<'_>, member: usize, regency: u64) {
        let now = cx.now();
        if let Some(asked) = self.stops.asked.get_mut(member) {
            let newer = asked.0.max(regency);
            *asked = (newer, now);
        }
        if regency <= self.regency || !self.group.is_ours(regency) {
            return;
        }
        let fresh = self.patience().times(2);
        let said = self.stops.asked.iter().enumerate();
        let said = said.filter(|(member, (regency, at))| {
            now - *at <= fresh && self.group.votes(*member) && self.group.is_ours(*regency)
        });
        let mut highest: Vec<u64> = said.map(|(_, &(regency, _))| regency).collect();
        highest.sort_unstable_by(|a, b| b.cmp(a));
        let of = |count: usize| highest.get(count - 1).copied().unwrap_or(0);
        let (joined, installed) = (of(self.group.faults() + 1), of(self.group.quorum()));
        if installed > self.regency {
            return self.install(cx, installed);
        }
        if joined > self.stops.own.max(self.regency) {
            cx.reached(&marks::STOP_JOINED);
            self.stop(cx, joined);
        }
    }

    /// A quorum gave up what was before: the replica stops, waits for the regency to begin, and tells its
    /// leader what it brings along (Algorithm 2, lines 9-16).
    fn install(&mut self, cx: &mut Context<'_>, regency: u64) {
        cx.emit(Probe::ViewTimeout {
            chain: self.group.chain,
            view: self.view(),
        });
        if regency > self.regency + 1 {
            cx.reached(&marks::REGENCY_SKIPPED);
        }
        if self.stops.backoff > 2 {
            cx.reached(&marks::REGENCIES_IN_VAIN);
        }
        self.regency = regency;
        self.active = false;
        self.current.begin();
        let stops = &mut self.stops;
        stops.own = regency;
        stops.backoff = (stops.backoff + 1).min(MAX_BACKOFF + 1);
        stops.own_data = None;
        stops.syncing = false;
        self.set_request_timer(cx);
        if self.batch_timer.take().is_some() {
            cx.cancel_timer(BATCH_TIMER);
        }
        self.bring(cx);
        self.try_sync(cx);
    }

    /// Helps a member that is in an older regency, or in this one but without its SYNC. One of members before
    /// these learns how far the chain is, and who has it now.
    pub(super) fn help(&mut self, cx: &mut Context<'_>, member: usize, regency: u64) {
        if !self.past.peers.may_help(member) {
            return;
        }
        if !self.group.is_ours(regency) {
            cx.reached(&marks::STOP_OF_FORMER_MEMBERS);
            return self.send(cx, member, self.status(false, 0, 0));
        }
        match self.opening.clone().filter(|_| self.active) {
            Some(sync) => self.send(cx, member, Body::Sync(sync)),
            None if !self.active => {
                let (regency, txs) = (self.regency, Vec::new());
                self.send(cx, member, Body::Stop { regency, txs });
            }
            None => {}
        }
    }

    /// Somebody speaks of a regency of members whom this replica does not know yet: it has to catch up.
    pub(super) fn hears_of_later_members(&mut self, cx: &mut Context<'_>, from: usize) {
        if self.past.peers.may_help(from) {
            cx.reached(&marks::REGENCY_OF_LATER_MEMBERS);
            self.send(cx, from, self.question());
        }
    }

    // ---- other members ---------------------------------------------------------------------------

    /// All up to here is decided: do other members decide what comes next?
    pub(super) fn enter_view(&mut self, cx: &mut Context<'_>) {
        if self.group.seat.enter(self.past.executed.saturating_add(1)) {
            self.begin_view(cx);
        }
    }

    /// Other members decide from now on. What was asked for and brought among those before means nothing to
    /// them, who may share nobody with these: their first regency begins by itself and unbound, as that of the
    /// genesis did.
    pub(super) fn begin_view(&mut self, cx: &mut Context<'_>) {
        let first = self.group.first_regency();
        if self.regency >= first {
            // It was in a later one, and lost the end of its log.
            return;
        }
        let changes = self
            .group
            .era()
            .change
            .saturating_sub(self.regency / REGENCIES);
        self.before = self.view().saturating_add(changes);
        self.regency = first;
        self.active = true;
        self.opening = None;
        self.left = self.left.max(first);
        self.called = Called {
            low: self.past.executed,
            bound: None,
        };
        self.stops.backoff = 0;
        self.current.begin();
        self.mempool.next_view();
        self.forget_stops(cx);
        self.write_regency(None);
        self.tell_regency(cx);
        // Those who were no members before have none of the requests, and the leader may be another.
        self.outbox = self.mempool.charges();
        self.send_to_leader(cx);
        self.watch(cx);
    }

    /// A regency has begun: nobody is asked to leave it yet.
    pub(super) fn forget_stops(&mut self, cx: &mut Context<'_>) {
        let (regency, stops) = (self.regency, &mut self.stops);
        stops.own = regency;
        stops.stage = Stage::Fresh;
        stops.own_data = None;
        stops.syncing = false;
        for data in stops.data.changed() {
            if data
                .as_ref()
                .is_some_and(|d| d.collect.regency() <= regency)
            {
                *data = None;
            }
        }
        self.cancel_request_timer(cx);
    }
}
