//! A set of transactions that stays small however long a run is.

use consim_core::{NodeId, TxId};
use std::collections::BTreeMap;

/// Transactions of one chain, as a bitmap for each origin: 64 running numbers share an entry, so a
/// dense history costs a few bits a transaction and a scattered one about 20 bytes.
#[derive(Debug, Default)]
pub(crate) struct TxSet {
    numbers: BTreeMap<NodeId, BTreeMap<u64, u64>>,
}

impl TxSet {
    /// Adds a transaction; was it new?
    pub(crate) fn insert(&mut self, tx: TxId) -> bool {
        let numbers = self.numbers.entry(tx.origin).or_default();
        let word = numbers.entry(tx.number / 64).or_insert(0);
        let bit = 1 << (tx.number % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
    /// Is it in the set?
    pub(crate) fn contains(&self, tx: TxId) -> bool {
        self.numbers
            .get(&tx.origin)
            .and_then(|numbers| numbers.get(&(tx.number / 64)))
            .is_some_and(|word| word & (1 << (tx.number % 64)) != 0)
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
}
