//! Situations that searches count: their names, that none is met where nothing happens, and that each
//! is met somewhere.

use crate::support::root;
use consim_models::consensus::PROTOCOLS;
use consim_scenarios::explore::{Focus, Search, TWICE, judge_text};
use consim_scenarios::registries::{list, marks};
use consim_scenarios::run::Hooks;
use consim_scenarios::run::cells::{in_order, threads};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

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

/// Scenarios that a search drew, each named after a mark that is met in it.
fn folder() -> PathBuf {
    root().join("scenarios/tests/marks")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The marks of all files of the folder, and of the directed scenarios of seeded bugs, without these.
fn met_in_files() -> BTreeSet<String> {
    let mut files = [files(&folder()), files(&root().join("scenarios/bugs"))].concat();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "yaml"));
    let mut all = BTreeSet::new();
    in_order(
        files.len(),
        threads(),
        |place| {
            let text = std::fs::read_to_string(&files[place]).unwrap();
            let judged = judge_text(&files[place], &text, &Hooks::default(), None);
            let marks = judged.brief.unwrap().marks;
            let names = marks.keys().map(|name| (*name).to_owned());
            names.collect::<BTreeSet<String>>()
        },
        |_, found| {
            all.extend(found);
            true
        },
    );
    all
}

/// Searches for what no file meets: at most so many scenarios.
const MOST: u64 = 800;

/// Adds a scenario for each mark that none meets yet, the rarest first, protocol after protocol.
fn add_files() {
    let mut here = met_in_files();
    for protocol in PROTOCOLS {
        add_files_of(protocol.name, &mut here);
    }
}

fn add_files_of(protocol: &str, here: &mut BTreeSet<String>) {
    let others = PROTOCOLS.iter().filter(|entry| entry.name != protocol);
    let others: BTreeSet<&str> = others.flat_map(|p| p.marks).map(|m| m.name).collect();
    let wanted: Vec<&str> = marks().iter().map(|m| m.name).collect();
    let wanted = wanted.into_iter().filter(|m| !others.contains(m));
    let wanted: Vec<&str> = wanted.filter(|m| !here.contains(*m)).collect();
    if wanted.is_empty() {
        return;
    }
    let search = Search {
        protocol: protocol.into(),
        focus: Focus::default(),
        file: None,
        only: None,
        // Another search each time that something was added.
        seed: 20_261_126 + files(&folder()).len() as u64,
        most: Some(MOST),
        twice: TWICE,
        threads: threads(),
        hooks: Hooks::default(),
    };
    let done = |tally: &consim_scenarios::explore::Tally| {
        let found = |m: &&str| tally.marks.get(m).is_some_and(|t| t.scenarios > 0);
        wanted.iter().all(found)
    };
    let tally = search.run(&mut |tally| !done(tally)).unwrap();
    let mut found: Vec<_> = tally
        .marks
        .iter()
        .filter(|(_, t)| t.scenarios > 0)
        .collect();
    found.sort_by_key(|(name, tally)| (tally.scenarios, **name));
    for (name, tally) in found {
        if !here.contains(*name) {
            let text = &tally.first.as_ref().unwrap().text;
            let judged = judge_text(Path::new("marks.yaml"), text, &Hooks::default(), None);
            let marks = judged.brief.unwrap().marks;
            here.extend(marks.keys().map(|name| (*name).to_owned()));
            std::fs::write(folder().join(format!("{name}.yaml")), text).unwrap();
        }
    }
}

/// Marks that no scenario has met so far, and why they stay.
const NOT_MET: &[(&str, &str)] = &[
    ("new-view-refused", "met in unit tests of PBFT alone"),
    ("member-change-refused", "met in unit tests of nodes alone"),
    ("notice-refused", "met in unit tests of nodes alone"),
    (
        "lock-held",
        "met in unit tests of HotStuff, and in long searches",
    ),
    ("append-over-committed", "met in unit tests of Raft alone"),
    ("chain-refused", "met in unit tests of HotStuff alone"),
];

/// `CONSIM_BLESS=1` searches for scenarios in which what is missing is met, and adds them.
#[test]
fn every_mark_is_met_somewhere() {
    if std::env::var_os("CONSIM_BLESS").is_some() {
        add_files();
    }
    let here = met_in_files();
    let marks = marks();
    let missing: Vec<&str> = marks.iter().map(|m| m.name).collect();
    let known = |name: &str| NOT_MET.iter().any(|(known, _)| *known == name);
    let missing = missing.into_iter().filter(|m| !here.contains(*m));
    let (excused, missing): (Vec<&str>, Vec<&str>) = missing.partition(|m| known(m));
    assert!(missing.is_empty(), "never met: {missing:?}");
    assert_eq!(excused.len(), NOT_MET.len(), "met by now: not {excused:?}");
}
