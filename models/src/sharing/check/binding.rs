//! `off-chain-binding` (A8).

use super::reference::Reference;
use crate::sharing::probe::SharingProbe;
use consim_core::{Check, Finding, NodeId, Observer, Probe, Severity, Time};

/// Every body that a correct provider sent has the digest that was registered, and is accepted; what
/// another one sends is accepted only if it has.
#[derive(Debug)]
pub struct OffChainBinding {
    reference: Reference,
    /// Providers that may send anything.
    corrupt: Vec<NodeId>,
    finding: Finding,
}

impl OffChainBinding {
    /// The check, on the chain of `members`.
    pub fn new(members: &[NodeId]) -> Self {
        Self {
            reference: Reference::new(members),
            corrupt: Vec::new(),
            finding: Finding::new(),
        }
    }
    /// The same, where these providers may send anything.
    #[must_use]
    pub fn but_of(mut self, corrupt: &[NodeId]) -> Self {
        self.corrupt = corrupt.to_vec();
        self
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
            let entry = self.reference.record(record, u64::MAX);
            let registered = entry.map(|r| r.digest);
            let is_true = registered == Some(digest);
            // A correct reader refuses what a traitor changed, and nothing else.
            let of_traitor = entry.is_some_and(|r| self.corrupt.contains(&r.provider));
            let holds = accepted == is_true && (is_true || of_traitor);
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
