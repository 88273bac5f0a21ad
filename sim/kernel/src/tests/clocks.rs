//! Faults of clocks, each beside the same run without it.

use super::*;
use crate::config::{
    ClockBack, ClockDrift, ClockStep, ClockStrobe, ExpiryEdge, Leap, LeapKind, MoveTimeServer,
};

const SECOND: i64 = 1_000_000_000;

fn one() -> Target {
    Target::Nodes(vec![NodeId(0)])
}
fn window(from: u64, to: u64, kind: FaultKind) -> FaultWindow {
    FaultWindow {
        id: kind.word().to_owned(),
        from: at(from),
        to: at(to),
        kind,
    }
}

/// A node sets a timer of a second again and again, for ten seconds, and reads its wall clock at
/// each. When the timers fired, by how much the wall clock was off then, and how many readings the
/// first fault made wrong.
fn readings(faults: Vec<FaultWindow>) -> (Vec<u64>, Vec<i64>, u64) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let read = Arc::clone(&seen);
    let setup = Setup {
        nodes: 1,
        faults,
        end: at(10_500),
        ..Setup::default()
    };
    let (_, kernel) = setup.run(move |cx, event| {
        if let Event::Timer(_) = event {
            let now = cx.now().nanos();
            let off = cx.wall_ns() - now as i64;
            read.lock().unwrap().push((now, off));
        }
        cx.set_timer(TimerKey(1), Span::from_secs(1));
    });
    let (times, offs) = seen.lock().unwrap().iter().copied().unzip();
    let effects = kernel.fault_effects();
    let took = effects.last().map_or(0, |effect| effect.took_effect);
    (times, offs, took)
}

/// A timer fires at each whole second.
fn on_time(times: &[u64]) -> bool {
    let seconds = (1u64..).map(|s| s * 1_000_000_000);
    times
        .iter()
        .zip(seconds)
        .all(|(&time, second)| time == second)
}

#[test]
fn without_a_fault_the_clock_is_right() {
    let (times, offs, _) = readings(Vec::new());
    assert_eq!(times.len(), 10);
    assert!(on_time(&times));
    assert_eq!(offs, [0; 10]);
}

#[test]
fn a_step_moves_the_wall_clock_alone_and_is_set_right_at_the_end() {
    for by_ns in [5 * SECOND, -3 * SECOND] {
        let kind = FaultKind::ClockStep(ClockStep {
            target: one(),
            by_ns,
        });
        let (times, offs, took) = readings(vec![window(2_500, 5_500, kind)]);
        assert!(on_time(&times));
        assert_eq!(offs, [0, 0, by_ns, by_ns, by_ns, 0, 0, 0, 0, 0]);
        assert_eq!(took, 3);
    }
}

#[test]
fn a_drift_is_the_oscillators_and_moves_timers_too() {
    // A tenth too fast, much more than any crystal, so that it shows.
    let drift = |ppb| {
        let target = one();
        window(0, 10_400, FaultKind::ClockDrift(ClockDrift { target, ppb }))
    };
    let (times, offs, took) = readings(vec![drift(100_000_000)]);
    // The first timer is set at the start, when the window is about to open.
    let between: Vec<u64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    assert_eq!(between[0], (1_000_000_000 * 10u64).div_ceil(11));
    assert_eq!(times.len(), 11, "more timers fire in the same time");
    assert_eq!(offs[0], SECOND / 10, "0.1 s after one second");
    assert_eq!(took, 11);
    let (times, offs, _) = readings(vec![drift(-100_000_000)]);
    assert_eq!(times.len(), 9);
    assert_eq!(offs[0], -SECOND / 10);
    let (times, offs, took) = readings(vec![drift(0)]);
    assert!(on_time(&times));
    assert_eq!((offs, took), (vec![0; 10], 0));
}

/// A process that was woken too early for its deadline waits for the rest of it, and gets there.
#[test]
fn a_deadline_is_reached_by_an_oscillator_that_is_too_fast() {
    let kind = FaultKind::ClockDrift(ClockDrift {
        target: one(),
        ppb: 500_000,
    });
    let setup = Setup {
        nodes: 1,
        faults: vec![window(0, 2_000, kind)],
        end: at(2_000),
        ..Setup::default()
    };
    let (log, _) = setup.run(|cx, event| match event {
        Event::Start => cx.set_timer(TimerKey(1), ms(50)),
        Event::Timer(_) if cx.now() < at(1_000) => {
            cx.set_timer(TimerKey(1), at(1_000) - cx.now());
        }
        _ => {}
    });
    let last = log.last().unwrap();
    assert_eq!((last.0, log.len()), (1_000_000_000, 5), "{log:?}");
}

#[test]
fn a_strobe_goes_to_and_fro() {
    let kind = FaultKind::ClockStrobe(ClockStrobe {
        target: one(),
        by_ns: SECOND,
        period: Span::from_secs(2),
    });
    let (times, offs, took) = readings(vec![window(500, 8_600, kind)]);
    assert!(on_time(&times));
    let on = SECOND;
    assert_eq!(offs, [on, on, 0, 0, on, on, 0, 0, 0, 0]);
    assert_eq!(took, 4);
}

#[test]
fn a_clock_goes_back_at_a_restart_and_not_before() {
    let back = || {
        let kind = FaultKind::ClockBack(ClockBack {
            target: one(),
            by_ns: 4 * SECOND,
        });
        window(1_500, 8_500, kind)
    };
    let (_, offs, took) = readings(vec![back()]);
    assert_eq!((offs, took), (vec![0; 10], 0), "nothing restarted");
    let (_, offs, took) = readings(vec![crash(0, 4_000, 4_500), back()]);
    let off = -4 * SECOND;
    // It fires at 1, 2, 3, and from the restart on at 5.5, 6.5 and so on.
    assert_eq!(offs, [0, 0, 0, off, off, off, 0, 0, 0]);
    assert_eq!(took, 3);
}

#[test]
fn a_leap_is_a_second_back_or_an_hour_ahead() {
    for (kind, by) in [(LeapKind::Second, -SECOND), (LeapKind::Dst, 3_600 * SECOND)] {
        let target = one();
        let kind = FaultKind::Leap(Leap { target, kind });
        let (times, offs, took) = readings(vec![window(2_500, 4_500, kind)]);
        assert!(on_time(&times));
        assert_eq!(offs, [0, 0, by, by, 0, 0, 0, 0, 0, 0]);
        assert_eq!(took, 2);
    }
}

#[test]
fn a_moved_time_server_is_followed_as_ntp_does() {
    let moved = |by_ns| {
        let target = one();
        let kind = FaultKind::MoveTimeServer(MoveTimeServer { target, by_ns });
        readings(vec![window(0, 10_400, kind)])
    };
    let (times, offs, took) = moved(5 * SECOND);
    assert!(on_time(&times));
    assert_eq!(
        (offs, took),
        (vec![5 * SECOND; 10], 10),
        "it is stepped over"
    );
    // 500 ppm: half a millisecond a second, until it is there.
    let (_, offs, _) = moved(2_000_000);
    let slewed = [500_000, 1_000_000, 1_500_000, 2_000_000, 2_000_000];
    assert_eq!(offs[..5], slewed);
    let (_, offs, _) = moved(-100_000_000);
    assert_eq!(offs[9], -5_000_000);
    let (_, offs, took) = moved(2_000 * SECOND);
    assert_eq!((offs, took), (vec![0; 10], 0), "nobody believes that");
}

#[test]
fn a_clock_that_shows_whole_seconds_is_behind_by_the_rest() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let read = Arc::clone(&seen);
    let kind = FaultKind::ExpiryEdge(ExpiryEdge { target: one() });
    let setup = Setup {
        nodes: 1,
        faults: vec![window(1_000, 3_000, kind)],
        end: at(4_000),
        ..Setup::default()
    };
    let (_, kernel) = setup.run(move |cx, event| {
        if let Event::Timer(_) = event {
            read.lock().unwrap().push(cx.wall_ns() / 1_000_000);
        }
        cx.set_timer(TimerKey(1), ms(700));
    });
    assert_eq!(*seen.lock().unwrap(), [700, 1_000, 2_000, 2_000, 3_500]);
    assert_eq!(kernel.fault_effects()[0].took_effect, 3);
}

#[test]
fn shifts_of_several_faults_add() {
    let step = |id: &str, by_ns| {
        let kind = FaultKind::ClockStep(ClockStep {
            target: one(),
            by_ns,
        });
        FaultWindow {
            id: id.into(),
            ..window(1_500, 3_500, kind)
        }
    };
    let (_, offs, _) = readings(vec![step("a", SECOND), step("b", 2 * SECOND)]);
    assert_eq!(offs[..4], [0, 3 * SECOND, 3 * SECOND, 0]);
}
