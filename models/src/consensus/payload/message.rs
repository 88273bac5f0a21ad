//! Messages of the mempool layer, which protocols carry in their own.

use super::head::{decode_wanted, encode_digests};
use super::{AVAILABLE, Parcels, TxBatch};
use crate::consensus::mempool::MAX_FORWARD;
use consim_core::chain::vote_statement;
use consim_core::{
    ChainId, CodecError, Decoder, Digest, Encoder, KeyId, Keyring, NodeId, Signature, SignatureSet,
    Tx,
};
use std::sync::Arc;

/// That a quorum has a batch on disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Availability {
    /// The batch.
    pub digest: Digest,
    /// Signatures of a quorum, by ascending key.
    pub signatures: SignatureSet,
}

impl Availability {
    /// What those sign who have the batch.
    pub fn statement(chain: ChainId, digest: &Digest) -> Digest {
        vote_statement(chain, AVAILABLE, 0, 0, digest)
    }
    /// Does it hold valid signatures of a quorum of members, each once? The caller charges them.
    pub fn verify(
        &self,
        chain: ChainId,
        members: &[NodeId],
        quorum: usize,
        keys: &Keyring,
    ) -> bool {
        let statement = Self::statement(chain, &self.digest);
        let valid: Vec<KeyId> = self.signatures.valid(keys, &statement).collect();
        valid.is_sorted_by(|a, b| a < b)
            && valid.len() >= quorum
            && valid.len() == self.signatures.len()
            && valid
                .iter()
                .all(|key| members.binary_search(&NodeId(key.0)).is_ok())
    }
    fn encoded_len(&self) -> usize {
        32 + 4 + self.signatures.encoded_len()
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        e.digest(&self.digest);
        self.signatures.encode(e);
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            digest: d.digest()?,
            signatures: SignatureSet::decode(d)?,
        })
    }
}

/// What members say of payload.
#[derive(Clone, Debug)]
pub enum Message {
    /// A batch of its maker.
    Batch(Arc<TxBatch>),
    /// The sender has the batch with this digest on disk.
    Acknowledge {
        /// The batch.
        digest: Digest,
        /// Over [`Availability::statement`].
        signature: Signature,
    },
    /// A quorum has a batch.
    Available(Arc<Availability>),
    /// The sender misses what a proposal names.
    Fetch {
        /// What the proposal's votes sign, by which its author finds it.
        proposal: Digest,
        /// What is missing.
        wanted: Vec<Digest>,
    },
    /// What was asked for, as far as it was here.
    Payload(Parcels),
}

/// The words of the kinds of messages.
pub const KINDS: [&str; 5] = [
    "batch",
    "acknowledgement",
    "availability",
    "fetch-payload",
    "payload",
];

impl Message {
    fn tag(&self) -> u8 {
        match self {
            Self::Batch(_) => 0,
            Self::Acknowledge { .. } => 1,
            Self::Available(_) => 2,
            Self::Fetch { .. } => 3,
            Self::Payload(Parcels::Txs(_)) => 4,
            Self::Payload(Parcels::Batches(_)) => 5,
        }
    }
    /// The word of its kind.
    pub fn kind(&self) -> &'static str {
        let [batch, acknowledgement, availability, fetch, payload] = KINDS;
        match self {
            Self::Batch(_) => batch,
            Self::Acknowledge { .. } => acknowledgement,
            Self::Available(_) => availability,
            Self::Fetch { .. } => fetch,
            Self::Payload(_) => payload,
        }
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        1 + match self {
            Self::Batch(batch) => batch.encoded_len(),
            Self::Acknowledge { signature, .. } => 32 + signature.encoded_len(),
            Self::Available(availability) => availability.encoded_len(),
            Self::Fetch { wanted, .. } => 32 + 4 + 32 * wanted.len(),
            Self::Payload(Parcels::Txs(txs)) => {
                4 + txs.iter().map(|tx| tx.encoded_len()).sum::<usize>()
            }
            Self::Payload(Parcels::Batches(batches)) => {
                4 + batches.iter().map(|b| b.encoded_len()).sum::<usize>()
            }
        }
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.u8(self.tag());
        match self {
            Self::Batch(batch) => batch.encode(e),
            Self::Acknowledge { digest, signature } => {
                e.digest(digest);
                signature.encode(e);
            }
            Self::Available(availability) => availability.encode(e),
            Self::Fetch { proposal, wanted } => {
                e.digest(proposal);
                encode_digests(e, wanted);
            }
            Self::Payload(Parcels::Txs(txs)) => {
                e.list(txs.len());
                for tx in txs {
                    tx.encode(e);
                }
            }
            Self::Payload(Parcels::Batches(batches)) => {
                e.list(batches.len());
                for batch in batches {
                    batch.encode(e);
                }
            }
        }
    }
    /// Reads a message; nothing is verified yet.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match d.u8()? {
            0 => Self::Batch(Arc::new(TxBatch::decode(d)?)),
            1 => Self::Acknowledge {
                digest: d.digest()?,
                signature: Signature::decode(d)?,
            },
            2 => Self::Available(Arc::new(Availability::decode(d)?)),
            3 => Self::Fetch {
                proposal: d.digest()?,
                wanted: decode_wanted(d)?,
            },
            4 => {
                let n = d.list(super::MAX_FETCHED, 26 + Signature::LEAST_ENCODED)?;
                let txs = (0..n).map(|_| Tx::decode(d).map(Arc::new));
                Self::Payload(Parcels::Txs(txs.collect::<Result<_, _>>()?))
            }
            5 => {
                let n = d.list(MAX_FORWARD, TxBatch::LEAST_ENCODED)?;
                let batches = (0..n).map(|_| TxBatch::decode(d).map(Arc::new));
                Self::Payload(Parcels::Batches(batches.collect::<Result<_, _>>()?))
            }
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}
