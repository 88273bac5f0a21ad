//! What faults did to the service.

use super::*;

/// 2 blocks of 10 transactions a second, except in `stalls` (milliseconds); operations are
/// answered in 100 ms, or 300 ms if asked for in one.
fn history(m: &mut Metrics, stalls: &[(u64, u64)], faults: &[(u64, &str, bool)]) {
    let mut world = World::new(4);
    let mut number = 0;
    let mut faults = faults.iter().peekable();
    for at in (0..100_000).step_by(500) {
        while let Some((when, id, open)) = faults.next_if(|(when, ..)| *when <= at) {
            m.fault(ms(*when), id, *open);
        }
        let stalled = stalls.iter().any(|&(from, to)| (from..to).contains(&at));
        m.probe(ms(at), NodeId(0), &asked(at, 0, "read", MINUTE));
        if !stalled {
            let txs = (0..10).map(|i| world.tx(0, number + i)).collect();
            number += 10;
            let block = world.block(txs);
            m.probe(ms(at), NodeId(0), &applied(&block));
        }
        let latency = if stalled { 300 } else { 100 };
        let end = ended(at, 0, "read", ms(at), OpEnd::Done);
        m.probe(ms(at + latency), NodeId(0), &end);
    }
    m.end(s(100));
}

#[test]
fn a_stall_is_downtime_up_to_the_first_commit() {
    let mut m = metrics();
    let faults = [(40_000, "crash", true), (50_000, "crash", false)];
    history(&mut m, &[(40_000, 55_000)], &faults);
    // 150 blocks in the 80 s outside: bins of 5 x 533 ms, in cells of 10 ms.
    assert_eq!(m.downtime_bin(), Some(Span::from_millis(2_670)));
    let [r] = &m.resilience()[..] else {
        panic!("one window")
    };
    assert_eq!(r.id, "crash");
    assert_eq!(r.downtime_s, 15.0);
    assert_eq!(r.time_to_first_commit_s, Some(5.0));
    assert_eq!(r.lost, 0);
    // Inside all took 300 ms; outside, 150 took 100 ms and the 10 after the window 300 ms.
    let outside = 10.0 / 160.0;
    let expected = 0.2 * (1.0 - outside);
    assert!((r.sensitivity - expected).abs() < 1e-3, "{}", r.sensitivity);
}

#[test]
fn a_fault_that_stops_nothing_is_no_downtime() {
    let mut m = metrics();
    let faults = [(40_000, "loss", true), (50_000, "loss", false)];
    history(&mut m, &[], &faults);
    let [r] = &m.resilience()[..] else {
        panic!("one window")
    };
    assert_eq!(r.downtime_s, 0.0);
    assert_eq!(r.time_to_first_commit_s, Some(0.0));
    assert_eq!(r.sensitivity, 0.0);
}

#[test]
fn part_of_a_window_can_be_down() {
    let mut m = metrics();
    let faults = [(40_000, "crash", true), (60_000, "crash", false)];
    // The first 10 s are down; bins of 2.5 s.
    history(&mut m, &[(40_000, 50_000)], &faults);
    assert_eq!(m.downtime_bin(), Some(Span::from_millis(2_500)));
    assert_eq!(m.resilience()[0].downtime_s, 10.0);
    assert_eq!(m.resilience()[0].time_to_first_commit_s, Some(0.0));
}

#[test]
fn a_service_that_never_comes_back_is_down_to_the_end() {
    let mut m = metrics();
    let faults = [(40_000, "crash", true), (50_000, "crash", false)];
    history(&mut m, &[(40_000, 100_000)], &faults);
    let r = &m.resilience()[0];
    assert_eq!(r.downtime_s, 60.0);
    assert_eq!(r.time_to_first_commit_s, None);
}

#[test]
fn a_window_that_is_open_at_the_end_has_no_time_to_first_commit() {
    let mut m = metrics();
    history(&mut m, &[], &[(40_000, "loss", true)]);
    let r = &m.resilience()[0];
    assert_eq!(r.time_to_first_commit_s, None);
    assert_eq!(r.downtime_s, 0.0);
}

#[test]
fn overlapping_windows_are_told_apart_and_the_usual_is_outside_of_both() {
    let mut m = metrics();
    let faults = [
        (30_000, "crash", true),
        (40_000, "cut", true),
        (50_000, "crash", false),
        (60_000, "cut", false),
        (70_000, "crash", true),
        (80_000, "crash", false),
    ];
    history(&mut m, &[(45_000, 55_000)], &faults);
    let r = m.resilience();
    let ids: Vec<&str> = r.iter().map(|r| r.id.as_str()).collect();
    assert_eq!(ids, ["crash", "cut", "crash"]);
    // Bins of 2.5 s from 30 s on; from 45 s to the first commit at 55 s.
    assert_eq!(r[0].downtime_s, 10.0);
    assert_eq!(r[0].time_to_first_commit_s, Some(5.0));
    assert_eq!(r[1].downtime_s, 10.0);
    assert_eq!(r[1].time_to_first_commit_s, Some(0.0));
    assert_eq!(r[2].downtime_s, 0.0);
    // A quarter of the 40 operations of `crash` took 0.2 s longer, half of the 40 of `cut`.
    assert!((r[0].sensitivity - 0.05).abs() < 1e-3);
    assert!((r[1].sensitivity - 0.1).abs() < 1e-3);
    assert_eq!(r[2].sensitivity, 0.0);
}

#[test]
fn without_anything_to_compare_with_there_is_no_value() {
    // The window is the whole run.
    let mut m = metrics();
    history(&mut m, &[], &[(0, "loss", true)]);
    let r = &m.resilience()[0];
    assert!(r.downtime_s.is_nan() && r.sensitivity.is_nan());
    assert_eq!(m.downtime_bin(), None);
    // Nothing at all happens.
    let mut m = metrics();
    m.fault(s(20), "loss", true);
    m.fault(s(30), "loss", false);
    m.end(s(100));
    let r = &m.resilience()[0];
    assert!(r.downtime_s.is_nan() && r.sensitivity.is_nan());
    assert_eq!(r.time_to_first_commit_s, None);
}

#[test]
fn a_window_too_short_to_tell_has_no_downtime() {
    let mut m = metrics();
    let faults = [(40_100, "blip", true), (40_200, "blip", false)];
    history(&mut m, &[], &faults);
    let r = &m.resilience()[0];
    assert!(r.downtime_s.is_nan(), "{}", r.downtime_s);
    assert_eq!(r.time_to_first_commit_s, Some(0.3));
}

#[test]
fn lost_operations_are_those_asked_for_inside_that_failed() {
    let mut m = metrics();
    operate(&mut m, 1, 0, s(15), Span::from_secs(30), OpEnd::GaveUp);
    m.fault(s(20), "cut", true);
    m.probe(s(20), NodeId(0), &asked(2, 0, "read", MINUTE));
    m.probe(s(21), NodeId(0), &asked(3, 0, "read", MINUTE));
    m.probe(s(22), NodeId(0), &asked(4, 0, "read", MINUTE));
    m.fault(s(30), "cut", false);
    m.probe(s(30), NodeId(0), &asked(5, 0, "read", MINUTE));
    m.probe(s(31), NodeId(0), &ended(2, 0, "read", s(20), OpEnd::GaveUp));
    m.probe(s(32), NodeId(0), &ended(3, 0, "read", s(21), OpEnd::Done));
    m.end(s(100));
    // Given up, and open past its deadline; the one at 30 s was asked for after the window.
    assert_eq!(m.resilience()[0].lost, 2);
}

#[test]
fn windows_beyond_the_limit_disturb_but_have_no_figures() {
    let mut m = metrics();
    let faults: Vec<(u64, &str, bool)> = std::iter::repeat_n((40_000, "a", true), MAX_WINDOWS)
        .chain(std::iter::repeat_n((41_000, "a", false), MAX_WINDOWS))
        .chain([(50_000, "b", true), (60_000, "b", false)])
        .collect();
    history(&mut m, &[(50_000, 60_000)], &faults);
    assert_eq!(m.resilience().len(), MAX_WINDOWS);
    assert_eq!(m.left_out(), (0, 1));
    // Outside of all: 90 s less 11 s, with two blocks a second.
    assert_eq!(m.downtime_bin(), Some(Span::from_millis(2_500)));
}

#[test]
fn cells_grow_in_a_long_run() {
    let end = s(10 * MAX_CELLS);
    let mut m = Metrics::new(MetricsConfig { end, ..config() });
    history(
        &mut m,
        &[],
        &[(40_000, "cut", true), (50_000, "cut", false)],
    );
    // One cell of ten seconds: bins and windows are whole cells.
    assert_eq!(m.downtime_bin(), Some(Span::from_secs(10)));
    assert_eq!(m.resilience()[0].downtime_s, 0.0);
}

#[test]
fn a_close_without_an_open_is_ignored() {
    let mut m = metrics();
    m.fault(s(20), "cut", false);
    m.end(s(100));
    assert!(m.resilience().is_empty());
}
