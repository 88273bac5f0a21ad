//! Byzantine behaviour: nodes under an adversary's control.
//!
//! Honest code knows nothing of it. A node that misbehaves is an honest node in a wrapper which
//! looks at what comes in and what goes out while a window of the attack is open, and leaves out,
//! holds back, changes or adds ([`Traitor`]); or several honest nodes that share one identity
//! ([`Twins`]); or an honest node whose state machine does not do what it should ([`machines`]).
//! What has to forge the messages of one protocol stands in that protocol's folder.
//!
//! An adversary signs with the keys of its own nodes, and with those that it stole, and with no others.
//! A signature that others pass on (a certificate's) is worth as much under a stolen key as under the
//! owner's; a member's own messages come over lines that are its own, so that nobody takes a vote for
//! another's that did not come from there.

mod late_vote;
pub mod machines;
mod malformed;
mod recorder;
mod replay_old;
mod selective_silence;
mod slow_leader;
#[cfg(test)]
mod tests;
mod traitor;
mod twins;

pub use recorder::Recorder;
pub(crate) use traitor::carry;
pub use traitor::{Behaviour, Hears, Move, Out, Says, To, Traitor, Windows};
pub use twins::{Twins, TwinsPlan};

use crate::consensus::BlockLimits;
use crate::light::Certified;
use crate::light::attack::FakeHeader;
use consim_core::{ChainId, KeyId, Keyring, NodeId, SecretKey, Signature, Span};
use std::sync::Arc;

/// What a node under an adversary's control can do its work with.
#[derive(Clone, Debug)]
pub struct Means {
    /// This node.
    pub node: NodeId,
    /// The chain.
    pub chain: ChainId,
    /// The validators in node order.
    pub members: Arc<[NodeId]>,
    /// Nodes of the same adversary among them, this one included.
    pub accomplices: Arc<[NodeId]>,
    /// Votes that a certificate needs.
    pub quorum: usize,
    /// Who may ask for changes of the members.
    pub administrator: Option<KeyId>,
    /// Block bounds.
    pub block: BlockLimits,
    /// The protocol's first timer.
    pub timeout: Span,
    /// This node's own signing key.
    pub key: Arc<SecretKey>,
    /// Signing keys of members that the adversary stole.
    pub stolen: Arc<[Arc<SecretKey>]>,
    /// Signing keys of other nodes of the adversary, which are no members.
    pub phantoms: Arc<[Arc<SecretKey>]>,
    /// What decides on the chain, if anything that can be shown does.
    pub certified: Option<Certified>,
    /// Everybody's public keys.
    pub keys: Keyring,
    /// What this node's draws for this attack are keyed by.
    pub draws: u64,
}

impl Means {
    /// The members that are not the adversary's.
    pub fn others(&self) -> Vec<NodeId> {
        let own = |n: &&NodeId| !self.accomplices.contains(n);
        self.members.iter().filter(own).copied().collect()
    }
    /// All keys of members that it has: those of the adversary's nodes, and those that it stole, ascending.
    pub(crate) fn held(&self) -> Vec<Arc<SecretKey>> {
        let own = self.accomplices.iter();
        let own = own.filter_map(|&node| self.keys.steal(node.into()).map(Arc::new));
        let mut keys: Vec<Arc<SecretKey>> = own.chain(self.stolen.iter().cloned()).collect();
        keys.sort_by_key(|key| key.id());
        keys.dedup_by_key(|key| key.id());
        keys
    }
    /// A signature in the name of a key that this node does not have: its own, with the other's
    /// number. No verification passes it.
    pub(crate) fn forged(signature: &Signature, of: KeyId) -> Signature {
        let mut forged = *signature;
        forged.key = of;
        forged
    }
}

/// What an attack makes a node do. The words are those of the scenario language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Conduct {
    /// `selective-silence` (B4): says nothing to some.
    SelectiveSilence {
        /// To whom.
        to: Arc<[NodeId]>,
    },
    /// `late-vote` (B4): votes come just before the timeout.
    LateVote {
        /// Share of the timeout that they are held for, parts per 10^9.
        wait: u32,
    },
    /// `slow-leader` (K5): proposals come just before the timeout.
    SlowLeader {
        /// Share of the timeout between two proposals, parts per 10^9.
        wait: u32,
    },
    /// `malformed` (B6): bytes that are no message.
    Malformed {
        /// Share of messages, parts per 10^9.
        rate: u32,
    },
    /// `replay-old` (B12): own messages come again after a while.
    ReplayOld {
        /// After how long.
        age: Span,
    },
    /// `equivocate` (B2): one value for some, another for the others.
    Equivocate,
    /// `forget-lock` (B3): leaves a view without what it prepared there.
    ForgetLock,
    /// `mutate` (B5): votes that are a little off.
    Mutate {
        /// What is changed.
        field: MutatedField,
        /// By how much; for the digest, how many bits of its first byte are flipped.
        by: i64,
    },
    /// `invalid-block` (B7): proposals that no correct node may accept.
    InvalidBlock,
    /// `phantom-validator` (B7): votes of somebody who is no validator.
    PhantomValidator,
    /// `lying-sync` (B9): false answers to those who catch up.
    LyingSync {
        /// What is false.
        field: SyncLie,
    },
    /// `censor` (B10): transactions of some are not taken in.
    Censor {
        /// Whose.
        whom: Arc<[NodeId]>,
    },
    /// `reorder-block` (B10): transactions are ordered against their arrival, the own ones first.
    ReorderBlock,
    /// `swap-parts` (B5): parts of a block are passed on under the indices of others.
    SwapParts,
    /// `double-signatures` (B11): one signature counts several times in a certificate.
    DoubleSignatures,
    /// `strip-signatures` (B11): a certificate lacks signatures.
    StripSignatures,
    /// `fake-header` (K8): decisions that were never taken, for light clients.
    FakeHeader {
        /// What is false.
        lie: HeaderLie,
    },
    /// `long-range` (K7): a history that former members sign again, for members that catch up and for light clients.
    LongRange,
}

/// What `fake-header` shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeaderLie {
    /// A batch that nobody put forward, decided by the adversary's members.
    Lunatic,
    /// Members that there are not, and what they decide.
    Phantom {
        /// Does the adversary have the administrator's key?
        administrator: bool,
    },
    /// What members of an earlier time decide, as if they still did.
    Past,
}

/// What `mutate` changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MutatedField {
    /// The view.
    View,
    /// The sequence number.
    Sequence,
    /// What is voted for.
    Digest,
    /// The view of the certificates in its view changes.
    Certificate,
}

/// What `lying-sync` changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyncLie {
    /// Another block under the true certificate.
    Block,
    /// The true block under another number.
    Sequence,
    /// The same block, signed by the liar in place of the clients.
    Transactions,
    /// Claims of progress that nobody made, and no answer.
    Progress,
    /// Changes of the members that nobody made, by which the liar decides alone.
    Members,
}

impl Conduct {
    /// Its word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::SelectiveSilence { .. } => "selective-silence",
            Self::LateVote { .. } => "late-vote",
            Self::SlowLeader { .. } => "slow-leader",
            Self::Malformed { .. } => "malformed",
            Self::ReplayOld { .. } => "replay-old",
            Self::Equivocate => "equivocate",
            Self::ForgetLock => "forget-lock",
            Self::Mutate { .. } => "mutate",
            Self::InvalidBlock => "invalid-block",
            Self::PhantomValidator => "phantom-validator",
            Self::LyingSync { .. } => "lying-sync",
            Self::Censor { .. } => "censor",
            Self::ReorderBlock => "reorder-block",
            Self::SwapParts => "swap-parts",
            Self::DoubleSignatures => "double-signatures",
            Self::StripSignatures => "strip-signatures",
            Self::FakeHeader { .. } => "fake-header",
            Self::LongRange => "long-range",
        }
    }
    /// What is counted as its effect.
    pub const fn unit(&self) -> &'static str {
        match self {
            Self::SelectiveSilence { .. } => "messages withheld",
            Self::LateVote { .. } => "votes held back",
            Self::SlowLeader { .. } => "proposals held back",
            Self::Malformed { .. } => "messages garbled",
            Self::ReplayOld { .. } => "messages sent again",
            Self::Equivocate => "contradictions sent",
            Self::ForgetLock => "certificates left out",
            Self::Mutate { .. } => "votes changed",
            Self::InvalidBlock => "invalid proposals",
            Self::PhantomValidator => "phantom votes",
            Self::LyingSync { .. } => "false answers",
            Self::Censor { .. } => "transactions ignored",
            Self::ReorderBlock => "transactions overtaken",
            Self::SwapParts => "parts swapped",
            Self::DoubleSignatures => "certificates padded",
            Self::StripSignatures => "certificates stripped",
            Self::FakeHeader { .. } => "fake headers shown",
            Self::LongRange => "false histories shown",
        }
    }
}

/// A behaviour that is the same for every protocol; `None` if it has to forge messages of one.
pub fn common(conduct: &Conduct, means: &Means, words: &Words) -> Option<Box<dyn Behaviour>> {
    match conduct {
        Conduct::SelectiveSilence { to } => {
            Some(Box::new(selective_silence::SelectiveSilence::new(to)))
        }
        Conduct::LateVote { wait } => {
            let wait = share(means.timeout, *wait);
            Some(Box::new(late_vote::LateVote::new(words.votes, wait)))
        }
        Conduct::SlowLeader { wait } => {
            let interval = share(means.block.wait + means.timeout, *wait);
            let waited = means.block.wait;
            Some(Box::new(slow_leader::SlowLeader::new(
                words.proposals,
                interval,
                waited,
            )))
        }
        Conduct::Malformed { rate } => {
            Some(Box::new(malformed::Malformed::new(*rate, means.draws)))
        }
        Conduct::ReplayOld { age } => {
            Some(Box::new(replay_old::ReplayOld::new(words.ordering, *age)))
        }
        Conduct::FakeHeader { lie } => Some(Box::new(FakeHeader::new(means, *lie)?)),
        _ => None,
    }
}

/// Kinds of messages of a protocol, by their words.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// Votes of members.
    pub votes: &'static [&'static str],
    /// Proposals of the leader.
    pub proposals: &'static [&'static str],
    /// All of these, and changes of the leader.
    pub ordering: &'static [&'static str],
}

/// A share of a time, in parts per 10^9.
fn share(of: Span, ppb: u32) -> Span {
    let ns = u128::from(of.nanos()) * u128::from(ppb) / 1_000_000_000;
    Span::from_nanos(ns as u64)
}
