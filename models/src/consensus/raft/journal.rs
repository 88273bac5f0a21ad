//! What goes to disk, and what is said once it is there (`../journal.rs`).

use super::membership::Configuration;
use crate::consensus::{CheckpointHead as _, StateHead};
use crate::ledger::Snapshot;
use consim_core::{ChainId, Encoder, Holds, NodeId, Payload};
use std::any::Any;
use std::sync::Arc;

/// The log: entries in order, from the one after [`TAKEN`] on.
pub(super) const LOG: u8 = 0;
/// The table whose cell 0 holds term and vote.
pub(super) const VOTE: u8 = 1;
/// The table whose cell 0 holds how far is committed, as of some time ago.
pub(super) const COMMIT: u8 = 2;
/// Configurations, by the index of their entry.
pub(super) const MEMBERS: u8 = 3;
/// The table whose cell 0 holds a state that was taken over.
pub(super) const TAKEN: u8 = 4;
/// The table whose cell 0 says that what this replica promised is on this disk.
pub(super) const STARTED: u8 = 5;

/// A cell of the disk.
#[derive(Debug)]
pub(super) enum Record {
    /// Current term, and whom it voted for in it.
    Vote { term: u64, voted: Option<NodeId> },
    /// Committed up to here.
    Commit(u64),
    /// A configuration.
    Members(Arc<Configuration>),
    /// A state that stands for the log up to an index.
    Taken {
        /// The chain; not written, since a disk is one replica's.
        chain: ChainId,
        index: u64,
        term: u64,
        members: Arc<Configuration>,
        head: Arc<StateHead>,
        state: Arc<Snapshot>,
    },
    /// What this replica promised is on this disk.
    Started,
}

impl Payload for Record {
    fn kind(&self) -> &'static str {
        match self {
            Self::Vote { .. } => "vote",
            Self::Commit(_) => "commit",
            Self::Members(_) => "members",
            Self::Taken { .. } => "taken",
            Self::Started => "started",
        }
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = Encoder::new(out);
        match self {
            Self::Vote { term, voted } => {
                e.u64(*term).u8(u8::from(voted.is_some()));
                e.u32(voted.unwrap_or_default().0);
            }
            Self::Commit(index) => {
                e.u64(*index);
            }
            Self::Members(members) => members.encode(&mut e),
            Self::Taken {
                index,
                term,
                members,
                head,
                state,
                ..
            } => {
                e.u64(*index).u64(*term);
                members.encode(&mut e);
                head.encode(&mut e);
                state.encode(out);
            }
            Self::Started => {}
        }
    }
    fn encoded_len(&self) -> usize {
        match self {
            Self::Vote { .. } => 8 + 1 + 4,
            Self::Commit(_) => 8,
            Self::Members(members) => members.encoded_len(),
            Self::Taken {
                members,
                head,
                state,
                ..
            } => 8 + 8 + members.encoded_len() + head.encoded_len() + state.encoded_len(),
            Self::Started => 0,
        }
    }
    fn holds(&self) -> Option<Holds> {
        match self {
            Self::Taken { chain, index, .. } => Some(Holds::UpTo(*chain, *index)),
            _ => None,
        }
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What may be said once it is on disk.
#[derive(Clone, Copy, Debug)]
pub(super) enum Said {
    /// A term is current.
    Term(u64),
    /// Candidate in this term; the leader gave its place up for it?
    Stand { term: u64, transfer: bool },
    /// A vote.
    Vote { term: u64, to: NodeId },
    /// The log up to `index`, unless it was truncated `cuts` times since.
    Stored { index: u64, cuts: u64 },
    /// The same, and the leader of `term` is told so.
    Appended {
        term: u64,
        leader: NodeId,
        index: u64,
        cuts: u64,
    },
    /// A heartbeat of the leader of `term`, whom this replica follows from now on.
    Alive {
        term: u64,
        leader: NodeId,
        round: u64,
    },
}
