//! Runs in one process do not touch each other: nothing is kept in globals.

use crate::support::root;
use consim_scenarios::run::execute;
use consim_scenarios::{LoadOptions, Loaded, load};

fn loaded(scenario: &str, duration: &str) -> Loaded {
    let options = LoadOptions {
        duration: Some(duration.into()),
        ..LoadOptions::default()
    };
    load(&root().join(scenario), &options).unwrap_or_else(|d| panic!("{}", d.render()))
}

fn outcome(loaded: &Loaded) -> String {
    let run = execute(&loaded.plan, &mut |_| {}).unwrap();
    serde_json::to_string(&run.results.outcome).unwrap()
}

#[test]
fn two_runs_side_by_side_give_what_each_gives_alone() {
    let plans = [
        loaded("scenarios/paper/alliance-sharing-faults.yaml", "21m"),
        loaded("scenarios/protocols/pbft-wan.yaml", "20s"),
    ];
    let alone: Vec<String> = plans.iter().map(outcome).collect();
    #[allow(
        clippy::disallowed_methods,
        reason = "the test is about threads; no result hangs on which is first"
    )]
    let together: Vec<String> = std::thread::scope(|scope| {
        let both = plans.each_ref().map(|plan| scope.spawn(|| outcome(plan)));
        both.map(|thread| thread.join().unwrap()).into()
    });
    assert_eq!(together, alone);
    assert_ne!(alone.first(), alone.last());
}
