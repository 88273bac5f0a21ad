//! The replica: its state, and which transition an event leads to.

use super::collect::{Called, Sync};
use super::config::{BftSmartOptions, Group, MAX_FUTURE, REGENCIES};
use super::journal::Said;
use super::message::{Body, Message, Proposal};
use super::normal::{Consensus, Lock, Phase};
use super::regency::Stops;
use crate::consensus::journal::Journal;
use crate::consensus::members::PerMember;
use crate::consensus::mempool::Mempool;
use crate::consensus::sync::{Past, Syncs as _};
use crate::consensus::{Changing, MemberChange, Replica, ReplicaConfig};
use crate::ledger::Snapshot;
use crate::light::ProvenState;
use consim_core::{
    CodecError, Committed, Context, Digest, Event, NodeId, Payload, Probe, Process, Span, Time,
    TimerKey, Tx,
};
use std::sync::Arc;

/// Looks after what may have been lost.
pub(super) const TICK: TimerKey = TimerKey(0);
/// Requests take too long, or the regency does not begin.
pub(super) const REQUEST_TIMER: TimerKey = TimerKey(1);
/// The oldest transaction has waited long enough for a block.
pub(super) const BATCH_TIMER: TimerKey = TimerKey(2);
/// What was submitted in the handlers of one instant is sent together.
pub(super) const FORWARD_TIMER: TimerKey = TimerKey(3);

/// A BFT-SMaRt replica. The sub-protocols stand in files of their own and share this state.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something of its own, together they are no state"
)]
pub struct BftSmartReplica {
    pub(super) group: Group,
    pub(super) regency: u64,
    /// Regencies of members before these, as far as it knows.
    pub(super) before: u64,
    /// Has the regency begun, or does it wait for its SYNC?
    pub(super) active: bool,
    /// It may have signed STOP-DATA for regencies up to this one.
    pub(super) left: u64,
    /// How this regency began; none in regency 0.
    pub(super) opening: Option<Arc<Sync>>,
    /// What that calls for.
    pub(super) called: Called,
    pub(super) stops: Stops,
    pub(super) current: Consensus,
    /// What it wrote for last.
    pub(super) written: Option<Arc<Proposal>>,
    /// What it accepted last.
    pub(super) lock: Option<Lock>,
    pub(super) journal: Journal<Said>,
    /// What is decided.
    pub(super) past: Past,
    pub(super) mempool: Mempool,
    /// Submitted and not yet sent on.
    pub(super) outbox: Vec<Arc<Tx>>,
    /// When something is done about requests that are not decided, while the timer runs.
    pub(super) deadline: Option<Time>,
    /// Since when nothing has come of what is waited for.
    pub(super) waiting_since: Time,
    /// When something was decided last.
    pub(super) progress_at: Time,
    pub(super) batch_timer: Option<Time>,
    forward_timer: bool,
    /// Messages of regencies and consensuses to come, and how many of each member.
    future: Vec<(usize, Arc<dyn Payload>)>,
    future_of: PerMember<u16>,
    /// Are kept messages being handled, and is there reason to go through them once more?
    replaying: bool,
    again: bool,
    said: Vec<Said>,
}

impl BftSmartReplica {
    /// A replica that has not started.
    pub fn new(config: ReplicaConfig, options: BftSmartOptions) -> Self {
        let mempool = Mempool::new(config.mempool);
        let keep = config.keep;
        let group = Group::new(config, options);
        let n = group.len();
        let past = Past::new(n, keep);
        Self {
            regency: 0,
            before: 0,
            active: true,
            left: 0,
            opening: None,
            called: Called {
                low: 0,
                bound: None,
            },
            stops: Stops::new(n),
            current: Consensus::default(),
            written: None,
            lock: None,
            journal: Journal::default(),
            past,
            mempool,
            outbox: Vec::new(),
            deadline: None,
            waiting_since: Time::ZERO,
            progress_at: Time::ZERO,
            batch_timer: None,
            forward_timer: false,
            future: Vec::new(),
            future_of: PerMember::new(n, 0),
            replaying: false,
            again: false,
            said: Vec::new(),
            group,
        }
    }

    /// Does it lead its regency?
    pub(super) fn leads(&self) -> bool {
        self.group.leader(self.regency) == self.group.me
    }
    /// The value that the consensus under way is bound to by the way in which its regency began.
    pub(super) fn bound_now(&self) -> Option<Digest> {
        let first = self.sequence() == self.called.low.saturating_add(1);
        self.called.bound.filter(|_| first)
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
        cx.multicast(self.group.members(), message);
    }
    pub(super) fn send(&self, cx: &mut Context<'_>, to: usize, body: Body) {
        if to != self.group.me {
            let message = self.message(body);
            cx.send(self.group.node(to), message);
        }
    }
    pub(super) fn set_forward_timer(&mut self, cx: &mut Context<'_>) {
        if !self.forward_timer {
            self.forward_timer = true;
            cx.set_timer(FORWARD_TIMER, Span::ZERO);
        }
    }

    // ---- what comes too early ------------------------------------------------------------------

    /// Keeps a message until its regency and its consensus are under way.
    pub(super) fn later(&mut self, from: usize, payload: &Arc<dyn Payload>) {
        if let Some(kept) = self.future_of.get_mut(from)
            && *kept < MAX_FUTURE
        {
            *kept += 1;
            self.future.push((from, Arc::clone(payload)));
        }
    }
    /// Are there such messages from so many that a correct member is among them?
    pub(super) fn has_future(&self) -> bool {
        let senders = self.future_of.iter().filter(|&&kept| kept > 0);
        !self.future.is_empty() && senders.count() > self.group.faults()
    }
    /// Handles what was kept, now that another consensus or regency is under way.
    pub(super) fn replay_future(&mut self, cx: &mut Context<'_>) {
        self.again = true;
        if self.replaying {
            return;
        }
        self.replaying = true;
        while std::mem::take(&mut self.again) && !self.future.is_empty() {
            self.future_of.fill(0);
            for (from, payload) in std::mem::take(&mut self.future) {
                if let Some(message) = payload.as_any().downcast_ref() {
                    self.receive(cx, from, message, &payload);
                }
            }
        }
        self.replaying = false;
    }

    // ---- dispatch ------------------------------------------------------------------------------

    /// The number by which others than replicas know the regency: one more with each.
    pub(super) fn view(&self) -> u64 {
        self.before.saturating_add(self.regency % REGENCIES)
    }

    pub(super) fn tell_regency(&self, cx: &mut Context<'_>) {
        cx.emit(Probe::View {
            chain: self.group.chain,
            view: self.view(),
            leader: self.group.node(self.group.leader(self.regency)),
        });
    }

    fn begin(&mut self, cx: &mut Context<'_>) {
        if self.active {
            self.tell_regency(cx);
        }
        cx.set_timer(TICK, self.group.tick());
    }

    fn receive(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        message: &Message,
        payload: &Arc<dyn Payload>,
    ) {
        match &message.body {
            Body::Propose(proposal) => self.on_propose(cx, from, proposal, payload),
            Body::Write(ballot) => self.on_ballot(cx, from, Phase::Write, ballot, payload),
            Body::Accept(ballot) => self.on_ballot(cx, from, Phase::Accept, ballot, payload),
            Body::Checkpoint(ballot) => self.on_checkpoint(cx, from, ballot),
            Body::Stop { regency, txs } => self.on_stop(cx, from, *regency, txs),
            Body::StopData(data) => self.on_stop_data(cx, from, data),
            Body::Sync(sync) => self.on_sync(cx, from, sync),
            Body::Forward { txs, to_all } => self.on_forward(cx, txs, *to_all),
            Body::Status(status) => self.on_status(cx, from, status),
            Body::FetchBlocks { from: first } => self.on_fetch_blocks(cx, from, *first),
            Body::Blocks(blocks) => self.on_blocks(cx, from, blocks),
            Body::FetchState { sequence, wanted } => {
                self.on_fetch_state(cx, from, *sequence, wanted);
            }
            Body::State(state) => self.on_state(cx, from, state),
            Body::Links(links) => self.on_links(cx, links),
        }
    }

    fn say(&mut self, cx: &mut Context<'_>, said: Said) {
        match said {
            Said::Propose(vow) | Said::Write(vow) => self.say_vote(cx, Phase::Write, &vow),
            Said::Accept(vow) => self.say_vote(cx, Phase::Accept, &vow),
            Said::StopData(data) => self.say_stop_data(cx, data),
            Said::Sync(sync) => self.say_sync(cx, &sync),
        }
    }

    fn timer(&mut self, cx: &mut Context<'_>, key: TimerKey) {
        match key {
            TICK => self.on_tick(cx),
            REQUEST_TIMER => self.on_request_timer(cx),
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

impl Process for BftSmartReplica {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Message { from, payload } => {
                let message = payload.as_any().downcast_ref::<Message>();
                if let Some(message) = message.filter(|m| m.chain == self.group.chain)
                    && let Some(from) = self.group.index(from).filter(|&i| i != self.group.me)
                {
                    self.receive(cx, from, message, payload);
                }
            }
            Event::Request(_) => {}
            Event::Persisted(token) => {
                let mut said = std::mem::take(&mut self.said);
                self.journal.persisted(token, &mut said);
                for said in said.drain(..) {
                    self.say(cx, said);
                }
                self.said = said;
            }
            Event::Timer(key) => self.timer(cx, key),
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
        self.journal.flush(cx);
    }
    fn longest_wait(&self) -> Span {
        self.patience()
    }
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        Ok(Arc::new(Message::decode(bytes)?))
    }
}

impl Replica for BftSmartReplica {
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
        let leader = self.group.leader(self.regency);
        (self.view(), self.group.node(leader))
    }
    fn decided_by_now(&self) -> u64 {
        // Whatever it wrote for, or saw put forward, may be decided elsewhere.
        let written = self.written.as_ref().map_or(0, |p| p.sequence);
        let lock = self.lock.as_ref().map_or(0, |lock| lock.proof.sequence);
        let current = self.current.digest.map_or(0, |_| self.sequence());
        written.max(lock).max(current).max(self.past.executed)
    }
    fn change_members(
        &mut self,
        cx: &mut Context<'_>,
        change: &MemberChange,
        signed: &Arc<Tx>,
    ) -> Changing {
        self.change_by_transaction(cx, change, signed)
    }
    fn is_member(&self) -> bool {
        self.group.is_member()
    }
    fn links(&self, known: u64) -> Vec<Arc<Committed>> {
        self.site().roster.links(known)
    }
    fn proven_state(&self) -> Option<ProvenState> {
        self.past.proven_state()
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

impl std::fmt::Debug for BftSmartReplica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BftSmartReplica")
            .field("regency", &self.regency)
            .field("active", &self.active)
            .field("executed", &self.past.executed)
            .field("stable", &self.stable())
            .finish_non_exhaustive()
    }
}
