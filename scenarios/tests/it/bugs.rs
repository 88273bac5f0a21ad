//! Scenarios of seeded bugs, in a build without the bugs: each bug has its scenario, each scenario its
//! bug, and nothing is noticed where nothing is wrong.

use consim_core::SeededBug;
use consim_scenarios::bugs::{EYES, RUN_TWICE, alarms};
use consim_scenarios::plan::Plan;
use consim_scenarios::registries::{bugs, list};
use consim_scenarios::{LoadOptions, load};
use std::collections::BTreeSet;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("bugs")
}
fn plan(bug: &SeededBug) -> Plan {
    let loaded = load(
        &folder().join(format!("{}.yaml", bug.name)),
        &LoadOptions::default(),
    );
    loaded.unwrap_or_else(|d| panic!("{}", d.render())).plan
}

#[test]
fn each_bug_has_its_scenario_and_each_scenario_its_bug() {
    let names: Vec<String> = bugs().iter().map(|bug| bug.name.to_owned()).collect();
    let distinct: BTreeSet<String> = names.iter().cloned().collect();
    assert_eq!(distinct.len(), names.len(), "{names:?}");
    let files = std::fs::read_dir(folder()).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let stems = files.map(|f| f.file_stem().unwrap().to_str().unwrap().to_owned());
    assert_eq!(stems.collect::<BTreeSet<_>>(), distinct);
    let checks: Vec<String> = list("checks").into_iter().map(|c| c.name).collect();
    for bug in bugs() {
        let known = |k: &&str| EYES.contains(k) || checks.iter().any(|c| c == k);
        assert!(bug.killers.iter().all(known), "{bug:?}");
        assert!(!bug.killers.is_empty() && !bug.says.is_empty() && !bug.source.is_empty());
        let plan = plan(bug);
        let of_tools = bug.killers.iter().any(|k| EYES.contains(k));
        let meant = plan.demanded(Some(bug));
        assert_eq!(
            plan.found.bug.map(|b| b.name).is_none(),
            of_tools,
            "{}",
            bug.name
        );
        assert!(
            of_tools || meant.is_some_and(|m| bug.killers.contains(&m)),
            "{}",
            bug.name
        );
        assert_eq!(plan.demanded(None).is_some(), of_tools && meant.is_some());
    }
}

#[test]
fn every_check_has_a_bug_that_it_is_to_notice() {
    let meant: BTreeSet<String> = bugs()
        .into_iter()
        .filter_map(|bug| plan(bug).violation)
        .collect();
    let checks = list("checks").into_iter().map(|check| check.name);
    let without: Vec<String> = checks.filter(|check| !meant.contains(check)).collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn without_its_bug_each_scenario_passes() {
    let mut wrong = Vec::new();
    for bug in bugs() {
        let twice = bug.killers.contains(&RUN_TWICE);
        let alarms = alarms(&plan(bug), None, twice).unwrap();
        if !alarms.is_empty() {
            wrong.push((bug.name, alarms));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
