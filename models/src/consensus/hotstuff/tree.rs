//! Proposals that are not committed yet: a tree on top of the last that is.

use super::proposal::Proposal;
use consim_core::Digest;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The last committed proposal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Root {
    pub(super) sequence: u64,
    pub(super) view: u64,
    /// Its link's digest.
    pub(super) id: Digest,
}

/// The tree.
#[derive(Debug)]
pub(super) struct Tree {
    root: Root,
    nodes: BTreeMap<Digest, Arc<Proposal>>,
}

impl Tree {
    /// Nothing is committed or proposed.
    pub(super) fn new() -> Self {
        Self {
            root: Root {
                sequence: 0,
                view: 0,
                id: Digest::ZERO,
            },
            nodes: BTreeMap::new(),
        }
    }
    pub(super) fn root(&self) -> Root {
        self.root
    }
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }
    pub(super) fn get(&self, id: &Digest) -> Option<&Arc<Proposal>> {
        self.nodes.get(id)
    }
    /// Is the proposal with this digest the last that is committed, or in the tree?
    pub(super) fn knows(&self, id: &Digest) -> bool {
        *id == self.root.id || self.nodes.contains_key(id)
    }
    /// Adds a proposal whose parent is known.
    pub(super) fn insert(&mut self, proposal: Arc<Proposal>) {
        self.nodes.insert(proposal.id(), proposal);
    }
    /// The proposal and those that it builds on, down to the first above the root.
    pub(super) fn branch<'a>(
        &'a self,
        id: &Digest,
    ) -> impl Iterator<Item = &'a Arc<Proposal>> + use<'a> {
        let mut next = self.nodes.get(id);
        std::iter::from_fn(move || {
            let here = next?;
            next = self.nodes.get(&here.link().parent);
            Some(here)
        })
    }
    /// All proposals.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Proposal>> {
        self.nodes.values()
    }
    /// This one is committed: what does not build on it is gone.
    pub(super) fn advance(&mut self, root: Root) {
        self.root = root;
        let mut kept: Vec<Arc<Proposal>> = std::mem::take(&mut self.nodes).into_values().collect();
        kept.sort_unstable_by_key(|p| p.sequence());
        for proposal in kept {
            if proposal.sequence() > root.sequence && self.knows(&proposal.link().parent) {
                self.insert(proposal);
            }
        }
    }
}
