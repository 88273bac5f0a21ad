//! `audit-complete` (A6).

use crate::sharing::command::{Access, Command};
use crate::sharing::probe::SharingProbe;
use consim_core::{
    Check, Finding, NodeId, Observer, OpId, Probe, Receipt, Severity, Span, Time, TxId,
};
use std::collections::BTreeMap;

/// A decision that has no entry yet.
#[derive(Debug)]
struct Open {
    at: Time,
    access: Access,
    /// The provider crashed since: the decision may be lost, nobody has been told.
    crashed: bool,
}

/// Every decision on an access has exactly one entry on the chain with the same content, and
/// nothing is answered before that entry is applied.
#[derive(Debug)]
pub struct AuditComplete {
    slack: Span,
    height: u64,
    /// Decisions without an entry, by provider and operation. There are several if the provider
    /// crashed and decided again: whichever reaches the chain first is the one that counts.
    open: BTreeMap<(NodeId, OpId), Vec<Open>>,
    /// The entries: the transaction and what it said.
    entries: BTreeMap<(NodeId, OpId), (TxId, Access)>,
    /// When each node last applied a block.
    progress: BTreeMap<NodeId, Time>,
    finding: Finding,
}

impl AuditComplete {
    /// The check; a decision in the last `slack` of the run may still wait for its entry.
    pub fn new(slack: Span) -> Self {
        Self {
            slack,
            height: 0,
            open: BTreeMap::new(),
            entries: BTreeMap::new(),
            progress: BTreeMap::new(),
            finding: Finding::new(),
        }
    }

    fn open_of(&mut self, node: NodeId) -> impl Iterator<Item = &mut Open> {
        self.open
            .range_mut((node, OpId(0))..=(node, OpId(u64::MAX)))
            .flat_map(|(_, open)| open)
    }

    fn entry(&mut self, tx: TxId, op: OpId, access: Access) {
        let provider = tx.origin;
        if let Some((first, _)) = self.entries.get(&(provider, op)) {
            let first = *first;
            self.finding.judge(first == tx, || {
                format!(
                    "{provider} has two audit entries for operation {:x}: numbers {} and {}",
                    op.0, first.number, tx.number
                )
            });
            return;
        }
        let decided = self.open.remove(&(provider, op)).unwrap_or_default();
        self.finding
            .judge(decided.iter().any(|open| open.access == access), || {
                format!(
                    "{provider} wrote {access:?} for operation {:x}, but decided {decided:?}",
                    op.0
                )
            });
        self.entries.insert((provider, op), (tx, access));
    }
}

impl Observer for AuditComplete {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        if let Probe::Applied(block) = probe {
            let last = self.progress.insert(node, at).unwrap_or(at);
            if at.since(last).times(2) > self.slack {
                // The provider was cut off from the chain: its time for the audit starts again.
                self.open_of(node).for_each(|open| open.at = at);
            }
            if block.header.height == self.height + 1 {
                self.height += 1;
                for (tx, receipt) in block.committed.batch.txs().iter().zip(&block.receipts) {
                    if let (Receipt::Applied, Ok(Command::Access(access))) =
                        (receipt, Command::decode(tx.body()))
                    {
                        self.entry(tx.id(), tx.op(), access);
                    }
                }
            }
        }
        match SharingProbe::of(probe) {
            Some(&SharingProbe::Decided {
                op,
                record,
                requester,
                purpose,
                permit,
                reason,
                height,
                ..
            }) => {
                let access = Access {
                    record,
                    requester,
                    purpose,
                    permit,
                    reason,
                    height,
                };
                if !self.entries.contains_key(&(node, op)) {
                    let open = Open {
                        at,
                        access,
                        crashed: false,
                    };
                    self.open.entry((node, op)).or_default().push(open);
                }
            }
            Some(&SharingProbe::Released { op, record, permit }) => {
                let entry = self
                    .entries
                    .get(&(node, op))
                    .map(|(_, access)| (access.record, access.permit));
                self.finding.judge(entry == Some((record, permit)), || {
                    format!("{node} answered operation {:x} on {record} before an audit entry of it was applied", op.0)
                });
            }
            _ => {}
        }
    }

    /// A crash takes decisions along that nobody has been told.
    fn node_up(&mut self, _at: Time, node: NodeId, up: bool) {
        if !up {
            let mine = self
                .open
                .range_mut((node, OpId(0))..=(node, OpId(u64::MAX)));
            mine.flat_map(|(_, open)| open)
                .for_each(|open| open.crashed = true);
        }
    }

    /// A decision must have its entry by now, unless it is young or its provider has been cut off
    /// from the chain since (then nobody has been answered either).
    fn end(&mut self, at: Time) {
        for ((provider, op), open) in std::mem::take(&mut self.open) {
            let last = self.progress.get(&provider).copied().unwrap_or_default();
            let due = |open: &&Open| !open.crashed && last.since(open.at) >= self.slack;
            if let Some(open) = open.iter().find(due) {
                self.finding.judge(false, || {
                    format!(
                        "{provider} decided operation {:x} at {} and wrote no audit entry by {at}",
                        op.0, open.at
                    )
                });
            }
        }
    }
}

impl Check for AuditComplete {
    fn name(&self) -> &'static str {
        "audit-complete"
    }
    fn code(&self) -> &'static str {
        "A6"
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "Every decision on an access has exactly one audit entry on the chain, applied before anybody is answered."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
}
