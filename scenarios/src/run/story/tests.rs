#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::load::LoadOptions;
use crate::study::study_bytes;
use std::path::Path;

/// One of four members forges nothing and is down for a while; a fault that f = 1 bears.
const TINY: &str = "\
consim: 1
seed: 3
duration: 4s
warmup: 0s
network: { regions: one-place }
organisations:
  member: { tier: tertiary, count: 4 }
chains:
  ledger: { members: member, consensus: pbft }
services:
  store: { key-value: { keys: 5 } }
workloads:
  clients: { transactions: { service: store, read_share: 0% }, load: 1/s }
faults:
  nap: { at: 1s, for: 1s, crash: member-4 }
";

fn plan(text: &str) -> Plan {
    let study = study_bytes(
        Path::new("tiny.yaml"),
        text.as_bytes(),
        &LoadOptions::default(),
    );
    let mut runs = study
        .unwrap_or_else(|found| panic!("{}", found.render()))
        .runs;
    runs.pop().unwrap().loaded.plan
}

fn told(part: &Part) -> Told {
    replay(&plan(TINY), &Hooks::default(), part, &mut |_| {}).unwrap()
}

/// Members that take two votes for a quorum: a partition makes them disagree.
fn broken() -> (Plan, Hooks) {
    let text = TINY.replace(
        "nap: { at: 1s, for: 1s, crash: member-4 }",
        "cut: { at: 1s, for: 20s, partition: [member-1, member-2] }",
    );
    let text = text
        .replace("duration: 4s", "duration: 30s")
        .replace("load: 1/s", "load: 10/s");
    // That certificates are too small shows before anything else does.
    let text = text + "checks: { only: [agreement, liveness] }\n";
    let hooks = Hooks {
        quorum: Some(2),
        ..Hooks::default()
    };
    (plan(&text), hooks)
}

#[test]
fn a_story_tells_what_happens_in_the_order_of_time() {
    let told = told(&Part::default());
    let text = told.lines.join("\n");
    for part in [
        "fault nap begins",
        "member-4       goes down",
        "fault nap ends",
        "member-4       starts again",
        "member-4       comes back at block",
        "enters view 0, led by member-1",
        "proposes batch 1 of 1 transaction",
        "commits batch 1 (",
        "executes block 1 (",
        "a user asks for write",
        "write is done",
        "the run is over",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    let times: Vec<&str> = told.lines.iter().map(|line| &line[..13]).collect();
    let sorted = told.lines.iter().filter(|line| !line.starts_with("..."));
    assert!(sorted.clone().count() > 20);
    assert!(
        times
            .windows(2)
            .all(|pair| pair[0] <= pair[1] || pair[1].starts_with("...")),
        "{text}"
    );
    assert!(told.broken.is_empty() && told.explanation.is_none());
}

#[test]
fn a_story_can_be_narrowed_to_a_node_and_a_time() {
    let part = Part {
        from: Some(Time::from_nanos(900_000_000)),
        until: Some(Time::from_nanos(2_100_000_000)),
        nodes: vec!["member-4".to_owned()],
    };
    let told = told(&part);
    assert!(told.lines.iter().any(|line| line.contains("goes down")));
    assert!(told.lines.iter().any(|line| line.contains("receives ")));
    for line in &told.lines {
        assert!(
            ["member-4", "fault nap", "the faults are over"]
                .iter()
                .any(|word| line.contains(word)),
            "{line}"
        );
        assert!(
            &line[..9] >= "     0.9" && &line[..9] <= "     2.10",
            "{line}"
        );
    }
}

#[test]
fn telling_changes_nothing() {
    let plan = plan(TINY);
    let plain = crate::run::execute(&plan, &mut |_| {}).unwrap();
    let told = told(&Part::default());
    let digest = |run: &Run| run.results.outcome.run_digest.clone();
    assert_eq!(digest(&plain), digest(&told.run));
}

#[test]
fn what_breaks_first_is_told_when_it_breaks_and_explained() {
    let (plan, hooks) = broken();
    let told = replay(&plan, &hooks, &Part::default(), &mut |_| {}).unwrap();
    assert!(told.violates_first("agreement"), "{:?}", told.broken);
    assert!(!told.violates_first("liveness"));
    let line = told
        .lines
        .iter()
        .find(|line| line.contains("VIOLATED agreement"));
    let (_, at) = told.broken[0];
    assert!(line.unwrap().starts_with(&lines::instant(at)));

    let explained = explain(&plan, &hooks).unwrap().unwrap();
    assert_eq!(explained.check, "agreement");
    assert_eq!(explained.at, at);
    let text = explained.text("consim replay x.yaml");
    assert!(text.lines().count() <= 24, "{text}");
    for part in [
        "agreement (I1) is violated at",
        "No two correct nodes",
        " committed batch ",
        "1s to 21s  cut: partition of member-1, member-2",
        "again: consim replay x.yaml",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}

#[test]
fn the_picture_shows_messages_losses_and_the_violation() {
    let (plan, hooks) = broken();
    let diagram = explain(&plan, &hooks).unwrap().unwrap().diagram;
    assert!(diagram.arrows.len() <= consim_check::diagram::MAX_ARROWS);
    assert!(diagram.arrows.iter().any(|arrow| arrow.arrived));
    // The two sides of the cut do not hear each other.
    assert!(diagram.arrows.iter().any(|arrow| !arrow.arrived));
    let side = |lane: usize| {
        let name = &diagram.lanes[lane];
        name.starts_with("member-1") || name.starts_with("member-2")
    };
    let across = |arrow: &&consim_check::diagram::Arrow| side(arrow.from) != side(arrow.to);
    assert!(
        diagram
            .arrows
            .iter()
            .filter(across)
            .all(|arrow| !arrow.arrived)
    );
    assert!(diagram.arrows.iter().all(|arrow| arrow.left <= arrow.ended));
    assert!(
        diagram
            .arrows
            .iter()
            .all(|arrow| arrow.left <= diagram.until)
    );
    assert_eq!(diagram.violation.as_ref().unwrap().check, "agreement");
    assert!(
        diagram
            .bands
            .iter()
            .any(|band| band.label.starts_with("cut: "))
    );
    assert!(
        diagram
            .marks
            .iter()
            .any(|mark| mark.label == "1" || !mark.label.is_empty())
    );
}

#[test]
fn a_crashed_node_has_a_band() {
    let part = Part {
        until: Some(Time::from_nanos(2_500_000_000)),
        ..Part::default()
    };
    let diagram = told(&part).diagram;
    let lane = diagram
        .lanes
        .iter()
        .position(|name| name == "member-4")
        .unwrap();
    let down = diagram
        .bands
        .iter()
        .find(|band| band.lane == Some(lane))
        .unwrap();
    assert_eq!(down.until.since(down.from).nanos(), 1_000_000_000);
}
