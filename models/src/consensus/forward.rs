//! The wire form of transactions that members pass on to each other.

use super::mempool::MAX_FORWARD;
use consim_core::{CodecError, Decoder, Encoder, Signature, Tx};
use std::sync::Arc;

/// Appends transactions that a member passes on.
pub(super) fn encode_txs(e: &mut Encoder<'_>, txs: &[Arc<Tx>]) {
    e.list(txs.len());
    for tx in txs {
        tx.encode(e);
    }
}

/// Reads what [`encode_txs`] wrote: no more than one message may hold.
pub(super) fn decode_txs(d: &mut Decoder<'_>) -> Result<Vec<Arc<Tx>>, CodecError> {
    let n = d.list(MAX_FORWARD, 26 + Signature::LEAST_ENCODED)?;
    (0..n).map(|_| Tx::decode(d).map(Arc::new)).collect()
}

/// The length of what [`encode_txs`] writes.
pub(super) fn txs_len(txs: &[Arc<Tx>]) -> usize {
    4 + txs.iter().map(|t| t.encoded_len()).sum::<usize>()
}
