//! What faults did to the service.

use super::latencies::Latencies;
use crate::outcome::Resilience;
use consim_core::{Span, Time};
use std::sync::Arc;

/// Applied transactions are counted in cells of this length, or longer ones if the run would have
/// more than [`MAX_CELLS`].
pub const CELL: Span = Span::from_millis(10);
/// The most cells that a run has.
pub const MAX_CELLS: u64 = 1 << 20;
/// Downtime is judged over as many cells as hold this many blocks with transactions in the mean,
/// outside of all windows. Then a healthy period is empty by chance in less than one case of a
/// hundred (e^-5, if blocks come as a Poisson process; real ones are more regular).
pub const BLOCKS_PER_BIN: u64 = 5;
/// Below this share of the usual commit rate the service counts as down (the metric DT of the
/// attack catalogue).
pub const DOWN_BELOW: f64 = 0.1;
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
    calm: Calm,
    outside: Latencies,
    cell: Span,
    cells: Vec<u32>,
}

/// What was applied outside of all windows, after the warm-up.
#[derive(Clone, Copy, Debug, Default)]
struct Calm {
    length: Span,
    blocks: u64,
    txs: u64,
}

impl Windows {
    pub(super) fn new(warmup: Time, end: Time) -> Self {
        let cell = CELL.nanos().max(end.nanos().div_ceil(MAX_CELLS));
        Self {
            warmup,
            seen: Vec::new(),
            open: Arc::new([]),
            untold: 0,
            untold_open: 0,
            calm_since: Time::ZERO,
            calm: Calm::default(),
            outside: Latencies::default(),
            cell: Span::from_nanos(cell),
            cells: vec![0; end.nanos().div_ceil(cell) as usize],
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
        match (calm, self.is_calm()) {
            (true, false) => self.calm.length += at - self.calm_since.later(self.warmup),
            (false, true) => self.calm_since = at,
            _ => {}
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
        let index = (at.nanos() / self.cell.nanos()) as usize;
        if let Some(cell) = self.cells.get_mut(index) {
            *cell = cell.saturating_add(txs as u32);
        }
        if self.is_calm() && at >= self.warmup {
            self.calm.blocks += 1;
            self.calm.txs += txs;
        }
        for window in &mut self.seen {
            if window.closed.is_some() && window.first_commit.is_none() {
                window.first_commit = Some(at);
            }
        }
    }

    /// An operation was answered that was asked for while `windows` were open.
    pub(super) fn answered(&mut self, windows: &[usize], latency: Span) {
        if windows.is_empty() {
            self.outside.record(latency);
        }
        for &place in windows {
            if let Some(window) = self.seen.get_mut(place) {
                window.latencies.record(latency);
            }
        }
    }

    /// An operation that was asked for while `windows` were open came to nothing.
    pub(super) fn lost(&mut self, windows: &[usize]) {
        for &place in windows {
            if let Some(window) = self.seen.get_mut(place) {
                window.lost += 1;
            }
        }
    }

    pub(super) fn end(&mut self, at: Time) {
        if self.is_calm() {
            self.calm.length += at - self.calm_since.later(self.warmup);
        }
        for &place in self.open.iter() {
            if let Some(window) = self.seen.get_mut(place) {
                window.closed = Some(at);
            }
        }
        self.open = Arc::new([]);
    }

    /// The cells that downtime is judged over together; `None` without a commit outside of the
    /// windows.
    fn cells_per_bin(&self) -> Option<usize> {
        let mean_ns = self.calm.length.nanos().checked_div(self.calm.blocks)?;
        let bin = mean_ns.saturating_mul(BLOCKS_PER_BIN);
        Some(bin.div_ceil(self.cell.nanos()).max(1) as usize)
    }

    /// The length of the bins that downtime was counted in.
    pub(crate) fn bin(&self) -> Option<Span> {
        let cells = self.cells_per_bin()?;
        (!self.seen.is_empty()).then(|| self.cell.times(cells as u64))
    }

    /// Seconds in the window, and until the first commit after it, in bins with too few commits.
    /// NaN if there is no usual rate to compare with, or the time is shorter than half a bin: then
    /// a few missing blocks say nothing.
    fn downtime_s(&self, window: &Window, end: Time) -> f64 {
        let Some(bin) = self.cells_per_bin() else {
            return f64::NAN;
        };
        let usual = self.calm.txs as f64 / self.calm.length.nanos().max(1) as f64;
        let until = window.first_commit.unwrap_or(end);
        let from = window.opened.nanos().div_ceil(self.cell.nanos()) as usize;
        let to = ((until.nanos() / self.cell.nanos()) as usize).min(self.cells.len());
        let cells = self.cells.get(from..to).unwrap_or_default();
        if cells.len() * 2 < bin {
            return f64::NAN;
        }
        let mut rest = cells;
        let mut down = 0;
        while !rest.is_empty() {
            // What would be left as less than half a bin is judged with the bin before it.
            let length = if rest.len() * 2 < bin * 3 {
                rest.len()
            } else {
                bin
            };
            let (now, later) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            let txs: u64 = now.iter().map(|&txs| u64::from(txs)).sum();
            let length_ns = now.len() as f64 * self.cell.nanos() as f64;
            if (txs as f64) < DOWN_BELOW * usual * length_ns {
                down += now.len();
            }
            rest = later;
        }
        self.cell.times(down as u64).seconds()
    }

    /// One entry a window, in the order of their opening.
    pub(crate) fn outcome(&self, end: Time) -> Vec<Resilience> {
        self.seen
            .iter()
            .map(|window| Resilience {
                id: window.id.clone(),
                downtime_s: self.downtime_s(window, end),
                time_to_first_commit_s: window
                    .first_commit
                    .zip(window.closed)
                    .map(|(first, closed)| (first - closed).seconds()),
                sensitivity: window.latencies.area_to(&self.outside),
                lost: window.lost,
            })
            .collect()
    }
}
