//! Availability of services.

use super::*;
use crate::outcome::ServiceOutcome;

const DAY: u64 = 86_400;

/// A run of some days without a warm-up, and a list of operations: asked for at, answered after (or
/// given up, if negative), both in seconds. The shortest deadline is 60 s.
fn services(days: u64, operations: &[(u64, i64)]) -> Vec<ServiceOutcome> {
    watched(days, operations).services()
}

fn watched(days: u64, operations: &[(u64, i64)]) -> Metrics {
    let mut m = Metrics::new(MetricsConfig {
        warmup: Time::ZERO,
        end: s(days * DAY),
        interval: Span::from_secs(DAY),
        ..config()
    });
    let mut events: Vec<(u64, u64, bool, i64)> = Vec::new();
    for (op, &(at, after)) in (0..).zip(operations) {
        events.push((at, op, false, after));
        events.push((at + after.unsigned_abs(), op, true, after));
    }
    events.sort_unstable();
    for (at, op, over, after) in events {
        let probe = if over {
            let end = if after < 0 {
                OpEnd::GaveUp
            } else {
                OpEnd::Done
            };
            ended(op, 0, "read", s(at - after.unsigned_abs()), end)
        } else {
            asked(op, 0, "read", MINUTE)
        };
        m.probe(s(at), NodeId(0), &probe);
    }
    m.end(s(days * DAY));
    m
}

/// One operation a quarter of an hour, answered in a second, except where `slow` says so.
fn days(n: u64, slow: impl Fn(u64) -> Option<i64>) -> Vec<(u64, i64)> {
    (0..n * 96)
        .map(|i| (i * 900, slow(i * 900).unwrap_or(1)))
        .collect()
}

#[test]
fn a_wait_beyond_the_deadline_is_an_outage_as_long_as_it_was() {
    let all = services(20, &days(20, |at| (at == 5 * DAY).then_some(600)));
    let [service] = &all[..] else {
        panic!("one service was asked")
    };
    assert_eq!(service.id, "records");
    assert_eq!((service.outages, service.unavailable_s), (1, 600.0));
    assert_eq!(service.longest_outage_s, 600.0);
    assert_eq!((service.days, service.days_with_outage), (20, 1));
    // From the first request to the last answer all is known but what borders on the outage: the
    // 300 s from its end to the next request, and the 899 s from the answer before it.
    let known = 20.0 * DAY as f64 - 899.0;
    assert_eq!(service.observed_s, known - 300.0 - 899.0);
    assert_eq!(service.observed_s + service.unknown_s, 20.0 * DAY as f64);
    let a_year = service.unavailable_min_per_year.unwrap();
    let share = 600.0 / service.observed_s;
    assert!((a_year.estimate - share * 525_600.0).abs() < 1e-6);
    assert!(a_year.low >= 0.0 && a_year.low < a_year.estimate && a_year.high > a_year.estimate);
}

#[test]
fn what_users_have_within_the_deadline_is_no_outage() {
    let [service] = &services(12, &days(12, |at| (at % DAY == 0).then_some(59)))[..] else {
        panic!("one service was asked")
    };
    assert_eq!((service.outages, service.unavailable_s), (0, 0.0));
    let a_year = service.unavailable_min_per_year.unwrap();
    // Never seen in twelve days is not never.
    assert!(a_year.estimate == 0.0 && !a_year.is_bounded());
    let exact = 1.0 - libm::pow(0.025, 1.0 / 12.0);
    assert!((service.days_with_outage_at_most - exact).abs() < 1e-9);
}

#[test]
fn failures_on_both_sides_make_the_time_between_an_outage() {
    // From noon to one o'clock of one day all give up after 30 s: 12:00, 12:15, 12:30, 12:45.
    let noon = 3 * DAY + DAY / 2;
    let down = days(10, |at| (noon..noon + 3_600).contains(&at).then_some(-30));
    let [service] = &services(10, &down)[..] else {
        panic!("one service was asked")
    };
    assert_eq!((service.outages, service.unavailable_s), (1, 2_730.0));
    assert_eq!(service.longest_outage_s, 2_730.0);
}

#[test]
fn no_load_is_no_evidence() {
    // Answered at eight in the morning of each day, and nothing else asked for.
    let morning: Vec<(u64, i64)> = (0..10).map(|day| (day * DAY + 28_800, 10)).collect();
    let [service] = &services(10, &morning)[..] else {
        panic!("one service was asked")
    };
    assert_eq!((service.observed_s, service.outages), (100.0, 0));
    assert_eq!(service.unknown_s, 10.0 * DAY as f64 - 100.0);
    assert!(services(10, &[]).is_empty(), "not available, but not known");
    // A night between two failures is not an outage of a night.
    let night = [(0, -30), (10 * 3_600, -30)];
    assert_eq!(services(10, &night)[0].unavailable_s, 60.0);
}

#[test]
fn a_year_is_not_told_from_a_few_days() {
    let [service] = &services(9, &days(9, |_| None))[..] else {
        panic!("one service was asked")
    };
    assert_eq!(service.unavailable_min_per_year, None);
    assert_eq!(service.days, 9);
    let path = "services.records.unavailable_per_year";
    assert!(!values(&watched(9, &days(9, |_| None))).contains_key(path));
    // A gate may ask for it from ten days on: milliseconds of a year.
    let long = watched(20, &days(20, |at| (at == 5 * DAY).then_some(600)));
    let share = 600.0 / long.services()[0].observed_s;
    let a_year = values(&long)[path];
    assert!((a_year - share * 365.0 * 86_400e3).abs() < 1e-3, "{a_year}");
}

#[test]
fn the_warm_up_is_left_out() {
    let mut m = Metrics::new(config());
    m.probe(s(0), NodeId(0), &asked(1, 0, "read", Span::from_secs(2)));
    m.probe(s(15), NodeId(0), &ended(1, 0, "read", s(0), OpEnd::Done));
    m.end(s(100));
    // Of 15 s without an answer, those after the warm-up of 10 s.
    assert_eq!(m.services()[0].unavailable_s, 5.0);
}
