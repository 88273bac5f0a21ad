//! `no-read-without-grant` (A1).

use super::reference::Reference;
use crate::sharing::command::Access;
use crate::sharing::ids::Purpose;
use crate::sharing::probe::SharingProbe;
use consim_core::{Check, Finding, NodeId, Observer, Probe, Severity, Time};

/// Every permitted access had a valid consent of the patient at the height at which its provider
/// decided it; an institution reads its own records, and an emergency needs the alliance's leave.
#[derive(Debug)]
pub struct NoReadWithoutGrant {
    emergency: bool,
    reference: Reference,
    finding: Finding,
}

impl NoReadWithoutGrant {
    /// The check, on the chain of `members`; `emergency`: may an emergency read without a grant?
    pub fn new(members: &[NodeId], emergency: bool) -> Self {
        Self {
            emergency,
            reference: Reference::new(members),
            finding: Finding::new(),
        }
    }
}

impl Observer for NoReadWithoutGrant {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        if let Probe::Applied(block) = probe {
            self.reference.take(block);
        }
        let Some(&SharingProbe::Decided { op, access, .. }) = SharingProbe::of(probe) else {
            return;
        };
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
        let holds = known.is_some_and(|r| {
            r.provider == requester
                || (access.purpose == Purpose::Emergency && self.emergency)
                || reference.consented(r.pseudonym, requester, height)
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
