#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

#[test]
fn linear_ticks_hold_the_largest_value_and_are_few() {
    let mut max = 1e-7;
    while max < 1e12 {
        let ticks = ticks(max, 5);
        let top = ticks[ticks.len() - 1];
        assert!(
            ticks[0].abs() < 1e-12 && top >= max * 0.999_998,
            "{max}: {ticks:?}"
        );
        assert!((3..=8).contains(&ticks.len()), "{max}: {ticks:?}");
        assert!(
            top <= max * 2.01,
            "{max}: half of the axis would be empty: {ticks:?}"
        );
        max *= 1.37;
    }
    assert_eq!(ticks(10.0, 5), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
    for odd in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(ticks(odd, 5), [0.0, 1.0]);
    }
}

#[test]
fn logarithmic_ticks_enclose_the_values_and_are_few() {
    for (min, max) in [
        (0.004, 900.0),
        (1.0, 1.0),
        (48.1, 48.1),
        (1e-6, 1e6),
        (3.0, 7e3),
        (20.0, 50.0),
    ] {
        let ticks = log_ticks(min, max);
        assert!(
            ticks[0] <= min && ticks[ticks.len() - 1] >= max,
            "{min}..{max}: {ticks:?}"
        );
        assert!((2..=14).contains(&ticks.len()), "{min}..{max}: {ticks:?}");
    }
    assert_eq!(
        log_ticks(12.0, 480.0),
        [10.0, 20.0, 50.0, 100.0, 200.0, 500.0]
    );
    assert_eq!(
        log_ticks(0.5, 9_000.0),
        [0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0]
    );
}

#[test]
fn time_ticks_are_steps_of_the_clock() {
    let labels = |end_s: f64| {
        let (ticks, name) = time_ticks(end_s);
        assert!((2..=13).contains(&ticks.len()), "{end_s}: {ticks:?}");
        assert!(ticks[ticks.len() - 1].0 <= end_s + 1e-6, "{end_s}");
        (
            ticks.into_iter().map(|t| t.1).collect::<Vec<_>>().join(" "),
            name,
        )
    };
    assert_eq!(
        labels(10.0),
        ("0 1 2 3 4 5 6 7 8 9 10".into(), "virtual time, s")
    );
    assert_eq!(
        labels(1800.0),
        ("0 5 10 15 20 25 30".into(), "virtual time, min")
    );
    assert_eq!(
        labels(86_400.0),
        (
            "0 2 4 6 8 10 12 14 16 18 20 22 24".into(),
            "virtual time, h"
        )
    );
    assert_eq!(
        labels(604_800.0),
        ("0 1 2 3 4 5 6 7".into(), "virtual time, d")
    );
    labels(400.0 * 86_400.0);
}

#[test]
fn scales_hold_to_their_ends() {
    let linear = Scale::linear((0.0, 10.0), (100.0, 200.0));
    for (value, px) in [
        (0.0, 100.0),
        (5.0, 150.0),
        (10.0, 200.0),
        (11.0, 200.0),
        (-1.0, 100.0),
    ] {
        assert!((linear.px(value) - px).abs() < 1e-9, "{value}");
    }
    let log = Scale::log((1.0, 1000.0), (0.0, 300.0));
    for (value, px) in [
        (1.0, 0.0),
        (10.0, 100.0),
        (1000.0, 300.0),
        (0.0, 0.0),
        (1e9, 300.0),
    ] {
        assert!((log.px(value) - px).abs() < 1e-9, "{value}");
    }
    assert!(log.holds(1.0) && log.holds(1000.0) && !log.holds(1001.0) && !log.holds(0.5));
}
