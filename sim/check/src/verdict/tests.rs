#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::outcome::{CheckOutcome, ExpectationOutcome};
use serde_json::json;

fn outcome(checks: &[(Severity, Verdict)], met: &[Option<bool>], partial: bool) -> Outcome {
    let mut outcome: Outcome = serde_json::from_value(json!({
        "schema": 1, "scenario": "", "variant": null, "seed": 1, "version": "",
        "plan_digest": "", "design_digest": "", "run_digest": "", "partial": partial,
        "verdict": "", "virtual_seconds": 1.0, "events": 0, "messages": 0, "bytes": 0,
        "throughput": { "submitted": 0, "committed": 0, "rejected": 0, "tx_per_s": 0.0 },
        "latency_ms": { "mean": 0.0, "p50": 0.0, "p95": 0.0, "p99": 0.0, "max": 0.0, "count": 0 },
        "operations": {}, "metrics": {}, "chains": [], "inputs": [], "checks": [], "faults": [],
        "attacks": [], "resilience": [], "expectations": []
    }))
    .unwrap();
    outcome.checks = checks
        .iter()
        .map(|&(severity, verdict)| CheckOutcome {
            name: "a".into(),
            code: "I1".into(),
            verdict: word(verdict).into(),
            severity: severity_word(severity).into(),
            evaluated: 1,
            sampled: None,
            violated: 0,
            says: String::new(),
            violations: Vec::new(),
            reasons: Vec::new(),
        })
        .collect();
    outcome.expectations = met
        .iter()
        .map(|&met| ExpectationOutcome {
            path: "throughput".into(),
            limit: "at least 1/s".into(),
            value: None,
            met,
            margin: None,
        })
        .collect();
    outcome
}

/// Checks, gates, cut short; verdict and exit code.
type Case<'a> = (
    &'a [(Severity, Verdict)],
    &'a [Option<bool>],
    bool,
    Verdict,
    u8,
);

#[test]
fn the_first_of_several_reasons_decides() {
    use Severity::{Liveness, Safety};
    use Verdict::{Fail, Pass, Unknown};
    let (yes, no, unfed) = (Some(true), Some(false), None);
    let cases: &[Case<'_>] = &[
        (&[], &[], false, Pass, 0),
        (&[(Safety, Pass), (Liveness, Pass)], &[yes], false, Pass, 0),
        (&[(Safety, Fail), (Liveness, Fail)], &[no], true, Fail, 10),
        (&[(Liveness, Fail), (Safety, Fail)], &[], false, Fail, 10),
        (&[(Safety, Pass), (Liveness, Fail)], &[no], true, Fail, 11),
        (
            &[(Safety, Unknown), (Liveness, Fail)],
            &[unfed],
            false,
            Fail,
            11,
        ),
        (&[(Safety, Pass)], &[yes, no], false, Pass, 12),
        (&[(Safety, Unknown)], &[no], true, Unknown, 12),
        (&[(Safety, Pass)], &[no, unfed], false, Unknown, 12),
        (
            &[(Safety, Unknown), (Safety, Pass)],
            &[yes],
            false,
            Unknown,
            13,
        ),
        (&[(Liveness, Unknown)], &[], false, Unknown, 13),
        (&[(Safety, Pass)], &[yes, unfed], false, Unknown, 13),
        (&[(Safety, Pass)], &[yes], true, Unknown, 13),
    ];
    for (i, (checks, met, partial, verdict, code)) in cases.iter().enumerate() {
        let outcome = outcome(checks, met, *partial);
        assert_eq!(run_verdict(&outcome), *verdict, "case {i}");
        assert_eq!(exit_code(&outcome), *code, "case {i}");
    }
}
