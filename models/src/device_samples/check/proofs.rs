//! `sample-proofs` (I13).

use super::taken;
use crate::device_samples::command::{Shown, leaf};
use crate::device_samples::probe::SampleProbe;
use crate::orders::past::InOrder;
use consim_core::{Check, Digest, Finding, NodeId, Observer, Probe, Severity, Time};
use std::collections::BTreeMap;

/// A batch on the chain.
#[derive(Clone, Copy, Debug)]
struct Anchored {
    root: Digest,
    size: u64,
}

/// Every sample that is shown is proven to be in its batch, at its place, under the root that the chain
/// has of that; and what is acknowledged has the root of its samples.
#[derive(Debug, Default)]
pub struct SampleProofs {
    order: InOrder,
    /// By device and first number; the first batch there counts.
    batches: BTreeMap<(u64, u64), Anchored>,
    finding: Finding,
}

impl SampleProofs {
    /// A check of one chain.
    pub fn new() -> Self {
        Self::default()
    }

    fn shown(&mut self, device: u64, sequence: u64, shown: &Shown) {
        let until = (device, sequence);
        let batch = self.batches.range((device, 0)..=until).next_back();
        let proven = batch.is_some_and(|(&(_, first), batch)| {
            shown.root == batch.root
                && shown.proof.size == batch.size
                && shown.proof.index == sequence - first
                && shown
                    .proof
                    .verify(&leaf(device, sequence, shown.value), &batch.root)
        });
        self.finding.judge(proven, || {
            format!("sample {sequence} of device {device:#x} is shown, and nothing proves it")
        });
    }
}

impl Observer for SampleProofs {
    fn probe(&mut self, _at: Time, _node: NodeId, probe: &Probe) {
        for batch in taken(&mut self.order, probe) {
            let anchored = Anchored {
                root: batch.root,
                size: batch.samples.len() as u64,
            };
            let key = (batch.device, batch.first);
            self.batches.entry(key).or_insert(anchored);
        }
        match SampleProbe::of(probe) {
            Some(SampleProbe::Read {
                device,
                sequence,
                shown: Some(shown),
                ..
            }) => self.shown(*device, *sequence, shown),
            Some(SampleProbe::Acknowledged { batch, .. }) => {
                self.finding.judge(batch.is_rooted(), || {
                    let (device, first) = (batch.device, batch.first);
                    format!("device {device:#x}: the batch from {first} on is acknowledged under a root that is not its own")
                });
            }
            _ => {}
        }
    }
}

impl Check for SampleProofs {
    fn name(&self) -> &'static str {
        "sample-proofs"
    }
    fn code(&self) -> &'static str {
        "I13"
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "Every sample that is shown is proven to be in its batch, under the Merkle root that is anchored on the chain."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
    fn hears_sends(&self) -> bool {
        false
    }
}
