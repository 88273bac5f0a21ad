//! Results that are hard to show: each has a name, for tests and for the example.

use super::{Noise, sample, spoil};
use consim_check::outcome::{FaultOutcome, Latency, Operation, Outcome, Resilience, Throughput};
use consim_check::results::{Bin, NodeUse, Region, Results, Topology};
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use std::collections::BTreeMap;

type Case = (&'static str, fn() -> Results);

/// Every case by its name.
pub(crate) const CASES: [Case; 12] = [
    ("pass", sample),
    ("fail", failed),
    ("unknown", unknown),
    ("missed", missed),
    ("partial", partial),
    ("no-expectations", no_expectations),
    ("attacks", attacks),
    ("empty", empty),
    ("one-node", one_node),
    ("day", day),
    ("extreme", extreme),
    ("hostile", || hostile(HOSTILE[0])),
];

/// A check violated, one without a fact, an expectation missed and one open, a fault without
/// effect, cut short.
pub(crate) fn failed() -> Results {
    let mut results = sample();
    spoil(&mut results);
    results
}

/// A check that judged nothing.
pub(crate) fn unknown() -> Results {
    let mut results = sample();
    results.outcome.verdict = "unknown".into();
    let check = results.outcome.checks.last_mut().unwrap();
    check.verdict = "unknown".into();
    check.evaluated = 0;
    results
}

/// All checks pass, an expectation does not hold.
pub(crate) fn missed() -> Results {
    let mut results = sample();
    let gate = &mut results.outcome.expectations[0];
    gate.limit = "at most 1500ms".into();
    gate.met = Some(false);
    gate.margin = Some((1500.0 - results.outcome.latency_ms.p99) / 1500.0);
    results
}

/// Interrupted.
pub(crate) fn partial() -> Results {
    let mut results = sample();
    results.outcome.verdict = "unknown".into();
    results.outcome.partial = true;
    results.outcome.virtual_seconds = 900.0;
    results.series.truncate(90);
    results
}

/// Nothing was expected.
pub(crate) fn no_expectations() -> Results {
    let mut results = sample();
    results.outcome.expectations.clear();
    results
}

/// An attack that was withstood and one that was not.
pub(crate) fn attacks() -> Results {
    let mut results = sample();
    let outcome = &mut results.outcome;
    outcome.verdict = "fail".into();
    let agreement = &mut outcome.checks[0];
    (agreement.verdict, agreement.violated) = ("fail".into(), 2);
    agreement.violations = vec!["height 41: blocks 8d4f and 1b7c, both committed".into(); 2];
    outcome.attacks = vec![
        json!({ "id": "late", "kind": "stale-consent", "code": "H3", "verdict": "pass",
                "metrics": { "stale_consent_uses": 0 } }),
        json!({ "id": "liar", "kind": "equivocate", "code": "B1", "verdict": "fail",
                "metrics": { "conflicting_votes": 1204, "forks": 2 } }),
    ];
    outcome.resilience.push(Resilience {
        id: "liar".into(),
        downtime_s: 41.0,
        time_to_first_commit_s: None,
        sensitivity: 3.2,
        lost: 61,
        ..Resilience::default()
    });
    results
}

/// A plan in which nothing happens.
pub(crate) fn empty() -> Results {
    let outcome = Outcome {
        verdict: "unknown".into(),
        virtual_seconds: 0.0,
        throughput: Throughput::default(),
        latency_ms: Latency::default(),
        operations: BTreeMap::new(),
        metrics: BTreeMap::new(),
        chains: Vec::new(),
        inputs: Vec::new(),
        checks: Vec::new(),
        faults: Vec::new(),
        resilience: Vec::new(),
        expectations: Vec::new(),
        services: Vec::new(),
        events: 0,
        messages: 0,
        bytes: 0,
        ..sample().outcome
    };
    Results {
        outcome,
        about: None,
        meant: None,
        interval_s: 0.0,
        warmup_s: 0.0,
        series: Vec::new(),
        latencies: BTreeMap::new(),
        topology: Topology::default(),
        resources: Vec::new(),
        bottleneck: String::new(),
        notes: Vec::new(),
        plan_yaml: String::new(),
        sources: Vec::new(),
        groups: Vec::new(),
        institutions: Vec::new(),
        domain: Vec::new(),
    }
}

/// One node, one place, one operation, one bin.
pub(crate) fn one_node() -> Results {
    let mut results = sample();
    let mut h = Histogram::new_with_bounds(1, 600_000_000, 3).unwrap();
    h.record(48_123).unwrap();
    results.latencies = BTreeMap::from([("all".into(), h.clone()), ("store".into(), h)]);
    let outcome = &mut results.outcome;
    let latency_ms = Latency {
        mean: 48.123,
        p50: 48.123,
        p95: 48.123,
        p99: 48.123,
        max: 48.123,
        count: 1,
    };
    outcome.virtual_seconds = 1.0;
    outcome.latency_ms = latency_ms;
    outcome.metrics.clear();
    outcome.operations = BTreeMap::from([(
        "store".into(),
        Operation {
            submitted: 1,
            committed: 1,
            availability: 1.0,
            latency_ms,
            ..Operation::default()
        },
    )]);
    outcome.throughput = Throughput {
        submitted: 1,
        committed: 1,
        rejected: 0,
        tx_per_s: 1.0,
    };
    (outcome.bytes, outcome.messages) = (420, 2);
    outcome.faults.clear();
    outcome.resilience.clear();
    outcome.checks.truncate(1);
    outcome.expectations.truncate(1);
    (results.warmup_s, results.interval_s) = (0.0, 1.0);
    results.series = vec![Bin {
        committed: 1,
        submitted: 1,
        answered: 1,
        failed: 0,
        p50_ms: 48.123,
        p99_ms: 48.123,
    }];
    results.topology.regions.truncate(1);
    results.topology.regions[0].nodes.truncate(1);
    results.topology.flows.clear();
    results.resources.truncate(1);
    results
}

/// Twenty-four hours in bins of a minute, with latencies that span decades.
pub(crate) fn day() -> Results {
    let mut results = sample();
    let mut noise = Noise::new(9);
    results.outcome.virtual_seconds = 86_400.0;
    (results.interval_s, results.warmup_s) = (60.0, 3600.0);
    results.series = (0..1440)
        .map(|i| {
            let hour = f64::from(i) / 60.0;
            let busy = if (8.0..18.0).contains(&hour) {
                40.0
            } else {
                4.0
            };
            let n = (busy * (0.6 + 0.8 * noise.next())) as u64;
            let slow = if (615..640).contains(&i) { 60.0 } else { 1.0 };
            Bin {
                committed: n,
                submitted: n,
                answered: n,
                failed: u64::from(slow > 1.0),
                p50_ms: slow * (5.0 + noise.next()),
                p99_ms: slow * (90.0 + 30.0 * noise.next()),
            }
        })
        .collect();
    for (i, fault) in results.outcome.faults.iter_mut().enumerate() {
        fault.from_s = 20_000.0 + 17_000.0 * i as f64;
        fault.to_s = fault.from_s + 1500.0;
    }
    // One for a moment, one for good.
    results.outcome.faults[0].to_s = 20_000.0;
    results.outcome.faults[2].to_s = f64::INFINITY;
    results
}

/// A week, 300 nodes in 60 places, a thousand million of everything, 200 faults, bins that are not
/// numbers.
pub(crate) fn extreme() -> Results {
    const MANY: u64 = 1_000_000_000;
    let mut results = sample();
    let mut noise = Noise::new(21);
    let week = 7.0 * 86_400.0;
    results.interval_s = 60.0;
    results.series = (0..10_080)
        .map(|i| Bin {
            committed: (MANY as f64 * noise.next()) as u64,
            submitted: MANY,
            answered: MANY,
            failed: if i % 97 == 0 { MANY / 3 } else { 0 },
            p50_ms: if i % 5 == 0 {
                f64::NAN
            } else {
                1e-3 + 1e-2 * noise.next()
            },
            p99_ms: if i % 700 < 300 {
                f64::NAN
            } else {
                1e6 * noise.next()
            },
        })
        .collect();
    let outcome = &mut results.outcome;
    outcome.virtual_seconds = week;
    (outcome.events, outcome.messages, outcome.bytes) = (u64::MAX, u64::MAX, u64::MAX);
    outcome.metrics.clear();
    for op in outcome.operations.values_mut() {
        (op.submitted, op.committed, op.refused) = (2 * MANY + 2, MANY, MANY);
        (op.failed, op.open) = (1, 1);
        op.availability = 1.0 - 0.5e-9;
    }
    outcome.throughput = Throughput {
        submitted: 7 * MANY,
        committed: 7 * MANY,
        rejected: MANY,
        tx_per_s: 11_574.07,
    };
    let kinds = ["crash", "partition", "loss", "delay"];
    outcome.faults = (0..200)
        .map(|i| {
            let from_s = week * noise.next();
            FaultOutcome {
                id: format!("fault-number-{i}"),
                kind: kinds[i % 4].into(),
                code: format!("N{}", i % 9),
                took_effect: MANY * i as u64,
                unit: "messages dropped".into(),
                skipped: 0,
                from_s,
                to_s: from_s + 20_000.0 * noise.next(),
                hit: (0..i).map(|k| format!("community-{k}")).collect(),
            }
        })
        .collect();
    outcome.resilience = outcome
        .faults
        .iter()
        .map(|f| Resilience {
            id: f.id.clone(),
            downtime_s: 1e5,
            time_to_first_commit_s: None,
            sensitivity: 0.0,
            lost: MANY,
            ..Resilience::default()
        })
        .collect();
    let tiers = [
        "tertiary",
        "secondary",
        "community",
        "pharmacy",
        "regulator",
    ];
    results.topology.regions = (0..60)
        .map(|i| Region {
            name: format!("prefecture-{i}"),
            lat: 20.0 + 20.0 * noise.next(),
            lon: 95.0 + 30.0 * noise.next(),
            nodes: (0..5)
                .map(|k| (format!("node-{i}-{k}"), tiers[k].into()))
                .collect(),
        })
        .collect();
    results.topology.flows = (0..60)
        .flat_map(|a| (0..60).map(move |b| (a, b)))
        .map(|(a, b)| (a, b, (1e12 * noise.next()) as u64))
        .collect();
    results.resources = (0..300)
        .map(|i| NodeUse {
            name: format!("node-{}-{}", i / 5, i % 5),
            tier: tiers[i % 5].into(),
            region: format!("prefecture-{}", i / 5),
            cpu: if i == 7 { f64::NAN } else { noise.next() },
            nic_out: noise.next(),
            nic_in: noise.next(),
            disk: 1.0,
            messages: MANY,
            bytes_out: u64::MAX / 300,
            down_s: 1e5 * noise.next(),
        })
        .collect();
    results
}

/// Texts that break what does not expect them.
pub(crate) const HOSTILE: [&str; 14] = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)> ' onload='alert(2)",
    "]]></style></svg></pre></textarea><!-- <![CDATA[ & &amp; &#60;",
    "{{ 7 * 7 }} {% if true %} ${x} %s",
    "a,b;c\"d\ne\r\nf\tg",
    "=HYPERLINK(\"https://example.org\",\"x\") url(x) @import x",
    "医院联盟链，数据共享与患者同意",
    "مستشفى المدينة תיק רפואי",
    "\u{202e}egats drawkcab\u{2066}",
    "\u{0}\u{1}\u{7}\u{1b}[31mred\u{1b}[0m\u{7f}\u{85}\u{9b}2J",
    "\u{feff}\u{fffe}\u{ffff}\u{fdd0}\u{2028}",
    "👩🏽‍⚕️🇨🇳 e\u{301}\u{323} ﷽",
    "../../etc/passwd\\..\\nul",
    "",
];

/// Puts a text into every text there is; keys of maps get a number, to stay apart.
pub(crate) fn hostile(text: &str) -> Results {
    let mut results = attacks();
    let mut outcome = serde_json::to_value(&results.outcome).unwrap();
    replace(&mut outcome, text);
    let keyed = |map: &mut Value| {
        let entries = map.as_object().unwrap().clone();
        let renamed = entries.into_values().enumerate();
        *map = renamed.map(|(i, v)| (format!("{text}{i}"), v)).collect();
    };
    keyed(&mut outcome["operations"]);
    keyed(&mut outcome["metrics"]);
    results.outcome = serde_json::from_value(outcome).unwrap();
    results.outcome.variant = Some(text.into());
    results.outcome.chains[0].instance = Some(text.into());
    let names = results.outcome.operations.keys().cloned();
    let kinds = results.latencies.values().skip(1).cloned();
    let mut latencies: BTreeMap<String, Histogram<u64>> = names.zip(kinds).collect();
    latencies.insert("all".into(), results.latencies["all"].clone());
    for region in &mut results.topology.regions {
        region.name = text.into();
        for node in &mut region.nodes {
            *node = (text.into(), text.into());
        }
    }
    for node in &mut results.resources {
        (node.name, node.tier, node.region) = (text.into(), text.into(), text.into());
    }
    // Every field by name: a new one must be thought of here.
    Results {
        outcome: results.outcome,
        about: Some(text.into()),
        meant: None,
        interval_s: results.interval_s,
        warmup_s: results.warmup_s,
        series: results.series,
        latencies,
        topology: results.topology,
        resources: results.resources,
        bottleneck: text.into(),
        notes: vec![text.into(); 3],
        plan_yaml: text.into(),
        sources: vec![(text.into(), text.into())],
        groups: vec![(text.into(), Operation::default())],
        institutions: vec![(text.into(), Operation::default())],
        domain: vec![(text.into(), text.into())],
    }
}

fn replace(value: &mut Value, text: &str) {
    match value {
        Value::String(s) => *s = text.into(),
        Value::Array(items) => items.iter_mut().for_each(|v| replace(v, text)),
        Value::Object(map) => map.values_mut().for_each(|v| replace(v, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
