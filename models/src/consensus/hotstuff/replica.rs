//! The replica: its state, and which transition an event leads to.

use super::awaited::Awaited;
use super::catch_up::CatchUp;
use super::checkpoint::CheckpointVotes;
use super::config::{Group, HotStuffOptions};
use super::journal::Said;
use super::leader::Record;
use super::message::{Body, Head, Message};
use super::pacemaker::Pacemaker;
use super::proposal::Proposal;
use super::recovery::Silent;
use super::safety::Safety;
use super::tree::Tree;
use super::votes::Votes;
use crate::consensus::committed::Log;
use crate::consensus::journal::Journal;
use crate::consensus::mempool::Mempool;
use crate::consensus::payload::{Layer, Spread};
use crate::consensus::sync::{States, Transfer};
use crate::consensus::{Replica, ReplicaConfig};
use crate::ledger::Snapshot;
use consim_core::{
    CodecError, Context, Digest, Event, NodeId, Payload, Process, Span, Time, TimerKey, Tx,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Looks after what may have been lost.
pub(super) const TICK: TimerKey = TimerKey(0);
/// The view makes no progress.
pub(super) const VIEW_TIMER: TimerKey = TimerKey(1);
/// The oldest transaction has waited long enough for a block.
pub(super) const BATCH_TIMER: TimerKey = TimerKey(2);
/// What was submitted in the handlers of one instant is sent together.
pub(super) const FORWARD_TIMER: TimerKey = TimerKey(3);
/// The oldest transaction has waited long enough for a batch of the mempool layer.
pub(super) const SEAL_TIMER: TimerKey = TimerKey(4);

/// A proposal whose transactions the mempool has as in flight; where they travel in batches, with these.
pub(super) type InFlight = (Arc<Proposal>, Vec<Digest>);

/// A HotStuff replica. The sub-protocols stand in files of their own and share this state.
pub struct HotStuffReplica {
    pub(super) group: Group,
    /// What is on disk before anything is signed: the view, the last vote, the lock.
    pub(super) safety: Safety,
    pub(super) pacemaker: Pacemaker,
    pub(super) tree: Tree,
    /// Certified proposals that wait for those that they build on.
    pub(super) orphans: BTreeMap<Digest, Arc<Proposal>>,
    pub(super) votes: Votes,
    pub(super) journal: Journal<Said>,
    /// The last sequence number that was handed up.
    pub(super) executed: u64,
    /// The last one that came from the disk of an earlier life.
    pub(super) replayed: u64,
    /// The view of the certificate that committed transactions which no proposal has told the others.
    pub(super) untold: Option<u64>,
    /// When something was committed last.
    pub(super) progress_at: Time,
    /// Did a proposal tell everybody the highest certificate?
    pub(super) high_told: bool,
    /// The highest view whose certificate was followed: what it locks and commits is done.
    pub(super) followed: u64,
    /// What was handed up: the service of those that are behind.
    pub(super) log: Log,
    /// The latest committed proposals, newest last, without a gap.
    pub(super) recent: VecDeque<Record>,
    pub(super) checkpoints: States<Head>,
    pub(super) checkpoint_votes: CheckpointVotes,
    pub(super) mempool: Mempool,
    pub(super) in_flight: Vec<InFlight>,
    /// The batches of all members, where transactions travel in such.
    pub(super) layer: Option<Layer>,
    /// A proposal of this view that waits for what it names.
    pub(super) awaited: BTreeMap<Digest, Awaited>,
    pub(super) seal_timer: Option<Time>,
    /// When the last own batch was sealed.
    pub(super) sealed: Option<Time>,
    pub(super) catch_up: CatchUp,
    pub(super) transfer: Transfer<Head>,
    /// Set while it must not sign: its disk was wiped.
    pub(super) silent: Option<Silent>,
    /// A proposal of this view that waits for the one that it builds on.
    pub(super) pending: Option<Arc<Proposal>>,
    /// The own proposal of this view, once it was said.
    pub(super) proposed: Option<Arc<dyn Payload>>,
    /// The proposal of this view that was seen first.
    pub(super) seen: Option<Digest>,
    /// Submitted and not yet sent on.
    pub(super) outbox: Vec<Arc<Tx>>,
    pub(super) batch_timer: Option<Time>,
    forward_timer: bool,
    said: Vec<Said>,
}

impl HotStuffReplica {
    /// A replica that has not started.
    pub fn new(config: ReplicaConfig, options: HotStuffOptions) -> Self {
        let limits = config.mempool;
        let log = Log::new(config.keep);
        let group = Group::new(config, options);
        let n = group.len();
        let layer = match group.spread {
            Some(Spread::Batches(terms)) => Some(Layer::new(
                terms,
                limits,
                group.timeout,
                n,
                group.me,
                group.quorum,
            )),
            _ => None,
        };
        let mut mempool = Mempool::new(limits);
        if group.spread == Some(Spread::Direct) {
            mempool.name_by_digest();
        }
        Self {
            layer,
            awaited: BTreeMap::new(),
            seal_timer: None,
            sealed: None,
            safety: Safety {
                view: 1,
                ..Safety::default()
            },
            pacemaker: Pacemaker::new(n),
            tree: Tree::new(),
            orphans: BTreeMap::new(),
            votes: Votes::default(),
            journal: Journal::default(),
            executed: 0,
            replayed: 0,
            untold: None,
            high_told: true,
            progress_at: Time::ZERO,
            followed: 0,
            log,
            recent: VecDeque::new(),
            checkpoints: States::default(),
            checkpoint_votes: CheckpointVotes::default(),
            mempool,
            in_flight: Vec::new(),
            catch_up: CatchUp::new(n),
            transfer: Transfer::default(),
            silent: None,
            pending: None,
            proposed: None,
            seen: None,
            outbox: Vec::new(),
            batch_timer: None,
            forward_timer: false,
            said: Vec::new(),
            group,
        }
    }

    // ---- sending -------------------------------------------------------------------------------

    pub(super) fn message(&self, body: Body) -> Arc<dyn Payload> {
        Arc::new(Message {
            chain: self.group.chain,
            votes: self.group.vote_kind(),
            body,
        })
    }
    pub(super) fn multicast(&self, cx: &mut Context<'_>, body: Body) {
        let message = self.message(body);
        cx.multicast(&self.group.members, message);
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

    // ---- dispatch ------------------------------------------------------------------------------

    fn receive(&mut self, cx: &mut Context<'_>, from: usize, message: &Message) {
        match &message.body {
            Body::Proposal(proposal) => self.on_proposal(cx, from, proposal),
            Body::Announced(announced) => self.on_announced(cx, from, announced),
            Body::Payload(message) => self.on_payload(cx, from, message),
            Body::Vote(ballot) => self.on_vote(cx, from, ballot),
            Body::Timeout(timeout) => self.on_timeout(cx, from, timeout),
            Body::Checkpoint(ballot) => self.on_checkpoint(cx, from, ballot),
            Body::Forward { txs, to_all } => self.on_forward(cx, txs, *to_all),
            Body::Status(status) => self.on_status(cx, from, status),
            Body::FetchBlocks { from: first } => self.on_fetch_blocks(cx, from, *first),
            Body::Blocks(blocks) => self.on_blocks(cx, from, blocks),
            Body::FetchChain { id, above } => self.on_fetch_chain(cx, from, id, *above),
            Body::Chain {
                proposals,
                executed,
            } => self.on_chain(cx, from, proposals, *executed),
            Body::Branch {
                proposals,
                executed,
            } => self.on_branch(cx, from, proposals, *executed),
            Body::FetchState { sequence, wanted } => {
                self.on_fetch_state(cx, from, *sequence, wanted);
            }
            Body::State(state) => self.on_state(cx, from, state),
        }
    }

    fn say(&mut self, cx: &mut Context<'_>, said: Said) {
        match said {
            Said::Proposal(proposal, vote) => self.say_proposal(cx, &proposal, &vote),
            Said::Vote(ballot) => self.say_vote(cx, &ballot),
            Said::Timeout(timeout) => self.say_timeout(cx, &timeout),
            Said::Stored(digest) => self.on_stored(cx, &digest),
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
            SEAL_TIMER => {
                self.seal_timer = None;
                self.try_seal(cx);
            }
            _ => {}
        }
    }

    fn begin(&mut self, cx: &mut Context<'_>) {
        self.tell_view(cx);
        cx.set_timer(TICK, self.group.tick());
    }
}

impl Process for HotStuffReplica {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Message { from, payload } => {
                let message = payload.as_any().downcast_ref::<Message>();
                let ours =
                    |m: &&Message| m.chain == self.group.chain && m.votes == self.group.vote_kind();
                if let Some(message) = message.filter(ours)
                    && let Some(from) = self.group.index(from).filter(|&i| i != self.group.me)
                {
                    self.receive(cx, from, message);
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

impl Replica for HotStuffReplica {
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
        (
            self.group.told(self.safety.view),
            self.group.node(self.leads_now()),
        )
    }
    fn decided_by_now(&self) -> u64 {
        // A quorum voted for what builds on it, this replica perhaps among them. What holds no
        // transactions may be left for later.
        let vote = self.safety.vote.map(|(_, id)| id);
        let branch = vote.into_iter().flat_map(|id| self.tree.branch(&id));
        let decided = branch.skip(self.group.depth() - 1);
        let full = decided.filter(|p| !p.batch().txs().is_empty());
        full.map(|p| p.sequence())
            .max()
            .unwrap_or(0)
            .max(self.executed)
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

impl std::fmt::Debug for HotStuffReplica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HotStuffReplica")
            .field("view", &self.safety.view)
            .field("voted", &self.safety.voted)
            .field("high", &self.safety.high.view())
            .field("executed", &self.executed)
            .field("tree", &self.tree.len())
            .finish_non_exhaustive()
    }
}
