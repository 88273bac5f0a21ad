//! Options, limits and the resolved view of who is in the group.

use super::super::payload::{DIGEST_BYTES, Spread};
use super::super::{BlockLimits, ReplicaConfig, byzantine_faults};
use consim_core::chain::CHAINED;
use consim_core::{ChainId, KeyId, Keyring, NodeId, SecretKey, Span};
use std::sync::Arc;

/// HotStuff's options.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HotStuffOptions {
    /// How many proposals of consecutive views, each with a quorum certificate, commit the first.
    pub phases: Phases,
    /// Who leads a view.
    pub leader: LeaderRule,
    /// Where transactions are: in proposals (`None`), or apart, named by digest, and how they spread then.
    pub payload: Option<Spread>,
    /// When the signatures of votes are checked.
    pub checks: Checks,
    /// What adding up takes where a certificate is one aggregate signature; `None`: certificates are vectors
    /// of signatures. Goes with [`Keyring::with_aggregates`].
    pub additions: Option<Additions>,
}

/// What additions take on a machine of speed 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Additions {
    /// Of a signature to a sum of such.
    pub signature: Span,
    /// Of a public key to a sum of such.
    pub key: Span,
}

impl Default for HotStuffOptions {
    /// The defaults of the scenario language.
    fn default() -> Self {
        Self {
            phases: Phases::Three,
            leader: LeaderRule::Stable,
            payload: None,
            checks: Checks::Each,
            additions: None,
        }
    }
}

/// When a replica checks the signatures of votes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Checks {
    /// Of each vote when it comes, on one core.
    Each,
    /// Of all votes for a proposal once they are a quorum, on all cores.
    Together,
}

/// How many phases a proposal goes through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phases {
    /// Two, and a change of views in which everybody hears everybody (Jolteon).
    Two,
    /// Three, with a lock (HotStuff).
    Three,
}

impl Phases {
    /// How many proposals of consecutive views commit the first.
    pub(super) fn depth(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Three => 3,
        }
    }
}

impl HotStuffOptions {
    /// The kind of votes, which says by what they commit.
    pub fn vote_kind(self) -> u8 {
        CHAINED + self.phases.depth() as u8
    }
}

/// Who leads a view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeaderRule {
    /// One member until a view of it fails.
    Stable,
    /// The next member in each view.
    RoundRobin,
    /// As long as each view commits something, one that voted lately and did not lead lately; after a view
    /// that failed, the next in turn until something is committed again.
    Reputation,
}

/// Views that a stable leader has (assumed): more than any run comes to. A view that fails ends it.
pub const SPAN: u64 = 1 << 32;
/// The view timer doubles at most this often (assumed): 64 times the first timer.
pub const MAX_BACKOFF: u32 = 6;
/// Views for which votes of one member are kept (assumed).
pub const MAX_VOTED: usize = 8;
/// Proposals that are kept above the last that is committed (assumed), unless more are certified.
pub const MAX_TREE: usize = 1_024;
/// Proposals in one answer (assumed).
pub const MAX_CHAIN: usize = 64;
/// Checkpoints above the last stable one for which votes are kept (assumed).
pub const MAX_OPEN_CHECKPOINTS: u64 = 64;
/// A replica that is more than this behind a proven checkpoint takes the state over instead of the
/// batches that led to it (assumed, as PBFT's window).
pub const MAX_REPLAYED: u64 = 256;
/// Parts of the view timer in which what may have been lost is said again (assumed).
pub const STEPS: u64 = 4;
/// A replica that forgot its votes waits for a commit more than this many views above what it hears the
/// others are in. It had entered its last view with a certificate of the one before, by a quorum of `q`,
/// of whom at least `q - f` neither lie nor forgot; they are in that view or a later one. Of the other
/// `n - 1` members it hears `n - 1 - f`, who cannot all be outside of these, since
/// `(n - 1) - (q - f) < n - 1 - f` for every `q > 2 f`.
pub const FORGOTTEN_VIEWS: u64 = 1;

/// The configuration in the form that the message path wants it in.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) chain: ChainId,
    /// The index of this replica among the members.
    pub(super) me: usize,
    pub(super) members: Arc<[NodeId]>,
    pub(super) quorum: usize,
    pub(super) faults: usize,
    pub(super) keys: Keyring,
    pub(super) key: Arc<SecretKey>,
    pub(super) block: BlockLimits,
    pub(super) timeout: Span,
    pub(super) interval: u64,
    pub(super) phases: Phases,
    pub(super) leader: LeaderRule,
    pub(super) spread: Option<Spread>,
    pub(super) checks: Checks,
    pub(super) additions: Option<Additions>,
}

impl Group {
    pub(super) fn new(config: ReplicaConfig, options: HotStuffOptions) -> Self {
        let members = config.members;
        Self {
            chain: config.chain,
            me: members.iter().position(|&m| m == config.me).unwrap_or(0),
            quorum: config.quorum,
            faults: byzantine_faults(members.len()),
            members,
            keys: config.keys,
            key: config.key,
            block: BlockLimits {
                transactions: config.block.transactions.max(1),
                ..config.block
            },
            timeout: config.timeout,
            interval: config.checkpoint.max(1),
            phases: options.phases,
            leader: options.leader,
            spread: options.payload,
            checks: options.checks,
            additions: options.additions,
        }
    }
    /// What a leader takes out of its mempool at most: where transactions are named by digest, the bounds
    /// of a block count digests.
    pub(super) fn taken(&self) -> BlockLimits {
        let digests = (self.block.bytes / DIGEST_BYTES).clamp(1, u64::from(u32::MAX)) as u32;
        match self.spread {
            None => self.block,
            Some(_) => BlockLimits {
                transactions: self.block.transactions.min(digests),
                bytes: u64::MAX,
                ..self.block
            },
        }
    }
    /// The index of `node` among the members, which are in node order.
    pub(super) fn index(&self, node: NodeId) -> Option<usize> {
        crate::consensus::members::index_of(&self.members, node)
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
    pub(super) fn key_of(&self, index: usize) -> KeyId {
        self.node(index).into()
    }
    /// How many proposals of consecutive views commit the first.
    pub(super) fn depth(&self) -> usize {
        self.phases.depth()
    }
    /// The kind of votes, which says by what they commit.
    pub(super) fn vote_kind(&self) -> u8 {
        CHAINED + self.depth() as u8
    }
    /// How many of the latest proposals say who is fit to lead: three, so that one who stops to vote is
    /// soon left out, and as many more as authors are left out (assumed).
    pub(super) fn window(&self) -> usize {
        3 + self.faults
    }
    /// How many of the latest proposals the reputation of leaders looks at: those, and the parent of the
    /// oldest, which tells whether a view failed before it.
    pub(super) fn seen_by_reputation(&self) -> usize {
        self.window() + 1
    }
    /// How long a transaction may rightly wait before it is proposed.
    pub(super) fn wait(&self) -> Span {
        match self.spread {
            Some(Spread::Batches(terms)) => self.block.wait + terms.wait.unwrap_or_default(),
            _ => self.block.wait,
        }
    }
    /// How long a leader may take at first: the configured timer, and the time that a transaction may
    /// rightly wait for its block.
    pub(super) fn patience(&self) -> Span {
        self.wait() + self.timeout
    }
    /// Between two looks at whether anything was missed while nothing waits.
    pub(super) fn tick(&self) -> Span {
        Span::from_nanos((self.patience().nanos() / 2).max(1))
    }
}
