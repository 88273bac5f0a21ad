#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod clocks;
mod costs;
mod disks;
mod faults;
mod lines;
mod lists;
mod reference;
mod tcp;
mod uplinks;

use crate::config::{
    Crash, Delay, EventList, FaultKind, FaultWindow, Hardware, LineGroups, Lines, Link, Loss,
    NetworkConfig, NodeConfig, Partition, Target, Uplink,
};
use crate::{Kernel, KernelConfig, Spawn};
use consim_core::{
    Arrival, CodecError, Context, Distribution, End, Event, NodeId, Observer, Payload, Probe,
    Process, Span, Streams, Time, TimerKey, Work, Workload, Write, WriteToken,
};
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[derive(Debug)]
struct Note(u64, usize);
impl Payload for Note {
    fn kind(&self) -> &'static str {
        "note"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_be_bytes());
        out.resize(out.len() + self.1, 0);
    }
    fn encoded_len(&self) -> usize {
        8 + self.1
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Note {
    fn read(bytes: &[u8]) -> Result<Self, CodecError> {
        let (number, rest) = bytes.split_first_chunk().ok_or(CodecError::Truncated)?;
        if rest.iter().any(|&byte| byte != 0) {
            return Err(CodecError::Invalid("padding"));
        }
        Ok(Self(u64::from_be_bytes(*number), rest.len()))
    }
}

/// What a test process saw: (instant, node, what).
type Log = Arc<Mutex<Vec<(u64, u32, String)>>>;

type Script = Arc<dyn Fn(&mut Context<'_>, &Event<'_>) + Send + Sync>;

struct Scripted {
    log: Log,
    script: Script,
}
impl Process for Scripted {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        let what = match &event {
            Event::Start => "start".to_owned(),
            Event::Recover(disk) => format!("recover {}", disk.log(1).len()),
            Event::Message { from, payload } => {
                let number = payload.as_any().downcast_ref::<Note>().map(|note| note.0);
                number.map_or_else(
                    || format!("{} from {}", payload.kind(), from.0),
                    |number| format!("note {number} from {}", from.0),
                )
            }
            Event::Timer(key) => format!("timer {}", key.0),
            Event::Request(_) => "request".to_owned(),
            Event::Persisted(token) => format!("persisted {}", token.0),
            Event::Scrubbed(disk) => format!("scrubbed {}", disk.damaged()),
        };
        self.log
            .lock()
            .unwrap()
            .push((cx.now().nanos(), cx.node().0, what));
        (self.script)(cx, &event);
    }
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        Ok(Arc::new(Note::read(bytes)?))
    }
}
struct Spawner {
    log: Log,
    script: Script,
}
impl Spawn for Spawner {
    fn spawn(&mut self, _node: NodeId) -> Box<dyn Process> {
        Box::new(Scripted {
            log: Arc::clone(&self.log),
            script: Arc::clone(&self.script),
        })
    }
}
/// Only counts why messages were refused.
#[derive(Default)]
struct Nobody {
    refused: BTreeMap<&'static str, u64>,
}
impl Observer for Nobody {
    fn probe(&mut self, _: Time, _: NodeId, probe: &Probe) {
        if let Probe::Refused { reason, .. } = probe {
            *self.refused.entry(reason).or_default() += 1;
        }
    }
}

fn ms(n: u64) -> Span {
    Span::from_millis(n)
}
fn at(n: u64) -> Time {
    Time::ZERO + ms(n)
}

struct Setup {
    nodes: u32,
    region_delay: Distribution,
    link: Link,
    groups: LineGroups,
    uplinks: Vec<Uplink>,
    hardware: Hardware,
    faults: Vec<FaultWindow>,
    seed: u64,
    end: Time,
    list: EventList,
}
impl Default for Setup {
    fn default() -> Self {
        Self {
            nodes: 2,
            region_delay: Distribution::Constant(ms(10)),
            link: Link::default(),
            groups: LineGroups::default(),
            uplinks: Vec::new(),
            hardware: Hardware {
                cores: 2,
                speed_permille: 1_000,
                sign: ms(1),
                verify: ms(2),
                verify_batched: ms(2),
                fsync: Distribution::Constant(ms(5)),
                ..Hardware::default()
            },
            faults: Vec::new(),
            seed: 1,
            end: at(1_000),
            list: EventList::default(),
        }
    }
}
impl Setup {
    fn run(
        self,
        script: impl Fn(&mut Context<'_>, &Event<'_>) + Send + Sync + 'static,
    ) -> (Vec<(u64, u32, String)>, Kernel<Nobody>) {
        let sites: Vec<u32> = (0..self.nodes).collect();
        self.run_in_sites(&sites, script)
    }
    fn run_in_sites(
        self,
        sites: &[u32],
        script: impl Fn(&mut Context<'_>, &Event<'_>) + Send + Sync + 'static,
    ) -> (Vec<(u64, u32, String)>, Kernel<Nobody>) {
        let log = Log::default();
        let hardware = Arc::new(self.hardware);
        let nodes = (0..self.nodes)
            .map(|i| NodeConfig {
                name: format!("n-{i}"),
                region: 0,
                site: sites[i as usize],
                hardware: Arc::clone(&hardware),
                clock_offset_ns: 0,
                clock_drift_ppb: 0,
            })
            .collect();
        let spawner = Spawner {
            log: Arc::clone(&log),
            script: Arc::new(script),
        };
        let config = KernelConfig {
            streams: Streams::new(self.seed),
            start_ns: 0,
            nodes,
            network: NetworkConfig {
                regions: vec![vec![self.region_delay]],
                site_link: self.link.clone(),
                link: self.link,
                groups: self.groups,
                uplinks: self.uplinks,
            },
            faults: self.faults,
            workloads: Vec::new(),
            spawner: Box::new(spawner),
            end: self.end,
            list: self.list,
        };
        let mut kernel = Kernel::new(config, Nobody::default());
        kernel.run_until(Time::MAX);
        let seen = log.lock().unwrap().clone();
        (seen, kernel)
    }
}
fn only(log: &[(u64, u32, String)], what: &str) -> Vec<(u64, u32)> {
    log.iter()
        .filter(|l| l.2.starts_with(what))
        .map(|l| (l.0 / 1_000_000, l.1))
        .collect()
}
fn note(n: u64) -> Arc<dyn Payload> {
    Arc::new(Note(n, 0))
}
fn crash(node: u32, from: u64, to: u64) -> FaultWindow {
    let target = Target::Nodes(vec![NodeId(node)]);
    FaultWindow {
        id: "down".into(),
        from: at(from),
        to: at(to),
        kind: FaultKind::Crash(Crash::new(target)),
    }
}

/// Node 0 and node 1 send a note to and fro.
fn ping_pong(cx: &mut Context<'_>, event: &Event<'_>) {
    match event {
        Event::Start if cx.node() == NodeId(0) => cx.send(NodeId(1), note(0)),
        Event::Message { from, payload } => {
            let n = payload.as_any().downcast_ref::<Note>().unwrap().0;
            cx.send(*from, note(n + 1));
        }
        _ => {}
    }
}

#[test]
fn two_nodes_exchange_messages() {
    let (log, kernel) = Setup::default().run(ping_pong);
    let notes = only(&log, "note");
    assert_eq!(notes.len(), 100);
    assert_eq!(notes[..3], [(10, 1), (20, 0), (30, 1)]);
    assert_eq!(kernel.totals().messages, 100);
}

#[test]
fn equal_seeds_give_equal_digests_and_any_change_another() {
    let jitter = || Distribution::Normal {
        mean: ms(10),
        sd: ms(1),
    };
    let run = |seed, delay| {
        let setup = Setup {
            seed,
            region_delay: delay,
            ..Setup::default()
        };
        setup.run(ping_pong).1.run_digest()
    };
    let first = run(1, jitter());
    assert_eq!(first, run(1, jitter()));
    assert_ne!(first, run(2, jitter()));
    let constant = run(1, Distribution::Constant(ms(10)));
    assert_ne!(
        constant,
        run(1, Distribution::Constant(Span::from_nanos(10_000_001)))
    );
}

#[test]
fn a_busy_server_delays_what_waits_and_effects_leave_at_the_finish() {
    // Three notes arrive at 10 ms; each costs one verification (2 ms) and is answered.
    let (log, _) = Setup {
        nodes: 4,
        end: at(100),
        ..Setup::default()
    }
    .run(|cx, event| match event {
        Event::Start if cx.node().0 > 0 => cx.send(NodeId(0), note(7)),
        Event::Message { from, .. } if cx.node().0 == 0 => {
            cx.work(Work::verify(1));
            cx.send(*from, note(8));
        }
        _ => {}
    });
    assert_eq!(only(&log, "note 7"), [(10, 0), (12, 0), (14, 0)]);
    assert_eq!(only(&log, "note 8"), [(22, 1), (24, 2), (26, 3)]);
}

#[test]
fn batch_verification_uses_all_cores() {
    let hardware = Setup::default().hardware;
    assert_eq!(hardware.cost(&Work::verify_batched(4), None), ms(4));
    assert_eq!(hardware.cost(&Work::verify(4), None), ms(8));
    let slow = Hardware {
        speed_permille: 500,
        ..hardware
    };
    assert_eq!(slow.cost(&Work::sign(3), None), ms(6));
}

#[test]
fn what_a_handler_sends_is_lost_if_the_node_crashes_before_the_work_is_done() {
    let script = |cx: &mut Context<'_>, event: &Event<'_>| {
        if matches!(event, Event::Start) && cx.node().0 == 0 {
            cx.work(Work::sign(5));
            cx.send(NodeId(1), note(1));
        }
    };
    let lost = Setup {
        faults: vec![crash(0, 4, 50)],
        ..Setup::default()
    };
    assert_eq!(only(&lost.run(script).0, "note"), []);
    let kept = Setup {
        faults: vec![crash(0, 6, 50)],
        ..Setup::default()
    };
    assert_eq!(only(&kept.run(script).0, "note"), [(15, 1)]);
}

#[test]
fn a_crash_loses_timers_and_unsynced_writes_and_a_restart_sees_what_was_synced() {
    let setup = Setup {
        nodes: 1,
        faults: vec![crash(0, 8, 20)],
        ..Setup::default()
    };
    let (log, kernel) = setup.run(|cx, event| match event {
        Event::Start => {
            cx.set_timer(TimerKey(1), ms(9));
            cx.persist(WriteToken(1), vec![Write::append(1, note(1))]);
            cx.persist(WriteToken(2), vec![Write::append(1, note(2))]);
        }
        Event::Recover(_) => cx.set_timer(TimerKey(2), ms(5)),
        _ => {}
    });
    assert_eq!(only(&log, "persisted 1"), [(5, 0)]);
    assert_eq!(only(&log, "persisted 2"), []);
    assert_eq!(only(&log, "recover 1"), [(20, 0)]);
    assert_eq!(only(&log, "timer"), [(25, 0)]);
    let effect = &kernel.fault_effects()[0];
    assert_eq!(
        (effect.took_effect, effect.hit.as_slice()),
        (1, [NodeId(0)].as_slice())
    );
    assert_eq!(kernel.usage()[0].down, ms(12));
    assert!(kernel.is_up(NodeId(0)));
}

#[test]
fn overlapping_crashes_keep_a_node_down_until_the_last_ends() {
    let faults = vec![crash(0, 10, 30), crash(0, 20, 60)];
    let (log, _) = Setup {
        nodes: 1,
        faults,
        ..Setup::default()
    }
    .run(|_, _| {});
    assert_eq!(only(&log, "recover"), [(60, 0)]);
}

#[test]
fn timers_are_replaced_and_cancelled_even_when_queued() {
    let (log, _) = Setup {
        nodes: 1,
        ..Setup::default()
    }
    .run(|cx, event| match event {
        Event::Start => {
            cx.set_timer(TimerKey(1), ms(50));
            cx.set_timer(TimerKey(1), ms(10));
            cx.set_timer(TimerKey(2), ms(20));
            cx.set_timer(TimerKey(2), ms(40));
            cx.set_timer(TimerKey(3), ms(11));
        }
        // Timer 3 fires and waits while this takes 4 ms; at its finish it is cancelled.
        Event::Timer(TimerKey(1)) => {
            cx.work(Work::verify(2));
            cx.cancel_timer(TimerKey(3));
        }
        _ => {}
    });
    assert_eq!(only(&log, "timer 1"), [(10, 0)]);
    assert_eq!(only(&log, "timer 2"), [(40, 0)]);
    assert_eq!(only(&log, "timer 3"), []);
}

#[test]
fn a_partition_drops_what_crosses_it_and_counts_it() {
    let kind = FaultKind::Partition(Partition::new(Target::Nodes(vec![NodeId(1)])));
    let window = FaultWindow {
        id: "cut".into(),
        from: at(100),
        to: at(200),
        kind,
    };
    let tick = |cx: &mut Context<'_>, event: &Event<'_>| match event {
        Event::Start | Event::Timer(_) if cx.node().0 == 0 => {
            cx.send(NodeId(1), note(1));
            cx.set_timer(TimerKey(1), ms(10));
        }
        _ => {}
    };
    let (whole, _) = Setup::default().run(tick);
    let (cut, kernel) = Setup {
        faults: vec![window],
        ..Setup::default()
    }
    .run(tick);
    let effect = &kernel.fault_effects()[0];
    assert!(effect.took_effect >= 10);
    assert_eq!(
        only(&whole, "note").len() as u64 - only(&cut, "note").len() as u64,
        effect.took_effect
    );
    assert!(
        only(&cut, "note")
            .iter()
            .all(|&(t, _)| !(100..=200).contains(&t))
    );
}

#[test]
fn loss_on_a_stream_delays_and_on_a_datagram_loses() {
    let kind = FaultKind::Loss(Loss {
        lines: Lines::Of(Target::Nodes(vec![NodeId(1)])),
        rate_ppb: 300_000_000,
        burst: None,
    });
    let window = || FaultWindow {
        id: "bad".into(),
        from: at(0),
        to: at(900),
        kind: kind.clone(),
    };
    let tick = |cx: &mut Context<'_>, event: &Event<'_>| match event {
        Event::Start | Event::Timer(_) if cx.node().0 == 0 && cx.now() < at(500) => {
            cx.send(NodeId(1), note(1));
            cx.set_timer(TimerKey(1), ms(1));
        }
        _ => {}
    };
    let setup = |stream| {
        let mut setup = Setup {
            faults: vec![window()],
            end: at(60_000),
            ..Setup::default()
        };
        setup.link.stream = stream;
        setup
    };
    let (stream, kernel) = setup(true).run(tick);
    assert_eq!(only(&stream, "note").len(), 500);
    assert!(only(&stream, "note").last().unwrap().0 > 700);
    assert!(kernel.fault_effects()[0].took_effect > 100);
    let (datagram, kernel) = setup(false).run(tick);
    let arrived = only(&datagram, "note").len() as u64;
    assert!((300..400).contains(&arrived), "{arrived}");
    assert_eq!(500 - arrived, kernel.fault_effects()[0].took_effect);
}

#[test]
fn a_delay_on_one_direction_leaves_the_other_alone() {
    let kind = FaultKind::Delay(Delay {
        lines: Lines::FromTo(
            Target::Nodes(vec![NodeId(0)]),
            Target::Nodes(vec![NodeId(1)]),
        ),
        add: Distribution::Constant(ms(30)),
    });
    let window = FaultWindow {
        id: "slow".into(),
        from: at(0),
        to: at(500),
        kind,
    };
    let (log, kernel) = Setup {
        faults: vec![window],
        ..Setup::default()
    }
    .run(ping_pong);
    // The first note leaves in the start handler, before the window opens at the same instant's loop.
    assert_eq!(
        only(&log, "note")[..4],
        [(10, 1), (20, 0), (60, 1), (70, 0)]
    );
    assert!(kernel.fault_effects()[0].took_effect > 5);
}

#[test]
fn bytes_take_time_on_nic_and_line() {
    let mut setup = Setup {
        end: at(5_000),
        ..Setup::default()
    };
    setup.hardware.nic_out = 8_000_000; // 1 byte a microsecond
    setup.link.rate = 4_000_000;
    let (log, kernel) = setup.run(|cx, event| {
        if matches!(event, Event::Start) && cx.node().0 == 0 {
            cx.send(NodeId(1), Arc::new(Note(1, 9_992)));
            cx.send(NodeId(1), Arc::new(Note(2, 9_992)));
        }
    });
    // 10 ms on the NIC, 20 ms on the line, 10 ms of delay; the second waits for the line.
    assert_eq!(only(&log, "note"), [(40, 1), (60, 1)]);
    assert_eq!(kernel.usage()[0].nic_out, ms(20));
    assert_eq!(kernel.totals().bytes, 20_000);
}

#[test]
fn the_incoming_nic_is_a_server_too() {
    let mut setup = Setup {
        nodes: 3,
        end: at(5_000),
        ..Setup::default()
    };
    setup.hardware.nic_in = 8_000_000;
    let (log, _) = setup.run(|cx, event| {
        if matches!(event, Event::Start) && cx.node().0 > 0 {
            cx.send(NodeId(0), Arc::new(Note(1, 4_992)));
        }
    });
    assert_eq!(only(&log, "note"), [(10, 0), (15, 0)]);
}

#[test]
fn equal_instants_break_ties_by_sender_whatever_the_order_of_pushing() {
    // Both notes reach node 0 at 20 ms; the one of node 2 is sent first.
    let (log, _) = Setup {
        nodes: 3,
        ..Setup::default()
    }
    .run(|cx, event| match (event, cx.node().0) {
        (Event::Start, 1) => cx.set_timer(TimerKey(1), ms(10)),
        (Event::Start, 2) => {
            cx.work(Work::sign(10));
            cx.send(NodeId(0), note(2));
        }
        (Event::Timer(_), 1) => cx.send(NodeId(0), note(1)),
        _ => {}
    });
    let order: Vec<&str> = log
        .iter()
        .filter(|l| l.1 == 0 && l.0 == 20_000_000)
        .map(|l| l.2.as_str())
        .collect();
    assert_eq!(order, ["note 1 from 1", "note 2 from 2"]);
}

struct Every(u64);
impl Workload for Every {
    fn next(&mut self) -> Option<Arrival> {
        self.0 += 1;
        Some(Arrival {
            at: at(self.0 * 100),
            node: NodeId(0),
            count: 1,
            request: note(0),
        })
    }
}

#[test]
fn workloads_hand_out_requests_and_a_node_that_is_down_gets_none() {
    let log = Log::default();
    let hardware = Arc::new(Setup::default().hardware);
    let node = NodeConfig {
        name: "n".into(),
        region: 0,
        site: 0,
        hardware,
        clock_offset_ns: 0,
        clock_drift_ppb: 0,
    };
    let link = Setup::default().link;
    let config = KernelConfig {
        streams: Streams::new(3),
        start_ns: 0,
        nodes: vec![node],
        network: NetworkConfig {
            regions: vec![vec![Distribution::Constant(Span::ZERO)]],
            site_link: link.clone(),
            link,
            groups: LineGroups::default(),
            uplinks: Vec::new(),
        },
        faults: vec![crash(0, 250, 450)],
        workloads: vec![Box::new(Every(0))],
        spawner: Box::new(Spawner {
            log: Arc::clone(&log),
            script: Arc::new(|_, _| {}),
        }),
        end: at(1_000),
        list: EventList::default(),
    };
    let mut kernel = Kernel::new(config, Nobody::default());
    kernel.run_until(Time::MAX);
    let times: Vec<u64> = only(&log.lock().unwrap(), "request")
        .iter()
        .map(|l| l.0)
        .collect();
    assert_eq!(times, [100, 200, 500, 600, 700, 800, 900, 1000]);
}

/// One user who asks again 10 ms after an answer, and 100 ms after nobody was there.
struct Again {
    begun: bool,
}
impl Again {
    fn arrival(after: Time) -> Arrival {
        Arrival {
            at: after,
            node: NodeId(0),
            count: 1,
            request: note(0),
        }
    }
}
impl Workload for Again {
    fn next(&mut self) -> Option<Arrival> {
        let first = !std::mem::replace(&mut self.begun, true);
        first.then(|| Self::arrival(at(50)))
    }
    fn ended(&mut self, end: End) -> Option<Arrival> {
        assert_eq!((end.node, end.count), (NodeId(0), 1));
        let pause = if end.answered { 10 } else { 100 };
        Some(Self::arrival(end.at + Span::from_millis(pause)))
    }
}

/// Ends every operation as it comes, after 40 ms of work.
fn ends() -> Script {
    Arc::new(|cx, event| {
        if matches!(event, Event::Request(_)) {
            cx.work(Work::fixed(Span::from_millis(40)));
            cx.emit(Probe::Ended {
                op: consim_core::OpId(1),
                workload: consim_core::WorkloadId(0),
                name: "note",
                end: consim_core::OpEnd::Done,
                asked: cx.now(),
                deadline: Span::ZERO,
                count: 1,
            });
        }
    })
}

#[test]
fn who_is_answered_asks_again() {
    let log = Log::default();
    let hardware = Arc::new(Setup::default().hardware);
    let node = NodeConfig {
        name: "n".into(),
        region: 0,
        site: 0,
        hardware,
        clock_offset_ns: 0,
        clock_drift_ppb: 0,
    };
    let link = Setup::default().link;
    let config = KernelConfig {
        streams: Streams::new(3),
        start_ns: 0,
        nodes: vec![node],
        network: NetworkConfig {
            regions: vec![vec![Distribution::Constant(Span::ZERO)]],
            site_link: link.clone(),
            link,
            groups: LineGroups::default(),
            uplinks: Vec::new(),
        },
        faults: vec![crash(0, 220, 380)],
        workloads: vec![Box::new(Again { begun: false })],
        spawner: Box::new(Spawner {
            log: Arc::clone(&log),
            script: ends(),
        }),
        end: at(600),
        list: EventList::default(),
    };
    let mut kernel = Kernel::new(config, Nobody::default());
    kernel.run_until(Time::MAX);
    let times: Vec<u64> = only(&log.lock().unwrap(), "request")
        .iter()
        .map(|l| l.0)
        .collect();
    // 40 ms of work and 10 of thought; at 250 and 350 nobody is there.
    assert_eq!(times, [50, 100, 150, 200, 450, 500, 550, 600]);
}

/// Mean and 99th percentile of 100,000 counter draws, in microseconds.
fn shape(d: &Distribution) -> (u64, u64) {
    let sampler = d.sampler();
    let mut draws: Vec<u64> = (0..100_000)
        .map(|i| sampler.sample(consim_core::mix(9, i)).nanos())
        .collect();
    draws.sort_unstable();
    (
        draws.iter().sum::<u64>() / 100_000 / 1_000,
        draws[99_000] / 1_000,
    )
}

#[test]
fn samplers_have_the_shape_that_they_name_and_golden_values() {
    assert_eq!(shape(&Distribution::Constant(ms(3))), (3_000, 3_000));
    let (mean, p99) = shape(&Distribution::Uniform {
        from: ms(0),
        to: ms(10),
    });
    assert!(
        mean.abs_diff(5_000) < 50 && p99.abs_diff(9_900) < 30,
        "{mean} {p99}"
    );
    let (mean, p99) = shape(&Distribution::Normal {
        mean: ms(10),
        sd: ms(1),
    });
    assert!(
        mean.abs_diff(10_000) < 20 && p99.abs_diff(12_326) < 60,
        "{mean} {p99}"
    );
    let (mean, p99) = shape(&Distribution::LogNormal {
        median: ms(20),
        p99: ms(80),
    });
    assert!(
        mean.abs_diff(23_880) < 400 && p99.abs_diff(80_000) < 1_500,
        "{mean} {p99}"
    );
    let (mean, p99) = shape(&Distribution::Exponential { mean: ms(10) });
    assert!(
        mean.abs_diff(10_000) < 100 && p99.abs_diff(46_052) < 800,
        "{mean} {p99}"
    );

    let draw = |d: Distribution, n| d.sampler().sample(consim_core::mix(1, n)).nanos();
    let normal = Distribution::Normal {
        mean: ms(10),
        sd: ms(1),
    };
    let golden = [
        draw(normal.clone(), 0),
        draw(normal, 1),
        draw(Distribution::Exponential { mean: ms(10) }, 2),
    ];
    assert_eq!(golden, GOLDEN_DRAWS, "samplers are fixed for all time");
}
const GOLDEN_DRAWS: [u64; 3] = [9_643_980, 8_965_394, 4_478_437];
