//! Results made by hand: half an hour of an alliance of 21 nodes in six cities, with three faults.
//! Its figures agree with each other, as those of a run do.

pub(crate) mod cases;

use consim_check::outcome::{
    ChainOutcome, CheckOutcome, ExpectationOutcome, FaultOutcome, Input, Latency, Operation,
    Outcome, Pair, Phase, Resilience, ServiceOutcome, Throughput,
};
use consim_check::results::{Bin, NodeUse, Region, Results, Topology};
use hdrhistogram::Histogram;
use std::collections::BTreeMap;

/// Numbers that look random and are not.
pub(crate) struct Noise(u64);

impl Noise {
    /// A stream of numbers.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next one, 0..1.
    pub(crate) fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Latencies of an operation around a middle, with a tail.
fn histogram(seed: u64, count: usize, middle_us: f64, tail_us: f64) -> Histogram<u64> {
    let mut h = Histogram::new_with_bounds(1, 600_000_000, 3).unwrap();
    let mut noise = Noise::new(seed);
    for _ in 0..count {
        let bell = (0..6).map(|_| noise.next()).sum::<f64>() / 3.0;
        let mut us = middle_us * (0.4 + 0.6 * bell);
        if noise.next() < 0.012 {
            us += tail_us * noise.next();
        }
        h.record(us as u64).unwrap();
    }
    h
}

fn latency(h: &Histogram<u64>) -> Latency {
    let at = |q| h.value_at_quantile(q) as f64 / 1e3;
    Latency {
        mean: h.mean() / 1e3,
        p50: at(0.5),
        p95: at(0.95),
        p99: at(0.99),
        max: h.max() as f64 / 1e3,
        count: h.len(),
    }
}

/// Operations of organisations: name, done, failed.
fn by_organisation(rows: &[(&str, u64, u64)]) -> Vec<(String, Operation)> {
    let operation = |&(name, done, failed): &(&str, u64, u64)| {
        let operation = Operation {
            submitted: done + failed,
            committed: done,
            failed,
            availability: done as f64 / (done + failed) as f64,
            latency_ms: latency(&histogram(done, done as usize, 24_000.0, 90_000.0)),
            ..Operation::default()
        };
        (name.to_owned(), operation)
    };
    rows.iter().map(operation).collect()
}

const KINDS: [(&str, usize, f64, f64, u64, u64); 7] = [
    ("audit-read", 58, 24_000.0, 90_000.0, 0, 0),
    ("deny", 71, 648_000.0, 2_100_000.0, 0, 0),
    ("grant", 431, 660_000.0, 3_200_000.0, 0, 3),
    ("read", 1_288, 1_240_000.0, 4_000_000.0, 62, 9),
    ("request", 502, 640_000.0, 3_000_000.0, 0, 4),
    ("revoke", 37, 655_000.0, 1_000_000.0, 0, 0),
    ("store", 1_204, 690_000.0, 3_500_000.0, 0, 7),
];

fn regions() -> Vec<Region> {
    let node = |name: &str, tier: &str| (name.to_string(), tier.to_string());
    let communities = |from: usize, to: usize| -> Vec<(String, String)> {
        (from..=to)
            .map(|i| node(&format!("community-{i}"), "community"))
            .collect()
    };
    let place = |name: &str, lat, lon, mut nodes: Vec<_>, more: Vec<_>| {
        nodes.extend(more);
        Region {
            name: name.into(),
            lat,
            lon,
            nodes,
        }
    };
    vec![
        place(
            "guangzhou",
            23.129,
            113.264,
            vec![
                node("tertiary", "tertiary"),
                node("supervision", "regulator"),
            ],
            communities(1, 3),
        ),
        place(
            "shenzhen",
            22.543,
            114.058,
            vec![node("secondary-1", "secondary")],
            communities(4, 6),
        ),
        place(
            "foshan",
            23.021,
            113.121,
            vec![node("secondary-2", "secondary")],
            communities(7, 9),
        ),
        place(
            "dongguan",
            23.021,
            113.752,
            vec![node("secondary-3", "secondary")],
            communities(10, 11),
        ),
        place(
            "shantou",
            23.354,
            116.682,
            vec![node("secondary-4", "secondary")],
            communities(12, 13),
        ),
        place("zhanjiang", 21.271, 110.359, vec![], communities(14, 15)),
    ]
}

fn topology() -> Topology {
    let regions = regions();
    let mut noise = Noise::new(5);
    let mut flows = Vec::new();
    for (i, a) in regions.iter().enumerate() {
        for (j, b) in regions.iter().enumerate() {
            if i != j {
                let pairs = (a.nodes.len() * b.nodes.len()) as f64;
                flows.push((
                    i,
                    j,
                    (pairs * 900_000.0 * (0.8 + 0.4 * noise.next())) as u64,
                ));
            }
        }
    }
    Topology { regions, flows }
}

fn resources(topology: &Topology) -> Vec<NodeUse> {
    let mut noise = Noise::new(11);
    let mut out = Vec::new();
    for region in &topology.regions {
        for (name, tier) in &region.nodes {
            let size = match tier.as_str() {
                "tertiary" => 0.034,
                "secondary" => 0.021,
                "regulator" => 0.012,
                _ => 0.015,
            };
            let mut share = || size * (0.5 + noise.next());
            out.push(NodeUse {
                name: name.clone(),
                tier: tier.clone(),
                region: region.name.clone(),
                cpu: share(),
                nic_out: share() * 0.2,
                nic_in: share() * 0.25,
                disk: share() * 1.6,
                messages: 180_000 + (share() * 1e6) as u64,
                bytes_out: 61_000_000 + (share() * 1e8) as u64,
                down_s: if name == "tertiary" { 30.0 } else { 0.0 },
            });
        }
    }
    out
}

fn series() -> Vec<Bin> {
    let mut noise = Noise::new(3);
    (0..180_u64)
        .map(|i| {
            let crash = (30..33).contains(&i);
            let cut = (60..72).contains(&i);
            let loss = (90..120).contains(&i);
            let submitted = (11.0 + 9.0 * noise.next()) as u64;
            let committed = match i {
                30 => 2,
                31 => 0,
                32 => 31,
                _ => (submitted as f64 * (0.9 + 0.2 * noise.next())) as u64,
            };
            let slow = if crash {
                6.0
            } else if cut {
                1.9
            } else if loss {
                1.5
            } else {
                1.0
            };
            let silent = i == 31;
            Bin {
                committed,
                submitted,
                answered: if silent { 0 } else { committed },
                failed: u64::from(crash) * 3 + u64::from(cut && i % 3 == 0) * (3 + i % 2),
                p50_ms: if silent {
                    f64::NAN
                } else {
                    slow * (640.0 + 160.0 * noise.next())
                },
                p99_ms: if silent {
                    f64::NAN
                } else {
                    slow * (1100.0 + 500.0 * noise.next())
                },
            }
        })
        .collect()
}

fn checks() -> Vec<CheckOutcome> {
    let rows = [
        (
            "agreement",
            "I1",
            38_421,
            "No two correct nodes commit different blocks at one height.",
        ),
        (
            "prefix-order",
            "I2",
            38_421,
            "The chains of two correct nodes are prefixes of one another.",
        ),
        (
            "at-most-once",
            "I3",
            71_310,
            "No transaction takes effect twice.",
        ),
        (
            "single-vote",
            "I4",
            612_004,
            "No honest key signs two different votes for one step.",
        ),
        (
            "state-root",
            "I5",
            38_400,
            "Equal heights have equal state roots.",
        ),
        (
            "hash-chain",
            "I6",
            38_421,
            "Every block names the hash of the one before it.",
        ),
        (
            "merkle",
            "I7",
            71_310,
            "Every transaction proves its place in its block.",
        ),
        (
            "consent",
            "S1",
            1_288,
            "No record is read without a grant that holds at the recorded height.",
        ),
        (
            "audit-complete",
            "S3",
            1_350,
            "Every access decision is on chain.",
        ),
        (
            "membership",
            "S6",
            421_800,
            "No node that is not a member has its message accepted.",
        ),
        (
            "convergence",
            "L3",
            21,
            "All correct nodes end with the same chain.",
        ),
        (
            "liveness",
            "L1",
            3_386,
            "Every valid request commits within the bound after the faults end.",
        ),
    ];
    rows.into_iter()
        .map(|(name, code, evaluated, says)| CheckOutcome {
            name: name.into(),
            code: code.into(),
            verdict: "pass".into(),
            severity: if code.starts_with('L') {
                "liveness"
            } else {
                "safety"
            }
            .into(),
            evaluated,
            sampled: None,
            violated: 0,
            says: says.into(),
            violations: Vec::new(),
            reasons: Vec::new(),
        })
        .collect()
}

fn faults() -> (Vec<FaultOutcome>, Vec<Resilience>) {
    type Row<'a> = (
        &'a str,
        &'a str,
        &'a str,
        u64,
        &'a str,
        f64,
        f64,
        Vec<&'a str>,
    );
    let rows: [Row<'_>; 3] = [
        (
            "leader-crash",
            "crash",
            "P1",
            1,
            "node taken down",
            300.0,
            330.0,
            vec!["tertiary"],
        ),
        (
            "city-cut",
            "partition",
            "N7",
            28_114,
            "messages dropped",
            600.0,
            720.0,
            vec![
                "tertiary",
                "supervision",
                "community-1",
                "community-2",
                "community-3",
            ],
        ),
        (
            "bad-line",
            "loss",
            "N2",
            9_870,
            "messages retransmitted",
            900.0,
            1200.0,
            vec!["community-4", "community-11", "community-14"],
        ),
    ];
    let faults = rows
        .into_iter()
        .map(
            |(id, kind, code, took_effect, unit, from_s, to_s, hit)| FaultOutcome {
                id: id.into(),
                kind: kind.into(),
                code: code.into(),
                took_effect,
                unit: unit.into(),
                skipped: 0,
                from_s,
                to_s,
                hit: hit.into_iter().map(String::from).collect(),
            },
        )
        .collect();
    let phase = |tx_per_s, p50, p99| {
        Some(Phase {
            seconds: 30.0,
            tx_per_s,
            asked: 12,
            lost: 0,
            latency_ms: Latency {
                mean: p50,
                p50,
                p95: p99,
                p99,
                max: p99,
                count: 12,
            },
        })
    };
    let measured = |id: &str, downtime_s, first, sensitivity, lost| Resilience {
        entry: id.into(),
        kind: "crash".into(),
        from_s: 300.0,
        to_s: 330.0,
        longest_gap_s: downtime_s,
        before: phase(0.42, 612.0, 1_204.0),
        during: phase(0.21, 641.0, 11_420.0),
        after: phase(0.44, 610.0, 1_190.0),
        safety: "pass".into(),
        pair: Some(Pair {
            without: vec![id.into()],
            run_digest: format!("without {id}"),
            safety: "pass".into(),
            during: phase(0.42, 611.0, 1_201.0),
            throughput_left: 0.5,
            downtime_s: 0.0,
            sensitivity: 0.184,
            acknowledged_lost: 0,
        }),
        id: id.into(),
        downtime_s,
        time_to_first_commit_s: Some(first),
        sensitivity,
        lost,
        ..Resilience::default()
    };
    let resilience = vec![
        measured("leader-crash", 11.42, 0.317, 2.104, 9),
        measured("city-cut", 0.0, 0.482, 0.613, 14),
        measured("bad-line", 0.0, 0.291, 0.192, 0),
    ];
    (faults, resilience)
}

const PLAN: &str = "consim: 1
about: Twenty hospitals of one alliance share records under patient consent, on a day when things break.
seed: 7
duration: 30m
warmup: 1m
network:
  regions: guangdong
  links: metro
chains:
  alliance: { members: all, consensus: { pbft: { checkpoint: 128 } } }
";

/// Gives the totals of the outcome the values that the series has after the warm-up.
fn total(results: &mut Results) {
    let Results {
        outcome,
        series,
        interval_s,
        warmup_s,
        ..
    } = results;
    let warmup = (*warmup_s / *interval_s).round() as usize;
    let measured = series.get(warmup..).unwrap_or_default();
    let t = &mut outcome.throughput;
    t.submitted = measured.iter().map(|b| b.submitted).sum();
    t.committed = measured.iter().map(|b| b.committed).sum();
    t.tx_per_s = t.committed as f64 / (outcome.virtual_seconds - *warmup_s);
    let rate = t.tx_per_s;
    outcome.metrics.insert("throughput".into(), rate);
    for chain in &mut outcome.chains {
        chain.tx_per_s = rate;
    }
}

/// Spreads the answers to operations over the bins after the warm-up as commits are spread.
fn spread(series: &mut [Bin], warmup: usize, answers: u64) {
    let commits: u64 = series[warmup..].iter().map(|b| b.committed).sum();
    let (mut seen, mut given) = (0, 0);
    for bin in &mut series[warmup..] {
        seen += bin.committed;
        let due = answers * seen / commits;
        bin.answered = due - given;
        given = due;
    }
}

/// Operations by kind, their latencies and that of all together.
fn operations() -> (
    BTreeMap<String, Operation>,
    BTreeMap<String, Histogram<u64>>,
) {
    let mut latencies = BTreeMap::new();
    let mut operations = BTreeMap::new();
    let mut all = Histogram::<u64>::new_with_bounds(1, 600_000_000, 3).unwrap();
    for (i, (name, count, middle, tail, refused, failed)) in KINDS.into_iter().enumerate() {
        let h = histogram(i as u64 + 1, count, middle, tail);
        all.add(&h).unwrap();
        let answered = h.len();
        operations.insert(
            name.to_string(),
            Operation {
                submitted: answered + failed + 1,
                committed: answered - refused,
                refused,
                failed,
                open: 1,
                availability: answered as f64 / (answered + failed) as f64,
                latency_ms: latency(&h),
            },
        );
        latencies.insert(name.to_string(), h);
    }
    latencies.insert("all".to_string(), all);
    (operations, latencies)
}

fn expectations(latency_p99_ms: f64, availability: f64) -> Vec<ExpectationOutcome> {
    vec![
        ExpectationOutcome {
            path: "latency_p99".into(),
            limit: "at most 5s".into(),
            value: Some(format!("{:.2}s", latency_p99_ms / 1e3)),
            met: Some(true),
            margin: Some((5e3 - latency_p99_ms) / 5e3),
        },
        ExpectationOutcome {
            path: "availability".into(),
            limit: "at least 95%".into(),
            value: Some(format!("{:.2}%", availability * 100.0)),
            met: Some(true),
            margin: Some((availability - 0.95) / 0.95),
        },
    ]
}

fn outcome(latency_ms: Latency, operations: BTreeMap<String, Operation>) -> Outcome {
    let failed: u64 = KINDS.iter().map(|k| k.5).sum();
    let availability = latency_ms.count as f64 / (latency_ms.count + failed) as f64;
    let (faults, resilience) = faults();
    Outcome {
        schema: 1,
        scenario: "alliance-sharing-faults".into(),
        variant: None,
        seed: 7,
        version: "0.1.0".into(),
        plan_digest: "8d4f1f6c0f1f2f0c7ad5c9b4a7a1a51a2c5b8b1f5a0d7c6e9f3a2b1c0d4e5f60".into(),
        design_digest: "1b7ce50a9d2f4c3b8a7f6e5d4c3b2a190807f6e5d4c3b2a1f0e9d8c7b6a59483".into(),
        run_digest: "e7a0c4b2d6f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192".into(),
        partial: false,
        verdict: "pass".into(),
        virtual_seconds: 1800.0,
        events: 8_412_907,
        messages: 4_012_551,
        bytes: 1_318_220_004,
        throughput: Throughput {
            rejected: 3,
            ..Throughput::default()
        },
        latency_ms,
        operations,
        metrics: BTreeMap::from([
            ("availability".into(), availability),
            ("latency_p99".into(), latency_ms.p99),
        ]),
        chains: vec![ChainOutcome {
            id: "alliance".into(),
            instance: None,
            protocol: "pbft".into(),
            nodes: 21,
            height: 1_829,
            tx_per_s: 0.0,
            latency_ms: Latency {
                p50: 611.0,
                p99: 1_402.0,
                ..latency_ms
            },
            f: 6,
            quorum: 14,
            views: 1,
            ledger_bytes: 6_204_118,
        }],
        inputs: vec![Input {
            path: "fhir:records/".into(),
            taken: 611,
            skipped: 2,
            notes: vec![
                "notes.txt: not JSON".into(),
                "p-17.json: $.entry[3].resource.resourceType: not a resource of R4".into(),
            ],
        }],
        checks: checks(),
        faults,
        changes: Vec::new(),
        attacks: Vec::new(),
        resilience,
        expectations: expectations(latency_ms.p99, availability),
        services: vec![ServiceOutcome {
            id: "sharing".into(),
            unavailable_s: 11.42,
            observed_s: 1_700.0,
            unknown_s: 40.0,
            outages: 1,
            longest_outage_s: 11.42,
            unavailable_min_per_year: None,
            days: 1,
            days_with_outage: 1,
            days_with_outage_at_most: 1.0,
        }],
    }
}

/// The sample: passes, and both expectations are met.
pub(crate) fn sample() -> Results {
    let topology = topology();
    let (operations, latencies) = operations();
    let outcome = outcome(latency(&latencies["all"]), operations);
    let mut series = series();
    spread(&mut series, 6, outcome.latency_ms.count);
    let mut results = Results {
        outcome,
        meant: None,
        about: Some(
            "Twenty hospitals of one alliance share records under patient consent, on a day when \
             things break."
                .into(),
        ),
        interval_s: 10.0,
        warmup_s: 60.0,
        series,
        latencies,
        resources: resources(&topology),
        topology,
        bottleneck: "The block interval, not any machine, sets the pace. The busiest resource is \
                     the disk of the tertiary hospital, at 4.64 % of the run."
            .into(),
        notes: vec![
            "38 of 611 patients have no Consent resource; the default policy of the model decided \
             for them."
                .into(),
            "n = 21 is not 3f + 1: f = 6, quorum 14.".into(),
        ],
        plan_yaml: PLAN.into(),
        sources: vec![
            (
                "network.regions.guangdong".into(),
                "great-circle distance at two thirds of the speed of light, times 1.5 (assumed)"
                    .into(),
            ),
            (
                "hardware.server.sign".into(),
                "Ed25519 on one core, measured".into(),
            ),
        ],
        groups: by_organisation(&[("community", 412, 9), ("supervision", 6, 0)]),
        institutions: by_organisation(&[("community-1", 12, 0), ("community-2", 400, 9)]),
        domain: vec![
            ("permits".into(), "1,226".into()),
            ("denials".into(), "62".into()),
            ("refused by patients".into(), "71".into()),
            ("revoked grants".into(), "37".into()),
            (
                "records verified against their digest".into(),
                "1,226".into(),
            ),
            ("audit records read by supervision".into(), "1,350".into()),
        ],
    };
    total(&mut results);
    results
}

/// Makes the sample fail: a violated check, one that judged nothing, a missed and an open
/// expectation, a fault without effect, a run cut short.
pub(crate) fn spoil(results: &mut Results) {
    let outcome = &mut results.outcome;
    outcome.verdict = "fail".into();
    outcome.partial = true;
    outcome.virtual_seconds = 1234.5;
    results.series.truncate(124);
    // The last bin is cut with the run.
    let last = results.series.last_mut().unwrap();
    (last.submitted, last.committed) = (last.submitted * 45 / 100, last.committed * 45 / 100);
    let consent = outcome
        .checks
        .iter_mut()
        .find(|c| c.name == "consent")
        .unwrap();
    consent.verdict = "fail".into();
    consent.violated = 7;
    consent.violations = vec![
        "at 12 min 4 s community-4 sent record 8831 to secondary-1 though its grant was revoked at \
         height 702"
            .into(),
        "at 12 min 9 s community-4 sent record 8832 to secondary-1 without a grant".into(),
    ];
    let audit = outcome
        .checks
        .iter_mut()
        .find(|c| c.name == "membership")
        .unwrap();
    audit.verdict = "unknown".into();
    audit.evaluated = 0;
    outcome.faults.last_mut().unwrap().took_effect = 0;
    outcome.expectations[0].met = Some(false);
    outcome.expectations[0].value = Some("7.2s".into());
    outcome.expectations[0].margin = Some(-0.44);
    outcome.expectations.push(ExpectationOutcome {
        path: "workloads.outpatients.latency_p95".into(),
        limit: "at most 2s".into(),
        value: None,
        met: None,
        margin: None,
    });
    for region in &mut results.topology.regions {
        (region.lat, region.lon) = (0.0, 0.0);
    }
    total(results);
}
