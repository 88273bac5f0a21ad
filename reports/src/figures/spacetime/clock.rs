//! A time axis that runs down. Messages take microseconds and waiting takes seconds: a gap between two
//! events is as high as the logarithm of its length.

use consim_core::{Span, Time};

/// A gap so high is said in words, pixels.
const SAID: f64 = 17.0;
/// Gaps up to this length grow evenly, nanoseconds.
const EVEN: f64 = 20_000.0;
/// Height of a figure's events, pixels.
const HEIGHT: (f64, f64) = (380.0, 1_300.0);
/// Pixels that an event takes, as long as the figure may grow.
const EACH: f64 = 3.0;

/// From instants to heights.
#[derive(Debug)]
pub(super) struct Clock {
    /// Instants with their heights, ascending.
    points: Vec<(Time, f64)>,
    /// The middle of each long gap, and how long it is.
    pub(super) gaps: Vec<(f64, Span)>,
}

impl Clock {
    /// A clock over `instants`, whose first stands at the height `top`.
    pub(super) fn new(mut instants: Vec<Time>, top: f64) -> Self {
        instants.sort_unstable();
        instants.dedup();
        let lengths = instants.iter().zip(instants.iter().skip(1));
        let lengths: Vec<Span> = lengths.map(|(a, b)| b.since(*a)).collect();
        let weight = |span: &Span| libm::log1p(span.nanos() as f64 / EVEN);
        let all: f64 = lengths.iter().map(weight).sum();
        let height = (instants.len() as f64 * EACH).clamp(HEIGHT.0, HEIGHT.1);
        let scale = height / all.max(1e-9);
        let mut y = top;
        let mut points: Vec<(Time, f64)> =
            instants.first().map(|&at| (at, y)).into_iter().collect();
        let mut gaps = Vec::new();
        for (&at, length) in instants.iter().skip(1).zip(&lengths) {
            let high = weight(length) * scale;
            if high >= SAID {
                gaps.push((y + high / 2.0, *length));
            }
            y += high;
            points.push((at, y));
        }
        Self { points, gaps }
    }

    /// The height of an instant.
    pub(super) fn px(&self, at: Time) -> f64 {
        let after = self.points.partition_point(|&(point, _)| point < at);
        let next = self.points.get(after);
        let before = after.checked_sub(1).and_then(|i| self.points.get(i));
        match (before, next) {
            (Some(&(a, from)), Some(&(b, to))) => {
                let length = (b.nanos() - a.nanos()).max(1) as f64;
                from + (to - from) * (at.nanos() - a.nanos()) as f64 / length
            }
            (_, Some(&(_, y))) | (Some(&(_, y)), None) => y,
            (None, None) => 0.0,
        }
    }

    /// The lowest height.
    pub(super) fn bottom(&self) -> f64 {
        self.points.last().map_or(0.0, |&(_, y)| y)
    }

    /// Instants to write down, with their heights, at least `step` pixels apart.
    pub(super) fn ticks(&self, step: f64) -> Vec<(f64, Time)> {
        let mut ticks: Vec<(f64, Time)> = Vec::new();
        for &(at, y) in &self.points {
            if ticks.last().is_none_or(|&(last, _)| y - last >= step) {
                ticks.push((y, at));
            }
        }
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn a_long_gap_is_higher_than_a_short_one_by_far_less_than_it_is_longer() {
        let mut instants: Vec<Time> = (0..20).map(at).collect();
        instants.extend((10_000..10_020).map(at));
        let clock = Clock::new(instants, 50.0);
        let short = clock.px(at(1)) - clock.px(at(0));
        let long = clock.px(at(10_000)) - clock.px(at(19));
        assert!(long > 2.0 * short && long < 10.0 * short, "{short} {long}");
        assert!(
            clock
                .gaps
                .iter()
                .any(|(_, span)| *span == Span::from_millis(9_981))
        );
        let later = clock.px(at(10_001)) - clock.px(at(10_000));
        assert!((short - later).abs() < 1e-9);
        assert!((clock.px(at(0)) - 50.0).abs() < 1e-9);
        assert!((clock.bottom() - clock.px(at(10_019))).abs() < 1e-9);
        let ticks = clock.ticks(60.0);
        assert!(ticks.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 60.0));
    }

    #[test]
    fn one_instant_or_none_is_no_mistake() {
        assert!((Clock::new(vec![at(3)], 7.0).px(at(3)) - 7.0).abs() < 1e-9);
        assert!(Clock::new(Vec::new(), 7.0).px(at(3)).abs() < 1e-9);
    }
}
