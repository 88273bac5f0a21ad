//! I14: what nodes keep is the same.

use super::by_height::ByHeight;
use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use consim_core::{ChainId, Digest, Finding, NodeId, Observer, Probe, Severity, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "equal-storage",
    code: "I14",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "Whatever a node came from, its own execution, its disk or a state that it took over, it ends with a block of the chain, whose id commits to every block and to the state.",
    applies: any_chain,
    build: |subjects| Box::new(EqualStorage::new(subjects)),
};

/// Compares where every node stands at the end with the blocks of the chain. The id of a block is
/// the hash of a header that names its parent and the root of the state, so nodes with equal ids
/// hold equal bytes.
pub struct EqualStorage {
    subjects: Arc<Subjects>,
    finding: Finding,
    ids: ByHeight<Digest>,
    stands: BTreeMap<(ChainId, NodeId), (u64, Digest)>,
}

impl EqualStorage {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            ids: ByHeight::new(),
            stands: BTreeMap::new(),
        }
    }
}

impl Observer for EqualStorage {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        let (chain, height, id) = match probe {
            Probe::Applied(block) => (block.header.chain, block.header.height, block.id),
            Probe::Recovered {
                chain,
                height,
                head,
            } => (*chain, *height, *head),
            _ => return,
        };
        if !self.subjects.correct(node) {
            return;
        }
        if matches!(probe, Probe::Applied(_)) {
            self.ids.insert(chain, height, id);
        }
        self.stands.insert((chain, node), (height, id));
    }

    fn end(&mut self, _at: Time) {
        for (&(chain, node), &(height, id)) in &self.stands {
            // Where nobody executed the block, there is nothing to compare with.
            let Some(&of_chain) = self.ids.get(chain, height) else {
                continue;
            };
            let subjects = &self.subjects;
            self.finding.judge(id == of_chain, || {
                format!(
                    "{}: {} ends at height {height} with {id}, the chain's block is {of_chain}",
                    subjects.chain_name(chain),
                    subjects.name(node)
                )
            });
        }
    }
}

check_from_entry!(EqualStorage);
