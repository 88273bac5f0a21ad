//! What was handed up, for those that are behind.

use consim_core::Committed;
use std::collections::VecDeque;
use std::sync::Arc;

/// The committed batches of a replica, without a gap: from sequence number 1 on, or from where it
/// took a state over; or only the last of these.
#[derive(Debug)]
pub(super) struct Log {
    /// Nothing up to here is in it.
    base: u64,
    entries: VecDeque<Arc<Committed>>,
    /// How many it keeps at most.
    keep: usize,
}

impl Log {
    /// An empty one, which keeps so many batches; `None`: all.
    pub(super) fn new(keep: Option<u64>) -> Self {
        let keep = keep.map_or(usize::MAX, |keep| {
            usize::try_from(keep).unwrap_or(usize::MAX)
        });
        Self {
            base: 0,
            entries: VecDeque::new(),
            keep,
        }
    }
    pub(super) fn get(&self, sequence: u64) -> Option<&Arc<Committed>> {
        self.from(sequence).next()
    }
    /// All from `sequence` on; none if that is not in it.
    pub(super) fn from(&self, sequence: u64) -> impl Iterator<Item = &Arc<Committed>> {
        let above = sequence
            .checked_sub(self.base)
            .and_then(|a| a.checked_sub(1));
        let start = above.and_then(|above| usize::try_from(above).ok());
        self.entries.iter().skip(start.unwrap_or(usize::MAX))
    }
    /// Nothing up to here is in it.
    pub(super) fn base(&self) -> u64 {
        self.base
    }
    pub(super) fn push(&mut self, committed: Arc<Committed>) {
        self.entries.push_back(committed);
        if self.entries.len() > self.keep {
            self.entries.pop_front();
            self.base += 1;
        }
    }
    /// It goes on after a state that was taken over.
    pub(super) fn restart(&mut self, base: u64) {
        self.base = base;
        self.entries.clear();
    }
}
