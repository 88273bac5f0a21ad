//! What goes to disk, and what is said once it is there (`../journal.rs`).

use super::change::{NewView, Prepared, ViewChange};
use crate::consensus::{CheckpointHead as _, StateHead};
use crate::ledger::Snapshot;

use consim_core::{Batch, Certificate, ChainId, Digest, Encoder, Holds, Payload, Signature};
use std::any::Any;
use std::sync::Arc;

/// The log of committed batches.
pub(super) const LOG: u8 = 0;
/// The table whose cell 0 holds the view.
pub(super) const VIEW: u8 = 1;
/// The table whose cell 0 holds the proof of the last stable checkpoint.
pub(super) const STABLE: u8 = 2;
/// The pre-prepare that was accepted last, by sequence number: a prepare was signed for it.
pub(super) const PROPOSALS: u8 = 3;
/// The prepared certificate, by sequence number: a commit was signed for it.
pub(super) const PREPARED: u8 = 4;
/// Bodies of proposals of earlier views, by sequence number times eight.
pub(super) const FORMER: u8 = 5;

/// The table whose cell 0 holds a state that was taken over: what was in the log before is void.
pub(super) const TAKEN: u8 = 6;

/// The table whose cell 0 says that what this replica signed is on this disk.
pub(super) const STARTED: u8 = 7;

/// The first key of a sequence number in [`FORMER`].
pub(super) fn former_key(sequence: u64) -> u64 {
    sequence.saturating_mul(super::config::MAX_FORMER as u64 + 1)
}

/// A cell of the disk. Pre-prepares are kept as the message that they came in.
#[derive(Debug)]
pub(super) enum Record {
    /// The body of a proposal of an earlier view.
    Former(Arc<Batch>),
    /// The proof of a stable checkpoint.
    Stable(Arc<Certificate>),
    /// What this replica signed is on this disk.
    Started,
    /// A state that was taken over, with what a checkpoint proves beside it.
    Taken {
        /// The chain; not written, since a disk is one replica's.
        chain: ChainId,
        sequence: u64,
        head: Arc<StateHead>,
        state: Arc<Snapshot>,
    },
    /// The view: the replica is on its way there with `change`, or in it by `new_view`.
    View {
        view: u64,
        change: Option<Arc<ViewChange>>,
        new_view: Option<Opening>,
    },
}

/// A new view with the view changes that it names.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    pub(super) new_view: Arc<NewView>,
    pub(super) changes: Vec<Arc<ViewChange>>,
}

impl Payload for Record {
    fn kind(&self) -> &'static str {
        match self {
            Self::Former(_) => "former",
            Self::Stable(_) => "stable",
            Self::Started => "started",
            Self::Taken { .. } => "taken",
            Self::View { .. } => "view",
        }
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = Encoder::new(out);
        match self {
            Self::Former(batch) => batch.encode(&mut e),
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
            Self::View {
                view,
                change,
                new_view,
            } => {
                e.u64(*view).u8(u8::from(change.is_some()));
                if let Some(change) = change {
                    change.encode(&mut e);
                }
                e.u8(u8::from(new_view.is_some()));
                if let Some(Opening { new_view, changes }) = new_view {
                    new_view.encode(&mut e);
                    e.list(changes.len());
                    for change in changes {
                        change.encode(&mut e);
                    }
                }
            }
        }
    }
    fn encoded_len(&self) -> usize {
        match self {
            Self::Former(batch) => batch.encoded_len(),
            Self::Stable(certificate) => certificate.encoded_len(),
            Self::Started => 0,
            Self::Taken { head, state, .. } => 8 + head.encoded_len() + state.encoded_len(),
            Self::View {
                change, new_view, ..
            } => {
                let change = change.as_ref().map_or(0, |c| c.encoded_len());
                let opening = new_view.as_ref().map_or(0, |opening| {
                    let changes = opening.changes.iter().map(|c| c.encoded_len());
                    opening.new_view.encoded_len() + 4 + changes.sum::<usize>()
                });
                8 + 1 + change + 1 + opening
            }
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

impl Payload for Prepared {
    fn kind(&self) -> &'static str {
        "prepared"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(&mut Encoder::new(out));
    }
    fn encoded_len(&self) -> usize {
        self.0.encoded_len()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What may be said once it is on disk.
#[derive(Debug)]
pub(super) enum Said {
    /// The primary's pre-prepare, which is its prepare too.
    PrePrepare(Vow),
    /// A prepare.
    Prepare(Vow),
    /// A commit.
    Commit(Vow),
    /// The replica has left for this view.
    ViewChange(Arc<ViewChange>),
    /// The primary opens this view.
    NewView(Opening),
}

/// A vote on its way to disk.
#[derive(Debug)]
pub(super) struct Vow {
    pub(super) view: u64,
    pub(super) sequence: u64,
    pub(super) digest: Digest,
    pub(super) signature: Signature,
    pub(super) message: Arc<dyn Payload>,
}
