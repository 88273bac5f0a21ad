//! The heal: windows are cut, what is not in the core stays broken, and liveness is asked from then
//! on, by the timers that are armed.

use crate::support::{mistakes, plan};
use consim_check::outcome::{CheckOutcome, Outcome};
use consim_core::{Span, Time};
use consim_scenarios::plan::{FaultPlan, Plan};
use consim_scenarios::run::execute;

const BASE: &str = "consim: 1
seed: 5
duration: 3m
warmup: 5s
network: { regions: one-place }
organisations: { hospital: { tier: tertiary, count: 7 } }
chains: { ledger: { members: hospital } }
workloads: { visits: { visits: data-sharing, load: 60/min, day: flat } }
faults:
  down: { at: 20s, for: rest, crash: 3 of hospital }
  cut: { at: 30s, for: 20s, partition: hospital-7 }
  late: { at: 2m, for: 10s, crash: hospital-1 }
";

fn s(seconds: u64) -> Time {
    Time::ZERO + Span::from_secs(seconds)
}
fn with(heal: &str) -> Plan {
    plan(&format!("{BASE}heal: {heal}\n")).plan
}
fn window(plan: &Plan, name: &str) -> (Time, Time) {
    let found: Option<&FaultPlan> = plan.faults.get(name);
    let fault = found.unwrap_or_else(|| panic!("{name} in {:?}", plan.faults.keys()));
    (fault.from, fault.to)
}
fn check<'a>(outcome: &'a Outcome, name: &str) -> &'a CheckOutcome {
    let found = outcome.checks.iter().find(|c| c.name == name);
    found.unwrap_or_else(|| panic!("no check {name}"))
}

#[test]
fn an_earlier_heal_cuts_what_is_open_and_leaves_out_what_comes_later() {
    let plan = with("{ at: 45s }");
    assert_eq!(window(&plan, "down"), (s(20), s(45)));
    assert_eq!(window(&plan, "cut"), (s(30), s(45)));
    assert!(!plan.faults.contains_key("late"));
    let heal = plan.heal.clone().unwrap();
    assert_eq!((heal.at, heal.broken.len(), heal.auto), (s(45), 0, true));
    let notes = plan.notes.join("\n");
    assert!(
        notes.contains("cut is cut by the heal at 45s, it would end at 50s"),
        "{notes}"
    );
    assert!(notes.contains("late would begin after the heal"), "{notes}");
    // Without one the faults are over when the last of them is, and here one never is.
    assert_eq!(self::plan(BASE).plan.heal, None);
    let ends = BASE.replace("for: rest", "for: 5s");
    assert_eq!(self::plan(&ends).plan.heal.unwrap().at, s(130));
    // By the name of a fault, and never after the run.
    assert_eq!(with("{ at: end of cut }").heal.unwrap().at, s(50));
    let late = mistakes(&format!("{BASE}heal: {{ at: 3m }}\n"));
    assert_eq!((late.len(), late[0].code), (1, "E402"));
}

#[test]
fn what_is_not_in_the_core_stays_broken() {
    let plan = with("{ at: 45s, core: hospital-2..hospital-6 }");
    assert_eq!(window(&plan, "down"), (s(20), s(45)));
    assert_eq!(window(&plan, "down, for good"), (s(45), s(180)));
    assert_eq!(window(&plan, "cut, for good"), (s(45), s(180)));
    assert_eq!(plan.heal.unwrap().broken, [0, 6]);
    // Five of seven are a quorum; the same ones for the same seed, others for another.
    let broken = |seed: u64| {
        let text = BASE.replace("seed: 5", &format!("seed: {seed}"));
        let text = format!("{text}heal: {{ at: 45s, core: {{ quorum: random }} }}\n");
        self::plan(&text).plan.heal.unwrap().broken
    };
    assert_eq!(broken(5), broken(5));
    assert!((5..20).all(|seed| broken(seed).len() == 2));
    assert!((6..20).any(|seed| broken(seed) != broken(5)));
}

#[test]
fn the_plan_is_a_scenario_again() {
    for heal in [
        "{ at: 45s }",
        "{ core: all, at: 45s }",
        "{ at: 45s, core: { quorum: random } }",
        "{ at: end of cut, core: { nodes: [hospital-1, hospital-2] } }",
    ] {
        let first = with(heal);
        let again = plan(&first.yaml).plan;
        assert_eq!(again.digest, first.digest, "{}", first.yaml);
        assert_eq!(
            (again.heal, again.faults.len()),
            (first.heal, first.faults.len())
        );
    }
    let usual = plan(&BASE.replace("for: rest", "for: 5s")).plan;
    let spelt = format!(
        "{}heal: {{ core: all }}\n",
        BASE.replace("for: rest", "for: 5s")
    );
    assert_eq!(plan(&spelt).plan.digest, usual.digest);
}

#[test]
fn a_core_that_heals_goes_on_and_is_asked_to() {
    // Three of seven are down, which is more than may be: nothing goes on before the heal. Then
    // five do, and two stay away for good.
    let outcome = execute(
        &with("{ at: 45s, core: hospital-2..hospital-6 }"),
        &mut |_| {},
    )
    .unwrap()
    .results
    .outcome;
    for name in [
        "liveness",
        "client-progress",
        "convergence",
        "rejoin",
        "no-livelock",
    ] {
        let found = check(&outcome, name);
        assert_eq!(
            (found.verdict.as_str(), found.reasons.len()),
            ("pass", 0),
            "{name}: {found:?}"
        );
        assert!(found.evaluated > 0, "{name}");
    }
    // Four are down and only two of them heal: what stands still could not have gone on, which is no
    // failure.
    let few = BASE.replace("3 of hospital", "4 of hospital");
    let few = format!("{few}heal: {{ at: 45s, core: hospital-1..hospital-2, bound: 20s }}\n");
    let run = execute(&plan(&few).plan, &mut |_| {}).unwrap();
    let outcome = run.results.outcome;
    let found = check(&outcome, "liveness");
    assert_eq!(found.verdict, "unknown", "{found:?}");
    assert!(
        found.reasons[0].contains("not recoverable, 2 of 7 members"),
        "{found:?}"
    );
}

/// Nobody else has anything to order when the member is back, so no block tells it so: what the others
/// say of themselves has to.
#[test]
fn what_waited_through_a_long_cut_is_ordered_soon_after_it_also_in_a_quiet_group() {
    let text = "consim: 1
seed: 7
duration: 500s
warmup: 2s
network: { regions: one-place }
organisations: { hospital: { count: 4 } }
chains: { ledger: { members: hospital, consensus: pbft, timeout: 10s } }
services: { store: { key-value: { keys: 10 } } }
workloads:
  before: { transactions: store, load: 1/s, at: 5s, for: 10s }
  within: { transactions: store, from: hospital-2, load: 3/s, at: 67s, for: 2s }
faults:
  cut: { at: 60s, for: 224s, partition: hospital-2 }
";
    let outcome = execute(&plan(text).plan, &mut |_| {})
        .unwrap()
        .results
        .outcome;
    let liveness = outcome
        .checks
        .iter()
        .find(|c| c.name == "liveness")
        .unwrap();
    assert_eq!(liveness.verdict, "pass", "{:?}", liveness.violations);
    let first = outcome.resilience.first().unwrap();
    let seconds = first.time_to_first_commit_s;
    assert!(seconds.is_some_and(|s| s < 30.0), "{seconds:?}");
}

#[test]
fn the_bound_gives_controlled_members_their_turns() {
    let bound = |lines: &str| plan(&format!("{BASE}{lines}\n")).plan.heal_bound.nanos();
    let of = |nodes: &str| bound(&format!("adversaries: {{ traitor: {{ nodes: {nodes} }} }}"));
    let none = bound("");
    // Ten of the largest timers; of two in a row the third leads after 1 + 2, and has 4.
    assert_eq!(of("hospital-1"), none);
    assert_eq!(of("hospital-1..hospital-2"), none);
    // 1 + 2 + 4 + 8; more in a row are not waited for.
    assert_eq!(of("hospital-1..hospital-3"), none / 10 * 15);
    assert_eq!(of("hospital-1..hospital-4"), none / 10 * 15);
}
