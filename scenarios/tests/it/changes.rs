//! Members that join and leave a running chain.

use crate::support::{plan, root};
use consim_check::outcome::{ChangeOutcome, CheckOutcome, Outcome};
use consim_core::Time;
use consim_scenarios::explore::judge_text;
use consim_scenarios::run::{Hooks, Run, execute, execute_with};
use consim_scenarios::{LoadOptions, load};
use std::path::Path;

const BASE: &str = "consim: 1
seed: 9
duration: 60s
warmup: 5s
network: { regions: one-place }
organisations: { hospital: { tier: tertiary, count: 6 } }
chains: { ledger: { members: hospital, consensus: raft } }
services: { store: { key-value: { keys: 20 } } }
workloads: { writes: { load: 20/s, from: hospital-1..hospital-3, transactions: store } }
";

fn run(lines: &str) -> Run {
    let plan = plan(&format!("{BASE}{lines}\n")).plan;
    execute(&plan, &mut |_| {}).unwrap()
}
/// No check is violated, and the one of configurations judged some.
fn assert_sound(outcome: &Outcome) {
    for check in &outcome.checks {
        assert_ne!(check.verdict, "fail", "{check:?}");
    }
    let of_configurations = |c: &&CheckOutcome| c.name == "quorum-intersection";
    let check = outcome.checks.iter().find(of_configurations).unwrap();
    assert!(check.verdict == "pass" && check.evaluated >= 2, "{check:?}");
}
fn change<'a>(outcome: &'a Outcome, name: &str) -> &'a ChangeOutcome {
    let found = outcome.changes.iter().find(|change| change.id == name);
    found.unwrap_or_else(|| panic!("{:?}", outcome.changes))
}

#[test]
fn the_scenario_of_the_library_holds_what_it_says() {
    let file = root().join("scenarios/protocols/raft-members.yaml");
    let loaded = load(&file, &LoadOptions::default()).unwrap_or_else(|d| panic!("{}", d.render()));
    let run = execute(&loaded.plan, &mut |_| {}).unwrap();
    let outcome = &run.results.outcome;
    assert_sound(outcome);
    assert_eq!(run.exit_code, 0, "{:?}", outcome.expectations);
    assert_eq!(outcome.changes.len(), 3);
    let newcomer = change(outcome, "newcomer");
    assert_eq!(
        (newcomer.kind.as_str(), newcomer.nodes.as_slice()),
        ("join", &["hospital-6".to_owned()][..])
    );
    for change in &outcome.changes {
        let (asked, force, done) = (
            change.asked_s.unwrap(),
            change.in_force_s.unwrap(),
            change.done_s.unwrap(),
        );
        assert!(asked < force && force <= done, "{change:?}");
        let took = outcome.metrics[&format!("changes.{}.took", change.id)];
        assert!((took - (done - asked) * 1e3).abs() < 1e-3);
    }
}

#[test]
fn a_join_during_a_partition_waits_until_the_new_member_hears() {
    let run = run("changes: { newcomer: { at: 15s, join: hospital-6 } }
faults: { cut: { at: 10s, for: 20s, partition: hospital-6 } }");
    let outcome = &run.results.outcome;
    assert_sound(outcome);
    let newcomer = change(outcome, "newcomer");
    let force = newcomer.in_force_s.unwrap();
    assert!((30.0..45.0).contains(&force), "{newcomer:?}");
    // The others go on without it.
    let cut = outcome.resilience.iter().find(|r| r.id == "cut").unwrap();
    assert_eq!(cut.lost, 0, "{cut:?}");
}

#[test]
fn a_change_without_a_quorum_waits_for_one() {
    let run = run("changes: { newcomer: { at: 15s, join: hospital-6 } }
faults: { cut: { at: 14s, for: 10s, partition: { target: hospital-1..hospital-5, shape: isolate-each } } }");
    let outcome = &run.results.outcome;
    assert_sound(outcome);
    let newcomer = change(outcome, "newcomer");
    assert!(newcomer.in_force_s.unwrap() > 24.0, "{newcomer:?}");
    assert!((newcomer.asked_s.unwrap() - 15.0).abs() < 0.1);
}

#[test]
fn changes_that_overlap_are_made_one_after_the_other() {
    // Four of them ask at one instant, of whom the first waits for a node that is down.
    let run = run("changes:
  a: { at: 15s, join: hospital-6 }
  b: { at: 15s, leave: hospital-5 }
  c: { at: 15s, leave: [hospital-4, hospital-6] }
  d: { at: 16s, join: hospital-5 }
faults: { down: { at: 14s, for: 6s, crash: hospital-6 } }");
    let outcome = &run.results.outcome;
    assert_sound(outcome);
    let force: Vec<f64> = ["a", "b", "c", "d"]
        .map(|name| change(outcome, name).in_force_s.unwrap())
        .to_vec();
    assert!(force[0] > 20.0, "{force:?}");
    assert!(force.is_sorted(), "{force:?}");
    let asked: Vec<f64> = outcome.changes.iter().map(|c| c.asked_s.unwrap()).collect();
    assert!(asked.iter().all(|at| *at < 16.5), "{asked:?}");
}

#[test]
fn a_change_survives_the_crash_of_whoever_leads() {
    let run = run("changes: { newcomer: { at: 15s, join: hospital-6 }, farewell: { at: 16s, leave: hospital-5 } }
faults: { down: { at: 15010ms, for: 10s, crash: leader of ledger } }");
    let outcome = &run.results.outcome;
    assert_sound(outcome);
    assert!(
        outcome.changes.iter().all(|c| c.done_s.is_some()),
        "{:?}",
        outcome.changes
    );
}

#[test]
fn users_of_one_that_is_no_member_are_refused() {
    let text = format!(
        "{}changes: {{ newcomer: {{ at: 20s, join: hospital-6 }} }}\n",
        BASE.replace("from: hospital-1..hospital-3", "from: hospital-6")
    );
    let plan = plan(&text).plan;
    assert_eq!(plan.chains["ledger"].outside, [5]);
    assert_eq!(
        plan.chains["ledger"].changes[0].at,
        Time::from_nanos(20_000_000_000)
    );
    let run = execute(&plan, &mut |_| {}).unwrap();
    let outcome = &run.results.outcome;
    let writes = &outcome.operations["write"];
    // A quarter to a third of the measured time it is outside.
    assert!(writes.refused > 200 && writes.committed > 500, "{writes:?}");
    assert_eq!(writes.failed, 0, "{writes:?}");
}

#[test]
fn a_run_with_changes_is_the_same_twice() {
    let text = format!(
        "{BASE}changes: {{ a: {{ at: 15s, join: hospital-6 }}, b: {{ at: 15s, leave: hospital-1 }} }}\n"
    );
    let plan = plan(&text).plan;
    let one = execute(&plan, &mut |_| {}).unwrap().results.outcome;
    let two = execute_with(
        &plan,
        &Hooks {
            share_executions: false,
            ..Hooks::default()
        },
        &mut |_| {},
    );
    assert_eq!(one.run_digest, two.unwrap().results.outcome.run_digest);
}

#[test]
fn a_state_is_fetched_once_however_long_the_changes_before_it_are_not_shown() {
    // The one that was away has no block of what it missed from anybody, and a change is among that.
    let text = |protocol: &str| {
        format!(
            "consim: 1
seed: 9
duration: 100s
warmup: 5s
network: {{ regions: one-place }}
organisations: {{ hospital: {{ tier: tertiary, count: 7 }} }}
chains: {{ ledger: {{ members: hospital, consensus: {protocol}, timeout: 1s, checkpoint: 8 }} }}
services: {{ store: {{ key-value: {{ keys: 20 }} }} }}
workloads: {{ writes: {{ load: 20/s, from: hospital-1..hospital-3, transactions: store }} }}
changes: {{ farewell: {{ at: 15s, leave: hospital-6 }} }}
faults:
  away: {{ at: 10s, for: 20s, crash: hospital-7 }}
  gone: {{ at: 6s, for: 60s, early-prune: {{ target: hospital-1..hospital-6, keep: 4 }} }}
  unshown: {{ at: 30s, for: 25s, filter: {{ from: hospital-1..hospital-6, to: hospital-7, kinds: [links] }} }}
"
        )
    };
    for protocol in ["tendermint", "qbft", "bft-smart"] {
        let text = text(protocol);
        let judged = judge_text(Path::new("links.yaml"), &text, &Hooks::default(), None);
        assert_eq!(judged.failure, None, "{protocol}");
        let marks = judged.brief.unwrap().marks;
        let times = |mark: &str| marks.get(format!("{protocol}-{mark}").as_str()).copied();
        // It came once in 25 seconds, and waited.
        let too_new = times("state-too-new").unwrap_or(0);
        assert!((1..=3).contains(&too_new), "{protocol}: {too_new}");
    }
}

#[test]
fn a_cut_around_a_change_and_two_changes_at_a_time_say_whether_they_met() {
    let effect = |lines: &str| {
        let run = run(lines);
        let outcome = run.results.outcome;
        assert_sound(&outcome);
        outcome.faults[0].took_effect
    };
    let changes = "changes: { newcomer: { at: 15s, join: hospital-6 }, farewell: { at: 15s, leave: hospital-5 } }\n";
    let with = |fault: &str| effect(&format!("{changes}faults: {{ x: {fault} }}"));
    let cut = "cut-change: { target: hospital-1..hospital-3, change: newcomer }";
    assert!(with(&format!("{{ at: newcomer, for: 10s, {cut} }}")) > 10);
    let double = "double-change: { change: farewell, second: newcomer }";
    assert_eq!(with(&format!("{{ at: 14s, for: 10s, {double} }}")), 1);
    // The first is over long before the second is asked for.
    let apart = "changes: { newcomer: { at: 25s, join: hospital-6 }, farewell: { at: 15s, leave: hospital-5 } }";
    assert_eq!(
        effect(&format!(
            "{apart}\nfaults: {{ x: {{ at: 14s, for: 20s, {double} }} }}"
        )),
        0
    );
}

#[test]
fn a_doubled_change_is_asked_for_beside_the_first() {
    // The first waits for a node that is down.
    let run = |fault: &str| {
        let text = format!(
            "changes: {{ a: {{ at: 15s, join: hospital-6 }}, b: {{ at: 15s, leave: hospital-5 }} }}
faults: {{ down: {{ at: 14s, for: 6s, crash: hospital-6 }}{fault} }}"
        );
        let plan = plan(&format!("{BASE}{text}\n")).plan;
        plan.chains["ledger"].changes[1].hasty
    };
    let double = "double-change: { change: a, second: b }";
    assert!(!run(""));
    assert!(run(&format!(", both: {{ at: 14s, for: 6s, {double} }}")));
    assert!(!run(&format!(
        ", both: {{ at: 14s, for: 6s, enabled: false, {double} }}"
    )));
}
