//! `gaps-reported` (A7).

use super::{Came, taken};
use crate::device_samples::probe::SampleProbe;
use crate::orders::past::{InOrder, Past};
use consim_core::{Check, Finding, NodeId, Observer, Probe, Severity, Time};
use std::collections::BTreeMap;

/// Whoever asks what is missing of a device is told exactly what did not come before the last that
/// did; and whoever hands a batch over, how many are missing right before it.
#[derive(Debug, Default)]
pub struct GapsReported {
    order: InOrder,
    devices: BTreeMap<u64, Past<Came>>,
    finding: Finding,
}

impl GapsReported {
    /// A check of one chain.
    pub fn new() -> Self {
        Self::default()
    }

    /// What came of a device by `height`; `None` if that is forgotten.
    fn at(&self, device: u64, height: u64) -> Option<Came> {
        let Some(past) = self.devices.get(&device) else {
            return Some(Came::default());
        };
        let came = past.at(height).ok()?;
        Some(came.cloned().unwrap_or_default())
    }
}

impl Observer for GapsReported {
    fn probe(&mut self, _at: Time, _node: NodeId, probe: &Probe) {
        for batch in taken(&mut self.order, probe) {
            let Some(end) = batch.end() else { continue };
            let past = self.devices.entry(batch.device).or_default();
            let mut came = past.now().cloned().unwrap_or_default();
            came.come(batch.first, end);
            past.set(self.order.height(), came);
        }
        match SampleProbe::of(probe) {
            Some(SampleProbe::Missing {
                device,
                ranges,
                height,
            }) => {
                let Some(came) = self.at(*device, *height) else {
                    return;
                };
                let missing = came.missing();
                self.finding.judge(ranges.0 == missing, || {
                    format!("device {device:#x} at height {height}: {:?} are said to be missing, and it is {missing:?}", ranges.0)
                });
            }
            Some(SampleProbe::Acknowledged {
                batch,
                missing: Some(said),
                height,
            }) => {
                let Some(came) = self.at(batch.device, *height) else {
                    return;
                };
                let (device, first) = (batch.device, batch.first);
                let missing = came.missing_before(first);
                self.finding.judge(*said == missing, || {
                    format!("device {device:#x} at height {height}: before sample {first}, {said} are said to be missing, and it is {missing}")
                });
            }
            _ => {}
        }
    }
}

impl Check for GapsReported {
    fn name(&self) -> &'static str {
        "gaps-reported"
    }
    fn code(&self) -> &'static str {
        "A7"
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "What is missing of a device is said to be missing, to whoever asks and to whoever hands over what comes after it."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
    fn hears_sends(&self) -> bool {
        false
    }
}
