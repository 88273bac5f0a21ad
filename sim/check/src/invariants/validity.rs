//! I4: validity.

use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use crate::number_set::{NumberSet, TxSet};
use consim_core::{
    Block, ChainId, Digest, Finding, NodeId, Observer, Probe, Receipt, Severity, Time, TxId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "validity",
    code: "I4",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "Every transaction that took effect was handed in as it is, and is signed by its origin.",
    applies: any_chain,
    build: |subjects| Box::new(Validity::new(subjects)),
};

/// Remembers what was handed in until it is executed, and one bit of it afterwards. What a corrupt
/// node makes and signs itself counts as handed in. Of two blocks at one height the first is judged;
/// that there are two is for agreement and prefix order to say.
pub struct Validity {
    subjects: Arc<Subjects>,
    finding: Finding,
    chains: BTreeMap<ChainId, Seen>,
}

/// What was seen of a chain.
#[derive(Default)]
struct Seen {
    heights: NumberSet,
    executed: TxSet,
    /// What waits, with the first eight bytes of the transaction's digest.
    admitted: BTreeSet<(TxId, u64)>,
}

impl Seen {
    fn admit(&mut self, tx: TxId, digest: &Digest) {
        if !self.executed.contains(tx) {
            self.admitted.insert((tx, digest.prefix()));
        }
    }
    /// A transaction is executed: was it handed in with this digest? One that was executed before is
    /// not asked about again.
    fn execute(&mut self, tx: TxId, digest: &Digest) -> bool {
        let known = self.admitted.remove(&(tx, digest.prefix()));
        // Other versions of it will not be executed.
        let versions = (tx, 0)..=(tx, u64::MAX);
        while let Some(&other) = self.admitted.range(versions.clone()).next() {
            self.admitted.remove(&other);
        }
        !self.executed.insert(tx) || known
    }
}

impl Validity {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            chains: BTreeMap::new(),
        }
    }

    /// How many transactions are remembered in full.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.chains.values().map(|seen| seen.admitted.len()).sum()
    }

    fn new_block(&mut self, block: &Block) {
        let (chain, height) = (block.header.chain, block.header.height);
        let seen = self.chains.entry(chain).or_default();
        if !seen.heights.insert(height) {
            return;
        }
        let subjects = &self.subjects;
        for (tx, receipt) in block.committed.batch.txs().iter().zip(&block.receipts) {
            let known = seen.execute(tx.id(), &tx.digest()) || !subjects.correct(tx.id().origin);
            if *receipt != Receipt::Applied {
                continue;
            }
            let signed = tx.chain() == chain && tx.verify(subjects.keys.of(chain));
            self.finding.judge(known && signed, || {
                format!(
                    "{}, height {height}: transaction {} of {} {}",
                    subjects.chain_name(chain),
                    tx.id().number,
                    subjects.name(tx.id().origin),
                    if known {
                        "is not signed by its origin for this chain"
                    } else {
                        "took effect but no node took it in as it is"
                    }
                )
            });
        }
    }
}

impl Observer for Validity {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        match probe {
            Probe::Admitted {
                chain, tx, digest, ..
            } => {
                self.chains.entry(*chain).or_default().admit(*tx, digest);
            }
            Probe::Applied(block) if self.subjects.correct(node) => self.new_block(block),
            _ => {}
        }
    }
}

check_from_entry!(Validity);
