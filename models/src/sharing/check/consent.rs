//! `no-read-without-grant` (A1).

use super::reference::Reference;
use crate::sharing::command::{Access, Command};
use crate::sharing::config::Rules;
use crate::sharing::ids::Purpose;
use crate::sharing::probe::SharingProbe;
use consim_core::{Check, Finding, NodeId, Observer, OpId, Probe, Receipt, Severity, Time};
use std::collections::BTreeMap;

/// The most reads decided in order that the check remembers until their provider says so (assumed:
/// as many as the servers of a large alliance have open). Older ones are judged in the block alone.
const MAX_ORDERED: usize = 1 << 18;

/// Every permitted access had a valid consent of the patient where it was decided: at the height that
/// its provider had applied, or, if the chain decides or looks again, at its place in the order; an
/// institution reads its own records, and an emergency needs the alliance's leave.
#[derive(Debug)]
pub struct NoReadWithoutGrant {
    rules: Rules,
    reference: Reference,
    /// Reads that were decided in order, by what held there.
    ordered: BTreeMap<(OpId, NodeId), bool>,
    finding: Finding,
}

impl NoReadWithoutGrant {
    /// The check, on the chain of `members` under these rules.
    pub fn new(members: &[NodeId], rules: Rules) -> Self {
        Self {
            rules,
            reference: Reference::new(members),
            ordered: BTreeMap::new(),
            finding: Finding::new(),
        }
    }

    fn applied(&mut self, block: &consim_core::Block) {
        let Self {
            rules,
            reference,
            ordered,
            finding,
        } = self;
        let height = block.header.height;
        reference.take_with(block, |reference, tx, receipt, command| {
            let provider = tx.id().origin;
            let access = match command {
                Command::Access(access) if rules.recheck && *receipt == Receipt::Applied => *access,
                command => match command.decided(provider, *receipt, height) {
                    Some(access) => access,
                    None => return,
                },
            };
            let holds = permitted(reference, rules.emergency, provider, &access, height);
            if matches!(command, Command::Read { .. }) {
                if ordered.len() >= MAX_ORDERED {
                    ordered.pop_first();
                }
                ordered.insert((tx.op(), provider), holds);
            }
            if access.permit {
                finding.judge(holds, || {
                    let (record, requester) = (access.record, access.requester);
                    format!("block {height} lets {requester} read {record} of {provider} (operation {:x}), but no consent held at its place there", tx.op().0)
                });
            }
        });
    }
}

/// May the access be permitted by what the reference knows at `height`?
fn permitted(
    reference: &Reference,
    emergency: bool,
    provider: NodeId,
    access: &Access,
    height: u64,
) -> bool {
    let known = reference.record(access.record, height);
    known.filter(|r| r.provider == provider).is_some_and(|r| {
        r.provider == access.requester
            || (access.purpose == Purpose::Emergency && emergency)
            || reference.consented(r.pseudonym, &access.by(Some(r.kind)), height)
    })
}

impl Observer for NoReadWithoutGrant {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        if let Probe::Applied(block) = probe {
            self.applied(block);
        }
        let Some(&SharingProbe::Decided { op, access, .. }) = SharingProbe::of(probe) else {
            return;
        };
        let ordered = self.ordered.remove(&(op, node));
        let Access {
            record,
            requester,
            height,
            ..
        } = access;
        if !access.permit {
            return;
        }
        let reference = &self.reference;
        let known = reference
            .record(record, height)
            .filter(|r| r.provider == node && height <= reference.height());
        let holds = known.is_some()
            && ordered.unwrap_or_else(|| {
                permitted(reference, self.rules.emergency, node, &access, height)
            });
        self.finding.judge(holds, || {
            let why = if known.is_some() { "no consent held" } else { "no such record of this provider was registered" };
            format!("{node} let {requester} read {record} at height {height} (operation {:x}), but {why} there", op.0)
        });
    }
}

impl Check for NoReadWithoutGrant {
    fn name(&self) -> &'static str {
        "no-read-without-grant"
    }
    fn code(&self) -> &'static str {
        "A1"
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "No record is read without a consent that holds at the height of the decision."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
}
