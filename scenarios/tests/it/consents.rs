//! Scopes, freshness, second looks, delegates and reviews: each option changes what it should.

use crate::support::{plan, plan_with, root};
use consim_check::results::Results;
use consim_scenarios::plan::Plan;
use consim_scenarios::run::{Hooks, execute_with};
use consim_scenarios::{LoadOptions, load};

/// Four hospitals with few patients, whose consents are given and taken back; much is read elsewhere.
const BASE: &str = "consim: 1
seed: 7
duration: 5m
warmup: 10s
network: { regions: guangdong, links: metro }
organisations: { hospital: { tier: tertiary, count: 4 } }
populations: { people: { people: 4, consent: { grant: 100%, answer_in: 2s } } }
chains: { ledger: { members: hospital, consensus: pbft, block: { wait: 1s } } }
services: { records: { data-sharing: { chain: ledger, consent: { ask: standing } } } }
workloads:
  visits: { visits: { service: records, elsewhere: 60%, emergency: 0%, resources: 2 }, load: 40/min, day: flat }
  standing: { consents: { service: records, grant: 60%, deny: 0%, revoke: 40% }, load: 40/min, day: flat }
adversaries: { clinicians: { roles: [clinician] } }
attacks: { race: { at: 2m30s, for: 2m, revoke-race: { where: hospital, rate: 60/min } } }
";

fn run(plan: &Plan) -> Results {
    execute_with(plan, &Hooks::default(), &mut |_| {})
        .unwrap()
        .results
}
fn with(overrides: &[&str]) -> Results {
    run(&plan_with(BASE, overrides).plan)
}
fn metric(results: &Results, word: &str) -> Option<f64> {
    let path = format!("services.records.{word}");
    results.outcome.metrics.get(&path).copied()
}
/// A row of what the report tells of data sharing; none is zero.
fn row(results: &Results, label: &str) -> u64 {
    let found = results.domain.iter().find(|(name, _)| name == label);
    found.map_or(0, |(_, count)| count.parse().unwrap())
}
fn failed(results: &Results) -> Vec<&str> {
    let checks = results.outcome.checks.iter();
    let failed = checks.filter(|check| check.verdict == "fail");
    failed.map(|check| check.name.as_str()).collect()
}
const FRESHNESS: &str = "services.records.data-sharing.freshness";

#[test]
fn a_second_look_and_order_close_the_race() {
    let once = with(&[]);
    assert!(
        metric(&once, "raced_uses") > Some(0.0),
        "{:?}",
        once.outcome.metrics
    );
    assert!(metric(&once, "stale_uses") >= metric(&once, "raced_uses"));
    let twice = with(&["services.records.data-sharing.recheck=true"]);
    let ordered = with(&[&format!("{FRESHNESS}=ordered")]);
    for results in [&twice, &ordered] {
        assert_eq!(metric(results, "raced_uses"), Some(0.0));
        assert!(results.outcome.metrics["attacks.race.took_effect"] > 10.0);
        assert_eq!(
            results.outcome.metrics["attacks.race.stale_consent_uses"],
            0.0
        );
    }
    for results in [&once, &twice, &ordered] {
        assert_eq!(failed(results), [""; 0]);
    }
}

#[test]
fn where_nothing_is_taken_back_nothing_is_told_of_it() {
    let results = with(&["workloads.standing.consents.revoke=0%"]);
    for word in [
        "stale_uses",
        "raced_uses",
        "time_to_refuse",
        "reads_answered",
    ] {
        assert_eq!(metric(&results, word), None, "{word}");
    }
}

#[test]
fn a_lease_refuses_while_the_chain_stands_still() {
    let text = format!(
        "{BASE}faults: {{ cut: {{ at: 3m, for: 40s, partition: hospital-3..hospital-4 }} }}\n"
    );
    let freshness = |word: &str| {
        let set = format!("{FRESHNESS}={word}");
        run(&plan_with(&text, &[&set]).plan)
    };
    let label = "reads refused: state too old";
    let (local, lease) = (freshness("local"), freshness("{ lease: 5s }"));
    assert_eq!(row(&local, label), 0);
    assert!(row(&lease, label) > 5, "{}", row(&lease, label));
    assert!(metric(&local, "stale_uses") > metric(&lease, "stale_uses"));
    for results in [&local, &lease] {
        assert!(metric(results, "reads_answered") < Some(1.0));
        assert_eq!(failed(results), [""; 0]);
    }
}

#[test]
fn a_scope_refuses_what_it_does_not_comprise() {
    let label = "reads refused: outside the scope of the grant";
    let readers = "workloads.visits.visits.readers={ roles: [doctor, nurse], each: 3, purposes: [treatment, research] }";
    let types = "workloads.visits.visits.types=[observation, condition]";
    let scopes = |text: &str| format!("services.records.data-sharing.consent.scopes=[{text}]");
    let whole = with(&[types]);
    assert_eq!(row(&whole, label), 0);
    for scope in [
        "{ types: [observation] }",
        "{ purposes: [research] }",
        "{ to: role }",
        "{ to: person }",
    ] {
        let results = with(&[readers, types, &scopes(scope)]);
        assert!(
            row(&results, label) > 5,
            "{scope}: {}",
            row(&results, label)
        );
        assert_eq!(failed(&results), [""; 0], "{scope}");
    }
    let early = with(&[&scopes("{ after: 20s, for: 30s }")]);
    assert!(row(&early, "reads refused: grant not begun") > 5);
    assert!(row(&early, "reads refused: grant expired") > 5);
}

#[test]
fn delegates_and_guardians_speak_where_they_may() {
    let spoken = [
        "services.records.data-sharing.consent.delegation={ for: 1m }",
        "workloads.standing.consents.delegate=40%",
        "workloads.standing.consents.guardian=20%",
    ];
    let results = with(&spoken);
    for label in ["delegates and guardians appointed", "delegates dismissed"] {
        assert!(row(&results, label) > 0, "{label}");
        assert_eq!(row(&with(&[]), label), 0);
    }
    assert_eq!(failed(&results), [""; 0]);
}

#[test]
fn reviews_of_emergencies_are_judged_if_they_must_come() {
    let text = BASE
        .replace("emergency: 0%", "emergency: 20%")
        .replace(
            "count: 4 } }",
            "count: 4 }, supervision: { tier: regulator } }",
        )
        .replace("members: hospital", "members: all")
        .replace(
            "adversaries:",
            "  looks: { audits: records, load: 2/min, day: flat, from: supervision }\nadversaries:",
        );
    let verdict = |set: &[&str]| {
        let results = run(&plan_with(&text, set).plan);
        let checks = results.outcome.checks.iter();
        let found = checks.filter(|c| c.name == "emergency-reviewed");
        found.map(|c| c.verdict.clone()).collect::<Vec<_>>()
    };
    assert_eq!(verdict(&[]), [""; 0]);
    let within =
        |span: &str| format!("services.records.data-sharing.emergency.review_within={span}");
    assert_eq!(verdict(&[&within("2m")]), ["pass"]);
    assert_eq!(verdict(&[&within("1s")]), ["fail"]);
}

#[test]
fn copies_end_as_the_revocation_says() {
    let kind = |word: &str| {
        with(&[
            &format!("services.records.data-sharing.revocation={word}"),
            "workloads.standing.for=4m",
            "workloads.visits.for=4m",
        ])
    };
    let judged = |results: &Results| {
        let checks = results.outcome.checks.iter();
        let found = checks.filter(|c| c.name == "copies-gone");
        found.map(|c| c.verdict.clone()).collect::<Vec<_>>()
    };
    for (word, stay) in [
        ("flag", true),
        ("key-rotation", true),
        ("crypto-shred", false),
        ("off-chain-delete", false),
    ] {
        let results = kind(word);
        let readable = metric(&results, "copies_readable").unwrap();
        assert_eq!(readable > 0.0, stay, "{word}: {readable}");
        let verdicts = judged(&results);
        assert_eq!(verdicts, if stay { vec![] } else { vec!["pass"] }, "{word}");
        assert_eq!(failed(&results), [""; 0], "{word}");
    }
}

#[test]
fn the_plan_of_consents_leads_to_itself() {
    let loaded = plan_with(
        BASE,
        &[
            "services.records.data-sharing.consent.scopes=[{ types: [condition], to: role, for: 1h }]",
            "services.records.data-sharing.consent.delegation={ for: 1m, purposes: [treatment] }",
            "services.records.data-sharing.freshness={ lease: 7s }",
            "services.records.data-sharing.recheck=true",
            "workloads.visits.visits.readers={ roles: [nurse], each: 3 }",
        ],
    );
    assert_eq!(plan(&loaded.plan.yaml).plan.digest, loaded.plan.digest);
    assert_ne!(plan(BASE).plan.digest, loaded.plan.digest);
}

#[test]
fn the_attacks_on_consents_of_the_library_do_what_they_say() {
    for name in ["stale-consent", "revoke-race"] {
        let file = root().join(format!("scenarios/attacks/{name}.yaml"));
        let loaded =
            load(&file, &LoadOptions::default()).unwrap_or_else(|d| panic!("{}", d.render()));
        let results = run(&loaded.plan);
        assert_eq!(failed(&results), [""; 0], "{name}");
        let attack = &results.outcome.attacks[0];
        let stale = attack["metrics"]["stale_consent_uses"].as_f64();
        assert!(stale > Some(5.0), "{name}: {stale:?}");
    }
}
