#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// The expected values are exact: what is compared is the result of the same few divisions.
#![allow(clippy::float_cmp)]

mod resilience;
mod served;
mod stalls;

use super::*;
use crate::testing::{
    CHAIN, World, admitted, applied, asked, committed, ended, ms, proposed, recovered, s,
};
use consim_core::values::Limit;
use consim_core::{Configured, Digest, Receipt};
use std::sync::Arc;

/// Two workloads of one service and one of another; nodes 0 and 1 are hospitals, 2 a clinic, 3 is
/// in no group. Warm-up of 10 s in a run of 100 s.
fn config() -> MetricsConfig {
    let workload = |name: &str, service: &str| WorkloadSubject {
        name: name.into(),
        service: service.into(),
    };
    MetricsConfig {
        warmup: s(10),
        end: s(100),
        interval: Span::from_secs(10),
        workloads: vec![
            workload("visits", "records"),
            workload("consents", "records"),
            workload("scans", "drugs"),
        ],
        institutions: Vec::new(),
        groups: vec![
            ("hospitals".into(), vec![NodeId(0), NodeId(1)]),
            ("clinics".into(), vec![NodeId(2)]),
        ],
        corrupt: vec![NodeId(9)],
        windows: Vec::new(),
        changes: vec![ChangeSubject {
            chain: ChainId(0),
            number: 1,
            name: "newcomer".into(),
            kind: "join",
            nodes: vec!["d".into()],
            revokes: None,
        }],
        dated: [(CHAIN, 1_000)].into(),
    }
}

fn metrics() -> Metrics {
    Metrics::new(config())
}

const MINUTE: Span = Span::from_secs(60);

/// An operation from asking to its end.
fn operate(m: &mut Metrics, op: u64, node: u32, at: Time, latency: Span, end: OpEnd) {
    m.probe(at, NodeId(node), &asked(op, 0, "read", MINUTE));
    m.probe(at + latency, NodeId(node), &ended(op, 0, "read", at, end));
}

fn values(m: &Metrics) -> BTreeMap<String, f64> {
    m.values(&RunFigures {
        chains: &[(CHAIN, "alliance".into())],
        total: (70, 9_000),
        nodes: &[(10, 100), (20, 200), (40, 400)],
        lines: &[
            ("lost", 1),
            ("retransmitted", 2),
            ("overflowed", 3),
            ("duplicated", 4),
            ("reordered", 5),
            ("corrupted", 6),
            ("refused", 7),
        ],
    })
}

#[test]
fn operations_are_counted_from_the_warm_up_on_by_when_they_were_asked_for() {
    let mut m = metrics();
    let early = Span::from_millis(1);
    // Asked for in the warm-up: no figure, although it ends after it.
    operate(&mut m, 1, 0, ms(9_999), early, OpEnd::Done);
    operate(&mut m, 2, 0, ms(10_000), Span::from_millis(2), OpEnd::Done);
    operate(
        &mut m,
        3,
        2,
        ms(10_010),
        Span::from_millis(4),
        OpEnd::Refused("denied"),
    );
    operate(&mut m, 4, 0, ms(10_020), Span::from_secs(30), OpEnd::GaveUp);
    m.end(s(100));
    let read = &m.operations()["read"];
    assert_eq!(
        (
            read.submitted,
            read.committed,
            read.refused,
            read.failed,
            read.open
        ),
        (3, 1, 1, 1, 0)
    );
    assert_eq!(read.availability, 2.0 / 3.0);
    let latency = read.latency_ms;
    assert_eq!((latency.count, latency.mean, latency.max), (2, 3.0, 4.0));
    assert_eq!((latency.p50, latency.p95, latency.p99), (2.0, 4.0, 4.0));
    assert_eq!(m.latency().count, 2);
    assert_eq!(m.histograms()["all"].len(), 2);
    assert_eq!(m.histograms()["read"].max(), 4_001);
}

#[test]
fn a_late_answer_is_an_answer_but_not_available() {
    let mut m = metrics();
    operate(&mut m, 1, 0, s(20), MINUTE, OpEnd::Done);
    operate(
        &mut m,
        2,
        0,
        s(20),
        MINUTE + Span::from_nanos(1),
        OpEnd::Done,
    );
    m.end(s(100));
    let read = &m.operations()["read"];
    assert_eq!((read.committed, read.failed), (2, 0));
    assert_eq!(read.availability, 0.5);
}

#[test]
fn what_is_open_at_the_end_failed_if_its_deadline_is_over_and_else_does_not_count() {
    let mut m = metrics();
    m.probe(s(20), NodeId(0), &asked(1, 0, "read", MINUTE));
    m.probe(s(40), NodeId(0), &asked(2, 0, "read", MINUTE));
    m.probe(s(50), NodeId(0), &asked(3, 0, "read", MINUTE));
    operate(&mut m, 4, 0, s(60), Span::from_secs(1), OpEnd::Done);
    m.end(s(100));
    let read = &m.operations()["read"];
    // The one whose deadline is the end itself is not over it.
    assert_eq!((read.submitted, read.failed, read.open), (4, 1, 2));
    assert_eq!(read.availability, 0.5);
    let failed: Vec<u64> = m.series().iter().map(|bin| bin.failed).collect();
    assert_eq!(failed, [0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
}

#[test]
fn an_availability_of_nothing_is_no_number_and_no_metric() {
    let mut m = metrics();
    m.probe(s(50), NodeId(0), &asked(1, 0, "read", MINUTE));
    m.end(s(100));
    assert!(m.operations()["read"].availability.is_nan());
    assert!(!values(&m).contains_key("availability"));
    assert!(!values(&m).contains_key("latency_mean"));
}

#[test]
fn an_end_without_a_beginning_counts_nowhere() {
    let mut m = metrics();
    operate(&mut m, 1, 0, s(20), Span::from_secs(1), OpEnd::Done);
    m.probe(s(30), NodeId(0), &ended(1, 0, "read", s(20), OpEnd::Done));
    m.probe(s(30), NodeId(0), &ended(2, 0, "read", s(20), OpEnd::GaveUp));
    m.end(s(100));
    assert_eq!(m.operations()["read"].committed, 1);
    assert_eq!(m.operations()["read"].failed, 0);
    assert_eq!(
        m.series()
            .iter()
            .map(|b| b.answered + b.failed)
            .sum::<u64>(),
        1
    );
}

#[test]
fn figures_come_by_workload_service_and_group_not_by_the_name_of_the_operation() {
    let mut m = metrics();
    let mut one = |op, workload, node, millis| {
        m.probe(s(20), NodeId(node), &asked(op, workload, "grant", MINUTE));
        let at = s(20) + Span::from_millis(millis);
        m.probe(
            at,
            NodeId(node),
            &ended(op, workload, "grant", s(20), OpEnd::Done),
        );
    };
    one(1, 0, 0, 1);
    one(2, 1, 1, 3);
    one(3, 2, 2, 5);
    // An unknown workload and a node of no group still count in the whole.
    one(4, 7, 3, 7);
    m.end(s(100));
    let v = values(&m);
    for (path, expected) in [
        ("latency_mean", 4.0),
        ("workloads.visits.latency_mean", 1.0),
        ("workloads.consents.latency_max", 3.0),
        ("workloads.scans.latency_p99", 5.0),
        ("services.records.latency_mean", 2.0),
        ("services.drugs.latency_p50", 5.0),
        ("organisations.hospitals.latency_mean", 2.0),
        ("organisations.clinics.latency_p95", 5.0),
        ("services.records.throughput", 2.0 / 90.0),
        ("organisations.clinics.availability", 1.0),
        ("organisations.hospitals.messages", 30.0),
        ("organisations.clinics.bytes", 400.0),
        ("messages", 70.0),
        ("bytes", 9_000.0),
    ] {
        assert_eq!(v.get(path), Some(&expected), "{path}");
    }
}

#[test]
fn what_nothing_fed_is_no_metric() {
    let mut m = metrics();
    operate(&mut m, 1, 0, s(20), Span::from_secs(1), OpEnd::Done);
    m.end(s(100));
    let v = values(&m);
    assert!(v.contains_key("workloads.visits.throughput"));
    for path in [
        "workloads.scans.throughput",
        "workloads.scans.latency_mean",
        "services.drugs.availability",
        "organisations.clinics.throughput",
        "chains.alliance.latency_mean",
        "chains.alliance.consensus_latency_mean",
    ] {
        assert!(!v.contains_key(path), "{path}");
    }
    // A chain that stands still is measured at zero.
    assert_eq!(v["chains.alliance.throughput"], 0.0);
    let none = m.values(&RunFigures {
        chains: &[],
        total: (0, 0),
        nodes: &[],
        lines: &[],
    });
    assert!(!none.contains_key("throughput"));
    assert!(!none.contains_key("lost"));
    assert!(!none.contains_key("organisations.clinics.messages"));
}

/// Words of what services of several chains tell.
const BETWEEN: &[&str] = &["queries_", "answered_"];

#[test]
fn every_metric_is_in_the_registry_and_every_word_of_it_occurs() {
    const DAY: u64 = 86_400;
    let mut config = config();
    // One that takes back what a thief has.
    for change in &mut config.changes {
        change.revokes = Some(RevocationSubject {
            bearers: vec![NodeId(3)],
            thefts: vec!["theft".into()],
        });
    }
    let mut m = Metrics::new(MetricsConfig {
        end: s(11 * DAY),
        interval: Span::from_secs(DAY),
        ..config
    });
    let mut world = World::new(4);
    let tx = world.tx(0, 100);
    m.fault(s(19), "theft", true);
    m.probe(s(20), NodeId(0), &asked(100, 0, "read", MINUTE));
    m.probe(s(20), NodeId(0), &admitted(&tx));
    m.probe(s(21), NodeId(0), &proposed(1));
    let block = world.block(vec![tx]);
    m.probe(s(22), NodeId(0), &committed(&block));
    m.probe(s(23), NodeId(0), &applied(&block));
    m.probe(s(24), NodeId(0), &ended(100, 0, "read", s(20), OpEnd::Done));
    let change = |done| Probe::Change {
        chain: CHAIN,
        number: 1,
        done,
    };
    m.probe(s(25), NodeId(0), &change(false));
    let in_force = Configured {
        chain: CHAIN,
        change: 1,
        joint: false,
        handed_over_at: None,
        groups: Vec::new(),
        renewed: Arc::default(),
    };
    let left = Probe::Reorganised {
        chain: CHAIN,
        depth: 2,
    };
    m.probe(s(26), NodeId(0), &left);
    for probe in light(block.header.sequence) {
        m.probe(s(26), NodeId(3), &probe);
    }
    m.probe(s(26), NodeId(0), &Probe::Configured(Arc::new(in_force)));
    let noticed = Probe::Noticed {
        chain: CHAIN,
        change: 1,
    };
    m.probe(s(26), NodeId(1), &noticed);
    m.probe(s(27), NodeId(0), &change(true));
    // A year is told from ten days.
    for day in 0..11 {
        let at = s(20 + day * DAY);
        operate(&mut m, day, 0, at, Span::from_secs(1), OpEnd::Done);
    }
    m.end(s(11 * DAY));
    let v = values(&m);
    for path in v.keys() {
        assert!(find(path).is_some(), "{path}");
    }
    for entry in METRICS {
        for scope in entry.scopes {
            let name = match scope {
                Scope::Run => "",
                Scope::Chain => "alliance",
                Scope::Workload => "visits",
                Scope::Service => "records",
                Scope::Organisation => "hospitals",
                Scope::Attack => "twins",
                Scope::Change => "newcomer",
                Scope::Relay => "hub",
            };
            let path = scope.path(name, entry.name);
            // What an attack did is told by whoever carried it out, and what was read by the domain model.
            let of_model = [
                "stale_uses",
                "raced_uses",
                "time_to_refuse",
                "reads_answered",
                "copies_readable",
                "copies_at",
            ];
            // So is what goes between chains.
            let told = matches!(scope, Scope::Attack | Scope::Relay)
                || of_model.contains(&entry.name)
                || BETWEEN.iter().any(|word| entry.name.starts_with(word));
            let fed = told || v.contains_key(&path);
            assert!(fed, "{path}");
            let (found, found_scope, found_name) = find(&path).unwrap();
            assert_eq!(
                (found.name, found_scope, found_name),
                (entry.name, *scope, name)
            );
        }
    }
}

/// What a light client says: it accepts a decision, refuses one, and is shown two.
fn light(sequence: u64) -> [Probe; 3] {
    let (chain, batch) = (CHAIN, Digest::ZERO);
    [
        Probe::LightAccepted {
            chain,
            sequence,
            batch,
            fetched: 70,
        },
        Probe::LightRefused {
            chain,
            from: NodeId(0),
            reason: "too few signatures",
        },
        Probe::LightConflict {
            chain,
            sequence,
            signed_both: Arc::default(),
        },
    ]
}

#[test]
fn light_clients_are_counted_and_the_last_of_them_says_how_far_behind_they_are() {
    let mut m = Metrics::new(config());
    let mut world = World::new(4);
    for _ in 0..5 {
        let block = world.block(vec![]);
        m.probe(s(1), NodeId(0), &committed(&block));
    }
    for (node, sequence) in [(3, 4), (3, 5), (2, 2)] {
        let [accepts, refuses, _] = light(sequence);
        m.probe(s(2), NodeId(node), &accepts);
        m.probe(s(2), NodeId(node), &refuses);
    }
    m.end(s(3));
    let v = values(&m);
    let figure = |word: &str| v[&format!("chains.alliance.{word}")];
    assert_eq!(figure("light_accepted"), 3.0);
    assert_eq!(figure("light_refused"), 3.0);
    assert_eq!(figure("light_conflicts"), 0.0);
    assert_eq!(figure("light_bytes"), 210.0);
    assert_eq!(figure("light_lag"), 3.0);
}

#[test]
fn paths_that_name_nothing_are_not_found() {
    for path in [
        "",
        "latency",
        "chains.latency_p99",
        "chains..latency_p99",
        "chains.alliance.availability",
        "workloads.visits.height",
        "hospitals.a.latency_p99",
        ".latency_p99",
        "alliance.latency_p99",
        "consensus_latency_mean",
    ] {
        assert!(find(path).is_none(), "{path}");
    }
    let (entry, scope, name) = find("chains.alliance@guangzhou.latency_p99").unwrap();
    assert_eq!((entry.unit, scope), (Unit::Milliseconds, Scope::Chain));
    assert_eq!(name, "alliance@guangzhou");
}

#[test]
fn values_are_written_with_a_unit_and_never_contradict_their_limit() {
    let most = Limit::AtMost(5_000.0);
    let ms = Unit::Milliseconds;
    for (unit, value, limit, text) in [
        (ms, 1_310.0, most, "1.31s"),
        (ms, 23.456, most, "23.5ms"),
        (ms, 0.04567, most, "45.7us"),
        (ms, 0.0, most, "0ms"),
        (ms, 123_456.0, most, "123s"),
        // Rounded to three digits this would be the limit itself.
        (ms, 5_000.4, most, "5.0004s"),
        (Unit::Share, 0.992, Limit::AtLeast(0.95), "99.2%"),
        (Unit::Share, 0.94996, Limit::AtLeast(0.95), "94.996%"),
        (Unit::Share, 1.0, Limit::AtLeast(0.95), "100%"),
        (Unit::PerSecond, 12_345.6, Limit::AtLeast(1.0), "12346/s"),
        (Unit::PerSecond, 0.01234, Limit::AtLeast(0.01), "0.0123/s"),
        (Unit::Count, 1_234.0, Limit::Exactly(1_234.0), "1234"),
        (Unit::Count, 0.0, Limit::Exactly(0.0), "0"),
        (Unit::Bytes, 12_345_678.0, Limit::AtMost(2e7), "12.3MB"),
        (Unit::Bytes, 7.0, Limit::AtMost(2e7), "7B"),
    ] {
        assert_eq!(unit.render(value, &limit), text, "{unit:?} {value}");
    }
}

#[test]
fn a_transaction_is_counted_once_however_many_nodes_report_it() {
    let mut m = metrics();
    let mut world = World::new(4);
    let txs: Vec<_> = (1..=3).map(|n| world.tx(0, n)).collect();
    let receipts = vec![
        Receipt::Applied,
        Receipt::Refused("no grant"),
        Receipt::Applied,
    ];
    for node in 0..4 {
        for tx in &txs {
            m.probe(ms(20_000 + u64::from(node)), NodeId(node), &admitted(tx));
        }
    }
    let block = world.block_with(txs.clone(), receipts);
    for node in 0..4 {
        m.probe(ms(20_500 + u64::from(node)), NodeId(node), &applied(&block));
    }
    // Late to the news: one more admission of what was executed, and a second execution of it.
    m.probe(ms(20_600), NodeId(3), &admitted(&txs[0]));
    let again = world.block_with(vec![Arc::clone(&txs[0])], vec![Receipt::Duplicate]);
    m.probe(ms(20_900), NodeId(0), &applied(&again));
    m.end(s(100));
    let t = m.throughput();
    assert_eq!((t.submitted, t.committed, t.rejected), (3, 2, 2));
    assert_eq!(t.tx_per_s, 2.0 / 90.0);
    let chain = m.of_chain(CHAIN).unwrap();
    assert_eq!(chain.latencies.summary().count, 3);
    assert_eq!(chain.latencies.summary().max, 500.0);
    assert_eq!(chain.height, 2);
    let expected: usize = [&block, &again]
        .iter()
        .map(|b| b.header.encode().len() + b.committed.encoded_len())
        .sum();
    assert_eq!(chain.ledger_bytes, expected as u64);
}

#[test]
fn transactions_of_the_warm_up_are_left_out_by_what_happened_when() {
    let mut m = metrics();
    let mut world = World::new(4);
    let (before, across, after) = (world.tx(0, 1), world.tx(0, 2), world.tx(0, 3));
    m.probe(s(1), NodeId(0), &admitted(&before));
    m.probe(s(1), NodeId(0), &admitted(&across));
    m.probe(s(2), NodeId(0), &applied(&world.block(vec![before])));
    m.probe(s(10), NodeId(0), &admitted(&after));
    m.probe(
        s(11),
        NodeId(0),
        &applied(&world.block(vec![across, after])),
    );
    m.end(s(100));
    let t = m.throughput();
    assert_eq!((t.submitted, t.committed), (1, 2));
    let latency = m.of_chain(CHAIN).unwrap().latencies.summary();
    assert_eq!((latency.count, latency.mean), (1, 1_000.0));
    // The series shows the warm-up too.
    let bins: Vec<(u64, u64)> = m
        .series()
        .iter()
        .map(|b| (b.submitted, b.committed))
        .collect();
    assert_eq!(&bins[..3], &[(2, 1), (1, 2), (0, 0)]);
}

#[test]
fn the_parts_of_a_transactions_way_add_up_to_its_latency() {
    let mut m = metrics();
    let mut world = World::new(4);
    let tx = world.tx(0, 1);
    m.probe(ms(20_000), NodeId(1), &admitted(&tx));
    m.probe(ms(20_300), NodeId(0), &proposed(1));
    // A second proposal after a view change is not the first.
    m.probe(ms(20_310), NodeId(1), &proposed(1));
    let block = world.block(vec![tx]);
    m.probe(ms(20_380), NodeId(2), &committed(&block));
    m.probe(ms(20_385), NodeId(0), &committed(&block));
    m.probe(ms(20_390), NodeId(2), &applied(&block));
    m.probe(ms(20_395), NodeId(0), &applied(&block));
    m.end(s(100));
    let chain = m.of_chain(CHAIN).unwrap();
    let ways = chain.ways;
    assert_eq!(ways.txs, 1);
    assert_eq!(
        [ways.waiting_ns, ways.ordering_ns, ways.executing_ns],
        [300_000_000, 80_000_000, 10_000_000]
    );
    assert_eq!(chain.latencies.summary().mean, 390.0);
    let consensus = chain.consensus.summary();
    assert_eq!((consensus.count, consensus.mean), (1, 80.0));
}

#[test]
fn views_heights_and_corrupt_nodes() {
    let mut m = metrics();
    let view = |view| Probe::View {
        chain: CHAIN,
        view,
        leader: NodeId(0),
    };
    m.probe(s(1), NodeId(0), &view(3));
    m.probe(s(2), NodeId(1), &view(2));
    m.probe(s(2), NodeId(1), &recovered(17, Digest::ZERO));
    // What a corrupt node says is left out.
    m.probe(s(3), NodeId(9), &view(99));
    m.probe(s(3), NodeId(9), &recovered(1_000, Digest::ZERO));
    operate(&mut m, 1, 9, s(20), Span::from_secs(1), OpEnd::Done);
    m.end(s(100));
    let chain = m.of_chain(CHAIN).unwrap();
    assert_eq!((chain.views, chain.height), (3, 17));
    assert!(m.operations().is_empty());
}

#[test]
fn the_series_has_percentiles_of_what_was_answered_in_each_bin() {
    let mut m = metrics();
    operate(&mut m, 1, 0, s(1), Span::from_millis(1), OpEnd::Done);
    operate(&mut m, 2, 0, s(21), Span::from_millis(2), OpEnd::Done);
    operate(
        &mut m,
        3,
        0,
        s(22),
        Span::from_millis(8),
        OpEnd::Refused("denied"),
    );
    operate(&mut m, 4, 0, s(23), Span::from_secs(5), OpEnd::GaveUp);
    operate(&mut m, 5, 0, s(90), Span::from_secs(10), OpEnd::Done);
    m.end(s(100));
    let bins = m.series();
    assert_eq!(bins.len(), 10);
    assert_eq!((bins[0].p50_ms, bins[0].answered), (1.0, 1));
    assert!(bins[1].p50_ms.is_nan() && bins[1].p99_ms.is_nan());
    assert_eq!((bins[2].p50_ms, bins[2].p99_ms), (2.0, 8.0));
    assert_eq!((bins[2].answered, bins[2].failed), (2, 1));
    // What happens at the very end belongs to the last bin.
    assert_eq!((bins[9].p50_ms, bins[9].answered), (10_000.0, 1));
}

#[test]
fn a_run_that_was_cut_short_has_no_bins_for_what_it_did_not_reach() {
    let mut m = metrics();
    m.end(s(35));
    assert_eq!(m.series().len(), 4);
    assert_eq!(m.measured(), Span::from_secs(25));
    let mut m = metrics();
    m.end(s(5));
    assert_eq!(m.measured(), Span::ZERO);
    assert_eq!(m.throughput().tx_per_s, 0.0);
    assert!(!values(&m).contains_key("throughput"));
}

#[test]
fn bins_grow_where_there_would_be_too_many() {
    let end = s(200_000);
    let m = Metrics::new(MetricsConfig {
        end,
        interval: Span::from_millis(1),
        ..config()
    });
    assert_eq!(m.series().len() as u64, MAX_BINS);
    assert_eq!(m.interval(), Span::from_secs(2));
    let m = Metrics::new(MetricsConfig {
        end,
        interval: Span::ZERO,
        ..config()
    });
    assert_eq!(m.series().len() as u64, MAX_BINS);
}

#[test]
fn waiting_transactions_and_sequences_are_bounded_and_pruned() {
    let mut chain = Chain::default();
    for sequence in 1..=2 * MAX_SEQUENCES as u64 {
        chain.proposed(s(1), sequence);
    }
    assert_eq!(chain.sizes(), [0, MAX_SEQUENCES, 0]);
    let mut world = World::new(4);
    let tx = world.tx(0, 1);
    assert!(chain.admitted(s(1), tx.id(), 1));
    assert!(!chain.admitted(s(2), tx.id(), 1));
    let block = world.block(vec![Arc::clone(&tx)]);
    chain.committed(s(2), &block.committed, Time::ZERO);
    assert_eq!(chain.sizes(), [1, MAX_SEQUENCES - 1, 1]);
    assert_eq!(chain.applied(s(3), &block, Time::ZERO, None), Some(1));
    assert_eq!(chain.sizes(), [0, MAX_SEQUENCES - 1, 0]);
    assert!(!chain.admitted(s(4), tx.id(), 1));
}

#[test]
fn admissions_beyond_the_limit_are_counted_apart() {
    let mut chain = Chain::default();
    let tx = |number| consim_core::TxId {
        origin: NodeId(0),
        number,
    };
    for number in 0..MAX_WAITING_TXS as u64 {
        chain.admitted(s(1), tx(number), 1);
    }
    assert!(!chain.admitted(s(1), tx(u64::MAX), 1));
    assert_eq!(chain.sizes()[0], MAX_WAITING_TXS);
    assert_eq!(chain.submitted, MAX_WAITING_TXS as u64);
    assert_eq!(chain.unfollowed, 1);
}

#[test]
fn any_latency_can_be_recorded() {
    let mut latencies = latencies::Latencies::default();
    assert!(latencies.quantile_ms(0.5).is_nan());
    for latency in [Span::ZERO, Span::from_nanos(499), Span::MAX] {
        latencies.record(latency);
    }
    let summary = latencies.summary();
    assert_eq!((summary.count, summary.p50), (3, 0.0));
    assert_eq!(summary.max, Span::MAX.millis());
    assert!(summary.p99 <= summary.max && summary.p99 > 0.999 * summary.max);
}
