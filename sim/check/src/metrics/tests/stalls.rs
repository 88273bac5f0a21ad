//! Gaps.

use super::super::stalls::{Gap, Gaps, MAX_GAPS, PASSED_OVER, Stalls, within};
use super::*;

fn ends(gap: Option<Gap>) -> Option<(u64, u64)> {
    gap.map(|gap| {
        (
            gap.from.nanos() / 1_000_000_000,
            gap.to.nanos() / 1_000_000_000,
        )
    })
}

#[test]
fn a_gap_begins_with_the_first_who_waits_and_goes_on_while_somebody_does() {
    let mut stalls = Stalls::default();
    assert_eq!(ends(stalls.moved(s(1))), None, "nobody waits");
    let first = stalls.asked(s(2));
    let second = stalls.asked(s(3));
    assert_eq!(ends(stalls.moved(s(4))), Some((2, 4)));
    assert_eq!(ends(stalls.left(s(5), first, false)), None);
    assert_eq!(ends(stalls.left(s(6), second, false)), Some((4, 6)));
    assert_eq!(ends(stalls.moved(s(9))), None);
    assert_eq!(ends(stalls.end(s(10))), None);
}

#[test]
fn who_was_passed_over_waits_for_something_else() {
    let mut stalls = Stalls::default();
    let stuck = stalls.asked(s(0));
    for i in 1..PASSED_OVER as u64 {
        assert!(stalls.moved(s(i)).is_some());
    }
    assert!(
        stalls.moved(s(10)).is_some(),
        "up to here it may be in flight"
    );
    assert_eq!(stalls.moved(s(20)), None);
    assert_eq!(stalls.left(s(30), stuck, true), None);
    assert_eq!(stalls.end(s(40)), None);
}

#[test]
fn giving_up_ends_a_gap_and_two_that_failed_are_one() {
    let mut stalls = Stalls::default();
    let mut gaps = Gaps::default();
    let a = stalls.asked(s(0));
    gaps.push(stalls.left(s(5), a, true).unwrap());
    let b = stalls.asked(s(8));
    gaps.push(stalls.left(s(12), b, true).unwrap());
    let _ = stalls.asked(s(20));
    let served = stalls.moved(s(21)).unwrap();
    assert_eq!((served.gave_up, served.idle_since), (false, Some(s(12))));
    gaps.push(served);
    gaps.end();
    // The third was served at once: what lay before it is not known.
    assert_eq!(gaps.longer_than(Span::from_secs(2)), [(s(0), s(12))]);
    assert_eq!(gaps.longer_than(Span::from_secs(4)), [(s(0), s(5))]);
}

#[test]
fn only_what_lies_inside_counts() {
    let stretches = [(s(1), s(3)), (s(5), s(9)), (s(12), s(13))];
    let seconds = |from, to| {
        let (sum, longest) = within(&stretches, s(from), s(to));
        (sum.nanos() / 1_000_000_000, longest.nanos() / 1_000_000_000)
    };
    assert_eq!(seconds(0, 20), (7, 4));
    assert_eq!(seconds(2, 6), (2, 1));
    assert_eq!(seconds(3, 5), (0, 0));
    assert_eq!(seconds(6, 8), (2, 2));
    assert_eq!(seconds(13, 20), (0, 0));
}

#[test]
fn of_too_many_gaps_the_long_ones_stay() {
    let mut gaps = Gaps::default();
    for i in 0..5 * MAX_GAPS as u64 {
        let length = if i == 7 { 900 } else { i % 10 };
        gaps.push(Gap {
            from: s(i * 1000),
            to: s(i * 1000 + length),
            gave_up: false,
            idle_since: None,
        });
    }
    gaps.end();
    let long = gaps.longer_than(Span::from_secs(100));
    assert_eq!(long, [(s(7_000), s(7_900))]);
}
