//! Latencies of one kind of thing.

use crate::outcome::Latency;
use crate::statistics::{area_between, histogram_steps};
use consim_core::Span;
use hdrhistogram::Histogram;

/// Significant digits of the histograms: a percentile is exact to 0.1 %.
const DIGITS: u8 = 3;
/// The same where there may be thousands of histograms: exact to 1 %, in a tenth of the memory.
const COARSE: u8 = 2;

/// A histogram of microseconds, with the exact mean and maximum beside it. It takes no memory until
/// something is recorded, and afterwards at most half a megabyte.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latencies {
    coarse: bool,
    histogram: Option<Histogram<u64>>,
    sum_ns: u128,
    max: Span,
}

impl Latencies {
    /// One of two significant digits.
    pub(super) fn coarse() -> Self {
        Self {
            coarse: true,
            ..Self::default()
        }
    }
    /// Records one, rounded to the microsecond.
    pub(super) fn record(&mut self, latency: Span) {
        self.record_all(latency, 1);
    }
    /// Records so many of one latency.
    pub(super) fn record_all(&mut self, latency: Span, count: u32) {
        let count = u64::from(count);
        if self.histogram.is_none() {
            // Only more than five digits are refused.
            self.histogram = Histogram::new(if self.coarse { COARSE } else { DIGITS }).ok();
        }
        // It grows by itself, up to any value.
        let us = latency.nanos().saturating_add(500) / 1000;
        if let Some(Ok(())) = self.histogram.as_mut().map(|h| h.record_n(us, count)) {
            self.sum_ns += u128::from(latency.nanos()) * u128::from(count);
            self.max = self.max.max(latency);
        }
    }
    /// Forgets all, but keeps the memory.
    pub(super) fn clear(&mut self) {
        if let Some(histogram) = &mut self.histogram {
            histogram.reset();
        }
        self.sum_ns = 0;
        self.max = Span::ZERO;
    }
    /// How many.
    pub(crate) fn count(&self) -> u64 {
        self.histogram.as_ref().map_or(0, Histogram::len)
    }
    /// The latency that a share `quantile` of them does not exceed, milliseconds; NaN if there are none.
    pub(crate) fn quantile_ms(&self, quantile: f64) -> f64 {
        match &self.histogram {
            // A bucket's upper end may lie above the largest value.
            Some(h) if !h.is_empty() => {
                (h.value_at_quantile(quantile) as f64 / 1e3).min(self.max.millis())
            }
            _ => f64::NAN,
        }
    }
    /// The figures for the outcome.
    pub(crate) fn summary(&self) -> Latency {
        let count = self.count();
        if count == 0 {
            return Latency::default();
        }
        Latency {
            mean: self.sum_ns as f64 / count as f64 / 1e6,
            p50: self.quantile_ms(0.5),
            p95: self.quantile_ms(0.95),
            p99: self.quantile_ms(0.99),
            max: self.max.millis(),
            count,
        }
    }
    /// The histogram; `None` if nothing was recorded.
    pub(crate) fn histogram(&self) -> Option<&Histogram<u64>> {
        self.histogram.as_ref().filter(|h| !h.is_empty())
    }
    /// The area between the two distribution functions, in seconds. NaN if one of them is empty.
    pub(super) fn area_to(&self, other: &Self) -> f64 {
        let (Some(a), Some(b)) = (self.histogram(), other.histogram()) else {
            return f64::NAN;
        };
        area_between(&histogram_steps(a), &histogram_steps(b)) / 1e6
    }
}
