//! What faults did to the service.

use super::super::resilience::LEAST_GAPS;
use super::*;

/// Every half second something is asked for, is in a block 50 ms later and answered after 100 ms. In
/// `stalls` (milliseconds) there are no blocks: all that was asked for in one is in a block 50 ms
/// after its end.
fn history(m: &mut Metrics, stalls: &[(u64, u64)], faults: &[(u64, &str, bool)]) {
    let mut events: Vec<(u64, u8, u64)> = Vec::new();
    for (number, at) in (0_u64..).zip((0..100_000).step_by(500)) {
        let stall = stalls.iter().find(|(from, to)| (*from..*to).contains(&at));
        let moves = stall.map_or(at, |stall| stall.1);
        events.push((at, 1, number));
        if moves < 100_000 {
            events.push((moves + 50, 2, number));
            events.push((moves + 100, 3, number));
        }
    }
    for &(at, ..) in faults {
        events.push((at, 0, 0));
    }
    events.sort_unstable();
    let mut faults = faults.iter();
    let mut world = World::new(4);
    let mut asked_at = BTreeMap::new();
    for (at, what, number) in events {
        match what {
            0 => {
                let (when, id, open) = faults.next().unwrap();
                m.fault(ms(*when), id, *open);
            }
            1 => {
                asked_at.insert(number, at);
                m.probe(ms(at), NodeId(0), &asked(number, 0, "grant", MINUTE));
            }
            2 => {
                let block = world.block(vec![world.tx(0, number)]);
                m.probe(ms(at), NodeId(0), &applied(&block));
            }
            _ => {
                let end = ended(number, 0, "grant", ms(asked_at[&number]), OpEnd::Done);
                m.probe(ms(at), NodeId(0), &end);
            }
        }
    }
    m.end(s(100));
}

fn with_windows(windows: &[(&str, u64, u64)]) -> Metrics {
    let windows = windows.iter().map(|(id, from, to)| WindowSubject {
        id: (*id).into(),
        from: ms(*from),
        to: ms(*to),
    });
    Metrics::new(MetricsConfig {
        windows: windows.collect(),
        ..config()
    })
}

fn near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-9, "{value}, not {expected}");
}

#[test]
fn an_outage_counts_from_the_first_request_that_waits_to_the_next_commit() {
    let mut m = metrics();
    let faults = [(40_000, "crash", true), (50_000, "crash", false)];
    history(&mut m, &[(40_000, 55_000)], &faults);
    // Usual gaps are 50 ms: to the block, and from it to the answer.
    assert_eq!(m.stall_limit(), Some(Span::from_millis(100)));
    let [r] = &m.resilience()[..] else {
        panic!("one window")
    };
    assert_eq!((r.id.as_str(), r.entry.as_str()), ("crash", "crash"));
    assert_eq!((r.from_s, r.to_s), (40.0, 50.0));
    near(r.downtime_s, 15.05);
    near(r.longest_gap_s, 15.05);
    near(r.time_to_first_commit_s.unwrap(), 5.05);
    assert_eq!(r.lost, 0);
    // Inside all take longer than any outside: the area is the difference of the means. Inside 20
    // from 15.1 s down to 5.6 s; outside 150 of 0.1 s and 10 from 5.1 s to 0.6 s.
    let expected = 10.35 - (150.0 * 0.1 + 10.0 * 2.85) / 160.0;
    assert!((r.sensitivity - expected).abs() < 0.01, "{}", r.sensitivity);
}

#[test]
fn three_seconds_are_three_seconds_wherever_they_lie_in_the_window() {
    for from in [40_000, 41_500, 44_000] {
        let mut m = metrics();
        let faults = [(40_000, "crash", true), (50_000, "crash", false)];
        history(&mut m, &[(from, from + 3_000)], &faults);
        let r = &m.resilience()[0];
        near(r.downtime_s, 3.05);
        near(r.time_to_first_commit_s.unwrap(), 0.05);
    }
}

#[test]
fn several_outages_of_a_window_add_up_and_the_longest_is_named() {
    let mut m = metrics();
    let faults = [(40_000, "crash", true), (60_000, "crash", false)];
    history(&mut m, &[(41_000, 43_000), (50_000, 51_000)], &faults);
    let r = &m.resilience()[0];
    near(r.downtime_s, 2.05 + 1.05);
    near(r.longest_gap_s, 2.05);
}

#[test]
fn a_fault_that_stops_nothing_is_no_downtime() {
    let mut m = metrics();
    let faults = [(40_000, "loss", true), (50_000, "loss", false)];
    history(&mut m, &[], &faults);
    let r = &m.resilience()[0];
    assert_eq!(
        (r.downtime_s, r.longest_gap_s, r.sensitivity),
        (0.0, 0.0, 0.0)
    );
    near(r.time_to_first_commit_s.unwrap(), 0.05);
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
    assert_eq!((r.downtime_s, r.to_s), (0.0, 100.0));
}

#[test]
fn overlapping_windows_are_told_apart_and_the_usual_is_outside_of_both() {
    let mut m = metrics();
    let faults = [
        (30_000, "crash", true),
        (40_000, "cut", true),
        (50_000, "crash", false),
        (60_000, "cut", false),
        (70_000, "crash#2", true),
        (80_000, "crash#2", false),
    ];
    history(&mut m, &[(45_000, 55_000)], &faults);
    let r = m.resilience();
    let ids: Vec<&str> = r.iter().map(|r| r.id.as_str()).collect();
    assert_eq!(ids, ["crash", "cut", "crash#2"]);
    assert_eq!(r[2].entry, "crash");
    near(r[0].downtime_s, 10.05);
    near(r[0].time_to_first_commit_s.unwrap(), 5.05);
    near(r[1].downtime_s, 10.05);
    near(r[1].time_to_first_commit_s.unwrap(), 0.05);
    assert_eq!((r[2].downtime_s, r[2].sensitivity), (0.0, 0.0));
}

#[test]
fn without_anything_to_compare_with_there_is_no_value_but_that_of_a_pair() {
    // The window is the whole run.
    let mut m = metrics();
    history(&mut m, &[(40_000, 43_000)], &[(0, "loss", true)]);
    let r = &m.resilience()[0];
    assert!(r.downtime_s.is_nan() && r.sensitivity.is_nan());
    assert_eq!(m.stall_limit(), None);
    let judged = m.unjudged().unwrap().judge(Span::from_millis(100));
    near(judged[0].0, 3.05);
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
fn too_few_gaps_say_nothing_of_what_is_usual() {
    for enough in [false, true] {
        let mut m = metrics();
        // Two gaps an operation, from 90 s on; the first one counts from the end of the window.
        let calm = LEAST_GAPS / 2 - u64::from(!enough);
        history(
            &mut m,
            &[],
            &[(0, "cut", true), (100_000 - 500 * calm, "cut", false)],
        );
        assert_eq!(m.resilience()[0].downtime_s.is_nan(), !enough);
    }
}

#[test]
fn nobody_asks_so_nothing_stands_still() {
    let mut m = metrics();
    let mut world = World::new(4);
    let mut at = |m: &mut Metrics, i: u64| {
        m.probe(ms(i), NodeId(0), &asked(i, 0, "grant", MINUTE));
        let block = world.block(vec![world.tx(0, i)]);
        m.probe(ms(i + 50), NodeId(0), &applied(&block));
        m.probe(
            ms(i + 60),
            NodeId(0),
            &ended(i, 0, "grant", ms(i), OpEnd::Done),
        );
    };
    for i in 0..60 {
        at(&mut m, 10_000 + i * 500);
    }
    m.fault(s(41), "cut", true);
    m.fault(s(71), "cut", false);
    at(&mut m, 75_000);
    m.end(s(100));
    let r = &m.resilience()[0];
    assert_eq!(
        r.downtime_s, 0.0,
        "34 s without a commit, and without a request"
    );
    near(r.time_to_first_commit_s.unwrap(), 4.05);
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
    // The ten seconds of the untold window are no usual gap.
    assert_eq!(m.stall_limit(), Some(Span::from_millis(100)));
}

#[test]
fn a_close_without_an_open_is_ignored() {
    let mut m = metrics();
    m.fault(s(20), "cut", false);
    m.end(s(100));
    assert!(m.resilience().is_empty());
}

#[test]
fn before_during_and_after_by_hand() {
    let mut m = with_windows(&[("cut", 40_000, 60_000), ("late", 95_000, 100_000)]);
    let faults = [
        (40_000, "cut", true),
        (60_000, "cut", false),
        (95_000, "late", true),
    ];
    history(&mut m, &[(40_000, 55_000)], &faults);
    let rows = m.resilience();
    let [before, during, after] =
        [rows[0].before, rows[0].during, rows[0].after].map(Option::unwrap);
    assert_eq!(
        (before.seconds, during.seconds, after.seconds),
        (20.0, 20.0, 20.0)
    );
    // Two transactions a second; in the window those of the stall come at its end.
    assert_eq!(
        (before.tx_per_s, during.tx_per_s, after.tx_per_s),
        (2.0, 2.0, 2.0)
    );
    assert_eq!((before.asked, during.asked, during.lost), (40, 40, 0));
    assert!((before.latency_ms.mean - 100.0).abs() < 1e-9);
    // 30 from 15.1 s down to 0.6 s, 10 of 0.1 s.
    assert!((during.latency_ms.mean - (30.0 * 7_850.0 + 10.0 * 100.0) / 40.0).abs() < 1e-6);
    // Shorter than ten seconds: ten before it; after it the run is over.
    assert_eq!(rows[1].before.unwrap().seconds, 10.0);
    assert_eq!(rows[1].after, None);
}

#[test]
fn a_run_without_the_fault_measures_the_same_stretches() {
    let windows = [("cut", 40_000, 60_000)];
    let (mut with, mut without) = (with_windows(&windows), with_windows(&windows));
    let faults = [(40_000, "cut", true), (60_000, "cut", false)];
    history(&mut with, &[(40_000, 70_000)], &faults);
    history(&mut without, &[], &[]);
    assert!(without.resilience().is_empty());
    let limit = without.usual_limit();
    assert_eq!(limit, Some(Span::from_millis(100)));
    let of = |m: &Metrics| m.phases_with_gaps(limit).remove(0);
    let ((_, hit, down), (id, calm, up)) = (of(&with), of(&without));
    assert_eq!((id.as_str(), down, up), ("cut", Some(20.0), Some(0.0)));
    assert_eq!((hit.unwrap().tx_per_s, calm.unwrap().tx_per_s), (0.0, 2.0));
}

#[test]
fn what_was_acknowledged_and_is_in_no_block_any_more_is_lost() {
    for (recovers_at, lost) in [(3, 0), (2, 1), (0, 3)] {
        let mut m = metrics();
        let mut world = World::new(4);
        for i in 1..=3_u64 {
            m.probe(s(i), NodeId(0), &asked(i, 0, "grant", MINUTE));
            let block = world.block(vec![world.tx(0, i)]);
            m.probe(ms(i * 1000 + 1), NodeId(1), &applied(&block));
            m.probe(
                ms(i * 1000 + 2),
                NodeId(0),
                &ended(i, 0, "grant", s(i), OpEnd::Done),
            );
        }
        // In a block, but not answered: nobody was promised anything.
        m.probe(s(5), NodeId(0), &asked(9, 0, "grant", MINUTE));
        let block = world.block(vec![world.tx(0, 9)]);
        m.probe(s(6), NodeId(1), &applied(&block));
        m.probe(s(7), NodeId(1), &recovered(recovers_at, Digest::ZERO));
        m.end(s(100));
        assert_eq!(m.acknowledged_lost(), lost, "back at {recovers_at}");
    }
    // Another node that holds them is enough, and an answer may come before the block is seen.
    let mut m = metrics();
    let mut world = World::new(4);
    m.probe(s(1), NodeId(0), &asked(1, 0, "grant", MINUTE));
    m.probe(s(2), NodeId(0), &ended(1, 0, "grant", s(1), OpEnd::Done));
    let block = world.block(vec![world.tx(0, 1)]);
    m.probe(s(3), NodeId(1), &applied(&block));
    m.probe(s(3), NodeId(2), &applied(&block));
    m.probe(s(4), NodeId(1), &recovered(0, Digest::ZERO));
    assert_eq!(m.acknowledged_lost(), 0);
    m.probe(s(5), NodeId(2), &recovered(0, Digest::ZERO));
    m.end(s(100));
    assert_eq!(m.acknowledged_lost(), 1);
}
