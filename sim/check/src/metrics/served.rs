//! When each service was there for its users.
//!
//! A service is *unavailable* from a request (or its last answer) to its next answer, if that takes
//! longer than the shortest deadline of its operations and somebody waited all that time; and if all
//! who waited gave up. It is *available* in all other time in which somebody waited. Time in which
//! nobody waited says nothing by itself: if it is short and the gaps on both sides of it say the
//! same, it counts as they do; otherwise it is unknown, and counts for neither.

use super::stalls::{Gap, Stalls};
use crate::outcome::ServiceOutcome;
use crate::statistics::{self, CONFIDENCE, count_limits, ratio_over_batches};
use consim_core::{OpEnd, Span, Time};

/// The longest time without a request that still counts as what lies on both sides of it. Beyond, no
/// load is no evidence.
pub const LONGEST_IDLE: Span = Span::from_secs(3_600);
/// The measured part of a run is judged in batches of this length, the last one perhaps shorter.
pub const BATCH: Span = Span::from_secs(86_400);
/// The most batches, ten years; longer ones in a longer run.
const MAX_BATCHES: u64 = 3_650;
/// Minutes of a year of 365 days.
const MINUTES_A_YEAR: f64 = 525_600.0;

/// One batch.
#[derive(Clone, Copy, Debug, Default)]
struct Batch {
    down: Span,
    observed: Span,
}

/// A service.
#[derive(Debug)]
pub(super) struct Served {
    warmup: Time,
    batch: Span,
    stalls: Stalls,
    /// The shortest deadline of its operations.
    deadline: Span,
    /// Up to where time was judged, and whether it was down there.
    judged: Option<(Time, bool)>,
    batches: Vec<Batch>,
    down: Span,
    observed: Span,
    outages: u64,
    longest: Span,
    /// The outage that reaches up to `judged`.
    current: Span,
}

impl Served {
    pub(super) fn new(warmup: Time, end: Time) -> Self {
        let measured = end - warmup;
        let batch = BATCH.max(Span::from_nanos(measured.nanos().div_ceil(MAX_BATCHES)));
        let batches = measured.nanos().div_ceil(batch.nanos().max(1)) as usize;
        Self {
            warmup,
            batch,
            stalls: Stalls::default(),
            deadline: Span::MAX,
            judged: None,
            batches: vec![Batch::default(); batches],
            down: Span::ZERO,
            observed: Span::ZERO,
            outages: 0,
            longest: Span::ZERO,
            current: Span::ZERO,
        }
    }

    pub(super) fn asked(&mut self, at: Time, deadline: Span) -> u64 {
        self.deadline = self.deadline.min(deadline);
        self.stalls.asked(at)
    }

    pub(super) fn ended(&mut self, at: Time, step: u64, end: OpEnd) {
        let gave_up = end == OpEnd::GaveUp;
        let gap = if gave_up {
            self.stalls.left(at, step, true)
        } else {
            // Leaves first: what is answered does not wait for the next answer.
            let gap = self.stalls.left(at, step, false);
            gap.or(self.stalls.moved(at))
        };
        self.judge(gap);
    }

    pub(super) fn end(&mut self, at: Time) {
        let gap = self
            .stalls
            .end(at)
            .filter(|gap| gap.length() > self.deadline);
        self.judge(gap);
    }

    fn judge(&mut self, gap: Option<Gap>) {
        let Some(gap) = gap else { return };
        let down = gap.gave_up || gap.length() > self.deadline;
        if let Some((since, was_down)) = self.judged {
            let agrees = was_down == down && gap.from - since <= LONGEST_IDLE;
            if agrees {
                self.count(since, gap.from, down);
            } else {
                self.current = Span::ZERO;
            }
        }
        if down && self.current.is_zero() && gap.to > self.warmup {
            self.outages += 1;
        }
        self.count(gap.from, gap.to, down);
        self.judged = Some((gap.to, down));
    }

    /// Counts the time between two instants.
    fn count(&mut self, from: Time, to: Time, down: bool) {
        let from = from.later(self.warmup);
        let length = to - from;
        self.observed += length;
        if down {
            self.down += length;
            self.current += length;
            self.longest = self.longest.max(self.current);
        } else {
            self.current = Span::ZERO;
        }
        let mut begin = from;
        while begin < to {
            let place = (begin - self.warmup).nanos() / self.batch.nanos();
            let edge = self.warmup + self.batch.times(place + 1);
            let piece = edge.min(to) - begin;
            if let Some(batch) = self.batches.get_mut(place as usize) {
                batch.observed += piece;
                if down {
                    batch.down += piece;
                }
            }
            begin = edge.min(to);
            if piece.is_zero() {
                break;
            }
        }
    }

    /// What came of it, for the service `name`; `None` if nothing was seen of it.
    pub(super) fn outcome(&self, name: &str, measured: Span) -> Option<ServiceOutcome> {
        if self.observed.is_zero() {
            return None;
        }
        let pairs: Vec<(f64, f64)> = self
            .batches
            .iter()
            .map(|batch| (batch.down.seconds(), batch.observed.seconds()))
            .collect();
        let figure = format!("services/{name}/unavailable");
        let share = ratio_over_batches(&pairs, &figure, CONFIDENCE);
        // Below so many batches a year is too far away.
        let share = share.filter(|share| share.n >= statistics::MIN_BATCHES as u64);
        let told = pairs.iter().filter(|(_, observed)| *observed > 0.0).count() as u64;
        let hit = pairs.iter().filter(|(down, _)| *down > 0.0).count() as u64;
        // Resamples of nothing are nothing: what was never seen has its limit in days.
        let ends = |end: f64| {
            if hit > 0 {
                end * MINUTES_A_YEAR
            } else {
                f64::NAN
            }
        };
        Some(ServiceOutcome {
            id: name.to_owned(),
            unavailable_s: self.down.seconds(),
            observed_s: self.observed.seconds(),
            unknown_s: Span::from_nanos(measured.nanos().saturating_sub(self.observed.nanos()))
                .seconds(),
            outages: self.outages,
            longest_outage_s: self.longest.seconds(),
            unavailable_min_per_year: share.map(|share| crate::statistics::Interval {
                estimate: share.estimate * MINUTES_A_YEAR,
                low: ends(share.low),
                high: ends(share.high),
                n: share.n,
            }),
            days: told,
            days_with_outage: hit,
            days_with_outage_at_most: count_limits(hit, told, CONFIDENCE)
                .map_or(1.0, |limits| limits.high),
        })
    }
}
