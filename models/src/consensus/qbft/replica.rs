//! The replica: its state, and which transition an event leads to.

use super::change::RoundChange;
use super::config::{Group, MAX_FUTURE, QbftOptions};
use super::journal::{Said, Votes};
use super::message::{Body, Message};
use super::rounds::{Phase, Rounds};
use crate::consensus::journal::Journal;
use crate::consensus::members::PerMember;
use crate::consensus::mempool::Mempool;
use crate::consensus::sync::{Past, Syncs as _};
use crate::consensus::{Changing, MemberChange, Replica, ReplicaConfig};
use crate::ledger::Snapshot;
use crate::light::ProvenState;
use consim_core::{
    Batch, Certificate, CodecError, Committed, Context, Digest, Event, NodeId, Payload, Probe,
    Process, Span, Time, TimerKey, Tx,
};
use std::sync::Arc;

/// Looks after what may have been lost.
pub(super) const TICK: TimerKey = TimerKey(0);
/// `timer`: the round takes too long.
pub(super) const ROUND_TIMER: TimerKey = TimerKey(1);
/// The time has come for a block.
pub(super) const BATCH_TIMER: TimerKey = TimerKey(2);
/// What was submitted in the handlers of one instant is sent together.
pub(super) const FORWARD_TIMER: TimerKey = TimerKey(3);
/// Something waits, and nothing may have come of it.
pub(super) const REPEAT_TIMER: TimerKey = TimerKey(4);

/// `pv`, with the prepares of `pr`.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub(super) proof: Arc<Certificate>,
    pub(super) batch: Arc<Batch>,
}

/// A QBFT or IBFT 2.0 replica. The sub-protocols stand in files of their own and share this state.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something of its own, together they are no state"
)]
pub struct QbftReplica {
    pub(super) group: Group,
    /// `r`; the instance, the height, follows from what is decided.
    pub(super) round: u64,
    /// What was signed in this height, or in a later one if the log was cut off.
    pub(super) votes: Votes,
    /// `pr` and `pv`.
    pub(super) prepared: Option<Prepared>,
    pub(super) rounds: Rounds,
    /// The ROUND-CHANGE of the highest round of each member in this height, each in order.
    pub(super) changes: PerMember<Option<Arc<RoundChange>>>,
    /// The own one, once it is on disk, to be said again.
    pub(super) said_change: Option<Arc<dyn Payload>>,
    /// The PROPOSAL that was prepared last, as it is on disk.
    pub(super) written: Option<Arc<dyn Payload>>,
    /// The body on disk beside it.
    pub(super) body: Option<Digest>,
    /// What is decided.
    pub(super) past: Past,
    pub(super) journal: Journal<Said>,
    /// Rounds of heights up to there that came to nothing, as far as it knows.
    pub(super) failed: u64,
    pub(super) mempool: Mempool,
    /// A batch of its own that it put forward in this round.
    pub(super) own: Option<Arc<Batch>>,
    /// Submitted and not yet sent on.
    pub(super) outbox: Vec<Arc<Tx>>,
    /// When this height began.
    pub(super) began: Time,
    /// When a round began last.
    pub(super) progress_at: Time,
    /// When something was decided last.
    pub(super) decided_at: Time,
    /// When the round timer expires, while it runs.
    pub(super) expires: Option<Time>,
    /// The seeded bug: it does not run any more.
    pub(super) timer_lost: bool,
    pub(super) batch_timer: Option<Time>,
    forward_timer: bool,
    pub(super) repeating: bool,
    /// Messages of rounds and heights to come, and how many of each member.
    future: Vec<(usize, Arc<dyn Payload>)>,
    future_of: PerMember<u16>,
    /// Are kept messages being handled, and is there reason to go through them once more?
    replaying: bool,
    again: bool,
    said: Vec<Said>,
}

impl QbftReplica {
    /// A replica that has not started.
    pub fn new(config: ReplicaConfig, options: QbftOptions) -> Self {
        let mempool = Mempool::new(config.mempool);
        let keep = config.keep;
        let group = Group::new(config, options);
        let n = group.len();
        Self {
            round: 0,
            votes: Votes::default(),
            prepared: None,
            rounds: Rounds::default(),
            changes: PerMember::new(n, None),
            said_change: None,
            written: None,
            body: None,
            past: Past::new(n, keep),
            journal: Journal::default(),
            failed: 0,
            mempool,
            own: None,
            outbox: Vec::new(),
            began: Time::ZERO,
            progress_at: Time::ZERO,
            decided_at: Time::ZERO,
            expires: None,
            timer_lost: false,
            batch_timer: None,
            forward_timer: false,
            repeating: false,
            future: Vec::new(),
            future_of: PerMember::new(n, 0),
            replaying: false,
            again: false,
            said: Vec::new(),
            group,
        }
    }

    /// The height that is under way.
    pub(super) fn height(&self) -> u64 {
        self.past.executed.saturating_add(1)
    }
    /// Does it propose in its round?
    pub(super) fn proposes(&self) -> bool {
        self.group.proposer(self.height(), self.round) == self.group.me
    }
    /// May it sign in this height? A replica whose log was cut off below what it signed knows of its later
    /// votes alone.
    pub(super) fn may_vote(&self) -> bool {
        self.past.silent.is_none() && self.votes.height <= self.height() && self.group.is_member()
    }
    /// `pr` and `pv` of this height.
    pub(super) fn prepared(&self) -> Option<&Prepared> {
        let here = |prepared: &&Prepared| prepared.proof.sequence == self.height();
        self.prepared.as_ref().filter(here)
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

    /// Keeps a message until its height and its round are under way.
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
    /// Handles what was kept, now that another height or round is under way.
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

    /// The number by which others than replicas know the round: one more with each.
    pub(super) fn view(&self) -> u64 {
        let before = self.height().saturating_add(self.failed);
        before.saturating_add(self.round)
    }

    fn receive(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        message: &Message,
        payload: &Arc<dyn Payload>,
    ) {
        match &message.body {
            Body::Proposal {
                proposal,
                justification,
            } => self.on_proposal(cx, from, proposal, justification.as_ref(), payload),
            Body::Prepare(ballot) => self.on_vote(cx, from, Phase::Prepare, ballot, payload),
            Body::Commit(ballot) => self.on_vote(cx, from, Phase::Commit, ballot, payload),
            Body::RoundChange(change) => self.on_round_change(cx, from, change, payload),
            Body::Checkpoint(ballot) => self.on_checkpoint(cx, from, ballot),
            Body::Forward { txs, .. } => self.on_forward(cx, txs),
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

    fn timer(&mut self, cx: &mut Context<'_>, key: TimerKey) {
        match key {
            TICK => self.on_tick(cx),
            ROUND_TIMER => self.on_round_timer(cx),
            BATCH_TIMER => {
                self.batch_timer = None;
                self.try_propose(cx);
            }
            FORWARD_TIMER => {
                self.forward_timer = false;
                self.send_outbox(cx);
                self.try_propose(cx);
            }
            REPEAT_TIMER => self.on_repeat_timer(cx),
            _ => {}
        }
    }
}

impl Process for QbftReplica {
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
                    self.say(cx, &said);
                }
                self.said = said;
            }
            Event::Timer(key) => self.timer(cx, key),
            Event::Start => {
                self.mark_started();
                self.begin_height(cx);
                cx.set_timer(TICK, self.group.tick());
            }
            Event::Recover(disk) => {
                self.recover(cx, disk);
                cx.set_timer(TICK, self.group.tick());
            }
            Event::Scrubbed(disk) => self.scrubbed(cx, disk),
        }
        self.watch(cx);
        self.journal.flush(cx);
    }
    fn longest_wait(&self) -> Span {
        let period = self.group.options.empty_period.unwrap_or_default();
        period.max(self.group.options.period) + self.group.timeout(self.round)
    }
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        Ok(Arc::new(Message::decode(bytes)?))
    }
}

impl Replica for QbftReplica {
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
        let proposer = self.group.proposer(self.height(), self.round);
        (self.view(), self.group.node(proposer))
    }
    fn decided_by_now(&self) -> u64 {
        // Whatever it saw put forward, or may have voted for, may be decided elsewhere.
        let here = self.prepared().is_some() || self.rounds.iter().any(|r| r.digest.is_some());
        let here = if here {
            self.height()
        } else {
            self.past.executed
        };
        // A log that was cut off may end below what it signed.
        let later = self.votes.height > self.height();
        here.max(if later { self.votes.height } else { 0 })
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

impl QbftReplica {
    /// The probe of a round.
    pub(super) fn tell_view(&self, cx: &mut Context<'_>) {
        let proposer = self.group.proposer(self.height(), self.round);
        cx.emit(Probe::View {
            chain: self.group.chain,
            view: self.view(),
            leader: self.group.node(proposer),
        });
    }
}

impl std::fmt::Debug for QbftReplica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QbftReplica")
            .field("height", &self.height())
            .field("round", &self.round)
            .field("stable", &self.stable())
            .finish_non_exhaustive()
    }
}
