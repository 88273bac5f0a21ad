//! I5: at most once.

use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use crate::number_set::{NumberSet, TxSet};
use consim_core::{Block, ChainId, Finding, NodeId, Observer, Probe, Receipt, Severity, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "at-most-once",
    code: "I5",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "A transaction takes effect at most once, and no node executes a block twice in one life.",
    applies: any_chain,
    build: |subjects| Box::new(AtMostOnce::new(subjects)),
};

/// Remembers which transactions took effect, in a bitmap. Of two blocks at one height the first is
/// judged; that there are two is for agreement and prefix order to say.
pub struct AtMostOnce {
    subjects: Arc<Subjects>,
    finding: Finding,
    /// By chain: heights that were judged, and transactions that took effect.
    seen: BTreeMap<ChainId, (NumberSet, TxSet)>,
    /// The highest block that a node executed in this life.
    last: BTreeMap<(NodeId, ChainId), u64>,
}

impl AtMostOnce {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            seen: BTreeMap::new(),
            last: BTreeMap::new(),
        }
    }

    fn new_block(&mut self, block: &Block) {
        let (chain, height) = (block.header.chain, block.header.height);
        let (heights, effects) = self.seen.entry(chain).or_default();
        if !heights.insert(height) {
            return;
        }
        let subjects = &self.subjects;
        for (tx, receipt) in block.committed.batch.txs().iter().zip(&block.receipts) {
            if *receipt == Receipt::Applied {
                self.finding.judge(effects.insert(tx.id()), || {
                    format!(
                        "{}, height {height}: transaction {} of {} took effect once more",
                        subjects.chain_name(chain),
                        tx.id().number,
                        subjects.name(tx.id().origin),
                    )
                });
            }
        }
    }
}

impl Observer for AtMostOnce {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        if !self.subjects.correct(node) {
            return;
        }
        let block = match probe {
            Probe::Recovered { chain, height, .. } => {
                self.last.insert((node, *chain), *height);
                return;
            }
            Probe::Applied(block) => block,
            _ => return,
        };
        let (chain, height) = (block.header.chain, block.header.height);
        let last = self.last.entry((node, chain)).or_insert(0);
        let before = *last;
        *last = before.max(height);
        let subjects = &self.subjects;
        self.finding.judge(height > before, || {
            format!(
                "{}: {} executed height {height} again, after height {before}",
                subjects.chain_name(chain),
                subjects.name(node)
            )
        });
        self.new_block(block);
    }

    fn node_up(&mut self, _at: Time, node: NodeId, up: bool) {
        if up {
            self.last.retain(|&(n, _), _| n != node);
        }
    }
}

check_from_entry!(AtMostOnce);
