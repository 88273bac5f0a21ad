//! I4: validity.

use super::by_height::ByHeight;
use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use consim_core::{
    Block, ChainId, Digest, Finding, NodeId, Observer, Probe, Receipt, Severity, Time, TxId,
};
use std::collections::BTreeSet;
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

/// Remembers what was handed in: about 30 bytes a transaction.
pub struct Validity {
    subjects: Arc<Subjects>,
    finding: Finding,
    ids: ByHeight<Digest>,
    /// With the first eight bytes of the transaction's digest.
    admitted: BTreeSet<(TxId, ChainId, u64)>,
}

impl Validity {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            ids: ByHeight::new(),
            admitted: BTreeSet::new(),
        }
    }

    fn new_block(&mut self, block: &Block) {
        let (chain, height) = (block.header.chain, block.header.height);
        let subjects = &self.subjects;
        for (tx, receipt) in block.committed.batch.txs().iter().zip(&block.receipts) {
            if *receipt != Receipt::Applied {
                continue;
            }
            let known = self
                .admitted
                .contains(&(tx.id(), chain, tx.digest().prefix()));
            let signed = tx.chain() == chain && tx.verify(&subjects.keys);
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
            Probe::Admitted { chain, tx, digest } => {
                self.admitted.insert((*tx, *chain, digest.prefix()));
            }
            Probe::Applied(block) if self.subjects.correct(node) => {
                let (chain, height) = (block.header.chain, block.header.height);
                if self.ids.get(chain, height) != Some(&block.id) {
                    self.ids.insert(chain, height, block.id);
                    self.new_block(block);
                }
            }
            _ => {}
        }
    }
}

check_from_entry!(Validity);
