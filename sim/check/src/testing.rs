//! Hand-made histories: a small world with keys, and chains of blocks that hold.
#![allow(dead_code, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use consim_core::chain::vote_statement;
use consim_core::{
    Batch, Block, Certificate, ChainId, Committed, Digest, Header, Keyring, NodeId, OpEnd, OpId,
    Probe, Receipt, SecretKey, Signature, Span, Time, Tx, TxId, WorkloadId,
};
use std::sync::Arc;

/// The chain of every history.
pub const CHAIN: ChainId = ChainId(0);

/// `ms` milliseconds after the start.
pub fn ms(ms: u64) -> Time {
    Time::from_nanos(ms * 1_000_000)
}

/// `s` seconds after the start.
pub fn s(s: u64) -> Time {
    ms(s * 1000)
}

/// A batch of node 0 with the right root.
pub fn batch(txs: Vec<Arc<Tx>>) -> Arc<Batch> {
    let digests: Vec<Digest> = txs.iter().map(|tx| tx.digest()).collect();
    let root = merkle_root(&digests);
    Arc::new(Batch::new(NodeId(0), 1_000, txs.into(), root))
}

/// Keys, members, and the end of a chain that grows by calls of [`World::block`].
pub struct World {
    pub keys: Keyring,
    pub secrets: Vec<SecretKey>,
    pub members: Vec<NodeId>,
    pub quorum: usize,
    height: u64,
    sequence: u64,
    parent: Digest,
}

/// The root of RFC 6962 by the algorithm of RFC 9162, section 2.1.2 (a stack of perfect trees), which
/// shares nothing with the recursion that the check uses.
pub fn merkle_root(entries: &[Digest]) -> Digest {
    let mut stack: Vec<Digest> = Vec::new();
    let join = |stack: &mut Vec<Digest>| {
        let right = stack.pop().unwrap();
        let left = stack.pop().unwrap();
        stack.push(Digest::of_parts(&[&[1], &left.0, &right.0]));
    };
    for (i, entry) in entries.iter().enumerate() {
        stack.push(Digest::of_parts(&[&[0], &entry.0]));
        for _ in 0..i.trailing_ones() {
            join(&mut stack);
        }
    }
    while stack.len() > 1 {
        join(&mut stack);
    }
    stack.pop().unwrap_or_else(|| Digest::of(&[]))
}

impl World {
    /// `n` nodes, all of them members, that bear (n - 1) / 3 faults.
    pub fn new(n: u32) -> Self {
        let (keys, secrets) = Keyring::generate(n, 7);
        let f = (n as usize - 1) / 3;
        Self {
            keys,
            secrets,
            members: (0..n).map(NodeId).collect(),
            quorum: (n as usize + f + 1).div_ceil(2),
            height: 0,
            sequence: 0,
            parent: Digest::ZERO,
        }
    }
    /// A transaction that `origin` signed.
    pub fn tx(&self, origin: u32, number: u64) -> Arc<Tx> {
        self.tx_with(origin, number, b"body")
    }
    pub fn tx_with(&self, origin: u32, number: u64, body: &[u8]) -> Arc<Tx> {
        let id = TxId {
            origin: NodeId(origin),
            number,
        };
        let key = &self.secrets[origin as usize];
        Arc::new(Tx::new(id, CHAIN, OpId(number), body.into(), key))
    }
    /// The signatures of the first `count` members for `digest` at `sequence` in view 0.
    pub fn signatures(&self, count: usize, sequence: u64, digest: &Digest) -> Vec<Signature> {
        let statement = vote_statement(CHAIN, 2, 0, sequence, digest);
        let signers = self.secrets.iter().take(count);
        signers.map(|key| key.sign(&statement)).collect()
    }
    /// A batch that a quorum committed at `sequence`.
    pub fn committed(&self, sequence: u64, txs: Vec<Arc<Tx>>) -> Arc<Committed> {
        let batch = batch(txs);
        let digest = batch.digest();
        Arc::new(Committed {
            chain: CHAIN,
            sequence,
            certificate: Certificate {
                kind: 2,
                view: 0,
                sequence,
                digest,
                signatures: self.signatures(self.quorum, sequence, &digest).into(),
                links: Arc::default(),
            },
            batch,
        })
    }
    /// The next block of the chain; every transaction of it is applied.
    pub fn block(&mut self, txs: Vec<Arc<Tx>>) -> Arc<Block> {
        let receipts = vec![Receipt::Applied; txs.len()];
        self.block_with(txs, receipts)
    }
    pub fn block_with(&mut self, txs: Vec<Arc<Tx>>, receipts: Vec<Receipt>) -> Arc<Block> {
        self.sequence += 1;
        let committed = self.committed(self.sequence, txs);
        let block = self.execute(&committed, receipts, |_| {});
        self.height += 1;
        self.parent = block.id;
        block
    }
    /// The block that follows the chain's end out of `committed`, changed before its id is taken.
    /// The chain does not grow.
    pub fn execute(
        &self,
        committed: &Arc<Committed>,
        receipts: Vec<Receipt>,
        change: impl FnOnce(&mut Header),
    ) -> Arc<Block> {
        let batch = &committed.batch;
        let height = self.height + 1;
        let mut header = Header {
            chain: CHAIN,
            height,
            sequence: committed.sequence,
            parent: self.parent,
            batch: batch.digest(),
            tx_root: batch.tx_root(),
            state_root: Digest::of(&height.to_be_bytes()),
            time_ns: 1_000,
            tx_count: batch.txs().len() as u32,
        };
        change(&mut header);
        Arc::new(Block {
            id: header.id(),
            header,
            committed: Arc::clone(committed),
            receipts,
        })
    }
    /// A block that could follow the chain's end, and does not become part of it.
    pub fn fork(&self, txs: Vec<Arc<Tx>>) -> Arc<Block> {
        let receipts = vec![Receipt::Applied; txs.len()];
        let committed = self.committed(self.sequence + 1, txs);
        self.execute(&committed, receipts, |_| {})
    }
}

pub fn admitted(tx: &Tx) -> Probe {
    Probe::Admitted {
        chain: CHAIN,
        tx: tx.id(),
        digest: tx.digest(),
        count: tx.cohort().count,
    }
}

pub fn applied(block: &Arc<Block>) -> Probe {
    Probe::Applied(Arc::clone(block))
}

pub fn committed(block: &Arc<Block>) -> Probe {
    Probe::Committed(Arc::clone(&block.committed))
}

pub fn proposed(sequence: u64) -> Probe {
    Probe::Proposed {
        chain: CHAIN,
        sequence,
        txs: 1,
    }
}

pub fn recovered(height: u64, head: Digest) -> Probe {
    Probe::Recovered {
        chain: CHAIN,
        height,
        head,
    }
}

pub fn asked(op: u64, workload: u16, name: &'static str, deadline: Span) -> Probe {
    Probe::Asked {
        op: OpId(op),
        workload: WorkloadId(workload),
        name,
        deadline,
        count: 1,
    }
}

/// The end of an operation that was asked for at `at`.
pub fn ended(op: u64, workload: u16, name: &'static str, at: Time, end: OpEnd) -> Probe {
    Probe::Ended {
        op: OpId(op),
        workload: WorkloadId(workload),
        name,
        end,
        asked: at,
        deadline: Span::from_secs(60),
        count: 1,
    }
}
