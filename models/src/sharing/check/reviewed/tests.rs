#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::sharing::message::Ask;
use crate::sharing::testing::{Bench, SUPERVISION, desk_of, read, register, urgent_read};
use consim_core::Verdict;

const WITHIN: Span = Span::from_secs(20);

/// What the check finds of all that happened.
fn found(bench: &Bench) -> Finding {
    let mut check = EmergencyReviewed::new(WITHIN);
    for (at, node, probe) in &bench.probes {
        check.probe(*at, *node, probe);
    }
    check.end(bench.now);
    check.finding()
}
fn opened() -> Bench {
    let mut bench = Bench::new();
    bench.asked(desk_of(0), 1, register(7, "ann", b"body"));
    bench.asked(desk_of(1), 1, urgent_read(7));
    bench
}

#[test]
fn a_review_in_time_passes_and_a_late_or_missing_one_does_not() {
    for (after, reviewed, verdict) in [
        (10, true, Verdict::Pass),
        (30, true, Verdict::Fail),
        (30, false, Verdict::Fail),
        (10, false, Verdict::Unknown),
    ] {
        let mut bench = opened();
        bench.run(Span::from_secs(after));
        if reviewed {
            bench.asked(desk_of(SUPERVISION.0), 1, Ask::Sweep);
        }
        let found = found(&bench);
        assert_eq!(found.verdict, verdict, "{after} {reviewed}: {found:?}");
    }
}

#[test]
fn a_reading_before_it_is_no_review() {
    let mut bench = Bench::new();
    bench.asked(desk_of(0), 1, register(7, "ann", b"body"));
    bench.asked(desk_of(SUPERVISION.0), 1, Ask::Sweep);
    bench.asked(desk_of(1), 1, urgent_read(7));
    bench.run(Span::from_secs(30));
    assert_eq!(found(&bench).verdict, Verdict::Fail);
}

#[test]
fn other_accesses_need_no_review() {
    let mut bench = Bench::new();
    bench.asked(desk_of(0), 1, register(7, "ann", b"body"));
    bench.asked(desk_of(0), 2, read(7));
    bench.asked(desk_of(1), 1, read(7));
    bench.run(Span::from_secs(30));
    assert_eq!(found(&bench).verdict, Verdict::Unknown);
}
