//! Whole clusters of full nodes on the kernel, judged by the generic checks.

use super::disks::{Amnesia, Kept, Tears, TornDisk};
use crate::consensus::pbft::PbftOptions;
use crate::consensus::{
    self, BlockLimits, MempoolLimits, ProtocolOptions, ReplicaConfig, TIMER_LIMIT,
    byzantine_faults, byzantine_quorum,
};
use crate::ledger::ExecutionCache;
use crate::ledger::testing::Sums;
use crate::node::client::{Believed, Client, ClientConfig, What, Wish};
use crate::node::membership::{
    Authority, Genesis, Identity, IdentityCertificate, Role, TrustRoots,
};
use crate::node::service::{Host, Service};
use crate::node::{FullNode, NodeConfig};
use crate::workload::Terms;
use consim_check::invariants::{self, ChainSubject, Subjects};
use consim_core::{
    Arrival, Block, ChainId, Check, Context, Disk, Distribution, Finding, Keyring, NodeId,
    Observer, OpEnd, OpId, Payload, Probe, Process, Span, Streams, Time, TimerKey, TxId, Verdict,
    Workload, WorkloadId, WriteToken,
};
use consim_kernel::config::{
    Crash, EventList, FaultKind, FaultWindow, Hardware, LineGroups, Lines, Link, Loss,
    NetworkConfig, NodeConfig as Machine, Partition, Target,
};
use consim_kernel::{Kernel, KernelConfig, Spawn};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

pub(in crate::consensus) const CHAIN: ChainId = ChainId(1);
const SUBMIT: TimerKey = TimerKey(TIMER_LIMIT);

pub(in crate::consensus) fn ms(n: u64) -> Span {
    Span::from_millis(n)
}
pub(in crate::consensus) fn secs(n: u64) -> Time {
    Time::ZERO + Span::from_secs(n)
}
pub(in crate::consensus) fn nodes(list: &[u32]) -> Target {
    Target::Nodes(list.iter().map(|&n| NodeId(n)).collect())
}
pub(in crate::consensus) fn window(id: &str, from: u64, to: u64, kind: FaultKind) -> FaultWindow {
    FaultWindow {
        id: id.into(),
        from: secs(from),
        to: secs(to),
        kind,
    }
}
pub(in crate::consensus) fn crash(target: Target, from: u64, to: u64) -> FaultWindow {
    window("crash", from, to, FaultKind::Crash(Crash::new(target)))
}
pub(in crate::consensus) fn cut(target: Target, from: u64, to: u64) -> FaultWindow {
    window(
        "cut",
        from,
        to,
        FaultKind::Partition(Partition::new(target)),
    )
}
pub(in crate::consensus) fn loss(all: u32, permille: u32, from: u64, to: u64) -> FaultWindow {
    let lines = Lines::Of(Target::Nodes((0..all).map(NodeId).collect()));
    let kind = FaultKind::Loss(Loss {
        lines,
        rate_ppb: permille * 1_000_000,
        burst: None,
    });
    window("loss", from, to, kind)
}

/// Makes a process of a node that is not honest; gets the honest one and a stolen key.
pub(in crate::consensus) type Corrupt =
    Arc<dyn Fn(NodeId, FullNode, &Keyring) -> Box<dyn Process> + Send + Sync>;

/// A cluster, its load and its faults.
pub(in crate::consensus) struct Cluster {
    pub(in crate::consensus) n: u32,
    pub(in crate::consensus) seed: u64,
    pub(in crate::consensus) end: Time,
    pub(in crate::consensus) quorum: usize,
    pub(in crate::consensus) options: PbftOptions,
    /// Do machines take no time?
    pub(in crate::consensus) ideal: bool,
    /// Another protocol in place of PBFT.
    pub(in crate::consensus) other: Option<ProtocolOptions>,
    pub(in crate::consensus) block: BlockLimits,
    pub(in crate::consensus) mempool: MempoolLimits,
    pub(in crate::consensus) timeout: Span,
    pub(in crate::consensus) checkpoint: u64,
    /// Blocks that each keeps for those that are behind.
    pub(in crate::consensus) keep: Option<u64>,
    /// One transaction per node and period, from the first to the last instant.
    pub(in crate::consensus) period: Span,
    pub(in crate::consensus) load: (Time, Time),
    /// Who submits.
    pub(in crate::consensus) clients: Vec<u32>,
    pub(in crate::consensus) faults: Vec<FaultWindow>,
    pub(in crate::consensus) link: Link,
    pub(in crate::consensus) fsync: Distribution,
    /// Bits a second of each network card, each way.
    pub(in crate::consensus) nic: u64,
    /// What a restarted node finds of its disk.
    pub(in crate::consensus) kept: Kept,
    /// Crashes that left a torn tail.
    pub(in crate::consensus) torn: Arc<AtomicU64>,
    pub(in crate::consensus) corrupt: Vec<(u32, Corrupt)>,
    /// Do the checks take those for correct?
    pub(in crate::consensus) unnoticed: bool,
    /// Clients that are no members.
    pub(in crate::consensus) outside: Option<Outside>,
    /// How long liveness may take after the last disturbance.
    pub(in crate::consensus) bound: Span,
    /// With whom each holds connections, where messages go from peer to peer; empty: with all.
    pub(in crate::consensus) peers: Vec<Arc<[NodeId]>>,
    /// All lines are so much slower than those of this node.
    pub(in crate::consensus) slow_but: Option<(u32, Span)>,
}

impl Cluster {
    pub(in crate::consensus) fn new(n: u32, seed: u64) -> Self {
        Self {
            n,
            seed,
            end: secs(60),
            quorum: byzantine_quorum(n as usize),
            options: PbftOptions::default(),
            ideal: false,
            other: None,
            block: BlockLimits {
                transactions: 100,
                bytes: 1 << 20,
                wait: Span::ZERO,
            },
            mempool: MempoolLimits {
                transactions: 10_000,
                bytes: 10 << 20,
            },
            timeout: ms(1_000),
            checkpoint: 16,
            keep: None,
            period: ms(250),
            load: (Time::ZERO, secs(30)),
            clients: (0..n).collect(),
            faults: Vec::new(),
            link: Link {
                delay: Distribution::LogNormal {
                    median: ms(10),
                    p99: ms(30),
                },
                rate: 100_000_000,
                ..Link::default()
            },
            fsync: Distribution::LogNormal {
                median: ms(1),
                p99: ms(10),
            },
            nic: 1_000_000_000,
            kept: Kept::All,
            torn: Arc::default(),
            corrupt: Vec::new(),
            unnoticed: false,
            outside: None,
            bound: Span::from_secs(15),
            peers: Vec::new(),
            slow_but: None,
        }
    }
    /// Lines that lose messages for good.
    pub(in crate::consensus) fn datagrams(mut self) -> Self {
        self.link.stream = false;
        self
    }
    /// Lines with this delay, one way.
    pub(in crate::consensus) fn slow_lines(mut self, delay: Span) -> Self {
        self.link.delay = Distribution::Constant(delay);
        self
    }
    pub(in crate::consensus) fn fault(mut self, fault: FaultWindow) -> Self {
        self.faults.push(fault);
        self
    }

    /// Runs it to its end.
    pub(in crate::consensus) fn run(self) -> Outcome {
        let n = self.n;
        let all = n + self.outside.as_ref().map_or(0, |o| o.count);
        let (keys, mut secrets) = Keyring::generate(all + 1, self.seed);
        let keys = match &self.other {
            Some(ProtocolOptions::HotStuff(options)) if options.additions.is_some() => {
                keys.with_aggregates(NodeId(0).into(), NodeId(n - 1).into())
            }
            _ => keys,
        };
        let mut authority = Authority::new(secrets.pop().unwrap());
        let mut roots = TrustRoots::new();
        roots.trust_shared(authority.id());
        let mut certificates: Vec<_> = (0..all)
            .map(|i| {
                authority.issue(Identity {
                    subject: NodeId(i),
                    organisation: i,
                    role: if i < n { Role::Peer } else { Role::Client },
                    not_before_ns: 0,
                    not_after_ns: i64::MAX,
                })
            })
            .collect();
        let hardware = if self.ideal {
            Hardware::default()
        } else {
            hardware(self.fsync.clone(), self.nic)
        };
        let hardware = Arc::new(hardware);
        let machine = |i: u32| Machine {
            name: format!("n-{i}"),
            region: u16::from(self.slow_but.is_some_and(|(quick, _)| quick == i)).into(),
            site: i,
            hardware: Arc::clone(&hardware),
            clock_offset_ns: 0,
            clock_drift_ppb: 0,
        };
        let at = |span| Distribution::Constant(span);
        let regions = self.slow_but.map_or(vec![vec![at(ms(1))]], |(_, slow)| {
            vec![vec![at(slow), at(ms(1))], vec![at(ms(1)), at(ms(1))]]
        });
        let members: Arc<[NodeId]> = (0..n).map(NodeId).collect();
        let authority_only = matches!(self.other, Some(ProtocolOptions::Clique(_)));
        let subjects = Arc::new(Subjects {
            chains: vec![ChainSubject {
                quorum_of: byzantine_quorum,
                byzantine: !authority_only,
                id: CHAIN,
                name: "test".into(),
                members: members.to_vec(),
                quorum: if authority_only {
                    consensus::clique::majority(n as usize)
                } else {
                    byzantine_quorum(n as usize)
                },
                first: None,
                mempool: self.mempool.transactions,
                time: None,
            }],
            keys: keys.clone().into(),
            names: (0..all).map(|i| format!("n-{i}")).collect(),
            corrupt: if self.unnoticed {
                Vec::new()
            } else {
                self.corrupt.iter().map(|&(i, _)| NodeId(i)).collect()
            },
            at_mercy: Vec::new(),
            entries: Vec::new(),
            light: Vec::new(),
            revokes: false,
            recorded: false,
            restarts: true,
            disks: self.faults.iter().any(|f| f.kind.disks()),
            damages: self.faults.iter().any(|f| f.kind.damages()),
            bound: self.bound,
        });
        let seen = Arc::default();
        let watch = Watch {
            checks: invariants::build(&subjects, &[], &[]),
            corrupt: subjects.corrupt.clone(),
            seen: Arc::clone(&seen),
        };
        let outside_certificates = certificates.split_off(n as usize);
        let config = KernelConfig {
            streams: Streams::new(self.seed),
            start_ns: 1_700_000_000_000_000_000,
            nodes: (0..all).map(machine).collect(),
            network: NetworkConfig {
                regions,
                link: self.link.clone(),
                site_link: self.link.clone(),
                groups: LineGroups::default(),
                uplinks: Vec::new(),
            },
            faults: self.faults.clone(),
            workloads: self.outside.iter().map(|o| o.workload(n)).collect(),
            end: self.end,
            list: EventList::default(),
            spawner: Box::new(Nursery {
                keys,
                members,
                genesis: Arc::new(Genesis {
                    roots,
                    certificates,
                }),
                executions: ExecutionCache::off(),
                outside_certificates,
                disks: BTreeMap::new(),
                cluster: self,
            }),
        };
        let mut kernel = Kernel::new(config, watch);
        kernel.run_until(Time::MAX);
        let digest = kernel.run_digest();
        let effects = kernel
            .fault_effects()
            .iter()
            .map(|e| e.took_effect)
            .collect();
        let watch = kernel.into_observer();
        let findings = watch
            .checks
            .iter()
            .map(|check| (check.name(), check.finding()))
            .collect();
        drop(watch);
        Outcome {
            findings,
            seen: Arc::into_inner(seen).unwrap().into_inner().unwrap(),
            digest,
            effects,
        }
    }
}

fn hardware(fsync: Distribution, nic: u64) -> Hardware {
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
        nic_in: nic,
        nic_out: nic,
        disk_write: 200_000_000,
        fsync,
        ..Hardware::default()
    }
}

/// Makes full nodes.
struct Nursery {
    cluster: Cluster,
    keys: Keyring,
    members: Arc<[NodeId]>,
    genesis: Arc<Genesis>,
    executions: ExecutionCache,
    outside_certificates: Vec<IdentityCertificate>,
    disks: BTreeMap<NodeId, Arc<Mutex<TornDisk>>>,
}

impl Spawn for Nursery {
    fn spawn(&mut self, node: NodeId) -> Box<dyn Process> {
        let cluster = &self.cluster;
        let key = Arc::new(self.keys.steal(node.into()).unwrap());
        if let Some(i) = node.0.checked_sub(cluster.n) {
            let outside = cluster.outside.as_ref().unwrap();
            return Box::new(Client::new(ClientConfig {
                chain: CHAIN,
                members: Arc::clone(&self.members),
                key,
                certificate: self.outside_certificates[i as usize],
                wait_for: outside.wait_for,
                quorum: outside.quorum,
                signs: true,
                entries: crate::node::entry::Entries::default(),
            }));
        }
        let config = ReplicaConfig {
            chain: CHAIN,
            me: node,
            members: Arc::clone(&self.members),
            everybody: Arc::clone(&self.members),
            peers: cluster.peers.get(node.index()).cloned(),
            administrator: None,
            quorum: cluster.quorum,
            key: Arc::clone(&key),
            keys: self.keys.clone(),
            block: cluster.block,
            mempool: cluster.mempool,
            timeout: cluster.timeout,
            checkpoint: cluster.checkpoint,
            keep: cluster.keep,
            renewed: Vec::new(),
        };
        let options = ProtocolOptions::Pbft(cluster.options);
        let replica = consensus::build(config, cluster.other.as_ref().unwrap_or(&options));
        let service = Submitter {
            number: 0,
            period: cluster.period,
            load: cluster.load,
            submits: cluster.clients.contains(&node.0),
        };
        let honest = FullNode::new(
            NodeConfig {
                node,
                chain: CHAIN,
                members: Arc::clone(&self.members),
                key,
                keys: self.keys.clone(),
                machine: Arc::new(Sums { step: 1 }),
                executions: self.executions.clone(),
                genesis: Arc::clone(&self.genesis),
                certificate: self.genesis.certificates[node.index()],
                release: None,
            },
            replica,
            Box::new(service),
        );
        if let Some((_, corrupt)) = cluster.corrupt.iter().find(|&&(i, _)| i == node.0) {
            return corrupt(node, honest, &self.keys);
        }
        match cluster.kept {
            Kept::All => Box::new(honest),
            Kept::Torn => Box::new(Tears {
                honest,
                disk: Arc::clone(self.disks.entry(node).or_default()),
                torn: Arc::clone(&cluster.torn),
            }),
            kept => Box::new(Amnesia { honest, kept }),
        }
    }
}

/// Clients that are no members: each has a command ordered, then reads what came of it, in turn.
#[derive(Clone, Debug)]
pub(in crate::consensus) struct Outside {
    pub(in crate::consensus) count: u32,
    pub(in crate::consensus) wait_for: usize,
    pub(in crate::consensus) quorum: usize,
    pub(in crate::consensus) retry: Span,
    pub(in crate::consensus) times: u32,
    pub(in crate::consensus) period: Span,
    pub(in crate::consensus) from: Time,
    pub(in crate::consensus) to: Time,
    pub(in crate::consensus) reads: bool,
}

impl Outside {
    /// Of a group of `n`, as the protocol wants them.
    pub(in crate::consensus) fn new(n: usize) -> Self {
        Self {
            count: 2,
            wait_for: byzantine_faults(n) + 1,
            quorum: byzantine_quorum(n),
            retry: ms(500),
            times: 10,
            period: ms(200),
            from: Time::ZERO + ms(500),
            to: secs(30),
            reads: true,
        }
    }
    fn workload(&self, n: u32) -> Box<dyn Workload> {
        Box::new(Wishes {
            outside: self.clone(),
            first: n,
            turn: 0,
        })
    }
}

struct Wishes {
    outside: Outside,
    first: u32,
    turn: u32,
}

impl Workload for Wishes {
    fn next(&mut self) -> Option<Arrival> {
        let Outside {
            count,
            period,
            from,
            to,
            reads,
            retry,
            times,
            ..
        } = self.outside;
        let turn = self.turn;
        self.turn += 1;
        let at = from + period.times(u64::from(turn / count));
        let node = NodeId(self.first + turn % count);
        let key = node.0 as u8;
        let read = reads && (turn / count) % 2 == 1;
        let (name, what) = if read {
            ("read", What::Read([key].into()))
        } else {
            ("order", What::Order([key, 1].into()))
        };
        (at < to).then(|| Arrival {
            at,
            node,
            count: 1,
            request: Arc::new(Wish {
                cohort: consim_core::Cohort::ONE,
                terms: Terms {
                    workload: WorkloadId(0),
                    deadline: None,
                    retry_after: retry,
                    retry_times: times,
                },
                name,
                deadline: Span::from_secs(60),
                what,
            }),
        })
    }
}

/// A service that submits one transaction a period.
struct Submitter {
    number: u64,
    period: Span,
    load: (Time, Time),
    submits: bool,
}

impl Service for Submitter {
    fn start(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, _: Option<&Disk>) {
        if !self.submits {
            return;
        }
        // What an earlier life submitted in vain is submitted again.
        let origin = host.node();
        let executed = |number| host.executed(TxId { origin, number }).is_some();
        while executed(self.number + 1) {
            self.number += 1;
        }
        let begin = self.load.0.since(cx.now());
        cx.set_timer(SUBMIT, begin.max(self.period));
    }
    fn timer(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, _: TimerKey) {
        if cx.now() >= self.load.1 {
            return;
        }
        cx.set_timer(SUBMIT, self.period);
        let number = self.number + 1;
        let body = [host.node().0 as u8, (number % 100) as u8];
        let op = OpId(u64::from(host.node().0) << 32 | number);
        if host.submit(cx, op, number, body.into()).is_some() {
            self.number = number;
        }
    }
    fn message(&mut self, _: &mut Context<'_>, _: &mut dyn Host, _: NodeId, _: &Arc<dyn Payload>) {}
    fn applied(&mut self, _: &mut Context<'_>, _: &mut dyn Host, _: &Arc<Block>) {}
    fn persisted(&mut self, _: &mut Context<'_>, _: &mut dyn Host, _: WriteToken) {}
}

/// What was seen of correct nodes.
#[derive(Default, Debug)]
pub(in crate::consensus) struct Seen {
    pub(in crate::consensus) admitted: BTreeSet<TxId>,
    pub(in crate::consensus) applied: BTreeSet<TxId>,
    /// The greatest height of each node.
    pub(in crate::consensus) heights: BTreeMap<NodeId, u64>,
    /// The last view of each node.
    pub(in crate::consensus) views: BTreeMap<NodeId, u64>,
    pub(in crate::consensus) timeouts: u64,
    pub(in crate::consensus) stable: BTreeMap<NodeId, u64>,
    /// Blocks that each node fetched.
    pub(in crate::consensus) fetched: BTreeMap<NodeId, u64>,
    /// Sequence numbers of states that each node took over, and entries that were sent for it.
    pub(in crate::consensus) taken: BTreeMap<NodeId, Vec<(u64, u64)>>,
    /// Damaged records that each node found, and whether it may have forgotten a promise.
    pub(in crate::consensus) damage: BTreeMap<NodeId, Vec<(u64, bool)>>,
    /// The heights at which each node came back, or that it took over.
    pub(in crate::consensus) back: BTreeMap<NodeId, Vec<u64>>,
    /// Whose parts of states were refused.
    pub(in crate::consensus) refused: BTreeSet<NodeId>,
    /// How operations of clients ended, with their latency.
    pub(in crate::consensus) ended: Vec<(&'static str, OpEnd, Span)>,
    /// Commands of each client that it was told are done.
    pub(in crate::consensus) done: BTreeMap<NodeId, u64>,
    /// Values that clients believed which are not what they were told before.
    pub(in crate::consensus) stale: u64,
    /// When each node said a vote to all.
    pub(in crate::consensus) votes: BTreeMap<NodeId, Vec<Time>>,
    /// Messages of each kind, and the largest.
    pub(in crate::consensus) kinds: BTreeMap<&'static str, u64>,
    pub(in crate::consensus) largest: BTreeMap<&'static str, usize>,
    /// Transactions that were ordered again.
    pub(in crate::consensus) duplicates: u64,
    /// The instants of commits, at whatever node.
    pub(in crate::consensus) commits: Vec<Time>,
    pub(in crate::consensus) nulls: u64,
    /// When a node committed transactions last.
    pub(in crate::consensus) last: Time,
    /// When each node committed transactions first.
    pub(in crate::consensus) first: BTreeMap<NodeId, Time>,
}

pub(in crate::consensus) struct Watch {
    checks: Vec<Box<dyn Check>>,
    corrupt: Vec<NodeId>,
    seen: Arc<Mutex<Seen>>,
}

impl Observer for Watch {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        for check in &mut self.checks {
            check.probe(at, node, probe);
        }
        if self.corrupt.contains(&node) {
            return;
        }
        let mut seen = self.seen.lock().unwrap();
        match probe {
            Probe::Admitted { tx, .. } => {
                seen.admitted.insert(*tx);
            }
            Probe::Applied(block) => {
                let height = block.header.height;
                // A node that lost its last blocks in a crash executes them once more.
                if height > seen.heights.values().copied().max().unwrap_or(0) {
                    for tx in block.committed.batch.txs().iter() {
                        let fresh = seen.applied.insert(tx.id());
                        seen.duplicates += u64::from(!fresh);
                    }
                }
                let highest = seen.heights.entry(node).or_default();
                *highest = height.max(*highest);
            }
            Probe::View { view, .. } => {
                seen.views.insert(node, *view);
            }
            Probe::ViewTimeout { .. } => seen.timeouts += 1,
            Probe::StableCheckpoint { sequence, .. } => {
                seen.stable.insert(node, *sequence);
            }
            Probe::Ended {
                name, end, asked, ..
            } => {
                seen.ended.push((name, *end, at - *asked));
                if (*name, *end) == ("order", OpEnd::Done) {
                    *seen.done.entry(node).or_default() += 1;
                }
            }
            Probe::Domain(shown) => {
                let shown: &Believed = shown.as_any().downcast_ref().unwrap();
                let value = shown.value.as_ref();
                let sum = value.map_or(0, |v| u64::from_be_bytes((**v).try_into().unwrap()));
                let done = seen.done.get(&node).copied().unwrap_or(0);
                seen.stale += u64::from(sum < done);
            }
            Probe::StateTaken {
                sequence, fetched, ..
            } => seen
                .taken
                .entry(node)
                .or_default()
                .push((*sequence, *fetched)),
            Probe::DamageFound { records, forgotten } => {
                let damage = seen.damage.entry(node).or_default();
                damage.push((*records, *forgotten));
            }
            Probe::Recovered { height, .. } => seen.back.entry(node).or_default().push(*height),
            Probe::StateRefused { from, .. } => {
                seen.refused.insert(*from);
            }
            Probe::CaughtUp { blocks, .. } => *seen.fetched.entry(node).or_default() += blocks,
            Probe::Committed(committed) => {
                seen.commits.push(at);
                seen.nulls += u64::from(committed.batch.txs().is_empty());
                if !committed.batch.txs().is_empty() {
                    seen.first.entry(node).or_insert(at);
                    seen.last = seen.last.max(at);
                }
            }
            _ => {}
        }
    }
    fn sent(&mut self, at: Time, from: NodeId, payload: &dyn Payload, receivers: usize) {
        for check in &mut self.checks {
            check.sent(at, from, payload, receivers);
        }
        let mut seen = self.seen.lock().unwrap();
        *seen.kinds.entry(payload.kind()).or_default() += receivers as u64;
        if ["prepare", "commit"].contains(&payload.kind()) && receivers > 1 {
            seen.votes.entry(from).or_default().push(at);
        }
        let largest = seen.largest.entry(payload.kind()).or_default();
        *largest = payload.encoded_len().max(*largest);
    }
    fn node_up(&mut self, at: Time, node: NodeId, up: bool) {
        for check in &mut self.checks {
            check.node_up(at, node, up);
        }
    }
    fn fault(&mut self, at: Time, id: &str, open: bool) {
        for check in &mut self.checks {
            check.fault(at, id, open);
        }
    }
    fn stored(&mut self, at: Time, node: NodeId, disk: &Disk) {
        for check in &mut self.checks {
            check.stored(at, node, disk);
        }
    }
    fn end(&mut self, at: Time) {
        for check in &mut self.checks {
            check.end(at);
        }
    }
}

/// What came of a run.
pub(in crate::consensus) struct Outcome {
    pub(in crate::consensus) findings: BTreeMap<&'static str, Finding>,
    pub(in crate::consensus) seen: Seen,
    pub(in crate::consensus) digest: String,
    /// What each fault came to.
    pub(in crate::consensus) effects: Vec<u64>,
}

impl Outcome {
    pub(in crate::consensus) fn verdict(&self, check: &str) -> Verdict {
        self.findings[check].verdict
    }
    /// The violations of all checks, in words.
    pub(in crate::consensus) fn violations(&self) -> Vec<String> {
        self.findings
            .iter()
            .flat_map(|(name, f)| f.violations.iter().map(move |v| format!("{name}: {v}")))
            .collect()
    }
    /// All checks hold, and those that every run judges did judge.
    pub(in crate::consensus) fn assert_good(&self, what: &str) {
        let violations = self.violations();
        assert!(violations.is_empty(), "{what}: {violations:#?}");
        for name in [
            "agreement",
            "prefix-order",
            "validity",
            "at-most-once",
            "no-double-signing",
            "certificate",
            "equal-state-roots",
            "hash-chain",
            "merkle",
            "liveness",
            "convergence",
        ] {
            if name == "certificate" && !self.findings.contains_key(name) {
                continue; // A chain without signatures of quorums.
            }
            assert_eq!(self.verdict(name), Verdict::Pass, "{what}: {name}");
        }
        assert!(
            self.effects.iter().all(|&e| e > 0),
            "{what}: a fault without effect"
        );
    }
    /// No transaction was ordered a second time.
    pub(in crate::consensus) fn assert_ordered_once(&self, what: &str) {
        assert_eq!(self.seen.duplicates, 0, "{what}");
    }
    /// The longest time without a commit, up to the last commit.
    pub(in crate::consensus) fn longest_gap(&self) -> Span {
        let mut commits = self.seen.commits.clone();
        commits.sort_unstable();
        commits
            .windows(2)
            .map(|w| w[1] - w[0])
            .max()
            .unwrap_or(Span::MAX)
    }
}
