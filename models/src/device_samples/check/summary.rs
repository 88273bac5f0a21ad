//! What a report tells about samples.

use super::{Came, received};
use crate::device_samples::probe::SampleProbe;
use crate::orders::past::InOrder;
use consim_core::{NodeId, Observer, Probe, Receipt, Time};
use std::collections::BTreeMap;

/// Counts of a run.
#[derive(Debug, Default)]
pub struct Summary {
    order: InOrder,
    batches: u64,
    samples: u64,
    refused: BTreeMap<&'static str, u64>,
    devices: BTreeMap<u64, Came>,
    read: u64,
    not_there: u64,
    asked: u64,
}

impl Summary {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Label and value, in the order of a report.
    pub fn rows(&self) -> Vec<(String, String)> {
        let gaps = self.devices.values().map(Came::missing);
        let (mut gap_count, mut missing) = (0u64, 0u64);
        for (from, to) in gaps.flatten() {
            gap_count += 1;
            missing += to - from;
        }
        let row = |label: String, value: u64| (label, value.to_string());
        let mut rows: Vec<(String, String)> = [
            ("devices with samples", self.devices.len() as u64),
            ("batches anchored", self.batches),
            ("samples anchored", self.samples),
            ("gaps at the end", gap_count),
            ("samples missing in them", missing),
            ("samples read", self.read),
            ("samples read that were not there", self.not_there),
            ("questions after gaps", self.asked),
        ]
        .map(|(label, value)| row(label.to_owned(), value))
        .into();
        let refused = self.refused.iter();
        rows.extend(refused.map(|(reason, n)| row(format!("batches refused: {reason}"), *n)));
        rows
    }
}

impl Observer for Summary {
    fn probe(&mut self, _at: Time, _node: NodeId, probe: &Probe) {
        for (batch, receipt) in received(&mut self.order, probe) {
            match receipt {
                Receipt::Applied => {
                    self.batches += 1;
                    self.samples += batch.samples.len() as u64;
                    if let Some(end) = batch.end() {
                        let came = self.devices.entry(batch.device).or_default();
                        came.come(batch.first, end);
                    }
                }
                Receipt::Refused(reason) => *self.refused.entry(reason).or_default() += 1,
                Receipt::Duplicate => {}
            }
        }
        match SampleProbe::of(probe) {
            Some(SampleProbe::Read { shown, .. }) => {
                self.read += 1;
                self.not_there += u64::from(shown.is_none());
            }
            Some(SampleProbe::Missing { .. }) => self.asked += 1,
            Some(SampleProbe::Acknowledged { .. }) | None => {}
        }
    }
}
