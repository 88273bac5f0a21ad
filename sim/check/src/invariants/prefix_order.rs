//! I2: prefix order.

use super::by_height::ByHeight;
use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use consim_core::{ChainId, Digest, Finding, NodeId, Observer, Probe, Severity, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "prefix-order",
    code: "I2",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "Every correct node executes the blocks of the one chain in order, without a gap or a repeat.",
    applies: any_chain,
    build: |subjects| Box::new(PrefixOrder::new(subjects)),
};

/// Follows the next height of each node, and the id of each height.
pub struct PrefixOrder {
    subjects: Arc<Subjects>,
    finding: Finding,
    ids: ByHeight<(Digest, NodeId)>,
    /// The height that a node must execute next.
    next: BTreeMap<(NodeId, ChainId), u64>,
}

impl PrefixOrder {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            ids: ByHeight::new(),
            next: BTreeMap::new(),
        }
    }
}

impl Observer for PrefixOrder {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        if !self.subjects.correct(node) {
            return;
        }
        let block = match probe {
            Probe::Recovered { chain, height, .. } => {
                self.next.insert((node, *chain), height + 1);
                return;
            }
            Probe::Applied(block) => block,
            _ => return,
        };
        let (chain, height, id) = (block.header.chain, block.header.height, block.id);
        let subjects = &self.subjects;
        let place = || format!("{}, height {height}", subjects.chain_name(chain));
        let next = self.next.entry((node, chain)).or_insert(1);
        let expected = *next;
        *next = height + 1;
        self.finding.judge(height == expected, || {
            format!(
                "{}: {} should have executed height {expected}",
                place(),
                subjects.name(node)
            )
        });
        match self.ids.get(chain, height) {
            None => self.ids.insert(chain, height, (id, node)),
            Some(&(known, first)) => self.finding.judge(known == id, || {
                format!(
                    "{}: {} executed block {id}, {} executed {known}",
                    place(),
                    subjects.name(node),
                    subjects.name(first)
                )
            }),
        }
    }

    fn node_up(&mut self, _at: Time, node: NodeId, up: bool) {
        // A new life begins at the first block; `Recovered` says otherwise where the disk kept some.
        if up {
            self.next.retain(|&(n, _), _| n != node);
        }
    }
}

check_from_entry!(PrefixOrder);
