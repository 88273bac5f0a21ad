//! I5: at most once.

use super::by_height::ByHeight;
use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use consim_core::{
    Block, ChainId, Digest, Finding, NodeId, Observer, Probe, Receipt, Severity, Time, TxId,
};
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

/// Remembers where each transaction took effect: about 40 bytes a transaction.
pub struct AtMostOnce {
    subjects: Arc<Subjects>,
    finding: Finding,
    ids: ByHeight<Digest>,
    /// Height and first eight bytes of the block id.
    effects: BTreeMap<(TxId, ChainId), (u64, u64)>,
    last: BTreeMap<(NodeId, ChainId), u64>,
}

impl AtMostOnce {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            ids: ByHeight::new(),
            effects: BTreeMap::new(),
            last: BTreeMap::new(),
        }
    }

    fn new_block(&mut self, block: &Block) {
        let (chain, height) = (block.header.chain, block.header.height);
        let subjects = &self.subjects;
        let here = (height, block.id.prefix());
        for (tx, receipt) in block.committed.batch.txs().iter().zip(&block.receipts) {
            if *receipt != Receipt::Applied {
                continue;
            }
            let before = self.effects.get(&(tx.id(), chain)).copied();
            if before.is_none() {
                self.effects.insert((tx.id(), chain), here);
            }
            // Another block at the same height is a fork, which agreement and prefix order judge.
            let holds = before.is_none_or(|(h, b)| h == height && b != here.1);
            self.finding.judge(holds, || {
                format!(
                    "{}: transaction {} of {} took effect at height {} and at height {height}",
                    subjects.chain_name(chain),
                    tx.id().number,
                    subjects.name(tx.id().origin),
                    before.map_or(0, |(h, _)| h),
                )
            });
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
        if self.ids.get(chain, height) == Some(&block.id) {
            return;
        }
        self.ids.insert(chain, height, block.id);
        self.new_block(block);
    }

    fn node_up(&mut self, _at: Time, node: NodeId, up: bool) {
        if up {
            self.last.retain(|&(n, _), _| n != node);
        }
    }
}

check_from_entry!(AtMostOnce);
