//! The search: what it draws is valid and covers every kind, it is the same on any number of threads,
//! it finds nothing where nothing is wrong, and what it finds elsewhere becomes small.

use crate::support::root;
use consim_models::consensus::PROTOCOLS;
use consim_scenarios::explore::{
    Case, Event, Family, Focus, Hidden, LEFT_OUT, MODELS, ROWS, Row, Search, TWICE, Tail, Tally,
    Twins, World, judge_text, planned,
};
use consim_scenarios::registries::list;
use consim_scenarios::run::Hooks;
use consim_scenarios::shrink::{ShrinkError, shrink};
use std::collections::BTreeSet;
use std::path::Path;

const PBFT: &str = "pbft";

fn search(seed: u64, most: u64, threads: usize) -> Search {
    Search {
        protocol: PBFT.into(),
        focus: Focus::default(),
        file: None,
        only: None,
        seed,
        most: Some(most),
        twice: TWICE,
        threads,
        hooks: Hooks::default(),
    }
}

fn run(search: &Search) -> Tally {
    search.run(&mut |_| true).unwrap()
}

/// A case in which one row of one family happens.
fn case_of(family: Family, place: u8, members: u8) -> Case {
    Case {
        families: vec![family],
        world: World {
            members,
            ..Case::calm(7).world
        },
        tail: Tail::Mixed,
        events: vec![Event {
            kind: place,
            at: 9,
            lasting: 40,
            who: 0b10,
            strength: 1,
        }],
        ..Case::calm(7)
    }
}

#[test]
fn every_kind_is_drawn_or_left_out_with_a_reason() {
    let drawn: BTreeSet<&str> = ROWS.iter().map(|row| row.kind).collect();
    let left_out: BTreeSet<&str> = LEFT_OUT.iter().map(|(kind, _)| *kind).collect();
    assert!(drawn.is_disjoint(&left_out));
    assert!(LEFT_OUT.iter().all(|(_, why)| !why.is_empty()));
    let all = list("faults").into_iter().chain(list("attacks"));
    let all: BTreeSet<String> = all.map(|entry| entry.name).collect();
    let covered: BTreeSet<String> = drawn.union(&left_out).map(|&k| k.to_owned()).collect();
    assert_eq!(covered, all);
}

#[test]
fn every_row_gives_a_valid_scenario_in_groups_of_every_size() {
    let families = Family::ALL.into_iter();
    let each = families.flat_map(|family| PROTOCOLS.iter().map(move |protocol| (family, protocol)));
    for (family, protocol) in each {
        // In the last model everything can happen: it shares records, and members join where they can.
        let model = MODELS.len() as u8 - 1;
        for members in [4, 5, 6, 12] {
            let world = World {
                model,
                retries: 1,
                ..case_of(family, 0, members).world
            };
            let ground = world.ground(protocol.name);
            let suits = |row: &&Row| row.family == family && row.suits(&ground);
            for (place, row) in (0u8..).zip(ROWS.iter().filter(suits)) {
                let text = case_of(family, place, members).text(&ground);
                let plan = planned(Path::new("x.yaml"), &text);
                let plan = plan.unwrap_or_else(|why| panic!("{}: {why}\n{text}", row.kind));
                let attacks = plan.attacks.values().map(|attack| attack.kind.as_str());
                let faults = plan.faults.values().map(|fault| fault.kind.word());
                let kinds: Vec<&str> = attacks.chain(faults).collect();
                assert!(kinds.contains(&row.kind), "{kinds:?}, not {}", row.kind);
            }
        }
    }
    for number in [0, 300, Twins::enumerated() - 1, Twins::enumerated() + 7] {
        let text = Twins::numbered(number, 3).text(3, PBFT);
        planned(Path::new("x.yaml"), &text).unwrap_or_else(|why| panic!("{why}\n{text}"));
    }
    for protocol in PROTOCOLS.iter().filter(|entry| Hidden::suits(entry)) {
        for key in 0..100 {
            let text = Hidden::drawn(key).text(3, protocol.name);
            let plan = planned(Path::new("x.yaml"), &text);
            let plan = plan.unwrap_or_else(|why| panic!("{why}\n{text}"));
            let happens = plan.faults.len() + plan.attacks.len();
            assert!(happens > 0, "{text}");
        }
    }
}

#[test]
fn a_search_is_the_same_on_any_number_of_threads() {
    let words = |tally: &Tally| serde_json::to_string(tally).unwrap();
    let (one, three) = (run(&search(5, 96, 1)), run(&search(5, 96, 3)));
    assert_eq!(words(&one), words(&three));
    assert_ne!(words(&one), words(&run(&search(6, 96, 2))));
    // Everything right stays right, and the search has really looked.
    assert_eq!(one.failed, 0, "{:#?}", one.failures);
    assert_eq!(one.cases, 96);
    assert!(one.states > 100 && one.events > 100_000 && one.twice == 1);
    assert!(one.checks["agreement"].passed == 96 && one.checks["liveness"].passed > 60);
    let happened = one.kinds.values().filter(|kind| kind.effective > 0).count();
    assert!(happened > 25, "{:?}", one.kinds);
}

#[test]
fn each_model_can_be_searched_alone_and_so_can_a_scenario_of_the_users() {
    for place in 0..MODELS.len() as u8 {
        let mut search = search(1, 8, 2);
        search.focus.models = vec![place];
        let tally = run(&search);
        assert_eq!((tally.cases, tally.failed), (8, 0), "{:#?}", tally.failures);
    }
    let mut search = search(1, 6, 2);
    search.file = Some(root().join("scenarios/attacks/alliance-silence.yaml"));
    let tally = run(&search);
    assert_eq!((tally.cases, tally.failed), (6, 0), "{:#?}", tally.failures);
    assert!(tally.kinds.len() > 1, "{:?}", tally.kinds);
    search.file = Some(root().join("scenarios/attacks/nothing.yaml"));
    assert!(search.run(&mut |_| true).is_err());
}

/// Six members, of whom three take themselves for a quorum.
fn half_is_enough() -> Hooks {
    Hooks {
        quorum: Some(3),
        share_executions: false,
        ..Hooks::default()
    }
}

const MESSY: &str = "consim: 1
about: Much happens, and one thing of it matters.
seed: 11
duration: 100s
warmup: 7s
network: { regions: one-place }
organisations: { hospital: { tier: tertiary, count: 6 } }
chains: { ledger: { members: hospital, consensus: pbft, block: { wait: 130ms } } }
services: { store: { key-value: { keys: 20 } } }
workloads: { clients: { transactions: store, load: 17/s } }
faults:
  slow:  { at: 11s, for: 9s, slow-cpu: { target: hospital-2, by: 3x } }
  late:  { at: 13s, for: 8s, delay: { target: hospital-5, add: 40ms } }
  cut:   { at: 23s, for: 41s, partition: [hospital-1, hospital-3, hospital-5] }
  again: { at: 71s, for: 4s, duplicate: hospital-4 }
";

#[test]
fn what_fails_becomes_small_and_fails_in_the_same_way() {
    let file = Path::new("messy.yaml");
    let hooks = half_is_enough();
    let shrunk = shrink(file, MESSY, &hooks, &mut || true).unwrap();
    assert!(shrunk.minimal && shrunk.events_before == 4);
    assert!(shrunk.kinds.len() <= 1, "{}", shrunk.text);
    assert!(shrunk.text.len() < MESSY.len() / 2, "{}", shrunk.text);
    let again = judge_text(file, &shrunk.scenario(), &hooks, None);
    assert_eq!(again.failure.unwrap().check, shrunk.check);
    // The rule is right, so nothing is wrong with it.
    let honest = judge_text(file, &shrunk.text, &Hooks::default(), None);
    assert_eq!(honest.failure, None);
    let nothing = shrink(file, MESSY, &Hooks::default(), &mut || true);
    assert!(matches!(nothing, Err(ShrinkError::Passes)));
    let invalid = shrink(file, "consim: 2", &hooks, &mut || true);
    assert!(matches!(invalid, Err(ShrinkError::Invalid(_))));
    // Without time nothing is tried, and what comes back is what failed.
    let hasty = shrink(file, MESSY, &hooks, &mut || false).unwrap();
    assert!(!hasty.minimal && hasty.kinds.len() == 4);
}

#[test]
fn a_search_finds_a_wrong_rule_and_says_it_once() {
    let mut search = search(2, 64, 2);
    search.hooks = half_is_enough();
    let tally = search.run(&mut |tally| tally.failed < 4).unwrap();
    assert!(tally.failed >= 4, "{tally:?}");
    let failing = search.reduce(&tally, &mut |_| true);
    let checks: Vec<&str> = failing.iter().map(|f| f.shrunk.check.as_str()).collect();
    assert!(checks.contains(&"certificate"), "{checks:?}");
    let shapes: BTreeSet<_> = failing
        .iter()
        .map(|f| (f.shrunk.check.clone(), f.shrunk.kinds.clone()))
        .collect();
    assert_eq!(shapes.len(), failing.len());
    assert!(
        failing
            .iter()
            .all(|f| f.file_name().starts_with(&f.shrunk.check))
    );
}

#[test]
fn what_was_found_in_a_users_scenario_is_a_scenario_wherever_it_is_saved() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("mine"), dir.path().join("results/found"));
    std::fs::create_dir(&from).unwrap();
    std::fs::create_dir_all(&to).unwrap();
    let links = "consim_profile: 1\nabout: A lame line.\ndelay: 1ms\nloss: 0%\ntransport: stream\nrate: 10Mbit/s\n";
    std::fs::write(from.join("lame.yaml"), links).unwrap();
    let network = "network: { regions: one-place, links: file:lame.yaml }";
    let text = MESSY.replace("network: { regions: one-place }", network);
    let text = text.replace("load: 17/s", "load: 1/s");
    let file = from.join("messy.yaml");
    std::fs::write(&file, text).unwrap();
    let mut search = search(1, 8, 2);
    search.hooks = half_is_enough();
    search.file = Some(file);
    let tally = search.run(&mut |tally| tally.failed == 0).unwrap();
    // Without time for anything else the lines stay.
    let failing = search.reduce(&tally, &mut |_| false);
    let saved = search.scenario_in(&failing[0], &to);
    assert!(saved.contains("file:../../mine/lame.yaml"), "{saved}");
    let here = to.join("found.yaml");
    let again = judge_text(&here, &saved, &search.hooks, None);
    assert_eq!(again.failure.unwrap().check, failing[0].shrunk.check);
}
