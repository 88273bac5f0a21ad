//! I19: a revoked certificate opens no door.

use super::{CheckEntry, Subjects, check_from_entry};
use consim_core::{ChainId, Finding, NodeId, Observer, Probe, Severity, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "revoked-refused",
    code: "I19",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "No correct node acts on what the bearer of a certificate says that it has been told is revoked.",
    applies: |subjects| subjects.revokes && !subjects.chains.is_empty(),
    build: |subjects| Box::new(RevokedRefused::new(subjects)),
};

/// Why what a bearer says is refused.
const REVOKED: &str = "revoked";

/// Counts what nodes refuse and what they believe, from the notice on that they got. Before it they cannot know.
pub struct RevokedRefused {
    subjects: Arc<Subjects>,
    finding: Finding,
    /// The last notice that each node took in.
    told: BTreeMap<NodeId, (ChainId, u64)>,
}

impl RevokedRefused {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            told: BTreeMap::new(),
        }
    }
}

impl Observer for RevokedRefused {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        if !self.subjects.correct(node) {
            return;
        }
        match probe {
            Probe::Noticed { chain, change } => {
                self.told.insert(node, (*chain, *change));
            }
            Probe::Unauthenticated { reason, .. }
                if *reason == REVOKED && self.told.contains_key(&node) =>
            {
                self.finding.judge(true, String::new);
            }
            Probe::Believed { chain, subject } => {
                let (subjects, told) = (&self.subjects, self.told.get(&node));
                self.finding.judge(told.is_none(), || {
                    format!(
                        "{}, at {at}: {} acts on what {} says, whose certificate is revoked, as it knows since change {}",
                        subjects.chain_name(*chain),
                        subjects.name(node),
                        subjects.name(*subject),
                        told.map_or(0, |(_, change)| *change)
                    )
                });
            }
            _ => {}
        }
    }
    fn node_up(&mut self, _at: Time, node: NodeId, up: bool) {
        // What a node was told is not on its disk.
        if !up {
            self.told.remove(&node);
        }
    }
}

check_from_entry!(RevokedRefused);
