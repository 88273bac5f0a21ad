//! What goes to disk, and what is said once it is there (`../journal.rs`).

use super::collect::{StopData, Sync};
use consim_core::{Batch, Certificate, Digest, Encoder, Payload, Signature};
use std::any::Any;
use std::sync::Arc;

/// The log of decided batches.
pub(super) const LOG: u8 = 0;
/// The table whose cell 0 holds the regency.
pub(super) const REGENCY: u8 = 1;
/// The table whose cell 0 holds the proof of the last stable checkpoint.
pub(super) const STABLE: u8 = 2;
/// The table whose cell 0 holds the PROPOSE for which a WRITE was signed last.
pub(super) const WRITTEN: u8 = 3;
/// The table whose cell 0 holds the last write proof: an ACCEPT was signed for it.
pub(super) const PROOF: u8 = 4;
/// The table whose cell 0 holds the batch of that proof, once another one was written for since.
pub(super) const FORMER: u8 = 5;
/// The table whose cell 0 holds a state that was taken over: what was in the log before is void.
pub(super) const TAKEN: u8 = 6;
/// The table whose cell 0 says that what this replica signed is on this disk.
pub(super) const STARTED: u8 = 7;

/// A cell of the disk. What was written for is kept as the message that it came in.
#[derive(Debug)]
pub(super) enum Record {
    /// A write proof.
    Proof(Arc<Certificate>),
    /// The batch of a write proof.
    Former(Arc<Batch>),
    /// The regency: the replica waits for it to begin, or `sync` began it.
    Regency {
        regency: u64,
        /// It may have signed STOP-DATA for regencies up to this one.
        left: u64,
        /// The own one of this regency.
        data: Option<Arc<StopData>>,
        sync: Option<Arc<Sync>>,
    },
}

impl Payload for Record {
    fn kind(&self) -> &'static str {
        match self {
            Self::Proof(_) => "write-proof",
            Self::Former(_) => "former",
            Self::Regency { .. } => "regency",
        }
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = Encoder::new(out);
        match self {
            Self::Former(batch) => batch.encode(&mut e),
            Self::Proof(certificate) => certificate.encode(&mut e),
            Self::Regency {
                regency,
                left,
                data,
                sync,
            } => {
                e.u64(*regency).u64(*left).u8(u8::from(data.is_some()));
                if let Some(data) = data {
                    data.encode(&mut e);
                }
                e.u8(u8::from(sync.is_some()));
                if let Some(sync) = sync {
                    sync.encode(&mut e);
                }
            }
        }
    }
    fn encoded_len(&self) -> usize {
        match self {
            Self::Former(batch) => batch.encoded_len(),
            Self::Proof(certificate) => certificate.encoded_len(),
            Self::Regency { data, sync, .. } => {
                let data = data.as_ref().map_or(0, |d| d.encoded_len());
                let sync = sync.as_ref().map_or(0, |s| s.encoded_len());
                8 + 8 + 1 + data + 1 + sync
            }
        }
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What may be said once it is on disk.
#[derive(Debug)]
pub(super) enum Said {
    /// The leader's PROPOSE, which is its WRITE too.
    Propose(Vow),
    /// A WRITE.
    Write(Vow),
    /// An ACCEPT.
    Accept(Vow),
    /// What the replica brings into a regency.
    StopData(Arc<StopData>),
    /// The leader begins its regency.
    Sync(Arc<Sync>),
}

/// A vote on its way to disk.
#[derive(Debug)]
pub(super) struct Vow {
    pub(super) regency: u64,
    pub(super) sequence: u64,
    pub(super) digest: Digest,
    pub(super) signature: Signature,
    pub(super) message: Arc<dyn Payload>,
}
