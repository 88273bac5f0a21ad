//! Insiders in data sharing: what they do, beside the same run without them, who notices, and how that
//! can fail.

use crate::support::{mistakes, plan, plan_with, root};
use consim_check::results::Results;
use consim_models::sharing;
use consim_scenarios::plan::Plan;
use consim_scenarios::run::{Hooks, execute_with, pairs};
use consim_scenarios::{LoadOptions, load};
use std::sync::Arc;

/// Four hospitals; much is read that others wrote, and three patients in ten say no.
const BASE: &str = "consim: 1
seed: 7
duration: 8m
warmup: 10s
network: { regions: guangdong, links: metro }
organisations: { hospital: { tier: tertiary, count: 4 } }
populations: { people: { consent: { grant: 70%, answer_in: 5s } } }
chains: { ledger: { members: hospital, consensus: pbft } }
services: { records: { data-sharing: { chain: ledger } } }
workloads:
  visits: { visits: { service: records, elsewhere: 40%, emergency: 0%, resources: 2 }, load: 60/min, day: flat }
";

fn with(adversary: &str, attack: &str) -> String {
    format!(
        "{BASE}adversaries:\n  insider: {{ {adversary} }}\nattacks:\n  x: {{ at: 1m, for: 5m, {attack} }}\n"
    )
}
fn edits() -> String {
    with(
        "nodes: hospital-1, roles: [administrator]",
        "edit-record: { where: hospital-1, rate: 20/min }",
    )
}
fn copies(attack: &str) -> String {
    with("roles: [clinician]", attack)
}
fn run(plan: &Plan, hooks: &Hooks) -> Results {
    execute_with(plan, hooks, &mut |_| {}).unwrap().results
}
/// A run with the attack, and its pair.
fn both(plan: &Plan) -> (Results, Results) {
    let [pair] = &pairs(plan)[..] else {
        panic!("one attack has one pair");
    };
    let hooks = Hooks::default();
    (run(plan, &hooks), run(&pair.plan, &hooks))
}
/// A figure of the attack.
fn figure(results: &Results, word: &str) -> Option<f64> {
    let path = format!("attacks.x.{word}");
    results.outcome.metrics.get(&path).copied()
}
/// A row of what the report tells of data sharing.
fn row(results: &Results, label: &str) -> u64 {
    let found = results.domain.iter().find(|(name, _)| name == label);
    found
        .unwrap_or_else(|| panic!("{label}"))
        .1
        .parse()
        .unwrap()
}
fn failed(results: &Results) -> Vec<&str> {
    let checks = results.outcome.checks.iter();
    let failed = checks.filter(|check| check.verdict == "fail");
    failed.map(|check| check.name.as_str()).collect()
}
const ALTERED: &str = "records received that were not what was registered";

#[test]
fn readers_elsewhere_refuse_what_an_administrator_changed_and_say_whose_it_is() {
    let loaded = plan(&edits());
    let again = plan(&loaded.plan.yaml);
    assert_eq!(again.plan.digest, loaded.plan.digest);
    let (with, without) = both(&loaded.plan);
    assert_eq!(row(&without, ALTERED), 0);
    assert!(row(&with, ALTERED) > 10, "{}", row(&with, ALTERED));
    let figure = |word| figure(&with, word).unwrap();
    assert_eq!(figure("tampered"), 100.0);
    assert_eq!(figure("took_effect"), 100.0);
    let (read, share) = (figure("tampered_read"), figure("tampered_detected"));
    assert!(read > 10.0 && read < 100.0, "{read}");
    assert_eq!(share, read / 100.0, "whoever reads one notices");
    assert_eq!(figure("tampered_accepted"), 0.0);
    assert_eq!(
        (figure("attributed"), figure("wrongly_accused")),
        (1.0, 0.0)
    );
    assert!((1e3..3e5).contains(&figure("time_to_detect")));
    assert_eq!(failed(&with), [""; 0]);
    assert_eq!(with.outcome.attacks[0]["verdict"], "pass");
    assert_eq!(with.outcome.attacks[0]["code"], "H1");
}

#[test]
fn where_nobody_looks_nothing_is_known() {
    // Records are read where they are alone: at the administrator's own hospital, which says nothing.
    let alone = plan_with(&edits(), &["workloads.visits.visits.elsewhere=0%"]);
    let results = run(&alone.plan, &Hooks::default());
    assert_eq!(figure(&results, "tampered"), Some(100.0));
    assert_eq!(figure(&results, "tampered_read"), Some(0.0));
    for word in ["tampered_detected", "time_to_detect", "attributed"] {
        assert_eq!(figure(&results, word), None, "{word}");
    }
    // Nothing is there to be changed before anybody has written.
    let empty = edits().replace("at: 1m, for: 5m", "at: 0s, for: 1s");
    let results = run(&plan(&empty).plan, &Hooks::default());
    assert_eq!(figure(&results, "tampered"), Some(0.0));
    assert_eq!(figure(&results, "tampered_detected"), None);
    assert_eq!(results.outcome.attacks[0]["verdict"], "unknown");
}

#[test]
#[cfg(any(feature = "seeded-bugs", debug_assertions))]
fn readers_that_do_not_compare_take_it_for_true_and_a_check_breaks() {
    let bugs = consim_scenarios::registries::bugs();
    let bug = bugs.into_iter().find(|b| b.name == "digest-not-compared");
    let hooks = Hooks {
        bug,
        ..Hooks::default()
    };
    let results = run(&plan(&edits()).plan, &hooks);
    assert_eq!(figure(&results, "tampered_detected"), Some(0.0));
    assert!(figure(&results, "tampered_accepted").unwrap() > 10.0);
    assert_eq!(figure(&results, "time_to_detect"), None);
    assert_eq!(figure(&results, "attributed"), Some(0.0));
    assert!(failed(&results).contains(&"off-chain-binding"));
    assert_eq!(results.outcome.attacks[0]["verdict"], "fail");
}

#[test]
fn what_was_changed_stays_changed_after_a_crash() {
    let text = format!(
        "{}faults:\n  down: {{ at: 6m, for: 5s, crash: hospital-1 }}\n",
        edits().replace("for: 5m", "for: 2m")
    );
    let results = run(&plan(&text).plan, &Hooks::default());
    let late = plan(&text.replace("at: 6m, for: 5s", "at: 6m10s, for: 5s"));
    let late = run(&late.plan, &Hooks::default());
    for results in [&results, &late] {
        assert_eq!(figure(results, "tampered"), Some(40.0));
        assert!(figure(results, "tampered_detected").unwrap() > 0.0);
        assert_eq!(failed(results), [""; 0]);
    }
}

#[test]
fn a_clinician_gets_what_the_hospital_may_read_and_the_trail_names_it() {
    let loaded = plan(&copies("exfiltrate: { where: hospital-2, rate: 60/min }"));
    let again = plan(&loaded.plan.yaml);
    assert_eq!(again.plan.digest, loaded.plan.digest);
    let (with, without) = both(&loaded.plan);
    let figure = |word| figure(&with, word).unwrap();
    let exposed = figure("records_exposed");
    assert!(exposed > 100.0, "{exposed}");
    assert!(exposed <= figure("reads_asked") && exposed < figure("records_registered"));
    assert_eq!(figure("took_effect"), exposed, "no record twice");
    assert_eq!(
        (figure("unauthorised_reads"), figure("audit_missing")),
        (0.0, 0.0)
    );
    assert_eq!(
        (figure("attributed"), figure("wrongly_accused")),
        (1.0, 0.0)
    );
    // The permits beyond those of the same run without her are hers, own records and others'.
    let permits = |results: &Results| {
        row(results, "reads of own records permitted")
            + row(results, "reads elsewhere permitted by a grant")
    };
    let more = permits(&with) as f64 - permits(&without) as f64;
    assert!(
        (more - exposed).abs() < 0.05 * exposed,
        "{more} of {exposed}"
    );
    let own = row(&with, "reads of own records permitted");
    assert!(own > row(&without, "reads of own records permitted"));
    assert_eq!(failed(&with), [""; 0]);
    // She holds no node: nobody counts as faulty.
    assert_eq!(with.outcome.attacks[0]["nodes"], serde_json::json!([]));
}

/// A provider that answers and writes nothing down.
struct Silent;
impl sharing::Policy for Silent {
    fn audits_first(&self) -> bool {
        false
    }
}

#[test]
fn without_entries_in_the_trail_nobody_is_named_and_a_check_breaks() {
    let loaded = plan(&copies("exfiltrate: { where: hospital-2, rate: 60/min }"));
    let hooks = Hooks {
        policy: Arc::new(|_| Box::new(Silent)),
        ..Hooks::default()
    };
    let results = run(&loaded.plan, &hooks);
    let exposed = figure(&results, "records_exposed").unwrap();
    assert!(exposed > 100.0);
    assert_eq!(figure(&results, "audit_missing"), Some(exposed));
    assert_eq!(figure(&results, "attributed"), Some(0.0));
    assert!(failed(&results).contains(&"audit-complete"));
}

#[test]
fn a_pretext_opens_what_was_refused_if_the_alliance_lets_emergencies_in() {
    let loaded = plan(&copies("purpose-creep: { where: hospital, rate: 12/min }"));
    let (with, without) = both(&loaded.plan);
    let against = figure(&with, "unauthorised_reads").unwrap();
    assert!(against > 10.0, "{against}");
    // Two hospitals may have been refused the same record.
    let exposed = figure(&with, "records_exposed").unwrap();
    assert!(exposed > 10.0 && exposed <= figure(&with, "took_effect").unwrap());
    assert_eq!(figure(&with, "audit_missing"), Some(0.0));
    assert_eq!(figure(&with, "attributed"), Some(4.0));
    let emergencies = |results: &Results| row(results, "reads elsewhere permitted in an emergency");
    assert_eq!(emergencies(&without), 0);
    assert_eq!(
        emergencies(&with) as f64,
        against,
        "all of it was refused before"
    );
    assert_eq!(failed(&with), [""; 0]);

    let strict = plan_with(
        &copies("purpose-creep: { where: hospital, rate: 12/min }"),
        &["services.records.data-sharing.emergency.allow=false"],
    );
    let strict = run(&strict.plan, &Hooks::default());
    assert!(figure(&strict, "reads_asked").unwrap() > 10.0);
    // Some patients have changed their mind since: that is no pretext.
    assert!(figure(&strict, "records_exposed").unwrap() < 0.1 * exposed);
    assert_eq!(figure(&strict, "unauthorised_reads"), Some(0.0));
}

#[test]
fn several_insiders_share_a_desk_and_each_has_its_figures() {
    let text = format!(
        "{BASE}adversaries:\n  a: {{ roles: [clinician] }}\n  b: {{ roles: [clinician, administrator], nodes: hospital-2 }}\nattacks:\n  \
         x: {{ at: 1m, for: 5m, by: a, exfiltrate: {{ where: hospital-1..hospital-2, rate: 30/min }} }}\n  \
         y: {{ at: 1m, for: 5m, by: b, purpose-creep: hospital-2 }}\n  \
         z: {{ at: 1m, for: 5m, by: b, edit-record: hospital-2 }}\n"
    );
    let results = run(&plan(&text).plan, &Hooks::default());
    let metric = |path: &str| results.outcome.metrics[path];
    assert!(metric("attacks.x.records_exposed") > 200.0);
    assert_eq!(metric("attacks.x.attributed"), 2.0);
    assert!(metric("attacks.y.unauthorised_reads") >= 1.0);
    assert_eq!(metric("attacks.z.tampered"), 30.0);
    assert!(!results.outcome.metrics.contains_key("attacks.y.tampered"));
    assert_eq!(failed(&results), [""; 0]);
}

#[test]
fn an_attack_needs_its_role_and_its_place() {
    let told = |text: &str| -> Vec<(String, String)> {
        let list = mistakes(text);
        list.into_iter()
            .map(|d| (d.code.to_owned(), d.message))
            .collect()
    };
    for (text, code, says) in [
        (
            with("nodes: hospital-1", "edit-record: hospital-1"),
            "E503",
            "nobody does this attack: `insider` has no administrator",
        ),
        (
            with(
                "roles: [administrator], nodes: hospital-1",
                "exfiltrate: hospital-1",
            ),
            "E503",
            "nobody does this attack: `insider` has no clinician",
        ),
        (
            with(
                "roles: [administrator], nodes: hospital-1",
                "edit-record: hospital",
            ),
            "E503",
            "nobody does this attack: `insider` does not control hospital-2",
        ),
        (
            with("roles: [carrier]", "purpose-creep: hospital-1"),
            "E208",
            "`the role carrier` is not yet in this version",
        ),
        (
            copies("exfiltrate: { service: papers, where: hospital-1 }"),
            "E301",
            "no service `papers` shares records",
        ),
        (
            copies("exfiltrate: { where: hospital-1, rate: 0/min }"),
            "E107",
            "an attack that never happens",
        ),
        (copies("exfiltrate: {}"), "E210", "`where` is missing here"),
    ] {
        let told = told(&text);
        assert!(
            told.iter().any(|(c, m)| c == code && m == says),
            "{text}\n{told:?}"
        );
    }
}

#[test]
fn the_insiders_of_the_library_do_what_they_say() {
    for name in ["edit-record", "exfiltrate", "purpose-creep"] {
        let file = root().join(format!("scenarios/attacks/{name}.yaml"));
        let options = LoadOptions::default();
        let loaded = load(&file, &options).unwrap_or_else(|d| panic!("{}", d.render()));
        let results = run(&loaded.plan, &Hooks::default());
        assert_eq!(failed(&results), [""; 0], "{name}");
        assert!(
            results.outcome.attacks[0]["took_effect"].as_u64() > Some(10),
            "{name}"
        );
        let missed = results
            .outcome
            .expectations
            .iter()
            .find(|e| e.met == Some(false));
        assert!(missed.is_none(), "{name}: {missed:?}");
    }
}
