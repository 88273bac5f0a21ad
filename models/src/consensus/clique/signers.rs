//! Who may seal, after each block (EIP-225, "Authorizing new signers").

use super::block::{Ballot, Block, IN_TURN, OUT_OF_TURN};
use super::config::Group;
use super::seeded;
use consim_core::NodeId;
use std::collections::VecDeque;
use std::sync::Arc;

/// A voice that counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cast {
    by: NodeId,
    ballot: Ballot,
}

/// The signers after a block: a function of the branch that ends in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Signers {
    /// Ascending.
    pub(super) list: Arc<[NodeId]>,
    /// The sealers of the last blocks, the latest at the back: one of any majority of blocks in a row.
    recent: VecDeque<NodeId>,
    votes: Vec<Cast>,
    /// The change that the last vote belonged to which was carried.
    pub(super) change: u64,
}

impl Signers {
    /// Those of the genesis.
    pub(super) fn new(list: Arc<[NodeId]>) -> Self {
        Self {
            list,
            recent: VecDeque::new(),
            votes: Vec::new(),
            change: 0,
        }
    }
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }
    pub(super) fn contains(&self, node: NodeId) -> bool {
        self.list.binary_search(&node).is_ok()
    }
    /// Whose turn a height is.
    pub(super) fn in_turn(&self, height: u64) -> NodeId {
        let n = (self.list.len() as u64).max(1);
        let at = usize::try_from(height % n).unwrap_or(0);
        self.list.get(at).copied().unwrap_or_default()
    }
    /// What a block of `node` at `height` adds.
    pub(super) fn difficulty(&self, height: u64, node: NodeId) -> u64 {
        if self.in_turn(height) == node {
            IN_TURN
        } else {
            OUT_OF_TURN
        }
    }
    /// Blocks since it was the sealer's turn: 0 if it is now (EIP-3436, step 3).
    pub(super) fn since_turn(&self, height: u64, node: NodeId) -> u64 {
        let n = (self.list.len() as u64).max(1);
        let index = self.list.binary_search(&node).unwrap_or_else(|at| at) as u64;
        (height % n + n - index % n) % n
    }
    /// Has it sealed too recently?
    pub(super) fn is_recent(&self, node: NodeId) -> bool {
        self.recent.contains(&node) && !seeded::on(&seeded::RECENCY_NOT_CHECKED)
    }
    /// Does its voice on this count?
    pub(super) fn may_vote(&self, ballot: &Ballot) -> bool {
        self.contains(ballot.node) != ballot.authorize
    }
    /// Has this signer a voice that counts on `node`?
    pub(super) fn has_voted(&self, by: NodeId, ballot: &Ballot) -> bool {
        self.votes
            .iter()
            .any(|cast| cast.by == by && cast.ballot == *ballot)
    }

    /// The signers after `block`, which is one that these may seal; `replayed`: it comes from the own disk.
    pub(super) fn after(&self, group: &Group, block: &Block, replayed: bool) -> Self {
        let mut next = self.clone();
        let kept = replayed && seeded::on(&seeded::VOTES_KEPT_OVER_EPOCHS);
        if block.height.is_multiple_of(group.options.epoch) && !kept {
            next.votes.clear();
        }
        next.recent.push_back(block.sealer());
        if let Some(ballot) = &block.ballot {
            next.cast(block.sealer(), *ballot);
        }
        let most = group.majority(next.len()).saturating_sub(1);
        while next.recent.len() > most {
            next.recent.pop_front();
        }
        next
    }

    /// Counts a voice: the last one of a signer on a node. With more than half of the signers it is carried.
    fn cast(&mut self, by: NodeId, ballot: Ballot) {
        let node = ballot.node;
        self.votes
            .retain(|cast| cast.by != by || cast.ballot.node != node);
        if !self.may_vote(&ballot) {
            return;
        }
        self.votes.push(Cast { by, ballot });
        let same = |cast: &&Cast| cast.ballot.node == node;
        if self.votes.iter().filter(same).count() <= self.list.len() / 2 {
            return;
        }
        let mut list = self.list.to_vec();
        if ballot.authorize {
            list.push(node);
            list.sort_unstable();
        } else {
            list.retain(|signer| *signer != node);
            self.votes.retain(|cast| cast.by != node);
            self.recent.retain(|signer| *signer != node);
        }
        self.list = list.into();
        self.votes.retain(|cast| cast.ballot.node != node);
        self.change = self.change.max(ballot.change);
    }
    #[cfg(test)]
    pub(super) fn open_votes(&self) -> usize {
        self.votes.len()
    }
}
