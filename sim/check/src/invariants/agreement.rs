//! I1: agreement.

use super::by_height::ByHeight;
use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use crate::seeded;
use consim_core::{Digest, Finding, NodeId, Observer, Probe, Severity, Time};
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "agreement",
    code: "I1",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "No two correct nodes commit different batches at one sequence number, across restarts too.",
    applies: any_chain,
    build: |subjects| Box::new(Agreement::new(subjects)),
};

/// Compares every commit with the first one at its chain and sequence number.
pub struct Agreement {
    subjects: Arc<Subjects>,
    finding: Finding,
    first: ByHeight<(Digest, NodeId)>,
}

impl Agreement {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            first: ByHeight::new(),
        }
    }
}

impl Observer for Agreement {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        let Probe::Committed(committed) = probe else {
            return;
        };
        if !self.subjects.correct(node) {
            return;
        }
        let (chain, sequence) = (committed.chain, committed.sequence);
        let digest = committed.batch.digest();
        let Some(&(agreed, first)) = self.first.get(chain, sequence) else {
            self.first.insert(chain, sequence, (digest, node));
            return;
        };
        if seeded::on(&seeded::LAST_BLOCK_NOT_COMPARED)
            && self.first.get(chain, sequence + 1).is_none()
        {
            return;
        }
        let subjects = &self.subjects;
        self.finding.judge(agreed == digest, || {
            format!(
                "{}, sequence {sequence}: {} committed batch {digest}, {} committed {agreed}",
                subjects.chain_name(chain),
                subjects.name(node),
                subjects.name(first),
            )
        });
    }
}

check_from_entry!(Agreement);
