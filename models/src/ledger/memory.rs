//! What ledgers hold in memory: states share nodes, so that nobody can tell by looking at one of
//! them. Counted as nodes come and go; what is counted decides nothing.

use consim_core::{Block, Receipt};
use std::iter::Sum;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts what the ledgers of one chain hold.
#[derive(Debug, Default)]
pub struct Meter {
    live: AtomicU64,
    peak: AtomicU64,
    blocks: AtomicU64,
    block_bytes: AtomicU64,
    shared: AtomicU64,
}

/// What the ledgers of a chain's nodes hold together, every shared part once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LedgerMemory {
    /// Bytes of state: nodes of the tries and values.
    pub state_bytes: u64,
    /// The most that these were.
    pub state_peak_bytes: u64,
    /// Blocks that were made by execution. They are never discarded.
    pub blocks: u64,
    /// Their bytes: headers, receipts, batches.
    pub block_bytes: u64,
    /// Blocks that a node took from another one's execution.
    pub shared_blocks: u64,
}

impl Sum for LedgerMemory {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        let add = |a: Self, b: Self| Self {
            state_bytes: a.state_bytes + b.state_bytes,
            state_peak_bytes: a.state_peak_bytes + b.state_peak_bytes,
            blocks: a.blocks + b.blocks,
            block_bytes: a.block_bytes + b.block_bytes,
            shared_blocks: a.shared_blocks + b.shared_blocks,
        };
        all.fold(Self::default(), add)
    }
}

impl Meter {
    /// The counts so far.
    pub fn read(&self) -> LedgerMemory {
        LedgerMemory {
            state_bytes: self.live.load(Relaxed),
            state_peak_bytes: self.peak.load(Relaxed),
            blocks: self.blocks.load(Relaxed),
            block_bytes: self.block_bytes.load(Relaxed),
            shared_blocks: self.shared.load(Relaxed),
        }
    }
    pub(super) fn made(&self, block: &Block) {
        let bytes = size_of::<Block>()
            + block.receipts.len() * size_of::<Receipt>()
            + block.committed.encoded_len();
        self.blocks.fetch_add(1, Relaxed);
        self.block_bytes.fetch_add(bytes as u64, Relaxed);
    }
    pub(super) fn took(&self) {
        self.shared.fetch_add(1, Relaxed);
    }
}

/// Stands in a piece of state for its bytes while it lives.
#[derive(Debug, Default)]
pub(super) struct Metered(Option<(Arc<Meter>, usize)>);

impl Metered {
    pub(super) fn new(meter: Option<&Arc<Meter>>, bytes: usize) -> Self {
        Self(meter.map(|meter| {
            let live = meter.live.fetch_add(bytes as u64, Relaxed) + bytes as u64;
            meter.peak.fetch_max(live, Relaxed);
            (Arc::clone(meter), bytes)
        }))
    }
}

impl Clone for Metered {
    fn clone(&self) -> Self {
        match &self.0 {
            Some((meter, bytes)) => Self::new(Some(meter), *bytes),
            None => Self(None),
        }
    }
}

impl Drop for Metered {
    fn drop(&mut self) {
        if let Some((meter, bytes)) = &self.0 {
            meter.live.fetch_sub(*bytes as u64, Relaxed);
        }
    }
}
