//! `off-chain-binding` (A8).

use super::reference::Reference;
use crate::sharing::probe::SharingProbe;
use consim_core::{Check, Finding, NodeId, Observer, Probe, Severity, Time};

/// Every body that a provider sent has the digest that was registered, and is accepted.
#[derive(Debug)]
pub struct OffChainBinding {
    reference: Reference,
    finding: Finding,
}

impl OffChainBinding {
    /// The check, on the chain of `members`.
    pub fn new(members: &[NodeId]) -> Self {
        Self {
            reference: Reference::new(members),
            finding: Finding::new(),
        }
    }
}

impl Observer for OffChainBinding {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        if let Probe::Applied(block) = probe {
            self.reference.take(block);
        }
        if let Some(&SharingProbe::Received {
            op,
            record,
            digest,
            accepted,
        }) = SharingProbe::of(probe)
        {
            let registered = self.reference.record(record, u64::MAX).map(|r| r.digest);
            let holds = accepted && registered == Some(digest);
            self.finding.judge(holds, || {
                let did = if accepted { "accepted" } else { "refused" };
                format!(
                    "{node} {did} {digest} as {record} (operation {:x}); registered is {registered:?}",
                    op.0
                )
            });
        }
    }
}

impl Check for OffChainBinding {
    fn name(&self) -> &'static str {
        "off-chain-binding"
    }
    fn code(&self) -> &'static str {
        "A8"
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "Every record that is received has the digest that was registered for it, and is accepted."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
}
