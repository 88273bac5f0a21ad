//! `emergency-reviewed`: who broke the glass is looked at by somebody else, and soon.

use crate::sharing::command::{Access, Command};
use crate::sharing::ids::Reason;
use consim_core::{
    Block, Calm, Check, Finding, Heal, NodeId, Observer, Probe, Receipt, Severity, Span, Time,
};
use std::collections::VecDeque;

/// The most emergency accesses that wait for their review and are remembered; of more, those that came
/// last are not judged.
const MAX_WAITING: usize = 1 << 16;

/// An emergency access that nobody has reviewed.
#[derive(Clone, Copy, Debug)]
struct Unreviewed {
    at: Time,
    height: u64,
    provider: NodeId,
    access: Access,
}

/// Every access in an emergency is covered by a reading of the audit trail that supervision put on the
/// chain within the bound, counted from the end of the last fault where that is later.
#[derive(Debug)]
pub struct EmergencyReviewed {
    within: Span,
    calm: Calm,
    height: u64,
    /// By ascending height.
    waiting: VecDeque<Unreviewed>,
    finding: Finding,
}

impl EmergencyReviewed {
    /// The check: reviews come within this time.
    pub fn new(within: Span) -> Self {
        Self {
            within,
            calm: Calm::default(),
            height: 0,
            waiting: VecDeque::new(),
            finding: Finding::new(),
        }
    }

    fn applied(&mut self, at: Time, block: &Block) {
        let height = block.header.height;
        if height <= self.height {
            return;
        }
        self.height = height;
        for (tx, receipt) in block.committed.batch.txs().iter().zip(&block.receipts) {
            if *receipt != Receipt::Applied {
                continue;
            }
            let Ok(command) = Command::decode(tx.body()) else {
                continue;
            };
            let provider = tx.id().origin;
            match command {
                Command::AuditRead { to, .. } => self.reviewed(at, to),
                Command::Access(access) => self.opened(at, height, provider, access),
                command => {
                    if let Some(access) = command.decided(provider, *receipt, height) {
                        self.opened(at, height, provider, access);
                    }
                }
            }
        }
    }

    fn opened(&mut self, at: Time, height: u64, provider: NodeId, access: Access) {
        let urgent = access.permit && access.reason == Reason::Emergency;
        if urgent && self.waiting.len() < MAX_WAITING {
            self.waiting.push_back(Unreviewed {
                at,
                height,
                provider,
                access,
            });
        }
    }

    fn reviewed(&mut self, at: Time, to: u64) {
        while let Some(&one) = self.waiting.front()
            && one.height <= to
        {
            self.waiting.pop_front();
            self.judge(at, one, true);
        }
    }

    /// Is the review, which came at `at` or has not come by then, in time?
    fn judge(&mut self, at: Time, one: Unreviewed, came: bool) {
        let due = self.calm.due(one.at, self.within);
        let late = due.is_some_and(|due| due < at);
        if !came && !late {
            return;
        }
        let within = self.within;
        self.finding.judge(!late, || {
            let Unreviewed { at: opened, provider, access, .. } = one;
            let state = if came { "was reviewed at" } else { "was not reviewed by" };
            format!("{} read {} of {provider} in an emergency at {opened}, which {state} {at}; the bound is {within}", access.requester, access.record)
        });
    }
}

impl Observer for EmergencyReviewed {
    fn probe(&mut self, at: Time, _node: NodeId, probe: &Probe) {
        if let Probe::Applied(block) = probe {
            self.applied(at, block);
        }
    }
    fn fault(&mut self, at: Time, _id: &str, open: bool) {
        self.calm.fault(at, open);
    }
    fn healed(&mut self, at: Time, heal: &Heal) {
        self.calm.healed(at, heal);
    }
    fn end(&mut self, at: Time) {
        for one in std::mem::take(&mut self.waiting) {
            self.judge(at, one, false);
        }
    }
}

impl Check for EmergencyReviewed {
    fn name(&self) -> &'static str {
        "emergency-reviewed"
    }
    fn code(&self) -> &'static str {
        "H5"
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "Every access in an emergency is covered by supervision's reading of the audit trail within the bound, counted from the end of the last fault where that is later."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
    fn hears_sends(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
