//! I15: repair.

use super::{CheckEntry, Subjects, check_from_entry};
use consim_core::{Calm, Disk, Finding, Heal, NodeId, Observer, Severity, Span, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "repair",
    code: "I15",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "At the end no correct node whose disk was damaged, that is up and was undisturbed for the bound, keeps a block or a state that cannot be read.",
    applies: |subjects| subjects.damages && !subjects.chains.is_empty(),
    build: |subjects| Box::new(Repair::new(subjects)),
};

/// Looks through the disks at the end.
pub struct Repair {
    subjects: Arc<Subjects>,
    finding: Finding,
    calm: Calm,
    bound: Span,
    /// Per node: is it up, and since when.
    up: BTreeMap<NodeId, (bool, Time)>,
}

impl Repair {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            bound: subjects.bound,
            subjects,
            finding: Finding::new(),
            calm: Calm::default(),
            up: BTreeMap::new(),
        }
    }
}

impl Observer for Repair {
    fn probe(&mut self, _: Time, _: NodeId, _: &consim_core::Probe) {}

    fn node_up(&mut self, at: Time, node: NodeId, up: bool) {
        self.up.insert(node, (up, at));
    }

    fn fault(&mut self, at: Time, _id: &str, open: bool) {
        self.calm.fault(at, open);
    }

    fn healed(&mut self, at: Time, heal: &Heal) {
        self.calm.healed(at, heal);
        self.bound = heal.bound;
    }

    fn stored(&mut self, at: Time, node: NodeId, disk: &Disk) {
        let (up, since) = self.up.get(&node).copied().unwrap_or((true, Time::ZERO));
        let due = self.calm.due(since, self.bound);
        let ripe = up && !self.calm.broken(node) && due.is_some_and(|due| due <= at);
        if disk.harmed() == 0 || !ripe || !self.subjects.correct(node) {
            return;
        }
        let (kept, torn) = (disk.lost().count(), disk.torn());
        let subjects = &self.subjects;
        self.finding.judge(kept == 0 && torn == 0, || {
            format!(
                "{} still keeps {kept} damaged and {torn} torn records of blocks",
                subjects.name(node)
            )
        });
    }
}

check_from_entry!(Repair);
