//! `audit-complete` (A6).

mod refusals;

use crate::relay::Packet;
use crate::sharing::command::{Access, Command};
use crate::sharing::ids::Reason;
use crate::sharing::message::{Answer, Message};
use crate::sharing::network::{Crossing, Verdict};
use crate::sharing::probe::SharingProbe;
use crate::sharing::service::period_of;
use consim_core::{
    Block, Check, Finding, NodeId, Observer, OpId, Payload, Probe, Receipt, Severity, Span, Time,
    Tx,
};
use refusals::Refusals;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The most audit entries that the check remembers, the latest ones. What is answered later than
/// this many entries after its own is not judged; desks have long given up by then.
const MAX_ENTRIES: usize = 1 << 18;

/// A decision that has no entry yet.
#[derive(Debug)]
struct Open {
    at: Time,
    access: Access,
    /// The provider crashed since: the decision may be lost, nobody has been told.
    crashed: bool,
}

/// An entry on the chain.
#[derive(Debug)]
struct Entry {
    /// The number of its transaction.
    number: u64,
    access: Access,
}

/// Every decision on an access has exactly one entry on the chain with the same content, and
/// nothing is answered before that entry is applied: neither by what the provider says of itself
/// nor on the wire. Refusals of the unauthenticated have theirs, one for each subject and period.
#[derive(Debug)]
pub struct AuditComplete {
    slack: Span,
    height: u64,
    /// Decisions without an entry. There are several of an operation if the provider crashed and
    /// decided again: whichever reaches the chain first is the one that counts.
    open: BTreeMap<(OpId, NodeId), Vec<Open>>,
    /// The entries by operation and provider.
    entries: BTreeMap<(OpId, NodeId), Entry>,
    /// The keys of the entries, oldest first.
    order: VecDeque<(OpId, NodeId)>,
    /// Entries were dropped.
    forgot: bool,
    refusals: Refusals,
    /// When each node last applied a block.
    progress: BTreeMap<NodeId, Time>,
    /// Operations of which another network's permission has come.
    crossed: BTreeSet<OpId>,
    /// Providers whose entries are not judged.
    corrupt: Vec<NodeId>,
    finding: Finding,
}

/// The operations for which a transaction brought another network's decision that a record may be read: it is in this
/// chain's audit trail then, as it is in that of the provider's.
fn permitted_elsewhere(tx: &Tx) -> Vec<OpId> {
    let answers = Packet::brought_by(tx).into_iter();
    let answers = answers.filter(|packet| packet.to == tx.chain());
    let permits = answers.filter_map(|packet| match Crossing::decode(&packet.body) {
        Ok(Crossing::Answer { op, verdict, .. }) => {
            (!matches!(verdict, Verdict::Refused(_))).then_some(op)
        }
        _ => None,
    });
    permits.collect()
}

impl AuditComplete {
    /// The check; a decision in the last `slack` of the run may still wait for its entry.
    pub fn new(slack: Span) -> Self {
        Self {
            slack,
            height: 0,
            open: BTreeMap::new(),
            entries: BTreeMap::new(),
            order: VecDeque::new(),
            forgot: false,
            refusals: Refusals::default(),
            progress: BTreeMap::new(),
            crossed: BTreeSet::new(),
            corrupt: Vec::new(),
            finding: Finding::new(),
        }
    }
    /// The same, but for what these providers write.
    #[must_use]
    pub fn but_of(mut self, corrupt: &[NodeId]) -> Self {
        self.corrupt = corrupt.to_vec();
        self
    }

    fn open_of(&mut self, node: NodeId) -> impl Iterator<Item = &mut Open> {
        let mine = self.open.iter_mut().filter(move |((_, n), _)| *n == node);
        mine.flat_map(|(_, open)| open)
    }

    fn applied(&mut self, at: Time, node: NodeId, block: &Block) {
        let last = self.progress.insert(node, at).unwrap_or(at);
        if at.since(last).times(2) > self.slack {
            // The provider was cut off from the chain: its time for the audit starts again.
            self.open_of(node).for_each(|open| open.at = at);
            self.refusals.cut_off(node, at);
        }
        if block.header.height != self.height + 1 {
            return;
        }
        self.height += 1;
        for (tx, receipt) in block.committed.batch.txs().iter().zip(&block.receipts) {
            if self.corrupt.contains(&tx.id().origin) {
                continue;
            }
            self.crossed.extend(permitted_elsewhere(tx));
            if self.crossed.len() > MAX_ENTRIES {
                self.crossed.pop_first();
                self.forgot = true;
            }
            let refused = match receipt {
                Receipt::Applied => None,
                Receipt::Refused(word) => match Reason::of_word(word) {
                    Some(why) if why.of_consent() => Some(why),
                    _ => continue,
                },
                Receipt::Duplicate => continue,
            };
            match Command::decode(tx.body()) {
                Ok(Command::Access(access)) => self.entry(tx, access, refused),
                Ok(command @ Command::Read { .. }) => {
                    if let Some(access) = command.decided(tx.id().origin, *receipt, self.height) {
                        self.note(tx, access);
                    }
                }
                Ok(Command::Refusal { subject, reason }) if refused.is_none() => {
                    let server = tx.id().origin;
                    let period = period_of(tx.op());
                    let happened = self.refusals.entry(server, subject, period, reason);
                    self.finding.judge(happened, || {
                        format!("{server} wrote that it refused {subject} ({reason}), which has no such refusal left to audit")
                    });
                }
                _ => {}
            }
        }
    }

    /// A provider's entry; `refused` says why the block turned down what it permits.
    fn entry(&mut self, tx: &Tx, access: Access, refused: Option<Reason>) {
        let (provider, number, op) = (tx.id().origin, tx.id().number, tx.op());
        if let Some(first) = self.entries.get(&(op, provider)) {
            let first = first.number;
            return self.finding.judge(false, || {
                format!(
                    "{provider} has two audit entries for operation {:x}: numbers {first} and {number}",
                    op.0
                )
            });
        }
        let decided = self.open.remove(&(op, provider)).unwrap_or_default();
        self.finding
            .judge(decided.iter().any(|open| open.access == access), || {
                format!(
                    "{provider} wrote {access:?} for operation {:x}, but decided {decided:?}",
                    op.0
                )
            });
        let access = refused.map_or(access, |reason| Access {
            permit: false,
            reason,
            ..access
        });
        self.note(tx, access);
    }

    /// The chain tells of an access.
    fn note(&mut self, tx: &Tx, access: Access) {
        let (provider, number, op) = (tx.id().origin, tx.id().number, tx.op());
        if self.order.len() >= MAX_ENTRIES
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
            self.forgot = true;
        }
        self.order.push_back((op, provider));
        self.entries
            .insert((op, provider), Entry { number, access });
    }

    /// Can an answer of `provider` be judged? Not if its entry may be one of those dropped.
    fn judges(&self, op: OpId, provider: NodeId) -> bool {
        !self.forgot
            || self.entries.contains_key(&(op, provider))
            || self.open.contains_key(&(op, provider))
    }

    fn decided(&mut self, at: Time, op: OpId, provider: NodeId, access: Access) {
        if !self.entries.contains_key(&(op, provider)) {
            let open = Open {
                at,
                access,
                crashed: false,
            };
            self.open.entry((op, provider)).or_default().push(open);
        }
    }
}

impl Observer for AuditComplete {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        match probe {
            Probe::Applied(block) => self.applied(at, node, block),
            Probe::Unauthenticated { subject, reason } => {
                self.refusals.refused(at, node, *subject, reason);
            }
            _ => {}
        }
        match SharingProbe::of(probe) {
            Some(&SharingProbe::Decided { op, access, .. }) => self.decided(at, op, node, access),
            Some(&SharingProbe::Released { op, record, permit }) if self.judges(op, node) => {
                let entry = self.entries.get(&(op, node)).map(|e| e.access);
                let same = entry.is_some_and(|e| (e.record, e.permit) == (record, permit));
                self.finding.judge(same, || {
                    format!("{node} answered operation {:x} on {record} before an audit entry of it was applied", op.0)
                });
            }
            Some(&SharingProbe::Unaudited { subject }) => self.refusals.unaudited(node, subject),
            _ => {}
        }
    }

    /// A record on its way, whatever its sender says of itself.
    fn sent(&mut self, _at: Time, from: NodeId, payload: &dyn Payload, _receivers: usize) {
        let (op, permitted) = match payload.as_any().downcast_ref() {
            Some(Message::Release {
                op,
                answer: Answer::Record(_),
            }) if self.judges(*op, from) => {
                let entry = self.entries.get(&(*op, from));
                (*op, entry.is_some_and(|e| e.access.permit))
            }
            // The entry server hands on what some provider gave it.
            Some(Message::Reply {
                op,
                answer: Answer::Record(_),
            }) => {
                let all = (*op, NodeId(0))..=(*op, NodeId(u32::MAX));
                let mut entries = self.entries.range(all);
                let here = entries.any(|(_, e)| e.access.permit);
                let permitted = here || self.crossed.contains(op);
                // A traitor that gave it may have written nothing, which is not this server's fault.
                if !permitted && (self.forgot || !self.corrupt.is_empty()) {
                    return;
                }
                (*op, permitted)
            }
            _ => return,
        };
        self.finding.judge(permitted, || {
            format!(
                "{from} sent a record for operation {:x} without an audit entry that permits it",
                op.0
            )
        });
    }

    /// A crash takes decisions along that nobody has been told.
    fn node_up(&mut self, _at: Time, node: NodeId, up: bool) {
        if !up {
            self.open_of(node).for_each(|open| open.crashed = true);
            self.refusals.crashed(node);
        }
    }

    /// A decision must have its entry by now, unless it is young or its provider has been cut off
    /// from the chain since (then nobody has been answered either).
    fn end(&mut self, at: Time) {
        let progress = &self.progress;
        let last = |node: NodeId| progress.get(&node).copied().unwrap_or_default();
        for (&(op, provider), open) in &self.open {
            let due = |o: &&Open| !o.crashed && last(provider).since(o.at) >= self.slack;
            if let Some(open) = open.iter().find(due) {
                self.finding.judge(false, || {
                    format!(
                        "{provider} decided operation {:x} at {} and wrote no audit entry by {at}",
                        op.0, open.at
                    )
                });
            }
        }
        for (server, subject, refused) in self.refusals.overdue(self.slack, last) {
            self.finding.judge(false, || {
                format!("{server} refused {subject} at {refused} and wrote no audit entry by {at}")
            });
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
        "Every decision on an access has exactly one audit entry on the chain, applied before anybody is answered; so has every refusal of somebody unauthenticated, once in ten seconds for each."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
}

#[cfg(test)]
mod tests;
