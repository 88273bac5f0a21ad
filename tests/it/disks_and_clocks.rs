//! Faults of disks and clocks out of scenario files: each beside the same run without it.

use consim_check::outcome::{CheckOutcome, Outcome};
use consim_models::sharing::{Policy, Reason};
use consim_scenarios::plan::Plan;
use consim_scenarios::run::{Hooks, execute_with};
use consim_scenarios::{LoadOptions, load};
use std::path::Path;
use std::sync::Arc;

fn load_at(file: &Path) -> Plan {
    let loaded = load(file, &LoadOptions::default());
    loaded.unwrap_or_else(|d| panic!("{}", d.render())).plan
}
fn plan(text: &str) -> Plan {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("scenario.yaml");
    std::fs::write(&file, text).unwrap();
    load_at(&file)
}
fn run(plan: &Plan) -> Outcome {
    let run = execute_with(plan, &Hooks::default(), &mut |_| {}).unwrap();
    run.results.outcome
}
fn check<'a>(outcome: &'a Outcome, name: &str) -> Option<&'a CheckOutcome> {
    outcome.checks.iter().find(|c| c.name == name)
}
fn verdict<'a>(outcome: &'a Outcome, name: &str) -> &'a str {
    check(outcome, name).map_or("not listed", |c| c.verdict.as_str())
}
fn effect(outcome: &Outcome, fault: &str) -> u64 {
    let found = outcome.faults.iter().find(|f| f.id == fault);
    found.map_or(0, |f| f.took_effect)
}

/// Four hospitals whose clients write to a store.
fn store(more: &str) -> String {
    format!(
        "
consim: 1
seed: 5
duration: 2m
warmup: 10s
network: {{ regions: one-place }}
organisations:
  hospital: {{ tier: tertiary, count: 4 }}
chains:
  ledger: {{ members: hospital, consensus: pbft, checkpoint: 16 }}
workloads:
  clients: {{ transactions: ledger, load: 20/s, day: flat }}
{more}
"
    )
}

#[test]
fn every_kind_takes_effect_and_the_plan_prints_it_back() {
    let crash = "\n  power: { at: 42s, for: 5s, crash: hospital-4 }";
    for (fault, with) in [
        (
            "lost-writes: { target: hospital-4, which: random }",
            CRASHES,
        ),
        ("lost-writes: hospital-4", CRASHES),
        (
            "torn-write: { target: hospital-4, sector: 64B, share: 100% }",
            CRASHES,
        ),
        ("bit-rot: { target: hospital-4, rate: 10% }", ""),
        (
            "bit-rot: { target: hospital-4, during: read, rate: 5% }",
            crash,
        ),
        ("misdirect: { target: hospital-4, rate: 10% }", ""),
        (
            "misdirect: { target: hospital-4, during: read, rate: 5% }",
            crash,
        ),
        ("lying-fsync: hospital-4", crash),
        (
            "lying-fsync: { target: hospital-4, how: error, rate: 50% }",
            "",
        ),
        ("disk-full: { target: hospital-4, after: 2kB }", ""),
        (
            "disk-full: { target: hospital-4, after: 2kB, then: read-only }",
            "",
        ),
        ("slow-disk: { target: hospital-4, add: 20ms }", ""),
        ("rollback: { target: hospital-4, age: 15s }", ""),
        ("clock-drift: { target: hospital-4, rate: -300ppm }", ""),
        ("clock-step: { target: hospital-1, by: -5s }", ""),
        (
            "clock-strobe: { target: hospital-1, by: 2s, period: 300ms }",
            "",
        ),
        ("clock-back: { target: hospital-4, by: 1h }", crash),
        ("leap: { target: hospital-1, kind: dst }", ""),
        ("move-time-server: { target: f of ledger, by: 100ms }", ""),
    ] {
        let text = |enabled| {
            let fault = format!("  it: {{ at: 40s, for: 20s, enabled: {enabled}, {fault} }}");
            store(&format!("faults:\n{fault}{with}"))
        };
        let with_it = plan(&text(true));
        let again = plan(&with_it.yaml);
        assert_eq!(again.digest, with_it.digest, "{fault}\n{}", with_it.yaml);
        let (hit, quiet) = (run(&with_it), run(&plan(&text(false))));
        assert!(effect(&hit, "it") > 0, "{fault}");
        assert_eq!(effect(&quiet, "it"), 0);
        if !fault.starts_with("clock-drift") && !fault.starts_with("clock-back") {
            assert_ne!(hit.run_digest, quiet.run_digest, "{fault}");
        }
        // One of four: the group bears it.
        for c in &hit.checks {
            assert_ne!(c.verdict, "fail", "{fault}: {} {:?}", c.name, c.violations);
        }
        let durable = !["clock", "leap", "time-server"]
            .iter()
            .any(|w| fault.contains(w));
        if durable && !fault.starts_with("slow") {
            assert_eq!(verdict(&hit, "durability"), "pass", "{fault}");
        }
        let damages = ["torn", "bit", "mis"]
            .iter()
            .any(|word| fault.starts_with(word));
        let expected = if damages { "pass" } else { "not listed" };
        assert_eq!(verdict(&hit, "repair"), expected, "{fault}");
    }
}

/// Power that fails every three seconds, and a disk so slow that it always has something to write.
const CRASHES: &str = "
  worn: { at: 40s, for: 20s, slow-disk: { target: hospital-4, add: 200ms } }
  power: { at: 42s, for: 1s, every: 3s, times: 6, crash: hospital-4 }";

/// Every disk lies, and then the power of all fails.
fn everybody_lies(budget: &str) -> Outcome {
    run(&plan(&store(&format!(
        "limits: {{ fault_budget: {{ disks: {budget} }} }}
faults:
  liar: {{ at: 30s, for: 30s, lying-fsync: hospital }}
  power: {{ at: 50s, for: 5s, crash: hospital }}"
    ))))
}

#[test]
fn without_a_budget_what_was_acknowledged_can_be_gone_and_durability_says_so() {
    let outcome = everybody_lies("none");
    assert!(effect(&outcome, "liar") > 100);
    assert_eq!(verdict(&outcome, "durability"), "fail");
    assert_eq!(verdict(&outcome, "liveness"), "not listed");
    assert_eq!(verdict(&outcome, "convergence"), "not listed");
    assert!(outcome.faults.iter().all(|f| f.skipped == 0));
}

#[test]
fn with_the_budget_a_copy_of_each_block_survives_and_everybody_gets_it_back() {
    let outcome = everybody_lies("keep-one-copy");
    let liar = outcome.faults.iter().find(|f| f.id == "liar").unwrap();
    assert!(liar.took_effect > 100 && liar.skipped > 0);
    assert_eq!(verdict(&outcome, "durability"), "pass");
    assert_eq!(verdict(&outcome, "agreement"), "pass");
    assert_eq!(verdict(&outcome, "convergence"), "pass");
}

#[test]
fn a_disk_that_is_too_small_leaves_its_replica_out() {
    let text = |size: &str| {
        let hardware =
            format!("hardware:\n  small: {{ profile: hospital-server, disk: {{ size: {size} }} }}");
        let organisations = "tier: tertiary, count: 4";
        let text = store(&hardware);
        text.replace(organisations, "tier: tertiary, count: 4, hardware: small")
    };
    let (large, small) = (run(&plan(&text("1GB"))), run(&plan(&text("100kB"))));
    assert!(large.throughput.committed > 2_000);
    assert!(small.throughput.committed < large.throughput.committed / 2);
    assert_eq!(verdict(&small, "agreement"), "pass");
}

#[test]
fn a_sector_takes_its_neighbours_along() {
    let text = |sector: &str| {
        let more = format!(
            "hardware:\n  disk: {{ profile: hospital-server, disk: {{ {sector} }} }}
faults:\n  rot: {{ at: 40s, for: 20s, bit-rot: {{ target: hospital-4, rate: 5% }} }}"
        );
        let organisations = "tier: tertiary, count: 4";
        store(&more).replace(organisations, "tier: tertiary, count: 4, hardware: disk")
    };
    let alone = run(&plan(&text("")));
    let shared = run(&plan(&text("sector: 16KiB")));
    let (alone, shared_too) = (effect(&alone, "rot"), effect(&shared, "rot"));
    assert!(alone > 0 && shared_too > alone, "{alone} {shared_too}");
    assert_eq!(verdict(&shared, "repair"), "pass");
}

// ---- consents that end at a block's time -----------------------------------------------------------

const EDGE: &str = "
consim: 1
seed: 9
duration: 4m
warmup: 10s
network: { regions: one-place }
organisations:
  hospital: { tier: tertiary, count: 4 }
chains:
  ledger: { members: hospital, consensus: pbft }
services:
  sharing: { data-sharing: { consent: { ask: standing, expires: 20s } } }
workloads:
  visits: { visits: { service: sharing, elsewhere: 40% }, load: 60/min, day: flat }
  standing: { consents: sharing, load: 2/s, day: flat }
faults:
  edge: { at: 20s, for: 200s, enabled: true, expiry-edge: sharing }
";

const ROW: &str = "consents that ended exactly at a block's time";

/// Takes a consent that has run out for one that holds.
struct Lenient;
impl Policy for Lenient {
    fn decide(&mut self, ruled: Result<Reason, Reason>) -> Result<Reason, Reason> {
        match ruled {
            Err(Reason::Expired) => Ok(Reason::Granted),
            ruled => ruled,
        }
    }
}

#[test]
fn consents_end_exactly_at_a_blocks_time_and_are_judged_right() {
    let run = |text: &str, hooks: &Hooks| {
        let run = execute_with(&plan(text), hooks, &mut |_| {}).unwrap();
        let row = run.results.domain.iter().find(|(label, _)| label == ROW);
        let edges: u64 = row.map_or(0, |(_, count)| count.parse().unwrap());
        (run.results.outcome, edges)
    };
    let (hit, edges) = run(EDGE, &Hooks::default());
    assert!(edges > 50, "{edges}");
    assert!(effect(&hit, "edge") > 1_000);
    assert_eq!(verdict(&hit, "no-read-without-grant"), "pass");
    let (_, none) = run(
        &EDGE.replace("enabled: true", "enabled: false"),
        &Hooks::default(),
    );
    assert_eq!(none, 0);
    let lenient = Hooks {
        policy: Arc::new(|_| Box::new(Lenient)),
        ..Hooks::default()
    };
    let (wrong, _) = run(EDGE, &lenient);
    assert_eq!(verdict(&wrong, "no-read-without-grant"), "fail");
}

#[test]
fn the_scenarios_of_the_library_pass() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/attacks");
    for file in ["bad-disks.yaml", "wrong-clocks.yaml"] {
        let outcome = run(&load_at(&root.join(file)));
        for fault in &outcome.faults {
            assert!(fault.took_effect > 0, "{file}: {} did nothing", fault.id);
        }
        for check in &outcome.checks {
            assert_eq!(
                check.verdict, "pass",
                "{file}: {} {:?}",
                check.name, check.violations
            );
        }
        for expected in &outcome.expectations {
            assert_ne!(expected.met, Some(false), "{file}: {expected:?}");
        }
        assert_eq!(outcome.verdict, "pass", "{file}");
    }
}
