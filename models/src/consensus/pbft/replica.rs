//! The replica: its state, and which transition an event leads to.

use super::super::committed::Log;
use super::super::members::PerMember;
use super::catch_up::CatchUp;
use super::config::{Group, MAX_FUTURE, PbftOptions};
use super::journal::Said;
use super::marks;
use super::message::{Body, Message};
use super::normal::Phase;
use super::recovery::Silent;
use super::seeded;
use super::slots::Window;
use super::view_change::Changes;
use crate::consensus::journal::Journal;
use crate::consensus::mempool::Mempool;
use crate::consensus::sync::{CheckpointVotes, States, Transfer};
use crate::consensus::{Replica, ReplicaConfig, StateHead};
use crate::ledger::{Snapshot, merkle};
use consim_core::{
    Batch, CodecError, Context, Event, NodeId, Payload, Probe, Process, Span, Time, TimerKey, Tx,
};
use std::any::Any;
use std::hint::black_box;
use std::sync::Arc;

/// Looks after what may have been lost.
pub(super) const TICK: TimerKey = TimerKey(0);
/// The paper's timer: the primary makes no progress, or the new view does not come.
pub(super) const VIEW_TIMER: TimerKey = TimerKey(1);
/// The oldest transaction has waited long enough for a block.
pub(super) const BATCH_TIMER: TimerKey = TimerKey(2);
/// What was submitted in the handlers of one instant is sent together.
pub(super) const FORWARD_TIMER: TimerKey = TimerKey(3);

/// A PBFT replica. The sub-protocols stand in files of their own and share this state. What each
/// vote looks at comes first, in two lines of the cache, so that a thousand replicas stay in it.
#[repr(C, align(64))]
pub struct PbftReplica {
    pub(super) view: u64,
    /// Everything up to here is finished in this view: votes for it are ignored.
    pub(super) floor: u64,
    /// Is it in `view`, or still on its way there?
    pub(super) active: bool,
    /// Its own first half is of the first line.
    pub(super) window: Window,
    pub(super) group: Group,
    pub(super) journal: Journal<Said>,
    /// The last sequence number that was handed up.
    pub(super) executed: u64,
    /// The last one that came from the disk of an earlier life.
    pub(super) replayed: u64,
    /// The last sequence number that was handed up before it was committed, in this view.
    pub(super) handed_ahead: u64,
    /// The highest sequence number that was put forward in this view.
    pub(super) top: u64,
    /// The sequence number that this replica puts forward next as primary.
    pub(super) next: u64,
    /// What was handed up: the service of those that are behind.
    pub(super) log: Log,
    pub(super) checkpoints: States<StateHead>,
    pub(super) checkpoint_votes: CheckpointVotes,
    pub(super) changes: Changes,
    pub(super) mempool: Mempool,
    pub(super) catch_up: CatchUp,
    pub(super) transfer: Transfer<StateHead>,
    /// Set while it must not sign: its disk was wiped.
    pub(super) silent: Option<Silent>,
    /// Submitted and not yet sent on.
    pub(super) outbox: Vec<Arc<Tx>>,
    /// When the primary's time is up, while the view timer runs.
    pub(super) deadline: Option<Time>,
    /// Since when nothing has come of what is waited for.
    waiting_since: Time,
    /// When something was executed last.
    progress_at: Time,
    pub(super) batch_timer: Option<Time>,
    forward_timer: bool,
    /// Messages of views to come, and how many of each member.
    future: Vec<(usize, Arc<dyn Payload>)>,
    future_of: PerMember<u16>,
    /// The batch that fills a gap: the same for everybody.
    pub(super) null: Arc<Batch>,
    said: Vec<Said>,
}

impl PbftReplica {
    /// A replica that has not started.
    pub fn new(config: ReplicaConfig, options: PbftOptions) -> Self {
        let mempool = Mempool::new(config.mempool);
        let log = Log::new(config.keep);
        let group = Group::new(config, options);
        let n = group.len();
        let null = Batch::new(group.node(0), 0, Arc::new([]), merkle::root(&[]));
        Self {
            view: 0,
            active: true,
            executed: 0,
            replayed: 0,
            handed_ahead: 0,
            floor: 0,
            top: 0,
            next: 1,
            log,
            window: Window::new(group.watermark),
            checkpoints: States::default(),
            checkpoint_votes: CheckpointVotes::default(),
            changes: Changes::new(n),
            mempool,
            catch_up: CatchUp::new(n),
            transfer: Transfer::default(),
            silent: None,
            journal: Journal::default(),
            outbox: Vec::new(),
            deadline: None,
            waiting_since: Time::ZERO,
            progress_at: Time::ZERO,
            batch_timer: None,
            forward_timer: false,
            future: Vec::new(),
            future_of: PerMember::new(n, 0),
            null: Arc::new(null),
            said: Vec::new(),
            group,
        }
    }

    // ---- sending -------------------------------------------------------------------------------

    pub(super) fn message(&self, body: Body) -> Arc<dyn Payload> {
        Arc::new(Message {
            chain: self.group.chain,
            body,
        })
    }
    pub(super) fn multicast(&self, cx: &mut Context<'_>, body: Body) {
        let message = self.message(body);
        cx.multicast(&self.group.members, message);
    }
    pub(super) fn send(&self, cx: &mut Context<'_>, to: usize, body: Body) {
        let message = self.message(body);
        cx.send(self.group.node(to), message);
    }

    // ---- timers --------------------------------------------------------------------------------

    /// How long the primary may take: the first timer, doubled with each view change since the
    /// last progress (section 4.5.2).
    pub(super) fn patience(&self) -> Span {
        let doubled = self.changes.backoff.saturating_sub(1);
        self.group.block.wait + self.group.timeout.times(1 << doubled)
    }
    /// Does this replica wait for something to be executed?
    pub(super) fn waits(&self) -> bool {
        self.top > self.executed || !self.mempool.is_empty()
    }
    /// Starts the view timer. It runs in steps, with each of which is said again what may have been
    /// lost.
    pub(super) fn set_view_timer(&mut self, cx: &mut Context<'_>, deadline: Time) {
        self.deadline = Some(deadline);
        self.waiting_since = cx.now();
        cx.set_timer(VIEW_TIMER, self.group.first_step());
    }
    /// The view timer goes on: the next step, or its end if that is earlier.
    pub(super) fn next_step(&mut self, cx: &mut Context<'_>, deadline: Time) {
        let now = cx.now();
        let step = self.group.step(now - self.waiting_since);
        self.deadline = Some(deadline);
        cx.set_timer(VIEW_TIMER, step.min(deadline - now));
    }
    pub(super) fn cancel_view_timer(&mut self, cx: &mut Context<'_>) {
        if self.deadline.take().is_some() {
            cx.cancel_timer(VIEW_TIMER);
        }
    }
    /// Starts the view timer if something waits and it does not run (section 4.4).
    pub(super) fn watch(&mut self, cx: &mut Context<'_>) {
        if self.active && self.deadline.is_none() && self.waits() {
            self.set_view_timer(cx, cx.now() + self.patience());
        }
    }
    /// The group is in reach again, after so long: what it missed is not held back any longer.
    pub(super) fn in_reach_after(&mut self, cx: &Context<'_>, silence: Span) {
        if silence >= self.group.patience().times(2) {
            self.mempool.hurry(cx.now());
        }
    }
    /// Something was executed: the timer starts afresh if more waits, unless the primary lets
    /// others overtake the oldest.
    pub(super) fn progressed(&mut self, cx: &mut Context<'_>) {
        let dry = cx.now() - std::mem::replace(&mut self.progress_at, cx.now());
        self.in_reach_after(cx, dry);
        if !self.active {
            return;
        }
        if !self.waits() {
            self.cancel_view_timer(cx);
        } else if self.deadline.is_none() || !self.mempool.overtaken() {
            self.set_view_timer(cx, cx.now() + self.patience());
        } else {
            cx.reached(&marks::OLDEST_OVERTAKEN);
        }
    }
    fn set_forward_timer(&mut self, cx: &mut Context<'_>) {
        if !self.forward_timer {
            self.forward_timer = true;
            cx.set_timer(FORWARD_TIMER, Span::ZERO);
        }
    }

    // ---- dispatch ------------------------------------------------------------------------------

    fn begin(&mut self, cx: &mut Context<'_>) {
        if self.active {
            cx.emit(Probe::View {
                chain: self.group.chain,
                view: self.view,
                leader: self.group.node(self.group.primary(self.view)),
            });
        }
        cx.set_timer(TICK, self.group.tick());
    }

    /// Keeps a message of a view to come until this replica is there.
    #[cold]
    pub(super) fn later(&mut self, from: usize, view: u64, payload: &Arc<dyn Payload>) {
        let too_late = view < self.view || (view == self.view && self.active);
        if !too_late
            && let Some(kept) = self.future_of.get_mut(from)
            && *kept < MAX_FUTURE
        {
            *kept += 1;
            self.future.push((from, Arc::clone(payload)));
        }
    }
    #[cfg(test)]
    pub(super) fn future_len(&self) -> usize {
        self.future.len()
    }
    /// Are there messages of views to come from so many that a correct member is among them?
    pub(super) fn has_future(&self) -> bool {
        let senders = self.future_of.iter().filter(|&&kept| kept > 0);
        !self.future.is_empty() && senders.count() > self.group.faults
    }
    /// Handles what was kept, now that the view is another.
    pub(super) fn replay_future(&mut self, cx: &mut Context<'_>) {
        self.future_of.fill(0);
        for (from, payload) in std::mem::take(&mut self.future) {
            if let Some(message) = payload.as_any().downcast_ref() {
                self.receive(cx, from, message, &payload);
            }
        }
    }

    /// A message of a node: nearly all are votes. Returns whether it may have come to anything that
    /// is to be written.
    #[inline]
    fn hear(&mut self, cx: &mut Context<'_>, from: NodeId, payload: &Arc<dyn Payload>) -> bool {
        let any: &dyn Any = &**payload;
        let Some(message) = any.downcast_ref::<Message>() else {
            return false;
        };
        let key = from.into();
        let Some(from) = self.group.index(from) else {
            return false;
        };
        if message.chain != self.group.chain || from == self.group.me {
            return false;
        }
        let (Body::Prepare(ballot) | Body::Commit(ballot)) = &message.body else {
            self.receive(cx, from, message, payload);
            return true;
        };
        // Which of the two it is nobody can guess, no processor either: without the box this is a
        // branch, and the compiler joins it with the one above.
        let phase = if black_box(matches!(message.body, Body::Prepare(_))) {
            Phase::Prepare
        } else {
            Phase::Commit
        };
        self.on_ballot(cx, (from, key), phase, ballot, payload)
    }

    /// Whatever is no message.
    #[inline(never)]
    fn react(&mut self, cx: &mut Context<'_>, event: &Event<'_>) {
        match event {
            Event::Message { .. } | Event::Request(_) => {}
            Event::Persisted(token) => {
                let mut said = std::mem::take(&mut self.said);
                self.journal.persisted(*token, &mut said);
                for said in said.drain(..) {
                    self.say(cx, said);
                }
                self.said = said;
            }
            Event::Timer(key) => self.timer(cx, *key),
            Event::Start => {
                self.mark_started();
                self.begin(cx);
            }
            Event::Recover(disk) => {
                self.recover(cx, disk);
                self.begin(cx);
            }
            Event::Scrubbed(disk) => self.scrubbed(cx, disk),
        }
    }

    #[inline(never)]
    fn receive(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        message: &Message,
        payload: &Arc<dyn Payload>,
    ) {
        match &message.body {
            Body::Prepare(ballot) => {
                self.on_ballot(
                    cx,
                    (from, self.group.key_of(from)),
                    Phase::Prepare,
                    ballot,
                    payload,
                );
            }
            Body::Commit(ballot) => {
                self.on_ballot(
                    cx,
                    (from, self.group.key_of(from)),
                    Phase::Commit,
                    ballot,
                    payload,
                );
            }
            Body::PrePrepare(proposal) => self.on_pre_prepare(cx, from, proposal, payload),
            Body::Checkpoint(ballot) => self.on_checkpoint(cx, from, ballot),
            Body::Suspect { view } => self.on_suspect(cx, from, *view),
            Body::ViewChange(change) => self.on_view_change(cx, from, change),
            Body::NewView(new_view) => self.on_new_view(cx, from, new_view),
            Body::Forward { txs, to_all } => self.on_forward(cx, txs, *to_all),
            Body::Status(status) => self.on_status(cx, from, status),
            Body::FetchBlocks { from: first } => self.on_fetch_blocks(cx, from, *first),
            Body::Blocks(blocks) => self.on_blocks(cx, from, blocks),
            Body::FetchBatch { sequence, digest } => {
                self.on_fetch_batch(cx, from, *sequence, digest);
            }
            Body::FetchChange { view, digest } => self.on_fetch_change(cx, from, *view, digest),
            Body::Batch { sequence, batch } => self.on_batch(cx, *sequence, batch),
            Body::FetchState { sequence, wanted } => {
                self.on_fetch_state(cx, from, *sequence, wanted);
            }
            Body::State(state) => self.on_state(cx, from, state),
        }
    }

    fn say(&mut self, cx: &mut Context<'_>, said: Said) {
        match said {
            Said::PrePrepare(vow) => self.say_pre_prepare(cx, &vow),
            Said::Prepare(vow) => self.say_vote(cx, Phase::Prepare, &vow),
            Said::Commit(vow) => self.say_vote(cx, Phase::Commit, &vow),
            Said::ViewChange(change) => self.say_view_change(cx, change),
            Said::NewView(opening) => self.say_new_view(cx, opening),
        }
    }

    fn timer(&mut self, cx: &mut Context<'_>, key: TimerKey) {
        match key {
            TICK => self.on_tick(cx),
            VIEW_TIMER => self.on_view_timer(cx),
            BATCH_TIMER => {
                self.batch_timer = None;
                self.try_propose(cx);
            }
            FORWARD_TIMER => {
                self.forward_timer = false;
                self.send_outbox(cx);
                self.try_propose(cx);
            }
            _ => {}
        }
    }
}

impl Process for PbftReplica {
    #[inline]
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        if let Event::Message { from, payload } = event {
            if !self.hear(cx, from, payload) {
                return;
            }
        } else {
            self.react(cx, &event);
        }
        self.journal.flush(cx);
        if seeded::on(&seeded::VOTE_BEFORE_FSYNC) {
            for said in self.journal.under_way() {
                self.say(cx, said);
            }
        }
    }
    fn longest_wait(&self) -> Span {
        self.patience()
    }
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        Ok(Arc::new(Message::decode(bytes)?))
    }
}

impl Replica for PbftReplica {
    fn submit(&mut self, cx: &mut Context<'_>, tx: Arc<Tx>) -> bool {
        if self.mempool.ordered(tx.id()) || self.mempool.holds(tx.id()) {
            return true;
        }
        if !self.admit(cx, &tx, true) {
            return false;
        }
        self.outbox.push(tx);
        self.set_forward_timer(cx);
        self.watch(cx);
        true
    }
    fn share(&mut self, cx: &mut Context<'_>, tx: Arc<Tx>) -> bool {
        if self.mempool.ordered(tx.id()) || self.mempool.holds(tx.id()) {
            return true;
        }
        if !self.admit(cx, &tx, false) {
            return false;
        }
        self.set_forward_timer(cx);
        self.watch(cx);
        true
    }
    fn executed(&mut self, cx: &mut Context<'_>, sequence: u64, state: &dyn Fn() -> Snapshot) {
        self.on_executed(cx, sequence, state);
        self.journal.flush(cx);
    }
    fn leader(&self) -> (u64, NodeId) {
        (self.view, self.group.node(self.group.primary(self.view)))
    }
    fn decided_by_now(&self) -> u64 {
        // What was put forward in this view, or prepared in an earlier one.
        let prepared = self.window.iter().filter(|(_, s)| s.prepared.is_some());
        let prepared = prepared.map(|(s, _)| s).last().unwrap_or(0);
        prepared.max(self.top).max(self.executed)
    }
    fn waiting(&self) -> usize {
        self.mempool.len()
    }
    fn owns(&self, payload: &dyn Payload) -> bool {
        payload
            .as_any()
            .downcast_ref::<Message>()
            .is_some_and(|m| m.chain == self.group.chain)
    }
}

impl std::fmt::Debug for PbftReplica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PbftReplica")
            .field("view", &self.view)
            .field("active", &self.active)
            .field("executed", &self.executed)
            .field("stable", &self.window.low())
            .finish_non_exhaustive()
    }
}
