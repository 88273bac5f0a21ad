//! Changes of the signers by their voices (EIP-225, "Authorizing new signers"; `clique_propose` of geth).

use super::marks;
use super::message::Body;
use super::replica::{CliqueReplica, SEAL_TIMER};
use super::signers::Signers;
use crate::consensus::{Changing, MemberChange};
use consim_core::{Context, NodeId, Span};

/// Is a change in force with these signers?
fn is_done(signers: &Signers, change: &MemberChange) -> bool {
    let all = change.add.iter().all(|&node| signers.contains(node));
    let none = !change.remove.iter().any(|&node| signers.contains(node));
    signers.change > change.number || (signers.change == change.number && all && none)
}

impl CliqueReplica {
    /// The administrator asks for a change: says what has become of it. Whoever is asked tells the other
    /// signers, in place of an operator at each of them.
    pub(super) fn asked_to_change(
        &mut self,
        cx: &mut Context<'_>,
        change: &MemberChange,
    ) -> Changing {
        let signers = &self.tree.root().signers;
        if is_done(signers, change) {
            return Changing::Done;
        }
        // One that is not final yet may be carried by other voices.
        if signers.change + 1 < change.number {
            return Changing::Waits;
        }
        // There is one voice to a block, for one node.
        if change.of(&signers.list).is_empty() || change.add.len() + change.remove.len() > 1 {
            return Changing::Impossible;
        }
        if self.proposed.as_ref() != Some(change) {
            self.proposed = Some(change.clone());
            self.multicast(cx, Body::Propose(change.clone()));
            // Nothing is handed up from here: the host takes what is in its events alone.
            cx.set_timer(SEAL_TIMER, Span::ZERO);
        }
        Changing::UnderWay
    }

    /// Upon PROPOSE of a member: this signer gives its voice, too.
    pub(super) fn on_propose(&mut self, from: NodeId, change: &MemberChange) {
        let signers = &self.tree.root().signers;
        let known = self.group.members.contains(&from) || signers.contains(from);
        let newer = self
            .proposed
            .as_ref()
            .is_none_or(|proposed| proposed.number < change.number);
        if known && newer && !is_done(signers, change) && signers.change + 1 >= change.number {
            self.proposed = Some(change.clone());
        }
    }

    /// Says again what the others may not have heard, until it is in force.
    pub(super) fn repeat_proposal(&mut self, cx: &mut Context<'_>) {
        let signers = &self.tree.root().signers;
        let Some(change) = &self.proposed else {
            return;
        };
        if is_done(signers, change) {
            cx.reached(&marks::CHANGE_CARRIED);
            self.proposed = None;
        } else {
            self.multicast(cx, Body::Propose(change.clone()));
        }
    }
}
