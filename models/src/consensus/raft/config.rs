//! Options, limits and what a replica is told.

use super::super::{BlockLimits, ReplicaConfig};
use consim_core::{ChainId, Keyring, NodeId, Span};
use std::sync::Arc;

/// Raft's options.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RaftOptions {
    /// Does whoever wants to stand for election first ask whether it could win (thesis, section 9.6)?
    pub pre_vote: bool,
    /// Does a leader step down that hears no majority for an election timeout, and does nobody
    /// vote who has heard from a leader for less than that (thesis, sections 4.2.3 and 6.2)?
    pub check_quorum: bool,
    /// How reads are made safe.
    pub read: ReadMode,
    /// Entries between snapshots, after which the log in memory is cut; `None`: the chain's
    /// checkpoint.
    pub snapshot: Option<u64>,
}

/// How a leader knows that it still is one when a read comes (thesis, section 6.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadMode {
    /// It asks a majority.
    Index,
    /// It takes it for granted for some time after a majority answered, by its own oscillator.
    Lease,
}

impl Default for RaftOptions {
    /// The defaults of the scenario language.
    fn default() -> Self {
        Self {
            pre_vote: true,
            check_quorum: true,
            read: ReadMode::Index,
            snapshot: None,
        }
    }
}

/// Heartbeats in the least election timeout (etcd's defaults: 100 ms and 1 s).
pub const HEARTBEATS: u64 = 10;
/// A lease is this many tenths of the least election timeout: as much drift between two oscillators
/// is allowed for as is left (assumed).
pub const LEASE_TENTHS: u64 = 9;
/// Entries in one message (assumed).
pub const MAX_ENTRIES: usize = 256;
/// Bytes of entries in one message, unless a single one is larger (etcd's `max-request-bytes` allows
/// for 1.5 MB).
pub const MAX_ENTRY_BYTES: usize = 1 << 20;
/// Entries that are sent to a member before it answers (etcd: `MaxInflightMsgs` 512).
pub const MAX_IN_FLIGHT: u64 = 512;
/// Parts of a state that are asked for at one time (assumed).
pub const MAX_WANTED: usize = 64;
/// Bytes of parts of a state in one message (assumed).
pub const MAX_PART_BYTES: usize = 1 << 20;
/// States that are kept for members that are far behind (assumed).
pub const KEPT_STATES: usize = 2;
/// Reads that wait at a replica (assumed); of more, none is answered.
pub const MAX_READS: usize = 4_096;
/// What was not answered is sent again after a half election timeout, and then twice as long each
/// time, up to so many election timeouts (assumed).
pub const MAX_RESEND_TIMEOUTS: u64 = 2;

/// The configuration in the form that the replica wants it in.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) chain: ChainId,
    pub(super) me: NodeId,
    pub(super) keys: Keyring,
    /// The members at the beginning.
    pub(super) members: Arc<[NodeId]>,
    /// Their majority, unless a fault changes it.
    quorum: usize,
    pub(super) block: BlockLimits,
    /// The least election timeout; the greatest is twice that.
    pub(super) timeout: Span,
    /// Entries between snapshots.
    pub(super) interval: u64,
    /// Entries that are kept below a snapshot.
    pub(super) keep: u64,
    pub(super) options: RaftOptions,
}

impl Group {
    pub(super) fn new(config: ReplicaConfig, options: RaftOptions) -> Self {
        let interval = options.snapshot.unwrap_or(config.checkpoint).max(1);
        Self {
            chain: config.chain,
            me: config.me,
            keys: config.keys,
            members: config.members,
            quorum: config.quorum,
            block: BlockLimits {
                transactions: config.block.transactions.max(1),
                ..config.block
            },
            timeout: config.timeout.max(Span::from_nanos(2)),
            interval,
            keep: config.keep.unwrap_or(interval).min(interval),
            options,
        }
    }
    /// Votes that decide among `members` of a configuration: a majority.
    pub(super) fn majority(&self, members: usize) -> usize {
        if members == self.members.len() {
            self.quorum
        } else {
            super::majority(members)
        }
    }
    /// Between two heartbeats.
    pub(super) fn heartbeat(&self) -> Span {
        Span::from_nanos((self.timeout.nanos() / HEARTBEATS).max(1))
    }
    /// How long a lease lasts from the sending of what was answered.
    pub(super) fn lease(&self) -> Span {
        Span::from_nanos(self.timeout.nanos() / 10 * LEASE_TENTHS)
    }
    /// How long a transaction may take before it is looked after.
    pub(super) fn patience(&self) -> Span {
        self.block.wait + self.timeout
    }
    /// From sending to sending again.
    pub(super) fn first_resend(&self) -> Span {
        Span::from_nanos(self.timeout.nanos() / 2)
    }
    /// Between two looks at what waits for too long.
    pub(super) fn tick(&self) -> Span {
        Span::from_nanos((self.patience().nanos() / 2).max(1))
    }
}
