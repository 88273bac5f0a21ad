//! When users come: Poisson arrivals by thinning, even arrivals, given instants, closed loops, and the
//! places of recorded visits, over the profile of a day and the course of a load. Everything but the Poisson gaps is
//! integer arithmetic.

use super::{draw, happens};
use consim_core::chain::MAX_COHORT;
use consim_core::rng::unit;
use consim_core::{Distribution, Span, Time};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng;
use std::collections::BTreeMap;
use std::sync::Arc;

const HOUR: u64 = 3_600_000_000_000;
/// Weights of the day are parts of this.
const MILLION: u32 = 1_000_000;
/// Events per 10^9 s times nanoseconds times weight that make one event: 10^9 * 10^9 * 10^6.
const EVENT: u128 = 1_000_000_000_000_000_000_000_000;

/// A stretch of time in which a load is another share of itself, changing evenly from its beginning to
/// its end: a ramp, a step, a burst.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// When it begins.
    pub from: Time,
    /// When it is over.
    pub to: Time,
    /// The share at its beginning, parts per million.
    pub first: u32,
    /// The share at its end.
    pub last: u32,
}

impl Stretch {
    /// The share at an instant in it, or at its end.
    fn at(&self, at: Time) -> u64 {
        let whole = u128::from(self.to.since(self.from).nanos().max(1));
        let part = u128::from(at.since(self.from).nanos()).min(whole);
        let sum = u128::from(self.first) * (whole - part) + u128::from(self.last) * part;
        (sum / whole) as u64
    }
}

/// Stretches laid over each other become stretches one after the other: where some overlap, their shares
/// multiply.
pub fn overlaid(stretches: &[Stretch]) -> Vec<Stretch> {
    let mut edges: Vec<Time> = stretches.iter().flat_map(|s| [s.from, s.to]).collect();
    edges.sort_unstable();
    edges.dedup();
    let mut out = Vec::new();
    for pair in edges.windows(2) {
        let &[from, to] = pair else {
            continue;
        };
        let here = stretches.iter().filter(|s| s.from <= from && to <= s.to);
        let million = u64::from(MILLION);
        let (mut first, mut last, mut any) = (million, million, false);
        for stretch in here {
            any = true;
            first = first * stretch.at(from) / million;
            last = last * stretch.at(to) / million;
        }
        if any {
            let share = |share: u64| u32::try_from(share).unwrap_or(u32::MAX);
            let (first, last) = (share(first), share(last));
            out.push(Stretch {
                from,
                to,
                first,
                last,
            });
        }
    }
    out
}

/// The profile of a day, how much comes in each hour, parts per million of the mean; and the course of the
/// load over it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Day {
    weights: [u32; 24],
    offset: u64,
    /// In their order, none within another.
    course: Vec<Stretch>,
}

/// A part of the time in which the weight changes evenly.
#[derive(Clone, Copy)]
struct Part {
    to: Time,
    first: u64,
    last: u64,
}

impl Part {
    /// Weight times nanoseconds of the first `ns` of its `length`.
    fn area(&self, ns: u64, length: u64) -> u128 {
        if self.first == self.last {
            return u128::from(self.first) * u128::from(ns);
        }
        let (length, ns) = (u128::from(length.max(1)), u128::from(ns));
        let (first, last) = (u128::from(self.first), u128::from(self.last));
        // The integral of a line, divided last: it never falls as `ns` grows. Parts are an hour long at
        // most, so that nothing overflows.
        ns * (first * (2 * length - ns) + last * ns) / (2 * length)
    }
    /// After how many nanoseconds of its `length` `area` has passed; it does pass.
    fn after(&self, area: u128, length: u64) -> u64 {
        if self.first == self.last {
            return (area / u128::from(self.first.max(1))) as u64;
        }
        let (mut low, mut high) = (0, length);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.area(middle, length) < area {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

impl Day {
    /// A profile; at time zero the local clock stands `offset` after midnight.
    pub fn new(weights: [u32; 24], offset: Span) -> Self {
        Self {
            weights,
            offset: offset.nanos() % (24 * HOUR),
            course: Vec::new(),
        }
    }
    /// The same at every hour.
    pub fn flat() -> Self {
        Self::new([MILLION; 24], Span::ZERO)
    }
    /// The same with the course of a load over it: stretches in their order, none within another.
    #[must_use]
    pub fn with_course(mut self, course: Vec<Stretch>) -> Self {
        self.course = course;
        self
    }
    /// The weight of the hour of an instant.
    fn hour(&self, at: Time) -> u64 {
        let hour = (self.offset + at.nanos()) / HOUR % 24;
        u64::from(self.weights.get(hour as usize).copied().unwrap_or(0))
    }
    /// The weight at an instant.
    pub fn weight(&self, at: Time) -> u64 {
        match self.stretch(at) {
            Some(stretch) => self.hour(at) * stretch.at(at) / u64::from(MILLION),
            None => self.hour(at),
        }
    }
    /// The stretch that an instant is in.
    fn stretch(&self, at: Time) -> Option<&Stretch> {
        let next = self.course.partition_point(|s| s.to <= at);
        self.course.get(next).filter(|s| s.from <= at)
    }
    /// At least as much as any weight.
    fn most(&self) -> u64 {
        let hour = u64::from(self.weights.iter().copied().max().unwrap_or(0));
        let shares = self.course.iter().map(|s| s.first.max(s.last));
        let share = shares.max().unwrap_or(0).max(MILLION);
        hour * u64::from(share) / u64::from(MILLION)
    }
    /// From `at` on, up to `to` at most, the longest part in which the weight changes evenly.
    fn part(&self, at: Time, to: Time) -> Part {
        let hour_end = at + Span::from_nanos(HOUR - (self.offset + at.nanos()) % HOUR);
        let to = to.min(hour_end);
        let hour = self.hour(at);
        if let Some(stretch) = self.stretch(at) {
            let to = to.min(stretch.to);
            let weight = |at| hour * stretch.at(at) / u64::from(MILLION);
            let (first, last) = (weight(at), weight(to));
            return Part { to, first, last };
        }
        let next = self.course.partition_point(|s| s.from <= at);
        let next = self.course.get(next).map_or(to, |s| s.from);
        Part {
            to: to.min(next),
            first: hour,
            last: hour,
        }
    }
    /// Weight times nanoseconds between two instants.
    fn area(&self, from: Time, to: Time) -> u128 {
        let (mut at, mut area) = (from, 0);
        while at < to {
            let part = self.part(at, to);
            let length = part.to.since(at).nanos();
            area += part.area(length, length);
            at = part.to;
        }
        area
    }
    /// The instant at which `area` (weight times nanoseconds) has passed since `from`; `None` if
    /// that is not before `to`.
    fn after(&self, from: Time, to: Time, mut area: u128) -> Option<Time> {
        let mut at = from;
        while at < to {
            let part = self.part(at, to);
            let length = part.to.since(at).nanos();
            let here = part.area(length, length);
            if area < here {
                return Some(at + Span::from_nanos(part.after(area, length)));
            }
            area -= here;
            at = part.to;
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
    /// At these instants, in their order, at any place.
    Instants(Arc<[Time]>),
    /// Whoever is answered asks again.
    Closed(Closed),
    /// Everything that is recorded, once.
    Recorded(Spacing),
}

/// A closed loop: so many users, each with so many operations open, who think between an answer and the
/// next question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Closed {
    /// Operations that are open at a time, at each place.
    pub open: Vec<u32>,
    /// How long a user thinks.
    pub think: Distribution,
}

/// Within this the users of a closed loop ask for the first time, one after the other (assumed: people
/// and machines never begin at one instant).
const BEGIN: Span = Span::from_secs(1);
/// Where nobody is there to ask, a user of a closed loop waits this long at least.
const COME_BACK: Span = Span::from_secs(1);

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
    /// Given instants in place of drawn ones, and how many are past.
    given: Option<(Arc<[Time]>, usize)>,
    /// How long users of a closed loop think.
    think: Option<Distribution>,
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
            given: None,
            think: None,
            sums,
            total,
            at: from,
            first: true,
        }
    }

    /// The first questions of a closed loop; the others follow their answers.
    pub(crate) fn closed(closed: &Closed, from: Time, to: Time) -> Self {
        let rates: Vec<u64> = closed.open.iter().map(|&open| u64::from(open)).collect();
        let users: u64 = rates.iter().sum();
        let step = BEGIN.nanos() / users.max(1);
        let first = (0..users).map(|user| from + Span::from_nanos(step * user));
        Self {
            given: Some((first.collect(), 0)),
            think: Some(closed.think.clone()),
            ..Self::new(&rates, false, Day::flat(), from, to)
        }
    }

    /// When the user of a closed loop asks again who is answered at `at`, or finds nobody there.
    pub(crate) fn again(&self, rng: &mut ChaCha12Rng, at: Time, answered: bool) -> Option<Time> {
        let think = self.think.as_ref()?;
        let pause = think.quantile(unit(rng.next_u64()));
        let pause = if answered {
            pause
        } else {
            pause.max(COME_BACK)
        };
        Some(at + pause).filter(|at| *at < self.to)
    }

    /// At given instants within the window, at any of so many places.
    pub(crate) fn at(instants: &Arc<[Time]>, places: usize, from: Time, to: Time) -> Self {
        let first = instants.partition_point(|at| *at < from);
        Self {
            given: Some((Arc::clone(instants), first)),
            ..Self::new(&vec![1; places], false, Day::flat(), from, to)
        }
    }

    /// The next arrival: when, and at which place.
    pub(crate) fn next(&mut self, rng: &mut ChaCha12Rng) -> Option<(Time, usize)> {
        if self.total == 0 || self.day.most() == 0 {
            return None;
        }
        self.at = if self.given.is_some() {
            self.next_given()?
        } else if self.even {
            self.next_even()?
        } else {
            self.next_poisson(rng)?
        };
        // The users of a closed loop are where they are, one after the other.
        let mark = match (&self.think, &self.given) {
            (Some(_), Some((_, past))) => (*past as u64 - 1) % self.total,
            _ => draw(rng, self.total),
        };
        Some((self.at, self.sums.partition_point(|&sum| sum <= mark)))
    }

    fn next_given(&mut self) -> Option<Time> {
        let (instants, past) = self.given.as_mut()?;
        let at = instants.get(*past).copied()?;
        *past += 1;
        (at < self.to).then_some(at)
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
            if draw(rng, most) < self.day.weight(at) {
                return Some(at);
            }
        }
    }
}

/// Which arrivals travel together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Together {
    /// Those at one place within this span.
    pub span: Span,
    /// But for this share, parts per billion, which travels alone.
    pub individual: u32,
}

/// Arrivals at one place within a span, together: at the mean of their instants, so that the mean of what
/// takes its time from there is exact, and each single one to the span.
#[derive(Debug)]
pub(crate) struct Cohorts {
    span: Span,
    individual: u32,
    /// The end of the span that is gathered next.
    end: Time,
    /// An arrival behind it.
    ahead: Option<(Time, usize)>,
    /// The cohorts of the span gathered last, the latest first.
    gathered: Vec<(Time, usize, u32)>,
}

impl Cohorts {
    pub(crate) fn new(together: Together, from: Time) -> Self {
        let span = together.span.max(Span::from_nanos(1));
        Self {
            span,
            individual: together.individual,
            end: from + span,
            ahead: None,
            gathered: Vec::new(),
        }
    }

    /// The next cohort: when, at which place, and how many.
    pub(crate) fn next(
        &mut self,
        arrivals: &mut Arrivals,
        rng: &mut ChaCha12Rng,
    ) -> Option<(Time, usize, u32)> {
        if let Some(cohort) = self.gathered.pop() {
            return Some(cohort);
        }
        let first = match self.ahead.take() {
            Some(first) => first,
            None => arrivals.next(rng)?,
        };
        let beyond = first.0.since(self.end).nanos();
        if first.0 >= self.end {
            self.end += self.span.times(1 + beyond / self.span.nanos());
        }
        // By place: how many, and the sum of their distances from the end.
        let mut places: BTreeMap<usize, (u32, u64)> = BTreeMap::new();
        let mut alone = Vec::new();
        let mut next = Some(first);
        while let Some((at, place)) = next {
            if at >= self.end {
                self.ahead = next;
                break;
            }
            if self.individual > 0 && happens(rng, self.individual) {
                alone.push((at, place, 1));
                next = arrivals.next(rng);
                continue;
            }
            let (count, sum) = places.entry(place).or_default();
            (*count, *sum) = (*count + 1, *sum + self.end.since(at).nanos());
            if *count == MAX_COHORT {
                break;
            }
            next = arrivals.next(rng);
        }
        let end = self.end;
        let cohorts = places.into_iter().map(|(place, (count, sum))| {
            let before = Span::from_nanos(sum / u64::from(count));
            (Time::from_nanos(end.nanos() - before.nanos()), place, count)
        });
        self.gathered = cohorts.chain(alone).collect();
        self.gathered.sort_unstable_by(|a, b| b.cmp(a));
        self.gathered.pop()
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
