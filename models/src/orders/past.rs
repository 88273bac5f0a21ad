//! What checks of ordered operations need: blocks once and in order, and what something was at a
//! height.

use consim_core::{Block, Probe};
use std::collections::VecDeque;

/// Takes each height once, whoever executes it first.
#[derive(Debug, Default)]
pub(crate) struct InOrder {
    height: u64,
}

impl InOrder {
    /// The last block that was taken.
    pub(crate) fn height(&self) -> u64 {
        self.height
    }
    /// The block of `probe`, if it is the next one.
    pub(crate) fn next<'b>(&mut self, probe: &'b Probe) -> Option<&'b Block> {
        match probe {
            Probe::Applied(block) if block.header.height == self.height + 1 => {
                self.height += 1;
                Some(block)
            }
            _ => None,
        }
    }
}

/// Versions that are remembered; what was before them is not judged.
const VERSIONS: usize = 64;

/// What something was after each block that changed it.
#[derive(Clone, Debug)]
pub(crate) struct Past<V> {
    versions: VecDeque<(u64, V)>,
    forgets: bool,
}

/// It is too long ago.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forgotten;

impl<V> Default for Past<V> {
    fn default() -> Self {
        Self {
            versions: VecDeque::new(),
            forgets: false,
        }
    }
}

impl<V> Past<V> {
    /// After the block at `height` it is `value`.
    pub(crate) fn set(&mut self, height: u64, value: V) {
        if self
            .versions
            .back()
            .is_some_and(|(last, _)| *last == height)
        {
            self.versions.pop_back();
        } else if self.versions.len() == VERSIONS {
            self.versions.pop_front();
            self.forgets = true;
        }
        self.versions.push_back((height, value));
    }
    /// What it is now.
    pub(crate) fn now(&self) -> Option<&V> {
        self.versions.back().map(|(_, value)| value)
    }
    /// What it was after the block at `height`, if anything was there yet.
    pub(crate) fn at(&self, height: u64) -> Result<Option<&V>, Forgotten> {
        let found = self.versions.iter().rev().find(|(at, _)| *at <= height);
        match found {
            Some((_, value)) => Ok(Some(value)),
            None if self.forgets => Err(Forgotten),
            None => Ok(None),
        }
    }
}
