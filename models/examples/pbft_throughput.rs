//! How many protocol messages a second of wall time the kernel and PBFT get through: full nodes,
//! an empty service, real ledgers, run digest on; once without and once with all online checks.
//!
//! `cargo run --release -p consim-models --example pbft_throughput [members...]`

use consim_check::invariants::{self, ChainSubject, Subjects};
use consim_core::machine::ApplyAt;
use consim_core::{
    Block, ChainId, Check, Context, Disk, Distribution, Keyring, NodeId, Observer, OpId, Payload,
    Probe, Process, Receipt, Span, State, StateMachine, Streams, Time, TimerKey, Tx, WriteToken,
};
use consim_kernel::config::{Hardware, LineGroups, Link, NetworkConfig, NodeConfig as Machine};
use consim_kernel::{Kernel, KernelConfig, Spawn};
use consim_models::consensus::pbft::{PbftOptions, PbftReplica};
use consim_models::consensus::{
    BlockLimits, MempoolLimits, ReplicaConfig, TIMER_LIMIT, byzantine_quorum,
};
use consim_models::ledger::ExecutionCache;
use consim_models::node::membership::{Authority, Genesis, Identity, Role, TrustRoots};
use consim_models::node::service::{Host, Service};
use consim_models::node::{FullNode, NodeConfig};
use std::sync::Arc;

const CHAIN: ChainId = ChainId(0);
const SUBMIT: TimerKey = TimerKey(TIMER_LIMIT);
/// Between two transactions of a node: some blocks a second at n = 21.
const PERIOD: Span = Span::from_secs(10);
/// Members of the runs, if none are given.
const SIZES: [u32; 3] = [4, 21, 64];
/// Protocol messages of a run, about: a few seconds of wall time.
const MESSAGES: u64 = 4_000_000;

/// A machine that remembers nothing.
struct Nothing;

impl StateMachine for Nothing {
    fn name(&self) -> &'static str {
        "nothing"
    }
    fn genesis(&self, _: &mut dyn State) {}
    fn apply(&self, _: &mut dyn State, _: &Tx, _: ApplyAt) -> Receipt {
        Receipt::Applied
    }
}

/// A service that submits one transaction a period and does nothing else.
struct Submitter {
    number: u64,
}

impl Service for Submitter {
    fn start(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, _: Option<&Disk>) {
        let shift = u64::from(host.node().0) * 97_000_003 % PERIOD.nanos();
        cx.set_timer(SUBMIT, Span::from_nanos(shift));
    }
    fn timer(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, _: TimerKey) {
        self.number += 1;
        let body: Arc<[u8]> = [0; 200].into();
        host.submit(cx, OpId(self.number), self.number, body);
        cx.set_timer(SUBMIT, PERIOD);
    }
    fn message(&mut self, _: &mut Context<'_>, _: &mut dyn Host, _: NodeId, _: &Arc<dyn Payload>) {}
    fn applied(&mut self, _: &mut Context<'_>, _: &mut dyn Host, _: &Arc<Block>) {}
    fn persisted(&mut self, _: &mut Context<'_>, _: &mut dyn Host, _: WriteToken) {}
}

struct Nursery {
    keys: Keyring,
    members: Arc<[NodeId]>,
    genesis: Arc<Genesis>,
    executions: ExecutionCache,
}

impl Spawn for Nursery {
    #[expect(clippy::expect_used, reason = "a keyring of all members was made")]
    fn spawn(&mut self, node: NodeId) -> Box<dyn Process> {
        let key = Arc::new(self.keys.steal(node.into()).expect("a member's key"));
        let config = ReplicaConfig {
            chain: CHAIN,
            me: node,
            members: Arc::clone(&self.members),
            quorum: byzantine_quorum(self.members.len()),
            key: Arc::clone(&key),
            keys: self.keys.clone(),
            block: BlockLimits {
                transactions: 500,
                bytes: 1 << 20,
                wait: Span::from_millis(100),
            },
            mempool: MempoolLimits {
                transactions: 100_000,
                bytes: 100 << 20,
            },
            timeout: Span::from_secs(2),
            checkpoint: 128,
        };
        let options = PbftOptions::default();
        let node = NodeConfig {
            node,
            chain: CHAIN,
            members: Arc::clone(&self.members),
            key,
            keys: self.keys.clone(),
            machine: Arc::new(Nothing),
            executions: self.executions.clone(),
            certificate: *self
                .genesis
                .certificates
                .get(node.index())
                .expect("a member's certificate"),
            genesis: Arc::clone(&self.genesis),
        };
        let replica = PbftReplica::new(config, options);
        Box::new(FullNode::new(
            node,
            Box::new(replica),
            Box::new(Submitter { number: 0 }),
        ))
    }
}

/// Counts blocks, and runs the checks if there are any.
struct Watch {
    checks: Vec<Box<dyn Check>>,
    blocks: u64,
}

impl Observer for Watch {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        if node.0 == 0 && matches!(probe, Probe::Applied(_)) {
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

fn hardware() -> Hardware {
    Hardware {
        cores: 8,
        speed_permille: 1_000,
        sign: Span::from_micros(18),
        verify: Span::from_micros(30),
        verify_batched: Span::from_micros(15),
        hash_per_kib: Span::from_nanos(620),
        encrypt_per_kib: Span::from_nanos(700),
        execute: Span::from_micros(10),
        per_message: Span::from_micros(2),
        per_kib: Span::from_nanos(200),
        nic_in: 10_000_000_000,
        nic_out: 10_000_000_000,
        disk_write: 500_000_000,
        fsync: Distribution::LogNormal {
            median: Span::from_micros(500),
            p99: Span::from_millis(5),
        },
        ..Hardware::default()
    }
}

fn kernel(n: u32, checked: bool) -> Kernel<Watch> {
    let (keys, secrets) = Keyring::generate(n + 1, 1);
    let mut roots = TrustRoots::new();
    let mut certificates = Vec::new();
    if let Some(key) = secrets.into_iter().next_back() {
        let mut authority = Authority::new(key);
        roots.trust_shared(authority.id());
        certificates.extend((0..n).map(|i| {
            authority.issue(Identity {
                subject: NodeId(i),
                organisation: i,
                role: Role::Peer,
                not_before_ns: 0,
                not_after_ns: i64::MAX,
            })
        }));
    }
    let members: Arc<[NodeId]> = (0..n).map(NodeId).collect();
    let subjects = Arc::new(Subjects {
        chains: vec![ChainSubject {
            id: CHAIN,
            name: "alliance".into(),
            members: members.to_vec(),
            quorum: byzantine_quorum(n as usize),
        }],
        keys: keys.clone(),
        names: (0..n).map(|i| format!("node-{i}")).collect(),
        corrupt: Vec::new(),
        restarts: false,
        bound: Span::from_secs(30),
    });
    let hardware = Arc::new(hardware());
    let link = Link {
        delay: Distribution::LogNormal {
            median: Span::from_micros(1_500),
            p99: Span::from_millis(6),
        },
        rate: 1_000_000_000,
        ..Link::default()
    };
    let config = KernelConfig {
        streams: Streams::new(1),
        start_ns: 1_700_000_000_000_000_000,
        nodes: (0..n)
            .map(|i| Machine {
                name: format!("node-{i}"),
                region: 0,
                site: i,
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
        },
        faults: Vec::new(),
        workloads: Vec::new(),
        spawner: Box::new(Nursery {
            keys,
            members,
            genesis: Arc::new(Genesis {
                roots,
                certificates,
            }),
            executions: ExecutionCache::shared(),
        }),
        end: Time::MAX,
    };
    let checks = if checked {
        invariants::build(&subjects, &[], &[])
    } else {
        Vec::new()
    };
    Kernel::new(config, Watch { checks, blocks: 0 })
}

#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "wall time is what is measured"
)]
fn measure(n: u32, checked: bool) {
    let mut kernel = kernel(n, checked);
    let started = std::time::Instant::now();
    let mut until = Time::ZERO;
    while kernel.totals().messages < MESSAGES {
        until += Span::from_secs(10);
        kernel.run_until(until);
    }
    let wall = started.elapsed().as_secs_f64();
    let totals = kernel.totals();
    println!(
        "n = {n:3}, checks {}: {:6.3} M messages/s of wall time ({:.0} ns each), {} messages, {} events, {} blocks, {:.0} s of virtual time, {:.0} x real time",
        if checked { "on " } else { "off" },
        totals.messages as f64 / wall / 1e6,
        wall / totals.messages as f64 * 1e9,
        totals.messages,
        totals.events,
        kernel.observer().blocks,
        until.seconds(),
        until.seconds() / wall,
    );
    for check in &kernel.observer().checks {
        let finding = check.finding();
        for violation in finding.violations {
            println!("{}: {violation}", check.name());
        }
    }
}

fn main() {
    let given: Vec<u32> = std::env::args()
        .skip(1)
        .filter_map(|a| a.parse().ok())
        .collect();
    let sizes = if given.is_empty() {
        SIZES.to_vec()
    } else {
        given
    };
    for n in sizes {
        measure(n, false);
        measure(n, true);
    }
}
