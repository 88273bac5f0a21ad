//! `revocation-bound` (A10).

use super::reference::Reference;
use crate::sharing::command::Access;
use crate::sharing::ids::{Pseudonym, Purpose};
use crate::sharing::probe::SharingProbe;
use consim_core::{
    Block, Calm, Check, Finding, Heal, NodeId, Observer, OpId, Probe, Severity, Span, Time,
};
use std::collections::{BTreeMap, VecDeque};

/// The most decisions that the check remembers until their record is released (assumed: as many as
/// a server has operations open). Older ones are not judged.
const MAX_OPEN: usize = 10_000;

/// No record is released on a consent that had been withdrawn the bound before. A decision is made
/// by the state of one server, is written down, and only then does the record leave: in between
/// the chain may have moved on.
#[derive(Debug)]
pub struct RevocationBound {
    reference: Reference,
    bound: Span,
    calm: Calm,
    /// When each block was first applied; older than the bound, the last one only.
    reached: VecDeque<(Time, u64)>,
    /// Reads that the chain decided on where their consent held, by their block.
    ordered: BTreeMap<(OpId, NodeId), u64>,
    /// Decisions whose record has not left.
    open: BTreeMap<(OpId, NodeId), (Pseudonym, Access)>,
    finding: Finding,
}

impl RevocationBound {
    /// The check, on the chain of `members`.
    pub fn new(members: &[NodeId], bound: Span) -> Self {
        Self {
            reference: Reference::new(members),
            bound,
            calm: Calm::default(),
            reached: VecDeque::new(),
            ordered: BTreeMap::new(),
            open: BTreeMap::new(),
            finding: Finding::new(),
        }
    }

    /// The last block that everybody undisturbed must have heeded at `at`; 0 if there is none.
    fn heeded(&mut self, at: Time) -> u64 {
        let due = |&(reached, _): &(Time, u64)| {
            self.calm
                .due(reached, self.bound)
                .is_some_and(|due| due <= at)
        };
        while self.reached.get(1).is_some_and(due) {
            self.reached.pop_front();
        }
        let first = self.reached.front().filter(|first| due(first));
        first.map_or(0, |&(_, height)| height)
    }

    fn applied(&mut self, at: Time, block: &Block) {
        let height = block.header.height;
        let ordered = &mut self.ordered;
        let new = self
            .reference
            .take_with(block, |reference, tx, receipt, command| {
                let provider = tx.id().origin;
                let Some(access) = command.decided(provider, *receipt, height) else {
                    return;
                };
                let record = reference.record(access.record, height);
                let wanted = access.by(record.map(|r| r.kind));
                let held =
                    record.is_some_and(|r| reference.consented(r.pseudonym, &wanted, height));
                if held && access.permit {
                    if ordered.len() >= MAX_OPEN {
                        ordered.pop_first();
                    }
                    ordered.insert((tx.op(), provider), height);
                }
            });
        if new {
            self.reached.push_back((at, height));
        }
    }

    fn released(&mut self, at: Time, node: NodeId, op: OpId) {
        let Some((pseudonym, access)) = self.open.remove(&(op, node)) else {
            return;
        };
        let heeded = self.heeded(at);
        let reference = &self.reference;
        let own = access.requester == node || access.purpose == Purpose::Emergency;
        // What was granted again before the decision counts.
        let height = heeded.max(access.height.min(reference.height()));
        let record = reference.record(access.record, u64::MAX);
        let wanted = access.by(record.map(|record| record.kind));
        // So does what held at the place of a read that the chain decided on.
        let placed = self.ordered.remove(&(op, node));
        let holds = own
            || placed.is_some_and(|height| height >= heeded)
            || !reference.forbidden(pseudonym, &wanted, heeded)
            || !reference.forbidden(pseudonym, &wanted, height);
        let bound = self.bound;
        self.finding.judge(holds, || {
            format!(
                "{node} released {} to {} at {at} (operation {:x}), decided at height {}; the consent had been withdrawn by block {heeded}, {bound} before",
                access.record, access.requester, op.0, access.height
            )
        });
    }
}

impl Observer for RevocationBound {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        if let Probe::Applied(block) = probe {
            self.applied(at, block);
            return;
        }
        match SharingProbe::of(probe) {
            Some(&SharingProbe::Decided {
                op,
                pseudonym,
                access,
                ..
            }) if access.permit => {
                if self.open.len() >= MAX_OPEN {
                    self.open.pop_first();
                }
                self.open.insert((op, node), (pseudonym, access));
            }
            Some(&SharingProbe::Released {
                op, permit: true, ..
            }) => self.released(at, node, op),
            _ => {}
        }
    }

    fn fault(&mut self, at: Time, _id: &str, open: bool) {
        self.calm.fault(at, open);
    }

    fn healed(&mut self, at: Time, heal: &Heal) {
        self.calm.healed(at, heal);
        self.bound = heal.bound;
    }
}

impl Check for RevocationBound {
    fn name(&self) -> &'static str {
        "revocation-bound"
    }
    fn code(&self) -> &'static str {
        "A10"
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "No record is released on a consent that had been withdrawn on the chain for the bound, counted from the end of the last fault where that is later."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
    fn hears_sends(&self) -> bool {
        false
    }
}
