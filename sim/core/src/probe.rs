//! Typed observations that processes emit; metrics, checks, traces and reports observe them.

use crate::chain::{Block, Committed, TxId};
use crate::{ChainId, Digest, KeyId, Mark, NodeId, OpId, Payload, Span, Time, WorkloadId};
use std::any::Any;
use std::sync::Arc;

/// How an operation ended for its user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpEnd {
    /// Done.
    Done,
    /// Answered with a refusal, with its reason; the service did its work.
    Refused(&'static str),
    /// No answer: the user gave up.
    GaveUp,
}

/// One observation. The kernel adds the instant and the node.
#[derive(Clone, Debug)]
pub enum Probe {
    /// A user asked for an operation of kind `name`, due within `deadline`.
    Asked {
        /// The operation.
        op: OpId,
        /// Whose user asks.
        workload: WorkloadId,
        /// Its kind (`read`, `grant`).
        name: &'static str,
        /// What counts as available.
        deadline: Span,
        /// How many operations it stands for.
        count: u32,
    },
    /// The operation ended.
    Ended {
        /// The operation.
        op: OpId,
        /// The workload that `Asked` gave.
        workload: WorkloadId,
        /// Its kind.
        name: &'static str,
        /// How.
        end: OpEnd,
        /// When the user asked.
        asked: Time,
        /// The deadline that `Asked` gave.
        deadline: Span,
        /// How many operations it stands for.
        count: u32,
    },
    /// A node accepted a transaction into its mempool for the first time (the start of its way).
    Admitted {
        /// The chain.
        chain: ChainId,
        /// Which.
        tx: TxId,
        /// Its digest.
        digest: Digest,
        /// How many it stands for.
        count: u32,
    },
    /// A replica entered a view (also at start and after recovery).
    View {
        /// The chain.
        chain: ChainId,
        /// The view.
        view: u64,
        /// Who leads it.
        leader: NodeId,
    },
    /// A replica gave up on a view.
    ViewTimeout {
        /// The chain.
        chain: ChainId,
        /// The view that failed.
        view: u64,
    },
    /// A replica of a chain that branches left its branch for a better one.
    Reorganised {
        /// The chain.
        chain: ChainId,
        /// How many blocks it left.
        depth: u64,
    },
    /// A replica proposed a batch.
    Proposed {
        /// The chain.
        chain: ChainId,
        /// Sequence number.
        sequence: u64,
        /// How many transactions.
        txs: u32,
    },
    /// A replica learned that a batch is committed, in sequence order, or got it by catch-up.
    /// Emitted once per sequence and life of the process; replays from disk are not emitted.
    Committed(Arc<Committed>),
    /// A node executed a block.
    Applied(Arc<Block>),
    /// A node stands at this height and head without having executed what led there in this life:
    /// it came back from its disk, or took a proven state over.
    Recovered {
        /// The chain.
        chain: ChainId,
        /// The height; 0 if the disk kept nothing.
        height: u64,
        /// The id of the block at that height.
        head: Digest,
    },
    /// A node did not take a transaction in, because its machine has less memory than it should.
    OutOfMemory {
        /// The chain.
        chain: ChainId,
    },
    /// A member that is behind asked for blocks which the node does not keep any more.
    BlocksGone {
        /// The chain.
        chain: ChainId,
        /// Who asked.
        asked_by: NodeId,
        /// From which on.
        from: u64,
    },
    /// A node fetched `blocks` committed batches from a peer and verified them.
    CaughtUp {
        /// The chain.
        chain: ChainId,
        /// How many.
        blocks: u64,
    },
    /// A node took a proven state over from its peers, in place of executing what led to it.
    /// `Recovered` follows and says at which height and head it stands now.
    StateTaken {
        /// The chain.
        chain: ChainId,
        /// The checkpoint.
        sequence: u64,
        /// Entries of the state that came over the network; what its own old state had is not sent.
        fetched: u64,
    },
    /// A node refused a part of a state, because it is not what the proven checkpoint commits to.
    StateRefused {
        /// The chain.
        chain: ChainId,
        /// Who sent it.
        from: NodeId,
    },
    /// A node's checkpoint became stable.
    StableCheckpoint {
        /// The chain.
        chain: ChainId,
        /// The sequence number.
        sequence: u64,
    },
    /// Transactions that wait in a node's mempool, seen when a block was applied.
    Waiting {
        /// The chain.
        chain: ChainId,
        /// How many.
        txs: u32,
    },
    /// A node refused a peer or client that is not authenticated.
    Unauthenticated {
        /// Who was refused.
        subject: NodeId,
        /// Why (`unknown authority`, `expired`).
        reason: &'static str,
    },
    /// A node found damaged records on its disk, or learned that it is an older one: when it came
    /// back, or when its host had read the disk through.
    DamageFound {
        /// How many are damaged.
        records: u64,
        /// May what it promised be forgotten? Then it promises nothing that could contradict it.
        forgotten: bool,
    },
    /// A replica whose disk may have forgotten what it signed promises nothing from now on, or may
    /// promise again.
    Abstains {
        /// The chain.
        chain: ChainId,
        /// From now on, or no more?
        abstains: bool,
    },
    /// A node learned that another configuration of the chain's members is in force.
    Configured(Arc<Configured>),
    /// The chain's administrator asks for a change of its members, or of whom they believe, or knows that it is done.
    Change {
        /// The chain.
        chain: ChainId,
        /// The number of the change, from 1 in order of time.
        number: u64,
        /// Is it done?
        done: bool,
    },
    /// A node took in what the registrar says of whom to believe, a part of a change.
    Noticed {
        /// The chain.
        chain: ChainId,
        /// The number of the change.
        change: u64,
    },
    /// A node acted on what the bearer of a certificate said that it had been told is revoked.
    Believed {
        /// The chain.
        chain: ChainId,
        /// The bearer.
        subject: NodeId,
    },
    /// A node refused a message that was corrupted on its way.
    Refused {
        /// Who sent it.
        from: NodeId,
        /// Why: `malformed` (its decoder cannot read it) or `altered` (its authenticator says that
        /// these are not the bytes that were sent).
        reason: &'static str,
    },
    /// A node under an adversary's control departed from what a correct one would have done.
    Misbehaved {
        /// The attack, by its number in the run.
        attack: u16,
        /// How often.
        times: u64,
    },
    /// A correct node took a message in; said by nodes that keep a record of what they hear.
    Heard {
        /// Who sent it.
        from: NodeId,
        /// The message.
        payload: Arc<dyn Payload>,
    },
    /// A light client accepted a decision: it follows the chain up to there.
    LightAccepted {
        /// The chain.
        chain: ChainId,
        /// The sequence number.
        sequence: u64,
        /// The digest of the batch.
        batch: Digest,
        /// Bytes that came since it accepted one before.
        fetched: u64,
    },
    /// A light client did not believe a full node.
    LightRefused {
        /// The chain.
        chain: ChainId,
        /// Whom.
        from: NodeId,
        /// Why.
        reason: &'static str,
    },
    /// Two full nodes showed a light client two decisions of one number, each of them proven.
    LightConflict {
        /// The chain.
        chain: ChainId,
        /// The sequence number.
        sequence: u64,
        /// Whose keys signed two things of one place, ascending.
        signed_both: Arc<[KeyId]>,
    },
    /// A situation that searches count.
    Reached(&'static Mark),
    /// A domain model's own observation, known to that model's checks and metrics alone.
    Domain(Arc<dyn DomainProbe>),
}

/// Who decides on a chain from a place of its log on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Configured {
    /// The chain.
    pub chain: ChainId,
    /// The number of the change that it belongs to, from 1; 0 is the configuration of the genesis.
    pub change: u64,
    /// Is it on the way between two lists of members, both of which have to agree?
    pub joint: bool,
    /// If the members before it decide all below a number of the log, and it alone what stands from there on:
    /// that number. The log is then handed over as a whole, and quorums of the two need not meet.
    pub handed_over_at: Option<u64>,
    /// The lists, with the votes of each that are needed; the list of the members to be is the first.
    pub groups: Vec<(Arc<[NodeId]>, usize)>,
    /// Nodes that have another key than their first, ascending, and what it is.
    pub renewed: Arc<[(NodeId, KeyId)]>,
}

impl Configured {
    /// Later configurations of a chain have higher ones: two for each change.
    pub fn version(&self) -> u64 {
        (2 * self.change).saturating_sub(u64::from(self.joint))
    }
    /// By which key `node` votes.
    pub fn key_of(&self, node: NodeId) -> KeyId {
        let renewed = self.renewed.iter().find(|(of, _)| *of == node);
        renewed.map_or(node.into(), |(_, key)| *key)
    }
    /// Is `node` a member by any of its lists?
    pub fn contains(&self, node: NodeId) -> bool {
        self.groups.iter().any(|(list, _)| list.contains(&node))
    }
}

/// A domain model's observation.
pub trait DomainProbe: Any + std::fmt::Debug + Send + Sync {
    /// For downcasting.
    fn as_any(&self) -> &dyn Any;
}
