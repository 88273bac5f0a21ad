//! The audit of refusals: an outsider must not fill the chain.

use super::SharingService;
use super::pending::Asker;
use super::{MAX_PENDING, REFUSAL_PERIOD};
use crate::node::membership::Refusal;
use crate::node::service::Host;
use crate::node::waiting::outcome;
use crate::sharing::command::Command;
use crate::sharing::marks;
use crate::sharing::probe::SharingProbe;
use consim_core::{Context, NodeId, OpId};
use std::collections::BTreeSet;

/// The most subjects whose refusals a server audits in one period.
pub const MAX_SUBJECTS: usize = 1_024;

/// Whose refusal has been audited in the present period.
#[derive(Debug, Default)]
pub(super) struct Refused {
    period: u64,
    subjects: BTreeSet<NodeId>,
}

/// The operation of the one refusal of `subject` that is audited in a period. A server that comes
/// back from a crash gives the same number again, so the bound holds across restarts.
fn operation(subject: NodeId, period: u64) -> OpId {
    OpId(OpId::OWN | u64::from(subject.0 & (u32::MAX >> 1)) << 32 | period & u64::from(u32::MAX))
}

/// The period whose refusal an entry of this operation tells of.
pub const fn period_of(op: OpId) -> u64 {
    op.0 & u32::MAX as u64
}

impl SharingService {
    /// Audits that `subject` was refused, at most once in each [`REFUSAL_PERIOD`].
    pub(super) fn audit_refusal(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        subject: NodeId,
        reason: Refusal,
    ) {
        let period = cx.now().nanos() / REFUSAL_PERIOD.nanos();
        if self.refused.period != period {
            self.refused.period = period;
            self.refused.subjects.clear();
        }
        if self.refused.subjects.contains(&subject) {
            return;
        }
        let op = operation(subject, period);
        if self.refused.subjects.len() >= MAX_SUBJECTS || self.pending.len() >= MAX_PENDING {
            return cx.emit(SharingProbe::Unaudited { subject }.probe());
        }
        self.refused.subjects.insert(subject);
        // Executed already: it was audited before a restart in the same period.
        if outcome(host, op).is_none() {
            cx.reached(&marks::REFUSAL_AUDITED);
            let command = Command::Refusal { subject, reason };
            self.commit(cx, host, op, Asker::Nobody, &command);
        }
    }
}

#[cfg(test)]
mod tests;
