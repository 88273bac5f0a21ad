//! Seeded bugs, which every build has that is not a release: each bug is noticed in its directed scenario, by whom it should be, and
//! without it that scenario passes.
#![cfg(any(feature = "seeded-bugs", debug_assertions))]

use consim_core::SeededBug;
use consim_scenarios::bugs::{Directed, directed};
use consim_scenarios::registries;
use consim_scenarios::run::cells::{in_order, threads};
use consim_scenarios::{LoadOptions, load};
use std::path::Path;

fn run(bug: &'static SeededBug) -> Directed {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/bugs");
    let file = folder.join(format!("{}.yaml", bug.name));
    let loaded = load(&file, &LoadOptions::default());
    let plan = loaded.unwrap_or_else(|d| panic!("{}", d.render())).plan;
    directed(bug, &plan).unwrap()
}

#[test]
fn each_bug_is_noticed_in_its_scenario_and_only_then() {
    let bugs = registries::bugs();
    let mut survivors = Vec::new();
    in_order(
        bugs.len(),
        threads(),
        |number| run(bugs[number]),
        |_, came| {
            if !came.is_killed() {
                survivors.push(format!("{}: {came:?}", came.bug.name));
            }
            true
        },
    );
    assert!(!bugs.is_empty());
    assert!(survivors.is_empty(), "{survivors:#?}");
}
