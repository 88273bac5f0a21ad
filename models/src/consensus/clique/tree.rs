//! The blocks that are not final yet, and which branch is the best.

use super::block::Block;
use super::config::{ForkChoice, MAX_SAME, MAX_TREE};
use super::seeded;
use super::signers::Signers;
use consim_core::{Digest, TxId};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A block in the tree, or the last one that is final.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    /// `None`: the genesis.
    pub(super) block: Option<Arc<Block>>,
    pub(super) id: Digest,
    pub(super) height: u64,
    pub(super) time_ns: i64,
    /// The sum of the difficulties up to here.
    pub(super) total: u64,
    /// Who may seal what follows.
    pub(super) signers: Arc<Signers>,
    /// Blocks since its sealer was in turn.
    since_turn: u64,
    txs: BTreeSet<TxId>,
}

impl Leaf {
    /// Before the first block.
    pub(super) fn genesis(id: Digest, signers: Signers) -> Self {
        Self {
            block: None,
            id,
            height: 0,
            time_ns: i64::MIN,
            total: 0,
            signers: Arc::new(signers),
            since_turn: 0,
            txs: BTreeSet::new(),
        }
    }
    /// The block upon this one.
    pub(super) fn child(&self, block: &Arc<Block>, signers: Signers) -> Self {
        Self {
            id: block.id(),
            height: block.height,
            time_ns: block.time_ns(),
            total: self.total.saturating_add(block.difficulty),
            signers: Arc::new(signers),
            since_turn: self.signers.since_turn(block.height, block.sealer()),
            txs: block.batch.txs().iter().map(|tx| tx.id()).collect(),
            block: Some(Arc::clone(block)),
        }
    }
    fn parent(&self) -> Option<Digest> {
        self.block.as_ref().map(|block| block.parent)
    }
}

/// Is the head `new`, which comes later, better than `old`?
pub(super) fn better(choice: ForkChoice, new: &Leaf, old: &Leaf) -> bool {
    let total = new.total.cmp(&old.total);
    // The shorter of two branches of one weight has more blocks in turn.
    let shorter = old.height.cmp(&new.height);
    let order = match choice {
        ForkChoice::FirstSeen => total,
        ForkChoice::Geth => total.then(shorter),
        ForkChoice::Eip3436 if seeded::on(&seeded::DIFFICULTY_ALONE) => total,
        ForkChoice::Eip3436 => total
            .then(shorter)
            .then(new.since_turn.cmp(&old.since_turn))
            .then(old.id.cmp(&new.id)),
    };
    order == Ordering::Greater
}

/// What became of the head.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// Left, from the top down.
    pub(super) undone: Vec<Arc<Block>>,
    /// Taken up, from the bottom up.
    pub(super) done: Vec<Arc<Block>>,
}

/// The blocks above the last final one.
#[derive(Debug)]
pub(super) struct Tree {
    choice: ForkChoice,
    root: Digest,
    leaves: BTreeMap<Digest, Leaf>,
    head: Digest,
    /// Stands for what cannot be missing.
    none: Leaf,
}

impl Tree {
    /// A tree of which `root` is all.
    pub(super) fn new(choice: ForkChoice, root: Leaf) -> Self {
        let id = root.id;
        Self {
            choice,
            root: id,
            none: root.clone(),
            leaves: [(id, root)].into(),
            head: id,
        }
    }
    pub(super) fn get(&self, id: &Digest) -> Option<&Leaf> {
        self.leaves.get(id)
    }
    /// The last final block.
    pub(super) fn root(&self) -> &Leaf {
        self.leaves.get(&self.root).unwrap_or(&self.none)
    }
    /// The best head.
    pub(super) fn head(&self) -> &Leaf {
        self.leaves.get(&self.head).unwrap_or(&self.none)
    }
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.leaves.len()
    }
    /// All blocks, but for the root, parents first.
    pub(super) fn blocks(&self) -> Vec<Arc<Block>> {
        let leaves = self.leaves.values().filter(|leaf| leaf.id != self.root);
        let mut blocks: Vec<_> = leaves.filter_map(|leaf| leaf.block.clone()).collect();
        blocks.sort_by_key(|block| (block.height, block.id()));
        blocks
    }
    /// The blocks from the root, which is not among them, to this one.
    pub(super) fn path(&self, to: &Digest) -> Vec<Arc<Block>> {
        let mut path = Vec::new();
        let mut at = *to;
        while at != self.root
            && let Some(block) = self.leaves.get(&at).and_then(|leaf| leaf.block.as_ref())
        {
            path.push(Arc::clone(block));
            at = block.parent;
        }
        path.reverse();
        path
    }
    /// Is one of these in a block from the root up to this one?
    pub(super) fn has_any(&self, to: &Digest, txs: &BTreeSet<TxId>) -> bool {
        if txs.is_empty() {
            return false;
        }
        let mut at = *to;
        while at != self.root
            && let Some(leaf) = self.leaves.get(&at)
        {
            if !leaf.txs.is_disjoint(txs) {
                return true;
            }
            let Some(parent) = leaf.parent() else {
                break;
            };
            at = parent;
        }
        false
    }
    /// Is there room for one more block like this?
    pub(super) fn has_room(&self, block: &Block) -> bool {
        let same = |leaf: &&Leaf| {
            let other = leaf.block.as_ref();
            other.is_some_and(|b| b.parent == block.parent && b.sealer() == block.sealer())
        };
        self.leaves.len() < MAX_TREE && self.leaves.values().filter(same).count() < MAX_SAME
    }
    /// Takes a block in whose parent is here; says what became of the head, if it is another one now.
    pub(super) fn insert(&mut self, leaf: Leaf) -> Option<Change> {
        let id = leaf.id;
        let wins = better(self.choice, &leaf, self.head());
        self.leaves.insert(id, leaf);
        if !wins {
            return None;
        }
        let (old, new) = (self.path(&self.head), self.path(&id));
        self.head = id;
        let same = old.iter().zip(&new);
        let same = same.take_while(|(a, b)| a.id() == b.id()).count();
        Some(Change {
            undone: old.into_iter().skip(same).rev().collect(),
            done: new.into_iter().skip(same).collect(),
        })
    }
    /// The first block of the best branch is final: what does not follow it is gone.
    pub(super) fn settle(&mut self, first: &Block) {
        self.root = first.id();
        self.none = self.root().clone();
        let height = first.height;
        let mut gone: BTreeSet<Digest> = BTreeSet::new();
        let mut order: Vec<(u64, Digest, Option<Digest>)> = self
            .leaves
            .values()
            .map(|leaf| (leaf.height, leaf.id, leaf.parent()))
            .collect();
        order.sort_unstable_by_key(|(height, id, _)| (*height, *id));
        for (at, id, parent) in order {
            if id == self.root {
                continue;
            }
            if at <= height || parent.is_none_or(|parent| gone.contains(&parent)) {
                gone.insert(id);
            }
        }
        for id in &gone {
            self.leaves.remove(id);
        }
    }
}
