//! Where operations enter a chain, and what travels in its proposals.

use crate::support::{mistakes, plan_with};
use consim_scenarios::run::execute;
use std::collections::BTreeMap;

/// Clients of their own ask for 100 writes of 1 kB a second.
const BASE: &str = "consim: 1
duration: 12s
warmup: 2s
seed: 5
network: { regions: one-place, links: { profile: lan, delay: 1ms } }
organisations:
  member: { count: 4, hardware: hospital-server }
  user: { count: 2, roles: [client], hardware: hospital-server }
chains:
  ledger:
    members: member
    consensus: { hotstuff: { payload: inside } }
    block: { wait: 5ms }
    clients: { wait_for: f+1 }
workloads:
  writes: { transactions: { service: key-value, size: 1kB }, from: user, load: { open: { rate: 100/s, arrivals: even } } }
";

fn run(sets: &[&str]) -> BTreeMap<String, f64> {
    let plan = plan_with(BASE, sets).plan;
    let outcome = execute(&plan, &mut |_| {}).unwrap().results.outcome;
    assert_ne!(outcome.verdict, "fail", "{sets:?}: {:?}", outcome.checks);
    let throughput = outcome.metrics["throughput"];
    assert!((throughput - 100.0).abs() < 2.0, "{sets:?}: {throughput}");
    outcome.metrics
}

#[test]
fn proposals_of_hashes_are_short_where_clients_ask_all() {
    let inside = run(&["workloads.writes.entry=all"]);
    let hashes = run(&[
        "workloads.writes.entry=all",
        "chains.ledger.consensus.hotstuff.payload=digest",
    ]);
    // Three copies of a kilobyte each are saved, and three times 32 bytes are sent.
    let saved = (inside["bytes"] - hashes["bytes"]) / 1_200.0;
    assert!((2_800.0..3_600.0).contains(&saved), "{saved}");
    assert!(hashes["latency_mean"] <= inside["latency_mean"] * 1.02);
}

/// Nobody votes for what it does not have: it is fetched.
#[test]
fn a_member_fetches_what_it_lacks_of_a_proposal_of_hashes() {
    let digest = "chains.ledger.consensus.hotstuff.payload=digest";
    let inside = run(&[digest]);
    // What the leader passes on is lost.
    let lost = "faults.unheard={ at: 1ms, for: rest, filter: { from: member, to: member, kinds: [forward] } }";
    let lacking = run(&[digest, lost]);
    assert!(
        lacking["latency_mean"] > inside["latency_mean"] + 1.5,
        "two more ways"
    );
}

#[test]
fn operations_enter_where_the_workload_says() {
    let one = "chains.ledger.clients.wait_for=one";
    let raft = "chains.ledger.consensus=raft";
    let at = |entry: &str| run(&[one, raft, &format!("workloads.writes.entry={entry}")]);
    let (leader, turn) = (at("leader"), at("round-robin"));
    // Two of three operations have to be sent on, which takes a way of a millisecond there.
    let more = turn["latency_mean"] - leader["latency_mean"];
    assert!((0.3..3.0).contains(&more), "{more}");
    let fixed = at("{ fixed: member-2 }");
    assert!(fixed["latency_mean"] >= leader["latency_mean"] - 0.1);
    // A kilobyte less a write to all than to one of four members.
    let (all, usual) = (run(&["workloads.writes.entry=all"]), run(&[]));
    assert!(all["bytes"] > usual["bytes"] + 2.0 * 1e3 * 1e3);
}

#[test]
fn unsigned_transactions_and_votes_that_are_checked_together_cost_less() {
    let slow = "hardware.slow={ profile: hospital-server, cores: 16, sign: { ed25519: 1ms }, verify: { ed25519: 1ms }, verify_batched: { ed25519: 1ms } }";
    let on = [
        "organisations.member.hardware=slow",
        "organisations.user.hardware=slow",
        "organisations.member.count=16",
    ];
    let at = |more: &[&str]| {
        let mut sets = vec![slow];
        sets.extend(on);
        sets.extend(more);
        run(&sets)["latency_mean"]
    };
    let unsigned = "chains.ledger.clients.signed=false";
    let (both, free) = (at(&[]), at(&[unsigned]));
    assert!(free < both - 1.0, "{free} {both}");
    let together = at(&[unsigned, "chains.ledger.consensus.hotstuff.votes=together"]);
    assert!(together < free * 0.8, "{together} {free}");
}

#[test]
fn sending_and_requests_take_their_time() {
    let base = run(&[])["latency_mean"];
    for (key, least) in [
        ("per_request: 2ms", 1.9),
        ("per_message_sent: 300us", 0.5),
        ("per_kib_sent: 300us", 0.5),
    ] {
        let hardware = format!("hardware.slow={{ profile: hospital-server, {key} }}");
        let slow = run(&[&hardware, "organisations.member.hardware=slow"])["latency_mean"];
        assert!(slow > base + least, "{key}: {slow} {base}");
    }
}

#[test]
fn an_entry_that_cannot_be() {
    let all = BASE
        .replace("f+1", "one")
        .replace(" load:", " entry: all, load:");
    let found = mistakes(&all);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].code, "E504");
    assert!(found[0].help.contains("wait_for: f+1"));
    let other = BASE.replace(" load:", " entry: { fixed: user }, load:");
    assert_eq!(mistakes(&other)[0].code, "E308");
}

/// The same load as single transactions and as cohorts.
#[test]
fn cohorts_count_and_cost_as_many_as_they_stand_for() {
    let at = |cohort: &str| {
        let text = format!(
            "consim: 1
seed: 3
duration: 4s
warmup: 1s
network: {{ regions: one-place, links: lan }}
organisations: {{ member: {{ count: 10, hardware: hospital-server }} }}
chains:
  ledger:
    members: all
    consensus: {{ hotstuff: {{ phases: 2, leader: round-robin, payload: digest }} }}
    mempool: {{ spread: batches, batch: {{ bytes: 500kB, wait: 100ms }}, acknowledge: quorum }}
    block: {{ transactions: 10k, wait: 0ms }}
services: {{ store: {{ key-value: {{ chain: ledger }} }} }}
workloads: {{ writes: {{ transactions: {{ service: store, size: 512B{cohort} }}, load: {{ open: {{ rate: 5000/s, arrivals: even }} }} }} }}
"
        );
        let plan = plan_with(&text, &[]).plan;
        execute(&plan, &mut |_| {}).unwrap().results.outcome.metrics
    };
    let (single, cohorts) = (at(""), at(", cohort: { span: 4ms, individual: 0% }"));
    for metric in ["throughput", "bytes", "chains.ledger.ledger_bytes"] {
        let ratio = cohorts[metric] / single[metric];
        assert!((ratio - 1.0).abs() < 0.02, "{metric}: {ratio}");
    }
    for metric in ["latency_mean", "chains.ledger.end_to_end_latency_mean"] {
        let apart = cohorts[metric] - single[metric];
        assert!(apart.abs() < 4.0, "{metric}: {apart} ms");
    }
    assert!(cohorts["messages"] < single["messages"] * 0.7);
}

/// The same users of a closed loop, one by one and in cohorts.
#[test]
fn cohorts_of_a_closed_loop_stay_together() {
    // A cohort is one message, whatever it stands for.
    let text = BASE
        .replace("duration: 12s", "duration: 4s")
        .replace("hardware: hospital-server", "hardware: free")
        .replace(
            "organisations:",
            "hardware: { free: { profile: hospital-server, per_message: 0ns } }\norganisations:",
        )
        .replace(
            "{ open: { rate: 100/s, arrivals: even } }",
            "{ closed: { clients: 2, outstanding: 200 } }",
        );
    for consensus in ["hotstuff", "pbft", "bft-smart", "tendermint"] {
        let at = |cohort: &str| {
            let writes = "size: 1kB";
            let text = text.replace(writes, &format!("{writes}{cohort}"));
            let consensus = format!("chains.ledger.consensus={consensus}");
            let plan = plan_with(&text, &[&consensus, "workloads.writes.entry=all"]).plan;
            execute(&plan, &mut |_| {}).unwrap().results.outcome.metrics
        };
        let (single, cohorts) = (at(""), at(", cohort: { span: 10ms, individual: 0% }"));
        for metric in ["throughput", "latency_mean"] {
            let ratio = cohorts[metric] / single[metric];
            assert!((ratio - 1.0).abs() < 0.05, "{consensus} {metric}: {ratio}");
        }
        // 400 users come within the first second: 4 in each cohort, who all go on asking.
        let messages = cohorts["messages"] / single["messages"];
        assert!(messages < 0.4, "{consensus}: {messages}");
    }
}

/// Of 4,000 operations a fifth travels alone, and what is said of single operations is judged by these.
#[test]
fn some_of_a_cohort_travel_alone() {
    let at = |cohort: &str| {
        let text = format!(
            "consim: 1
seed: 3
duration: 4s
organisations: {{ member: {{ count: 4 }} }}
chains: {{ ledger: {{ members: all, consensus: pbft }} }}
services: {{ store: {{ key-value: {{ chain: ledger }} }} }}
workloads: {{ writes: {{ transactions: {{ service: store, cohort: {cohort} }}, load: 1000/s }} }}
"
        );
        let outcome = execute(&plan_with(&text, &[]).plan, &mut |_| {});
        let outcome = outcome.unwrap().results.outcome;
        let check = outcome.checks.iter().find(|c| c.name == "one-effect");
        check.unwrap().clone()
    };
    let fifth = at("{ span: 50ms, individual: 20% }");
    let share = fifth.sampled.unwrap();
    assert!((0.17..0.23).contains(&share), "{share}");
    assert_eq!(fifth.verdict, "pass");
    let none = at("{ span: 50ms, individual: 0% }");
    assert_eq!((none.verdict.as_str(), none.evaluated), ("unknown", 0));
    assert!(none.reasons[0].contains("travelled in cohorts"), "{none:?}");
    // So few that all are needed.
    assert_eq!(at("50ms").sampled, None);
}

#[test]
fn cohorts_that_cannot_be() {
    for (options, load) in [
        ("cohort: 0ms", "load: 10/s"),
        ("cohort: 1ms, read_share: 5%", "load: 10/s"),
    ] {
        let text = format!(
            "consim: 1
seed: 3
duration: 12s
organisations: {{ member: {{ count: 4 }} }}
chains: {{ ledger: {{ members: all, consensus: pbft }} }}
services: {{ store: {{ key-value: {{ chain: ledger }} }} }}
workloads: {{ writes: {{ transactions: {{ service: store, {options} }}, {load} }} }}
"
        );
        let found = mistakes(&text);
        assert_eq!(found.len(), 1, "{options}");
        assert_eq!(found[0].code, "E504", "{options}");
    }
}
