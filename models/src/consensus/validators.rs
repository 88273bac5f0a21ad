//! Who decides, where that changes by what is decided: the list of members after so many changes.

use super::changes::MemberChange;
use super::sync::seeded;
use consim_core::{KeyId, NodeId, Tx};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The members after a number of changes, and the keys by which they vote.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Validators {
    /// The last change before; 0 is the genesis.
    pub change: u64,
    /// Who decides, in node order.
    pub members: Arc<[NodeId]>,
    /// Nodes that vote by another key than their first, ascending.
    pub renewed: Arc<[(NodeId, KeyId)]>,
}

impl Validators {
    /// Those of the genesis.
    pub fn first(members: Arc<[NodeId]>) -> Self {
        Self {
            change: 0,
            members,
            renewed: Arc::default(),
        }
    }

    /// By which key a node votes.
    pub fn key_of(&self, node: NodeId) -> KeyId {
        let renewed = self.renewed.iter().find(|(of, _)| *of == node);
        renewed.map_or(node.into(), |(_, key)| *key)
    }

    /// Those after a change, whose number is the next one.
    #[must_use]
    pub fn changed(&self, next: MemberChange) -> Self {
        let after = next.of(&self.members);
        let mut renewed = Arc::clone(&self.renewed);
        if !next.renew.is_empty() {
            let mut keys: BTreeMap<NodeId, KeyId> = renewed.iter().copied().collect();
            keys.extend(next.renew);
            renewed = keys.into_iter().collect();
        }
        Self {
            change: next.number,
            // A change that would leave nobody is void; its number is used up.
            members: if after.is_empty() {
                Arc::clone(&self.members)
            } else {
                after.into()
            },
            renewed,
        }
    }

    /// Those after these transactions of one block, if the next change is among them, or several in order.
    pub fn after<'a>(
        &self,
        txs: impl Iterator<Item = &'a Arc<Tx>>,
        administrator: KeyId,
    ) -> Option<Self> {
        let mut changed: Option<Self> = None;
        for tx in txs {
            let now = changed.as_ref().unwrap_or(self);
            let next = MemberChange::of_tx(tx, Some(administrator));
            if let Some(next) = next.filter(|next| next.number == now.change + 1) {
                changed = Some(now.changed(next));
            }
        }
        changed
    }

    /// The owners of the first keys that have the numbers of those by which members vote, ascending: what
    /// certificates are verified with.
    pub fn signers(&self) -> Arc<[NodeId]> {
        if self.renewed.is_empty() {
            return Arc::clone(&self.members);
        }
        let current = |node: &NodeId| NodeId(self.key_of(*node).0);
        let mut signers: Vec<NodeId> = self.members.iter().map(current).collect();
        if seeded::on(&seeded::OLD_KEY_ACCEPTED) {
            signers.extend(self.members.iter());
        }
        signers.sort_unstable();
        signers.dedup();
        signers.into()
    }
}
