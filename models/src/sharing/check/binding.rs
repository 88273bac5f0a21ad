//! `off-chain-binding` (A8).

use super::reference::Reference;
use crate::sharing::probe::SharingProbe;
use consim_core::{Check, Finding, NodeId, Observer, Probe, Severity, Time};

/// The digest of every received body is the one that was registered.
#[derive(Debug, Default)]
pub struct OffChainBinding {
    reference: Reference,
    finding: Finding,
}

impl OffChainBinding {
    /// The check.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Observer for OffChainBinding {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        if let Probe::Applied(block) = probe {
            self.reference.take(block);
        }
        if let Some(&SharingProbe::Received {
            op, record, digest, ..
        }) = SharingProbe::of(probe)
        {
            let registered = self.reference.record(record, u64::MAX).map(|r| r.digest);
            self.finding.judge(registered == Some(digest), || {
                format!("{node} received {digest} as {record:?} (operation {:x}); registered is {registered:?}", op.0)
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
        "Every record that is received has the digest that was registered for it."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
}
