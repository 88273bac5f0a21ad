//! `samples-kept` (A7).

use super::taken;
use crate::device_samples::command::Batch;
use crate::device_samples::probe::SampleProbe;
use crate::orders::past::InOrder;
use consim_core::{Check, Finding, NodeId, Observer, Probe, Severity, Time};
use std::collections::{BTreeMap, VecDeque};

/// The most samples that are remembered; of older ones nothing is judged.
const MAX_SAMPLES: usize = 1_000_000;

/// What is acknowledged is on the chain by then, as it came, and is shown so for good; what did not
/// come is shown by nobody.
#[derive(Debug, Default)]
pub struct SamplesKept {
    order: InOrder,
    /// Since which height which value stands under device and number.
    samples: BTreeMap<(u64, u64), (u64, u64)>,
    /// The same keys, the oldest first.
    ages: VecDeque<(u64, u64)>,
    forgets: bool,
    finding: Finding,
}

impl SamplesKept {
    /// A check of one chain.
    pub fn new() -> Self {
        Self::default()
    }

    fn take(&mut self, batch: &Batch) {
        let height = self.order.height();
        for (sequence, value) in batch.numbered() {
            let key = (batch.device, sequence);
            // What came first is what was acknowledged.
            if self.samples.contains_key(&key) {
                continue;
            }
            if self.ages.len() == MAX_SAMPLES
                && let Some(oldest) = self.ages.pop_front()
            {
                self.samples.remove(&oldest);
                self.forgets = true;
            }
            self.samples.insert(key, (height, value));
            self.ages.push_back(key);
        }
    }

    /// The value at `height`; an error if that may be forgotten.
    fn at(&self, key: (u64, u64), height: u64) -> Result<Option<u64>, ()> {
        match self.samples.get(&key) {
            Some(&(since, value)) => Ok((since <= height).then_some(value)),
            None if self.forgets => Err(()),
            None => Ok(None),
        }
    }

    fn acknowledged(&mut self, batch: &Batch, height: u64) {
        let device = batch.device;
        for (sequence, value) in batch.numbered() {
            let Ok(there) = self.at((device, sequence), height) else {
                continue;
            };
            self.finding.judge(there == Some(value), || {
                format!("sample {sequence} of device {device:#x} is acknowledged at height {height} as {value:#x}, and there is {there:x?}")
            });
        }
    }

    fn read(&mut self, device: u64, sequence: u64, value: Option<u64>, height: u64) {
        let Ok(there) = self.at((device, sequence), height) else {
            return;
        };
        self.finding.judge(there == value, || {
            format!("sample {sequence} of device {device:#x} at height {height} is shown as {value:x?}, and it is {there:x?}")
        });
    }
}

impl Observer for SamplesKept {
    fn probe(&mut self, _at: Time, _node: NodeId, probe: &Probe) {
        for batch in taken(&mut self.order, probe) {
            self.take(&batch);
        }
        match SampleProbe::of(probe) {
            Some(SampleProbe::Acknowledged { batch, height, .. }) => {
                self.acknowledged(batch, *height);
            }
            Some(SampleProbe::Read {
                device,
                sequence,
                shown,
                height,
            }) => {
                let value = shown.as_ref().map(|shown| shown.value);
                self.read(*device, *sequence, value, *height);
            }
            Some(SampleProbe::Missing { .. }) | None => {}
        }
    }
}

impl Check for SamplesKept {
    fn name(&self) -> &'static str {
        "samples-kept"
    }
    fn code(&self) -> &'static str {
        "A7"
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "A sample that is acknowledged is on the chain, is never lost nor changed, and what did not come is not shown."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
    fn hears_sends(&self) -> bool {
        false
    }
}
