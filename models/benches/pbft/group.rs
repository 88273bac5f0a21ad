//! Kernels of groups: regions, lines, machines, and what runs on the nodes.

use consim_check::invariants::{self, ChainSubject, Subjects};
use consim_core::{
    ChainId, Check, Context, Delivery, Distribution, Event, Keyring, NodeId, Observer, OpId,
    Payload, Probe, Process, SecretKey, Span, Streams, Time, TimerKey, Tx, TxId,
};
use consim_kernel::config::{EventList, Hardware, LineGroups, Link, NetworkConfig, NodeConfig};
use consim_kernel::{Kernel, KernelConfig, Spawn};
use consim_models::consensus::pbft::PbftReplica;
use consim_models::consensus::qbft::Variant;
use consim_models::consensus::{
    BlockLimits, MempoolLimits, PROTOCOLS, ProtocolEntry, ProtocolOptions, Replica, ReplicaConfig,
    TIMER_LIMIT, build as replica,
};
use consim_models::ledger::{Snapshot, WorldState};
use std::sync::Arc;

const CHAIN: ChainId = ChainId(0);
const SUBMIT: TimerKey = TimerKey(TIMER_LIMIT);
const REGIONS: u32 = 5;

/// A replica with a host that executes nothing. The first member, who is the primary, submits a
/// transaction a period.
struct Member<R: ?Sized> {
    replica: Box<R>,
    key: Arc<SecretKey>,
    period: Option<Span>,
    number: u64,
}

impl<R: Replica + ?Sized> Process for Member<R> {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        if matches!(event, Event::Start | Event::Timer(SUBMIT))
            && let Some(period) = self.period
        {
            cx.set_timer(SUBMIT, period);
        }
        if matches!(event, Event::Timer(SUBMIT)) {
            self.number += 1;
            let id = TxId {
                origin: cx.node(),
                number: self.number,
            };
            let body: Arc<[u8]> = [0; 200].into();
            let tx = Tx::new(id, CHAIN, OpId(self.number), body, &self.key);
            self.replica.submit(cx, Arc::new(tx));
        } else {
            self.replica.handle(cx, event);
        }
        while let Some(delivery) = cx.take_delivery() {
            if let Delivery::Ordered { committed, .. } = delivery {
                let nothing = || Snapshot {
                    header: None,
                    state: WorldState::new(),
                };
                self.replica.executed(cx, committed.sequence, &nothing);
            }
        }
    }
}

/// Makes each node's process.
pub(crate) struct Nursery<F>(pub(crate) F);

impl<F: FnMut(NodeId) -> Box<dyn Process> + Send> Spawn for Nursery<F> {
    fn spawn(&mut self, node: NodeId) -> Box<dyn Process> {
        (self.0)(node)
    }
}

/// Counts blocks, and runs the checks if there are any.
pub(crate) struct Watch {
    checks: Vec<Box<dyn Check>>,
    pub(crate) blocks: u64,
}

impl Watch {
    /// Prints what the checks found, which should be nothing.
    pub(crate) fn complain(&self) {
        for check in &self.checks {
            for violation in check.finding().violations {
                eprintln!("{}: {violation}", check.name());
            }
        }
    }
}

impl Observer for Watch {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        if node.0 == 0 && matches!(probe, Probe::Committed(_)) {
            self.blocks += 1;
        }
        for check in &mut self.checks {
            check.probe(at, node, probe);
        }
    }
    fn sent(&mut self, at: Time, from: NodeId, payload: &dyn Payload, receivers: usize) {
        for check in &mut self.checks {
            check.sent(at, from, payload, receivers);
        }
    }
    fn end(&mut self, at: Time) {
        for check in &mut self.checks {
            check.end(at);
        }
    }
}

/// A group that orders transactions.
pub(crate) struct Group {
    pub(crate) n: u32,
    pub(crate) protocol: ProtocolOptions,
    /// Do authenticators cost what Ed25519 does, or what MACs do?
    pub(crate) crypto: bool,
    pub(crate) checks: bool,
    /// Between two transactions.
    pub(crate) period: Span,
}

impl Group {
    fn entry(&self) -> &'static ProtocolEntry {
        let place = match self.protocol {
            ProtocolOptions::Pbft(_) => 0,
            ProtocolOptions::Raft(_) => 1,
            ProtocolOptions::HotStuff(_) => 2,
            ProtocolOptions::BftSmart(_) => 3,
            ProtocolOptions::Tendermint(_) => 4,
            ProtocolOptions::Qbft(options) => 5 + usize::from(options.variant == Variant::Ibft),
            ProtocolOptions::Clique(_) => 7,
        };
        &PROTOCOLS[place]
    }

    fn judges(&self, keys: &Keyring) -> Vec<Box<dyn Check>> {
        if !self.checks {
            return Vec::new();
        }
        let (n, entry) = (self.n, self.entry());
        let subjects = Arc::new(Subjects {
            chains: vec![ChainSubject {
                quorum_of: consim_models::consensus::byzantine_quorum,
                byzantine: entry.byzantine,
                id: CHAIN,
                name: "group".into(),
                members: (0..n).map(NodeId).collect(),
                quorum: (entry.quorum)(n as usize),
                first: None,
                mempool: u32::MAX,
                time: None,
            }],
            keys: keys.clone().into(),
            names: (0..n).map(|i| format!("node-{i}")).collect(),
            corrupt: Vec::new(),
            at_mercy: Vec::new(),
            entries: Vec::new(),
            light: Vec::new(),
            revokes: false,
            recorded: false,
            restarts: false,
            disks: false,
            damages: false,
            bound: Span::from_secs(30),
        });
        invariants::build(&subjects, &[], &[])
    }

    /// The group on the kernel.
    pub(crate) fn kernel(self, list: EventList) -> Kernel<Watch> {
        let (keys, _) = Keyring::generate(self.n, 1);
        let checks = self.judges(&keys);
        let (n, hardware) = (self.n, hardware(self.crypto));
        let members: Arc<[NodeId]> = (0..n).map(NodeId).collect();
        let spawn = move |node: NodeId| -> Box<dyn Process> { self.member(node, &members, &keys) };
        build(n, hardware, list, checks, Box::new(Nursery(spawn)))
    }

    fn member(&self, node: NodeId, members: &Arc<[NodeId]>, keys: &Keyring) -> Box<dyn Process> {
        #[expect(clippy::expect_used, reason = "a keyring of all members was made")]
        let key = Arc::new(keys.steal(node.into()).expect("a member's key"));
        let config = ReplicaConfig {
            chain: CHAIN,
            me: node,
            members: Arc::clone(members),
            everybody: Arc::clone(members),
            peers: None,
            administrator: None,
            quorum: (self.entry().quorum)(members.len()),
            key: Arc::clone(&key),
            keys: keys.clone(),
            block: BlockLimits {
                transactions: 500,
                bytes: 1 << 20,
                wait: Span::ZERO,
            },
            mempool: MempoolLimits {
                transactions: 100_000,
                bytes: 100 << 20,
            },
            timeout: Span::from_secs(10),
            checkpoint: 128,
            keep: None,
            renewed: Vec::new(),
        };
        let period = (node.0 == 0).then_some(self.period);
        let number = 0;
        // Of a type that is known, so that PBFT's figures are its own.
        if let ProtocolOptions::Pbft(options) = self.protocol {
            let replica = Box::new(PbftReplica::new(config, options));
            return Box::new(Member {
                replica,
                key,
                period,
                number,
            });
        }
        Box::new(Member {
            replica: replica(config, &self.protocol),
            key,
            period,
            number,
        })
    }
}

/// A kernel of `n` nodes.
pub(crate) fn build(
    n: u32,
    hardware: Hardware,
    list: EventList,
    checks: Vec<Box<dyn Check>>,
    spawner: Box<dyn Spawn>,
) -> Kernel<Watch> {
    let hardware = Arc::new(hardware);
    let link = Link {
        delay: Distribution::LogNormal {
            median: Span::from_micros(1_500),
            p99: Span::from_millis(6),
        },
        rate: 1_000_000_000,
        ..Link::default()
    };
    let between = |a: u32, b: u32| {
        let mean = Span::from_millis(1 + 4 * u64::from(a.abs_diff(b)));
        Distribution::Normal {
            mean,
            sd: Span::from_nanos(mean.nanos() / 10),
        }
    };
    let config = KernelConfig {
        streams: Streams::new(1),
        start_ns: 1_700_000_000_000_000_000,
        nodes: (0..n)
            .map(|i| NodeConfig {
                name: format!("node-{i}"),
                region: i % REGIONS,
                site: i,
                hardware: Arc::clone(&hardware),
                clock_offset_ns: 0,
                clock_drift_ppb: 0,
            })
            .collect(),
        network: NetworkConfig {
            regions: (0..REGIONS)
                .map(|a| (0..REGIONS).map(|b| between(a, b)).collect())
                .collect(),
            site_link: link.clone(),
            link,
            groups: LineGroups::default(),
            uplinks: Vec::new(),
        },
        faults: Vec::new(),
        workloads: Vec::new(),
        spawner,
        end: Time::MAX,
        list,
    };
    Kernel::new(config, Watch { checks, blocks: 0 })
}

/// A server. Ed25519: the measurements of this project's hardware profile; MACs: 1 µs, the order
/// of HMAC-SHA-256 over a short message.
pub(crate) fn hardware(crypto: bool) -> Hardware {
    let (sign, verify, batched) = if crypto { (18, 30, 15) } else { (1, 1, 1) };
    Hardware {
        cores: 8,
        speed_permille: 1_000,
        sign: Span::from_micros(sign),
        verify: Span::from_micros(verify),
        verify_batched: Span::from_micros(batched),
        hash_per_kib: Span::from_nanos(620),
        encrypt_per_kib: Span::from_nanos(700),
        execute: Span::from_micros(10),
        per_message: Span::from_nanos(500),
        per_kib: Span::from_nanos(100),
        nic_in: 10_000_000_000,
        nic_out: 10_000_000_000,
        disk_write: 2_000_000_000,
        fsync: Distribution::LogNormal {
            median: Span::from_micros(20),
            p99: Span::from_micros(200),
        },
        ..Hardware::default()
    }
}
