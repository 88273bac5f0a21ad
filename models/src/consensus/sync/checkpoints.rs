//! States at checkpoints: what of them a quorum has proven, and those that are kept for others.

use crate::consensus::StateHead;
use crate::ledger::{Snapshot, WorldState};
use consim_core::{Certificate, CodecError, Decoder, Digest, Encoder};
use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::Arc;

/// States at stable checkpoints that are kept for those that fetch one (assumed): a transfer may take as
/// long as it takes to come to two more.
pub(in crate::consensus) const KEPT_STATES: usize = 3;
/// Own states at checkpoints that wait for a proof (assumed): only a replica that catches up over a long
/// way has many.
pub(in crate::consensus) const MAX_OWN_STATES: usize = 1_024;

/// What a checkpoint proves, but for the entries of the state.
pub trait CheckpointHead: Debug + Sized {
    /// The digest that replicas vote on at this checkpoint.
    fn digest(&self) -> Digest;
    /// The ledger's part.
    fn state(&self) -> &StateHead;
    /// The encoded length.
    fn encoded_len(&self) -> usize;
    /// Appends the wire form.
    fn encode(&self, e: &mut Encoder<'_>);
    /// Reads what [`Self::encode`] wrote.
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError>;
}

/// A state at a checkpoint, for those that fetch it.
#[derive(Debug)]
pub(in crate::consensus) struct Kept<H> {
    pub(in crate::consensus) sequence: u64,
    pub(in crate::consensus) head: Arc<H>,
    pub(in crate::consensus) state: WorldState,
}

impl<H: CheckpointHead> Kept<H> {
    /// The state with its header, as a disk holds it.
    pub(in crate::consensus) fn snapshot(&self) -> Snapshot {
        Snapshot {
            header: self.head.state().header.clone(),
            state: self.state.clone(),
        }
    }
}

/// This replica's states at checkpoints, and the proofs of others.
#[derive(Debug)]
pub(in crate::consensus) struct States<H> {
    /// The proof of the last stable checkpoint; none at the beginning.
    pub(in crate::consensus) proof: Option<Arc<Certificate>>,
    /// A proof of a checkpoint that this replica has not reached yet.
    ahead: Option<(u64, Arc<Certificate>)>,
    /// The digests of states at checkpoints above the stable one, ascending.
    own: VecDeque<(u64, Digest)>,
    /// The highest checkpoint of `own` at the last tick: what should be stable by now.
    overdue: u64,
    /// The states themselves, and those of the last stable checkpoints: handles, ascending.
    kept: VecDeque<Kept<H>>,
}

impl<H> Default for States<H> {
    fn default() -> Self {
        Self {
            proof: None,
            ahead: None,
            own: VecDeque::new(),
            overdue: 0,
            kept: VecDeque::new(),
        }
    }
}

impl<H: CheckpointHead> States<H> {
    /// The state that this replica came to at a checkpoint above the stable one.
    pub(in crate::consensus) fn own_state(&self, sequence: u64) -> Option<Digest> {
        let own = self.own.iter().find(|(s, _)| *s == sequence);
        own.map(|&(_, state)| state)
    }
    #[cfg(test)]
    pub(in crate::consensus) fn own_len(&self) -> usize {
        self.own.len()
    }
    /// The last checkpoint that is known to be stable somewhere and that this replica has not reached.
    pub(in crate::consensus) fn proven(&self) -> u64 {
        self.ahead.as_ref().map_or(0, |&(sequence, _)| sequence)
    }
    /// Its proof.
    pub(in crate::consensus) fn ahead(&self) -> Option<&(u64, Arc<Certificate>)> {
        self.ahead.as_ref()
    }
    /// A checkpoint is proven that this replica has not reached.
    pub(in crate::consensus) fn set_ahead(&mut self, sequence: u64, proof: Arc<Certificate>) {
        self.ahead = Some((sequence, proof));
    }
    /// The state at this checkpoint, if it is still kept.
    pub(in crate::consensus) fn kept(&self, sequence: u64) -> Option<&Kept<H>> {
        self.kept.iter().find(|k| k.sequence == sequence)
    }
    /// The latest state that is kept.
    pub(in crate::consensus) fn latest(&self) -> Option<&Kept<H>> {
        self.kept.back()
    }
    /// Keeps a state and returns its digest; old ones give way.
    pub(in crate::consensus) fn keep(&mut self, kept: Kept<H>) -> Digest {
        let digest = kept.head.digest();
        if self.own.len() >= MAX_OWN_STATES {
            self.own.pop_front();
        }
        self.own.push_back((kept.sequence, digest));
        if self.kept.len() >= MAX_OWN_STATES {
            self.kept.pop_front();
        }
        self.kept.push_back(kept);
        digest
    }
    /// Everything up to this checkpoint is stable: it is not told again.
    pub(in crate::consensus) fn drop_below(&mut self, sequence: u64) {
        let stable = self.kept.iter().filter(|k| k.sequence <= sequence).count();
        for _ in KEPT_STATES..stable {
            self.kept.pop_front();
        }
        while self.own.front().is_some_and(|(s, _)| *s <= sequence) {
            self.own.pop_front();
        }
        if self.proven() <= sequence {
            self.ahead = None;
        }
    }
    /// At a tick: the latest checkpoint that was taken before the last tick and is not stable yet.
    pub(in crate::consensus) fn overdue(&mut self) -> Option<(u64, Digest)> {
        let before = self.overdue;
        self.overdue = self.own.back().map_or(0, |&(sequence, _)| sequence);
        let mut own = self.own.iter().rev();
        own.find(|(sequence, _)| *sequence <= before).copied()
    }
}
