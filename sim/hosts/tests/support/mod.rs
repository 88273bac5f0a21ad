//! A group of full nodes with a small machine, on either runtime.

use consim_core::machine::ApplyAt;
use consim_core::{
    Block, ChainId, CodecError, Context, Digest, Disk, Distribution, Keyring, NodeId, Observer,
    OpId, Payload, Probe, Process, Receipt, Span, State, StateMachine, Streams, Time, TimerKey, Tx,
    TxId, WriteToken,
};
use consim_hosts::turmoil::{self, Outage};
use consim_hosts::{Decode, Observe};
use consim_kernel::config::{
    Crash, EventList, FaultKind, FaultWindow, Hardware, LineGroups, Link, NetworkConfig,
    NodeConfig as Machine, Target,
};
use consim_kernel::{Kernel, KernelConfig, Spawn};
use consim_models::consensus::pbft::message::{FAMILY, Message};
use consim_models::consensus::pbft::{PbftOptions, PbftReplica};
use consim_models::consensus::{
    BlockLimits, MempoolLimits, ReplicaConfig, TIMER_LIMIT, byzantine_quorum,
};
use consim_models::ledger::ExecutionCache;
use consim_models::node::membership::{Authority, Genesis, Identity, Role, TrustRoots};
use consim_models::node::message::Message as NodeMessage;
use consim_models::node::service::{Host, Service};
use consim_models::node::{FullNode, NodeConfig};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

pub(crate) const MEMBERS: u32 = 4;
const CHAIN: ChainId = ChainId(1);
const SUBMIT: TimerKey = TimerKey(TIMER_LIMIT);
const PERIOD: Span = Span::from_millis(20);
const START_NS: i64 = 1_700_000_000_000_000_000;
const END: Time = Time::from_nanos(15_000_000_000);

/// Folds every body into a hash, and adds it to the sum of its origin.
struct Folds;

impl StateMachine for Folds {
    fn name(&self) -> &'static str {
        "folds"
    }
    fn genesis(&self, state: &mut dyn State) {
        state.put(b"hash", &Digest::ZERO.0);
    }
    fn apply(&self, state: &mut dyn State, tx: &Tx, _: ApplyAt) -> Receipt {
        let hash = state.get(b"hash").unwrap();
        state.put(b"hash", &Digest::of_parts(&[&hash, tx.body()]).0);
        let key = [b's', tx.id().origin.0 as u8];
        let sum = sum(state.get(&key)) + u64::from(tx.body()[0]);
        state.put(&key, &sum.to_be_bytes());
        Receipt::Applied
    }
}

fn sum(value: Option<Arc<[u8]>>) -> u64 {
    value.map_or(0, |v| u64::from_be_bytes((*v).try_into().unwrap()))
}

/// What is submitted: by whom, how many each, and whether one after the other.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) clients: Vec<u32>,
    each: u64,
    sequential: bool,
}

impl Load {
    pub(crate) fn sequential(client: u32, each: u64) -> Self {
        Self {
            clients: vec![client],
            each,
            sequential: true,
        }
    }
    pub(crate) fn concurrent(clients: &[u32], each: u64) -> Self {
        Self {
            clients: clients.to_vec(),
            each,
            sequential: false,
        }
    }
    pub(crate) fn of(&self, client: u32) -> impl Iterator<Item = TxId> {
        (1..=self.each).map(move |number| TxId {
            origin: NodeId(client),
            number,
        })
    }
}

/// Submits the load at its node and reads the sums at the end.
struct Submitter {
    load: Load,
    submitted: u64,
    seen: Arc<Mutex<Seen>>,
}

impl Submitter {
    fn submit(&mut self, cx: &mut Context<'_>, host: &mut dyn Host) {
        let number = self.submitted + 1;
        if number <= self.load.each && self.load.clients.contains(&host.node().0) {
            let body: Arc<[u8]> = [number as u8].into();
            if host.submit(cx, OpId(number), number, body).is_some() {
                self.submitted = number;
            }
        }
    }
}

impl Service for Submitter {
    fn start(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, _: Option<&Disk>) {
        let executed = |number| {
            let origin = host.node();
            host.executed(TxId { origin, number }).is_some()
        };
        while executed(self.submitted + 1) {
            self.submitted += 1;
        }
        cx.set_timer(SUBMIT, PERIOD);
    }
    fn timer(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, _: TimerKey) {
        self.submit(cx, host);
        if !self.load.sequential {
            cx.set_timer(SUBMIT, PERIOD);
        }
    }
    fn applied(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, block: &Arc<Block>) {
        let mut seen = self.seen.lock().unwrap();
        for origin in 0..MEMBERS {
            let key = [b's', origin as u8];
            seen.sums.insert(origin, sum(host.get(&key)));
        }
        drop(seen);
        let own = |tx: &Arc<Tx>| tx.id().origin == host.node();
        if self.load.sequential && block.committed.batch.txs().iter().any(own) {
            self.submit(cx, host);
        }
    }
    fn message(&mut self, _: &mut Context<'_>, _: &mut dyn Host, _: NodeId, _: &Arc<dyn Payload>) {}
    fn persisted(&mut self, _: &mut Context<'_>, _: &mut dyn Host, _: WriteToken) {}
}

/// What came of a run.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) committed: BTreeSet<TxId>,
    /// Height and state root of each member.
    pub(crate) heads: BTreeMap<u32, (u64, Digest)>,
    pub(crate) views: BTreeMap<u32, u64>,
    pub(crate) fetched: BTreeMap<u32, u64>,
    pub(crate) restarts: u32,
    /// The sum of each origin, at whoever executed last.
    pub(crate) sums: BTreeMap<u32, u64>,
    /// Every observation with its instant and node.
    pub(crate) history: Vec<String>,
}

impl Seen {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        match probe {
            Probe::Applied(block) => {
                let header = &block.header;
                self.committed
                    .extend(block.committed.batch.txs().iter().map(|tx| tx.id()));
                self.heads
                    .insert(node.0, (header.height, header.state_root));
                self.history.push(format!(
                    "{at} {node} applied {} {}",
                    header.height, block.id
                ));
                return;
            }
            Probe::View { view, .. } => {
                self.views.insert(node.0, *view);
            }
            Probe::Recovered { .. } => self.restarts += 1,
            Probe::CaughtUp { blocks, .. } => *self.fetched.entry(node.0).or_default() += blocks,
            _ => {}
        }
        self.history.push(format!("{at} {node} {probe:?}"));
    }
}

/// A run to make on either runtime.
pub(crate) struct Scene {
    pub(crate) load: Load,
    pub(crate) outages: Vec<Outage>,
}

impl Scene {
    pub(crate) fn new(load: Load) -> Self {
        Self {
            load,
            outages: Vec::new(),
        }
    }
}

/// A node that is down from one millisecond to another.
pub(crate) fn crash(node: u32, from_ms: u64, to_ms: u64) -> Outage {
    Outage {
        node: NodeId(node),
        from: Time::ZERO + Span::from_millis(from_ms),
        to: Time::ZERO + Span::from_millis(to_ms),
    }
}

/// Makes full nodes: for the kernel and for turmoil alike.
#[derive(Clone)]
struct Nursery {
    load: Load,
    keys: Keyring,
    members: Arc<[NodeId]>,
    genesis: Arc<Genesis>,
    seen: Arc<Mutex<Seen>>,
}

impl Nursery {
    fn new(load: &Load, seed: u64) -> Self {
        let (keys, mut secrets) = Keyring::generate(MEMBERS + 1, seed);
        let mut authority = Authority::new(secrets.pop().unwrap());
        let mut roots = TrustRoots::new();
        roots.trust_shared(authority.id());
        let certificates = (0..MEMBERS)
            .map(|i| {
                authority.issue(Identity {
                    subject: NodeId(i),
                    organisation: i,
                    role: Role::Peer,
                    not_before_ns: 0,
                    not_after_ns: i64::MAX,
                })
            })
            .collect();
        Self {
            load: load.clone(),
            keys,
            members: (0..MEMBERS).map(NodeId).collect(),
            genesis: Arc::new(Genesis {
                roots,
                certificates,
            }),
            seen: Arc::default(),
        }
    }

    fn make(&self, node: NodeId) -> FullNode {
        let key = Arc::new(self.keys.steal(node.into()).unwrap());
        let replica = PbftReplica::new(
            ReplicaConfig {
                chain: CHAIN,
                me: node,
                members: Arc::clone(&self.members),
                everybody: Arc::clone(&self.members),
                peers: None,
                administrator: None,
                quorum: byzantine_quorum(MEMBERS as usize),
                key: Arc::clone(&key),
                renewed: Vec::new(),
                keys: self.keys.clone(),
                block: BlockLimits {
                    transactions: 100,
                    bytes: 1 << 20,
                    wait: Span::ZERO,
                },
                mempool: MempoolLimits {
                    transactions: 10_000,
                    bytes: 10 << 20,
                },
                timeout: Span::from_secs(1),
                checkpoint: 8,
                keep: None,
            },
            PbftOptions::default(),
        );
        let service = Submitter {
            load: self.load.clone(),
            submitted: 0,
            seen: Arc::clone(&self.seen),
        };
        FullNode::new(
            NodeConfig {
                node,
                chain: CHAIN,
                members: Arc::clone(&self.members),
                key,
                keys: self.keys.clone(),
                machine: Arc::new(Folds),
                executions: ExecutionCache::off(),
                genesis: Arc::clone(&self.genesis),
                certificate: self.genesis.certificates[node.index()],
                release: None,
            },
            Box::new(replica),
            Box::new(service),
        )
    }
}

impl Spawn for Nursery {
    fn spawn(&mut self, node: NodeId) -> Box<dyn Process> {
        Box::new(self.make(node))
    }
}

struct Watch(Arc<Mutex<Seen>>);

impl Observer for Watch {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        self.0.lock().unwrap().probe(at, node, probe);
    }
}

fn names() -> Vec<String> {
    (0..MEMBERS).map(|i| format!("n-{i}")).collect()
}

/// Runs it on the kernel.
pub(crate) fn run_kernel(scene: &Scene, seed: u64) -> Seen {
    let nursery = Nursery::new(&scene.load, seed);
    let seen = Arc::clone(&nursery.seen);
    let hardware = Arc::new(hardware());
    let link = Link {
        delay: Distribution::Uniform {
            from: Span::from_millis(1),
            to: Span::from_millis(10),
        },
        rate: 1_000_000_000,
        ..Link::default()
    };
    let config = KernelConfig {
        list: EventList::default(),
        streams: Streams::new(seed),
        start_ns: START_NS,
        nodes: names()
            .into_iter()
            .zip(0..)
            .map(|(name, site)| Machine {
                name,
                region: 0,
                site,
                hardware: Arc::clone(&hardware),
                clock_offset_ns: 0,
                clock_drift_ppb: 0,
            })
            .collect(),
        network: NetworkConfig {
            regions: vec![vec![Distribution::Constant(Span::from_millis(1))]],
            link: link.clone(),
            site_link: link,
            groups: LineGroups::default(),
            uplinks: Vec::new(),
        },
        faults: scene
            .outages
            .iter()
            .map(|outage| FaultWindow {
                id: "crash".into(),
                from: outage.from,
                to: outage.to,
                kind: FaultKind::Crash(Crash::new(Target::Nodes(vec![outage.node]))),
            })
            .collect(),
        workloads: Vec::new(),
        end: END,
        spawner: Box::new(nursery),
    };
    let mut kernel = Kernel::new(config, Watch(Arc::clone(&seen)));
    kernel.run_until(Time::MAX);
    drop(kernel);
    Arc::into_inner(seen).unwrap().into_inner().unwrap()
}

fn hardware() -> Hardware {
    Hardware {
        cores: 4,
        speed_permille: 1_000,
        sign: Span::from_micros(20),
        verify: Span::from_micros(40),
        verify_batched: Span::from_micros(20),
        hash_per_kib: Span::from_micros(1),
        encrypt_per_kib: Span::from_micros(1),
        execute: Span::from_micros(10),
        per_message: Span::from_micros(5),
        per_kib: Span::from_micros(1),
        nic_in: 1_000_000_000,
        nic_out: 1_000_000_000,
        disk_write: 200_000_000,
        fsync: Distribution::Constant(Span::from_millis(1)),
        ..Hardware::default()
    }
}

/// Reads what full nodes say to each other.
fn decode(bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
    if bytes.get(1) == Some(&FAMILY) {
        Ok(Arc::new(Message::decode(bytes)?))
    } else {
        Ok(Arc::new(NodeMessage::decode(bytes)?))
    }
}

/// Runs it on turmoil.
pub(crate) fn run_turmoil(scene: &Scene, seed: u64) -> Seen {
    let nursery = Nursery::new(&scene.load, seed);
    let seen = Arc::clone(&nursery.seen);
    let decode: Decode = Arc::new(decode);
    let config = turmoil::Config {
        seed,
        start_ns: START_NS,
        names: names(),
        delay: (Span::from_millis(2), Span::from_millis(11)),
        disk_delay: Span::from_millis(1),
        decode,
        outages: scene.outages.clone(),
        end: END,
    };
    let spawn: turmoil::Spawn = Arc::new(move |node| Box::new(nursery.make(node)));
    let watch = Arc::clone(&seen);
    let observe: Observe =
        Arc::new(move |at, node, probe| watch.lock().unwrap().probe(at, node, probe));
    turmoil::run(&config, &spawn, &observe).unwrap();
    drop((spawn, observe));
    Arc::into_inner(seen).unwrap().into_inner().unwrap()
}
