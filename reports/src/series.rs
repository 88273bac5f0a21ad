//! The time series as it is drawn: intervals of the run, neighbours put together where there are
//! more than a figure can show.

use consim_check::results::Results;

/// Intervals that are drawn; the figures are about as many pixels wide.
const MOST: usize = 800;

/// One or more bins of the series.
#[derive(Clone, Copy)]
pub(crate) struct Interval {
    /// Its beginning, seconds.
    pub(crate) from: f64,
    /// Its end, seconds.
    pub(crate) to: f64,
    /// Transactions admitted.
    pub(crate) submitted: u64,
    /// Transactions applied.
    pub(crate) committed: u64,
    /// Operations given up.
    pub(crate) failed: u64,
    /// Median latency, milliseconds; NaN if nothing was answered; of several bins the largest.
    pub(crate) p50_ms: f64,
    /// 99th percentile, likewise.
    pub(crate) p99_ms: f64,
}

impl Interval {
    /// A count of this interval, per second.
    pub(crate) fn rate(&self, count: u64) -> f64 {
        count as f64 / (self.to - self.from)
    }
}

/// Bins in an interval.
pub(crate) fn merged(results: &Results) -> usize {
    results.series.len().div_ceil(MOST).max(1)
}

/// The intervals of the run, at most [`MOST`].
pub(crate) fn intervals(results: &Results) -> Vec<Interval> {
    let size = merged(results);
    let chunk = |(k, bins): (usize, &[consim_check::results::Bin])| {
        let first = k * size;
        let mut out = Interval {
            from: bounds(results, first).0,
            to: bounds(results, first + bins.len() - 1).1,
            submitted: 0,
            committed: 0,
            failed: 0,
            p50_ms: f64::NAN,
            p99_ms: f64::NAN,
        };
        for bin in bins {
            out.submitted = out.submitted.saturating_add(bin.submitted);
            out.committed = out.committed.saturating_add(bin.committed);
            out.failed = out.failed.saturating_add(bin.failed);
            // `max` leaves NaN behind as soon as there is a number.
            out.p50_ms = out.p50_ms.max(bin.p50_ms);
            out.p99_ms = out.p99_ms.max(bin.p99_ms);
        }
        out
    };
    results.series.chunks(size).enumerate().map(chunk).collect()
}

/// Start and end of bin `i` in seconds; the last one ends with the run.
pub(crate) fn bounds(results: &Results, i: usize) -> (f64, f64) {
    let start = results.interval_s * i as f64;
    let end = start + results.interval_s;
    let run = results.outcome.virtual_seconds;
    if run > start && run < end {
        (start, run)
    } else {
        (start, end)
    }
}
