#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// The expected values are exact: what is compared is the result of the same few divisions.
#![allow(clippy::float_cmp)]

use super::*;
use crate::invariants::{self, ChainSubject, Subjects};
use crate::metrics::{MetricsConfig, WindowSubject, WorkloadSubject};
use crate::testing::{CHAIN, World, admitted, applied, asked, committed, ended, ms, proposed, s};
use crate::verdict::{EXIT_EXPECTATION, EXIT_PASS, EXIT_UNKNOWN};
use consim_core::values::Limit;
use consim_core::{NodeId, Observer, OpEnd, Probe};
use serde_json::{Value, json};
use std::sync::Arc;

fn identity() -> Identity {
    Identity {
        scenario: "alliance-sharing".into(),
        about: Some("A day.".into()),
        seed: 7,
        version: "0.1.0".into(),
        plan_digest: "aa".into(),
        design_digest: "bb".into(),
        chains: vec![ChainIdentity {
            id: CHAIN,
            name: "alliance".into(),
            protocol: "pbft".into(),
            nodes: 4,
            f: 1,
            quorum: 3,
            block_wait: Span::from_millis(500),
            floor: Span::from_millis(20),
            ..ChainIdentity::default()
        }],
        inputs: vec![Input {
            path: "fhir:records".into(),
            taken: 3,
            skipped: 1,
            notes: vec!["one.json: not FHIR".into()],
        }],
        notes: vec!["A note.".into()],
        plan_yaml: "consim: 1\n".into(),
        ..Identity::default()
    }
}

fn figures() -> KernelFigures {
    KernelFigures {
        events: 11,
        messages: 12,
        bytes: 13,
        traffic: vec![(1, 10), (2, 20), (3, 30), (4, 40)],
        run_digest: "cc".into(),
        node_use: vec![NodeUse {
            name: "hospital-1".into(),
            cpu: 0.1,
            ..NodeUse::default()
        }],
        faults: vec![FaultOutcome {
            id: "city-cut".into(),
            kind: "partition".into(),
            code: "N7".into(),
            took_effect: 4,
            unit: "messages dropped".into(),
            skipped: 0,
            from_s: 40.0,
            to_s: 50.0,
            hit: vec!["hospital-1".into()],
        }],
        flows: vec![vec![0, 5], vec![6, 7]],
        ..KernelFigures::default()
    }
}

/// A chain of four nodes that executes one transaction every half second, and as many operations
/// of 300 ms; one cut from 40 s to 50 s that changes nothing.
fn suite() -> Suite {
    let mut world = World::new(4);
    let subjects = Arc::new(Subjects {
        chains: vec![ChainSubject {
            quorum_of: |n| (n + (n - 1) / 3 + 1).div_ceil(2),
            byzantine: true,
            id: CHAIN,
            name: "alliance".into(),
            members: world.members.clone(),
            quorum: world.quorum,
            first: None,
            mempool: 100,
            time: None,
        }],
        keys: world.keys.clone().into(),
        names: (0..4).map(|i| format!("hospital-{i}")).collect(),
        corrupt: Vec::new(),
        at_mercy: Vec::new(),
        entries: Vec::new(),
        light: Vec::new(),
        revokes: false,
        recorded: false,
        restarts: false,
        disks: false,
        damages: false,
        bound: Span::from_secs(10),
    });
    let metrics = Metrics::new(MetricsConfig {
        warmup: s(10),
        end: s(100),
        interval: Span::from_secs(10),
        workloads: vec![WorkloadSubject {
            name: "visits".into(),
            service: "records".into(),
        }],
        institutions: Vec::new(),
        groups: vec![("hospital".into(), world.members.clone())],
        corrupt: Vec::new(),
        windows: vec![WindowSubject {
            id: "city-cut".into(),
            from: s(40),
            to: s(50),
        }],
        changes: Vec::new(),
        dated: [].into(),
    });
    let mut suite = Suite::new(metrics, invariants::build(&subjects, &[], &[]));
    let minute = Span::from_secs(60);
    let view = Probe::View {
        chain: CHAIN,
        view: 0,
        leader: NodeId(0),
    };
    suite.probe(s(0), NodeId(0), &view);
    for i in 1..200_u64 {
        let at = |after: u64| ms(i * 500 + after);
        if i == 80 || i == 100 {
            suite.fault(at(0), "city-cut", i == 80);
        }
        let tx = world.tx(0, i);
        suite.probe(at(0), NodeId(0), &asked(i, 0, "grant", minute));
        suite.probe(at(10), NodeId(0), &admitted(&tx));
        suite.probe(at(110), NodeId(0), &proposed(i));
        let block = world.block(vec![tx]);
        for node in world.members.clone() {
            suite.probe(at(170), node, &committed(&block));
            suite.probe(at(175), node, &applied(&block));
            let waiting = Probe::Waiting {
                chain: CHAIN,
                txs: 0,
            };
            suite.probe(at(175), node, &waiting);
        }
        let end = ended(i, 0, "grant", at(0), OpEnd::Done);
        suite.probe(at(300), NodeId(0), &end);
    }
    // Votes, for the wiretap.
    for from in world.members.clone() {
        suite.sent(s(99), from, &Ballot(from), 3);
    }
    suite.end(s(100));
    suite
}

/// A message with one vote of its sender.
#[derive(Debug)]
struct Ballot(NodeId);
impl consim_core::Payload for Ballot {
    fn kind(&self) -> &'static str {
        "ballot"
    }
    fn encode(&self, _out: &mut Vec<u8>) {}
    fn encoded_len(&self) -> usize {
        0
    }
    fn votes(&self, each: &mut dyn FnMut(consim_core::ChainId, consim_core::Vote)) {
        let each = &mut |vote| each(consim_core::ChainId(0), vote);
        each(consim_core::Vote {
            key: self.0.into(),
            kind: 1,
            view: 0,
            sequence: 1,
            digest: consim_core::Digest::ZERO,
        });
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

fn expect(path: &str, text: &str, limit: Limit) -> Expectation {
    Expectation {
        path: path.into(),
        text: text.into(),
        limit,
        of: None,
    }
}

#[test]
fn a_run_with_everything_passes() {
    let mut identity = identity();
    identity.expectations = vec![
        expect("latency_p99", "at most 5s", Limit::AtMost(5_000.0)),
        expect("availability", "at least 95%", Limit::AtLeast(0.95)),
    ];
    let (results, code) = assemble(&suite(), identity, figures(), Domain::default());
    let outcome = &results.outcome;
    for check in &outcome.checks {
        assert_eq!(
            check.verdict, "pass",
            "{}: {:?}",
            check.name, check.violations
        );
        assert!(check.evaluated > 0);
    }
    // Nothing restarts, so finality has no subject.
    assert_eq!(outcome.checks.len(), 17);
    assert_eq!((outcome.verdict.as_str(), code), ("pass", EXIT_PASS));
    assert_eq!(outcome.schema, 1);
    assert_eq!(outcome.virtual_seconds, 100.0);
    assert_eq!(
        (outcome.events, outcome.messages, outcome.bytes),
        (11, 12, 13)
    );
    let t = &outcome.throughput;
    assert_eq!((t.submitted, t.committed, t.rejected), (180, 180, 0));
    assert_eq!(t.tx_per_s, 2.0);
    assert_eq!(
        (outcome.latency_ms.count, outcome.latency_ms.p99),
        (180, 300.0)
    );
    assert_eq!(outcome.operations["grant"].committed, 180);
    let [chain] = &outcome.chains[..] else {
        panic!("one chain")
    };
    assert_eq!((chain.height, chain.tx_per_s), (199, 2.0));
    assert_eq!((chain.nodes, chain.f, chain.quorum), (4, 1, 3));
    assert_eq!(
        (chain.latency_ms.mean, chain.latency_ms.count),
        (165.0, 180)
    );
    let [gate, share] = &outcome.expectations[..] else {
        panic!("two gates")
    };
    assert_eq!(
        (gate.value.as_deref(), gate.met),
        (Some("300ms"), Some(true))
    );
    assert_eq!(gate.margin, Some(0.94));
    assert_eq!(
        (share.value.as_deref(), share.met),
        (Some("100%"), Some(true))
    );
    let m = &outcome.metrics;
    assert_eq!(m["chains.alliance.consensus_latency_mean"], 60.0);
    assert_eq!(m["throughput"], 2.0);
    assert_eq!(m["organisations.hospital.bytes"], 100.0);
    let [r] = &outcome.resilience[..] else {
        panic!("one window")
    };
    assert_eq!((r.id.as_str(), r.downtime_s, r.lost), ("city-cut", 0.0, 0));
    assert_eq!(r.time_to_first_commit_s, Some(0.175));
    assert_eq!((r.kind.as_str(), r.took_effect), ("partition", 4));
    assert_eq!(
        (r.unit.as_str(), r.safety.as_str()),
        ("messages dropped", "pass")
    );
    assert_eq!(r.pair, None);
    let during = r.during.unwrap();
    assert_eq!(
        (during.seconds, during.tx_per_s, during.asked),
        (10.0, 2.0, 20)
    );
    assert_eq!(results.topology.flows, [(0, 1, 5), (1, 0, 6), (1, 1, 7)]);
    assert_eq!((results.interval_s, results.warmup_s), (10.0, 10.0));
    assert_eq!(results.series.len(), 10);
    assert_eq!(results.latencies["all"].len(), 180);
    assert_eq!(
        results.notes,
        [
            "A note.",
            "Time without progress is made of gaps between commits longer than 0.350 s, while requests \
             waited: 2 times the 99th percentile of such gaps outside of all windows."
        ]
    );
    assert_eq!(
        results.bottleneck,
        "Waiting for the next block, not any machine, sets the pace. Of the 165 ms that a \
         transaction takes in the mean outside of faults, waiting for the next block 100 ms (61 %), the network's \
         floor 20 ms (12 %), agreement beyond that floor 40 ms (24 %), execution 5 ms (3 %). The \
         busiest resource is the CPU of hospital-1, at 10 % of the run."
    );
}

#[test]
fn the_outcome_has_every_key_of_the_contract() {
    // The example of the design, which may gain keys and never lose one.
    let contract = json!({ "schema": 1, "scenario": "", "variant": null, "seed": 7, "version": "",
      "plan_digest": "", "design_digest": "", "run_digest": "", "partial": false,
      "verdict": "pass", "virtual_seconds": 1800.0, "events": 0, "messages": 0, "bytes": 0,
      "throughput": { "submitted": 0, "committed": 0, "rejected": 0, "tx_per_s": 0.0 },
      "latency_ms": { "mean": 0.0, "p50": 0.0, "p95": 0.0, "p99": 0.0, "max": 0.0, "count": 0 },
      "operations": { "grant": { "submitted": 0, "committed": 0, "latency_ms": {} } },
      "metrics": { "throughput": 0.0, "latency_p99": 0.0, "availability": 0.0, "relays.hub.delivered": 0.0 },
      "chains": [ { "id": "", "instance": null, "protocol": "pbft", "nodes": 0, "height": 0, "tx_per_s": 0.0, "latency_ms": {} } ],
      "inputs": [ { "path": "", "taken": 0, "skipped": 0 } ],
      "checks": [ { "name": "agreement", "code": "I1", "verdict": "pass", "evaluated": 0 } ],
      "faults": [ { "id": "city-cut", "kind": "partition", "code": "N7", "took_effect": 0 } ],
      "attacks": [ { "id": "late", "kind": "stale-consent", "code": "H3", "metrics": { "stale_consent_uses": 0 }, "verdict": "pass" } ],
      "resilience": [ { "id": "city-cut", "downtime_s": 0.0, "time_to_first_commit_s": 0.0, "sensitivity": 0.0, "lost": 0 } ],
      "expectations": [ { "path": "latency_p99", "limit": "at most 5s", "value": "", "met": true } ] });
    let mut identity = identity();
    identity.expectations = vec![expect("latency_p99", "at most 5s", Limit::AtMost(5e3))];
    let domain = Domain {
        // A metric that a relay or a domain model adds.
        metrics: BTreeMap::from([("relays.hub.delivered".into(), 3.0)]),
        attacks: vec![AttackFigures {
            id: "late".into(),
            metrics: BTreeMap::from([("stale_consent_uses".into(), 0.0)]),
            ..AttackFigures::default()
        }],
        ..Domain::default()
    };
    let (results, _) = assemble(&suite(), identity, figures(), domain);
    let outcome = serde_json::to_value(&results.outcome).unwrap();
    has_keys(&contract, &outcome, "outcome");
    // And it can be read again.
    let again: Outcome = serde_json::from_value(outcome.clone()).unwrap();
    assert_eq!(serde_json::to_value(&again).unwrap(), outcome);
}

/// Does `actual` have every key of `wanted`, at the same place and with a value of the same type?
fn has_keys(wanted: &Value, actual: &Value, place: &str) {
    match (wanted, actual) {
        (Value::Object(wanted), Value::Object(actual)) => {
            for (key, value) in wanted {
                let found = actual
                    .get(key)
                    .unwrap_or_else(|| panic!("{place}.{key} is missing"));
                has_keys(value, found, &format!("{place}.{key}"));
            }
        }
        (Value::Array(wanted), Value::Array(actual)) => {
            let (wanted, actual) = (wanted.first().unwrap(), actual.first());
            has_keys(
                wanted,
                actual.unwrap_or_else(|| panic!("{place} is empty")),
                place,
            );
        }
        (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_))
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Null, _) => {}
        _ => panic!("{place}: {wanted} became {actual}"),
    }
}

#[test]
fn what_is_no_number_is_written_as_null_and_read_again() {
    let mut suite = suite();
    // A window in which nothing was asked for, and an operation that is open at the end.
    suite.fault(s(99), "late", true);
    suite.probe(
        s(99),
        NodeId(0),
        &asked(1_000, 0, "read", Span::from_secs(60)),
    );
    suite.end(s(100));
    let (results, _) = assemble(&suite, identity(), figures(), Domain::default());
    let outcome = serde_json::to_value(&results.outcome).unwrap();
    assert_eq!(outcome["resilience"][1]["sensitivity"], Value::Null);
    assert_eq!(outcome["operations"]["read"]["availability"], Value::Null);
    let again: Outcome = serde_json::from_value(outcome).unwrap();
    assert!(again.resilience[1].sensitivity.is_nan());
    assert!(again.operations["read"].availability.is_nan());
}

#[test]
fn a_missed_expectation_changes_the_exit_code_and_not_the_verdict() {
    let mut identity = identity();
    identity.expectations = vec![
        expect("latency_p99", "below 300ms", Limit::Below(300.0)),
        expect(
            "chains.alliance.throughput",
            "at least 1/s",
            Limit::AtLeast(1.0),
        ),
    ];
    let (results, code) = assemble(&suite(), identity, figures(), Domain::default());
    assert_eq!(
        (results.outcome.verdict.as_str(), code),
        ("pass", EXIT_EXPECTATION)
    );
    let [missed, met] = &results.outcome.expectations[..] else {
        panic!("two gates")
    };
    assert_eq!(
        (missed.value.as_deref(), missed.met),
        (Some("300ms"), Some(false))
    );
    assert_eq!(missed.margin, Some(0.0));
    assert_eq!((met.value.as_deref(), met.met), (Some("2/s"), Some(true)));
    assert_eq!(met.margin, Some(1.0));
}

#[test]
fn an_expectation_that_nothing_fed_is_unknown() {
    let mut identity = identity();
    identity.expectations = vec![expect(
        "workloads.audits.latency_p99",
        "at most 5s",
        Limit::AtMost(5e3),
    )];
    let (results, code) = assemble(&suite(), identity, figures(), Domain::default());
    assert_eq!(
        (results.outcome.verdict.as_str(), code),
        ("unknown", EXIT_UNKNOWN)
    );
    let gate = &results.outcome.expectations[0];
    assert_eq!((&gate.value, gate.met, gate.margin), (&None, None, None));
}

#[test]
fn a_run_that_was_cut_short_never_passes_and_says_so() {
    let figures = KernelFigures {
        partial: true,
        ..figures()
    };
    let (results, code) = assemble(&suite(), identity(), figures, Domain::default());
    assert_eq!(
        (results.outcome.verdict.as_str(), code),
        ("unknown", EXIT_UNKNOWN)
    );
    assert!(results.notes[1].starts_with("The run was cut short at 1m40s"));
}

#[test]
fn a_metric_of_the_domain_is_a_bare_number() {
    let mut identity = identity();
    identity.expectations = vec![expect(
        "services.records.emergencies",
        "at most 3",
        Limit::AtMost(3.0),
    )];
    let domain = Domain {
        metrics: BTreeMap::from([
            ("services.records.emergencies".into(), 2.0),
            ("services.records.nothing".into(), f64::NAN),
        ]),
        table: vec![("permits".into(), "3".into())],
        ..Domain::default()
    };
    let (results, code) = assemble(&suite(), identity, figures(), domain);
    assert_eq!(code, EXIT_PASS);
    assert_eq!(results.outcome.expectations[0].value.as_deref(), Some("2"));
    assert!(
        !results
            .outcome
            .metrics
            .contains_key("services.records.nothing")
    );
    assert_eq!(results.domain, [("permits".to_owned(), "3".to_owned())]);
}

#[test]
fn instances_of_a_chain_have_paths_of_their_own() {
    let mut identity = identity();
    identity.chains[0].instance = Some("guangzhou".into());
    let (results, _) = assemble(&suite(), identity, figures(), Domain::default());
    assert!(
        results
            .outcome
            .metrics
            .contains_key("chains.alliance@guangzhou.height")
    );
    assert_eq!(results.outcome.chains[0].id, "alliance");
}

#[test]
fn a_pair_stands_beside_the_windows_that_it_lacks() {
    let suite = suite();
    let run = || assemble(&suite, identity(), figures(), Domain::default()).0;
    let mut results = run();
    let mut pair = crate::pairs::companion(suite.metrics(), &results);
    assert_eq!(
        (pair.safety.as_str(), pair.limit_ns),
        ("pass", Some(350_000_000))
    );
    assert_eq!(pair.windows[0].downtime_s, Some(0.0));
    // The pair did twice as much in the window, and answered in 100 ms what took 300 here.
    pair.windows[0].during.as_mut().unwrap().tx_per_s *= 2.0;
    let mut faster = hdrhistogram::Histogram::new(3).unwrap();
    faster.record_n(100_000, 50).unwrap();
    pair.latencies = Some(faster);
    let text = serde_json::to_string(&pair).unwrap();
    let pair: crate::pairs::Companion = serde_json::from_str(&text).unwrap();
    crate::pairs::join(&mut results, &["other".into()], &pair, None);
    assert_eq!(results.outcome.resilience[0].pair, None);
    let without = ["city-cut".to_owned()];
    crate::pairs::join(&mut results, &without, &pair, None);
    let beside = results.outcome.resilience[0].pair.clone().unwrap();
    assert_eq!(beside.without, without);
    assert_eq!((beside.throughput_left, beside.downtime_s), (0.5, 0.0));
    assert!(
        (beside.sensitivity - 0.2).abs() < 1e-3,
        "{}",
        beside.sensitivity
    );
    // A run that cannot say what is usual is judged by its pair.
    let mut results = run();
    results.outcome.resilience[0].downtime_s = f64::NAN;
    let stalled = {
        let mut windows = crate::metrics::Metrics::new(MetricsConfig {
            end: s(100),
            ..MetricsConfig::default()
        });
        windows.fault(s(0), "city-cut", true);
        windows.probe(s(10), NodeId(0), &asked(1, 0, "grant", Span::from_secs(60)));
        windows.probe(s(13), NodeId(0), &ended(1, 0, "grant", s(10), OpEnd::Done));
        windows.end(s(100));
        windows.unjudged().unwrap()
    };
    crate::pairs::join(&mut results, &without, &pair, Some(&stalled));
    assert_eq!(results.outcome.resilience[0].downtime_s, 3.0);
}
