//! A leader's proposal in a protocol of two phases of votes.

use consim_core::chain::vote_statement;
use consim_core::{Batch, ChainId, CodecError, Decoder, Digest, Encoder, Signature, Vote};
use std::sync::{Arc, OnceLock};

/// The kind of votes that accept what was put forward; the proposer gives its own with the proposal.
pub(super) const FIRST: u8 = 1;
/// The kind of votes of those who know that a quorum accepts it.
pub(super) const SECOND: u8 = 2;

/// A proposal with its proposer's own vote for it.
#[derive(Debug)]
pub struct Proposal {
    /// The view.
    pub view: u64,
    /// The sequence number.
    pub sequence: u64,
    /// The batch.
    pub batch: Arc<Batch>,
    /// The proposer's vote of kind `FIRST`.
    pub signature: Signature,
    statements: OnceLock<Statements>,
}

/// What the votes for one digest at one sequence number in one view sign.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statements {
    chain: ChainId,
    pub(super) first: Digest,
    pub(super) second: Digest,
}

impl Statements {
    pub(super) fn of(chain: ChainId, view: u64, sequence: u64, digest: &Digest) -> Self {
        let of = |kind| vote_statement(chain, kind, view, sequence, digest);
        Self {
            chain,
            first: of(FIRST),
            second: of(SECOND),
        }
    }
}

impl Proposal {
    /// A proposal with its proposer's own vote for it.
    pub fn new(view: u64, sequence: u64, batch: Arc<Batch>, signature: Signature) -> Self {
        Self {
            view,
            sequence,
            batch,
            signature,
            statements: OnceLock::new(),
        }
    }
    /// What votes for it sign on `chain`: hashed once and remembered, since receivers share the
    /// object.
    pub(super) fn statements(&self, chain: ChainId) -> Statements {
        let of = || Statements::of(chain, self.view, self.sequence, &self.batch.digest());
        let known = *self.statements.get_or_init(of);
        if known.chain == chain { known } else { of() }
    }
    /// The encoded length: view, sequence number, batch, signature.
    pub fn encoded_len(&self) -> usize {
        8 + 8 + self.batch.encoded_len() + self.signature.encoded_len()
    }
    /// Appends the wire form.
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.view).u64(self.sequence);
        self.batch.encode(e);
        self.signature.encode(e);
    }
    /// Reads what [`Self::encode`] wrote.
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self::new(
            d.u64()?,
            d.u64()?,
            Arc::new(Batch::decode(d)?),
            Signature::decode(d)?,
        ))
    }
    /// The vote in it.
    pub(super) fn vote(&self) -> Vote {
        Vote {
            key: self.signature.key,
            kind: FIRST,
            view: self.view,
            sequence: self.sequence,
            digest: self.batch.digest(),
        }
    }
}
