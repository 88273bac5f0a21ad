//! The first sentence answers: verdict, margin to the expectation, bottleneck.

use crate::support::{cases, sample};
use crate::{file, markup};
use consim_check::outcome::ExpectationOutcome;
use consim_check::results::Results;
use consim_reports::headline;

/// The sentence with plain spaces, to be read.
fn said(results: &Results) -> String {
    headline(results).replace('\u{a0}', " ")
}

const BOTTLENECK: &str = "the block interval, not any machine, sets the pace";
const MET: &str = "99th percentile latency 1.74 s is 65 % below its limit of 5 s, availability \
                   99.36 % is 4.36 points above its limit of 95 %";

#[test]
fn a_pass_tells_the_margins_and_the_bottleneck() {
    assert_eq!(
        said(&sample()),
        format!("Pass: {MET}; no check was violated; {BOTTLENECK}.")
    );
}

#[test]
fn a_failure_begins_with_what_was_violated() {
    assert_eq!(
        said(&cases::failed()),
        format!(
            "Fail: the check consent was violated 7 times; 99th percentile latency 7.2 s is 44 % \
             above its limit of 5 s; the run was cut short at 20 min 35 s; nothing measured 95th \
             percentile latency of workload outpatients; the check membership judged nothing; \
             {BOTTLENECK}."
        )
    );
}

#[test]
fn unknown_begins_with_what_was_not_judged() {
    let mut results = cases::unknown();
    assert_eq!(
        said(&results),
        format!(
            "Unknown: the check liveness judged nothing; {MET}; no other check was violated; \
             {BOTTLENECK}."
        )
    );
    // It saw something and still cannot tell.
    results.outcome.checks.last_mut().unwrap().evaluated = 12;
    assert!(said(&results).starts_with("Unknown: the check liveness could not be decided; "));
}

#[test]
fn a_missed_expectation_outranks_a_pass_of_the_checks() {
    assert_eq!(
        said(&cases::missed()),
        format!(
            "Expectation missed: 99th percentile latency 1.74 s is 16 % above its limit of \
             1500 ms; no check was violated; {BOTTLENECK}."
        )
    );
}

#[test]
fn a_run_cut_short_says_so_first() {
    assert_eq!(
        said(&cases::partial()),
        format!(
            "Unknown: the run was cut short at 15 min; {MET}; no check was violated; {BOTTLENECK}."
        )
    );
}

#[test]
fn without_expectations_the_figures_speak() {
    let mut results = cases::no_expectations();
    assert_eq!(
        said(&results),
        format!(
            "Pass: 1.46 transactions a second at a 99th percentile latency of 1.74 s, no \
             expectation was set; no check was violated; {BOTTLENECK}."
        )
    );
    results.outcome.latency_ms.count = 0;
    let said = said(&results);
    assert!(
        said.contains("no operation was answered, no expectation was set"),
        "{said}"
    );
    assert_eq!(
        self::said(&cases::empty()),
        "Unknown: 0 transactions a second, no operation was answered, no expectation was set; no \
         check applied."
    );
}

#[test]
fn a_violation_that_the_scenario_expects_is_said_to_be_one() {
    let mut results = cases::no_expectations();
    results.meant = Some("agreement".into());
    let said = said(&results);
    assert!(
        said.contains("the check agreement was meant to be violated, and was not"),
        "{said}"
    );
    assert!(!said.contains("no expectation"), "{said}");
    let agreement = results.outcome.checks.iter_mut();
    for check in agreement.filter(|check| check.name == "agreement") {
        check.verdict = "fail".into();
        check.violated = 3;
    }
    results.outcome.verdict = "fail".into();
    let said = self::said(&results);
    assert!(
        said.starts_with(
            "Fail: the check agreement was violated 3 times, as the scenario expects;"
        ),
        "{said}"
    );
}

fn expectation(path: &str, limit: &str, value: &str, margin: f64) -> ExpectationOutcome {
    ExpectationOutcome {
        path: path.into(),
        limit: limit.into(),
        value: Some(value.into()),
        met: Some(margin >= 0.0),
        margin: Some(margin),
    }
}

#[test]
fn several_are_named_and_the_rest_counted() {
    let mut results = sample();
    results.outcome.expectations = (0..6)
        .map(|i| {
            expectation(
                &format!("workloads.w{i}.latency_p99"),
                "at most 5s",
                "4s",
                0.2,
            )
        })
        .collect();
    for check in &mut results.outcome.checks[..5] {
        (check.verdict, check.violated) = ("fail".into(), 1);
    }
    results.outcome.verdict = "fail".into();
    let said = said(&results);
    assert!(
        said.starts_with(
            "Fail: the checks agreement, prefix-order, at-most-once and 2 more were violated 5 \
             times; 99th percentile latency of workload w0 4 s is 20 % below its limit of 5 s, "
        ),
        "{said}"
    );
    assert!(
        said.contains("workload w2 4 s is 20 % below its limit of 5 s, and 3 more; "),
        "{said}"
    );
    assert!(!said.contains("w3"), "{said}");
}

#[test]
fn margins_are_told_as_people_do() {
    let cases = [
        // Limit, value, margin as `Limit::margin` gives it, the words.
        (
            "at most 5s",
            "1.31s",
            0.738,
            "1.31 s is 74 % below its limit of 5 s",
        ),
        ("at most 5s", "5s", 0.0, "5 s is at its limit of 5 s"),
        (
            "at most 5s",
            "5s",
            -0.0002,
            "5 s is just above its limit of 5 s",
        ),
        (
            "below 5s",
            "4.95s",
            0.01,
            "4.95 s is 1 % below its limit of 5 s",
        ),
        (
            "at most 5s",
            "15s",
            -2.0,
            "15 s is 3 times its limit of 5 s",
        ),
        (
            "at most 5s",
            "4ms",
            0.9992,
            "4 ms is 99.92 % below its limit of 5 s",
        ),
        (
            "at least 100/s",
            "150/s",
            0.5,
            "150/s is 50 % above its limit of 100/s",
        ),
        (
            "at least 100/s",
            "250/s",
            1.5,
            "250/s is 2.5 times its limit of 100/s",
        ),
        (
            "above 100/s",
            "80/s",
            -0.2,
            "80/s is 20 % below its limit of 100/s",
        ),
        (
            "at least 95%",
            "99.2%",
            0.0442,
            "99.2 % is 4.2 points above its limit of 95 %",
        ),
        (
            "at least 95%",
            "93%",
            -0.0211,
            "93 % is 2 points below its limit of 95 %",
        ),
        ("at most 0", "3", -3.0, "3 is above its limit of 0"),
        ("at most 0s", "0s", 0.0, "0 s is at its limit of 0 s"),
        ("exactly 20", "20", 0.0, "20 is exactly 20"),
        ("exactly 20", "21", -0.05, "21 is not exactly 20"),
        (
            "between 1s and 2s",
            "3s",
            -0.5,
            "3 s is not between 1 s and 2 s",
        ),
        (
            "within 5% of 100/s",
            "104/s",
            0.01,
            "104/s is within 5 % of 100/s",
        ),
    ];
    for (limit, value, margin, words) in cases {
        let mut results = sample();
        results.outcome.expectations = vec![expectation("latency_max", limit, value, margin)];
        let said = said(&results);
        let (_, rest) = said.split_once(": largest latency ").unwrap();
        assert_eq!(rest.split(';').next().unwrap(), words, "{limit}, {value}");
    }
}

#[test]
fn the_page_begins_with_the_sentence_in_its_colour() {
    let colours = [
        ("pass", "pass"),
        ("fail", "fail"),
        ("unknown", "unknown"),
        ("missed", "fail"),
        ("partial", "unknown"),
        ("no-expectations", "pass"),
        ("empty", "unknown"),
    ];
    for (name, colour) in colours {
        let (_, case) = cases::CASES.iter().find(|(n, _)| *n == name).unwrap();
        let results = case();
        let page = markup::html(&file(&results, "report.html")).unwrap();
        let sentences: Vec<_> = page
            .all("p")
            .into_iter()
            .filter(|p| p.text().ends_with('.'))
            .collect();
        assert_eq!(sentences[0].text(), headline(&results), "{name}");
        let class = sentences[0].attribute("class").unwrap();
        assert_eq!(class, format!("answer {colour}"), "{name}");
    }
}
