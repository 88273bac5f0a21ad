//! The replica: its state, and which transition an event leads to.

use super::block::Block;
use super::catch_up::CatchUp;
use super::config::{CliqueOptions, Group, MAX_FOLLOWERS};
use super::message::{Body, Message};
use super::read::Reads;
use super::receive::Waiting;
use super::recovery::Silent;
use super::sealing::Plan;
use super::signers::Signers;
use super::tree::{Leaf, Tree};
use crate::consensus::journal::Journal;
use crate::consensus::mempool::Mempool;
use crate::consensus::{Changing, MemberChange, Replica, ReplicaConfig};
use crate::ledger::Snapshot;
use consim_core::{
    CodecError, Context, Digest, Event, NodeId, Payload, Probe, Process, Span, TimerKey, Tx,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Looks after what may have been lost.
pub(super) const TICK: TimerKey = TimerKey(0);
/// A block may be sealed.
pub(super) const SEAL_TIMER: TimerKey = TimerKey(1);
/// The time of a block that came early is here.
pub(super) const FUTURE_TIMER: TimerKey = TimerKey(2);
/// What was submitted in the handlers of one instant is sent together.
pub(super) const FORWARD_TIMER: TimerKey = TimerKey(3);

/// A Clique replica. The sub-protocols stand in files of their own and share this state.
pub struct CliqueReplica {
    pub(super) group: Group,
    /// What is not final yet.
    pub(super) tree: Tree,
    /// What is: block h at place h - 1.
    pub(super) chain: Vec<Arc<Block>>,
    /// The last height with transactions that is final.
    pub(super) last_filled: u64,
    /// Whose turn it was to seal next when that became final, numbered so that a number means the same
    /// everywhere. Empty blocks do not count: they come while something waits for those that follow it.
    pub(super) turn: (u64, NodeId),
    pub(super) plan: Plan,
    pub(super) waiting: Waiting,
    pub(super) mempool: Mempool,
    /// Blocks that may be sent once they are on disk.
    pub(super) journal: Journal<Arc<Block>>,
    /// Those of them that are not: nobody may hear of them in any other way either.
    pub(super) unsaid: BTreeSet<Digest>,
    /// The place of the next block on disk that is not final.
    pub(super) place: u64,
    pub(super) catch_up: CatchUp,
    pub(super) reads: Reads,
    /// Who gets blocks: the signers, those of the genesis, and who asked.
    pub(super) audience: Arc<[NodeId]>,
    /// Who else asked.
    pub(super) followers: BTreeSet<NodeId>,
    /// The change that the administrator asked for.
    pub(super) proposed: Option<MemberChange>,
    /// Set while it must not seal: its disk may have forgotten what it sealed.
    pub(super) silent: Option<Silent>,
    /// Its disk is of another chain: nothing is written to it.
    pub(super) foreign: bool,
    /// Submitted and not yet sent on.
    pub(super) outbox: Vec<Arc<Tx>>,
    forward_timer: bool,
    said: Vec<Arc<Block>>,
}

/// What the first block follows.
pub(super) fn genesis(group: &Group) -> Leaf {
    let mut bytes = group.chain.0.to_be_bytes().to_vec();
    for member in group.members.iter() {
        bytes.extend(member.0.to_be_bytes());
    }
    let id = Digest::of_parts(&[b"consim clique genesis 1", &bytes]);
    Leaf::genesis(id, Signers::new(Arc::clone(&group.members)))
}

impl CliqueReplica {
    /// A replica that has not started.
    pub fn new(config: ReplicaConfig, options: CliqueOptions) -> Self {
        let mempool = Mempool::new(config.mempool);
        let group = Group::new(config, options);
        let genesis = genesis(&group);
        Self {
            turn: (1, genesis.signers.in_turn(1)),
            tree: Tree::new(options.fork_choice, genesis),
            chain: Vec::new(),
            last_filled: 0,
            plan: Plan::default(),
            waiting: Waiting::default(),
            mempool,
            journal: Journal::default(),
            unsaid: BTreeSet::new(),
            place: 0,
            catch_up: CatchUp::default(),
            reads: Reads::default(),
            audience: Arc::clone(&group.members),
            followers: BTreeSet::new(),
            proposed: None,
            silent: None,
            foreign: false,
            outbox: Vec::new(),
            forward_timer: false,
            said: Vec::new(),
            group,
        }
    }

    /// The last height that is final here.
    pub(super) fn final_height(&self) -> u64 {
        self.tree.root().height
    }
    /// Who may seal the next block of the best branch.
    pub(super) fn signers(&self) -> &Arc<Signers> {
        &self.tree.head().signers
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
        cx.multicast(&self.audience, message);
    }
    pub(super) fn send(&self, cx: &mut Context<'_>, to: NodeId, body: Body) {
        if to != self.group.me {
            let message = self.message(body);
            cx.send(to, message);
        }
    }
    pub(super) fn set_forward_timer(&mut self, cx: &mut Context<'_>) {
        if !self.forward_timer {
            self.forward_timer = true;
            cx.set_timer(FORWARD_TIMER, Span::ZERO);
        }
    }
    /// Somebody who is no signer wants blocks.
    pub(super) fn follow(&mut self, node: NodeId) {
        if node != self.group.me
            && !self.audience.contains(&node)
            && self.followers.len() < MAX_FOLLOWERS
        {
            self.followers.insert(node);
            self.meet();
        }
    }
    /// The signers, or the followers, are others.
    pub(super) fn meet(&mut self) {
        let signers = self.signers().list.iter().chain(self.group.members.iter());
        let all: BTreeSet<NodeId> = signers.chain(&self.followers).copied().collect();
        self.audience = all.into_iter().collect();
    }

    /// The probe of whose turn it is.
    pub(super) fn tell_turn(&self, cx: &mut Context<'_>) {
        let (view, leader) = self.turn;
        cx.emit(Probe::View {
            chain: self.group.chain,
            view,
            leader,
        });
    }
    /// The probe of a branch that was left; of none, which says that there are branches at all.
    pub(super) fn tell_left(&self, cx: &mut Context<'_>, depth: usize) {
        cx.emit(Probe::Reorganised {
            chain: self.group.chain,
            depth: depth as u64,
        });
    }

    // ---- dispatch ------------------------------------------------------------------------------

    fn receive(&mut self, cx: &mut Context<'_>, from: NodeId, body: &Body) {
        match body {
            Body::Block(block) => self.on_block(cx, from, block),
            Body::Forward { txs } => self.on_forward(cx, txs),
            Body::Status(status) => self.on_status(cx, from, status),
            Body::Fetch { from: first, id } => self.on_fetch(cx, from, *first, id),
            Body::Branch { blocks } => self.on_branch(cx, from, blocks),
            Body::ReadAsk { number } => self.on_read_ask(cx, from, *number),
            Body::ReadAt { number, height } => self.on_read_at(from, *number, *height),
            Body::Propose(change) => self.on_propose(from, change),
        }
    }

    fn timer(&mut self, cx: &mut Context<'_>, key: TimerKey) {
        match key {
            TICK => self.on_tick(cx),
            FUTURE_TIMER => self.on_future_timer(cx),
            FORWARD_TIMER => {
                self.forward_timer = false;
                self.send_outbox(cx);
            }
            // Whether it is time is looked at after each event.
            _ => {}
        }
    }
}

impl Process for CliqueReplica {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Message { from, payload } => {
                let message = payload.as_any().downcast_ref::<Message>();
                if let Some(message) = message.filter(|m| m.chain == self.group.chain)
                    && from != self.group.me
                {
                    self.receive(cx, from, &message.body);
                }
            }
            Event::Request(_) => {}
            Event::Persisted(token) => {
                let mut said = std::mem::take(&mut self.said);
                self.journal.persisted(token, &mut said);
                for block in said.drain(..) {
                    self.unsaid.remove(&block.id());
                    self.multicast(cx, Body::Block(block));
                }
                self.said = said;
            }
            Event::Timer(key) => self.timer(cx, key),
            Event::Start => {
                self.mark_started();
                self.tell_left(cx, 0);
                self.tell_turn(cx);
                if !self.is_member() {
                    // Who is to join asks those of the genesis for the chain.
                    self.ask_everybody(cx);
                }
                cx.set_timer(TICK, self.group.tick());
            }
            Event::Recover(disk) => {
                self.recover(cx, disk);
                cx.set_timer(TICK, self.group.tick());
            }
            Event::Scrubbed(disk) => self.scrubbed(cx, disk),
        }
        self.try_seal(cx);
        self.journal.flush(cx);
    }
    fn longest_wait(&self) -> Span {
        let majority = self.group.majority(self.signers().len());
        self.group.options.period + self.group.options.longest_wiggle(majority)
    }
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        Ok(Arc::new(Message::decode(bytes)?))
    }
}

impl Replica for CliqueReplica {
    fn submit(&mut self, cx: &mut Context<'_>, tx: Arc<Tx>) -> bool {
        if self.mempool.ordered(tx.id()) || self.mempool.holds(tx.id()) {
            return true;
        }
        if !self.admit(cx, &tx, true) {
            return false;
        }
        self.outbox.push(tx);
        self.set_forward_timer(cx);
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
        true
    }
    fn executed(&mut self, _: &mut Context<'_>, _: u64, _: &dyn Fn() -> Snapshot) {}
    fn leader(&self) -> (u64, NodeId) {
        self.turn
    }
    fn decided_by_now(&self) -> u64 {
        self.last_filled_on_branch()
    }
    fn read(&mut self, cx: &mut Context<'_>, number: u64) -> Option<u64> {
        self.begin_read(cx, number)
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
        self.asked_to_change(cx, change)
    }
    fn is_member(&self) -> bool {
        self.tree.root().signers.contains(self.group.me)
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

impl std::fmt::Debug for CliqueReplica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CliqueReplica")
            .field("final", &self.final_height())
            .field("head", &self.tree.head().height)
            .field("total", &self.tree.head().total)
            .finish_non_exhaustive()
    }
}
