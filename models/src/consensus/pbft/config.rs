//! Options, limits and the resolved view of who is in the group.

use super::super::{BlockLimits, ReplicaConfig, byzantine_faults};
use super::seeded;
pub use crate::consensus::mempool::{
    MAX_BACKOFF, MAX_FORWARD, MAX_FORWARD_BYTES, MAX_LEFT_OUT, MAX_RESENT_TXS, MAX_RUNS,
};
use crate::consensus::tally::Voters;
use consim_core::{ChainId, KeyId, Keyring, NodeId, SecretKey, Span};
use std::sync::Arc;

/// PBFT's options.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PbftOptions {
    /// Sequence numbers that may be in flight above the last stable checkpoint (`L` of the paper,
    /// section 4.3). Raised to the checkpoint interval where it is below, since no checkpoint
    /// could ever become stable otherwise.
    pub watermark: u64,
    /// Proposals in flight.
    pub pipeline: u32,
    /// Is a batch executed, and its clients told so, as soon as it is prepared and all before it is
    /// committed (section 5.1)? Clients then need the same reply of a quorum.
    pub tentative: bool,
}

impl Default for PbftOptions {
    /// The defaults of the scenario language: a window of 256, eight proposals in flight (assumed).
    fn default() -> Self {
        Self {
            watermark: 256,
            pipeline: 8,
            tentative: false,
        }
    }
}

/// The widest window (assumed): bounds slots and the certificates of a view change.
pub const MAX_WATERMARK: u64 = 1 << 16;
/// Bodies that a slot keeps of proposals of earlier views (assumed): each takes a view change in
/// which another batch was put forward at the same sequence number.
pub const MAX_FORMER: usize = 7;
/// Messages of views still to come that are kept for one member (assumed): some slots of a
/// pipeline in three phases. What does not fit is asked for again.
pub const MAX_FUTURE: u16 = 64;
/// Slots whose votes are sent again to a member that asks (assumed).
pub const MAX_RESENT: usize = 32;
/// What may have been lost is repeated after half of the time of the first view timer, and then
/// this often in as much time (assumed): a loss or two must not cost a view change, and a slow
/// line must not cost repetitions.
pub const STEPS: u64 = 8;
/// Ticks in the time of the first view timer (assumed).
pub const TICKS: u64 = 2;

/// The configuration in the form that the message path wants it in.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Group {
    pub(super) chain: ChainId,
    /// The first member's number.
    first: u32,
    /// The index of this replica among the members.
    pub(super) me: usize,
    pub(super) members: Arc<[NodeId]>,
    pub(super) quorum: usize,
    pub(super) keys: Keyring,
    pub(super) faults: usize,
    pub(super) key: Arc<SecretKey>,
    pub(super) block: BlockLimits,
    pub(super) timeout: Span,
    pub(super) interval: u64,
    pub(super) watermark: u64,
    pub(super) pipeline: u64,
    pub(super) tentative: bool,
    /// The index of each number from the first member's on, plus one; none if there are no gaps.
    table: Vec<u16>,
}

impl Voters for Group {
    #[inline]
    fn keys(&self) -> &Keyring {
        &self.keys
    }
    #[inline]
    fn quorum(&self) -> usize {
        self.quorum
    }
}

impl Group {
    pub(super) fn new(config: ReplicaConfig, options: PbftOptions) -> Self {
        let PbftOptions {
            watermark,
            pipeline,
            tentative,
        } = options;
        let members = config.members;
        let first = members.iter().map(|m| m.0).min().unwrap_or(0);
        let span = members.iter().map(|m| m.0 - first + 1).max().unwrap_or(0);
        let no_gaps = members.iter().zip(first..).all(|(m, number)| m.0 == number);
        let mut table = vec![0; if no_gaps { 0 } else { span as usize }];
        for (member, index) in members.iter().zip(1..) {
            if let Some(entry) = table.get_mut((member.0 - first) as usize) {
                *entry = index;
            }
        }
        let interval = config.checkpoint.max(1);
        let faults = byzantine_faults(members.len());
        let mut quorum = config.quorum;
        if seeded::on(&seeded::QUORUM_OF_2F_PLUS_1) {
            quorum = 2 * faults + 1;
        }
        Self {
            chain: config.chain,
            me: members.iter().position(|&m| m == config.me).unwrap_or(0),
            quorum,
            faults,
            members,
            key: config.key,
            keys: config.keys,
            block: BlockLimits {
                transactions: config.block.transactions.max(1),
                ..config.block
            },
            timeout: config.timeout,
            interval,
            watermark: watermark.clamp(interval, MAX_WATERMARK.max(interval)),
            pipeline: u64::from(pipeline.max(1)),
            tentative,
            first,
            table,
        }
    }
    /// The index of `node` among the members.
    #[inline]
    pub(super) fn index(&self, node: NodeId) -> Option<usize> {
        let at = node.0.checked_sub(self.first)? as usize;
        if self.members.get(at) == Some(&node) {
            // Without gaps all replicas look into one list, which stays in the cache.
            return Some(at);
        }
        let entry = *self.table.get(at)?;
        usize::from(entry).checked_sub(1)
    }
    /// The index of the member whose key this is.
    pub(super) fn index_of_key(&self, key: KeyId) -> Option<usize> {
        self.index(NodeId(key.0))
    }
    /// How many members.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }
    /// Member `index`.
    pub(super) fn node(&self, index: usize) -> NodeId {
        self.members.get(index).copied().unwrap_or_default()
    }
    /// The key of member `index`.
    #[inline]
    pub(super) fn key_of(&self, index: usize) -> KeyId {
        self.node(index).into()
    }
    /// The primary of `view`: p = v mod |R| (section 4).
    #[inline]
    pub(super) fn primary(&self, view: u64) -> usize {
        (view % (self.members.len() as u64).max(1)) as usize
    }
    /// How long a primary may take at first: the configured timer, and the time that a transaction
    /// may rightly wait for its block.
    pub(super) fn patience(&self) -> Span {
        self.block.wait + self.timeout
    }
    /// From the last progress to the first look at what may have been lost.
    pub(super) fn first_step(&self) -> Span {
        Span::from_nanos((self.patience().nanos() / 2).max(1))
    }
    /// Between two looks from then on: longer the longer it lasts, since what does not come for a
    /// long time is not lost but cut off. At most the time of the first view timer.
    pub(super) fn step(&self, lasted: Span) -> Span {
        let patience = self.patience().nanos();
        let step = (lasted.nanos() / STEPS).clamp(patience / STEPS, patience);
        Span::from_nanos(step.max(1))
    }
    /// Between two looks at whether anything was missed while nothing waits.
    pub(super) fn tick(&self) -> Span {
        Span::from_nanos((self.patience().nanos() / TICKS).max(1))
    }
}
