//! The first sentence of a report: verdict, margin to the expectation, bottleneck.

use crate::words::{self, NBSP};
use consim_check::outcome::{CheckOutcome, ExpectationOutcome, Outcome};
use consim_check::results::Results;

/// Checks or expectations that the sentence names; of more it gives the number.
const NAMED: usize = 3;
/// Characters of a name in it.
const NAME: usize = 60;
/// Characters of the sentence on the bottleneck in it.
const BOTTLENECK: usize = 200;

/// The answer of a run in one sentence: what decided first, then what else a reader must know.
///
/// ```text
/// Pass: 99th percentile latency 1.31 s is 74 % below its limit of 5 s, availability 99.2 % is
/// 4.2 points above its limit of 95 %; no check was violated; the block interval, not any machine,
/// sets the pace.
/// ```
pub fn headline(results: &Results) -> String {
    let outcome = &results.outcome;
    let clauses = [
        violated(results),
        missing(results),
        gates(outcome, false),
        cut_short(outcome),
        unfed(outcome),
        unjudged(outcome),
        gates(outcome, true),
        unbounded(results),
        unviolated(outcome),
        bottleneck(results),
    ];
    let clauses: Vec<String> = clauses.into_iter().flatten().collect();
    format!("{}: {}.", answer(outcome).1, clauses.join("; "))
}

/// The colour class and the word of the answer. A missed expectation outranks a pass of the
/// checks: the gates are part of the question.
pub(crate) fn answer(outcome: &Outcome) -> (&'static str, &'static str) {
    let missed = outcome.expectations.iter().any(|e| e.met == Some(false));
    match (outcome.verdict.as_str(), missed) {
        ("pass", false) => ("pass", "Pass"),
        ("pass" | "unknown", true) => ("fail", "Expectation missed"),
        ("unknown", false) => ("unknown", "Unknown"),
        _ => ("fail", "Fail"),
    }
}

/// A verdict by its word; what is neither `pass` nor `unknown` is a failure.
pub(crate) fn verdict(word: &str) -> &'static str {
    match word {
        "pass" => "pass",
        "unknown" => "unknown",
        _ => "fail",
    }
}

/// How the checks ended, in words: `1 failed`, `2 unknown`, `9 passed`; those that there are.
pub(crate) fn tally(checks: &[CheckOutcome]) -> Vec<String> {
    [
        ("fail", "failed"),
        ("unknown", "unknown"),
        ("pass", "passed"),
    ]
    .into_iter()
    .map(|(word, said)| (with(checks, word).count(), said))
    .filter(|(n, _)| *n > 0)
    .map(|(n, said)| format!("{n} {said}"))
    .collect()
}

/// The checks with a verdict.
pub(crate) fn with<'a>(
    checks: &'a [CheckOutcome],
    word: &'static str,
) -> impl Iterator<Item = &'a CheckOutcome> {
    checks.iter().filter(move |c| verdict(&c.verdict) == word)
}

/// The names of the checks with a verdict, as a subject: `the checks agreement and consent`.
fn checks(outcome: &Outcome, word: &'static str) -> Option<(String, usize)> {
    let names: Vec<&str> = with(&outcome.checks, word)
        .map(|c| c.name.as_str())
        .collect();
    let noun = if names.len() == 1 { "check" } else { "checks" };
    (!names.is_empty()).then(|| (format!("the {noun} {}", few(&names)), names.len()))
}

/// `three, four, five and 2 more`.
fn few<S: AsRef<str>>(names: &[S]) -> String {
    let mut said: Vec<String> = names
        .iter()
        .take(NAMED)
        .map(|name| words::clip(name.as_ref(), NAME))
        .collect();
    if names.len() > NAMED {
        said.push(format!("{} more", names.len() - NAMED));
    }
    words::list(&said)
}

/// Is the check the one that the scenario is meant to violate?
fn meant(results: &Results) -> impl Fn(&CheckOutcome) -> bool + '_ {
    |check| results.meant.as_ref() == Some(&check.name)
}

/// What was meant to be violated, and was not.
fn missing(results: &Results) -> Option<String> {
    let name = results.meant.as_ref()?;
    let mut failed = with(&results.outcome.checks, "fail");
    (!failed.any(meant(results)))
        .then(|| format!("the check {name} was meant to be violated, and was not"))
}

fn violated(results: &Results) -> Option<String> {
    let outcome = &results.outcome;
    let (subject, n) = checks(outcome, "fail")?;
    let violations: u64 = outcome.checks.iter().map(|c| c.violated).sum();
    let verb = if n == 1 { "was" } else { "were" };
    let times = match violations {
        0 => String::new(),
        n => format!(" {}", words::counted(n, "time", "times")),
    };
    let all = with(&outcome.checks, "fail").all(meant(results));
    let expected = if all { ", as the scenario expects" } else { "" };
    Some(format!("{subject} {verb} violated{times}{expected}"))
}

fn cut_short(outcome: &Outcome) -> Option<String> {
    let at = words::seconds(outcome.virtual_seconds);
    outcome
        .partial
        .then(|| format!("the run was cut short at {at}"))
}

fn unjudged(outcome: &Outcome) -> Option<String> {
    let (subject, _) = checks(outcome, "unknown")?;
    let judged = with(&outcome.checks, "unknown").any(|c| c.evaluated > 0);
    Some(if judged {
        format!("{subject} could not be decided")
    } else {
        format!("{subject} judged nothing")
    })
}

fn unviolated(outcome: &Outcome) -> Option<String> {
    let any = |word| with(&outcome.checks, word).next().is_some();
    if any("fail") {
        None
    } else if any("unknown") && any("pass") {
        Some("no other check was violated".into())
    } else if any("pass") {
        Some("no check was violated".into())
    } else if any("unknown") {
        None
    } else {
        Some("no check applied".into())
    }
}

/// The expectations that were missed, or, if none was, those that were met.
fn gates(outcome: &Outcome, met: bool) -> Option<String> {
    let all = &outcome.expectations;
    if met && all.iter().any(|e| e.met == Some(false)) {
        return None;
    }
    let picked: Vec<&ExpectationOutcome> = all.iter().filter(|e| e.met == Some(met)).collect();
    let mut said: Vec<String> = picked.iter().take(NAMED).map(|e| gate(e)).collect();
    if picked.len() > NAMED {
        said.push(format!("and {} more", picked.len() - NAMED));
    }
    (!said.is_empty()).then(|| said.join(", "))
}

fn unfed(outcome: &Outcome) -> Option<String> {
    let open: Vec<String> = outcome
        .expectations
        .iter()
        .filter(|e| e.met.is_none())
        .map(|e| words::metric(&e.path))
        .collect();
    (!open.is_empty()).then(|| format!("nothing measured {}", few(&open)))
}

/// What a run without expectations has to say for itself.
fn unbounded(results: &Results) -> Option<String> {
    let outcome = &results.outcome;
    if !outcome.expectations.is_empty() {
        return None;
    }
    let rate = words::short(outcome.throughput.tx_per_s);
    let none = match results.meant {
        Some(_) => "",
        None => ", no expectation was set",
    };
    Some(if outcome.latency_ms.count > 0 {
        format!(
            "{rate}{NBSP}transactions a second at a 99th percentile latency of {}{none}",
            words::millis(outcome.latency_ms.p99)
        )
    } else {
        format!("{rate}{NBSP}transactions a second, no operation was answered{none}")
    })
}

fn bottleneck(results: &Results) -> Option<String> {
    let sentence = words::first_sentence(&results.bottleneck);
    let said = words::clip(&words::lower_first(sentence), BOTTLENECK);
    (!said.is_empty()).then_some(said)
}

/// One gate: `99th percentile latency 1.31 s is 74 % below its limit of 5 s`.
fn gate(e: &ExpectationOutcome) -> String {
    let name = words::clip(&words::metric(&e.path), NAME);
    let Some(value) = &e.value else {
        return format!("{name} was not measured");
    };
    let value = words::clip(&words::quantity(value), NAME);
    let limit = words::clip(&words::limit(&e.limit), NAME);
    match (margin(e), bound(&e.limit)) {
        (Some(margin), Some((_, bound))) => {
            let bound = words::clip(&words::quantity(bound), NAME);
            format!("{name} {value} is {margin} its limit of {bound}")
        }
        _ if e.met == Some(true) => format!("{name} {value} is {limit}"),
        _ => format!("{name} {value} is not {limit}"),
    }
}

/// Is a one-sided limit an upper one, and what is its bound as written?
pub(crate) fn bound(limit: &str) -> Option<(bool, &str)> {
    let limit = limit.trim();
    let sides = [
        ("at most ", true),
        ("below ", true),
        ("at least ", false),
        ("above ", false),
    ];
    sides
        .into_iter()
        .find_map(|(words, upper)| Some((upper, limit.strip_prefix(words)?.trim())))
}

/// How a value lies to a one-sided limit, as in `74 % below` it, `at` it, `3 times` it.
pub(crate) fn margin(e: &ExpectationOutcome) -> Option<String> {
    let (upper, bound) = bound(&e.limit)?;
    let met = e.met?;
    let margin = e.margin.filter(|m| m.is_finite())?.abs();
    let below = upper == met;
    let side = if below { "below" } else { "above" };
    let percentage = bound.strip_suffix('%').map(str::trim);
    let number = bound.trim_end_matches(|c: char| !c.is_ascii_digit());
    let bound: Option<f64> = percentage.unwrap_or(number).parse().ok();
    Some(if margin < 5e-4 && met {
        "at".into()
    } else if margin < 5e-4 {
        format!("just {side}")
    } else if bound == Some(0.0) {
        // No share of nothing.
        side.into()
    } else if let (Some(_), Some(bound)) = (percentage, bound) {
        // Shares lie points apart: 99 % is not "4 % above" 95 %.
        let points = words::short(margin * bound);
        let noun = if points == "1" { "point" } else { "points" };
        format!("{points}{NBSP}{noun} {side}")
    } else if margin >= 1.0 && !below {
        format!(
            "{} times",
            words::short(((1.0 + margin) * 10.0).round() / 10.0)
        )
    } else if (0.1..0.995).contains(&margin) {
        format!("{}{NBSP}% {side}", (margin * 100.0).round())
    } else {
        format!("{} {side}", words::percent(margin))
    })
}
