//! What goes to disk, and what is said once it is there.

use super::message::Head;
use super::proposal::{Ballot, Proposal, Timeout, encode_timeouts};
use super::safety::Safety;
use crate::consensus::CheckpointHead as _;
use crate::consensus::sync::{encode_option, option_len};
use crate::ledger::Snapshot;
use consim_core::{Certificate, ChainId, Digest, Encoder, Holds, Payload};
use std::any::Any;
use std::sync::Arc;

/// The log of committed batches.
pub(super) const LOG: u8 = 0;
/// The table whose cell 0 holds what votes depend on.
pub(super) const SAFETY: u8 = 1;
/// The table whose cell 0 holds the proof of the last stable checkpoint.
pub(super) const STABLE: u8 = 2;
/// Proposals that were voted for, by view.
pub(super) const PROPOSALS: u8 = 3;
/// Batches of the mempool layer, by the order of their coming.
pub(super) const BATCHES: u8 = 4;
/// The table whose cell 0 holds a state that was taken over: what was in the log before is void.
pub(super) const TAKEN: u8 = 6;
/// The table whose cell 0 says that what this replica signed is on this disk.
pub(super) const STARTED: u8 = 7;

/// A cell of the disk. Proposals are kept as the message that they came in.
#[derive(Debug)]
pub(super) enum Record {
    /// What votes depend on.
    Safety(Safety),
    /// The proof of a stable checkpoint.
    Stable(Arc<Certificate>),
    /// What this replica signed is on this disk.
    Started,
    /// A state that was taken over, with what a checkpoint proves beside it.
    Taken {
        /// The chain; not written, since a disk is one replica's.
        chain: ChainId,
        sequence: u64,
        head: Arc<Head>,
        state: Arc<Snapshot>,
    },
}

impl Payload for Record {
    fn kind(&self) -> &'static str {
        match self {
            Self::Safety(_) => "safety",
            Self::Stable(_) => "stable",
            Self::Started => "started",
            Self::Taken { .. } => "taken",
        }
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = Encoder::new(out);
        match self {
            Self::Safety(s) => {
                e.u64(s.view).u64(s.voted).u64(s.locked);
                let (view, digest) = s.vote.unwrap_or_default();
                e.u64(view).digest(&digest);
                encode_option(&mut e, s.high.certificate.as_ref());
                encode_timeouts(&mut e, s.entered.as_ref());
                e.u8(u8::from(s.timeout.is_some()));
                if let Some(timeout) = &s.timeout {
                    timeout.encode(&mut e);
                }
            }
            Self::Stable(certificate) => certificate.encode(&mut e),
            Self::Started => {}
            Self::Taken {
                sequence,
                head,
                state,
                ..
            } => {
                e.u64(*sequence);
                head.encode(&mut e);
                state.encode(out);
            }
        }
    }
    fn encoded_len(&self) -> usize {
        match self {
            Self::Safety(s) => {
                let entered = s.entered.as_ref().map_or(0, |t| t.encoded_len());
                let timeout = s.timeout.as_ref().map_or(0, |t| t.encoded_len());
                24 + 40 + option_len(s.high.certificate.as_ref()) + 1 + entered + 1 + timeout
            }
            Self::Stable(certificate) => certificate.encoded_len(),
            Self::Started => 0,
            Self::Taken { head, state, .. } => 8 + head.encoded_len() + state.encoded_len(),
        }
    }
    fn holds(&self) -> Option<Holds> {
        match self {
            Self::Taken {
                chain, sequence, ..
            } => Some(Holds::UpTo(*chain, *sequence)),
            _ => None,
        }
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What may be said once it is on disk.
#[derive(Debug)]
pub(super) enum Said {
    /// The leader's proposal, and its vote for it.
    Proposal(Arc<Proposal>, Ballot),
    /// A vote.
    Vote(Ballot),
    /// The view is given up.
    Timeout(Arc<Timeout>),
    /// A batch of the mempool layer is here.
    Stored(Digest),
}
