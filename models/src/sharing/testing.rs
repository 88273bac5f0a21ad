//! A bench for tests: an alliance whose servers run the real service on real ledgers, with a wire
//! and an order of transactions that the test drives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::config::SharingOptions;
use super::desk::{Desk, DeskConfig};
use super::ids::{PseudonymKey, RecordId};
use super::message::{Answer, Ask, Message};
use super::probe::SharingProbe;
use super::request::{Request, Wish};
use super::{Honest, Policy, ServiceConfig, SharingMachine, SharingService};
use crate::ledger::testing::{batch, committed};
use crate::ledger::{ExecutionCache, Ledger, LedgerConfig};
use crate::node::CertificateGate;
use crate::node::membership::{
    Authority, Genesis, Identity, IdentityCertificate, Refusal, Registry, Role, TrustRoots,
};
use crate::node::service::{Host, Service};
use crate::workload::Terms;
use consim_core::{
    Block, ChainId, Check, Committed, Context, Disk, Distribution, Effect, Effects, Event, Keyring,
    NodeId, OpId, Payload, Probe, Process, Receipt, SecretKey, Span, State as _, StateMachine,
    Streams, Time, TimerKey, Tx, TxId, Verdict, Work, WorkloadId, Write, WriteToken,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub(crate) const CHAIN: ChainId = ChainId(3);
/// The calendar at time zero.
pub(crate) const START_NS: i64 = 1_700_000_000_000_000_000;
/// Hospitals with servers 0, 1 and 2, and supervision with server 3.
pub(crate) const SERVERS: u32 = 4;
/// The server of supervision.
pub(crate) const SUPERVISION: NodeId = NodeId(3);
/// The desk of an organisation outside the chain; its entry is server 0.
pub(crate) const OUTSIDER: NodeId = NodeId(2 * SERVERS);
/// A desk whose certificate nobody trusts; its entry is server 0.
pub(crate) const STRANGER: NodeId = NodeId(2 * SERVERS + 1);
/// How often the bench orders what waits.
pub(crate) const BLOCK_EVERY: Span = Span::from_secs(1);
const STEP: Span = Span::from_millis(100);

/// The desk of a server's institution.
pub(crate) fn desk_of(server: u32) -> NodeId {
    NodeId(SERVERS + server)
}
/// Operation `number` of a desk.
pub(crate) fn op_of(desk: NodeId, number: u64) -> OpId {
    OpId(u64::from(desk.0) << 32 | number)
}
pub(crate) fn members() -> Arc<[NodeId]> {
    (0..SERVERS).map(NodeId).collect()
}
pub(crate) fn options() -> SharingOptions {
    SharingOptions {
        ask_each_request: true,
        grant_expires: Span::from_secs(3_600),
        grant_share: 1_000_000_000,
        answer_in: Distribution::Constant(Span::from_secs(3)),
        emergency: true,
        review_within: None,
        scopes: Vec::new(),
        freshness: super::config::Freshness::Local,
        recheck: false,
        revocation: super::config::Revocation::Flag,
        delegation: None,
    }
}
pub(crate) fn terms() -> Terms {
    Terms {
        workload: WorkloadId(7),
        deadline: None,
        retry_after: Span::from_secs(2),
        retry_times: 3,
    }
}

/// What a server's service sees of its node.
pub(crate) struct BenchHost {
    node: NodeId,
    pub(crate) ledger: Ledger,
    key: Arc<SecretKey>,
    registry: Registry,
    submitted: Vec<Arc<Tx>>,
    /// Transactions handed to consensus, repeats included.
    pub(crate) submits: u64,
    /// The mempool takes nothing.
    pub(crate) full: bool,
    /// What the node's storage holds in place of a block.
    pub(crate) tampered: BTreeMap<u64, Arc<Block>>,
}

impl Host for BenchHost {
    fn node(&self) -> NodeId {
        self.node
    }
    fn chain(&self) -> ChainId {
        CHAIN
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
    fn block(&self, height: u64) -> Option<Arc<Block>> {
        let tampered = self.tampered.get(&height);
        tampered.or_else(|| self.ledger.block(height)).cloned()
    }
    fn executed(&self, id: TxId) -> Option<u64> {
        self.ledger.executed(id)
    }
    fn applied(&self, id: TxId) -> Option<bool> {
        self.ledger.state().applied(id)
    }
    fn submit(
        &mut self,
        _: &mut Context<'_>,
        op: OpId,
        number: u64,
        body: Arc<[u8]>,
    ) -> Option<TxId> {
        let origin = self.node;
        let id = TxId { origin, number };
        if self.ledger.executed(id).is_some() {
            return Some(id);
        }
        self.submits += 1;
        if self.full {
            return None;
        }
        self.submitted
            .push(Arc::new(Tx::new(id, CHAIN, op, body, &self.key)));
        Some(id)
    }
    fn authenticate(
        &mut self,
        cx: &mut Context<'_>,
        from: NodeId,
        certificate: &IdentityCertificate,
    ) -> Result<(), Refusal> {
        let known = self.registry.present(from, certificate, cx.wall_ns());
        known.inspect_err(|why| {
            cx.emit(Probe::Unauthenticated {
                subject: from,
                reason: why.words(),
            });
        })
    }
}

pub(crate) struct Server {
    pub(crate) host: BenchHost,
    pub(crate) service: SharingService,
    pub(crate) disk: Disk,
    pub(crate) up: bool,
    /// It gets no blocks for now.
    pub(crate) held: bool,
    /// Its disk finishes no writes for now.
    pub(crate) slow_disk: bool,
    writes: Vec<(WriteToken, Vec<Write>)>,
    timers: BTreeMap<TimerKey, Time>,
    /// How many of the ordered batches it has executed.
    done: usize,
}

struct DeskNode {
    desk: Desk,
    timers: BTreeMap<TimerKey, Time>,
    rng: Option<Box<rand_chacha::ChaCha12Rng>>,
}

/// A message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    pub(crate) payload: Arc<dyn Payload>,
}

impl Letter {
    pub(crate) fn message(&self) -> &Message {
        self.payload.as_any().downcast_ref().unwrap()
    }
}

type PolicyOf = Box<dyn Fn(u32) -> Box<dyn Policy>>;

pub(crate) struct Bench {
    pub(crate) now: Time,
    options: SharingOptions,
    policy: PolicyOf,
    pub(crate) servers: Vec<Server>,
    desks: BTreeMap<NodeId, DeskNode>,
    pub(crate) keys: Keyring,
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) certificates: Vec<IdentityCertificate>,
    pub(crate) secrets: Vec<Arc<SecretKey>>,
    pub(crate) wire: VecDeque<Letter>,
    /// Letters that are lost.
    pub(crate) lose: Box<dyn FnMut(&Letter) -> bool>,
    /// All letters that were sent.
    pub(crate) sent: Vec<Letter>,
    /// Answers to desks that the test plays itself.
    inbox: Vec<(NodeId, OpId, Answer)>,
    pub(crate) pool: Vec<Arc<Tx>>,
    ordered: Vec<Arc<Committed>>,
    /// How many of them some server executed live.
    seen: usize,
    pub(crate) checks: Vec<Box<dyn Check>>,
    /// Everybody keeps the rules: no check may fail when the test is over.
    pub(crate) honest: bool,
    /// What each node has been charged.
    pub(crate) work: BTreeMap<NodeId, Work>,
    pub(crate) probes: Vec<(Time, NodeId, Probe)>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(options(), |_| Box::new(Honest))
    }

    pub(crate) fn with(
        options: SharingOptions,
        policy: impl Fn(u32) -> Box<dyn Policy> + 'static,
    ) -> Self {
        let nodes = STRANGER.0 + 1;
        let (keys, mut secrets) = Keyring::generate(nodes + 2, 5);
        let mut stranger = Authority::new(secrets.pop().unwrap());
        let mut shared = Authority::new(secrets.pop().unwrap());
        let mut roots = TrustRoots::new();
        roots.trust_shared(shared.id());
        let identity = |node: u32| Identity {
            subject: NodeId(node),
            organisation: node,
            role: if node < SERVERS {
                Role::Peer
            } else {
                Role::Client
            },
            not_before_ns: START_NS,
            not_after_ns: START_NS + 1_000_000_000_000_000,
        };
        let mut certificates: Vec<_> = (0..STRANGER.0)
            .map(|node| shared.issue(identity(node)))
            .collect();
        certificates.push(stranger.issue(identity(STRANGER.0)));
        let genesis = Arc::new(Genesis {
            roots,
            certificates: certificates[..SERVERS as usize].to_vec(),
        });
        let secrets: Vec<Arc<SecretKey>> = secrets.into_iter().map(Arc::new).collect();
        let supervision: Arc<[NodeId]> = [SUPERVISION].into();
        let machine: Arc<dyn StateMachine> =
            Arc::new(SharingMachine::new(members(), supervision).under(options.rules()));
        let policy: PolicyOf = Box::new(policy);
        let executions = ExecutionCache::shared(&machine);
        let servers = (0..SERVERS).map(|i| {
            let mut registry = Registry::new(keys.clone(), Arc::clone(&genesis));
            registry.open();
            Server {
                host: BenchHost {
                    node: NodeId(i),
                    ledger: Ledger::new(LedgerConfig {
                        chain: CHAIN,
                        machine: Arc::clone(&machine),
                        keys: keys.clone(),
                        executions: executions.clone(),
                    }),
                    key: Arc::clone(&secrets[i as usize]),
                    registry,
                    submitted: Vec::new(),
                    submits: 0,
                    full: false,
                    tampered: BTreeMap::new(),
                },
                service: service(i, &options, &policy),
                disk: Disk::default(),
                up: true,
                held: false,
                slow_disk: false,
                writes: Vec::new(),
                timers: BTreeMap::new(),
                done: 0,
            }
        });
        let mut bench = Self {
            now: Time::ZERO + Span::from_secs(1),
            servers: servers.collect(),
            policy,
            desks: BTreeMap::new(),
            keys,
            genesis,
            certificates,
            secrets,
            wire: VecDeque::new(),
            lose: Box::new(|_| false),
            sent: Vec::new(),
            inbox: Vec::new(),
            pool: Vec::new(),
            ordered: Vec::new(),
            seen: 0,
            checks: super::checks_but_of(
                &[],
                &members(),
                options.rules(),
                options.lease(),
                Span::from_secs(30),
            ),
            honest: true,
            work: BTreeMap::new(),
            probes: Vec::new(),
            options,
        };
        for i in 0..SERVERS as usize {
            bench.serve(i, |service, cx, host| service.start(cx, host, None));
        }
        bench
    }

    // ---- events ----------------------------------------------------------------------------

    /// Calls a server and carries out what it asks for.
    pub(crate) fn serve(
        &mut self,
        i: usize,
        call: impl FnOnce(&mut SharingService, &mut Context<'_>, &mut dyn Host),
    ) {
        let mut effects = Effects::default();
        let Server { host, service, .. } = &mut self.servers[i];
        {
            let mut rng = || Streams::new(1).stream("server");
            let (mut slot, wall) = (None, START_NS + self.now.nanos() as i64);
            let mut cx = Context::new(self.now, wall, host.node, &mut effects, &mut rng, &mut slot);
            call(service, &mut cx, host);
        }
        for tx in std::mem::take(&mut self.servers[i].host.submitted) {
            if self.pool.iter().all(|other| other.id() != tx.id()) {
                self.pool.push(tx);
            }
        }
        let mut timers = std::mem::take(&mut self.servers[i].timers);
        let writes = self.carry_out(NodeId(i as u32), effects, &mut timers);
        self.servers[i].timers = timers;
        self.servers[i].writes.extend(writes);
    }

    fn carry_out(
        &mut self,
        from: NodeId,
        effects: Effects,
        timers: &mut BTreeMap<TimerKey, Time>,
    ) -> Vec<(WriteToken, Vec<Write>)> {
        for probe in effects.probes {
            for check in &mut self.checks {
                check.probe(self.now, from, &probe);
            }
            self.probes.push((self.now, from, probe));
        }
        self.work.entry(from).or_default().add(effects.work);
        let mut writes = Vec::new();
        for effect in effects.list {
            match effect {
                Effect::Send { to, payload } => self.post(Letter { from, to, payload }),
                Effect::SetTimer { key, after } => {
                    timers.insert(key, self.now + after);
                }
                Effect::CancelTimer { key } => {
                    timers.remove(&key);
                }
                Effect::Persist { token, writes: w } => writes.push((token, w)),
                Effect::Multicast { .. } => panic!("nothing of this model is for many"),
            }
        }
        writes
    }

    /// Puts a letter on the wire.
    pub(crate) fn post(&mut self, letter: Letter) {
        for check in &mut self.checks {
            check.sent(self.now, letter.from, &*letter.payload, 1);
        }
        self.sent.push(letter.clone());
        self.wire.push_back(letter);
    }

    fn desk_event(&mut self, id: NodeId, event: Event<'_>) {
        let Some(mut node) = self.desks.remove(&id) else {
            return;
        };
        let mut effects = Effects::default();
        {
            let mut rng = || Streams::new(1).stream(&format!("desk {}", id.0));
            let wall = START_NS + self.now.nanos() as i64;
            let mut cx = Context::new(self.now, wall, id, &mut effects, &mut rng, &mut node.rng);
            node.desk.handle(&mut cx, event);
        }
        self.carry_out(id, effects, &mut node.timers);
        self.desks.insert(id, node);
    }

    fn deliver(&mut self, letter: &Letter) {
        if (self.lose)(letter) {
            return;
        }
        let Letter { from, to, payload } = letter;
        if let Some(server) = self.servers.get(to.index()) {
            if server.up {
                self.serve(to.index(), |service, cx, host| {
                    service.message(cx, host, *from, payload);
                });
            }
        } else if self.desks.contains_key(to) {
            self.desk_event(
                *to,
                Event::Message {
                    from: *from,
                    payload,
                },
            );
        } else if let Message::Reply { op, answer } = letter.message() {
            self.inbox.push((*to, *op, answer.clone()));
        }
    }

    /// Delivers letters and finishes writes until nothing is under way.
    pub(crate) fn settle(&mut self) {
        loop {
            if let Some(letter) = self.wire.pop_front() {
                self.deliver(&letter);
                continue;
            }
            let ready = |s: &Server| s.up && !s.slow_disk && !s.writes.is_empty();
            let Some(i) = self.servers.iter().position(ready) else {
                return;
            };
            let (token, writes) = self.servers[i].writes.remove(0);
            for write in writes {
                self.servers[i].disk.apply(write);
            }
            self.serve(i, |service, cx, host| service.persisted(cx, host, token));
        }
    }

    /// Orders what waits as one block, after the time of a block.
    pub(crate) fn block(&mut self) {
        self.settle();
        self.now += BLOCK_EVERY;
        self.order();
    }

    /// Orders what waits as one block, now.
    pub(crate) fn order(&mut self) {
        let txs = std::mem::take(&mut self.pool);
        self.order_txs(txs);
    }

    /// Orders a batch that the test made.
    pub(crate) fn order_txs(&mut self, txs: Vec<Arc<Tx>>) {
        let time_ns = START_NS + self.now.nanos() as i64;
        let next = self.ordered.len() as u64 + 1;
        self.ordered
            .push(committed(CHAIN, next, batch(NodeId(0), time_ns, txs)));
        for i in 0..self.servers.len() {
            if self.servers[i].up && !self.servers[i].held {
                self.catch_up(i, true);
            }
        }
        self.settle();
    }

    /// A server executes the blocks that it lacks. Live, its service is told; from its disk, it is
    /// not: that happens only to what it has executed before, so that somebody has seen it live.
    pub(crate) fn catch_up(&mut self, i: usize, live: bool) {
        let upto = if live { self.ordered.len() } else { self.seen };
        while self.servers[i].done < upto {
            let ordered = Arc::clone(&self.ordered[self.servers[i].done]);
            self.servers[i].done += 1;
            self.seen = self.seen.max(self.servers[i].done);
            let Some(execution) = self.servers[i].host.ledger.execute(&ordered) else {
                continue;
            };
            if live {
                let block = execution.block;
                self.serve(i, |service, cx, host| {
                    cx.emit(Probe::Applied(Arc::clone(&block)));
                    service.applied(cx, host, &block);
                });
            }
        }
    }

    /// A server takes over the state of another, in place of the blocks that it lacks.
    pub(crate) fn take_over(&mut self, i: usize, from: usize) {
        let (sequence, snapshot) = (
            self.servers[from].done as u64,
            self.servers[from].host.ledger.snapshot(),
        );
        assert!(self.servers[i].host.ledger.install(sequence, &snapshot));
        self.servers[i].done = self.servers[from].done;
        self.serve(i, |service, cx, host| service.jumped(cx, host));
        self.settle();
    }

    /// Lets time pass: timers fire, and each [`BLOCK_EVERY`] what waits is ordered.
    pub(crate) fn run(&mut self, span: Span) {
        let end = self.now + span;
        while self.now < end {
            self.now += STEP;
            self.fire();
            self.settle();
            if self.now.nanos().is_multiple_of(BLOCK_EVERY.nanos()) && !self.pool.is_empty() {
                self.order();
            }
        }
    }

    fn fire(&mut self) {
        let now = self.now;
        let due = |timers: &mut BTreeMap<TimerKey, Time>| {
            let keys: Vec<TimerKey> = timers
                .iter()
                .filter(|(_, at)| **at <= now)
                .map(|(key, _)| *key)
                .collect();
            timers.retain(|_, at| *at > now);
            keys
        };
        for i in 0..self.servers.len() {
            for key in due(&mut self.servers[i].timers) {
                self.serve(i, |service, cx, host| service.timer(cx, host, key));
            }
        }
        let desks: Vec<NodeId> = self.desks.keys().copied().collect();
        for id in desks {
            for key in due(&mut self.desks.get_mut(&id).unwrap().timers) {
                self.desk_event(id, Event::Timer(key));
            }
        }
    }

    /// A server crashes: what is on its disk and in its ledger stays.
    pub(crate) fn crash(&mut self, i: usize) {
        for check in &mut self.checks {
            check.node_up(self.now, NodeId(i as u32), false);
        }
        let server = &mut self.servers[i];
        server.up = false;
        server.timers.clear();
        server.writes.clear();
    }

    /// A server comes back with what its disk kept.
    pub(crate) fn restart(&mut self, i: usize) {
        for check in &mut self.checks {
            check.node_up(self.now, NodeId(i as u32), true);
        }
        self.servers[i].service = service(i as u32, &self.options, &self.policy);
        self.servers[i].up = true;
        let disk = self.servers[i].disk.clone();
        self.serve(i, |service, cx, host| service.start(cx, host, Some(&disk)));
    }

    /// The run is over.
    pub(crate) fn end(&mut self) {
        for check in &mut self.checks {
            check.end(self.now);
        }
    }

    // ---- users -----------------------------------------------------------------------------

    /// The server that a desk talks to.
    pub(crate) fn entry(desk: NodeId) -> NodeId {
        if desk.0 < OUTSIDER.0 {
            NodeId(desk.0 - SERVERS)
        } else {
            NodeId(0)
        }
    }

    pub(crate) fn certificate(&self, node: NodeId) -> Arc<[u8]> {
        self.certificates[node.index()].to_bytes().into()
    }

    /// A desk that the test plays asks its entry.
    pub(crate) fn ask(&mut self, desk: NodeId, number: u64, ask: Ask) {
        let message = Message::Ask {
            op: op_of(desk, number),
            certificate: self.certificate(desk),
            ask,
        };
        self.tell(desk, Self::entry(desk), message);
    }

    /// Sends a message and delivers what follows.
    pub(crate) fn tell(&mut self, from: NodeId, to: NodeId, message: Message) {
        self.post(Letter {
            from,
            to,
            payload: Arc::new(message),
        });
        self.settle();
    }

    /// Asks and orders blocks until the answer is there.
    pub(crate) fn asked(&mut self, desk: NodeId, number: u64, ask: Ask) -> Answer {
        let before = self.inbox.len();
        self.ask(desk, number, ask);
        for _ in 0..4 {
            let mut new = self.inbox[before..].iter();
            if let Some((_, _, answer)) = new.find(|(_, op, _)| *op == op_of(desk, number)) {
                return answer.clone();
            }
            self.block();
        }
        panic!("{desk} got no answer to operation {number}");
    }

    /// All answers to an operation of a desk that the test plays.
    pub(crate) fn answers(&self, desk: NodeId, number: u64) -> Vec<Answer> {
        let mine = self
            .inbox
            .iter()
            .filter(|(to, op, _)| *to == desk && *op == op_of(desk, number));
        mine.map(|(_, _, answer)| answer.clone()).collect()
    }

    /// Puts a real desk in a place.
    pub(crate) fn open_desk(&mut self, id: NodeId) {
        let desk = Desk::new(DeskConfig {
            server: Self::entry(id),
            certificate: self.certificate(id),
            options: self.options.clone(),
        });
        self.desks.insert(
            id,
            DeskNode {
                desk,
                timers: BTreeMap::new(),
                rng: None,
            },
        );
        self.desk_event(id, Event::Start);
    }

    /// A desk crashes and comes back, with nothing.
    pub(crate) fn restart_desk(&mut self, id: NodeId) {
        self.open_desk(id);
        let disk = Disk::default();
        self.desk_event(id, Event::Recover(&disk));
    }

    /// How many timers a real desk has set.
    pub(crate) fn timers(&self, desk: NodeId) -> usize {
        self.desks[&desk].timers.len()
    }

    /// A user at a real desk wants something.
    pub(crate) fn wish(&mut self, desk: NodeId, wish: Wish) {
        self.request(
            desk,
            Request {
                terms: terms(),
                wish,
            },
        );
    }
    pub(crate) fn request(&mut self, desk: NodeId, request: Request) {
        let request: Arc<dyn Payload> = Arc::new(request);
        self.desk_event(desk, Event::Request(&request));
        self.settle();
    }

    // ---- what happened ---------------------------------------------------------------------

    /// The observations of the model so far, in order.
    pub(crate) fn observed(&self) -> Vec<SharingProbe> {
        let all = self.probes.iter();
        all.filter_map(|(_, _, probe)| SharingProbe::of(probe).copied())
            .collect()
    }

    /// The commands of the chain with their origins and receipts, in order.
    pub(crate) fn chain(&self) -> Vec<(NodeId, super::command::Command, Receipt)> {
        let ledger = &self.servers[1].host.ledger;
        let blocks = (1..=ledger.height()).map(|h| ledger.block(h).unwrap());
        blocks
            .flat_map(|block| block.committed.batch.txs().iter().zip(&block.receipts))
            .filter_map(|(tx, receipt)| {
                let command = super::command::Command::decode(tx.body()).ok()?;
                Some((tx.id().origin, command, *receipt))
            })
            .collect()
    }

    /// The verdict of a check.
    pub(crate) fn finding(&self, name: &str) -> consim_core::Finding {
        let check = self.checks.iter().find(|check| check.name() == name);
        check.unwrap().finding()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if self.honest && !std::thread::panicking() {
            self.end();
            for check in &self.checks {
                let found = check.finding();
                let (name, words) = (check.name(), &found.violations);
                assert!(found.verdict != Verdict::Fail, "{name}: {words:?}");
            }
        }
    }
}

fn service(i: u32, options: &SharingOptions, policy: &PolicyOf) -> SharingService {
    SharingService::new(ServiceConfig {
        options: options.clone(),
        pseudonyms: PseudonymKey::of_seed(1),
        name: format!("h{i}").into(),
        desk: desk_of(i),
        members: members(),
        supervision: NodeId(i) == SUPERVISION,
        gate: Box::new(CertificateGate),
        policy: policy(i),
    })
}

// ---- words for tests -----------------------------------------------------------------------

/// A desk's doctor records `body` for a patient.
pub(crate) fn register(record: u64, patient: &str, body: &[u8]) -> Ask {
    Ask::Register {
        record: RecordId(record),
        patient: patient.into(),
        body: body.into(),
    }
}
/// A desk's doctor reads for treatment.
pub(crate) fn read(record: u64) -> Ask {
    Ask::Read {
        record: RecordId(record),
        purpose: super::Purpose::Treatment,
        reader: super::Reader::default(),
    }
}
/// The same in an emergency.
pub(crate) fn urgent_read(record: u64) -> Ask {
    Ask::Read {
        record: RecordId(record),
        purpose: super::Purpose::Emergency,
        reader: super::Reader::default(),
    }
}
/// A patient grants to the institution of a server.
pub(crate) fn grant(patient: &str, server: u32) -> Ask {
    Ask::Grant {
        patient: patient.into(),
        grantee: super::Grantee::Institution(NodeId(server)),
        for_ns: 0,
        scope: super::Scope::default(),
    }
}
/// A patient takes that back.
pub(crate) fn revoke(patient: &str, server: u32) -> Ask {
    Ask::Revoke {
        patient: patient.into(),
        grantee: super::Grantee::Institution(NodeId(server)),
    }
}
