//! Kernels of groups: regions, lines, machines, and what runs on the nodes.

use consim_check::invariants::{self, ChainSubject, Subjects};
use consim_core::{
    ChainId, Check, Context, Delivery, Distribution, Event, Keyring, NodeId, Observer, OpId,
    Payload, Probe, Process, SecretKey, Span, Streams, Time, TimerKey, Tx, TxId,
};
use consim_kernel::config::{EventList, Hardware, LineGroups, Link, NetworkConfig, NodeConfig};
use consim_kernel::{Kernel, KernelConfig, Spawn};
use consim_models::consensus::pbft::{PbftOptions, PbftReplica};
use consim_models::consensus::{
    BlockLimits, MempoolLimits, Replica, ReplicaConfig, TIMER_LIMIT, byzantine_quorum,
};
use consim_models::ledger::{Snapshot, WorldState};
use std::sync::Arc;

const CHAIN: ChainId = ChainId(0);
const SUBMIT: TimerKey = TimerKey(TIMER_LIMIT);
const REGIONS: u32 = 5;

/// A replica with a host that executes nothing. The first member, who is the primary, submits a
/// transaction a period.
struct Member {
    replica: PbftReplica,
    key: Arc<SecretKey>,
    period: Option<Span>,
    number: u64,
}

impl Process for Member {
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

struct Nursery<F>(F);

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

/// A PBFT group.
pub(crate) fn kernel(
    n: u32,
    crypto: bool,
    checked: bool,
    period: Span,
    list: EventList,
) -> Kernel<Watch> {
    let (keys, _) = Keyring::generate(n, 1);
    let members: Arc<[NodeId]> = (0..n).map(NodeId).collect();
    let subjects = Arc::new(Subjects {
        chains: vec![ChainSubject {
            byzantine: true,
            id: CHAIN,
            name: "group".into(),
            members: members.to_vec(),
            quorum: byzantine_quorum(n as usize),
            mempool: u32::MAX,
        }],
        keys: keys.clone(),
        names: (0..n).map(|i| format!("node-{i}")).collect(),
        corrupt: Vec::new(),
        at_mercy: Vec::new(),
        recorded: false,
        restarts: false,
        disks: false,
        damages: false,
        bound: Span::from_secs(30),
    });
    let checks = if checked {
        invariants::build(&subjects, &[], &[])
    } else {
        Vec::new()
    };
    let spawn = move |node: NodeId| -> Box<dyn Process> {
        #[expect(clippy::expect_used, reason = "a keyring of all members was made")]
        let key = Arc::new(keys.steal(node.into()).expect("a member's key"));
        let config = ReplicaConfig {
            chain: CHAIN,
            me: node,
            members: Arc::clone(&members),
            quorum: byzantine_quorum(members.len()),
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
        };
        let options = PbftOptions {
            pipeline: 64,
            ..PbftOptions::default()
        };
        Box::new(Member {
            replica: PbftReplica::new(config, options),
            key,
            period: (node.0 == 0).then_some(period),
            number: 0,
        })
    };
    build(n, hardware(crypto), list, checks, Box::new(Nursery(spawn)))
}

/// A group of `n` nodes of some kind.
pub(crate) fn with(
    n: u32,
    list: EventList,
    spawn: impl FnMut(NodeId) -> Box<dyn Process> + Send + 'static,
) -> Kernel<Watch> {
    build(
        n,
        hardware(false),
        list,
        Vec::new(),
        Box::new(Nursery(spawn)),
    )
}

fn build(
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
fn hardware(crypto: bool) -> Hardware {
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
