//! Reads are linearizable: with one total order, a linear check does (catalogue Q1).

use super::command::Command;
use super::probe::KeyValueProbe;
use consim_core::{
    Block, Check, Digest, Finding, NodeId, Observer, OpId, Probe, Receipt, Severity, Time,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Values that are remembered of a key; a read of an older one is not judged.
const VERSIONS: usize = 64;

/// The value of a key from a height on: how far it is remembered.
type Versions = VecDeque<(u64, Digest)>;

/// Every read is answered with the value that the key had at the end of the block that the server
/// had reached, by a map that executes the commands in commit order, and that block is not before
/// the last one that a server had told a client of when the read was asked.
pub struct LinearizableReads {
    members: BTreeSet<NodeId>,
    height: u64,
    values: BTreeMap<u64, Versions>,
    /// The highest block that anybody was told of.
    told: u64,
    /// For each open operation, that height when it was asked.
    open: BTreeMap<OpId, u64>,
    finding: Finding,
}

impl LinearizableReads {
    /// A check of the chain of `members`.
    pub fn new(members: &[NodeId]) -> Self {
        Self {
            members: members.iter().copied().collect(),
            height: 0,
            values: BTreeMap::new(),
            told: 0,
            open: BTreeMap::new(),
            finding: Finding::new(),
        }
    }

    /// Takes a block that some node applied; each height counts once, in order.
    fn take(&mut self, block: &Block) {
        if block.header.height != self.height + 1 {
            return;
        }
        self.height += 1;
        for (tx, receipt) in block.committed.batch.txs().iter().zip(&block.receipts) {
            if *receipt == Receipt::Applied
                && self.members.contains(&tx.id().origin)
                && let Ok(Command::Put { key, value }) = Command::from_body(tx.body())
            {
                let versions = self.values.entry(key).or_default();
                if versions.len() == VERSIONS {
                    versions.pop_front();
                }
                versions.push_back((self.height, Digest::of(&value)));
            }
        }
    }

    fn read(&mut self, op: OpId, key: u64, value: Option<Digest>, height: u64) {
        let floor = self.open.get(&op).copied().unwrap_or(0);
        let fresh = height >= floor && height <= self.height;
        let versions = self.values.get(&key);
        let held = versions.and_then(|v| v.iter().rev().find(|(since, _)| *since <= height));
        let forgotten = held.is_none() && versions.is_some_and(|v| v.len() == VERSIONS);
        if forgotten && fresh {
            return;
        }
        let right = held.map(|(_, digest)| *digest) == value;
        self.finding.judge(fresh && right, || {
            if fresh {
                format!("{op:?}: key {key} at height {height} was answered with another value")
            } else {
                format!(
                    "{op:?}: key {key} was read at height {height}, block {floor} was told of before"
                )
            }
        });
    }
}

impl Observer for LinearizableReads {
    fn probe(&mut self, _at: Time, _node: NodeId, probe: &Probe) {
        match probe {
            Probe::Applied(block) => self.take(block),
            Probe::Asked { op, .. } => {
                self.open.insert(*op, self.told);
            }
            Probe::Ended { op, .. } => {
                self.open.remove(op);
            }
            Probe::Domain(domain) => match domain.as_any().downcast_ref() {
                Some(KeyValueProbe::Wrote { height, .. }) => self.told = self.told.max(*height),
                Some(KeyValueProbe::Read {
                    op,
                    key,
                    value,
                    height,
                }) => {
                    self.read(*op, *key, *value, *height);
                    self.told = self.told.max(*height);
                }
                None => {}
            },
            _ => {}
        }
    }
}

impl Check for LinearizableReads {
    fn name(&self) -> &'static str {
        "linearizable-reads"
    }
    fn code(&self) -> &'static str {
        "Q1"
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "Every read is answered with the value that its key had, in commit order, at a height not below any that a client had been told of when it was asked."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
    fn hears_sends(&self) -> bool {
        false
    }
}
