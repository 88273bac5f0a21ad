//! What a run came to: its verdict and its exit code.
//!
//! The *verdict* says what is known of correctness. It is `fail` if a check failed; else `unknown`
//! if a check is unknown, the run was cut short, or nothing fed the metric of an expectation; else
//! `pass`. A missed expectation is no violation and leaves the verdict as it is: the exit code says it.
//!
//! The *exit code* is the first that applies: 10 a safety check failed, 11 a liveness check failed,
//! 12 an expectation was missed, 13 the verdict is unknown, 0.

use crate::outcome::Outcome;
use consim_core::{Severity, Verdict};

#[cfg(test)]
mod tests;

/// Everything passed.
pub const EXIT_PASS: u8 = 0;
/// Safety was violated.
pub const EXIT_SAFETY: u8 = 10;
/// No liveness.
pub const EXIT_LIVENESS: u8 = 11;
/// An expectation was missed.
pub const EXIT_EXPECTATION: u8 = 12;
/// Unknown.
pub const EXIT_UNKNOWN: u8 = 13;

/// The word of a verdict in the outcome.
pub const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Unknown => "unknown",
        Verdict::Fail => "fail",
    }
}

/// The word of a severity in the outcome.
pub const fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Safety => "safety",
        Severity::Liveness => "liveness",
    }
}

/// The verdict of a run, out of its checks, its gates and whether it is whole.
pub fn run_verdict(outcome: &Outcome) -> Verdict {
    let any = |verdict: Verdict| outcome.checks.iter().any(|c| c.verdict == word(verdict));
    if any(Verdict::Fail) {
        Verdict::Fail
    } else if any(Verdict::Unknown)
        || outcome.partial
        || outcome.expectations.iter().any(|e| e.met.is_none())
    {
        Verdict::Unknown
    } else {
        Verdict::Pass
    }
}

/// The exit code of a run.
pub fn exit_code(outcome: &Outcome) -> u8 {
    let failed = |severity: Severity| {
        outcome.checks.iter().any(|check| {
            check.verdict == word(Verdict::Fail) && check.severity == severity_word(severity)
        })
    };
    if failed(Severity::Safety) {
        EXIT_SAFETY
    } else if failed(Severity::Liveness) {
        EXIT_LIVENESS
    } else if outcome.expectations.iter().any(|e| e.met == Some(false)) {
        EXIT_EXPECTATION
    } else if run_verdict(outcome) == Verdict::Pass {
        EXIT_PASS
    } else {
        EXIT_UNKNOWN
    }
}
