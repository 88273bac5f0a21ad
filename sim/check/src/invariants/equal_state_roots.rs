//! I9: equal state roots.

use super::by_height::ByHeight;
use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use consim_core::{Digest, Finding, NodeId, Observer, Probe, Severity, Time};
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "equal-state-roots",
    code: "I9",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "Correct nodes at equal height hold equal state.",
    applies: any_chain,
    build: |subjects| Box::new(EqualStateRoots::new(subjects)),
};

/// Compares the state root of every executed block with the first one at its height.
pub struct EqualStateRoots {
    subjects: Arc<Subjects>,
    finding: Finding,
    roots: ByHeight<(Digest, NodeId)>,
}

impl EqualStateRoots {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            roots: ByHeight::new(),
        }
    }
}

impl Observer for EqualStateRoots {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        let Probe::Applied(block) = probe else {
            return;
        };
        if !self.subjects.correct(node) {
            return;
        }
        let (chain, height, root) = (
            block.header.chain,
            block.header.height,
            block.header.state_root,
        );
        let Some(&(known, first)) = self.roots.get(chain, height) else {
            self.roots.insert(chain, height, (root, node));
            return;
        };
        let subjects = &self.subjects;
        self.finding.judge(known == root, || {
            format!(
                "{}, height {height}: state {root} at {}, {known} at {}",
                subjects.chain_name(chain),
                subjects.name(node),
                subjects.name(first)
            )
        });
    }
}

check_from_entry!(EqualStateRoots);
