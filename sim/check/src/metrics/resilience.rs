//! What faults did to the service.

use super::latencies::Latencies;
use super::stalls::{Gap, Gaps, Stalls, within};
use crate::outcome::Resilience;
use consim_core::{Span, Time};
use std::sync::Arc;

/// A gap between commits is time without progress if it is longer than so many times the usual one.
pub const STALL_FACTOR: u64 = 2;
/// The usual gap: this share of those outside of all windows are no longer.
pub const USUAL_SHARE: f64 = 0.99;
/// Of fewer gaps nobody can say what is usual.
pub const LEAST_GAPS: u64 = 20;
/// The most windows that are told apart: each may need a histogram. Later ones count as disturbance
/// and have no figures of their own.
pub const MAX_WINDOWS: usize = 1_000;

/// A fault window.
#[derive(Debug)]
struct Window {
    id: String,
    opened: Time,
    closed: Option<Time>,
    /// The first application of a transaction at or after the end.
    first_commit: Option<Time>,
    /// Of the operations that were asked for inside.
    latencies: Latencies,
    lost: u64,
}

/// Follows the windows and what happens in and out of them.
#[derive(Debug)]
pub(crate) struct Windows {
    warmup: Time,
    seen: Vec<Window>,
    /// Places of the open ones.
    open: Arc<[usize]>,
    /// How many windows more were opened than have a place, and how many of these are open.
    pub(crate) untold: u64,
    untold_open: u64,
    /// Since when none is open.
    calm_since: Time,
    outside: Latencies,
    stalls: Stalls,
    gaps: Gaps,
    /// Of the gaps outside of all windows, after the warm-up.
    usual: Latencies,
}

impl Windows {
    pub(super) fn new(warmup: Time) -> Self {
        Self {
            warmup,
            seen: Vec::new(),
            open: Arc::new([]),
            untold: 0,
            untold_open: 0,
            calm_since: Time::ZERO,
            outside: Latencies::default(),
            stalls: Stalls::default(),
            gaps: Gaps::default(),
            usual: Latencies::default(),
        }
    }

    /// The windows that are open now.
    pub(super) fn open(&self) -> Arc<[usize]> {
        Arc::clone(&self.open)
    }

    fn is_calm(&self) -> bool {
        self.open.is_empty() && self.untold_open == 0
    }

    /// Since when no window is open.
    pub(super) fn calm_since(&self) -> Option<Time> {
        self.is_calm().then_some(self.calm_since)
    }

    pub(super) fn fault(&mut self, at: Time, id: &str, opens: bool) {
        let calm = self.is_calm();
        if opens {
            self.open_window(at, id);
        } else {
            self.close_window(at, id);
        }
        if !calm && self.is_calm() {
            self.calm_since = at;
        }
    }

    fn open_window(&mut self, at: Time, id: &str) {
        if self.seen.len() >= MAX_WINDOWS {
            self.untold += 1;
            self.untold_open += 1;
            return;
        }
        let place = self.seen.len();
        self.open = self.open.iter().copied().chain([place]).collect();
        self.seen.push(Window {
            id: id.to_owned(),
            opened: at,
            closed: None,
            first_commit: None,
            latencies: Latencies::default(),
            lost: 0,
        });
    }

    fn close_window(&mut self, at: Time, id: &str) {
        let is_it = |&place: &usize| self.seen.get(place).is_some_and(|window| window.id == id);
        let Some(closes) = self.open.iter().copied().find(is_it) else {
            self.untold_open = self.untold_open.saturating_sub(1);
            return;
        };
        if let Some(window) = self.seen.get_mut(closes) {
            window.closed = Some(at);
        }
        let others = self.open.iter().copied().filter(|&place| place != closes);
        self.open = others.collect();
    }

    /// A block with `txs` applied transactions was executed first.
    pub(super) fn committed(&mut self, at: Time, txs: u64) {
        if txs == 0 {
            return;
        }
        let gap = self.stalls.moved(at);
        self.gap(gap);
        for window in &mut self.seen {
            if window.closed.is_some() && window.first_commit.is_none() {
                window.first_commit = Some(at);
            }
        }
    }

    /// Somebody asks for something; the step is given back with [`Windows::ended`].
    pub(super) fn asked(&mut self, at: Time) -> u64 {
        self.stalls.asked(at)
    }

    /// An operation of `step` ended.
    pub(super) fn ended(&mut self, at: Time, step: u64, gave_up: bool) {
        let gap = self.stalls.left(at, step, gave_up);
        self.gap(gap);
    }

    fn gap(&mut self, gap: Option<Gap>) {
        let Some(gap) = gap else { return };
        if self.is_calm() && gap.from >= self.calm_since.later(self.warmup) {
            self.usual.record(gap.length());
        }
        self.gaps.push(gap);
    }

    /// An operation was answered that was asked for while `windows` were open.
    pub(super) fn answered(&mut self, windows: &[usize], latency: Span, count: u32) {
        if windows.is_empty() {
            self.outside.record_all(latency, count);
        }
        for &place in windows {
            if let Some(window) = self.seen.get_mut(place) {
                window.latencies.record_all(latency, count);
            }
        }
    }

    /// An operation that was asked for while `windows` were open came to nothing.
    pub(super) fn lost(&mut self, windows: &[usize], count: u32) {
        for &place in windows {
            if let Some(window) = self.seen.get_mut(place) {
                window.lost += u64::from(count);
            }
        }
    }

    pub(super) fn end(&mut self, at: Time) {
        // What the end cuts off is no usual gap.
        if let Some(gap) = self.stalls.end(at) {
            self.gaps.push(gap);
        }
        self.gaps.end();
        for &place in self.open.iter() {
            if let Some(window) = self.seen.get_mut(place) {
                window.closed = Some(at);
            }
        }
        self.open = Arc::new([]);
    }

    /// The longest gap that is no stall; `None` if too little is known of the usual one.
    pub(crate) fn limit(&self) -> Option<Span> {
        if self.usual.count() < LEAST_GAPS {
            return None;
        }
        let usual_ms = self.usual.quantile_ms(USUAL_SHARE);
        Some(Span::from_nanos((usual_ms * 1e6) as u64).times(STALL_FACTOR))
    }

    /// Are there windows that anything can be said of?
    pub(crate) fn any(&self) -> bool {
        !self.seen.is_empty()
    }

    /// Windows and gaps, to be judged by another run, if this one cannot.
    pub(crate) fn unjudged(&self, end: Time) -> Option<Unjudged> {
        let until = |window: &Window| window.first_commit.unwrap_or(end);
        (self.any() && self.limit().is_none()).then(|| Unjudged {
            gaps: self.gaps.clone(),
            windows: self
                .seen
                .iter()
                .map(|window| (window.opened, until(window)))
                .collect(),
        })
    }

    /// The stretches of time without progress, if gaps up to `limit` are usual.
    pub(crate) fn stretches(&self, limit: Span) -> Vec<(Time, Time)> {
        self.gaps.longer_than(limit)
    }

    /// One entry a window, in the order of their opening. Gaps longer than `limit` are time without
    /// progress.
    pub(crate) fn outcome(&self, limit: Option<Span>, end: Time) -> Vec<Resilience> {
        let stretches = limit.map(|limit| self.gaps.longer_than(limit));
        self.seen
            .iter()
            .map(|window| {
                let until = window.first_commit.unwrap_or(end);
                let stalled = stretches
                    .as_ref()
                    .map_or((f64::NAN, f64::NAN), |stretches| {
                        let (sum, longest) = within(stretches, window.opened, until);
                        (sum.seconds(), longest.seconds())
                    });
                let closed = window.closed.unwrap_or(end);
                Resilience {
                    id: window.id.clone(),
                    downtime_s: stalled.0,
                    longest_gap_s: stalled.1,
                    time_to_first_commit_s: window
                        .first_commit
                        .map(|first| (first - closed).seconds()),
                    sensitivity: window.latencies.area_to(&self.outside),
                    lost: window.lost,
                    entry: entry_of(&window.id).to_owned(),
                    from_s: window.opened.seconds(),
                    to_s: closed.seconds(),
                    ..Resilience::default()
                }
            })
            .collect()
    }
}

/// Windows and gaps of a run in which nothing says what is usual.
#[derive(Debug)]
pub struct Unjudged {
    gaps: Gaps,
    windows: Vec<(Time, Time)>,
}

impl Unjudged {
    /// Seconds without progress in each window and the longest piece of it, if gaps up to `limit` are
    /// usual.
    pub fn judge(&self, limit: Span) -> Vec<(f64, f64)> {
        let stretches = self.gaps.longer_than(limit);
        let judged = self.windows.iter().map(|&(from, to)| {
            let (sum, longest) = within(&stretches, from, to);
            (sum.seconds(), longest.seconds())
        });
        judged.collect()
    }
}

/// The entry of the plan that a window is of: repetitions have a number behind its name.
pub fn entry_of(id: &str) -> &str {
    id.split_once('#').map_or(id, |(entry, _)| entry)
}
