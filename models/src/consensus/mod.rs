//! Consensus protocols, one folder each, behind one trait and one registry line.

mod ballot;
mod batches;
pub mod bft_smart;
mod changes;
pub mod clique;
mod committed;
mod conducts;
pub mod floor;
mod forward;
mod genuine;
mod head;
pub mod hotstuff;
mod intake;
mod journal;
mod members;
pub mod mempool;
pub mod payload;
pub mod pbft;
mod proposal;
pub mod qbft;
pub mod raft;
mod roster;
mod seat;
mod sync;
mod tally;
pub mod tendermint;
mod validators;

pub use ballot::Ballot;
pub use changes::{Changing, MAX_CHANGED, MemberChange};
pub use head::StateHead;
pub use proposal::Proposal;
pub use sync::{Blocks, CheckpointHead, StateParts};
pub use validators::Validators;

use crate::adversary::{self, Behaviour, Conduct, Means, Words};
use crate::ledger::Snapshot;
use crate::light::{Certified, ProvenState};
use consim_core::{
    ChainId, Committed, Context, KeyId, Keyring, Mark, NodeId, Process, SecretKey, SeededBug, Span,
    Tx,
};
use std::sync::Arc;

/// A replica: the process that orders transactions on one node. The full node hosts it, hands it
/// every event that is its own, and takes its deliveries from the context after each call.
///
/// Timers: a replica uses [`consim_core::TimerKey`]s below [`TIMER_LIMIT`], write tokens below
/// [`TOKEN_LIMIT`] and disk logs and tables below [`DISK_LIMIT`]; the node uses those above.
pub trait Replica: Process {
    /// Takes a transaction that this node accepted. It will be ordered at most once, although it
    /// may be submitted at several nodes and again after a restart. `false`: the mempool is full.
    fn submit(&mut self, cx: &mut Context<'_>, tx: Arc<Tx>) -> bool;
    /// Takes a transaction that its client has sent to all members: this one need not pass it on.
    fn share(&mut self, cx: &mut Context<'_>, tx: Arc<Tx>) -> bool {
        self.submit(cx, tx)
    }
    /// The node executed the delivery `sequence` (in order); `state` is where its ledger stands
    /// now, for a protocol that takes a checkpoint there.
    fn executed(&mut self, cx: &mut Context<'_>, sequence: u64, state: &dyn Fn() -> Snapshot);
    /// The view that this replica is in, and who leads it, for clients.
    fn leader(&self) -> (u64, NodeId) {
        (0, NodeId::default())
    }
    /// The same, if anybody is known to lead.
    fn known_leader(&self) -> Option<(u64, NodeId)> {
        Some(self.leader())
    }
    /// The highest sequence number that may have been decided anywhere by now, as far as this
    /// replica took part: a read that is to miss nothing waits until it is executed.
    fn decided_by_now(&self) -> u64 {
        0
    }
    /// A read comes, under a number of the node's own: the sequence number from which on it misses
    /// nothing; `None` if others have to be asked. The answer is then one of [`Self::take_reads`], or
    /// there is none.
    fn read(&mut self, _cx: &mut Context<'_>, _number: u64) -> Option<u64> {
        Some(self.decided_by_now())
    }
    /// Reads that were answered since: number, and the sequence number to wait for.
    fn take_reads(&mut self) -> Vec<(u64, u64)> {
        Vec::new()
    }
    /// The chain's administrator asks for a change of the members, in a transaction that it signed; the host
    /// has looked at who asks. Asking again does nothing but say what has become of it.
    fn change_members(
        &mut self,
        _cx: &mut Context<'_>,
        _change: &MemberChange,
        _signed: &Arc<Tx>,
    ) -> Changing {
        Changing::NotSupported
    }
    /// Is this node a member, as far as this replica knows? One that is none takes no transaction in and
    /// answers no read.
    fn is_member(&self) -> bool {
        true
    }
    /// The blocks with changes of the members after change `known`, oldest first, as many as one message holds.
    fn links(&self, _known: u64) -> Vec<Arc<Committed>> {
        Vec::new()
    }
    /// The last stable checkpoint, with its state, if it is kept.
    fn proven_state(&self) -> Option<ProvenState> {
        None
    }
    /// Transactions that wait in the mempool.
    fn waiting(&self) -> usize;
    /// Is `payload` a message of this protocol? Every replica says so itself.
    fn owns(&self, _payload: &dyn consim_core::Payload) -> bool {
        false
    }
}

/// The kind of the votes of checkpoints, in all protocols that have them.
const CHECKPOINT: u8 = 3;

/// Timer keys of a replica are below this.
pub const TIMER_LIMIT: u64 = 1 << 32;
/// Write tokens of a replica are below this.
pub const TOKEN_LIMIT: u64 = 1 << 48;
/// Disk logs and tables of a replica are numbered below this.
pub const DISK_LIMIT: u8 = 64;

/// When a block is proposed: when any bound is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockLimits {
    /// Transactions in a block.
    pub transactions: u32,
    /// Bytes in a block.
    pub bytes: u64,
    /// The longest that the oldest waiting transaction waits; zero proposes at once.
    pub wait: Span,
}

/// What the mempool holds at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MempoolLimits {
    /// Transactions.
    pub transactions: u32,
    /// Bytes.
    pub bytes: u64,
}

/// What every protocol is told.
#[derive(Debug)]
pub struct ReplicaConfig {
    /// The chain.
    pub chain: ChainId,
    /// This node: one of `members`, or one that may become a member while the chain runs.
    pub me: NodeId,
    /// The validators at the beginning, in node order; the same list at every node.
    pub members: Arc<[NodeId]>,
    /// These, and whoever may become one, in node order.
    pub everybody: Arc<[NodeId]>,
    /// With whom this node holds connections, where messages go from peer to peer, in node order; `None`: with
    /// everybody.
    pub peers: Option<Arc<[NodeId]>>,
    /// Who may ask for changes of the members.
    pub administrator: Option<KeyId>,
    /// Votes that a certificate needs; `quorum(n)` of the protocol unless a fault changes it.
    pub quorum: usize,
    /// This node's signing key, shared with the node that hosts the replica.
    pub key: Arc<SecretKey>,
    /// Its keys to come: each counts once a change of the members says so.
    pub renewed: Vec<Arc<SecretKey>>,
    /// Everybody's public keys.
    pub keys: Keyring,
    /// Block bounds.
    pub block: BlockLimits,
    /// Mempool bounds.
    pub mempool: MempoolLimits,
    /// First view, round or election timer.
    pub timeout: Span,
    /// Blocks between checkpoints.
    pub checkpoint: u64,
    /// Ordered blocks that it keeps for members that are behind; `None`: all.
    pub keep: Option<u64>,
}

/// A protocol's options, as the plan resolved them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProtocolOptions {
    /// PBFT.
    Pbft(pbft::PbftOptions),
    /// Raft.
    Raft(raft::RaftOptions),
    /// HotStuff.
    HotStuff(hotstuff::HotStuffOptions),
    /// BFT-SMaRt.
    BftSmart(bft_smart::BftSmartOptions),
    /// Tendermint.
    Tendermint(tendermint::TendermintOptions),
    /// QBFT, or IBFT 2.0.
    Qbft(qbft::QbftOptions),
    /// Clique.
    Clique(clique::CliqueOptions),
}

impl ProtocolOptions {
    /// How long a batch rightly takes until it is final, besides what lines and machines take, in a group with
    /// this quorum: where blocks come at set times, and others have to follow.
    pub fn pace(&self, quorum: usize) -> Span {
        match self {
            Self::Clique(options) => {
                let blocks = options.depth(quorum).saturating_add(1);
                options.period.times(blocks)
            }
            _ => Span::ZERO,
        }
    }

    /// What the certificates of decisions look like, with so many blocks between checkpoints and this rule for
    /// quorums; `None` if there are none that one can show to somebody else.
    pub fn certified(&self, interval: u64, quorum: fn(usize) -> usize) -> Option<Certified> {
        let decides = match self {
            Self::Raft(_) | Self::Clique(_) => return None,
            Self::HotStuff(options) => options.vote_kind(),
            Self::Pbft(_) | Self::BftSmart(_) | Self::Tendermint(_) | Self::Qbft(_) => {
                proposal::SECOND
            }
        };
        Some(Certified {
            decides,
            checkpoint: CHECKPOINT,
            interval,
            quorum,
        })
    }

    /// What the rule for the times of blocks promises of them.
    pub fn time_promise(&self) -> Option<TimeRule> {
        let Self::Tendermint(options) = self else {
            return None;
        };
        Some(match options.time {
            tendermint::BlockTime::Bft => TimeRule {
                ahead: Span::ZERO,
                delay: Span::ZERO,
                before: 2,
            },
            tendermint::BlockTime::Proposer(synchrony) => TimeRule {
                ahead: synchrony.precision,
                delay: synchrony.message_delay,
                before: 1,
            },
        })
    }
}

/// What a rule for the times of blocks promises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeRule {
    /// How far the time of a block may be ahead of a correct clock that finds it timely, and behind besides `delay`.
    pub ahead: Span,
    /// How long it may have been on its way, in round 0.
    pub delay: Span,
    /// It is no older than the block so many before it.
    pub before: u64,
}

/// A line of the registry.
#[derive(Clone, Copy, Debug)]
pub struct ProtocolEntry {
    /// Its word in scenarios.
    pub name: &'static str,
    /// The first version that has it.
    pub since: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// Does it bear members that lie? Then its commits carry signatures of a quorum, by which anybody can
    /// tell, and who signed what is evidence.
    pub byzantine: bool,
    /// The least number of members.
    pub least: usize,
    /// How many faulty members of `n` it tolerates.
    pub tolerates: fn(usize) -> usize,
    /// Votes that a certificate of `n` members needs.
    pub quorum: fn(usize) -> usize,
    /// Can members join and leave while it runs ([`Replica::change_members`])?
    pub changes_members: bool,
    /// Can they get other keys while it runs?
    pub replaces_keys: bool,
    /// Its options where a scenario names none.
    pub defaults: fn() -> ProtocolOptions,
    /// Message delays from proposal to commit at a replica, for timers.
    pub phases: fn(&ProtocolOptions) -> u32,
    /// When each member knows that a proposal is decided, by distance alone.
    pub floor: floor::Floor,
    /// Words of the kinds of messages that attacks name.
    pub words: Words,
    /// The attacks, by their words, that forge messages of this protocol.
    pub conducts: &'static [&'static str],
    /// Makes such a behaviour.
    pub conduct: fn(&Conduct, &Means) -> Option<Box<dyn Behaviour>>,
    /// Its seeded bugs.
    pub bugs: &'static [&'static SeededBug],
    /// The situations in it that searches count.
    pub marks: &'static [&'static Mark],
}

/// Makes a behaviour of nodes that run the protocol `entry`: one that is the same for every protocol,
/// or one of its own.
pub fn behaviour(
    entry: &ProtocolEntry,
    conduct: &Conduct,
    means: &Means,
) -> Option<Box<dyn Behaviour>> {
    adversary::common(conduct, means, &entry.words).or_else(|| (entry.conduct)(conduct, means))
}

/// All protocols of this version.
pub const PROTOCOLS: &[ProtocolEntry] = &[
    pbft::ENTRY,
    raft::ENTRY,
    hotstuff::ENTRY,
    bft_smart::ENTRY,
    tendermint::ENTRY,
    qbft::ENTRY,
    qbft::IBFT,
    clique::ENTRY,
];

/// Makes a replica.
pub fn build(config: ReplicaConfig, options: &ProtocolOptions) -> Box<dyn Replica> {
    match options {
        ProtocolOptions::Pbft(options) => Box::new(pbft::PbftReplica::new(config, *options)),
        ProtocolOptions::Raft(options) => Box::new(raft::RaftReplica::new(config, *options)),
        ProtocolOptions::HotStuff(options) => {
            Box::new(hotstuff::HotStuffReplica::new(config, *options))
        }
        ProtocolOptions::BftSmart(options) => {
            Box::new(bft_smart::BftSmartReplica::new(config, *options))
        }
        ProtocolOptions::Tendermint(options) => {
            Box::new(tendermint::TendermintReplica::new(config, *options))
        }
        ProtocolOptions::Qbft(options) => Box::new(qbft::QbftReplica::new(config, *options)),
        ProtocolOptions::Clique(options) => Box::new(clique::CliqueReplica::new(config, *options)),
    }
}

/// The line of the protocol with this word.
pub fn entry(name: &str) -> Option<&'static ProtocolEntry> {
    PROTOCOLS.iter().find(|entry| entry.name == name)
}

/// A vote for a view far above the present one, as a member with `key` may sign any number of; `None`
/// if the protocol has no such votes.
pub fn view_change_spam(
    options: &ProtocolOptions,
    chain: ChainId,
    number: u64,
    key: &SecretKey,
) -> Option<Arc<dyn consim_core::Payload>> {
    match options {
        ProtocolOptions::Pbft(_) => Some(pbft::view_change_spam(chain, number, key)),
        ProtocolOptions::Raft(_) => Some(raft::view_change_spam(chain, number)),
        ProtocolOptions::BftSmart(_) => Some(bft_smart::view_change_spam(chain, number)),
        ProtocolOptions::Tendermint(_) => Some(tendermint::view_change_spam(chain, number, key)),
        ProtocolOptions::Qbft(_) => Some(qbft::view_change_spam(chain, number, key)),
        // A signer's voice is in its blocks, of which it may not seal any number.
        ProtocolOptions::Clique(_) => None,
        ProtocolOptions::HotStuff(options) => Some(hotstuff::view_change_spam(
            chain,
            number,
            options.vote_kind(),
            key,
        )),
    }
}

/// The most faulty members that a Byzantine-fault-tolerant group of `n` bears: floor((n-1)/3).
pub const fn byzantine_faults(n: usize) -> usize {
    n.saturating_sub(1) / 3
}

/// The quorum whose any two members sets share a correct member, for every n: ceil((n+f+1)/2).
pub const fn byzantine_quorum(n: usize) -> usize {
    (n + byzantine_faults(n) + 1).div_ceil(2)
}
