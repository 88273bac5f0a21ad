//! Situations that searches count: their names, and that none is met in vain.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use consim_scenarios::explore::judge_text;
use consim_scenarios::registries::{list, marks};
use consim_scenarios::run::Hooks;
use std::collections::BTreeSet;
use std::path::Path;

fn met(text: &str) -> BTreeSet<String> {
    let judged = judge_text(Path::new("marks.yaml"), text, &Hooks::default(), None);
    assert_eq!(judged.failure, None, "{text}");
    let brief = judged.brief.unwrap();
    brief.marks.keys().map(|name| (*name).to_owned()).collect()
}

#[test]
fn nothing_is_met_where_nothing_happens() {
    let calm = "consim: 1
seed: 1
duration: 10s
organisations: { hospital: { tier: tertiary, count: 4 } }
chains: { ledger: { members: hospital, consensus: pbft } }
services: { store: { key-value: { keys: 8 } } }
workloads: { clients: { transactions: { service: store, read_share: 0% }, load: 3/s } }
";
    let calm = met(calm);
    let few = ["committed-out-of-order", "committed-before-prepared"];
    assert!(
        calm.iter().all(|name| few.contains(&name.as_str())),
        "{calm:?}"
    );
}

#[test]
fn names_are_kebab_case_and_nobody_elses() {
    let marks = marks();
    assert!(marks.len() >= 60, "{}", marks.len());
    let names: BTreeSet<&str> = marks.iter().map(|m| m.name).collect();
    assert_eq!(names.len(), marks.len());
    for mark in &marks {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(mark.name.chars().all(plain), "{mark:?}");
        let one = mark.says.ends_with('.') && !mark.says.contains(". ");
        assert!(one, "{mark:?}");
    }
    // One of them is where an observer looks for another (a node that goes down in a transfer).
    assert!(names.contains("state-sought"));
    assert_eq!(list("marks").len(), marks.len());
}
