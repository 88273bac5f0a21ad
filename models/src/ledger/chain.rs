//! The chain of executed blocks of one node.

use super::memory::Meter;
use super::merkle;
use super::seeded;
use super::snapshot::Snapshot;
use super::state::WorldState;
use consim_core::machine::ApplyAt;
use consim_core::seeded::SIGNATURES_LEFT_OUT;
use consim_core::{
    Batch, Block, ChainId, Committed, Digest, Header, KeyId, Keyring, Receipt, StateMachine, Tx,
    TxId, Work,
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
/// What a node answers of a refused transaction in a block that it never had: it took over the state.
pub const BLOCK_GONE: &str = "refused, in a block that is not here";

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
    /// The state with this root, if one of the latest executions came to it.
    fn state(&self, machine: &Arc<dyn StateMachine>, root: &Digest) -> Option<WorldState> {
        let latest = self.latest(machine)?;
        let hit = |e: &&Execution| e.block.header.state_root == *root;
        latest.iter().rev().find(hit).map(|e| e.state.clone())
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
    /// The last block before `blocks`, if its state was taken over: what led to it is not here.
    base: Option<(Digest, Header)>,
    blocks: Vec<Arc<Block>>,
    state: WorldState,
    sequence: u64,
    /// The height with which the node started.
    opened: u64,
    /// The next batch, executed before it was committed.
    ahead: Option<Ahead>,
    administrator: Option<KeyId>,
}

/// A batch that was executed before it was committed. Nothing of it shows before that; another
/// batch in its place rolls it back.
struct Ahead {
    batch: Arc<Batch>,
    run: Run,
}

/// What a batch on top of the last block comes to.
struct Run {
    header: Header,
    receipts: Vec<Receipt>,
    state: WorldState,
    work: Work,
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
            base: None,
            blocks: Vec::new(),
            state,
            sequence: 0,
            opened: 0,
            ahead: None,
            administrator: None,
        }
    }
    /// The chain.
    pub fn chain(&self) -> ChainId {
        self.config.chain
    }
    /// The height of the last block, whether it is here or its state was taken over.
    pub fn height(&self) -> u64 {
        self.below() + self.blocks.len() as u64
    }
    /// The height below the first block that is here.
    fn below(&self) -> u64 {
        self.base.as_ref().map_or(0, |(_, header)| header.height)
    }
    /// The last block that was executed here.
    pub fn head(&self) -> Option<&Arc<Block>> {
        self.blocks.last()
    }
    /// The id of the last block; zero before the first.
    pub fn head_id(&self) -> Digest {
        let base = self.base.as_ref().map_or(Digest::ZERO, |&(id, _)| id);
        self.head().map_or(base, |block| block.id)
    }
    /// The header of the last block.
    pub fn head_header(&self) -> Option<&Header> {
        let base = self.base.as_ref().map(|(_, header)| header);
        self.head().map(|block| &block.header).or(base)
    }
    /// The time of the last block, nanoseconds after the Unix epoch; 0 before the first.
    pub fn head_time_ns(&self) -> i64 {
        self.head_header().map_or(0, |header| header.time_ns)
    }
    /// The block at `height`, which counts from 1; none if only the state after it was taken over.
    pub fn block(&self, height: u64) -> Option<&Arc<Block>> {
        let above = height.checked_sub(self.below())?.checked_sub(1)?;
        self.blocks.get(usize::try_from(above).ok()?)
    }
    /// The block of this sequence number, if it is here and its batch was not empty.
    pub fn at_sequence(&self, sequence: u64) -> Option<&Arc<Block>> {
        let before = |block: &Arc<Block>| block.header.sequence < sequence;
        let block = self.blocks.get(self.blocks.partition_point(before));
        block.filter(|block| block.header.sequence == sequence)
    }
    /// The last block and the state after it, to be handed to another node.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            header: self.head_header().cloned(),
            state: self.state.clone(),
        }
    }
    /// Takes a proven state over, which stands for everything up to `sequence`. Blocks before it
    /// are given up. One that is not ahead of this ledger changes nothing: `false`.
    pub fn install(&mut self, sequence: u64, snapshot: &Snapshot) -> bool {
        if sequence <= self.sequence {
            return false;
        }
        self.sequence = sequence;
        self.base = snapshot.header.clone().map(|h| (h.id(), h));
        if seeded::on(&seeded::HEAD_OF_STATE_FORGOTTEN) {
            self.base = snapshot.header.clone().map(|h| (Digest::ZERO, h));
        }
        self.blocks.clear();
        self.ahead = None;
        let root = snapshot.state.root();
        // Where another node holds the same state already, there need not be a second one.
        let shared = self.config.executions.state(&self.config.machine, &root);
        self.state = shared.unwrap_or_else(|| snapshot.state.clone());
        true
    }
    /// The state after the last block.
    pub fn state(&self) -> &WorldState {
        &self.state
    }
    /// The last sequence number that was executed or taken over.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }
    /// At which height the transaction was executed.
    pub fn executed(&self, id: TxId) -> Option<u64> {
        self.state.executed(id).filter(|&at| at > self.forgotten())
    }
    /// Up to this height a node that came back has forgotten what was executed.
    fn forgotten(&self) -> u64 {
        if seeded::on(&seeded::TABLE_OF_EXECUTED_NOT_PERSISTED) {
            return self.opened;
        }
        0
    }
    /// The chain has an administrator, whose transactions change the members: nothing of the state but the mark
    /// that they are executed.
    #[must_use]
    pub fn governed_by(mut self, administrator: Option<KeyId>) -> Self {
        self.administrator = administrator;
        self
    }
    /// The node has read its disk: what comes from now on is new.
    pub fn open(&mut self) {
        self.opened = self.height();
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
        let same = |ahead: &Ahead| {
            let header = &ahead.run.header;
            header.parent == parent
                && header.sequence == committed.sequence
                && same_batch(&ahead.batch, &committed.batch)
        };
        let ahead = self.ahead.take().filter(same);
        let done_before = ahead.is_some();
        let executions = &self.config.executions;
        let shared = executions.find(&self.config.machine, &parent, committed);
        let mut execution = if let Some(shared) = shared {
            executions.meter.took();
            shared
        } else {
            let run = ahead.map_or_else(
                || self.run(parent, committed.sequence, &committed.batch),
                |ahead| ahead.run,
            );
            let execution = run.finish(committed);
            executions.meter.made(&execution.block);
            executions.keep(&self.config.machine, &execution);
            execution
        };
        if done_before {
            execution.work = Work::NONE;
        }
        self.blocks.push(Arc::clone(&execution.block));
        self.state = execution.state.clone();
        Some(execution)
    }

    /// Executes a batch that will probably be the next one, before it is committed: its receipts,
    /// and what that costs. `None` if it is not the next sequence number or a null batch.
    pub fn execute_ahead(
        &mut self,
        sequence: u64,
        batch: &Arc<Batch>,
    ) -> Option<(&[Receipt], Work)> {
        if sequence != self.sequence + 1 || batch.txs().is_empty() {
            return None;
        }
        let run = self.run(self.head_id(), sequence, batch);
        let work = run.work;
        let batch = Arc::clone(batch);
        let ahead = self.ahead.insert(Ahead { batch, run });
        Some((&ahead.run.receipts, work))
    }

    fn run(&self, parent: Digest, sequence: u64, batch: &Arc<Batch>) -> Run {
        let parent_time = self.head_header().map(|head| head.time_ns);
        let parent_time = parent_time.filter(|_| !seeded::on(&seeded::BLOCK_TIME_RUNS_BACK));
        let at = ApplyAt {
            height: self.height() + 1,
            time_ns: parent_time.map_or(batch.time_ns(), |time| time.max(batch.time_ns())),
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
            sequence,
            parent,
            batch: batch.digest(),
            tx_root: merkle::root(&leaves(batch)),
            state_root,
            time_ns: at.time_ns,
            tx_count: count as u32,
        };
        let all = Tx::individuals(batch.txs()) as u32;
        let mut work = Work::verify_batched(self.config.keys.of_transactions(all));
        work.add(Work::execute(all));
        work.add(Work::hash(
            merkle::hashed_bytes(count) + rehashed + Header::ENCODED,
        ));
        Run {
            header,
            receipts,
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
        if !seeded::on(&SIGNATURES_LEFT_OUT) && !tx.verify(&self.config.keys) {
            return Receipt::Refused(BAD_SIGNATURE);
        }
        let executed = state.executed(tx.id());
        if executed.is_some_and(|at| at > self.forgotten()) {
            return Receipt::Duplicate;
        }
        let before = state.clone();
        let governs = |key: KeyId| key.0 == tx.id().origin.0;
        let receipt = if self.administrator.is_some_and(governs) {
            Receipt::Applied
        } else {
            self.config.machine.apply(state, tx, at)
        };
        if matches!(receipt, Receipt::Refused(_)) {
            *state = before;
        }
        state.mark_executed(tx.id(), at.height, receipt == Receipt::Applied);
        receipt
    }
}

impl Run {
    /// The batch is committed: its block.
    fn finish(self, committed: &Arc<Committed>) -> Execution {
        let block = Block {
            id: self.header.id(),
            header: self.header,
            committed: Arc::clone(committed),
            receipts: self.receipts,
        };
        Execution {
            block: Arc::new(block),
            state: self.state,
            work: self.work,
        }
    }
}

/// What the transaction root of a batch is over.
fn leaves(batch: &Batch) -> Vec<Digest> {
    batch.txs().iter().map(|tx| tx.digest()).collect()
}

#[cfg(test)]
mod tests;
