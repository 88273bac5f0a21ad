//! Certificates as vectors of signatures and as aggregates: what they take of the lines and the processors.

use crate::support::plan_with;
use consim_scenarios::run::execute;

const BASE: &str = "consim: 1
duration: 20s
warmup: 1s
seed: 5
network: { regions: one-place, links: metro }
hardware:
  narrow: { profile: hospital-server, cores: 1 }
  wide: { profile: hospital-server, cores: 16 }
organisations: { member: { tier: tertiary, count: N, hardware: narrow } }
chains:
  ledger:
    members: member
    consensus: { hotstuff: { payload: inside } }
    signatures: bls
    timeout: 20s
    block: { wait: 0ms }
services: { store: { key-value: { keys: 100 } } }
workloads:
  writes: { transactions: { service: store, read_share: 0% }, from: member-1, load: { open: { rate: 1/s, arrivals: even } } }
";

const AGGREGATE: &str = "chains.ledger.certificates=aggregate";

/// What a run came to.
struct Came {
    messages: f64,
    bytes: f64,
    /// Seconds of all processors: what is told is a share of the run's 20.
    cpu: f64,
    /// Milliseconds.
    latency: f64,
}

fn run(members: usize, sets: &[&str]) -> Came {
    let text = BASE.replace("count: N", &format!("count: {members}"));
    let plan = plan_with(&text, sets).plan;
    let results = execute(&plan, &mut |_| {}).unwrap().results;
    let metrics = &results.outcome.metrics;
    assert_ne!(results.outcome.verdict, "fail", "{sets:?}");
    Came {
        messages: metrics["messages"],
        bytes: metrics["bytes"],
        cpu: results.resources.iter().map(|node| node.cpu * 20.0).sum(),
        latency: metrics["latency_mean"],
    }
}

/// A signature of BLS on the wire, with what says whose it is.
const SIGNATURE: usize = 4 + 96;

#[test]
fn aggregates_save_the_bytes_and_the_pairings_that_they_should() {
    for (n, quorum) in [(4, 3), (16, 11), (64, 43)] {
        let (vector, aggregate) = (run(n, &[]), run(n, &[AGGREGATE]));
        assert_eq!(vector.messages, aggregate.messages, "n={n}");
        let saved = (quorum * SIGNATURE - (SIGNATURE + n.div_ceil(8))) as f64;
        let certificates = (vector.bytes - aggregate.bytes) / saved;
        assert_eq!(certificates.fract(), 0.0, "n={n}");
        // A block takes four proposals, and all of the 80 but the first show a certificate to all others.
        let proposals = certificates / (n - 1) as f64;
        assert_eq!(proposals, 79.0, "n={n}");
        // One of them checks as many signatures in a batch, or two pairings and the sum of the keys.
        let k = quorum as f64;
        let check = k * 212e-6 - (644e-6 + (k - 1.0) * 0.4e-6);
        // Its maker adds the signatures up.
        let make = (k - 1.0) * 1.03e-6;
        let due = certificates * check - proposals * make;
        let found = vector.cpu - aggregate.cpu;
        assert!(
            (found - due).abs() < 0.02 * due.abs() + 2e-3,
            "n={n}: {found} {due}"
        );
    }
}

#[test]
fn aggregates_help_large_groups_on_one_core_and_hurt_small_ones() {
    // A quorum of 43 is checked in 9.1 ms one after the other, and in 0.7 ms at once.
    let (vector, aggregate) = (run(64, &[]), run(64, &[AGGREGATE]));
    assert!(
        aggregate.latency < vector.latency - 20.0,
        "{} {}",
        aggregate.latency,
        vector.latency
    );
    assert!(aggregate.bytes < 0.6 * vector.bytes);
    // Three signatures of Ed25519 take 81 us, two pairings 644.
    let ed25519 = "chains.ledger.signatures=ed25519";
    let (vector, aggregate) = (run(4, &[ed25519]), run(4, &[AGGREGATE]));
    assert!(
        aggregate.latency > vector.latency + 2.0,
        "{} {}",
        aggregate.latency,
        vector.latency
    );
    assert!(aggregate.cpu > 2.0 * vector.cpu);
    // Sixteen cores check a vector of eleven together, and two pairings on one.
    let wide = "organisations.member.hardware=wide";
    let (vector, aggregate) = (run(16, &[wide]), run(16, &[wide, AGGREGATE]));
    assert!(
        aggregate.latency > vector.latency + 0.5,
        "{} {}",
        aggregate.latency,
        vector.latency
    );
}

#[test]
fn a_vector_is_the_default_and_no_difference() {
    let text = BASE.replace("count: N", "count: 4");
    let digest = |sets: &[&str]| plan_with(&text, sets).plan.digest;
    assert_eq!(digest(&[]), digest(&["chains.ledger.certificates=vector"]));
    assert_ne!(digest(&[]), digest(&[AGGREGATE]));
}

/// Timeouts and certificates of availability are aggregates too, and a chain with a member away goes on.
#[test]
fn everything_that_a_quorum_signs_is_an_aggregate() {
    let apart = [
        "chains.ledger.consensus={ hotstuff: { leader: round-robin, payload: digest } }",
        "chains.ledger.mempool={ spread: batches, acknowledge: certificate }",
        "chains.ledger.timeout=1s",
        "faults.away={ crash: member-7, at: 3s, for: 5s }",
        "workloads.writes.load={ open: { rate: 10/s, arrivals: even } }",
    ];
    let vector = run(7, &apart);
    let aggregate = run(7, &[&apart[..], &[AGGREGATE]].concat());
    assert!(
        aggregate.bytes < 0.8 * vector.bytes,
        "{} {}",
        aggregate.bytes,
        vector.bytes
    );
}
