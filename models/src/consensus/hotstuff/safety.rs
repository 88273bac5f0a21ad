//! What a replica must not forget, and what it may vote for: the rules on which safety rests.

use super::config::{Group, Phases};
use super::marks;
use super::proposal::{Proposal, Timeout, TimeoutCertificate};
use super::seeded;
use super::voting::Shown;
use consim_core::{Certificate, Context, Digest};
use std::sync::Arc;

/// The certificate of the highest view that is known, and what it is for.
#[derive(Clone, Debug, Default)]
pub(super) struct High {
    /// None: the beginning of the chain, which needs none.
    pub(super) certificate: Option<Arc<Certificate>>,
}

impl High {
    pub(super) fn view(&self) -> u64 {
        self.certificate.as_ref().map_or(0, |c| c.view)
    }
    /// The digest of the link that it certifies.
    pub(super) fn id(&self) -> Digest {
        self.certificate.as_ref().map_or(Digest::ZERO, |c| c.digest)
    }
}

/// What goes to disk before anything is signed.
#[derive(Clone, Debug, Default)]
pub(super) struct Safety {
    /// The view that it is in.
    pub(super) view: u64,
    /// That the view before failed, if it came here so.
    pub(super) entered: Option<Arc<TimeoutCertificate>>,
    /// The last view in which it voted or which it gave up: it votes only above.
    pub(super) voted: u64,
    /// The proposal that it voted for last.
    pub(super) vote: Option<(u64, Digest)>,
    /// The view of the lock (`lockedQC`).
    pub(super) locked: u64,
    /// The highest certificate (`prepareQC`, `genericQC`, `qc_high`).
    pub(super) high: High,
    /// Its own timeout of this view.
    pub(super) timeout: Option<Arc<Timeout>>,
}

impl Safety {
    /// May it vote for this proposal of the present view, whose certificates are verified?
    ///
    /// Three phases (HotStuff, Algorithm 4, `safeNode`): the proposal extends what it is locked on, or
    /// its parent is of a higher view than the lock. As there is one certified proposal a view, that is
    /// to say that the parent's view is not below the lock's.
    ///
    /// Two phases (Jolteon, Figure 2): the parent is of the view before, or is as high as what anybody
    /// had of those that gave the view before up.
    pub(super) fn may_vote(
        &self,
        cx: &mut Context<'_>,
        group: &Group,
        proposal: &Proposal,
    ) -> bool {
        if proposal.view() <= self.voted {
            return false;
        }
        if seeded::on(&seeded::NO_LOCK) {
            return true;
        }
        let parent = proposal.parent_view();
        let safe = match group.phases {
            Phases::Three => parent >= self.locked,
            Phases::Two => true,
        };
        if !safe {
            cx.reached(&marks::LOCK_HELD);
        }
        safe && justified(group, &Shown::of(proposal))
    }

    /// A certificate for a proposal with this parent is here: a lock on the parent (Algorithm 4, the
    /// two-chain).
    pub(super) fn lock(&mut self, parent_view: u64) {
        self.locked = self.locked.max(parent_view);
    }
}

/// Does a proposal show how its view began: by the certificate of its parent, or since the view before
/// failed? In that case the parent is at least as high as those that gave it up had.
pub(super) fn justified(group: &Group, shown: &Shown<'_>) -> bool {
    let (view, parent) = (shown.link.view, shown.parent_view());
    match shown.timeouts {
        None => parent.checked_add(1) == Some(view),
        Some(timeouts) => {
            let high = timeouts.high();
            let carried = parent >= high || seeded::on(&seeded::TIMEOUT_WITHOUT_HIGH);
            group.after_failed(timeouts.view) == view && carried
        }
    }
}
