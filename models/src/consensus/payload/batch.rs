//! Batches of the mempool layer.

use consim_core::chain::MAX_BATCH_TXS;
use consim_core::{CodecError, Decoder, Digest, Encoder, NodeId, Signature, Tx};
use std::sync::Arc;

/// Transactions that one member spreads together. Exists once per run behind `Arc`.
#[derive(PartialEq, Eq, Debug)]
pub struct TxBatch {
    maker: NodeId,
    txs: Box<[Arc<Tx>]>,
    digest: Digest,
    encoded_len: usize,
}

impl TxBatch {
    /// The fewest bytes of an encoded batch.
    pub(super) const LEAST_ENCODED: usize = 4 + 4;

    /// A batch of a member; the caller charges the hashing.
    pub fn new(maker: NodeId, txs: Vec<Arc<Tx>>) -> Self {
        let mut bytes = Vec::with_capacity(32 * txs.len());
        for tx in &txs {
            bytes.extend_from_slice(&tx.digest().0);
        }
        let digest = Digest::of_parts(&[b"consim mempool batch 1", &maker.0.to_be_bytes(), &bytes]);
        let encoded_len =
            Self::LEAST_ENCODED + txs.iter().map(|tx| tx.encoded_len()).sum::<usize>();
        Self {
            maker,
            txs: txs.into(),
            digest,
            encoded_len,
        }
    }
    /// Who made it.
    pub fn maker(&self) -> NodeId {
        self.maker
    }
    /// Its transactions, in order.
    pub fn txs(&self) -> &[Arc<Tx>] {
        &self.txs
    }
    /// What proposals name it by: over its maker and the digests of its transactions.
    pub fn digest(&self) -> Digest {
        self.digest
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        self.encoded_len
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.u32(self.maker.0).list(self.txs.len());
        for tx in &self.txs {
            tx.encode(e);
        }
    }
    /// Reads a batch; its transactions are not verified yet.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let maker = NodeId(d.u32()?);
        let n = d.list(MAX_BATCH_TXS, 26 + Signature::LEAST_ENCODED)?;
        let txs = (0..n).map(|_| Tx::decode(d).map(Arc::new));
        Ok(Self::new(maker, txs.collect::<Result<_, _>>()?))
    }
}
