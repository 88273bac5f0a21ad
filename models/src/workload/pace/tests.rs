#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;
/// A working day: nothing at night, a peak in the morning. The mean of the 24 weights is one.
fn outpatient() -> [u32; 24] {
    let mut weights = [0; 24];
    for (hour, weight) in [
        (8, 6_000_000),
        (9, 8_000_000),
        (10, 5_000_000),
        (14, 5_000_000),
    ] {
        weights[hour] = weight;
    }
    weights
}
fn rng(label: &str) -> ChaCha12Rng {
    consim_core::Streams::new(11).stream(label)
}
fn day() -> Day {
    Day::new(outpatient(), Span::ZERO)
}
fn at(hours: u64) -> Time {
    Time::from_nanos(hours * HOUR)
}
fn arrivals(rates: &[u64], even: bool, day: Day, hours: u64, label: &str) -> Vec<(Time, usize)> {
    let mut arrivals = Arrivals::new(rates, even, day, at(0), at(hours));
    let mut rng = rng(label);
    std::iter::from_fn(|| arrivals.next(&mut rng)).collect()
}
/// Within `deviations` standard deviations of a Poisson count of this mean.
fn near(count: usize, mean: f64, deviations: f64) -> bool {
    (count as f64 - mean).abs() <= deviations * mean.sqrt()
}
fn by_hour(arrivals: &[(Time, usize)]) -> Vec<usize> {
    let mut hours = vec![0; 24];
    for (at, _) in arrivals {
        hours[(at.nanos() / HOUR % 24) as usize] += 1;
    }
    hours
}

#[test]
fn even_arrivals_come_in_the_middle_of_equal_parts() {
    // Two places at one per second together: at 0.5 s, 1.5 s, ...
    let half = SECOND / 2;
    let all = arrivals(&[half, half], true, Day::flat(), 1, "even");
    assert_eq!(all.len(), 3_600);
    for (number, (at, _)) in (0..).zip(&all) {
        assert_eq!(at.nanos(), number * SECOND + half);
    }
}

#[test]
fn the_profile_of_a_day_shifts_arrivals_and_keeps_their_mean() {
    // 1,000 a day, in expectation: even arrivals keep it to the one.
    let rate = 1_000 * SECOND / 86_400;
    let even = arrivals(&[rate], true, day(), 48, "profile");
    assert!((1_999..=2_000).contains(&even.len()), "{}", even.len());
    let expected =
        |hour: usize, days: f64| 1_000.0 / 24.0 * f64::from(outpatient()[hour]) / 1e6 * days;
    for (hour, count) in by_hour(&even).into_iter().enumerate() {
        assert!(
            (count as f64 - expected(hour, 2.0)).abs() <= 2.0,
            "hour {hour}: {count}"
        );
    }
    let poisson = arrivals(&[rate], false, day(), 480, "profile");
    assert!(near(poisson.len(), 20_000.0, 4.0), "{}", poisson.len());
    for (hour, count) in by_hour(&poisson).into_iter().enumerate() {
        assert!(
            near(count, expected(hour, 20.0), 4.0),
            "hour {hour}: {count}"
        );
    }
}

#[test]
fn poisson_arrivals_scatter_as_poisson_and_even_ones_do_not() {
    // 20 a minute over 10 hours: the variance of the counts by minute over their mean is one for
    // a Poisson process (600 minutes: standard deviation 0.058), and nearly zero for even ones.
    let rate = 20 * SECOND / 60;
    let dispersion = |even: bool| {
        let mut minutes = vec![0f64; 600];
        for (at, _) in arrivals(&[rate], even, Day::flat(), 10, "scatter") {
            minutes[(at.nanos() / (60 * SECOND)) as usize] += 1.0;
        }
        let mean = minutes.iter().sum::<f64>() / 600.0;
        let squares = minutes.iter().map(|n| (n - mean) * (n - mean)).sum::<f64>();
        squares / 599.0 / mean
    };
    let (poisson, even) = (dispersion(false), dispersion(true));
    assert!((0.77..=1.23).contains(&poisson), "{poisson}");
    assert!(even < 0.01, "{even}");
}

#[test]
fn places_are_drawn_by_their_share_of_the_rate() {
    let rates = [SECOND, 0, 3 * SECOND];
    let all = arrivals(&rates, false, Day::flat(), 1, "places");
    let count = |place| all.iter().filter(|(_, p)| *p == place).count();
    assert!(near(all.len(), 4.0 * 3_600.0, 4.0), "{}", all.len());
    assert!(near(count(0), 3_600.0, 4.0), "{}", count(0));
    assert_eq!(count(1), 0);
    assert!(near(count(2), 3.0 * 3_600.0, 4.0), "{}", count(2));
}

#[test]
fn the_least_rates_count_too() {
    // One in 10^9 seconds at each of two places, over 10^10 seconds.
    let hours = 10_000_000_000 / 3_600;
    let all = arrivals(&[1, 0, 1], true, Day::flat(), hours, "least");
    let count = |place| all.iter().filter(|(_, p)| *p == place).count();
    assert!((19..=20).contains(&all.len()), "{}", all.len());
    // Of 20 tosses of a fair coin.
    assert!(
        (2..=18).contains(&count(0)) && count(1) == 0,
        "{}",
        count(0)
    );
    assert_eq!(count(0) + count(2), all.len());
}

#[test]
fn arrivals_are_in_order_within_the_window_and_the_same_for_a_seed() {
    for even in [false, true] {
        let one = arrivals(&[SECOND / 10], even, day(), 24, "a");
        assert!(one.windows(2).all(|w| w[0].0 <= w[1].0));
        assert!(one.iter().all(|(t, _)| *t < at(24)));
        assert_eq!(one, arrivals(&[SECOND / 10], even, day(), 24, "a"));
    }
    let other = arrivals(&[SECOND / 10], false, day(), 24, "b");
    assert_ne!(other, arrivals(&[SECOND / 10], false, day(), 24, "a"));
}

#[test]
fn without_a_rate_a_day_or_a_window_nobody_comes() {
    for even in [false, true] {
        assert_eq!(arrivals(&[], even, Day::flat(), 1, "none"), []);
        assert_eq!(arrivals(&[0, 0], even, Day::flat(), 1, "none"), []);
        let never = Day::new([0; 24], Span::ZERO);
        assert_eq!(arrivals(&[SECOND], even, never, 1, "none"), []);
        assert_eq!(arrivals(&[SECOND], even, Day::flat(), 0, "none"), []);
    }
}

#[test]
fn time_goes_on_at_the_highest_rate() {
    let mut arrivals = Arrivals::new(
        &[u64::MAX, u64::MAX],
        false,
        Day::flat(),
        Time::ZERO,
        Time::from_nanos(50),
    );
    let mut rng = rng("fast");
    let n = std::iter::from_fn(|| arrivals.next(&mut rng))
        .take(10_000)
        .count();
    assert!(n < 10_000, "{n}");
}

#[test]
fn the_local_clock_says_which_hour_it_is() {
    let day = Day::new(outpatient(), Span::from_secs(8 * 3_600 - 60));
    assert_eq!(day.weight(Time::ZERO), 0);
    assert_eq!(day.weight(Time::from_nanos(60 * SECOND)), 6_000_000);
    assert_eq!(day.weight(at(24)), 0);
    assert_eq!(Day::flat().weight(at(5)), u64::from(MILLION));
    // The offset is one of a day.
    let next = Day::new(outpatient(), Span::from_secs(32 * 3_600 - 60));
    assert_eq!(next, day);
}

#[test]
fn ranked_visits_spread_over_the_profile_in_their_order() {
    let n = 1_000;
    let all: Vec<Time> = (0..n)
        .map(|i| ranked(&day(), at(0), at(24), i, n))
        .collect();
    assert!(all.windows(2).all(|w| w[0] < w[1]));
    let placed: Vec<(Time, usize)> = all.iter().map(|t| (*t, 0)).collect();
    for (hour, count) in by_hour(&placed).into_iter().enumerate() {
        let expected = 1_000.0 * f64::from(outpatient()[hour]) / 24e6;
        assert!(
            (count as f64 - expected).abs() <= 1.0,
            "hour {hour}: {count}"
        );
    }
    // In a window at night, evenly.
    let night = |i| ranked(&day(), at(0), at(4), i, 2);
    assert_eq!([night(0), night(1)], [at(1), at(3)]);
    assert_eq!(ranked(&Day::flat(), at(2), at(4), 0, 1), at(3));
}

#[test]
fn scaled_visits_keep_their_distances() {
    // Recorded over 100 units, replayed within ten seconds.
    let (from, to) = (Time::from_nanos(7), Time::from_nanos(7 + 10 * SECOND));
    let place = |at_ns| scaled(from, to, at_ns, -50, 50);
    assert_eq!(place(-50), from);
    let middle = place(0).nanos() - from.nanos();
    assert!(middle.abs_diff(5 * SECOND) <= 1, "{middle}");
    let quarter = place(-25).nanos() - from.nanos();
    assert!(quarter.abs_diff(5 * SECOND / 2) <= 1, "{quarter}");
    assert!(place(50) < to);
    // Outside of the recorded time, at its ends; the widest calendar does not overflow.
    assert_eq!(place(-99), from);
    assert_eq!(place(99), place(50));
    assert_eq!(scaled(from, to, 5, 5, 5), from);
    assert!(scaled(from, to, i64::MAX, i64::MIN, i64::MAX) < to);
}

proptest! {
    #[test]
    fn after_is_the_inverse_of_area(
        weights in any::<[u16; 24]>(),
        offset in 0u64..24 * HOUR,
        from in 0u64..24 * HOUR,
        width in 1u64..48 * HOUR,
        share in 0u64..1_000,
    ) {
        let day = Day::new(weights.map(u32::from), Span::from_nanos(offset));
        let (from, to) = (Time::from_nanos(from), Time::from_nanos(from + width));
        let whole = day.area(from, to);
        let part = whole * u128::from(share) / 1_000;
        if let Some(at) = day.after(from, to, part) {
            prop_assert!(from <= at && at < to);
            let reached = day.area(from, at);
            prop_assert!(reached <= part && part - reached < u128::from(day.weight(at)));
        } else {
            prop_assert_eq!(part, whole);
        }
        prop_assert_eq!(day.after(from, to, whole), None);
        // A whole day holds each hour once, wherever it begins.
        let sum: u128 = weights.iter().map(|w| u128::from(*w)).sum();
        prop_assert_eq!(day.area(from, from + Span::from_nanos(24 * HOUR)), sum * u128::from(HOUR));
    }
}

fn stretch(from: u64, to: u64, first: u32, last: u32) -> Stretch {
    let second = |s: u64| Time::from_nanos(s * SECOND);
    Stretch {
        from: second(from),
        to: second(to),
        first,
        last,
    }
}
fn seconds(day: Day, even: bool, rate: u64, to: u64) -> Vec<u64> {
    let to = Time::from_nanos(to * SECOND);
    let mut arrivals = Arrivals::new(&[rate * SECOND], even, day, Time::ZERO, to);
    let mut rng = rng("course");
    let all = std::iter::from_fn(|| arrivals.next(&mut rng));
    all.map(|(at, _)| at.nanos() / SECOND).collect()
}

#[test]
fn a_ramp_brings_more_and_more() {
    // From nothing to 10/s over 100 s, then 100 s of that: 500, then 1,000.
    let course = vec![stretch(0, 100, 0, MILLION)];
    for (even, slack) in [(true, 0.1), (false, 4.0)] {
        let all = seconds(Day::flat().with_course(course.clone()), even, 10, 200);
        let within = |from: u64, to: u64| all.iter().filter(|&&s| from <= s && s < to).count();
        assert!(near(within(0, 50), 125.0, slack), "{}", within(0, 50));
        assert!(near(within(50, 100), 375.0, slack), "{}", within(50, 100));
        assert!(near(within(100, 200), 1_000.0, slack));
    }
}

#[test]
fn bursts_multiply_what_they_lie_over() {
    let course = overlaid(&[
        stretch(10, 30, 3 * MILLION, 3 * MILLION),
        stretch(20, 40, 2 * MILLION, 2 * MILLION),
        stretch(60, 100, 0, 0),
    ]);
    assert_eq!(course.len(), 4);
    let all = seconds(Day::flat().with_course(course), true, 10, 100);
    let within = |from: u64, to: u64| all.iter().filter(|&&s| from <= s && s < to).count();
    let counts = [(0, 10), (10, 20), (20, 30), (30, 40), (40, 60), (60, 100)];
    let counts = counts.map(|(from, to)| within(from, to));
    assert_eq!(counts, [100, 300, 600, 200, 200, 0]);
}

#[test]
fn a_course_of_ones_changes_nothing() {
    let plain = arrivals(&[SECOND], false, day(), 24, "same");
    let ones = day().with_course(vec![stretch(3_600, 9 * 3_600, MILLION, MILLION)]);
    assert_eq!(arrivals(&[SECOND], false, ones, 24, "same"), plain);
}

#[test]
fn given_instants_are_kept_within_the_window() {
    let second = |s: u64| Time::from_nanos(s * SECOND);
    let given: Arc<[Time]> = [1, 2, 2, 5, 9].map(second).into();
    let mut arrivals = Arrivals::at(&given, 3, second(2), second(9));
    let mut rng = rng("given");
    let all: Vec<(Time, usize)> = std::iter::from_fn(|| arrivals.next(&mut rng)).collect();
    let at: Vec<Time> = all.iter().map(|(at, _)| *at).collect();
    assert_eq!(at, [2, 2, 5].map(second));
    assert!(all.iter().all(|(_, place)| *place < 3));
}

proptest! {
    /// What has passed at the instant of an area is that area, whatever the course.
    #[test]
    fn areas_and_instants_fit(
        edges in prop::collection::vec((0u64..80_000, 1u64..9_000, 0u32..5_000_000, 0u32..5_000_000), 0..6),
        share in 0u64..1_000,
    ) {
        let stretches: Vec<Stretch> = edges
            .iter()
            .map(|&(from, length, first, last)| stretch(from, from + length, first, last))
            .collect();
        let day = day().with_course(overlaid(&stretches));
        let (from, to) = (at(1), at(23));
        let whole = day.area(from, to);
        let wanted = whole * u128::from(share) / 1_000;
        if let Some(instant) = day.after(from, to, wanted) {
            let passed = day.area(from, instant);
            // An instant is a nanosecond; a part that is split loses less than one of its weight, which is a
            // millionth, over its whole length.
            let slack = u128::from(day.most()) * 64 + 4 * u128::from(HOUR);
            prop_assert!(passed <= wanted + slack && wanted <= passed + slack, "{passed} {wanted}");
        }
    }
}

/// Cohorts hold every arrival once, each place's on its own, at the mean of instants within the span.
#[test]
fn cohorts_hold_every_arrival() {
    let span = Span::from_millis(10);
    let new = || {
        Arrivals::new(
            &[4_000_000_000_000, 1_000_000_000_000],
            false,
            Day::flat(),
            Time::ZERO,
            Time::from_nanos(SECOND),
        )
    };
    let (mut arrivals, mut draws) = (new(), rng("cohorts"));
    let single: Vec<(Time, usize)> = std::iter::from_fn(|| arrivals.next(&mut draws)).collect();
    let (mut arrivals, mut draws) = (new(), rng("cohorts"));
    let together = Together {
        span,
        individual: 0,
    };
    let mut cohorts = Cohorts::new(together, Time::ZERO);
    let together: Vec<(Time, usize, u32)> =
        std::iter::from_fn(|| cohorts.next(&mut arrivals, &mut draws)).collect();
    assert!(together.is_sorted_by_key(|(at, ..)| *at));
    assert!((150..=200).contains(&together.len()), "{}", together.len());
    for place in [0, 1] {
        let of = single.iter().filter(|(_, p)| *p == place);
        let sum: u64 = of.clone().map(|(at, _)| at.nanos()).sum();
        let cohorts = together.iter().filter(|(_, p, _)| *p == place);
        let count: u32 = cohorts.clone().map(|(.., count)| count).sum();
        let weighed: u64 = cohorts.map(|(at, _, n)| at.nanos() * u64::from(*n)).sum();
        assert_eq!(u64::from(count), of.count() as u64);
        // Each mean is rounded to the nanosecond.
        assert!(sum.abs_diff(weighed) <= u64::from(count));
    }
}
