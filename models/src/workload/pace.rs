//! When users come: Poisson arrivals by thinning, even arrivals, and the places of recorded ones,
//! all over the profile of a day. Everything but the Poisson gaps is integer arithmetic.

use super::draw;
use consim_core::rng::unit;
use consim_core::{Distribution, Span, Time};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng;

const HOUR: u64 = 3_600_000_000_000;
/// Weights of the day are parts of this.
const MILLION: u32 = 1_000_000;
/// Events per 10^9 s times nanoseconds times weight that make one event: 10^9 * 10^9 * 10^6.
const EVENT: u128 = 1_000_000_000_000_000_000_000_000;

/// The profile of a day: how much comes in each hour, parts per million of the mean.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Day {
    weights: [u32; 24],
    offset: u64,
}

impl Day {
    /// A profile; at time zero the local clock stands `offset` after midnight.
    pub fn new(weights: [u32; 24], offset: Span) -> Self {
        Self {
            weights,
            offset: offset.nanos() % (24 * HOUR),
        }
    }
    /// The same at every hour.
    pub fn flat() -> Self {
        Self::new([MILLION; 24], Span::ZERO)
    }
    /// The weight at an instant.
    pub fn weight(&self, at: Time) -> u32 {
        let hour = (self.offset + at.nanos()) / HOUR % 24;
        self.weights.get(hour as usize).copied().unwrap_or(0)
    }
    fn most(&self) -> u32 {
        self.weights.iter().copied().max().unwrap_or(0)
    }
    /// The end of the hour of `at`.
    fn hour_end(&self, at: Time) -> Time {
        at + Span::from_nanos(HOUR - (self.offset + at.nanos()) % HOUR)
    }
    /// Weight times nanoseconds between two instants.
    fn area(&self, from: Time, to: Time) -> u128 {
        let (mut at, mut area) = (from, 0);
        while at < to {
            let end = self.hour_end(at).min(to);
            area += u128::from(self.weight(at)) * u128::from(end.since(at).nanos());
            at = end;
        }
        area
    }
    /// The instant at which `area` (weight times nanoseconds) has passed since `from`; `None` if
    /// that is not before `to`.
    fn after(&self, from: Time, to: Time, mut area: u128) -> Option<Time> {
        let mut at = from;
        while at < to {
            let (end, weight) = (self.hour_end(at).min(to), u128::from(self.weight(at)));
            let here = weight * u128::from(end.since(at).nanos());
            if area < here {
                return Some(at + Span::from_nanos((area / weight) as u64));
            }
            area -= here;
            at = end;
        }
        None
    }
}

/// How often users come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pace {
    /// At a rate, events per 10^9 s, for each place.
    Rates {
        /// One for each place.
        rates: Vec<u64>,
        /// Evenly spaced over the profile instead of Poisson.
        even: bool,
    },
    /// Everything that is recorded, once.
    Recorded(Spacing),
}

/// How recorded visits are spread over the window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spacing {
    /// In their order, spread over the day profile.
    Ranked,
    /// In proportion to their recorded distances.
    Scaled,
}

/// The arrivals of all places together: one stream of instants; the place of each is drawn by its
/// share of the rate, which is the same as one stream for each place and needs no queue.
#[derive(Debug)]
pub(crate) struct Arrivals {
    day: Day,
    to: Time,
    even: bool,
    /// Sums of the rates up to each place.
    sums: Vec<u64>,
    total: u64,
    at: Time,
    first: bool,
}

impl Arrivals {
    pub(crate) fn new(rates: &[u64], even: bool, day: Day, from: Time, to: Time) -> Self {
        let sums: Vec<u64> = rates
            .iter()
            .scan(0u64, |sum, &rate| {
                *sum = sum.saturating_add(rate);
                Some(*sum)
            })
            .collect();
        let total = sums.last().copied().unwrap_or(0);
        Self {
            day,
            to,
            even,
            sums,
            total,
            at: from,
            first: true,
        }
    }

    /// The next arrival: when, and at which place.
    pub(crate) fn next(&mut self, rng: &mut ChaCha12Rng) -> Option<(Time, usize)> {
        if self.total == 0 || self.day.most() == 0 {
            return None;
        }
        self.at = if self.even {
            self.next_even()?
        } else {
            self.next_poisson(rng)?
        };
        let mark = draw(rng, self.total);
        Some((self.at, self.sums.partition_point(|&sum| sum <= mark)))
    }

    /// The instants at which the expected number of arrivals is 1/2, 3/2, 5/2...
    fn next_even(&mut self) -> Option<Time> {
        let step = if std::mem::take(&mut self.first) {
            EVENT / 2
        } else {
            EVENT
        };
        self.day
            .after(self.at, self.to, step / u128::from(self.total))
    }

    /// Thinning (Lewis and Shedler 1979): arrivals at the highest rate of the day, each kept with
    /// the share that its hour has of it.
    fn next_poisson(&self, rng: &mut ChaCha12Rng) -> Option<Time> {
        let most = self.day.most();
        let mean = EVENT / (u128::from(self.total) * u128::from(most));
        let gap = Distribution::Exponential {
            // Not zero: time goes on at any rate.
            mean: Span::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX).max(1)),
        };
        let mut at = self.at;
        loop {
            at += gap.quantile(unit(rng.next_u64()));
            if at >= self.to {
                return None;
            }
            if draw(rng, u64::from(most)) < u64::from(self.day.weight(at)) {
                return Some(at);
            }
        }
    }
}

/// The instant of the recorded visit `index` of `n`, spread over the profile by rank; evenly if the
/// profile is empty there.
pub(crate) fn ranked(day: &Day, from: Time, to: Time, index: usize, n: usize) -> Time {
    let (index, n) = (index as u128, (n as u128).max(1));
    let share = |area: u128| area * (2 * index + 1) / (2 * n);
    day.after(from, to, share(day.area(from, to)))
        .unwrap_or_else(|| {
            from + Span::from_nanos(share(u128::from(to.since(from).nanos())) as u64)
        })
}

/// The instant of a visit recorded at `at_ns` where all lie between `first_ns` and `last_ns`.
pub(crate) fn scaled(from: Time, to: Time, at_ns: i64, first_ns: i64, last_ns: i64) -> Time {
    let width = u128::from(to.since(from).nanos().saturating_sub(1));
    let whole = u128::from(last_ns.saturating_sub(first_ns).max(1).unsigned_abs());
    let part = u128::from(
        at_ns
            .clamp(first_ns, last_ns)
            .saturating_sub(first_ns)
            .unsigned_abs(),
    );
    from + Span::from_nanos((width * part / whole) as u64)
}

#[cfg(test)]
mod tests;
