#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::passes::{Events, Explicit, Keys, Members, Numbers};
use crate::tree::{Node, SourceId, parse, written};
use consim_check::minimise::Pass;

fn tree(text: &str) -> Node {
    let mut problems = Vec::new();
    let node = parse(text, SourceId(0), &mut problems);
    assert!(problems.is_empty());
    node.unwrap()
}

const TEXT: &str = "consim: 1
seed: 13
duration: 61500ms
organisations:
  hospital: { tier: tertiary, count: 6 }
faults:
  one: { at: 1s, for: 2s, crash: hospital-6 }
  two: { at: 3s, for: 2s, loss: { target: [hospital-5, hospital-6], rate: 20% } }
";

/// Every simpler scenario of one part.
fn one_by_one(pass: &dyn Pass<Node>, text: &str) -> Vec<String> {
    let tree = tree(text);
    let all = 0..pass.parts(&tree);
    let simpler = all.filter_map(|part| pass.simplify(&tree, part..part + 1));
    simpler.map(|tree| written(&tree)).collect()
}

#[test]
fn a_scenario_is_written_as_it_was() {
    assert_eq!(written(&tree(TEXT)), TEXT);
}

#[test]
fn faults_go_one_by_one_and_all_together() {
    let left = one_by_one(&Events, TEXT);
    assert_eq!(left.len(), 2);
    assert!(!left[0].contains("one:") && left[0].contains("two:"));
    let none = Events
        .simplify(&tree(TEXT), 0..2)
        .map(|tree| written(&tree));
    assert!(none.is_some_and(|text| !text.contains("faults")));
}

#[test]
fn every_key_can_go_but_those_that_say_which_run_it_is() {
    let left = one_by_one(&Keys, TEXT);
    assert!(left.iter().all(|text| text.contains("duration")));
    assert!(
        left.iter()
            .any(|text| text.contains("target: [hospital-6]"))
    );
    assert!(left.iter().any(|text| !text.contains("tier")));
    assert!(
        left.iter()
            .all(|text| text.contains("seed: 13") && text.contains("consim: 1"))
    );
}

#[test]
fn members_go_from_the_end_and_their_faults_move() {
    let left = one_by_one(&Members, TEXT);
    assert_eq!(left.len(), 1);
    assert!(left[0].contains("count: 5") && left[0].contains("crash: hospital-5"));
    assert!(left[0].contains("target: [hospital-5], rate"));
}

#[test]
fn numbers_become_rounder_and_smaller_and_never_nothing() {
    let has = |pass: Numbers, word: &str| {
        let left = one_by_one(&pass, TEXT);
        assert!(
            left.iter().any(|text| text.contains(word)),
            "{word}: {left:?}"
        );
    };
    has(Numbers::Round, "duration: 61000ms");
    has(Numbers::Half, "duration: 30750ms");
    has(Numbers::Half, "rate: 10%");
    has(Numbers::Half, "count: 3");
    assert!(one_by_one(&Numbers::Units, "a: 2000ms")[0].contains("a: 2s"));
    assert!(one_by_one(&Numbers::Half, "a: 1s").is_empty());
    assert!(one_by_one(&Numbers::Round, "a: 60000ms").is_empty());
    assert!(one_by_one(&Numbers::Half, "a: 2026-03-02T08:00:00+08:00").is_empty());
}

#[test]
fn chance_becomes_a_list_of_messages() {
    let left = one_by_one(&Explicit, TEXT);
    assert_eq!(left.len(), 1);
    let expected = "filter: { target: [hospital-5, hospital-6], drop: [1, 2, 3,";
    assert!(left[0].contains(expected), "{left:?}");
    assert!(one_by_one(&Explicit, &left[0]).is_empty());
}
