//! `samples-once` (A7).

use super::{Came, taken};
use crate::orders::past::InOrder;
use consim_core::{Check, Finding, NodeId, Observer, Probe, Severity, Time};
use std::collections::BTreeMap;

/// Of each device, the chain takes each number at most once.
#[derive(Debug, Default)]
pub struct SamplesOnce {
    order: InOrder,
    devices: BTreeMap<u64, Came>,
    finding: Finding,
}

impl SamplesOnce {
    /// A check of one chain.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Observer for SamplesOnce {
    fn probe(&mut self, _at: Time, _node: NodeId, probe: &Probe) {
        for batch in taken(&mut self.order, probe) {
            let (device, first) = (batch.device, batch.first);
            let Some(end) = batch.end() else { continue };
            let again = self.devices.entry(device).or_default().come(first, end);
            let height = self.order.height();
            self.finding.judge(!again, || {
                format!("device {device:#x}: of samples {first} to {end}, taken at height {height}, some had been taken before")
            });
        }
    }
}

impl Check for SamplesOnce {
    fn name(&self) -> &'static str {
        "samples-once"
    }
    fn code(&self) -> &'static str {
        "A7"
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "Each sample of a device, by its number, is taken at most once."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
    fn hears_sends(&self) -> bool {
        false
    }
}
