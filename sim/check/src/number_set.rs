//! Sets of numbers that stay small however long a run is.

use consim_core::{NodeId, TxId};
use std::collections::BTreeMap;

/// Numbers as a bitmap: 64 neighbours share an entry, so a dense history costs a few bits a number
/// and a scattered one about 20 bytes.
#[derive(Debug, Default)]
pub(crate) struct NumberSet {
    words: BTreeMap<u64, u64>,
}

impl NumberSet {
    /// Adds a number; was it new?
    pub(crate) fn insert(&mut self, number: u64) -> bool {
        let word = self.words.entry(number / 64).or_insert(0);
        let bit = 1 << (number % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
    /// Is it in the set?
    pub(crate) fn contains(&self, number: u64) -> bool {
        let word = self.words.get(&(number / 64));
        word.is_some_and(|word| word & (1 << (number % 64)) != 0)
    }
}

/// Transactions of one chain: a set of running numbers for each origin.
#[derive(Debug, Default)]
pub(crate) struct TxSet {
    origins: BTreeMap<NodeId, NumberSet>,
}

impl TxSet {
    /// Adds a transaction; was it new?
    pub(crate) fn insert(&mut self, tx: TxId) -> bool {
        self.origins.entry(tx.origin).or_default().insert(tx.number)
    }
    /// Is it in the set?
    pub(crate) fn contains(&self, tx: TxId) -> bool {
        let numbers = self.origins.get(&tx.origin);
        numbers.is_some_and(|numbers| numbers.contains(tx.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_origins_and_numbers_apart() {
        let tx = |origin, number| TxId {
            origin: NodeId(origin),
            number,
        };
        let mut set = TxSet::default();
        for number in [0, 1, 63, 64, 1 << 40, u64::MAX] {
            assert!(!set.contains(tx(1, number)));
            assert!(set.insert(tx(1, number)));
            assert!(!set.insert(tx(1, number)));
            assert!(set.contains(tx(1, number)));
            assert!(!set.contains(tx(2, number)));
        }
        assert!(!set.contains(tx(1, 2)));
    }

    #[test]
    fn a_dense_history_takes_one_entry_for_64_numbers() {
        let mut set = NumberSet::default();
        for number in 0..6_400 {
            set.insert(number);
        }
        assert_eq!(set.words.len(), 100);
    }
}
