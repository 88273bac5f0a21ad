//! Every kind of fault, in a scenario, next to the same run without it.

use crate::support::{mistakes, plan, plan_with, root};
use consim_check::outcome::Outcome;
use consim_core::{Span, Time};
use consim_kernel::config::Target;
use consim_scenarios::plan::FaultPlan;
use consim_scenarios::registries;
use consim_scenarios::run::execute;
use consim_scenarios::{LoadOptions, load};
use std::collections::BTreeSet;

/// Five hospitals order writes for half a minute; what goes wrong does so from 10 s to 20 s.
const BASE: &str = "consim: 1
seed: 7
duration: 30s
warmup: 2s
network: { regions: one-place, links: metro }
organisations: { hospital: { count: 5 } }
chains: { ledger: { members: hospital, consensus: pbft, timeout: 2s } }
services: { store: { key-value: { keys: 1k } } }
workloads: { writes: { transactions: store, load: 40/s } }
";

/// A kind with options with which it bites here.
const ROWS: &[(&str, &str)] = &[
    ("delay", "hospital-2"),
    ("loss", "{ target: hospital-2, rate: 20% }"),
    (
        "loss",
        "{ target: hospital-2, rate: 0%, burst: { good_to_bad: 5%, bad_to_good: 20%, loss_in_bad: 80% } }",
    ),
    ("duplicate", "{ target: hospital-2, rate: 20% }"),
    (
        "reorder",
        "{ between: [hospital-1, hospital-2], rate: 20% }",
    ),
    ("corrupt", "{ target: hospital-2, rate: 10% }"),
    (
        "corrupt",
        "{ target: hospital-2, rate: 10%, how: truncate }",
    ),
    ("clog", "hospital-2"),
    (
        "clog",
        "{ from: hospital-1, to: hospital-2, release: paced }",
    ),
    (
        "swizzle",
        "{ target: hospital-1..hospital-3, stagger: 0s..2s }",
    ),
    ("partition", "hospital-2"),
    ("partition", "{ target: hospital-2, direction: in }"),
    ("partition", "{ target: hospital-2, direction: out }"),
    (
        "partition",
        "{ target: hospital-1..hospital-2, shape: isolate-each }",
    ),
    ("partition", "{ target: all, shape: halves }"),
    ("partition", "{ target: all, shape: ring }"),
    ("partition", "{ target: all, shape: bridge }"),
    ("partition", "{ target: all, shape: random }"),
    ("partition", "leader of ledger"),
    ("flap", "hospital-2"),
    ("filter", "{ from: hospital-2, to: all, kinds: [commit] }"),
    (
        "filter",
        "{ target: hospital-2, kinds: [prepare, commit], do: hold, share: 50% }",
    ),
    (
        "filter",
        "{ from: hospital-2, to: all, kinds: [commit], drop: [4, 5, 7] }",
    ),
    (
        "throttle",
        "{ target: hospital-2, rate: 100kbit/s, queue: 20kB }",
    ),
    ("eclipse", "{ target: hospital-2, peers: hospital-1 }"),
    ("hijack", "hospital-2"),
    (
        "hijack",
        "{ target: hospital-2, how: intercept, noticed_after: 5s }",
    ),
    ("flood", "{ target: hospital-2, rate: 200/s }"),
    (
        "flood",
        "{ target: hospital-2, what: oversized, rate: 5/s }",
    ),
    (
        "flood",
        "{ target: hospital-2, what: transactions, rate: 100/s, from: hospital-3..hospital-4 }",
    ),
    (
        "flood",
        "{ target: all, what: view-changes, rate: 100/s, from: hospital-3 }",
    ),
    ("unstable-network", "2s"),
    ("crash", "hospital-2"),
    ("crash", "{ target: hospital-2, restart: empty }"),
    ("crash", "{ target: hospital-2, restart: { snapshot: 5s } }"),
    (
        "crash",
        "{ target: hospital-2, restart: { disk-of: hospital-3 } }",
    ),
    ("crash", "{ target: hospital-2, lose: all }"),
    ("crash", "{ target: hospital-2, lose: nothing }"),
    ("pause", "hospital-2"),
    ("slow-cpu", "{ target: hospital-2, by: 50x }"),
    ("slow-cpu", "{ target: hospital-2, by: 100x, only: verify }"),
    ("slow-cpu", "{ target: hospital-2, by: 100x, only: apply }"),
    ("exhaust-memory", "{ target: hospital-1, cap: 300B }"),
    (
        "rolling-restart",
        "{ target: hospital-2..hospital-3, gap: 4s, down: 2s }",
    ),
    (
        "rolling-restart",
        "{ target: hospital-2, gap: 3s, down: 1s, storm: true }",
    ),
    ("wrong-quorum", "hospital-2"),
    ("duplicate-key", "{ target: hospital-3, with: hospital-2 }"),
    (
        "cut-change",
        "{ target: hospital-2..hospital-3, change: newcomer }",
    ),
    ("double-change", "{ change: newcomer, second: farewell }"),
    ("wrong-genesis", "hospital-2"),
    ("short-timeouts", "hospital-2"),
    ("expired-certificate", "hospital-2"),
    (
        "expired-certificate",
        "{ target: hospital-2, how: revoked }",
    ),
    (
        "expired-certificate",
        "{ target: hospital-2, how: new-authority }",
    ),
    ("mixed-versions", "{ target: hospital-2, to: current+2 }"),
    ("early-prune", "{ target: all except hospital-3, keep: 4 }"),
    ("old-backup", "{ target: hospital-2, age: 5s }"),
    ("wrong-zone", "hospital-1"),
    ("wipe", "hospital-2"),
];

/// Mistakes after which a node says what is not so: the check that must find it.
const UNSAFE: &[(&str, &str)] = &[("wrong-quorum", "certificate")];

fn with(kind: &str, options: &str) -> String {
    // Somebody has to be behind before it matters what others keep.
    let behind = match kind {
        "early-prune" => "  y: { at: 11s, for: 6s, crash: hospital-3 }\n",
        _ => "",
    };
    // Members change where a fault is about that.
    let base = match kind {
        "cut-change" | "double-change" => {
            let base = BASE.replace("consensus: pbft", "consensus: raft");
            format!(
                "{base}changes: {{ newcomer: {{ at: 12s, join: hospital-5 }}, farewell: {{ at: 12s, leave: hospital-1 }} }}\n"
            )
        }
        _ => BASE.to_owned(),
    };
    format!("{base}faults:\n  x: {{ at: 10s, for: 10s, {kind}: {options} }}\n{behind}")
}
fn outcome(text: &str) -> Outcome {
    let loaded = plan(text);
    execute(&loaded.plan, &mut |_| {}).unwrap().results.outcome
}

#[test]
fn every_kind_bites_and_its_plan_is_a_scenario() {
    let quiet = outcome(BASE);
    let entries = registries::list("faults");
    let mut wrong = Vec::new();
    for (kind, options) in ROWS {
        let text = with(kind, options);
        let loaded = plan(&text);
        let again = plan(&loaded.plan.yaml);
        if again.plan.digest != loaded.plan.digest || again.plan.yaml != loaded.plan.yaml {
            wrong.push(format!("{kind} {options}: its plan is another scenario"));
        }
        let outcome = execute(&loaded.plan, &mut |_| {}).unwrap().results.outcome;
        let fault = outcome.faults.iter().find(|fault| fault.id == "x").unwrap();
        let entry = entries.iter().find(|entry| entry.name == *kind).unwrap();
        assert_eq!((fault.kind.as_str(), &fault.code), (*kind, &entry.code));
        if fault.took_effect == 0 {
            wrong.push(format!("{kind} {options}: no {}", fault.unit));
        }
        if outcome.run_digest == quiet.run_digest {
            wrong.push(format!("{kind} {options}: the run is the same"));
        }
        let failed = outcome
            .checks
            .iter()
            .filter(|check| check.verdict == "fail");
        for check in failed {
            if !UNSAFE.contains(&(*kind, check.name.as_str())) {
                wrong.push(format!("{kind} {options}: {} fails", check.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_kind_of_the_registry_has_a_row() {
    for entry in registries::list("faults") {
        let rows = ROWS.iter().filter(|(kind, _)| *kind == entry.name).count();
        // Those of disks and clocks: tests/it/disks_and_clocks.rs of the whole program.
        let elsewhere = entry.code.starts_with(['D', 'C']);
        assert!(
            rows > 0 || elsewhere || entry.name == "random",
            "{}",
            entry.name
        );
    }
}

#[test]
fn a_node_goes_down_at_every_point() {
    let points = registries::list("points");
    assert_eq!(points.len(), 7);
    for point in points {
        let options = format!("{{ target: hospital-2, point: {}, hit: 5 }}", point.name);
        let outcome = outcome(&with("crash", &options));
        assert_eq!(outcome.faults[0].took_effect, 1, "{}", point.name);
        let failed = outcome
            .checks
            .iter()
            .filter(|check| check.verdict == "fail");
        let failed: Vec<&str> = failed.map(|check| check.name.as_str()).collect();
        assert!(failed.is_empty(), "{}: {failed:?}", point.name);
    }
}

#[test]
fn a_flood_costs_what_it_floods() {
    let cpu = |what: &str| {
        let text = with(
            "flood",
            &format!("{{ target: hospital-2, rate: 500/s, {what} }}"),
        );
        let loaded = plan(&text);
        let run = execute(&loaded.plan, &mut |_| {}).unwrap();
        let node = run
            .results
            .resources
            .iter()
            .find(|n| n.name == "hospital-2");
        let node = node.unwrap();
        (node.cpu, node.nic_in)
    };
    let quiet = plan(BASE);
    let run = execute(&quiet.plan, &mut |_| {}).unwrap();
    let usual = run
        .results
        .resources
        .iter()
        .find(|n| n.name == "hospital-2")
        .unwrap();
    for what in [
        "what: junk",
        "what: transactions",
        "what: view-changes, from: hospital-3",
    ] {
        let (cpu, nic) = cpu(what);
        assert!(cpu > usual.cpu * 1.05, "{what}: {cpu} after {}", usual.cpu);
        assert!(nic > usual.nic_in, "{what}");
    }
}

#[test]
fn random_faults_stand_in_the_plan_one_by_one() {
    let text = format!(
        "{}faults:\n  weather: {{ at: 5m, for: 20m, random: {{ kinds: [crash, loss, pause], rate: 60/h, lasting: 5s..30s }} }}\n",
        BASE.replace("30s", "30m")
    );
    let loaded = plan(&text);
    let faults = &loaded.plan.faults;
    assert!((8..=30).contains(&faults.len()), "{}", faults.len());
    assert!(faults.keys().all(|id| id.starts_with("weather-")));
    let mut windows: Vec<_> = faults.values().map(|f| (f.from, f.to)).collect();
    windows.sort();
    assert!(
        windows.windows(2).all(|w| w[0].1 <= w[1].0),
        "one at a time"
    );
    let minutes = |n: u64| Time::ZERO + Span::from_secs(60 * n);
    assert!(windows[0].0 >= minutes(5) && windows.last().unwrap().1 <= minutes(25));
    let words: BTreeSet<&str> = faults.values().map(|f| f.kind.word()).collect();
    assert_eq!(
        words.into_iter().collect::<Vec<_>>(),
        ["crash", "loss", "pause"]
    );

    let again = plan(&loaded.plan.yaml);
    assert_eq!(
        again.plan.digest, loaded.plan.digest,
        "{}",
        loaded.plan.yaml
    );
    assert!(!loaded.plan.yaml.contains("random") && loaded.plan.yaml.contains("weather-3:"));
    let lines = loaded
        .explain
        .iter()
        .filter(|l| l.path.starts_with("faults.weather-3."));
    assert!(
        lines.clone().count() >= 3
            && lines
                .clone()
                .all(|l| l.origin.contains("drawn") || l.origin == "default")
    );

    // Another seed draws others, the same design; another entry shifts nothing.
    let other = plan_with(&text, &["seed=8"]);
    assert_ne!(other.plan.digest, loaded.plan.digest);
    assert_eq!(other.plan.design_digest, loaded.plan.design_digest);
    let more = plan_with(&text, &["faults.a={ at: 1m, for: 1m, crash: hospital-1 }"]);
    let windows = |plan: &consim_scenarios::plan::Plan| {
        let mine = plan
            .faults
            .iter()
            .filter(|(id, _)| id.starts_with("weather"));
        mine.map(|(_, f)| (f.from, f.to)).collect::<Vec<_>>()
    };
    assert_eq!(windows(&more.plan), windows(&loaded.plan));
}

#[test]
fn the_shape_of_random_faults_is_few_and_long_or_many_and_short() {
    let drawn = |shape: &str| {
        let loaded = plan(&format!(
            "{}faults:\n  weather: {{ at: 1m, for: 8h, random: {{ kinds: [loss], rate: 30/h, lasting: 10s..30s, at_once: 9, shape: {shape} }} }}\n",
            BASE.replace("30s", "9h")
        ));
        let lengths: Vec<u64> = loaded
            .plan
            .faults
            .values()
            .map(|f| (f.to - f.from).nanos() / 1_000_000_000)
            .collect();
        (
            lengths.len(),
            *lengths.iter().min().unwrap(),
            *lengths.iter().max().unwrap(),
        )
    };
    let (mixed, few, many) = (drawn("mixed"), drawn("few-long"), drawn("many-short"));
    assert!(few.0 * 3 < mixed.0 * 2 && mixed.0 * 3 < many.0 * 2);
    assert!(few.1 >= 20 && many.2 <= 20 && mixed.1 < 14 && mixed.2 > 26);
}

#[test]
fn the_fault_budget_refuses_or_skips_what_is_beyond_it() {
    let text = |budget: &str| {
        format!(
            "{}faults:\n  weather: {{ at: 1m, for: 25m, random: {{ kinds: [crash], rate: 600/h, lasting: 20s..60s, at_once: 5 }} }}\n{budget}",
            BASE.replace("30s", "30m")
        )
    };
    let codes: Vec<&str> = mistakes(&text("")).iter().map(|d| d.code).collect();
    assert_eq!(codes, ["E408"]);
    let most = |budget: &str| {
        let loaded = plan(&text(budget));
        let node = |f: &FaultPlan| match f.kind.clone().targets().remove(0) {
            Target::Nodes(nodes) => nodes[0],
            Target::LeaderOf(_) | Target::LeadersOf(_) => panic!("only the run knows"),
        };
        let faults = loaded.plan.faults.values();
        let stops: Vec<_> = faults.map(|f| (f.from, f.to, node(f))).collect();
        let open = |at: Time| {
            let now = stops.iter().filter(|(from, to, _)| *from <= at && at < *to);
            now.map(|stop| stop.2).collect::<BTreeSet<_>>().len()
        };
        stops.iter().map(|stop| open(stop.0)).max().unwrap()
    };
    // Of five, a minority is two and f is one.
    let skip = |crashed: &str| {
        most(&format!(
            "limits: {{ fault_budget: {{ excess: skip, crashed: {crashed} }} }}\n"
        ))
    };
    let all = "limits: { fault_budget: { crashed: 5 } }\n";
    assert_eq!((skip("f"), skip("minority")), (1, 2));
    assert!(most(all) >= 4);
}

#[test]
fn nodes_fail_after_their_mean_time_and_are_maintained_one_after_the_other() {
    let loaded = plan(&format!(
        "{}faults:\n  years: {{ at: 1d, for: 300d, random: {{ target: hospital, kinds: [crash], mtbf: 480h, mttr: 4h, maintenance: {{ every: 60d, for: 2h }} }} }}\nlimits: {{ fault_budget: {{ excess: skip }} }}\n",
        BASE.replace("30s", "365d")
    ));
    // 300 days of five nodes at 484 h each: 74; and each is maintained five times.
    let planned: Vec<_> = loaded
        .plan
        .faults
        .values()
        .filter(|f| f.to - f.from == Span::from_secs(7_200))
        .collect();
    let drawn = loaded.plan.faults.len() - planned.len();
    assert!((23..=25).contains(&planned.len()), "{}", planned.len());
    assert!((50..=100).contains(&drawn), "{drawn}");
    let again = plan(&loaded.plan.yaml);
    assert_eq!(again.plan.digest, loaded.plan.digest);
}

#[test]
fn every_fault_of_the_library_bites_and_its_scenario_passes() {
    let mut wrong = Vec::new();
    for name in [
        "flapping-links",
        "gray-node",
        "operator-mistakes",
        "rack-crash",
        "region-cut",
        "restarts",
    ] {
        let file = root().join(format!("scenarios/attacks/{name}.yaml"));
        let loaded =
            load(&file, &LoadOptions::default()).unwrap_or_else(|d| panic!("{}", d.render()));
        let outcome = execute(&loaded.plan, &mut |_| {}).unwrap().results.outcome;
        for fault in outcome.faults.iter().filter(|fault| fault.took_effect == 0) {
            wrong.push(format!("{name}: {} had no {}", fault.id, fault.unit));
        }
        for check in outcome
            .checks
            .iter()
            .filter(|check| check.verdict != "pass")
        {
            wrong.push(format!("{name}: {} is {}", check.name, check.verdict));
        }
        for expected in outcome.expectations.iter().filter(|e| e.met == Some(false)) {
            wrong.push(format!("{name}: {} is {:?}", expected.path, expected.value));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What fails, is mended and is maintained in a year.
#[test]
fn the_year_is_drawn_within_its_budget() {
    let file = root().join("scenarios/paper/alliance-year.yaml");
    let loaded = load(&file, &LoadOptions::default()).unwrap_or_else(|d| panic!("{}", d.render()));
    let faults = &loaded.plan.faults;
    // 21 nodes: four failures and four stops for maintenance a year each, and six cuts.
    assert!((220..=370).contains(&faults.len()), "{}", faults.len());
    let crashes = faults.values().filter(|f| f.kind.word() == "crash").count();
    assert!(crashes > 100 && crashes < faults.len());
    let stops: Vec<_> = faults.values().map(|f| (f.from, f.to)).collect();
    let open = |at: Time| {
        stops
            .iter()
            .filter(|(from, to)| *from <= at && at < *to)
            .count()
    };
    assert!(stops.iter().map(|stop| open(stop.0)).max().unwrap() <= 6);
}

#[test]
fn ten_days_of_the_year_pass() {
    let options = LoadOptions {
        duration: Some("10d".into()),
        ..LoadOptions::default()
    };
    let file = root().join("scenarios/paper/alliance-year.yaml");
    let loaded = load(&file, &options).unwrap_or_else(|d| panic!("{}", d.render()));
    let outcome = execute(&loaded.plan, &mut |_| {}).unwrap().results.outcome;
    println!("{} events in 10 days", outcome.events);
    let failed = outcome
        .checks
        .iter()
        .filter(|check| check.verdict == "fail")
        .map(|check| (&check.name, &check.violations));
    assert_eq!(failed.collect::<Vec<_>>(), []);
    assert!(outcome.faults.iter().any(|fault| fault.took_effect > 0));
    assert!(outcome.events > 1_000);
}

/// Five hospitals are moved to another release, two seconds a node, and back.
fn upgrade(to: &str) -> Outcome {
    let options = format!("{{ target: ledger, to: {to}, gap: 2s }}");
    outcome(&with("mixed-versions", &options).replace("timeout: 2s", "timeout: 500ms"))
}

#[test]
fn an_upgrade_by_one_step_keeps_the_chain_up_and_one_by_two_stops_it_on_the_way() {
    let (one, two) = (upgrade("current+1"), upgrade("current+2"));
    assert_eq!(one.faults[0].took_effect, 0, "all understood each other");
    assert!(two.faults[0].took_effect > 0);
    let down = |outcome: &Outcome| outcome.resilience[0].downtime_s;
    // From the second node to the fourth neither side has a quorum.
    assert!(
        down(&one) < 2.0 && down(&two) > 3.0,
        "{} {}",
        down(&one),
        down(&two)
    );
    let committed = |outcome: &Outcome| outcome.throughput.committed;
    assert!(committed(&one) > committed(&two));
    for outcome in [&one, &two] {
        let fails = outcome.checks.iter().find(|c| c.verdict == "fail");
        assert!(fails.is_none(), "{fails:?}");
    }
    // Back by two steps, forward by one: two apart again.
    assert!(upgrade("current-2").faults[0].took_effect > 0);
}

#[test]
fn an_organisation_two_releases_behind_takes_no_part() {
    let run = |version: &str| {
        let groups = format!(
            "{{ hospital: {{ count: 4 }}, old: {{ tier: tertiary, version: {version} }} }}"
        );
        let text = BASE
            .replace("{ hospital: { count: 5 } }", &groups)
            .replace("members: hospital", "members: all");
        let loaded = plan(&format!(
            "{text}faults: {{ x: {{ at: 20s, for: 1s, slow-cpu: version {version} }} }}\n"
        ));
        let results = execute(&loaded.plan, &mut |_| {}).unwrap().results;
        assert!(!results.outcome.faults[0].hit.is_empty());
        let mut use_of = results.resources.iter();
        let disk = use_of.find(|n| n.name == "old-1").unwrap().disk;
        (results.outcome.faults[0].hit.clone(), disk)
    };
    let (all, usual) = run("current");
    assert_eq!(all.len(), 5);
    let (hit, near) = run("current-1");
    assert_eq!(hit, ["old-1"]);
    let (_, far) = run("current-2");
    // It votes for nothing and writes nothing.
    let writes = near > usual * 0.8 && far < usual * 0.2;
    assert!(writes, "{usual} {near} {far}");
}

#[test]
fn leaders_are_followed_from_one_to_the_next() {
    let hit = |fault: &str| {
        let text = format!("{BASE}faults:\n  x: {{ at: 5s, for: 15s, {fault} }}\n");
        let outcome = outcome(&text.replace("timeout: 2s", "timeout: 500ms"));
        let agreement = outcome
            .checks
            .iter()
            .find(|c| c.name == "agreement")
            .unwrap();
        assert_eq!(agreement.verdict, "pass");
        outcome.faults[0].hit.len()
    };
    assert_eq!(hit("crash: leader of ledger"), 1);
    assert!(hit("crash: leaders of ledger") >= 3);
    assert!(hit("delay: { target: leaders of ledger, add: 5s }") >= 2);
    let text = with("pause", "leaders of ledger");
    let found = mistakes(&text);
    assert_eq!(found[0].code, "E306");
    assert!(found[0].message.contains("pause"), "{}", found[0].message);
    let loaded = plan(&with("crash", "leaders of ledger"));
    let again = plan(&loaded.plan.yaml);
    assert_eq!(again.plan.digest, loaded.plan.digest);
}
