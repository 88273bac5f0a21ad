//! Each situation that searches count is met: in the scenarios of `tests/marks/`, which a search found.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use consim_scenarios::explore::{Focus, MarkTally, Search, TWICE, judge_text};
use consim_scenarios::registries::{list, marks};
use consim_scenarios::run::{Hooks, cells};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The search that finds the scenarios anew (`CONSIM_BLESS=1`), and how many it may draw.
const SEED: u64 = 1;
const MOST: u64 = 600;

/// Situations that this search does not meet: they want a longer one, or a scenario made for them.
const SELDOM: &[&str] = &[];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/marks")
}

fn met(text: &str) -> BTreeSet<String> {
    let file = folder().join("marks.yaml");
    let judged = judge_text(&file, text, &Hooks::default(), None);
    assert_eq!(judged.failure, None, "{text}");
    let brief = judged.brief.unwrap();
    brief.marks.keys().map(|name| (*name).to_owned()).collect()
}

/// Writes the scenarios that together meet all: the rarest situation first, each with the first
/// scenario that met it.
fn bless() {
    let search = Search {
        protocol: "pbft".into(),
        focus: Focus::default(),
        file: None,
        twins: false,
        twice: TWICE,
        seed: SEED,
        most: Some(MOST),
        threads: cells::threads(),
        hooks: Hooks::default(),
    };
    let tally = search.run(&mut |_| true).unwrap();
    println!("{} failed: {:#?}", tally.failed, tally.failures);
    let _ = std::fs::remove_dir_all(folder());
    std::fs::create_dir_all(folder()).unwrap();
    let mut rarest: Vec<(&&str, &MarkTally)> = tally.marks.iter().collect();
    rarest.sort_by_key(|(name, mark)| (mark.scenarios, **name));
    let mut all = BTreeSet::new();
    for (name, mark) in rarest {
        println!("{name} {} {}", mark.scenarios, mark.times);
        let Some(first) = mark.first.as_ref().filter(|_| !all.contains(*name)) else {
            continue;
        };
        let file = folder().join(format!("{name}.yaml"));
        std::fs::write(file, &first.text).unwrap();
        all.extend(met(&first.text));
    }
}

#[test]
fn each_situation_is_met() {
    if std::env::var_os("CONSIM_BLESS").is_some() {
        bless();
    }
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in std::fs::read_dir(folder()).unwrap() {
        let file = file.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let found = met(&std::fs::read_to_string(&file).unwrap());
        assert!(found.contains(&name), "{name} is not met in its scenario");
        for mark in found {
            seen.entry(mark).or_default().insert(name.clone());
        }
    }
    let unmet = marks().into_iter().filter(|m| !seen.contains_key(m.name));
    let unmet: BTreeSet<&str> = unmet.map(|m| m.name).collect();
    // One that is met by now is to leave the list.
    assert_eq!(unmet, SELDOM.iter().copied().collect());
    let known: BTreeSet<String> = marks().iter().map(|m| m.name.to_owned()).collect();
    assert!(seen.keys().all(|name| known.contains(name)), "{seen:?}");
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
