//! A signed vote, as most protocols here have it.

use consim_core::chain::vote_statement;
use consim_core::{ChainId, CodecError, Decoder, Digest, Encoder, SecretKey, Signature, Vote};

/// A signed vote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ballot {
    /// The view.
    pub view: u64,
    /// The sequence number.
    pub sequence: u64,
    /// What is voted for.
    pub digest: Digest,
    /// The vote: over the statement of kind, view, sequence number and digest.
    pub signature: Signature,
}

impl Ballot {
    pub(super) fn encoded_len(&self) -> usize {
        8 + 8 + 32 + self.signature.encoded_len()
    }
    /// Signs a vote of `kind`; the caller charges one signature.
    pub fn sign(
        chain: ChainId,
        kind: u8,
        view: u64,
        sequence: u64,
        digest: Digest,
        key: &SecretKey,
    ) -> Self {
        Self {
            view,
            sequence,
            digest,
            signature: key.sign(&vote_statement(chain, kind, view, sequence, &digest)),
        }
    }
    /// A vote whose statement is `statement`, signed; the caller charges one signature.
    pub fn over(
        view: u64,
        sequence: u64,
        digest: Digest,
        statement: &Digest,
        key: &SecretKey,
    ) -> Self {
        Self {
            view,
            sequence,
            digest,
            signature: key.sign(statement),
        }
    }
    pub(super) fn vote(&self, kind: u8) -> Vote {
        Vote {
            key: self.signature.key,
            kind,
            view: self.view,
            sequence: self.sequence,
            digest: self.digest,
        }
    }
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.view).u64(self.sequence).digest(&self.digest);
        self.signature.encode(e);
    }
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            view: d.u64()?,
            sequence: d.u64()?,
            digest: d.digest()?,
            signature: Signature::decode(d)?,
        })
    }
}
