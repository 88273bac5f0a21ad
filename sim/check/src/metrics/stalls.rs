//! Gaps: how long somebody waited while nothing moved.

use consim_core::{Span, Time};

/// A request waits for progress until so many steps have passed it over since it was asked for.
/// Then something else holds it up, such as its own node being cut off, and it no longer shows that
/// all stand still. Protocols have a block or two in flight when a request comes.
pub(super) const PASSED_OVER: usize = 3;

/// A stretch of time in which requests waited and there was no progress.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Gap {
    /// The last progress, or the first request after it.
    pub(super) from: Time,
    /// The next progress, or when nobody waited any more.
    pub(super) to: Time,
    /// The waiting ended since the last one gave up: nothing was served.
    pub(super) gave_up: bool,
    /// The gap before ended so, at this instant, and nothing was asked for in between.
    pub(super) idle_since: Option<Time>,
}

impl Gap {
    pub(super) fn length(&self) -> Span {
        self.to - self.from
    }
}

/// Follows who waits, and for how long.
#[derive(Debug, Default)]
pub(super) struct Stalls {
    /// Steps of progress so far.
    steps: u64,
    /// Waiting requests by the step at which they were asked for, of the last steps.
    waiting: [u64; PASSED_OVER],
    open: Option<Open>,
    /// When the last request gave up, if there was nothing since.
    gave_up: Option<Time>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    from: Time,
    idle_since: Option<Time>,
}

impl Stalls {
    fn slot(&mut self, step: u64) -> Option<&mut u64> {
        self.waiting.get_mut((step % PASSED_OVER as u64) as usize)
    }

    fn close(&mut self, at: Time, gave_up: bool) -> Option<Gap> {
        let open = self.open.take()?;
        self.gave_up = gave_up.then_some(at);
        Some(Gap {
            from: open.from,
            to: at,
            gave_up,
            idle_since: open.idle_since,
        })
    }

    /// Something was asked for; the step is given back with [`Stalls::left`].
    pub(super) fn asked(&mut self, at: Time) -> u64 {
        let step = self.steps;
        if let Some(slot) = self.slot(step) {
            *slot += 1;
        }
        if self.open.is_none() {
            let idle_since = self.gave_up.take();
            self.open = Some(Open {
                from: at,
                idle_since,
            });
        }
        step
    }

    /// A request of `step` waits no more.
    pub(super) fn left(&mut self, at: Time, step: u64, gave_up: bool) -> Option<Gap> {
        if self.steps - step >= PASSED_OVER as u64 {
            return None;
        }
        if let Some(slot) = self.slot(step) {
            *slot = slot.saturating_sub(1);
        }
        let nobody = self.waiting.iter().all(|n| *n == 0);
        if nobody {
            self.close(at, gave_up)
        } else {
            None
        }
    }

    /// A step of progress.
    pub(super) fn moved(&mut self, at: Time) -> Option<Gap> {
        let gap = self.close(at, false);
        self.gave_up = None;
        self.steps += 1;
        let steps = self.steps;
        if let Some(slot) = self.slot(steps) {
            *slot = 0;
        }
        if self.waiting.iter().any(|n| *n > 0) {
            self.open = Some(Open {
                from: at,
                idle_since: None,
            });
        }
        gap
    }

    /// The run is over: the gap that is open, which nothing ended.
    pub(super) fn end(&mut self, at: Time) -> Option<Gap> {
        self.close(at, true)
    }
}

/// The most gaps that are kept; of more, the longest.
pub(super) const MAX_GAPS: usize = 65_536;

/// The gaps of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Gaps {
    kept: Vec<Gap>,
}

impl Gaps {
    pub(super) fn push(&mut self, gap: Gap) {
        if self.kept.len() >= 2 * MAX_GAPS {
            // The short ones are the usual ones: no stall is lost as long as there are fewer of those.
            self.kept
                .sort_unstable_by_key(|gap| (std::cmp::Reverse(gap.length()), gap.from));
            self.kept.truncate(MAX_GAPS);
        }
        self.kept.push(gap);
    }

    /// Sorts them by time.
    pub(super) fn end(&mut self) {
        self.kept.sort_unstable_by_key(|gap| gap.from);
    }

    /// The stretches of time without progress: every gap longer than `limit`, with the idle time
    /// between two of them of which the first was given up.
    pub(super) fn longer_than(&self, limit: Span) -> Vec<(Time, Time)> {
        let mut out: Vec<(Time, Time)> = Vec::new();
        for gap in self.kept.iter().filter(|gap| gap.length() > limit) {
            match out.last_mut() {
                Some((_, to)) if gap.idle_since == Some(*to) => *to = gap.to,
                _ => out.push((gap.from, gap.to)),
            }
        }
        out
    }
}

/// How much of `stretches` lies between two instants, and the longest piece of it.
pub(super) fn within(stretches: &[(Time, Time)], from: Time, to: Time) -> (Span, Span) {
    let first = stretches.partition_point(|(_, end)| *end <= from);
    let mut sum = Span::ZERO;
    let mut longest = Span::ZERO;
    for (begin, end) in stretches.iter().skip(first) {
        if *begin >= to {
            break;
        }
        let piece = (*end).min(to) - begin.later(from);
        sum += piece;
        longest = longest.max(piece);
    }
    (sum, longest)
}
