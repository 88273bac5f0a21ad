//! A5: exactly once under retry.

use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use crate::number_set::{NumberSet, TxSet};
use consim_core::{
    Block, ChainId, Finding, NodeId, Observer, OpId, Probe, Receipt, Severity, Time, TxId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "one-effect",
    code: "A5",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "However often a user's operation is repeated, and through whom, it takes effect on the chain once; so does what a server does of its own accord, for each server.",
    applies: any_chain,
    build: |subjects| Box::new(OneEffect::new(subjects)),
};

/// Remembers which operations took effect, in a bitmap. At-most-once tells repeated transactions;
/// here two transactions of one operation count, whoever brought them.
pub struct OneEffect {
    subjects: Arc<Subjects>,
    finding: Finding,
    seen: BTreeMap<ChainId, Seen>,
}

/// What took effect on a chain.
#[derive(Default)]
struct Seen {
    heights: NumberSet,
    of_users: TxSet,
    /// What servers did of their own accord, by server: few.
    of_servers: BTreeSet<(NodeId, OpId)>,
}

impl OneEffect {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            seen: BTreeMap::new(),
        }
    }

    fn new_block(&mut self, block: &Block) {
        let (chain, height) = (block.header.chain, block.header.height);
        let seen = self.seen.entry(chain).or_default();
        if !seen.heights.insert(height) {
            return;
        }
        let subjects = &self.subjects;
        for (tx, receipt) in block.committed.batch.txs().iter().zip(&block.receipts) {
            if *receipt != Receipt::Applied {
                continue;
            }
            // One transaction of many operations does not tell them apart.
            if !tx.cohort().is_one() {
                self.finding.left_out += u64::from(tx.cohort().count);
                continue;
            }
            let fresh = if tx.op().is_own() {
                seen.of_servers.insert((tx.id().origin, tx.op()))
            } else {
                // An operation is its user's node and a running number.
                seen.of_users.insert(TxId {
                    origin: NodeId((tx.op().0 >> 32) as u32),
                    number: tx.op().0 & u64::from(u32::MAX),
                })
            };
            self.finding.judge(fresh, || {
                format!(
                    "{}, height {height}: operation {:x} took effect once more, through {}",
                    subjects.chain_name(chain),
                    tx.op().0,
                    subjects.name(tx.id().origin),
                )
            });
        }
    }
}

impl Observer for OneEffect {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        if let Probe::Applied(block) = probe
            && self.subjects.correct(node)
        {
            self.new_block(block);
        }
    }
}

check_from_entry!(OneEffect);
