//! Whole runs with an adversary, each beside the same run without its attack: what it changed, what
//! held, and, with more traitors than the protocol bears, what broke and who is to blame.

use consim_check::outcome::{CheckOutcome, Outcome};
use consim_scenarios::run::{Hooks, execute_with};
use consim_scenarios::{LoadOptions, load};
use serde_json::Value;

/// Runs a scenario given as text; returns the outcome and the exit code.
fn run_with(text: &str, hooks: &Hooks) -> (Outcome, u8) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("scenario.yaml");
    std::fs::write(&file, text).unwrap();
    let loaded = load(&file, &LoadOptions::default());
    let plan = loaded.unwrap_or_else(|d| panic!("{}", d.render())).plan;
    let run = execute_with(&plan, hooks, &mut |_| {}).unwrap();
    (run.results.outcome, run.exit_code)
}

fn run(text: &str) -> (Outcome, u8) {
    run_with(text, &Hooks::default())
}

/// Four members with a small store; member 1 leads the first view. Whoever is named is the
/// adversary's, and does `attack` from 10 s on.
fn store(nodes: &str, attack: &str, more: &str) -> String {
    format!(
        "
consim: 1
seed: 3
duration: 40s
warmup: 5s
network: {{ regions: one-place }}
organisations:
  node: {{ tier: tertiary, count: 4 }}
chains:
  ledger: {{ members: node, consensus: pbft }}
services:
  store: {{ key-value: {{ keys: 20 }} }}
workloads:
  clients: {{ transactions: {{ service: store, read_share: 50% }}, load: 20/s }}
adversaries:
  insider: {{ nodes: {nodes} }}
attacks:
  lie: {{ at: 10s, for: 20s, {attack} }}
{more}"
    )
}

/// A run with the attack, and the same plan with it switched off.
fn pair(nodes: &str, attack: &str, more: &str) -> (Outcome, Outcome) {
    let store = |attack: &str| store(nodes, attack, more);
    let with = run(&store(attack)).0;
    let without = run(&store(&format!("enabled: false, {attack}"))).0;
    assert!(without.attacks.is_empty());
    let fails = without.checks.iter().find(|c| c.verdict == "fail");
    assert!(fails.is_none(), "without the attack: {fails:?}");
    (with, without)
}

fn check<'a>(outcome: &'a Outcome, name: &str) -> &'a CheckOutcome {
    let found = outcome.checks.iter().find(|c| c.name == name);
    found.unwrap_or_else(|| panic!("no check {name}"))
}

/// The only attack of a run.
fn lie(outcome: &Outcome) -> &Value {
    let [attack] = outcome.attacks.as_slice() else {
        panic!("one attack, not {:?}", outcome.attacks);
    };
    attack
}

fn took_effect(outcome: &Outcome) -> u64 {
    lie(outcome)["took_effect"].as_u64().unwrap()
}

/// Everything that promises to hold under one traitor of four.
fn withstands(outcome: &Outcome, what: &str) {
    for c in &outcome.checks {
        assert_ne!(c.verdict, "fail", "{what}: {c:?}");
    }
    // After a fault there has to be time to judge liveness.
    let calm = outcome.faults.is_empty();
    for name in [
        "agreement",
        "prefix-order",
        "no-double-signing",
        "certificate",
        "equal-state-roots",
        "accountability",
        "liveness",
        "convergence",
    ] {
        let judged = calm || !["liveness", "convergence"].contains(&name);
        if judged {
            assert_eq!(check(outcome, name).verdict, "pass", "{what}: {name}");
        }
    }
    assert_eq!(lie(outcome)["verdict"], "pass", "{what}");
    assert_eq!(lie(outcome)["beyond_the_bound"], false, "{what}");
    assert_eq!(
        outcome.metrics["attacks.lie.wrongly_accused"], 0.0,
        "{what}"
    );
}

/// Agreement breaks, and the adversary's nodes are named, and nobody else.
fn breaks(text: &str, guilty: &[&str]) {
    let (outcome, exit) = run(text);
    assert_eq!(exit, 10, "{:?}", outcome.checks);
    assert_eq!(check(&outcome, "agreement").verdict, "fail");
    let judged = check(&outcome, "accountability");
    assert_eq!(judged.verdict, "pass", "{judged:?}");
    let attack = lie(&outcome);
    assert_eq!(attack["verdict"], "fail");
    assert_eq!(attack["beyond_the_bound"], true);
    assert_eq!(attack["guilty"], serde_json::json!(guilty));
    assert_eq!(
        outcome.metrics["attacks.lie.attributed"],
        guilty.len() as f64
    );
    assert_eq!(outcome.metrics["attacks.lie.wrongly_accused"], 0.0);
    assert!(outcome.metrics["attacks.lie.safety_violations"] > 0.0);
}

#[test]
fn one_traitor_of_four_changes_the_run_and_breaks_nothing() {
    // The leader is the traitor, but where only another member can do the attack.
    for attack in [
        "twins: {}",
        "equivocate: ledger",
        "forget-lock: ledger",
        "selective-silence: node-3",
        "late-vote: { wait: 50% }",
        "mutate: { field: view }",
        "mutate: { field: sequence, by: 2 }",
        "mutate: { field: digest, by: 7 }",
        "mutate: { field: certificate }",
        "malformed: { rate: 50% }",
        "invalid-block: ledger",
        "phantom-validator: ledger",
        "censor: node-3",
        "reorder-block: ledger",
        "replay-old: { age: 3s }",
        "slow-leader: {}",
        "diverge: { rate: 20% }",
        "lazy-vote: ledger",
    ] {
        let leaves = attack.starts_with("forget-lock") || attack.contains("certificate");
        let cause = if leaves {
            // Somebody has to leave the view with something prepared in it.
            "faults: { cut: { at: 15s, for: 8s, partition: node-1 } }\n"
        } else {
            ""
        };
        let traitor = if cause.is_empty() { "node-1" } else { "node-2" };
        let (with, without) = pair(traitor, attack, cause);
        withstands(&with, attack);
        assert_ne!(with.run_digest, without.run_digest, "{attack}");
        assert!(took_effect(&with) > 0, "{attack}: {}", lie(&with));
    }
}

#[test]
fn liars_that_are_asked_by_those_who_catch_up_are_seen_through() {
    let crash = "faults: { down: { at: 12s, for: 8s, crash: node-4 } }\n";
    for attack in [
        "lying-sync: { field: block }",
        "lying-sync: { field: sequence }",
        "lying-sync: { field: transactions }",
        "lying-sync: { field: progress }",
        "double-signatures: ledger",
        "strip-signatures: ledger",
    ] {
        let (with, without) = pair("node-2", attack, crash);
        withstands(&with, attack);
        assert_ne!(with.run_digest, without.run_digest, "{attack}");
        assert!(took_effect(&with) > 0, "{attack}: {}", lie(&with));
    }
}

#[test]
fn a_slow_leader_costs_latency_and_keeps_its_office() {
    let (with, without) = pair("node-1", "slow-leader: {}", "");
    assert_eq!(with.metrics["chains.ledger.views"], 0.0);
    let (slow, usual) = (with.latency_ms.p99, without.latency_ms.p99);
    assert!(slow > 3.0 * usual, "{slow} ms, not {usual} ms");
}

#[test]
fn leaders_that_break_the_rules_are_replaced() {
    for attack in [
        "equivocate: ledger",
        "invalid-block: ledger",
        "censor: node-3",
    ] {
        let (with, without) = pair("node-1", attack, "");
        assert_eq!(without.metrics["chains.ledger.views"], 0.0);
        assert!(with.metrics["chains.ledger.views"] >= 1.0, "{attack}");
    }
}

/// Nobody is overtaken by a full mempool at this load: what gives the censor away is that its batches
/// have room for what everybody waits for.
#[test]
fn a_censor_is_replaced_before_anybody_has_waited_for_long() {
    let (with, _) = pair("node-1", "censor: node-3", "");
    assert!(with.metrics["chains.ledger.views"] >= 1.0);
    assert_eq!(check(&with, "liveness").verdict, "pass");
}

#[test]
fn an_equivocating_traitor_is_named_although_it_did_no_harm() {
    let (outcome, _) = run(&store("node-1", "equivocate: ledger", ""));
    assert_eq!(lie(&outcome)["guilty"], serde_json::json!(["node-1"]));
    assert_eq!(outcome.metrics["attacks.lie.attributed"], 1.0);
}

#[test]
fn f_plus_1_equivocators_break_agreement_and_are_named() {
    let text = store("f+1 of ledger", "equivocate: ledger", "");
    breaks(&text, &["node-1", "node-2"]);
}

#[test]
fn f_plus_1_twins_break_agreement_and_are_named() {
    let text = store("f+1 of ledger", "twins: {}", "");
    breaks(&text, &["node-1", "node-2"]);
}

/// The line between the two correct members is so slow that each side hears of the other only
/// afterwards; one goes on in the first view, the other one in the next, and the same two keys locked a
/// value in the first and left it as if they had not.
#[test]
fn a_fork_across_views_is_proven_by_what_was_forgotten() {
    let slow =
        "faults: { slow: { at: 9s, for: 28s, delay: { between: [node-1, node-4], add: 60s } } }\n";
    let text = store("node-2..node-3", "twins: {}", slow);
    breaks(&text, &["node-2", "node-3"]);
    let (outcome, _) = run(&text);
    assert!(outcome.metrics["chains.ledger.views"] >= 1.0);
}

/// A value is decided at one correct member alone, since nobody hears of the others' commits, and the other
/// correct one is away; then they change places. What those in the middle prepared and forgot is decided
/// otherwise.
#[test]
fn f_plus_1_that_forget_break_agreement_and_are_named() {
    let faults = "faults:
  away: { at: 15s, for: 1s, partition: node-4 }
  deaf: { at: 15s, for: 1s, filter: { from: node-1, to: node-2..node-3, kinds: [commit] } }
  apart: { at: 15s, for: 1s, filter: { between: [node-2, node-3], kinds: [commit] } }
  gone: { at: 16s, for: 12s, partition: node-1 }
";
    let text = store("node-2..node-3", "forget-lock: ledger", faults);
    breaks(&text, &["node-2", "node-3"]);
    // The same without the attack: what may be decided is carried over.
    let honest = store(
        "node-2..node-3",
        "enabled: false, forget-lock: ledger",
        faults,
    );
    let (outcome, _) = run(&honest);
    for name in ["agreement", "carry-over"] {
        assert_eq!(check(&outcome, name).verdict, "pass", "{name}");
    }
    assert!(outcome.metrics["chains.ledger.views"] >= 1.0);
}

/// Seven members, of which one is the adversary's; `more` is what else it has.
fn with_budget(more: &str, attack: &str, faults: &str) -> (Outcome, u8) {
    let text = store(&format!("node-2, {more}"), attack, faults);
    run(&text.replace("count: 4", "count: 7"))
}

#[test]
fn stolen_keys_count_as_traitors_and_a_quorum_of_them_signs_what_was_never_decided() {
    // Who comes back hears of the liar alone, at first.
    let crash = "faults:
  down: { at: 12s, for: 8s, crash: node-7 }
  shut: { at: 18s, for: 6s, eclipse: { target: node-7, peers: node-2 } }
";
    // One member and one key are two of seven, which bears that.
    let (few, _) = with_budget("keys: 1", "double-signatures: ledger", crash);
    withstands(&few, "one key");
    assert_eq!(lie(&few)["nodes"], serde_json::json!(["node-1", "node-2"]));
    // Five sign as a quorum does.
    let keys = "keys: [node-1, node-3..node-5]";
    let (many, exit) = with_budget(keys, "double-signatures: ledger", crash);
    assert_eq!(exit, 10);
    assert_eq!(check(&many, "agreement").verdict, "fail");
    assert_eq!(lie(&many)["beyond_the_bound"], true);
}

#[test]
fn an_adversary_holds_up_and_drops_what_passes_its_lines_alone() {
    let on = |links: &str, attack: &str| {
        let text = store("none", attack, "").replace("nodes: none", &format!("links: {links}"));
        run(&text).0
    };
    let quiet = on("node-1", "enabled: false, interfere: delay");
    let slow = on("node-1", "interfere: { do: { delay: 100ms } }");
    assert!(
        slow.latency_ms.p99 > quiet.latency_ms.p99 + 100.0,
        "{}",
        slow.latency_ms.p99
    );
    assert!(took_effect(&slow) > 0);
    assert!(slow.faults.is_empty() && lie(&slow)["beyond_the_bound"] == false);
    // Two lines of six, of the leader's: it is heard by one member.
    let lossy = on("2", "interfere: { do: drop }");
    assert!(took_effect(&lossy) > 0);
    assert!(lossy.metrics["chains.ledger.views"] >= 1.0);
    assert_eq!(check(&lossy, "agreement").verdict, "pass");
    assert_eq!(lossy.resilience[0].took_effect, took_effect(&lossy));
}

#[test]
fn the_windows_of_an_attack_share_its_effect() {
    let attack = "every: 6s, times: 3, late-vote: { wait: 50% }";
    let text = store("node-1", attack, "").replace("for: 20s", "for: 2s");
    let (outcome, _) = run(&text);
    let rows: Vec<_> = outcome.resilience.iter().collect();
    let ids: Vec<&str> = rows.iter().map(|r| r.id.as_str()).collect();
    assert_eq!(ids, ["lie", "lie#2", "lie#3"]);
    assert!(
        rows.iter()
            .all(|r| r.took_effect > 0 && r.unit == "votes held back")
    );
    let sum: u64 = rows.iter().map(|r| r.took_effect).sum();
    assert_eq!(sum, took_effect(&outcome));
}

#[test]
fn a_quorum_that_is_too_small_is_a_fault_of_configuration() {
    // One traitor may not be able to split four; with a quorum of two it is.
    let small = Hooks {
        quorum: Some(2),
        share_executions: false,
        ..Hooks::default()
    };
    let (outcome, exit) = run_with(&store("node-1", "equivocate: ledger", ""), &small);
    assert_eq!(exit, 10);
    assert_eq!(check(&outcome, "agreement").verdict, "fail");
    let judged = check(&outcome, "accountability");
    assert_eq!(judged.verdict, "fail");
    let said = judged.violations.join("; ");
    assert!(
        said.contains("implementation or of the configuration"),
        "{said}"
    );
    assert_eq!(outcome.metrics["attacks.lie.wrongly_accused"], 0.0);
}

#[test]
fn the_plan_prints_back() {
    for attack in [
        "twins: { rounds: [{ split: [node-2, [node-3, node-4]] }, { split: [node-3, node-4] }] }",
        "twins: { copies: 2 }",
        "selective-silence: { to: [node-2, node-4] }",
        "every: 5s, times: 2, late-vote: { wait: 75% }",
    ] {
        let text = store("node-1", attack, "");
        let dir = tempfile::tempdir().unwrap();
        let plan = |text: &str| {
            let file = dir.path().join("scenario.yaml");
            std::fs::write(&file, text).unwrap();
            let text = text.replace("for: 20s", "for: 2s");
            std::fs::write(&file, text).unwrap();
            let loaded = load(&file, &LoadOptions::default());
            loaded.unwrap_or_else(|d| panic!("{}", d.render())).plan
        };
        let first = plan(&text);
        let again = plan(&first.yaml);
        assert_eq!(first.digest, again.digest, "{}", first.yaml);
        assert_eq!(first.yaml, again.yaml);
    }
}
