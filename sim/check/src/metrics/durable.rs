//! Work that was acknowledged and is nowhere any more.

use consim_core::{ChainId, NodeId, OpId};
use std::collections::BTreeMap;

/// The most blocks of a chain, the newest, for which acknowledged operations are counted one by
/// one.
const MAX_BLOCKS: usize = 1 << 20;
/// The most operations that were answered before a block with their transaction was seen, or that
/// have none.
const MAX_EARLY: usize = 1 << 16;

/// Counts the operations that were answered as done, by the block that executed them, and follows
/// which blocks nodes hold.
#[derive(Debug, Default)]
pub(super) struct Durable {
    /// The height at which each node stands.
    held: BTreeMap<(ChainId, NodeId), u64>,
    /// Acknowledged operations by block.
    acknowledged: BTreeMap<(ChainId, u64), u64>,
    early: BTreeMap<OpId, u32>,
}

impl Durable {
    /// A node executed this block, or came back with it as its head.
    pub(super) fn stands(&mut self, chain: ChainId, node: NodeId, height: u64) {
        self.held.insert((chain, node), height);
    }

    /// A block was executed for the first time, with the transaction of an operation that is not
    /// open any more.
    pub(super) fn executed_late(&mut self, op: OpId, chain: ChainId, height: u64) {
        if let Some(count) = self.early.remove(&op) {
            self.count(chain, height, count);
        }
    }

    /// An operation was answered as done, its transaction executed in `block`.
    pub(super) fn acknowledged(&mut self, op: OpId, block: Option<(ChainId, u64)>, count: u32) {
        if let Some((chain, height)) = block {
            self.count(chain, height, count);
            return;
        }
        self.early.insert(op, count);
        if self.early.len() > MAX_EARLY {
            self.early.pop_first();
        }
    }

    fn count(&mut self, chain: ChainId, height: u64, count: u32) {
        *self.acknowledged.entry((chain, height)).or_default() += u64::from(count);
        if self.acknowledged.len() > MAX_BLOCKS {
            self.acknowledged.pop_first();
        }
    }

    /// Acknowledged operations whose block lies above what any node of the chain holds now.
    pub(super) fn lost(&self) -> u64 {
        let mut top: BTreeMap<ChainId, u64> = BTreeMap::new();
        for (&(chain, _), &height) in &self.held {
            let top = top.entry(chain).or_default();
            *top = height.max(*top);
        }
        let above =
            |(chain, height): &(ChainId, u64)| top.get(chain).is_none_or(|held| height > held);
        self.acknowledged
            .iter()
            .filter(|(block, _)| above(block))
            .map(|(_, n)| n)
            .sum()
    }
}
