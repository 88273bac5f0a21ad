//! What a member brings into a round: ROUND-CHANGE, and what justifies a PROPOSAL (arXiv 2002.03613,
//! Algorithms 3 and 4; for IBFT 2.0 arXiv 1909.10194, section 5).

use super::message::ROUND_CHANGE;
use crate::consensus::sync::{decode_option, encode_option, option_len};
use consim_core::chain::vote_statement;
use consim_core::{
    Batch, Certificate, ChainId, CodecError, Decoder, Digest, Encoder, KeyId, SecretKey, Signature,
    Vote,
};
use std::sync::{Arc, OnceLock};

/// ROUND-CHANGEs in one proposal (assumed): more than a quorum of a large group.
pub const MAX_CHANGES: usize = 1_024;

/// The hash of a block with the round in it in which it was put forward (EEA QBFT: the digest of the block with
/// its round replaced): what is put forward again in a later round has another one.
pub fn hash_in_round(block: &Digest, round: u64) -> Digest {
    Digest::of_parts(&[b"consim qbft block 1", &block.0, &round.to_be_bytes()])
}

/// What is signed of a ROUND-CHANGE.
#[derive(Debug)]
pub struct Change {
    /// The height.
    pub height: u64,
    /// The round that its signer goes to.
    pub round: u64,
    /// `pr` and `pv`: the last round in which it saw a value prepared, and the hash of that block in that round.
    pub prepared: Option<(u64, Digest)>,
    /// The prepared certificate, if it stands inside (IBFT 2.0).
    pub inside: Option<Arc<Certificate>>,
    /// Over all of this.
    pub signature: Signature,
    digest: Digest,
    valid: OnceLock<(usize, bool)>,
}

impl Change {
    /// Signs one; the caller charges one signature.
    pub fn sign(
        chain: ChainId,
        (height, round): (u64, u64),
        prepared: Option<(u64, Digest)>,
        inside: Option<Arc<Certificate>>,
        key: &SecretKey,
    ) -> Self {
        let digest = Self::digest_of(key.id(), prepared, inside.as_ref());
        let statement = vote_statement(chain, ROUND_CHANGE, round, height, &digest);
        Self {
            height,
            round,
            prepared,
            inside,
            signature: key.sign(&statement),
            digest,
            valid: OnceLock::new(),
        }
    }
    fn digest_of(
        signer: KeyId,
        prepared: Option<(u64, Digest)>,
        inside: Option<&Arc<Certificate>>,
    ) -> Digest {
        let mut content = Vec::new();
        let mut e = Encoder::new(&mut content);
        encode_prepared(&mut e, prepared);
        encode_option(&mut e, inside);
        let signer = signer.0.to_be_bytes();
        Digest::of_parts(&[b"consim qbft round change 1", &signer, &content])
    }
    /// The vote in it.
    pub fn vote(&self) -> Vote {
        Vote {
            key: self.signature.key,
            kind: ROUND_CHANGE,
            view: self.round,
            sequence: self.height,
            digest: self.digest,
        }
    }
    /// What the signature is over.
    pub(super) fn statement(&self, chain: ChainId) -> Digest {
        vote_statement(chain, ROUND_CHANGE, self.round, self.height, &self.digest)
    }
    /// The result of `check` for certificates of `quorum` votes, remembered with the object: receivers share
    /// it, so the real work is done once although each is charged for it.
    pub(super) fn valid_or(&self, quorum: usize, check: impl Fn(&Self) -> bool) -> bool {
        let &(of, valid) = self.valid.get_or_init(|| (quorum, check(self)));
        if of == quorum { valid } else { check(self) }
    }
    /// Signatures to verify in it.
    pub(super) fn signatures(&self) -> usize {
        1 + self.inside.as_ref().map_or(0, |c| c.signatures.len())
    }
    pub(super) fn encoded_len(&self) -> usize {
        let prepared = 1 + self.prepared.map_or(0, |_| 8 + 32);
        8 + 8 + prepared + option_len(self.inside.as_ref()) + self.signature.encoded_len()
    }
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.height).u64(self.round);
        encode_prepared(e, self.prepared);
        encode_option(e, self.inside.as_ref());
        self.signature.encode(e);
    }
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let (height, round) = (d.u64()?, d.u64()?);
        let there = d.boolean()?;
        let prepared = there.then(|| Ok::<_, CodecError>((d.u64()?, d.digest()?)));
        let prepared = prepared.transpose()?;
        let inside = decode_option(d)?;
        let signature = Signature::decode(d)?;
        Ok(Self {
            height,
            round,
            prepared,
            digest: Self::digest_of(signature.key, prepared, inside.as_ref()),
            inside,
            signature,
            valid: OnceLock::new(),
        })
    }
}

fn encode_prepared(e: &mut Encoder<'_>, prepared: Option<(u64, Digest)>) {
    e.u8(u8::from(prepared.is_some()));
    if let Some((round, hash)) = prepared {
        e.u64(round).digest(&hash);
    }
}

/// A ROUND-CHANGE with what is piggybacked on it.
#[derive(Debug)]
pub struct RoundChange {
    /// What is signed.
    pub change: Arc<Change>,
    /// The prepares, where they do not stand inside (QBFT).
    pub proof: Option<Arc<Certificate>>,
    /// The prepared block.
    pub batch: Option<Arc<Batch>>,
}

impl RoundChange {
    /// The prepares, wherever they stand.
    pub fn prepares(&self) -> Option<&Arc<Certificate>> {
        self.change.inside.as_ref().or(self.proof.as_ref())
    }
    pub(super) fn encoded_len(&self) -> usize {
        let batch = self.batch.as_ref().map_or(0, |batch| batch.encoded_len());
        self.change.encoded_len() + option_len(self.proof.as_ref()) + 1 + batch
    }
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        self.change.encode(e);
        encode_option(e, self.proof.as_ref());
        e.u8(u8::from(self.batch.is_some()));
        if let Some(batch) = &self.batch {
            batch.encode(e);
        }
    }
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let change = Arc::new(Change::decode(d)?);
        let proof = decode_option(d)?;
        let there = d.boolean()?;
        Ok(Self {
            change,
            proof,
            batch: there.then(|| Batch::decode(d).map(Arc::new)).transpose()?,
        })
    }
}

/// Why a value may be put forward in a round after the first (`JustifyPrePrepare`).
#[derive(Debug)]
pub struct Justification {
    /// A quorum of ROUND-CHANGEs for this round.
    pub changes: Vec<Arc<Change>>,
    /// The prepares of the highest round among these, where they do not stand inside (QBFT).
    pub proof: Option<Arc<Certificate>>,
}

impl Justification {
    /// `HighestPrepared`: the last round in which any of them saw a value prepared.
    pub fn highest(&self) -> Option<&Arc<Change>> {
        highest(self.changes.iter())
    }
    pub(super) fn encoded_len(&self) -> usize {
        let changes = self.changes.iter().map(|change| change.encoded_len());
        4 + changes.sum::<usize>() + option_len(self.proof.as_ref())
    }
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        e.list(self.changes.len());
        for change in &self.changes {
            change.encode(e);
        }
        encode_option(e, self.proof.as_ref());
    }
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let n = d.list(MAX_CHANGES, 8 + 8 + 1 + 1 + Signature::LEAST_ENCODED)?;
        let changes = (0..n).map(|_| Change::decode(d).map(Arc::new));
        Ok(Self {
            changes: changes.collect::<Result<_, _>>()?,
            proof: decode_option(d)?,
        })
    }
}

/// The one of the highest prepared round, if any has one; the first of equals.
pub(super) fn highest<'a>(
    changes: impl Iterator<Item = &'a Arc<Change>>,
) -> Option<&'a Arc<Change>> {
    let mut best: Option<(u64, &Arc<Change>)> = None;
    for change in changes {
        if let Some((round, _)) = change.prepared
            && best.is_none_or(|(highest, _)| highest < round)
        {
            best = Some((round, change));
        }
    }
    best.map(|(_, change)| change)
}
