//! Options, limits and what a replica is told.

use super::super::{BlockLimits, ReplicaConfig};
use consim_core::{ChainId, Keyring, NodeId, SecretKey, Span};
use std::sync::Arc;

/// Clique's options.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CliqueOptions {
    /// The least time between the time stamps of a block and of the one before (EIP-225: `BLOCK_PERIOD`).
    pub period: Span,
    /// Blocks after which votes count anew (EIP-225: `EPOCH_LENGTH`).
    pub epoch: u64,
    /// Which of two heads is the better one.
    pub fork_choice: ForkChoice,
    /// Blocks that have to follow a block before it is taken for final; `None`: a majority of the signers, so
    /// that a majority has built on it.
    pub confirmations: Option<u64>,
    /// One signer out of turn waits a random part of this for each block of a majority (EIP-225: 500 ms).
    pub wiggle: Span,
}

/// Which of two heads is the better one, where the total difficulty is the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ForkChoice {
    /// The one that was seen first (Besu, Nethermind and OpenEthereum, as EIP-3436 tells).
    FirstSeen,
    /// The shorter branch, else the one that was seen first (geth).
    #[default]
    Geth,
    /// The shorter branch, else the one whose sealer was in turn least recently, else the lowest hash
    /// (EIP-3436): the same for everybody.
    Eip3436,
}

impl Default for CliqueOptions {
    fn default() -> Self {
        Self {
            period: Span::from_secs(5),
            epoch: 30_000,
            fork_choice: ForkChoice::Geth,
            confirmations: None,
            wiggle: Span::from_millis(500),
        }
    }
}

impl CliqueOptions {
    /// Blocks that have to follow one in a group whose majority is `majority`.
    pub fn depth(&self, majority: usize) -> u64 {
        self.confirmations.unwrap_or(majority as u64)
    }
    /// A signer out of turn waits less than this in such a group.
    pub fn longest_wiggle(&self, majority: usize) -> Span {
        self.wiggle.times(majority as u64)
    }
}

/// The most blocks that a scenario may ask to follow one (assumed): they are all in memory.
pub const MAX_CONFIRMATIONS: u64 = 512;
/// Blocks that are not final yet and are kept (assumed): many branches of the longest.
pub const MAX_TREE: usize = 4_096;
/// Blocks of one signer upon one block that are kept (assumed): an honest one seals one.
pub const MAX_SAME: usize = 2;
/// Blocks without the one before that are kept of one sender, and of all (assumed).
pub const MAX_ORPHANS: (usize, usize) = (16, 256);
/// Blocks whose time has not come that are kept (assumed).
pub const MAX_FUTURE: usize = 64;
/// A block that is further ahead of the clock is refused (geth: `maxTimeFutureBlocks`, 30 s).
pub const MAX_AHEAD: Span = Span::from_secs(30);
/// Nodes that blocks are sent to besides the signers (assumed).
pub const MAX_FOLLOWERS: usize = 1_024;
/// Reads that wait at a replica (assumed); of more, none is answered.
pub const MAX_READS: usize = 1_024;
/// Answers with blocks that a node gets between two ticks (assumed).
pub const MAX_SERVED: u16 = 64;
/// Questions in the time that a block may take (assumed).
pub const STEPS: u64 = 8;
/// Ticks in the time that a block may take (assumed).
pub const TICKS: u64 = 2;
/// Without news a replica compares notes with one other every so many ticks (assumed).
pub const IDLE_TICKS: u32 = 4;

/// The configuration in the form that the replica wants it in.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) chain: ChainId,
    pub(super) me: NodeId,
    /// The signers at the beginning.
    pub(super) members: Arc<[NodeId]>,
    /// Their majority, unless a fault changes it.
    quorum: usize,
    pub(super) keys: Keyring,
    pub(super) key: Arc<SecretKey>,
    pub(super) block: BlockLimits,
    pub(super) timeout: Span,
    pub(super) options: CliqueOptions,
}

impl Group {
    pub(super) fn new(config: ReplicaConfig, options: CliqueOptions) -> Self {
        Self {
            chain: config.chain,
            me: config.me,
            members: config.members,
            quorum: config.quorum,
            keys: config.keys,
            key: config.key,
            block: BlockLimits {
                transactions: config.block.transactions.max(1),
                ..config.block
            },
            timeout: config.timeout,
            options: CliqueOptions {
                epoch: options.epoch.max(1),
                ..options
            },
        }
    }
    /// More than half of `signers`: `SIGNER_LIMIT` of EIP-225.
    pub(super) fn majority(&self, signers: usize) -> usize {
        if signers == self.members.len() {
            self.quorum.max(1)
        } else {
            super::majority(signers)
        }
    }
    /// Blocks that have to follow one among so many signers.
    pub(super) fn depth(&self, signers: usize) -> u64 {
        self.options.depth(self.majority(signers))
    }
    /// How long the next block may rightly take, with what it waits for.
    pub(super) fn block_time(&self) -> Span {
        self.block.wait + self.timeout + self.options.period
    }
    /// How long a transaction may take at first before something is done about it.
    pub(super) fn patience(&self) -> Span {
        let blocks = self.depth(self.members.len()).saturating_add(1);
        self.block.wait + self.timeout + self.options.period.times(blocks)
    }
    /// How long an answer may take before somebody else is asked who has it.
    pub(super) fn step(&self) -> Span {
        Span::from_nanos((self.block_time().nanos() / STEPS).max(1))
    }
    /// Between two looks at whether anything was missed.
    pub(super) fn tick(&self) -> Span {
        Span::from_nanos((self.block_time().nanos() / TICKS).max(1))
    }
}
