//! Signed statements that can be held against each other: the vocabulary of forensics.
//!
//! A protocol says which of its messages hold such statements (`Payload::evidence`); whoever judges
//! them verifies the signatures for himself.

use crate::chain::vote_statement;
use crate::{ChainId, Digest, KeyId, Keyring, Signature, Vote};
use std::sync::Arc;

/// What a vote binds its signer to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Promise {
    /// It accepts this value in this view (prepare, prevote): no other one there.
    Accepts,
    /// It holds on to this value (commit, precommit): no other one in this view, and whenever it
    /// leaves the view, it says so.
    Locks,
    /// It holds on to this value (Tendermint's precommit): no other one in this view, and in a later view of this
    /// place another one only if a quorum accepts that there, or has accepted it in this view or after.
    Holds,
    /// Nothing beyond having said it once.
    Once,
}

/// A vote with the signature that shows who gave it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignedVote {
    /// The chain.
    pub chain: ChainId,
    /// The vote; its key is the signature's.
    pub vote: Vote,
    /// What it binds its signer to.
    pub promise: Promise,
    /// The signature over the statement of the vote.
    pub signature: Signature,
}

/// A signer leaves for a higher view and says what it is bound to (a view change).
#[derive(Clone, Debug)]
pub struct Leaving {
    /// The vote that covers all of it: its view is the view that the signer goes to, its digest
    /// that of the content below.
    pub signed: SignedVote,
    /// Everything up to this sequence number is settled for good, as the signer proves.
    pub low: u64,
    /// The only sequence number that it speaks of, where each has views of its own; `None`: all above `low`.
    pub alone: Option<u64>,
    /// Above that: sequence number, view and value of everything that the signer accepted with a
    /// quorum, by ascending sequence number.
    pub bound: Arc<[(u64, u64, Digest)]>,
}

/// A new view begins, with what those who left earlier ones were bound to (a new view).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opening {
    /// The chain.
    pub chain: ChainId,
    /// The view.
    pub view: u64,
    /// The last change of the members before it.
    pub change: u64,
    /// Everything up to this sequence number counts as settled.
    pub low: u64,
    /// The leave-takings that justify it: whose, and the digest that they are signed over.
    pub changes: Arc<[(KeyId, Digest)]>,
    /// What it puts forward, from the sequence number after `low` on.
    pub proposals: Arc<[Digest]>,
}

/// What a message says about the way from one view to the next.
#[derive(Clone, Debug)]
pub enum Handover {
    /// Its signer leaves.
    Leaves(Leaving),
    /// The next view begins.
    Opens(Opening),
}

/// A signed statement.
#[derive(Clone, Debug)]
pub enum Evidence {
    /// A vote.
    Vote(SignedVote),
    /// Leave-taking from all views before one.
    Leaving(Leaving),
}

impl SignedVote {
    /// Whose key made the signature, as claimed.
    pub fn key(&self) -> KeyId {
        self.signature.key
    }
    /// Is the signature that key's own, over this vote?
    pub fn is_genuine(&self, keys: &Keyring) -> bool {
        let Vote {
            key,
            kind,
            view,
            sequence,
            digest,
        } = self.vote;
        let statement = vote_statement(self.chain, kind, view, sequence, &digest);
        key == self.signature.key && keys.verify(&statement, &self.signature)
    }
}
