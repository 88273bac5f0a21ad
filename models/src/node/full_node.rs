//! The process of a full node.

use super::change::Asked;
use super::clients::{Clients, Shows};
use super::marks;
use super::membership::{Genesis, IdentityCertificate, Refusal, Registry};
use super::message::Message;
use super::noticing::{ASK, Noticed, Noticing};
use super::release::Release;
use super::seeded;
use super::service::{Host, Service};
use crate::consensus::{Replica, TIMER_LIMIT, TOKEN_LIMIT};
use crate::ledger::{ExecutedProof, ExecutionCache, Ledger, LedgerConfig};
use crate::light::{self, LightProof};
use consim_core::{
    Batch, Block, ChainId, CodecError, Cohort, Context, Delivery, Disk, Event, Keyring, NodeId,
    OpId, Payload, Probe, Process, Raw, SecretKey, Span, State as _, StateMachine, Tx, TxId, Work,
};
use std::sync::Arc;

/// What a full node is told.
pub struct NodeConfig {
    /// This node.
    pub node: NodeId,
    /// The chain.
    pub chain: ChainId,
    /// The nodes that are, or may become, validators, in node order.
    pub members: Arc<[NodeId]>,
    /// This node's signing key, shared with its replica.
    pub key: Arc<SecretKey>,
    /// Everybody's public keys.
    pub keys: Keyring,
    /// What executes transactions.
    pub machine: Arc<dyn StateMachine>,
    /// Executions that the chain's nodes share.
    pub executions: ExecutionCache,
    /// Whom the chain believes, and its members' certificates.
    pub genesis: Arc<Genesis>,
    /// This node's certificate. A node whose certificate is not in the genesis presents it.
    pub certificate: IdentityCertificate,
    /// The release of the program that it runs, if the members run several and tell each other.
    pub release: Option<Release>,
}

/// A full node: it hosts a replica, executes what the replica orders, and hosts a domain service.
///
/// Events go to the replica, the service or the node itself: messages by their type, timers and
/// writes by their numbers. Messages of senders that are not authenticated reach neither.
pub struct FullNode {
    service: Box<dyn Service>,
    host: NodeHost,
}

/// All of the node but its service, which sees it as its host.
pub(super) struct NodeHost {
    pub(super) config: NodeConfig,
    pub(super) replica: Box<dyn Replica>,
    pub(super) ledger: Ledger,
    pub(super) registry: Registry,
    pub(super) clients: Clients,
    /// A change of the members that is under way and was asked for here.
    pub(super) change: Option<Asked>,
    /// What the registrar said.
    pub(super) noticed: Noticed,
}

impl FullNode {
    /// A node that has not started.
    pub fn new(config: NodeConfig, replica: Box<dyn Replica>, service: Box<dyn Service>) -> Self {
        let mut machine = Arc::clone(&config.machine);
        if seeded::on(&seeded::ITERATION_ORDER) {
            machine = seeded::hash_ordered(machine, config.node);
        }
        let ledger = Ledger::new(LedgerConfig {
            chain: config.chain,
            machine,
            keys: config.keys.clone(),
            executions: config.executions.clone(),
        })
        .governed_by(config.genesis.roots.administrator());
        let registry =
            Registry::new(config.keys.clone(), Arc::clone(&config.genesis)).running(config.release);
        Self {
            service,
            host: NodeHost {
                config,
                replica,
                ledger,
                registry,
                clients: Clients::default(),
                change: None,
                noticed: Noticed::default(),
            },
        }
    }
    /// The same node, with another way to show clients values of the state.
    #[must_use]
    pub fn showing(mut self, shows: Shows) -> Self {
        self.host.clients.shows = Some(shows);
        self
    }
    /// The same node in a run in which the registrar changes whom nodes believe.
    #[must_use]
    pub fn noticing(mut self, how: Noticing) -> Self {
        self.host.noticed.how = Some(how);
        self
    }
    /// The node's ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.host.ledger
    }

    fn open(&mut self, cx: &mut Context<'_>, event: Event<'_>, disk: Option<&Disk>) {
        let host = &mut self.host;
        cx.work(Work::verify_batched(host.registry.open()));
        host.greet(cx);
        host.start_noticing(cx);
        host.replica.handle(cx, event);
        let mut live = None;
        while let Some(delivery) = cx.take_delivery() {
            if !replayed(&delivery) {
                live = Some(delivery);
                break;
            }
            host.execute(cx, &delivery);
        }
        host.ledger.open();
        if disk.is_some() {
            let (height, head) = (host.ledger.height(), host.ledger.head_id());
            cx.emit(Probe::Recovered {
                chain: host.config.chain,
                height,
                head,
            });
        }
        self.service.start(cx, host, disk);
        if let Some(delivery) = live {
            self.deliver(cx, &delivery);
        }
    }

    fn message(&mut self, cx: &mut Context<'_>, from: NodeId, payload: &Arc<dyn Payload>) {
        let host = &mut self.host;
        // The replica's first: nearly all messages are its.
        let ordering = host.replica.owns(&**payload);
        if !ordering && let Some(message) = payload.as_any().downcast_ref() {
            return self.own_message(cx, from, message);
        }
        if !ordering && let Some(raw) = payload.as_any().downcast_ref::<Raw>() {
            return self.read(cx, from, raw);
        }
        if !ordering && let Some(message) = payload.as_any().downcast_ref() {
            return host.show(cx, from, message);
        }
        match host.registry.peer(from, cx.wall_ns()) {
            Ok(()) if ordering => {
                host.let_in(cx, from);
                host.replica.handle(cx, Event::Message { from, payload });
            }
            Err(why) if ordering || !self.service.serves(&**payload) => self.refuse(cx, from, why),
            _ => {
                if self.service.serves(&**payload) {
                    cx.work(Work::requests(1));
                }
                self.service.message(cx, host, from, payload);
            }
        }
    }

    /// Bytes that the transport did not read: what is malformed is refused.
    #[cold]
    fn read(&mut self, cx: &mut Context<'_>, from: NodeId, raw: &Raw) {
        match self.decode(&raw.bytes) {
            Ok(payload) => self.message(cx, from, &payload),
            Err(_) => cx.emit(Probe::Refused {
                from,
                reason: "malformed",
            }),
        }
    }

    fn own_message(&mut self, cx: &mut Context<'_>, from: NodeId, message: &Message) {
        let host = &mut self.host;
        match message {
            Message::Hello(certificate) => {
                if let Err(reason) = host.authenticate(cx, from, certificate) {
                    host.registry.forget(from);
                    self.service.refused(cx, host, from, reason);
                }
            }
            // Only a member may ask: the answer is longer than the question.
            Message::Identify if host.config.members.contains(&from) => {
                cx.send(from, Arc::new(Message::Hello(host.config.certificate)));
                host.tell_release(cx, from);
            }
            // Who hears of another release may have missed this node's.
            Message::Release(release) => {
                if host.registry.tells(from, *release) && host.config.members.contains(&from) {
                    host.tell_release(cx, from);
                }
            }
            Message::Request(tx) | Message::Shared(tx) => {
                cx.work(Work::requests(tx.cohort().count));
                let shared = matches!(message, Message::Shared(_));
                if let Err(why) = host.requested(cx, from, tx, shared) {
                    self.refuse(cx, from, why);
                }
            }
            Message::Query { number, key } => {
                cx.work(Work::requests(1));
                if let Err(why) = host.queried(cx, from, *number, key) {
                    self.refuse(cx, from, why);
                }
            }
            Message::WhoLeads => {
                if let Some((view, leader)) = host.replica.known_leader() {
                    cx.send(from, Arc::new(Message::Leads { view, leader }));
                }
            }
            Message::Change(signed) => {
                if let Err(why) = host.change_asked(cx, from, signed) {
                    self.refuse(cx, from, why);
                }
            }
            Message::Notices(notices) => {
                if let Err(why) = host.notices(cx, from, notices) {
                    self.refuse(cx, from, why);
                }
            }
            Message::Identify
            | Message::Taken(_)
            | Message::WhichNotices
            | Message::Reply(_)
            | Message::Shown(_)
            | Message::Leads { .. }
            | Message::Changing { .. } => {}
        }
    }

    /// Drops a message of `subject`. One that has shown no certificate since this node started, or one that
    /// holds no more, or whose release this node does not understand, is asked who it is: its greeting
    /// may be lost or forgotten.
    fn refuse(&mut self, cx: &mut Context<'_>, subject: NodeId, why: Refusal) {
        if matches!(
            why,
            Refusal::NoCertificate | Refusal::Expired | Refusal::Revoked | Refusal::VersionSkew
        ) {
            cx.reached(&marks::STRANGER_ASKED);
            cx.send(subject, Arc::new(Message::Identify));
        }
        cx.emit(Probe::Unauthenticated {
            subject,
            reason: why.words(),
        });
        self.service.refused(cx, &mut self.host, subject, why);
    }

    fn deliver(&mut self, cx: &mut Context<'_>, delivery: &Delivery) {
        if let Delivery::Tentative { sequence, batch } = delivery {
            return self.host.execute_ahead(cx, *sequence, batch);
        }
        let block = self.host.execute(cx, delivery);
        if replayed(delivery) {
            return;
        }
        if matches!(delivery, Delivery::State { .. }) {
            let (height, head) = (self.host.ledger.height(), self.host.ledger.head_id());
            cx.emit(Probe::Recovered {
                chain: self.host.config.chain,
                height,
                head,
            });
            return self.service.jumped(cx, &mut self.host);
        }
        let Some(block) = block else {
            return;
        };
        let executed = block.committed.batch.txs().iter().zip(&block.receipts);
        self.host.answer_clients(cx, executed, false);
        let chain = self.host.config.chain;
        cx.emit(Probe::Applied(Arc::clone(&block)));
        cx.emit(Probe::Waiting {
            chain,
            txs: self.host.replica.waiting() as u32,
        });
        self.service.applied(cx, &mut self.host, &block);
    }
}

impl Process for FullNode {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Start => self.open(cx, event, None),
            Event::Recover(disk) => self.open(cx, event, Some(disk)),
            Event::Message { from, payload } => self.message(cx, from, payload),
            Event::Timer(key) if key.0 < TIMER_LIMIT => self.host.replica.handle(cx, event),
            Event::Timer(ASK) => self.host.ask_notices(cx),
            Event::Timer(key) => self.service.timer(cx, &mut self.host, key),
            Event::Persisted(token) if token.0 < TOKEN_LIMIT => self.host.replica.handle(cx, event),
            Event::Persisted(token) => self.service.persisted(cx, &mut self.host, token),
            Event::Scrubbed(disk) => {
                self.host.replica.handle(cx, event);
                self.service.scrubbed(cx, &mut self.host, disk);
            }
            // Users are at desks, which are processes of their own.
            Event::Request(_) => {}
        }
        // The service may submit while it learns of a block, and that may order the next one.
        while let Some(delivery) = cx.take_delivery() {
            self.deliver(cx, &delivery);
        }
        self.host.settle_reads(cx);
        self.host.settle_change(cx);
    }
    fn longest_wait(&self) -> Span {
        self.host.replica.longest_wait()
    }
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        if let Ok(message) = Message::decode(bytes) {
            return Ok(Arc::new(message));
        }
        let service = || self.service.decode(bytes);
        if let Ok(message) = light::Message::decode(bytes) {
            return Ok(Arc::new(message));
        }
        self.host.replica.decode(bytes).or_else(|_| service())
    }
}

impl NodeHost {
    /// Tells the members what they cannot know of this node, and asks for theirs.
    fn greet(&self, cx: &mut Context<'_>) {
        let members = &self.config.members;
        if !self.registry.in_genesis(&self.config.certificate) {
            cx.multicast(members, Arc::new(Message::Hello(self.config.certificate)));
        }
        if let Some(release) = self.config.release {
            cx.multicast(members, Arc::new(Message::Release(release)));
            cx.multicast(members, Arc::new(Message::Identify));
        }
    }
    /// A light client asks for a decision.
    fn show(&self, cx: &mut Context<'_>, from: NodeId, message: &light::Message) {
        let light::Body::Fetch { number, wish } = message.body else {
            return;
        };
        if message.chain != self.config.chain {
            return;
        }
        cx.work(Work::requests(1));
        let administrator = self.config.genesis.roots.administrator();
        let proof = LightProof::of(&self.ledger, &*self.replica, administrator, &wish);
        let body = match proof.map(Arc::new) {
            Some(proof) => light::Body::Proof { number, proof },
            None => light::Body::Absent { number },
        };
        let chain = self.config.chain;
        cx.send(from, Arc::new(light::Message { chain, body }));
    }
    fn tell_release(&self, cx: &mut Context<'_>, to: NodeId) {
        if let Some(release) = self.config.release {
            cx.send(to, Arc::new(Message::Release(release)));
        }
    }
    /// Executes a delivery, charges its work and tells the replica.
    fn execute(&mut self, cx: &mut Context<'_>, delivery: &Delivery) -> Option<Arc<Block>> {
        let (sequence, block) = match delivery {
            Delivery::Ordered { committed, .. } => {
                let execution = self.ledger.execute(committed);
                if let Some(execution) = &execution {
                    cx.work(execution.work);
                }
                (committed.sequence, execution.map(|e| e.block))
            }
            Delivery::State {
                sequence, state, ..
            } => {
                if let Some(snapshot) = state.as_any().downcast_ref() {
                    self.ledger.install(*sequence, snapshot);
                }
                (*sequence, None)
            }
            Delivery::Tentative { .. } => return None,
        };
        let ledger = &self.ledger;
        self.replica.executed(cx, sequence, &|| ledger.snapshot());
        self.show_ready(cx);
        block
    }

    /// Executes what is not committed yet and tells clients so.
    fn execute_ahead(&mut self, cx: &mut Context<'_>, sequence: u64, batch: &Arc<Batch>) {
        let Some((receipts, work)) = self.ledger.execute_ahead(sequence, batch) else {
            return;
        };
        cx.work(work);
        let receipts = receipts.to_vec();
        self.answer_clients(cx, batch.txs().iter().zip(&receipts), true);
    }
}

/// Does it come from this node's own disk?
fn replayed(delivery: &Delivery) -> bool {
    match delivery {
        Delivery::Ordered { replayed, .. } | Delivery::State { replayed, .. } => *replayed,
        Delivery::Tentative { .. } => false,
    }
}

impl Host for NodeHost {
    fn node(&self) -> NodeId {
        self.config.node
    }
    fn chain(&self) -> ChainId {
        self.config.chain
    }
    fn height(&self) -> u64 {
        self.ledger.height()
    }
    fn head_time_ns(&self) -> i64 {
        self.ledger.head_time_ns()
    }
    fn get(&self, key: &[u8]) -> Option<Arc<[u8]>> {
        self.ledger.state().get(key)
    }
    fn prove(&self, key: &[u8]) -> Option<ExecutedProof> {
        Some(self.ledger.state().prove(key))
    }
    fn block(&self, height: u64) -> Option<Arc<Block>> {
        self.ledger.block(height).cloned()
    }
    fn executed(&self, id: TxId) -> Option<u64> {
        self.ledger.executed(id)
    }
    fn applied(&self, id: TxId) -> Option<bool> {
        self.ledger.state().applied(id)
    }
    fn is_member(&self) -> bool {
        self.replica.is_member()
    }
    fn submit(
        &mut self,
        cx: &mut Context<'_>,
        op: OpId,
        number: u64,
        body: Arc<[u8]>,
    ) -> Option<TxId> {
        self.submit_cohort(cx, op, number, (body, Cohort::ONE))
    }
    fn submit_cohort(
        &mut self,
        cx: &mut Context<'_>,
        op: OpId,
        number: u64,
        (body, cohort): (Arc<[u8]>, Cohort),
    ) -> Option<TxId> {
        let id = TxId {
            origin: self.config.node,
            number,
        };
        if self.ledger.executed(id).is_some() {
            return Some(id);
        }
        let (chain, key) = (self.config.chain, &self.config.key);
        let tx = Arc::new(Tx::of_cohort(id, chain, op, body, cohort, key));
        cx.work(Work::sign(self.config.keys.of_transactions(cohort.count)));
        cx.work(Work::hash(tx.encoded_len()));
        self.replica.submit(cx, tx).then_some(id)
    }
    fn authenticate(
        &mut self,
        cx: &mut Context<'_>,
        from: NodeId,
        certificate: &IdentityCertificate,
    ) -> Result<(), Refusal> {
        if !self.registry.verified(from, certificate) {
            cx.work(Work::verify(1));
        }
        self.registry
            .present(from, certificate, cx.wall_ns())
            .inspect_err(|why| {
                cx.emit(Probe::Unauthenticated {
                    subject: from,
                    reason: why.words(),
                });
            })?;
        self.let_in(cx, from);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
