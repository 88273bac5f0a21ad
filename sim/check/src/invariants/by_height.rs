//! One value per chain and height (or sequence number): the first that was reported.

use consim_core::ChainId;
use std::collections::BTreeMap;

/// The first value of each height of each chain. Heights come almost always without gaps from 1,
/// so they are kept in a vector; others go to a map.
#[derive(Debug)]
pub(super) struct ByHeight<T> {
    chains: BTreeMap<ChainId, Heights<T>>,
}

#[derive(Debug)]
struct Heights<T> {
    dense: Vec<T>,
    sparse: BTreeMap<u64, T>,
}

impl<T> ByHeight<T> {
    pub(super) fn new() -> Self {
        Self {
            chains: BTreeMap::new(),
        }
    }
    /// The value at `height`.
    pub(super) fn get(&self, chain: ChainId, height: u64) -> Option<&T> {
        let heights = self.chains.get(&chain)?;
        let dense = usize::try_from(height.checked_sub(1)?)
            .ok()
            .and_then(|index| heights.dense.get(index));
        dense.or_else(|| heights.sparse.get(&height))
    }
    /// Keeps `value` if there is none at `height` yet; height 0 is before the first and keeps nothing.
    pub(super) fn insert(&mut self, chain: ChainId, height: u64, value: T) {
        if height == 0 || self.get(chain, height).is_some() {
            return;
        }
        let heights = self.chains.entry(chain).or_insert_with(|| Heights {
            dense: Vec::new(),
            sparse: BTreeMap::new(),
        });
        if height == heights.dense.len() as u64 + 1 {
            heights.dense.push(value);
        } else {
            heights.sparse.insert(height, value);
        }
    }
}
