//! The answer on one screen.

use crate::support::{cases, sample};
use consim_reports::summary;

/// Columns of a line: two for East Asian wide characters and emoji.
fn columns(line: &str) -> usize {
    let wide = |c: char| {
        ('\u{2e80}'..='\u{d7a3}').contains(&c) || ('\u{1f300}'..='\u{1faff}').contains(&c)
    };
    line.chars().map(|c| 1 + usize::from(wide(c))).sum()
}

/// A terminal of 80 by 24, of which the command's own line takes two and the prompt one.
fn fits(text: &str) -> bool {
    text.ends_with('\n')
        && text.lines().count() <= 21
        && text.lines().all(|l| columns(l) <= 80 && l.trim_end() == l)
        && !text.chars().any(|c| c.is_control() && c != '\n')
}

#[test]
fn the_screens_are_as_they_were() {
    // After an intended change: `cargo run -p consim-reports --example sample DIR [CASE]` prints
    // the new text.
    assert_eq!(
        summary(&sample()),
        include_str!("../golden/summary-pass.txt")
    );
    assert_eq!(
        summary(&cases::failed()),
        include_str!("../golden/summary-fail.txt")
    );
}

#[test]
fn a_typical_run_has_room_for_everything() {
    let results = sample();
    let outcome = &results.outcome;
    let (checks, faults, operations) = (
        outcome.checks.len(),
        outcome.faults.len(),
        outcome.operations.len(),
    );
    assert_eq!((checks, faults, operations), (12, 3, 7));
    let text = summary(&results);
    assert!(fits(&text), "{text}");
    assert!(text.starts_with("Pass: "));
    let begins = |name: &str| text.lines().any(|l| l.starts_with(&format!("{name} ")));
    assert!(outcome.operations.keys().all(|name| begins(name)), "{text}");
    assert!(outcome.faults.iter().all(|f| begins(&f.id)), "{text}");
    assert!(
        text.contains("\nchecks        12 passed (1.34 M facts judged)\n"),
        "{text}"
    );
    assert!(
        !text.contains('…') && !text.contains("more"),
        "nothing is left out: {text}"
    );
}

#[test]
fn several_chains_stand_beside_each_other() {
    let mut results = sample();
    assert!(!summary(&results).contains("chain "), "one is the run");
    let first = results.outcome.chains.first().cloned().unwrap();
    for number in 2..=12 {
        let mut chain = first.clone();
        chain.id = format!("ring-{number}");
        chain.height = 1_000 + number;
        results.outcome.chains.push(chain);
    }
    let text = summary(&results);
    assert!(fits(&text), "{text}");
    let row = text.lines().find(|line| line.starts_with("ring-2 "));
    assert!(row.is_some_and(|row| row.contains("1,002")), "{text}");
    assert!(text.contains("more chains"), "{text}");
}

#[test]
fn every_run_fits_and_answers_first() {
    for (name, case) in cases::CASES {
        let text = summary(&case());
        assert!(fits(&text), "{name}:\n{text}");
        let answers = ["Pass: ", "Fail: ", "Unknown: ", "Expectation missed: "];
        assert!(
            answers.iter().any(|a| text.starts_with(a)),
            "{name}:\n{text}"
        );
    }
    assert!(!fits("x\n".repeat(22).as_str()));
    assert!(!fits(&format!("{}\n", "x".repeat(81))));
    assert!(!fits(&format!("{}\n", "数".repeat(41))));
    assert!(!fits("\u{1b}[31mred\n"));
}

#[test]
fn what_has_no_room_is_counted() {
    let text = summary(&cases::extreme());
    assert!(text.contains("\nand 196 more faults\n"), "{text}");
    let mut results = sample();
    for i in 0..40 {
        let op = results.outcome.operations["read"].clone();
        results.outcome.operations.insert(format!("zz-{i}"), op);
    }
    let text = summary(&results);
    let keys = results.outcome.operations.keys();
    let shown = keys.filter(|k| text.contains(&format!("\n{k} "))).count();
    assert!(shown > 3, "{text}");
    assert!(text.contains(" more kinds of operation\n"), "{text}");
    let left = text
        .lines()
        .find(|l| l.ends_with("more kinds of operation"))
        .unwrap();
    let left: usize = left.split(' ').nth(1).unwrap().parse().unwrap();
    assert_eq!(shown + left, 47, "{text}");
}

#[test]
fn what_did_not_pass_is_named_with_its_first_violation() {
    let mut results = cases::failed();
    let text = summary(&results);
    assert!(
        text.contains("checks        1 failed, 1 unknown, 10 passed (914 k facts judged)"),
        "{text}"
    );
    assert!(
        text.contains("\n  fail consent: 7 times, first at 12 min 4 s community-4"),
        "{text}"
    );
    assert!(
        text.contains("\n  unknown membership: judged 0 facts\n"),
        "{text}"
    );
    for check in &mut results.outcome.checks {
        (check.verdict, check.violated) = ("fail".into(), 1);
    }
    let text = summary(&results);
    assert!(text.contains("  and 7 more\n"), "{text}");
    assert!(fits(&text), "{text}");
}
