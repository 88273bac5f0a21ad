//! I17: no unbounded growth.

use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use consim_core::{Finding, NodeId, Observer, Probe, Severity, Time};
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "bounded-mempool",
    code: "I17",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "No more transactions wait at a node than its mempool may hold.",
    applies: any_chain,
    build: |subjects| Box::new(BoundedMempool::new(subjects)),
};

/// Compares what waits with the limit, whenever a node applied a block.
pub struct BoundedMempool {
    subjects: Arc<Subjects>,
    finding: Finding,
}

impl BoundedMempool {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
        }
    }
}

impl Observer for BoundedMempool {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        let Probe::Waiting { chain, txs } = probe else {
            return;
        };
        let subjects = &self.subjects;
        let Some(limit) = subjects.chain(*chain).map(|chain| chain.mempool) else {
            return;
        };
        if !subjects.correct(node) {
            return;
        }
        self.finding.judge(*txs <= limit, || {
            let (name, node) = (subjects.chain_name(*chain), subjects.name(node));
            format!("{name}: {txs} transactions wait at {node} at {at}, {limit} may")
        });
    }
}

check_from_entry!(BoundedMempool);
