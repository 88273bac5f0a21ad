//! What replicas of one group need to catch up with each other, whatever they agree by: who is ahead and
//! whom to ask (`peers.rs`), committed batches (`blocks.rs`), states at checkpoints (`checkpoints.rs`) and
//! their transfer (`transfer.rs`); and for those that decide one batch after the other, all that is made of these
//! (`past.rs`, `syncs.rs`). M. Castro and B. Liskov, "Practical Byzantine Fault Tolerance and
//! Proactive Recovery", TOCS 20(4), 2002. Nobody is believed; the protocol brings what proves a batch or a
//! checkpoint, and the messages.

mod blocks;
mod checkpoints;
mod past;
mod peers;
pub(super) mod seeded;
mod syncs;
mod transfer;
mod votes;

pub use blocks::Blocks;
pub use checkpoints::CheckpointHead;
pub use transfer::StateParts;

pub(super) use blocks::{COMMITTED, MAX_BLOCK_BYTES, MAX_BLOCKS, serve};
#[cfg(test)]
pub(super) use checkpoints::{KEPT_STATES, MAX_OWN_STATES};
pub(super) use checkpoints::{Kept, States};
pub(super) use past::{Marks, MemberMarks, Past, Profile, Silent, Site, Tables, Word};
#[cfg(test)]
pub(super) use peers::MAX_SERVED;
pub(super) use peers::Peers;
pub(super) use syncs::Syncs;
pub(super) use transfer::{MAX_WANTED, Transfer};
pub(super) use votes::CheckpointVotes;

use consim_core::{Certificate, CodecError, Decoder, Encoder};
use std::sync::Arc;

/// The least bytes of an encoded certificate.
pub(super) const CERTIFICATE: usize = 1 + 8 + 8 + 32 + 4;

/// Appends a certificate that may be missing.
pub(super) fn encode_option(e: &mut Encoder<'_>, certificate: Option<&Arc<Certificate>>) {
    e.u8(u8::from(certificate.is_some()));
    if let Some(certificate) = certificate {
        certificate.encode(e);
    }
}

/// Reads what [`encode_option`] wrote.
pub(super) fn decode_option(d: &mut Decoder<'_>) -> Result<Option<Arc<Certificate>>, CodecError> {
    let there = d.boolean()?;
    there
        .then(|| Certificate::decode(d).map(Arc::new))
        .transpose()
}

/// The length of what [`encode_option`] writes.
pub(super) fn option_len(certificate: Option<&Arc<Certificate>>) -> usize {
    1 + certificate.map_or(0, |c| c.encoded_len())
}
