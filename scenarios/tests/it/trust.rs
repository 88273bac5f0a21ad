//! Certificates that are revoked while a chain runs, and authorities that take each other's place.

use crate::support::{mistakes, plan};
use consim_check::outcome::{ChangeOutcome, Outcome};
use consim_scenarios::run::{Run, execute};

const BASE: &str = "consim: 1
seed: 9
duration: 90s
warmup: 5s
network: { regions: one-place }
organisations: { hospital: { tier: tertiary, count: 4 } }
chains: { ledger: { members: hospital, consensus: PROTOCOL, timeout: 1s } }
services: { store: { key-value: { keys: 20 } } }
workloads: { writes: { load: 20/s, from: FROM, transactions: store } }
";

fn run(protocol: &str, from: &str, lines: &str) -> Run {
    let base = BASE.replace("PROTOCOL", protocol).replace("FROM", from);
    let plan = plan(&format!("{base}{lines}\n")).plan;
    execute(&plan, &mut |_| {}).unwrap()
}

fn assert_sound(outcome: &Outcome) {
    for check in &outcome.checks {
        assert_ne!(check.verdict, "fail", "{check:?}");
    }
}

fn change<'a>(outcome: &'a Outcome, name: &str) -> &'a ChangeOutcome {
    let found = outcome.changes.iter().find(|change| change.id == name);
    found.unwrap_or_else(|| panic!("{:?}", outcome.changes))
}

const ALL: &[&str] = &[
    "pbft",
    "raft",
    "hotstuff",
    "bft-smart",
    "tendermint",
    "qbft",
    "ibft",
    "{ clique: { period: 1s, fork_choice: eip-3436 } }",
];

#[test]
fn the_others_go_on_without_one_whose_certificate_is_revoked() {
    for protocol in ALL {
        let run = run(
            protocol,
            "hospital",
            "changes: { lost: { at: 30s, revoke-certificate: hospital-4 } }",
        );
        let outcome = &run.results.outcome;
        assert_sound(outcome);
        let lost = change(outcome, "lost");
        assert_eq!(lost.kind, "revoke-certificate");
        assert!(lost.took_s().unwrap() < 0.5, "{protocol}: {lost:?}");
        let turned_away = outcome.metrics["changes.lost.turned_away"];
        assert!(turned_away > 10.0, "{protocol}: {turned_away}");
        assert!(!outcome.metrics.contains_key("changes.lost.exposed"));
        // A quarter of the users ask at a server that nobody hears, for two thirds of the time.
        let availability = outcome.metrics["availability"];
        assert!(
            (0.7..0.9).contains(&availability),
            "{protocol}: {availability}"
        );
    }
}

#[test]
fn one_that_gets_another_certificate_is_back() {
    for protocol in ALL {
        let run = run(
            protocol,
            "hospital-1..hospital-3",
            "changes: { lost: { at: 30s, revoke-certificate: { nodes: hospital-4, reissue: 15s } } }",
        );
        let outcome = &run.results.outcome;
        assert_sound(outcome);
        let lost = change(outcome, "lost");
        let took = lost.took_s().unwrap();
        assert!((15.0..16.0).contains(&took), "{protocol}: {lost:?}");
        // Else it would be behind at the end.
        let judged = outcome.checks.iter().find(|c| c.name == "convergence");
        let judged = judged.unwrap();
        assert!(
            judged.verdict == "pass" && judged.evaluated == 4,
            "{judged:?}"
        );
    }
}

#[test]
fn a_list_that_is_fetched_reaches_each_when_it_asks() {
    let run = run(
        "pbft",
        "hospital-1..hospital-3",
        "changes: { lost: { at: 30s, revoke-certificate: { nodes: hospital-4, list: { fetched: 20s } } } }",
    );
    let outcome = &run.results.outcome;
    assert_sound(outcome);
    let lost = change(outcome, "lost");
    // Each asks five seconds after the one before it, and each again after twenty: at 25, 30, 35 and 45.
    let since = lost.in_force_s.unwrap() - 30.0;
    assert!((0.0..5.1).contains(&since), "{lost:?}");
    let took = lost.took_s().unwrap();
    assert!((5.0..20.1).contains(&took), "{lost:?}");
}

#[test]
fn one_that_is_down_learns_of_it_when_it_is_back() {
    let run = run(
        "pbft",
        "hospital-1",
        "changes: { lost: { at: 30s, revoke-certificate: { nodes: hospital-4, reissue: 1s } } }
faults: { down: { at: 25s, for: 20s, crash: hospital-3 }, again: { at: 60s, for: 5s, crash: hospital-2 } }",
    );
    let outcome = &run.results.outcome;
    assert_sound(outcome);
    let took = change(outcome, "lost").took_s().unwrap();
    assert!((15.0..20.0).contains(&took), "{took}");
    assert!(outcome.metrics["changes.lost.turned_away"] > 0.0);
}

#[test]
fn all_move_to_a_new_authority_and_nobody_notices() {
    for protocol in ALL {
        let run = run(
            protocol,
            "hospital",
            "changes: { rotation: { at: 20s, rotate-authority: { nodes: hospital, gap: 4s } } }
faults: { down: { at: 60s, for: 5s, crash: hospital-2 } }",
        );
        let outcome = &run.results.outcome;
        assert_sound(outcome);
        let rotation = change(outcome, "rotation");
        // Four nodes, and the withdrawal of the old one.
        let took = rotation.took_s().unwrap();
        assert!((20.0..21.0).contains(&took), "{protocol}: {rotation:?}");
        // Users of the one that is down.
        let availability = outcome.metrics["availability"];
        assert!(availability > 0.95, "{protocol}: {availability}");
    }
}

#[test]
fn without_overlap_those_who_moved_and_those_who_did_not_do_not_hear_each_other() {
    for protocol in ALL {
        let run = run(
            protocol,
            "hospital",
            "changes: { rotation: { at: 20s, rotate-authority: { nodes: hospital, gap: 8s, overlap: false } } }",
        );
        let outcome = &run.results.outcome;
        assert_sound(outcome);
        let rotation = change(outcome, "rotation");
        let took = rotation.took_s().unwrap();
        assert!((24.0..25.0).contains(&took), "{protocol}: {rotation:?}");
        // Two and two for eight seconds: whoever asks then waits until a third has moved, or gives up.
        let latest = outcome.metrics["latency_max"];
        assert!(latest > 7_000.0, "{protocol}: {latest}");
    }
}

#[test]
fn authorities_follow_each_other_and_what_is_revoked_stays_so() {
    let run = run(
        "pbft",
        "hospital-1..hospital-3",
        "changes:
  first:  { at: 10s, rotate-authority: { nodes: hospital, gap: 1s } }
  lost:   { at: 30s, revoke-certificate: hospital-4 }
  second: { at: 40s, rotate-authority: { nodes: hospital-1..hospital-3, gap: 1s } }",
    );
    let outcome = &run.results.outcome;
    assert_sound(outcome);
    assert!(
        outcome.changes.iter().all(|c| c.done_s.is_some()),
        "{:?}",
        outcome.changes
    );
    let availability = outcome.metrics["availability"];
    assert!(availability > 0.99, "{availability}");
    assert!(outcome.metrics["changes.lost.turned_away"] > 100.0);
}

#[test]
fn a_list_of_what_is_revoked_has_a_limit() {
    let base = BASE.replace("PROTOCOL", "pbft").replace("FROM", "hospital");
    let one = "organisations: { ";
    let base = base.replace(one, &format!("{one}clinic: {{ count: 1100 }}, "));
    let said = mistakes(&format!(
        "{base}changes: {{ lost: {{ at: 20s, revoke-certificate: clinic }} }}\n"
    ));
    let limit = said
        .iter()
        .find(|d| d.message.contains("1100 institutions"));
    assert!(limit.is_some_and(|d| d.code == "E107"), "{said:?}");
}
