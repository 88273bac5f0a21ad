//! A run beside the same plan and seed without its faults.

use crate::support::plan;
use consim_scenarios::run::{Hooks, MAX_PAIRS, calm, execute, execute_paired, pairs};
use std::fmt::Write as _;

const BASE: &str = "consim: 1
seed: 7
duration: 2m
warmup: 10s
organisations:
  hospital: { count: 4, tier: tertiary }
chains:
  ledger: { members: hospital }
workloads:
  w: { visits: data-sharing, load: 2/s, day: flat }
";

fn with(faults: &str) -> consim_scenarios::plan::Plan {
    plan(&format!("{BASE}faults:\n{faults}")).plan
}

const TWO: &str = "  halt: { at: 20s, for: 10s, every: 30s, times: 2, crash: 2 of hospital }
  slow: { at: 85s, for: 10s, delay: { target: hospital-1, add: 50ms } }
";

#[test]
fn a_plan_has_a_pair_an_entry_and_repetitions_are_one_entry() {
    let plan = with(TWO);
    assert_eq!(plan.faults.len(), 3);
    let all = pairs(&plan);
    let without: Vec<_> = all.iter().map(|p| p.without.join(" ")).collect();
    assert_eq!(without, ["halt", "slow"]);
    assert_eq!(all[0].plan.faults.len(), 1);
    assert_eq!(all[1].plan.faults.len(), 2);
    let calm = calm(&plan).unwrap();
    assert_eq!(calm.without, ["halt", "slow"]);
    assert!(calm.plan.faults.is_empty());
    // Every pair measures all windows of the run that it stands beside.
    for pair in all.iter().chain([&calm]) {
        assert_eq!(pair.plan.windows(), plan.windows());
    }
    let mut digests: Vec<_> = all.iter().map(|p| p.plan.digest.clone()).collect();
    digests.extend([calm.plan.digest.clone(), plan.digest.clone()]);
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 4, "each plan has a digest of its own");
    assert!(pairs(&calm.plan).is_empty());
    let none = plan_without_faults();
    assert!(pairs(&none).is_empty() && super_calm(&none));
}

fn plan_without_faults() -> consim_scenarios::plan::Plan {
    plan(BASE).plan
}

fn super_calm(plan: &consim_scenarios::plan::Plan) -> bool {
    calm(plan).is_none()
}

#[test]
fn beyond_the_limit_all_go_together() {
    let mut faults = String::new();
    for i in 0..MAX_PAIRS {
        let at = 11 + i;
        let _ = writeln!(
            faults,
            "  f{i}: {{ at: {at}s, for: 1s, crash: hospital-1 }}"
        );
    }
    assert_eq!(pairs(&with(&faults)).len(), MAX_PAIRS);
    faults.push_str("  one-more: { at: 60s, for: 1s, crash: hospital-1 }\n");
    let together = pairs(&with(&faults));
    assert_eq!(together.len(), 1);
    assert_eq!(together[0].without.len(), MAX_PAIRS + 1);
}

#[test]
fn the_pair_differs_by_what_the_fault_did_and_by_nothing_else() {
    let plan = with(TWO);
    let all = pairs(&plan);
    let run = |threads| {
        execute_paired(&plan, &all, &Hooks::default(), threads, &|_| {})
            .unwrap()
            .results
    };
    let results = run(1);
    let outcome = &results.outcome;
    assert_eq!(
        serde_json::to_string(&results).unwrap(),
        serde_json::to_string(&run(3)).unwrap(),
        "the number of threads changes nothing"
    );
    // The run itself is the same as without pairs.
    let alone = execute(&plan, &mut |_| {}).unwrap().results.outcome;
    assert_eq!(alone.run_digest, outcome.run_digest);
    assert!(alone.resilience.iter().all(|row| row.pair.is_none()));

    let ids: Vec<_> = outcome.resilience.iter().map(|r| r.id.as_str()).collect();
    assert_eq!(ids, ["halt", "halt#2", "slow"]);
    for row in &outcome.resilience[..2] {
        let pair = row.pair.as_ref().unwrap();
        assert_eq!(
            (pair.without.join(" "), row.entry.as_str()),
            ("halt".into(), "halt")
        );
        // Half of the nodes are down for 10 s: nothing moves from then to the first commit after.
        let stood_still = 10.0 + row.time_to_first_commit_s.unwrap();
        assert!((row.downtime_s - stood_still).abs() < 1.5, "{row:?}");
        assert_eq!(pair.downtime_s, 0.0);
        assert!(row.during.unwrap().tx_per_s < 0.5 && pair.throughput_left < 0.3);
        assert!(pair.during.unwrap().tx_per_s > 2.0);
        assert!(pair.sensitivity > 0.02, "{}", pair.sensitivity);
        assert!(row.took_effect > 0 && row.safety == "pass" && pair.safety == "pass");
        assert_eq!((row.acknowledged_lost, pair.acknowledged_lost), (0, 0));
    }
    let slow = &outcome.resilience[2];
    let pair = slow.pair.as_ref().unwrap();
    assert_eq!((slow.downtime_s, pair.downtime_s), (0.0, 0.0));
    // 50 ms more on the lines of one of four nodes is felt and little.
    assert!(
        pair.sensitivity > 0.0 && pair.sensitivity < 0.1,
        "{}",
        pair.sensitivity
    );
    assert_ne!(pair.run_digest, outcome.run_digest);

    // Without `halt` its time is as that of the pair says: the pair really is that run.
    let other = execute(&all[0].plan, &mut |_| {}).unwrap().results.outcome;
    let beside = outcome.resilience[0].pair.as_ref().unwrap();
    assert_eq!(beside.run_digest, other.run_digest);
    assert_eq!(other.resilience.len(), 1);
}

/// A fault that lasts from the first moment leaves nothing of the run to compare with but the pair.
#[test]
fn a_run_that_is_never_calm_is_judged_by_its_pair() {
    let plan = with("  always: { at: 0s, for: rest, loss: { target: all, rate: 30% } }\n");
    let alone = execute(&plan, &mut |_| {}).unwrap().results.outcome;
    assert!(alone.resilience[0].downtime_s.is_nan());
    let all = pairs(&plan);
    let run = execute_paired(&plan, &all, &Hooks::default(), 2, &|_| {}).unwrap();
    let row = &run.results.outcome.resilience[0];
    assert!(row.downtime_s > 0.0 && row.downtime_s < 120.0, "{row:?}");
    assert!(row.longest_gap_s > 0.0);
}
