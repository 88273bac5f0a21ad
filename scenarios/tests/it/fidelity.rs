//! Closed forms of published experiments: what the simulator must give by arithmetic alone.

use crate::support::plan_with;
use consim_check::experiment::Spec;
use consim_scenarios::library::{LIBRARY, experiments};
use consim_scenarios::run::execute;
use consim_scenarios::{LoadOptions, study_bytes};
use std::collections::BTreeMap;
use std::path::Path;

fn text(name: &str) -> &'static str {
    LIBRARY.iter().find(|e| e.name == name).unwrap().text()
}

fn spec(name: &str) -> Spec {
    let entry = LIBRARY.iter().find(|e| e.name == name).unwrap();
    let study = study_bytes(
        Path::new(entry.path),
        entry.text().as_bytes(),
        &LoadOptions::default(),
    );
    study.unwrap().experiment.unwrap().spec
}

fn metrics(name: &str, sets: &[&str]) -> BTreeMap<String, f64> {
    let plan = plan_with(text(name), sets).plan;
    execute(&plan, &mut |_| {}).unwrap().results.outcome.metrics
}

#[test]
fn every_experiment_of_the_library_is_read() {
    let read = experiments()
        .map(|e| spec(e.name))
        .map(|s| (s.id, s.rows.len()));
    let read: Vec<(String, usize)> = read.collect();
    let rows = |id: &str| read.iter().find(|(i, _)| i == id).map(|(_, n)| *n);
    assert_eq!(rows("C1"), Some(5));
    assert_eq!(rows("C2"), Some(1));
    assert_eq!(rows("C3"), Some(3));
    assert_eq!(rows("C6"), Some(6));
    assert_eq!(rows("C7"), Some(7));
}

/// The published throughputs leave 0.86 to 2.86 ms of work to a view of two delays of 10 ms.
#[test]
fn c1_leaves_so_much_work_to_a_view() {
    let work = spec("libhotstuff")
        .rows
        .iter()
        .map(|row| {
            let interval_ms = 400.0 / row.figures[0].measured * 1e3;
            interval_ms - 20.0
        })
        .collect::<Vec<f64>>();
    for (work, expected) in work.iter().zip([0.86, 1.30, 1.49, 1.99, 2.86]) {
        assert!((work - expected).abs() < 0.01, "{work} {expected}");
    }
}

/// Where nothing takes time but the lines, a chained HotStuff with a stable leader commits a batch each
/// two delays: 400 transactions in 20 ms.
#[test]
fn c1_without_costs_commits_a_batch_each_two_delays() {
    let nothing = [
        "network.links.delay=10ms",
        "network.rules.0.delay=0ms",
        "hardware.free={ profile: libhotstuff-c5-4xlarge, sign: { secp256k1: 0ns }, verify: { secp256k1: 0ns }, verify_batched: { secp256k1: 0ns }, execute: 0ns, per_request: 0ns, per_kib_sent: 0ns, nic: { in: 100000Gbit/s, out: 100000Gbit/s } }",
        "organisations.replica.hardware=free",
        "organisations.load.hardware=free",
        "network.links.rate=100000Gbit/s",
    ];
    let found = metrics("libhotstuff", &nothing);
    let throughput = found["throughput"];
    // A batch may fall on either side of an end of the window.
    let window_s = 2.0;
    assert!(
        (throughput - 20_000.0).abs() <= 400.0 / window_s,
        "{throughput}"
    );
    // Three views from the proposal to its commit at the leader, and the writing of six promises to a disk of
    // 100 GB/s, half a microsecond each.
    let commit_ms = found["chains.ledger.consensus_latency_mean"];
    assert!((commit_ms - 60.0).abs() < 0.01, "{commit_ms}");
}

/// One client of etcd: four ways of 172 us, an fsync (leader and follower write at the same time), and
/// what the leader and the follower do.
#[test]
fn c3_one_client_is_four_ways_and_an_fsync() {
    let found = metrics("etcd", &[]);
    let ways = 4.0 * 172.0;
    let (fsync, request, execute, message) = (980.0, 5.7, 15.7, 1.0);
    // Three messages are handled before the answer: the question, the entry, the word of the follower.
    let expected = ways + fsync + request + execute + 3.0 * message;
    let latency_us = found["latency_mean"] * 1e3;
    // Bytes take their time on lines, cards and disks: 300 bytes at 200 MB/s are 1.5 us.
    assert!(
        (latency_us - expected).abs() < 6.0,
        "{latency_us} {expected}"
    );
    let throughput = found["throughput"];
    assert!(
        (throughput * latency_us / 1e6 - 1.0).abs() < 0.01,
        "{throughput}"
    );
}
