//! The first sentence of a report: verdict, margin to the expectation, bottleneck.

use crate::words::{self, NBSP};
use consim_check::outcome::{CheckOutcome, ExpectationOutcome, Outcome};
use consim_check::results::Results;

/// The answer of a run in one sentence.
///
/// ```text
/// Pass: 99th percentile latency 1.31 s is 74 % below its limit of 5 s, availability 99.2 % is
/// 4.2 points above its limit of 95 %; no check was violated; the block interval, not any machine,
/// sets the pace.
/// ```
pub fn headline(results: &Results) -> String {
    let outcome = &results.outcome;
    let mut clauses = Vec::new();
    if outcome.partial {
        clauses.push(format!(
            "the run was cut short at {}",
            words::seconds(outcome.virtual_seconds)
        ));
    }
    let (checks, gates) = (checks_clause(&outcome.checks), gates_clause(outcome));
    // What decided comes first.
    if worst(&outcome.checks) == Some("fail") {
        clauses.extend(checks);
        clauses.extend(gates);
    } else {
        clauses.extend(gates);
        clauses.extend(checks);
    }
    let bottleneck = words::first_sentence(&results.bottleneck);
    if !bottleneck.is_empty() {
        clauses.push(words::lower_first(bottleneck));
    }
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

/// The worst verdict of the checks.
fn worst(checks: &[CheckOutcome]) -> Option<&str> {
    ["fail", "unknown", "pass"]
        .into_iter()
        .find(|v| checks.iter().any(|c| c.verdict == *v))
}

fn names(checks: &[CheckOutcome], verdict: &str) -> Vec<String> {
    checks
        .iter()
        .filter(|c| c.verdict == verdict)
        .map(|c| c.name.clone())
        .collect()
}

/// `three, four and 2 more`.
fn few(mut names: Vec<String>, max: usize) -> String {
    if names.len() > max {
        let more = names.len() - max;
        names.truncate(max);
        names.push(format!("{more} more"));
    }
    words::list(&names)
}

fn checks_clause(checks: &[CheckOutcome]) -> Vec<String> {
    let (failed, unknown) = (names(checks, "fail"), names(checks, "unknown"));
    let mut out = Vec::new();
    if !failed.is_empty() {
        let violations: u64 = checks.iter().map(|c| c.violated).sum();
        let noun = if failed.len() == 1 { "check" } else { "checks" };
        let verb = if failed.len() == 1 { "was" } else { "were" };
        out.push(format!(
            "the {noun} {} {verb} violated ({})",
            few(failed, 3),
            words::counted(violations, "violation", "violations")
        ));
    }
    if !unknown.is_empty() {
        let noun = if unknown.len() == 1 {
            "check"
        } else {
            "checks"
        };
        out.push(format!("the {noun} {} judged nothing", few(unknown, 3)));
    }
    if out.is_empty() {
        out.push(if checks.is_empty() {
            "no check applied".into()
        } else {
            "no check was violated".into()
        });
    } else if worst(checks) != Some("fail") {
        out.push("none was violated".into());
    }
    out
}

fn gates_clause(outcome: &Outcome) -> Vec<String> {
    let gates = &outcome.expectations;
    let mut pick: Vec<&ExpectationOutcome> =
        gates.iter().filter(|e| e.met == Some(false)).collect();
    if pick.is_empty() {
        pick = gates.iter().filter(|e| e.met == Some(true)).collect();
    }
    let mut out = Vec::new();
    if !pick.is_empty() {
        let more = pick.len().saturating_sub(3);
        let mut said: Vec<String> = pick.iter().take(3).map(|e| gate(e)).collect();
        if more > 0 {
            said.push(format!("and {more} more"));
        }
        out.push(said.join(", "));
    }
    let unfed: Vec<String> = gates
        .iter()
        .filter(|e| e.met.is_none())
        .map(|e| words::metric(&e.path))
        .collect();
    if !unfed.is_empty() {
        out.push(format!("nothing measured {}", few(unfed, 3)));
    }
    if gates.is_empty() && outcome.latency_ms.count > 0 {
        out.push(format!(
            "{} transactions a second at a 99th percentile latency of {}, no expectation was set",
            words::short(outcome.throughput.tx_per_s),
            words::millis(outcome.latency_ms.p99)
        ));
    }
    out
}

/// One gate: `99th percentile latency 1.31 s is 74 % below its limit of 5 s`.
fn gate(e: &ExpectationOutcome) -> String {
    let name = words::metric(&e.path);
    let Some(value) = &e.value else {
        return format!("{name} was not measured");
    };
    format!("{name} {} {}", words::quantity(value), relation(e))
}

/// How a value lies to its limit.
pub(crate) fn relation(e: &ExpectationOutcome) -> String {
    let met = e.met.unwrap_or_default();
    let words_of = |w: &[&str]| w.iter().find_map(|p| e.limit.trim().strip_prefix(*p));
    let upper = words_of(&["at most ", "below "]);
    let lower = words_of(&["at least ", "above "]);
    let margin = e.margin.filter(|m| m.is_finite());
    let (Some(bound), Some(margin)) = (upper.or(lower), margin) else {
        let said = words::limit(&e.limit);
        return if met {
            format!("is {said}")
        } else {
            format!("is not {said}")
        };
    };
    let side = if upper.is_some() == met {
        "below"
    } else {
        "above"
    };
    let limit = words::quantity(bound);
    let distance = match bound.trim().strip_suffix('%').map(str::trim) {
        // Shares lie points apart: 99 % is not "4 % above" 95 %.
        Some(p) => p.parse::<f64>().map_or_else(
            |_| words::percent(margin.abs()),
            |p| format!("{}{NBSP}points", words::short(margin.abs() * p)),
        ),
        None => percent_of(margin.abs()),
    };
    if margin.abs() < 5e-4 {
        return format!("is at its limit of {limit}");
    }
    format!("is {distance} {side} its limit of {limit}")
}

/// A margin in whole per cent where that says enough.
fn percent_of(margin: f64) -> String {
    if (0.1..0.995).contains(&margin) {
        format!("{}{NBSP}%", (margin * 100.0).round())
    } else if margin >= 2.0 {
        format!("{} times", words::short((margin * 10.0).round() / 10.0))
    } else {
        words::percent(margin)
    }
}
