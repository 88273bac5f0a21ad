//! Latency floors: what `topology` says by order statistics, a run without costs does to the nanosecond.

use crate::support::load_files;
use consim_core::{NodeId, Observer, Probe, Span, Time};
use consim_models::consensus::PROTOCOLS;
use consim_models::consensus::floor::Delays;
use consim_scenarios::LoadOptions;
use consim_scenarios::run::{Hooks, brief};
use consim_scenarios::topology::floors;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

/// When each sequence number was proposed and by whom, and when each node had it committed.
#[derive(Default)]
struct Seen {
    proposed: BTreeMap<u64, (NodeId, Time)>,
    committed: BTreeMap<u64, BTreeMap<NodeId, Time>>,
}

struct Watcher(Arc<Mutex<Seen>>);

impl Observer for Watcher {
    fn probe(&mut self, now: Time, node: NodeId, probe: &Probe) {
        let mut seen = self.0.lock().unwrap();
        match probe {
            // What holds nothing may wait for company.
            Probe::Proposed { sequence, txs, .. } if *txs > 0 => {
                seen.proposed.insert(*sequence, (node, now));
            }
            Probe::Committed(committed) => {
                let at = seen.committed.entry(committed.sequence).or_default();
                at.insert(node, now);
            }
            _ => {}
        }
    }
}

/// A consortium in which only distance takes time: a table of delays in microseconds, a member in each
/// region.
fn scenario(protocol: &str, members: usize) -> String {
    format!(
        "consim: 1
seed: 5
duration: 20s
warmup: 1s
network:
  regions: {{ table: 'file:delays.csv', is: one-way }}
  links: {{ profile: lan, delay: 0ms, rate: 100000Gbit/s }}
hardware:
  nothing:
    profile: hospital-server
    cores: 64
    sign: {{ ed25519: 0us }}
    verify: {{ ed25519: 0us }}
    verify_batched: {{ ed25519: 0us }}
    hash: 0us
    encrypt: 0us
    execute: 0us
    per_message: 0us
    per_byte: 0us
    nic: {{ in: 100000Gbit/s, out: 100000Gbit/s }}
    disk: {{ write: 100000GB/s, read: 100000GB/s, fsync: 0us }}
    clock: {{ offset: 0ms, drift: 0ppm }}
organisations: {{ member: {{ tier: tertiary, count: {members}, region: one-each, hardware: nothing }} }}
chains: {{ ledger: {{ members: member, consensus: {protocol}, timeout: 5s, block: {{ wait: 0ms }} }} }}
services: {{ store: {{ key-value: {{ keys: 10 }} }} }}
workloads: {{ w: {{ transactions: {{ service: store, read_share: 0% }}, load: 1/s }} }}
"
    )
}

fn table(delays: &Delays) -> String {
    let n = delays.members();
    let names: Vec<String> = (0..n).map(|i| format!("r{i:02}")).collect();
    let mut out = format!("from/to,{}\n", names.join(","));
    for (from, name) in names.iter().enumerate() {
        let row = (0..n).map(|to| {
            let us = delays.between(from, to).nanos() / 1_000;
            format!("{}.{:03}", us / 1_000, us % 1_000)
        });
        let _ = writeln!(out, "{name},{}", row.collect::<Vec<_>>().join(","));
    }
    out
}

/// The largest difference between what was said and what happened, over all blocks and members.
fn difference(consensus: &str, delays: &Delays) -> Span {
    let n = delays.members();
    let text = scenario(consensus, n);
    let files = [("s.yaml", text.as_str()), ("delays.csv", &table(delays))];
    let plan = load_files(&files, &LoadOptions::default());
    let plan = plan.unwrap_or_else(|d| panic!("{}", d.render())).plan;
    let seen = Arc::new(Mutex::new(Seen::default()));
    let watcher = Box::new(Watcher(Arc::clone(&seen)));
    brief(&plan, &Hooks::default(), Some(watcher)).unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.proposed.len() >= 5, "{}", seen.proposed.len());
    let said = &floors(&plan)[0];
    let said = said.protocols.iter().find(|p| p.chosen);
    let only = plan.chains.values().next().unwrap();
    let entry = PROTOCOLS.iter().find(|p| p.name == only.protocol).unwrap();
    let mut worst = Span::ZERO;
    // What is proposed at the very end of the 20 s has no time to be decided.
    let early = |at: &Time| *at < Time::ZERO + Span::from_secs(18);
    // With one consensus at a time, a member that has not decided the last one yet comes late to the next.
    let one_at_a_time =
        ["bft-smart", "tendermint", "qbft", "ibft"].contains(&only.protocol.as_str());
    let under_way = |sequence: u64, at: Time| {
        let before = seen.committed.get(&(sequence - 1));
        one_at_a_time && before.is_some_and(|all| all.values().any(|&done| done > at))
    };
    let mut judged = 0;
    for (sequence, &(leader, at)) in seen.proposed.iter().filter(|(_, (_, at))| early(at)) {
        if under_way(*sequence, at) {
            continue;
        }
        judged += 1;
        let leader = leader.0 as usize;
        let floor = (entry.floor)(&only.options, delays, leader, (entry.quorum)(n));
        let committed = &seen.committed[sequence];
        assert_eq!(committed.len(), n, "sequence {sequence}");
        for (node, &done) in committed {
            let apart = (done - at).nanos().abs_diff(floor[node.0 as usize].nanos());
            worst = worst.max(Span::from_nanos(apart));
        }
        let row = &said.unwrap().leaders[leader];
        assert_eq!(row.at_leader_ns, floor[leader].nanos());
    }
    assert!(judged >= 5, "{judged} of {}", seen.proposed.len());
    worst
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 200, ..ProptestConfig::default() })]
    /// Any delays, also such that a detour is shorter than the direct way.
    #[test]
    fn a_run_without_costs_takes_what_the_floor_says(
        members in 4usize..=9,
        cells in prop::collection::vec(100u64..60_000, 81),
    ) {
        let delays = Delays::new(members, |a, b| Span::from_nanos(cells[a * 9 + b] * 1_000));
        let names = PROTOCOLS.iter().filter(|entry| entry.least <= members).map(|entry| entry.name);
        // What travels apart would be waited for where it takes longer than its proposal.
        let inside = ["{ hotstuff: { payload: inside } }", "{ hotstuff: { phases: 2, payload: inside } }"];
        // Nobody seals out of turn where all are there and that takes long.
        let in_turn = ["{ clique: { period: 200ms, wiggle: 1000s } }"];
        let plain = names.filter(|name| !["hotstuff", "clique"].contains(name));
        for consensus in plain.chain(inside).chain(in_turn) {
            let apart = difference(consensus, &delays);
            // A message of some kilobytes takes nanoseconds on these lines.
            prop_assert!(apart.nanos() < 1_000, "{consensus}: {apart} apart");
        }
    }
}
