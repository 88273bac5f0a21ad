//! The time series.

use super::latencies::Latencies;
use crate::results::Bin;
use consim_core::{Span, Time};

/// The most bins that a run has; with a shorter interval the bins are made longer.
pub const MAX_BINS: u64 = 100_000;

/// Bins of equal length from time zero, warm-up included.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) interval: Span,
    pub(crate) bins: Vec<Bin>,
    /// The bin that `latencies` is of.
    current: usize,
    latencies: Latencies,
}

impl Series {
    pub(super) fn new(interval: Span, end: Time) -> Self {
        let interval = interval.nanos().max(end.nanos().div_ceil(MAX_BINS)).max(1);
        let empty = Bin {
            p50_ms: f64::NAN,
            p99_ms: f64::NAN,
            ..Bin::default()
        };
        Self {
            interval: Span::from_nanos(interval),
            bins: vec![empty; end.nanos().div_ceil(interval).max(1) as usize],
            current: 0,
            latencies: Latencies::default(),
        }
    }
    /// The place of an instant's bin; what happens at the very end belongs to the last one.
    fn place(&self, at: Time) -> usize {
        let place = (at.nanos() / self.interval.nanos()) as usize;
        place.min(self.bins.len().saturating_sub(1))
    }
    fn at(&mut self, at: Time) -> Option<&mut Bin> {
        let place = self.place(at);
        self.bins.get_mut(place)
    }
    pub(super) fn submitted(&mut self, at: Time, count: u32) {
        if let Some(bin) = self.at(at) {
            bin.submitted += u64::from(count);
        }
    }
    pub(super) fn committed(&mut self, at: Time, txs: u64) {
        if let Some(bin) = self.at(at) {
            bin.committed += txs;
        }
    }
    pub(super) fn failed(&mut self, at: Time, count: u32) {
        if let Some(bin) = self.at(at) {
            bin.failed += u64::from(count);
        }
    }
    /// An operation was answered. Answers come in time order.
    pub(super) fn answered(&mut self, at: Time, latency: Span, count: u32) {
        let place = self.place(at);
        if place != self.current {
            self.close();
            self.current = place;
        }
        self.latencies.record_all(latency, count);
        if let Some(bin) = self.bins.get_mut(place) {
            bin.answered += u64::from(count);
        }
    }
    /// Writes the percentiles of the current bin.
    fn close(&mut self) {
        if let Some(bin) = self.bins.get_mut(self.current) {
            bin.p50_ms = self.latencies.quantile_ms(0.5);
            bin.p99_ms = self.latencies.quantile_ms(0.99);
        }
        self.latencies.clear();
    }
    /// The run is over; what was not reached has no bin.
    pub(super) fn end(&mut self, at: Time) {
        self.close();
        let reached = at.nanos().div_ceil(self.interval.nanos()).max(1) as usize;
        self.bins.truncate(reached);
    }
}
