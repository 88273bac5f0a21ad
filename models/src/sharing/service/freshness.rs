//! By which state of the chain a provider decides: its own, its own under a lease, or that in which
//! the read is executed; and what a second look in the block turns down.

use super::SharingService;
use super::provide::mark_decision;
use crate::node::service::Host;
use crate::node::waiting::Ended;
use crate::sharing::command::{Access, Command};
use crate::sharing::ids::Reason;
use crate::sharing::marks;
use crate::sharing::probe::SharingProbe;
use crate::sharing::seeded;
use crate::sharing::state::Lookup;
use consim_core::{Context, Receipt, Tx};

impl SharingService {
    /// Is the last block too old to decide by? Its age is told by this server's own clock.
    pub(super) fn is_stale(&self, cx: &Context<'_>, host: &dyn Host) -> bool {
        let age_ns = cx.wall_ns().saturating_sub(host.head_time_ns());
        let lease = self.config.options.lease();
        lease.is_some_and(|lease| i128::from(age_ns) > i128::from(lease.nanos()))
            && !seeded::on(&seeded::LEASE_NEVER_ENDS)
    }
}

/// What a block turned down, as the denial that it is: a permit that was looked at again, or a read
/// that was decided there.
pub(super) fn turned_down(
    cx: &mut Context<'_>,
    host: &dyn Host,
    ended: &Ended,
    reason: Reason,
) -> Option<Access> {
    let command = Command::decode(&ended.body).ok()?;
    if let Command::Access(access) = command {
        cx.reached(&marks::PERMIT_TURNED_DOWN);
        return Some(Access {
            permit: false,
            reason,
            ..access
        });
    }
    command.decided(host.node(), ended.receipt, host.height())
}

/// The chain decided on a read that this server brought there.
pub(super) fn ordered(cx: &mut Context<'_>, host: &dyn Host, tx: &Tx, receipt: Receipt) {
    let Ok(command) = Command::decode(tx.body()) else {
        return;
    };
    let provider = host.node();
    if let Some(access) = command.decided(provider, receipt, host.height())
        && let Some(entry) = host.record(access.record)
    {
        cx.reached(&marks::READ_ORDERED);
        mark_decision(cx, access.permit, access.reason);
        let decided = SharingProbe::Decided {
            op: tx.op(),
            pseudonym: entry.pseudonym,
            provider,
            access,
        };
        cx.emit(decided.probe());
    }
}

#[cfg(test)]
mod tests;
