//! The chain of executed blocks of one node.

use super::memory::Meter;
use super::merkle;
use super::state::WorldState;
use consim_core::machine::ApplyAt;
use consim_core::{
    Batch, Block, ChainId, Committed, Digest, Header, Keyring, Receipt, StateMachine, Tx, TxId,
    Work,
};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many executions a cache keeps: nodes that are further apart than this execute for
/// themselves.
pub const CACHED_EXECUTIONS: usize = 64;

/// Refused: the transaction's signature is not its origin's.
pub const BAD_SIGNATURE: &str = "bad signature";
/// Refused: the transaction was signed for another chain.
pub const OTHER_CHAIN: &str = "other chain";

/// Did the ledger execute the transaction with this receipt, for the first time and as its origin's
/// own? What is not so does not end its origin's operation.
pub fn executed(receipt: &Receipt) -> bool {
    !matches!(
        receipt,
        Receipt::Duplicate | Receipt::Refused(BAD_SIGNATURE | OTHER_CHAIN)
    )
}

/// What a ledger is told.
#[derive(Clone)]
pub struct LedgerConfig {
    /// The chain.
    pub chain: ChainId,
    /// What executes transactions.
    pub machine: Arc<dyn StateMachine>,
    /// Everybody's public keys.
    pub keys: Keyring,
    /// Executions that the chain's nodes share.
    pub executions: ExecutionCache,
}

/// The latest executions of one chain's nodes. Equal batches on equal parents come to equal
/// blocks, so that one node executes and the others take the result; every node is charged the
/// whole work. A node with another machine never shares; use [`ExecutionCache::off`] wherever
/// execution may differ between nodes for another reason.
#[derive(Clone)]
pub struct ExecutionCache {
    shared: Option<Shared>,
    meter: Arc<Meter>,
}

#[derive(Clone)]
struct Shared {
    /// Whose executions these are.
    machine: Arc<dyn StateMachine>,
    latest: Arc<Mutex<VecDeque<Execution>>>,
}

/// What executing a batch came to.
#[derive(Clone, Debug)]
pub struct Execution {
    /// The new block.
    pub block: Arc<Block>,
    /// The state after it.
    pub state: WorldState,
    /// What it costs a node.
    pub work: Work,
}

impl ExecutionCache {
    /// A cache to be cloned into every node of one chain that runs `machine`.
    pub fn shared(machine: &Arc<dyn StateMachine>) -> Self {
        Self {
            shared: Some(Shared {
                machine: Arc::clone(machine),
                latest: Arc::default(),
            }),
            meter: Arc::default(),
        }
    }
    /// Every node executes for itself.
    pub fn off() -> Self {
        Self {
            shared: None,
            meter: Arc::default(),
        }
    }
    /// What the ledgers of the chain's nodes hold in memory.
    pub fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }
    fn latest(
        &self,
        machine: &Arc<dyn StateMachine>,
    ) -> Option<MutexGuard<'_, VecDeque<Execution>>> {
        let shared = self.shared.as_ref()?;
        Arc::ptr_eq(&shared.machine, machine).then(|| {
            let latest = shared.latest.lock();
            latest.unwrap_or_else(PoisonError::into_inner)
        })
    }
    fn find(
        &self,
        machine: &Arc<dyn StateMachine>,
        parent: &Digest,
        committed: &Committed,
    ) -> Option<Execution> {
        let latest = self.latest(machine)?;
        let hit = |e: &&Execution| {
            let header = &e.block.header;
            header.parent == *parent
                && header.sequence == committed.sequence
                && header.chain == committed.chain
                && same_batch(&e.block.committed.batch, &committed.batch)
        };
        latest.iter().rev().find(hit).cloned()
    }
    fn keep(&self, machine: &Arc<dyn StateMachine>, execution: &Execution) {
        if let Some(mut latest) = self.latest(machine) {
            if latest.len() >= CACHED_EXECUTIONS {
                latest.pop_front();
            }
            latest.push_back(execution.clone());
        }
    }
}

/// Are they one batch, signatures included? The digest does not cover the signatures, and a
/// malicious proposer may give different ones to different nodes.
fn same_batch(a: &Arc<Batch>, b: &Arc<Batch>) -> bool {
    Arc::ptr_eq(a, b) || (a.digest() == b.digest() && a.txs() == b.txs())
}

/// That a transaction is in a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TxProof {
    /// The block's height.
    pub height: u64,
    /// The way from the transaction's digest to the block's transaction root.
    pub path: merkle::Proof,
}

impl TxProof {
    /// Does it show that the transaction `digest` is in the block with this header?
    pub fn verify(&self, digest: &Digest, header: &Header) -> bool {
        self.height == header.height
            && self.path.size == u64::from(header.tx_count)
            && self.path.verify(digest, &header.tx_root)
    }
}

/// A node's blocks and the state after the last of them.
pub struct Ledger {
    config: LedgerConfig,
    blocks: Vec<Arc<Block>>,
    state: WorldState,
    sequence: u64,
}

impl Ledger {
    /// A chain without blocks, in the machine's first state.
    pub fn new(config: LedgerConfig) -> Self {
        let mut state = WorldState::metered(config.executions.meter());
        config.machine.genesis(&mut state);
        // Hashed now, so that the first block is charged for its own changes only.
        state.root();
        Self {
            config,
            blocks: Vec::new(),
            state,
            sequence: 0,
        }
    }
    /// The chain.
    pub fn chain(&self) -> ChainId {
        self.config.chain
    }
    /// How many blocks it has.
    pub fn height(&self) -> u64 {
        self.blocks.len() as u64
    }
    /// The last block.
    pub fn head(&self) -> Option<&Arc<Block>> {
        self.blocks.last()
    }
    /// The id of the last block; zero before the first.
    pub fn head_id(&self) -> Digest {
        self.head().map_or(Digest::ZERO, |block| block.id)
    }
    /// The time of the last block, nanoseconds after the Unix epoch; 0 before the first.
    pub fn head_time_ns(&self) -> i64 {
        self.head().map_or(0, |block| block.header.time_ns)
    }
    /// The block at `height`, which counts from 1.
    pub fn block(&self, height: u64) -> Option<&Arc<Block>> {
        self.blocks
            .get(usize::try_from(height.checked_sub(1)?).ok()?)
    }
    /// The state after the last block.
    pub fn state(&self) -> &WorldState {
        &self.state
    }
    /// At which height the transaction was executed.
    pub fn executed(&self, id: TxId) -> Option<u64> {
        self.state.executed(id)
    }
    /// The proof that transaction `index` of the block at `height` is in it.
    pub fn prove(&self, height: u64, index: usize) -> Option<TxProof> {
        let leaves = leaves(&self.block(height)?.committed.batch);
        Some(TxProof {
            height,
            path: merkle::prove(&leaves, index)?,
        })
    }
    /// Executes the next ordered batch and appends its block. A null batch makes no block, and a
    /// sequence number that was executed already does nothing.
    pub fn execute(&mut self, committed: &Arc<Committed>) -> Option<Execution> {
        if committed.sequence <= self.sequence || committed.chain != self.config.chain {
            return None;
        }
        self.sequence = committed.sequence;
        if committed.batch.txs().is_empty() {
            return None;
        }
        let parent = self.head_id();
        let execution = self
            .config
            .executions
            .find(&self.config.machine, &parent, committed)
            .inspect(|_| self.config.executions.meter.took())
            .unwrap_or_else(|| {
                let execution = self.run(parent, committed);
                self.config.executions.meter.made(&execution.block);
                self.config
                    .executions
                    .keep(&self.config.machine, &execution);
                execution
            });
        self.blocks.push(Arc::clone(&execution.block));
        self.state = execution.state.clone();
        Some(execution)
    }

    fn run(&self, parent: Digest, committed: &Arc<Committed>) -> Execution {
        let batch = &committed.batch;
        let at = ApplyAt {
            height: self.height() + 1,
            time_ns: self.head().map_or(batch.time_ns(), |head| {
                head.header.time_ns.max(batch.time_ns())
            }),
        };
        let mut state = self.state.clone();
        let receipts = batch
            .txs()
            .iter()
            .map(|tx| self.apply(&mut state, tx, at))
            .collect();
        let (state_root, rehashed) = state.rehash();
        let count = batch.txs().len();
        let header = Header {
            chain: self.config.chain,
            height: at.height,
            sequence: committed.sequence,
            parent,
            batch: batch.digest(),
            tx_root: merkle::root(&leaves(batch)),
            state_root,
            time_ns: at.time_ns,
            tx_count: count as u32,
        };
        let encoded = header.encode();
        let mut work = Work::verify_batched(count as u32);
        work.add(Work::execute(count as u32));
        work.add(Work::hash(
            merkle::hashed_bytes(count) + rehashed + encoded.len(),
        ));
        let block = Block {
            id: Digest::of(&encoded),
            header,
            committed: Arc::clone(committed),
            receipts,
        };
        Execution {
            block: Arc::new(block),
            state,
            work,
        }
    }

    /// Executes one transaction: at most once, and a refused one leaves no trace but that.
    /// What its origin did not sign for this chain does not use up the origin's number.
    fn apply(&self, state: &mut WorldState, tx: &Tx, at: ApplyAt) -> Receipt {
        if tx.chain() != self.config.chain {
            return Receipt::Refused(OTHER_CHAIN);
        }
        if !tx.verify(&self.config.keys) {
            return Receipt::Refused(BAD_SIGNATURE);
        }
        if state.executed(tx.id()).is_some() {
            return Receipt::Duplicate;
        }
        let before = state.clone();
        let receipt = self.config.machine.apply(state, tx, at);
        if matches!(receipt, Receipt::Refused(_)) {
            *state = before;
        }
        state.mark_executed(tx.id(), at.height);
        receipt
    }
}

/// What the transaction root of a batch is over.
fn leaves(batch: &Batch) -> Vec<Digest> {
    batch.txs().iter().map(|tx| tx.digest()).collect()
}

#[cfg(test)]
mod tests;
