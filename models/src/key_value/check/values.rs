//! What each key held, from which block on, in commit order.

use crate::key_value::command::Command;
use crate::orders::Command as _;
use consim_core::{Block, Digest, NodeId, OpId, Receipt};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Values that are remembered of a key; a read of an older one is not judged.
const VERSIONS: usize = 64;

/// The value of a key from a height on: how far it is remembered.
type Versions = VecDeque<(u64, Digest)>;

/// A value that is not in the past of its key, as far as that is remembered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Past {
    /// The key held it from this height on; none is held from height 0 on.
    Since(u64),
    /// It may have held it: more was written since than is remembered.
    Forgotten,
    /// It never held it.
    Never,
}

/// A map that executes the commands in commit order and remembers what was overwritten.
#[derive(Debug)]
pub(super) struct Values {
    writers: BTreeSet<NodeId>,
    height: u64,
    keys: BTreeMap<u64, Versions>,
}

impl Values {
    /// Of a chain on which `writers` set keys.
    pub(super) fn new(writers: &[NodeId]) -> Self {
        Self {
            writers: writers.iter().copied().collect(),
            height: 0,
            keys: BTreeMap::new(),
        }
    }
    /// The last block that was taken.
    pub(super) fn height(&self) -> u64 {
        self.height
    }
    /// Takes a block that some node applied; each height counts once, in order. Hands on the
    /// operations of a new one.
    pub(super) fn take(&mut self, block: &Block, mut operation: impl FnMut(OpId)) {
        if block.header.height != self.height + 1 {
            return;
        }
        self.height += 1;
        for (tx, receipt) in block.committed.batch.txs().iter().zip(&block.receipts) {
            operation(tx.op());
            if *receipt == Receipt::Applied
                && self.writers.contains(&tx.id().origin)
                && let Ok(Command::Put { key, value }) = Command::from_body(tx.body())
            {
                let versions = self.keys.entry(key).or_default();
                if versions.len() == VERSIONS {
                    versions.pop_front();
                }
                versions.push_back((self.height, Digest::of(&value)));
            }
        }
    }
    fn versions(&self, key: u64) -> impl DoubleEndedIterator<Item = &(u64, Digest)> {
        self.keys.get(&key).into_iter().flatten()
    }
    /// Was something of the key forgotten?
    fn forgets(&self, key: u64) -> bool {
        self.keys.get(&key).is_some_and(|v| v.len() == VERSIONS)
    }
    /// Did `key` hold `value` after the block at `height`? `None` if that is forgotten.
    pub(super) fn held(&self, key: u64, value: Option<Digest>, height: u64) -> Option<bool> {
        let held = self.versions(key).rev().find(|(since, _)| *since <= height);
        if held.is_none() && self.forgets(key) {
            return None;
        }
        Some(held.map(|(_, digest)| *digest) == value)
    }
    /// Since when `key` held `value`, at `floor` or after it: the first time that it fits.
    pub(super) fn since(&self, key: u64, value: Option<Digest>, floor: u64) -> Past {
        // A version holds from its height until the next one; before the first there is no value.
        let mut held: (u64, Option<Digest>) = (0, None);
        for &(since, digest) in self.versions(key) {
            if since > floor && held.1 == value {
                return Past::Since(held.0);
            }
            held = (since, Some(digest));
        }
        if held.1 == value {
            return Past::Since(held.0);
        }
        let first = self.versions(key).next();
        let forgotten = self.forgets(key) && first.is_some_and(|(since, _)| *since > floor);
        if forgotten {
            Past::Forgotten
        } else {
            Past::Never
        }
    }
}
