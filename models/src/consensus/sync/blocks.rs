//! Committed batches for a replica that is behind.

use super::{CERTIFICATE, decode_option, encode_option, option_len};
use crate::consensus::committed::Log;
use consim_core::{
    Certificate, ChainId, CodecError, Committed, Context, Decoder, Encoder, NodeId, Probe,
};
use std::sync::Arc;

/// Committed batches in one answer (assumed).
pub(in crate::consensus) const MAX_BLOCKS: usize = 64;
/// Bytes of batches in one answer, unless a single one is larger (assumed).
pub(in crate::consensus) const MAX_BLOCK_BYTES: usize = 1 << 20;
/// The least bytes of an encoded committed batch.
pub(in crate::consensus) const COMMITTED: usize = 2 + 8 + 48 + CERTIFICATE;

/// Committed batches, without a gap.
#[derive(Clone, Debug)]
pub struct Blocks {
    /// The batches.
    pub blocks: Vec<Arc<Committed>>,
    /// The last sequence number that the sender has executed.
    pub executed: u64,
    /// The proof of the sender's stable checkpoint.
    pub proof: Option<Arc<Certificate>>,
}

impl Blocks {
    pub(in crate::consensus) fn encoded_len(&self) -> usize {
        let blocks = self.blocks.iter().map(|b| b.encoded_len());
        4 + blocks.sum::<usize>() + 8 + option_len(self.proof.as_ref())
    }
    pub(in crate::consensus) fn encode(&self, e: &mut Encoder<'_>) {
        e.list(self.blocks.len());
        for block in &self.blocks {
            block.encode(e);
        }
        e.u64(self.executed);
        encode_option(e, self.proof.as_ref());
    }
    pub(in crate::consensus) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let n = d.list(MAX_BLOCKS, COMMITTED)?;
        let blocks = (0..n).map(|_| Committed::decode(d).map(Arc::new));
        Ok(Self {
            blocks: blocks.collect::<Result<_, _>>()?,
            executed: d.u64()?,
            proof: decode_option(d)?,
        })
    }
}

/// What `asked_by` gets of the log from `first` on: committed batches in order, within bounds.
pub(in crate::consensus) fn serve(
    cx: &mut Context<'_>,
    log: &Log,
    chain: ChainId,
    asked_by: NodeId,
    first: u64,
) -> Vec<Arc<Committed>> {
    let first = first.max(1);
    if first <= log.base() {
        cx.emit(Probe::BlocksGone {
            chain,
            asked_by,
            from: first,
        });
    }
    let mut blocks = Vec::new();
    let mut bytes = 0;
    for committed in log.from(first).take(MAX_BLOCKS) {
        bytes += committed.encoded_len();
        if bytes > MAX_BLOCK_BYTES && !blocks.is_empty() {
            break;
        }
        blocks.push(Arc::clone(committed));
    }
    blocks
}
