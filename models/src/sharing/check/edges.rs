//! Consents that end exactly at a block's time: whether they still hold at it is where implementations
//! differ (here they do not: a grant holds before its end).

use crate::sharing::command::Command;
use consim_core::{Block, Receipt};
use std::collections::BTreeMap;

/// The most grants whose end is waited for; of more, those that end last are not counted.
pub(super) const MAX_GRANTS: usize = 1 << 16;

/// Counts grants that end exactly at a block's time. Every node reports every block; the first report
/// counts.
#[derive(Debug, Default)]
pub(super) struct Edges {
    height: u64,
    /// How many grants end at this instant, nanoseconds after the Unix epoch.
    ends: BTreeMap<i64, u64>,
    waiting: usize,
    met: u64,
}

impl Edges {
    pub(super) fn applied(&mut self, block: &Block) {
        let header = &block.header;
        if header.height <= self.height {
            return;
        }
        self.height = header.height;
        let later = self.ends.split_off(&header.time_ns);
        let over = std::mem::replace(&mut self.ends, later);
        self.waiting -= over.values().sum::<u64>() as usize;
        if let Some(met) = self.ends.remove(&header.time_ns) {
            self.waiting -= met as usize;
            self.met += met;
        }
        let executed = block.committed.batch.txs().iter().zip(&block.receipts);
        for (tx, _) in executed.filter(|(_, receipt)| **receipt == Receipt::Applied) {
            if let Ok(
                Command::Grant { expires_ns, .. }
                | Command::Decide {
                    permit: true,
                    expires_ns,
                    ..
                },
            ) = Command::decode(tx.body())
                && expires_ns > header.time_ns
            {
                *self.ends.entry(expires_ns).or_default() += 1;
                self.waiting += 1;
            }
        }
        while self.waiting > MAX_GRANTS
            && let Some((_, last)) = self.ends.pop_last()
        {
            self.waiting -= last as usize;
        }
    }
    /// How many there were.
    pub(super) fn met(&self) -> u64 {
        self.met
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::sharing::ids::{Grantee, Pseudonym};
    use consim_core::{
        Batch, Certificate, ChainId, Committed, Digest, Header, Keyring, NodeId, OpId, Tx, TxId,
    };
    use std::sync::Arc;

    /// A block at `time_ns` with grants that end at these instants.
    fn block(height: u64, time_ns: i64, ends: &[i64]) -> Block {
        let (_, secrets) = Keyring::generate(1, 7);
        let grant = |(&expires_ns, number): (&i64, u64)| {
            let command = Command::Grant {
                pseudonym: Pseudonym([1; 32]),
                grantee: Grantee::Everyone,
                expires_ns,
                scope: crate::sharing::Scope::default(),
            };
            let id = TxId {
                origin: NodeId(0),
                number: height << 32 | number,
            };
            let tx = Tx::new(id, ChainId(0), OpId(number), command.body(), &secrets[0]);
            Arc::new(tx)
        };
        let txs: Arc<[Arc<Tx>]> = ends.iter().zip(1..).map(grant).collect();
        let receipts = vec![Receipt::Applied; txs.len()];
        let batch = Arc::new(Batch::new(NodeId(0), time_ns, txs, Digest::ZERO));
        let header = Header {
            chain: ChainId(0),
            height,
            sequence: height,
            parent: Digest::ZERO,
            batch: batch.digest(),
            tx_root: Digest::ZERO,
            state_root: Digest::ZERO,
            time_ns,
            tx_count: ends.len() as u32,
        };
        let certificate = Certificate {
            kind: 0,
            view: 0,
            sequence: height,
            digest: batch.digest(),
            signatures: Vec::new().into(),
            links: Arc::default(),
        };
        Block {
            id: header.id(),
            header,
            committed: Arc::new(Committed {
                chain: ChainId(0),
                sequence: height,
                batch,
                certificate,
            }),
            receipts,
        }
    }

    #[test]
    fn a_grant_counts_once_if_a_block_comes_exactly_at_its_end() {
        let mut edges = Edges::default();
        for (height, time, ends, met) in [
            (1, 10, &[20, 20, 25, 30, 5][..], 0),
            (2, 20, &[], 2),
            (2, 20, &[], 2),
            (3, 26, &[], 2),
            (4, 30, &[], 3),
        ] {
            edges.applied(&block(height, time, ends));
            assert_eq!(edges.met(), met, "at {time}");
        }
        assert_eq!((edges.waiting, edges.ends.len()), (0, 0));
    }

    #[test]
    fn of_very_many_grants_the_last_are_not_waited_for() {
        let mut edges = Edges::default();
        let half = MAX_GRANTS / 2;
        let ends = |from: usize| {
            (from..from + half)
                .map(|i| 100 + i as i64)
                .collect::<Vec<_>>()
        };
        for (height, from) in [(1, 0), (2, half), (3, 2 * half)] {
            edges.applied(&block(height, 1, &ends(from)));
        }
        assert_eq!(edges.waiting, MAX_GRANTS);
        assert_eq!(edges.ends.keys().next(), Some(&100));
    }
}
