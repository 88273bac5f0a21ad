//! The replica: its state, and which transition an event leads to.

use super::config::{Group, RaftOptions};
use super::journal::{COMMIT, Record, STARTED, Said, VOTE};
use super::log::RaftLog;
use super::membership::Configuration;
use super::message::{Body, Message};
use super::progress::Leading;
use super::read::Reads;
use super::recovery::Silent;
use super::seeded;
use super::snapshot::Snapshots;
use crate::consensus::journal::Journal;
use crate::consensus::mempool::Mempool;
use crate::consensus::{Changing, MemberChange, Replica, ReplicaConfig};
use crate::ledger::Snapshot;
use consim_core::{
    CodecError, Context, Event, NodeId, Payload, Probe, Process, Time, TimerKey, Tx, Write,
};
use rand_chacha::rand_core::Rng as _;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The election timer. It runs in two parts: for the least timeout, after which a leader is taken to
/// be gone, and then for a random time, after which the replica stands for election.
pub(super) const ELECTION_TIMER: TimerKey = TimerKey(0);
/// A leader says that it is alive.
pub(super) const HEARTBEAT_TIMER: TimerKey = TimerKey(1);
/// The oldest transaction has waited long enough for a block.
pub(super) const BATCH_TIMER: TimerKey = TimerKey(2);
/// What was submitted in the handlers of one instant is sent together.
pub(super) const FORWARD_TIMER: TimerKey = TimerKey(3);
/// Looks after what waits for too long.
pub(super) const TICK: TimerKey = TimerKey(4);
/// The lease is over.
pub(super) const LEASE_TIMER: TimerKey = TimerKey(5);

/// What a replica is in its term (figure 4).
#[derive(Debug)]
pub(super) enum Role {
    /// It follows a leader, or waits for one.
    Follower,
    /// It asks whether it could win; who said yes.
    PreCandidate(BTreeSet<NodeId>),
    /// It stands for election; who voted for it.
    Candidate(BTreeSet<NodeId>),
    /// It leads.
    Leader(Box<Leading>),
}

/// A Raft replica. The sub-protocols stand in files of their own and share this state.
pub struct RaftReplica {
    pub(super) group: Group,
    /// Who decides: the last configuration in the log, committed or not (section 6).
    pub(super) configuration: Arc<Configuration>,
    /// All in it.
    pub(super) everybody: Arc<[NodeId]>,
    /// Configurations in the log, by their index; the first is the one below all.
    pub(super) configurations: Vec<(u64, Arc<Configuration>)>,
    pub(super) term: u64,
    pub(super) voted: Option<NodeId>,
    /// The term that is on disk.
    pub(super) durable_term: u64,
    pub(super) role: Role,
    pub(super) leader: Option<NodeId>,
    /// Heard from a leader, or voted, within the least election timeout?
    pub(super) fresh: bool,
    /// It came back within it, and may have heard from a leader that trusts in a lease.
    pub(super) back: bool,
    pub(super) log: RaftLog,
    /// The index of the entry before the first in the log on disk.
    pub(super) stored_base: u64,
    /// The log is on disk up to here.
    pub(super) durable: u64,
    /// How often it was truncated.
    pub(super) cuts: u64,
    /// It is known to agree with the leader's of this term up to here.
    pub(super) agreed: u64,
    pub(super) commit: u64,
    /// What was handed up.
    pub(super) executed: u64,
    /// What is said on disk to be committed.
    pub(super) noted: u64,
    pub(super) journal: Journal<Said>,
    pub(super) mempool: Mempool,
    pub(super) outbox: Vec<Arc<Tx>>,
    pub(super) batch_timer: Option<Time>,
    forward_timer: bool,
    pub(super) reads: Reads,
    pub(super) snapshots: Snapshots,
    /// Set while it must not vote: its disk forgot what it promised.
    pub(super) silent: Option<Silent>,
}

impl RaftReplica {
    /// A replica that has not started.
    pub fn new(config: ReplicaConfig, options: RaftOptions) -> Self {
        let mempool = Mempool::new(config.mempool);
        let group = Group::new(config, options);
        let configuration = Arc::new(Configuration::of(Arc::clone(&group.members)));
        Self {
            everybody: configuration.everybody(),
            configurations: vec![(0, Arc::clone(&configuration))],
            configuration,
            term: 0,
            voted: None,
            durable_term: 0,
            role: Role::Follower,
            leader: None,
            fresh: false,
            back: false,
            log: RaftLog::default(),
            stored_base: 0,
            durable: 0,
            cuts: 0,
            agreed: 0,
            commit: 0,
            executed: 0,
            noted: 0,
            journal: Journal::default(),
            mempool,
            outbox: Vec::new(),
            batch_timer: None,
            forward_timer: false,
            reads: Reads::default(),
            snapshots: Snapshots::default(),
            silent: None,
            group,
        }
    }

    // ---- sending -------------------------------------------------------------------------------

    fn message(&self, term: u64, body: Body) -> Arc<dyn Payload> {
        Arc::new(Message {
            chain: self.group.chain,
            term,
            body,
        })
    }
    pub(super) fn multicast(&self, cx: &mut Context<'_>, body: Body) {
        let message = self.message(self.term, body);
        cx.multicast(&self.everybody, message);
    }
    pub(super) fn multicast_in(&self, cx: &mut Context<'_>, term: u64, body: Body) {
        let message = self.message(term, body);
        cx.multicast(&self.everybody, message);
    }
    pub(super) fn send(&self, cx: &mut Context<'_>, to: NodeId, body: Body) {
        self.send_in(cx, self.term, to, body);
    }
    pub(super) fn send_in(&self, cx: &mut Context<'_>, term: u64, to: NodeId, body: Body) {
        let message = self.message(term, body);
        cx.send(to, message);
    }

    // ---- terms ---------------------------------------------------------------------------------

    pub(super) fn leads(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }
    /// Term and vote go to disk.
    pub(super) fn write_vote(&mut self) {
        if seeded::on(&seeded::VOTE_IN_MEMORY) {
            return;
        }
        let record = Record::Vote {
            term: self.term,
            voted: self.voted,
        };
        self.journal.write(Write::cell(VOTE, 0, Arc::new(record)));
    }
    /// A later term begins (section 5.1).
    pub(super) fn enter_term(&mut self, term: u64) {
        self.term = term;
        self.voted = None;
        self.write_vote();
        self.journal.then(Said::Term(term));
    }
    /// Follows, in the present term; `None`: nobody is known to lead.
    pub(super) fn follow(&mut self, cx: &mut Context<'_>, leader: Option<NodeId>) {
        let led = matches!(
            std::mem::replace(&mut self.role, Role::Follower),
            Role::Leader(_)
        );
        if led {
            cx.cancel_timer(HEARTBEAT_TIMER);
            cx.cancel_timer(LEASE_TIMER);
            self.mempool.next_view();
        }
        self.agreed = self.commit;
        self.leader = leader;
        if let Some(leader) = leader {
            cx.emit(Probe::View {
                chain: self.group.chain,
                view: self.term,
                leader,
            });
            self.outbox.clear();
            let charges = self.mempool.charges();
            self.forward(cx, charges, Some(leader));
        } else if led {
            self.fresh = false;
            self.start_election_timer(cx, false);
        }
    }
    /// Starts the election timer afresh: with its first part if a leader was heard, or a vote given.
    pub(super) fn start_election_timer(&mut self, cx: &mut Context<'_>, heard: bool) {
        self.fresh = heard;
        let timeout = self.group.timeout;
        let after = if heard { timeout } else { self.second_part(cx) };
        cx.set_timer(ELECTION_TIMER, after);
    }
    /// A random time up to the least timeout.
    fn second_part(&mut self, cx: &mut Context<'_>) -> consim_core::Span {
        let timeout = self.group.timeout.nanos();
        if seeded::on(&seeded::TIMERS_NOT_RANDOM) {
            return consim_core::Span::from_nanos(timeout / 2);
        }
        consim_core::Span::from_nanos(1 + cx.rng().next_u64() % timeout)
    }
    fn on_election_timer(&mut self, cx: &mut Context<'_>) {
        if self.leads() {
            return;
        }
        if self.fresh || self.back {
            self.back = false;
            return self.start_election_timer(cx, false);
        }
        self.stand(cx, false);
    }
    /// A message of a later term.
    pub(super) fn step_down(&mut self, cx: &mut Context<'_>, term: u64) {
        self.enter_term(term);
        self.follow(cx, None);
    }

    // ---- dispatch ------------------------------------------------------------------------------

    fn begin(&mut self, cx: &mut Context<'_>) {
        self.start_election_timer(cx, self.back);
        cx.set_timer(TICK, self.group.tick());
    }

    fn hear(&mut self, cx: &mut Context<'_>, from: NodeId, payload: &Arc<dyn Payload>) {
        let Some(message) = payload.as_any().downcast_ref::<Message>() else {
            return;
        };
        if message.chain != self.group.chain || from == self.group.me {
            return;
        }
        let term = message.term;
        match &message.body {
            Body::RequestVote {
                pre,
                transfer,
                last,
                last_term,
            } => {
                let mark = (*last, *last_term);
                if *pre {
                    self.on_pre_vote(cx, from, term, mark);
                } else {
                    self.on_request_vote(cx, from, term, *transfer, mark);
                }
            }
            Body::Vote { pre, granted, .. } => self.on_vote(cx, from, term, *pre, *granted),
            Body::Forward { txs, to_all } => self.on_forward(cx, txs, *to_all),
            Body::Rejoin => self.on_rejoin(cx, from),
            Body::Stands { leads } => self.on_stands(cx, from, term, *leads),
            Body::ReadIndex { number } => self.on_read_index(cx, from, *number),
            Body::ReadFrom { number, index } => self.reads.on_read_from(from, *number, *index),
            // It does not know yet in which terms it took part.
            _ if self.must_not_follow() => {}
            Body::Append { .. } | Body::Heartbeat { .. } | Body::Snapshot { .. } => {
                if self.on_leader(cx, from, term) {
                    self.of_leader(cx, from, &message.body);
                }
            }
            Body::TimeoutNow => {
                if term == self.term && self.leader == Some(from) {
                    self.stand(cx, true);
                }
            }
            Body::Appended { .. }
            | Body::Conflict { .. }
            | Body::Alive { .. }
            | Body::FetchParts { .. }
            | Body::Parts { .. } => {
                if term > self.term {
                    self.step_down(cx, term);
                } else if term == self.term {
                    self.of_follower(cx, from, &message.body);
                }
            }
        }
    }

    fn of_leader(&mut self, cx: &mut Context<'_>, from: NodeId, body: &Body) {
        match body {
            Body::Append {
                prev,
                prev_term,
                commit,
                entries,
                ..
            } => self.on_append(cx, from, (*prev, *prev_term), *commit, entries),
            Body::Heartbeat { commit, round } => self.on_heartbeat(cx, from, *commit, *round),
            Body::Snapshot {
                index,
                last_term,
                members,
                head,
            } => self.on_snapshot(cx, from, (*index, *last_term), members, head),
            _ => {}
        }
    }

    fn of_follower(&mut self, cx: &mut Context<'_>, from: NodeId, body: &Body) {
        match body {
            Body::Appended { matched } => self.on_appended(cx, from, *matched),
            Body::Conflict { prev, term, first } => {
                self.on_conflict(cx, from, *prev, *term, *first);
            }
            Body::Alive { round } => self.on_alive(cx, from, *round),
            Body::FetchParts { index, wanted } => self.on_fetch_parts(cx, from, *index, wanted),
            Body::Parts { index, parts } => self.on_parts(cx, from, *index, parts),
            _ => {}
        }
    }

    fn say(&mut self, cx: &mut Context<'_>, said: Said) {
        match said {
            Said::Term(term) => self.durable_term = self.durable_term.max(term),
            Said::Stand { term, transfer } => self.say_stand(cx, term, transfer),
            Said::Vote { term, to } => self.say_vote(cx, term, to),
            Said::Stored { index, cuts } => {
                if cuts == self.cuts {
                    self.durable = self.durable.max(index);
                }
                self.try_commit(cx);
            }
            Said::Appended {
                term,
                leader,
                index,
                cuts,
            } => {
                if cuts == self.cuts {
                    self.durable = self.durable.max(index);
                }
                // Who has promised a later term no more helps to commit in this one.
                if term == self.term && self.leader == Some(leader) {
                    let matched = self.agreed.min(self.durable);
                    self.send(cx, leader, Body::Appended { matched });
                    self.try_end_silence(cx);
                }
            }
            Said::Alive {
                term,
                leader,
                round,
            } => {
                if term == self.term {
                    self.send(cx, leader, Body::Alive { round });
                }
            }
        }
    }

    /// Writes what there is to write, and says what waits for no write.
    pub(super) fn flush(&mut self, cx: &mut Context<'_>) {
        loop {
            let said = self.journal.at_once();
            if said.is_empty() {
                break;
            }
            for said in said {
                self.say(cx, said);
            }
        }
        if !self.journal.is_idle() {
            self.note_commit();
        }
        self.journal.flush(cx);
    }

    /// How far is committed goes to disk with whatever else is written: nobody waits for it.
    fn note_commit(&mut self) {
        if self.executed > self.noted {
            self.noted = self.executed;
            let record = Record::Commit(self.noted);
            self.journal.write(Write::cell(COMMIT, 0, Arc::new(record)));
        }
    }

    fn timer(&mut self, cx: &mut Context<'_>, key: TimerKey) {
        match key {
            ELECTION_TIMER => self.on_election_timer(cx),
            HEARTBEAT_TIMER => self.on_heartbeat_timer(cx),
            LEASE_TIMER => {
                if let Role::Leader(leading) = &mut self.role {
                    leading.lease = false;
                }
            }
            BATCH_TIMER => {
                self.batch_timer = None;
                self.try_propose(cx);
            }
            FORWARD_TIMER => {
                self.forward_timer = false;
                self.send_outbox(cx);
                self.try_propose(cx);
            }
            TICK => {
                cx.set_timer(TICK, self.group.tick());
                self.resend_due(cx);
                self.ask_to_rejoin(cx);
                self.snapshots_tick(cx);
                self.note_commit();
            }
            _ => {}
        }
    }
}

impl Process for RaftReplica {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Message { from, payload } => self.hear(cx, from, payload),
            Event::Request(_) => {}
            Event::Persisted(token) => {
                let mut said = Vec::new();
                self.journal.persisted(token, &mut said);
                for said in said {
                    self.say(cx, said);
                }
            }
            Event::Timer(key) => self.timer(cx, key),
            Event::Start => {
                let mark = Arc::new(Record::Started);
                self.journal.write(Write::cell(STARTED, 0, mark));
                self.begin(cx);
            }
            Event::Recover(disk) => {
                self.recover(cx, disk);
                self.begin(cx);
            }
            Event::Scrubbed(disk) => self.scrubbed(cx, disk),
        }
        self.flush(cx);
    }
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        Ok(Arc::new(Message::decode(bytes)?))
    }
}

impl Replica for RaftReplica {
    fn submit(&mut self, cx: &mut Context<'_>, tx: Arc<Tx>) -> bool {
        if self.mempool.ordered(tx.id()) || self.mempool.holds(tx.id()) {
            return true;
        }
        if !self.is_member() || !self.admit(cx, &tx, true) {
            return false;
        }
        self.outbox.push(tx);
        if !self.forward_timer {
            self.forward_timer = true;
            cx.set_timer(FORWARD_TIMER, consim_core::Span::ZERO);
        }
        true
    }
    fn share(&mut self, cx: &mut Context<'_>, tx: Arc<Tx>) -> bool {
        if self.mempool.ordered(tx.id()) || self.mempool.holds(tx.id()) {
            return true;
        }
        if !self.is_member() || !self.admit(cx, &tx, false) {
            return false;
        }
        if !self.forward_timer {
            self.forward_timer = true;
            cx.set_timer(FORWARD_TIMER, consim_core::Span::ZERO);
        }
        true
    }
    fn executed(&mut self, cx: &mut Context<'_>, sequence: u64, state: &dyn Fn() -> Snapshot) {
        self.on_executed(cx, sequence, state);
        self.flush(cx);
    }
    fn leader(&self) -> (u64, NodeId) {
        (self.term, self.leader.unwrap_or(self.group.me))
    }
    fn known_leader(&self) -> Option<(u64, NodeId)> {
        self.leader.map(|leader| (self.term, leader))
    }
    fn read(&mut self, cx: &mut Context<'_>, number: u64) -> Option<u64> {
        let from = self.begin_read(cx, number);
        self.flush(cx);
        from
    }
    fn take_reads(&mut self) -> Vec<(u64, u64)> {
        self.reads.take()
    }
    fn change_members(
        &mut self,
        cx: &mut Context<'_>,
        change: &MemberChange,
        _: &Arc<Tx>,
    ) -> Changing {
        let changing = self.asked_to_change(cx, change);
        self.flush(cx);
        changing
    }
    fn is_member(&self) -> bool {
        Self::is_member(self)
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

impl std::fmt::Debug for RaftReplica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RaftReplica")
            .field("term", &self.term)
            .field("leader", &self.leader)
            .field("last", &self.log.last())
            .field("commit", &self.commit)
            .finish_non_exhaustive()
    }
}
