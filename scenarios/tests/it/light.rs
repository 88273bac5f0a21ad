//! Light clients in whole runs.

use crate::support::plan;
use consim_check::outcome::{CheckOutcome, Outcome};
use consim_scenarios::run::execute;

/// Seven hospitals and two clinics that follow their chain.
fn scenario(consensus: &str, light: &str, more: &str) -> String {
    format!(
        "consim: 1
seed: 9
duration: 40s
warmup: 5s
network: {{ regions: one-place }}
organisations:
  hospital: {{ tier: tertiary, count: 7 }}
  clinic: {{ tier: community, count: 2, roles: [light-client] }}
chains: {{ ledger: {{ members: hospital, consensus: {consensus}, timeout: 1s, checkpoint: 8, light_clients: {{ {light} }} }} }}
services: {{ store: {{ key-value: {{ keys: 20 }} }} }}
workloads: {{ writes: {{ load: 10/s, from: hospital-1..hospital-4, transactions: store }} }}
{more}
"
    )
}

fn run(consensus: &str, light: &str, more: &str) -> Outcome {
    judge(&scenario(consensus, light, more), consensus)
}

/// Runs it; nothing may fail.
fn judge(text: &str, what: &str) -> Outcome {
    let plan = plan(text).plan;
    let outcome = execute(&plan, &mut |_| {}).unwrap().results.outcome;
    for check in &outcome.checks {
        assert_ne!(check.verdict, "fail", "{what}: {check:?}");
    }
    outcome
}

fn figure(outcome: &Outcome, word: &str) -> f64 {
    let path = format!("chains.ledger.{word}");
    let value = outcome.metrics.get(&path).copied();
    value.unwrap_or_else(|| panic!("no {path}"))
}

fn safety(outcome: &Outcome) -> &CheckOutcome {
    let is = |c: &&CheckOutcome| c.name == "light-client-safety";
    outcome.checks.iter().find(is).unwrap()
}

#[test]
fn clinics_follow_every_chain_whose_decisions_have_certificates() {
    for consensus in [
        "pbft",
        "hotstuff",
        "{ hotstuff: { phases: 2, payload: inside } }",
        "bft-smart",
        "tendermint",
        "{ qbft: { period: 100ms } }",
        "{ ibft: { period: 100ms } }",
    ] {
        let outcome = run(consensus, "witnesses: 2", "");
        let check = safety(&outcome);
        assert!(
            check.verdict == "pass" && check.evaluated >= 60,
            "{consensus}: {check:?}"
        );
        assert!(figure(&outcome, "light_accepted") >= 60.0, "{consensus}");
        for word in ["light_refused", "light_conflicts"] {
            assert_eq!(figure(&outcome, word), 0.0, "{consensus} {word}");
        }
        let lag = figure(&outcome, "light_lag");
        assert!(lag <= 40.0, "{consensus}: {lag} decisions behind");
    }
}

#[test]
fn nothing_accepted_is_nothing_judged() {
    // Nobody can reach a full node.
    let cut = "faults: { cut: { at: 0s, for: 40s, partition: clinic } }";
    let outcome = run("tendermint", "witnesses: 1", cut);
    assert_eq!(safety(&outcome).verdict, "unknown");
}

/// Members join and leave.
const CHANGES: &str = "changes:
  one:   { at: 8s, leave: hospital-7 }
  two:   { at: 12s, join: hospital-7 }
  three: { at: 16s, leave: hospital-6 }
  four:  { at: 20s, join: hospital-6 }
";

#[test]
fn skipping_fetches_less() {
    // The clinics are there late, and see all changes at one go. Each is in a block of some size.
    let late = "faults: { late: { at: 1s, for: 30s, crash: { target: clinic, restart: empty } } }";
    let busy =
        "workloads: { writes: { load: 60/s, from: hospital-1..hospital-4, transactions: store } }";
    let more = format!("{CHANGES}{late}");
    let run = |consensus: &str, light: &str, more: &str| {
        let text = scenario(consensus, light, more);
        let quiet = text
            .lines()
            .find(|line| line.starts_with("workloads"))
            .unwrap();
        judge(&text.replace(quiet, busy), consensus)
    };
    for consensus in ["tendermint", "{ qbft: { period: 100ms } }", "bft-smart"] {
        let sequential = run(consensus, "witnesses: 1", &more);
        let skipping = run(consensus, "witnesses: 1, verification: skipping", &more);
        for outcome in [&sequential, &skipping] {
            assert!(safety(outcome).evaluated > 0, "{consensus}");
            assert!(figure(outcome, "light_lag") < 40.0, "{consensus}");
            assert_eq!(figure(outcome, "light_refused"), 0.0, "{consensus}");
        }
        let bytes = [&sequential, &skipping].map(|outcome| figure(outcome, "light_bytes"));
        assert!(bytes[1] < bytes[0] / 2.0, "{consensus}: {bytes:?}");
    }
}

#[test]
fn clinics_follow_members_that_join_leave_and_get_other_keys() {
    let keys = "changes:
  one: { at: 8s, join: hospital-7 }
  two: { at: 12s, replace-keys: [hospital-1, hospital-2, hospital-3] }
  three: { at: 16s, leave: hospital-4 }
";
    let keys = keys.to_owned();
    for verification in ["sequential", "skipping"] {
        let light = format!("witnesses: 1, verification: {verification}");
        let outcome = run("tendermint", &light, &keys);
        let check = safety(&outcome);
        assert!(check.verdict == "pass" && check.evaluated > 40, "{check:?}");
        assert!(figure(&outcome, "light_lag") < 40.0, "{verification}");
    }
}

#[test]
fn a_clinic_goes_on_over_crashes_of_its_own_and_of_its_primary() {
    let crashes = "faults:
  own:     { at: 10s, for: 5s, crash: clinic-1 }
  primary: { at: 20s, for: 15s, crash: hospital-1 }
";
    let outcome = run("tendermint", "witnesses: 1", crashes);
    let check = safety(&outcome);
    assert!(check.verdict == "pass" && check.evaluated > 40, "{check:?}");
    assert!(figure(&outcome, "light_lag") < 40.0);
}

#[test]
fn a_clock_that_is_behind_sees_decisions_of_the_future() {
    let behind =
        "faults: { wrong: { at: 10s, for: 20s, clock-step: { target: clinic, by: -5s } } }";
    for (drift, refuses) in [("10s", false), ("1s", true)] {
        let light = format!("witnesses: 1, clock_drift: {drift}");
        let outcome = run("tendermint", &light, behind);
        let refused = figure(&outcome, "light_refused");
        assert_eq!(refused > 0.0, refuses, "{drift}: {refused}");
        assert!(figure(&outcome, "light_lag") < 40.0, "{drift}");
    }
}

#[test]
fn every_knob_changes_a_run() {
    let base = run("tendermint", "witnesses: 1", CHANGES);
    let mut digests = vec![base.run_digest.clone()];
    for light in [
        "witnesses: 2",
        "witnesses: 1, period: 2s",
        "witnesses: 1, full_nodes: hospital-2..hospital-4",
        "witnesses: 1, trusting_period: 500ms",
        "witnesses: 1, trusted: { node: hospital-3 }",
    ] {
        let outcome = run("tendermint", light, CHANGES);
        let refused = figure(&outcome, "light_refused");
        let expires = light.contains("trusting_period");
        assert_eq!(refused > 0.0, expires, "{light}: {refused}");
        digests.push(outcome.run_digest);
    }
    let all = digests.len();
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), all);
}
