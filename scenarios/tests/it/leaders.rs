//! Who leads a HotStuff chain where a member is away or slow.

use crate::support::plan_with;
use consim_scenarios::run::execute;
use std::collections::BTreeMap;

const BASE: &str = "consim: 1
duration: 60s
warmup: 2s
seed: 5
network: { regions: one-place, links: metro }
organisations: { member: { tier: tertiary, count: 4 } }
chains:
  ledger: { members: member, consensus: { hotstuff: { payload: inside } }, timeout: 1s, block: { wait: 20ms } }
services: { store: { key-value: { keys: 100 } } }
workloads:
  writes: { transactions: { service: store, read_share: 0% }, from: member-1, load: { open: { rate: 20/s, arrivals: even } } }
";

fn run(sets: &[&str]) -> BTreeMap<String, f64> {
    let plan = plan_with(BASE, sets).plan;
    let outcome = execute(&plan, &mut |_| {}).unwrap().results.outcome;
    assert_ne!(outcome.verdict, "fail", "{sets:?}: {:?}", outcome.checks);
    outcome.metrics
}

/// Latencies with a leader in turn and with one by reputation.
fn latencies(fault: &[&str]) -> [f64; 2] {
    ["round-robin", "reputation"].map(|leader| {
        let leader = format!("chains.ledger.consensus.hotstuff.leader={leader}");
        run(&[&[&*leader][..], fault].concat())["latency_mean"]
    })
}

#[test]
fn where_all_are_well_turns_and_reputation_are_alike() {
    let [turns, chosen] = latencies(&[]);
    assert!((chosen / turns - 1.0).abs() < 0.1, "{turns} {chosen}");
}

#[test]
fn who_is_away_leads_no_more_by_reputation() {
    let [turns, chosen] = latencies(&["faults.away={ crash: member-3, at: 5s, for: rest }"]);
    // Every fourth view fails after a second, and no block is committed without it.
    assert!(turns > 5.0 * chosen, "{turns} {chosen}");
}

#[test]
fn who_is_slow_leads_no_more_by_reputation() {
    let [turns, chosen] =
        latencies(&["faults.slow={ delay: { target: member-3, add: 200ms }, at: 5s, for: rest }"]);
    assert!(turns > 2.0 * chosen, "{turns} {chosen}");
}
