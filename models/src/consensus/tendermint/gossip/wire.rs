//! What gossip says beside votes and transactions, and its wire form.

use super::super::message::{PREVOTE, PROPOSAL, Times};
use super::parts::MAX_PARTS;
use crate::consensus::sync::{decode_option, encode_option, option_len};
use crate::consensus::{Ballot, Proposal};
use consim_core::chain::vote_statement;
use consim_core::{
    Certificate, ChainId, CodecError, Decoder, Digest, Encoder, SecretKey, Signature, Vote,
};
use std::sync::Arc;

/// Words of a set in a message (assumed): parts of the largest block, members of a very large group.
pub const MAX_WORDS: usize = 256;
/// Sets of votes in a message (assumed): both kinds of the rounds that are kept, and some more.
pub const MAX_SETS: usize = 16;

/// A PROPOSAL without the block, which comes in parts: what its proposer signs (`Proposal` of CometBFT, whose
/// block identifier holds the header of the set of parts).
#[derive(Debug)]
pub struct Header {
    /// The round.
    pub round: u64,
    /// The height.
    pub height: u64,
    /// The block's digest.
    pub digest: Digest,
    /// How many parts it is cut into.
    pub total: u32,
    /// The root of the tree over them.
    pub root: Digest,
    /// If it is a valid value of an earlier round: the 2f+1 prevotes of that.
    pub valid: Option<Arc<Certificate>>,
    /// If it is a new value, and its time a median: the times of which.
    pub times: Option<Arc<Times>>,
    /// The proposer's signature over all of these but the proofs.
    pub signature: Signature,
    /// The proposer's PREVOTE.
    pub prevote: Signature,
    /// The proposal whole, as its proposer has it; it does not travel.
    pub(in super::super) whole: Option<Arc<Proposal>>,
}

impl Header {
    /// Signs the header of a proposal that is cut into so many parts under this root.
    pub(in super::super) fn sign(
        chain: ChainId,
        proposal: &Arc<Proposal>,
        (valid, times): (Option<&Arc<Certificate>>, Option<&Arc<Times>>),
        (total, root): (u32, Digest),
        key: &SecretKey,
    ) -> Self {
        let mut header = Self {
            round: proposal.view,
            height: proposal.sequence,
            digest: proposal.batch.digest(),
            total,
            root,
            valid: valid.cloned(),
            times: times.cloned(),
            signature: proposal.signature,
            prevote: proposal.signature,
            whole: Some(Arc::clone(proposal)),
        };
        header.signature = key.sign(&header.statement(chain));
        header
    }
    /// What the proposer's signature is for, beside round and height.
    pub(in super::super) fn id(&self) -> Digest {
        let valid = self.valid.as_ref().map_or(u64::MAX, |proof| proof.view);
        Digest::of_parts(&[
            b"consim parts 1",
            &self.digest.0,
            &self.total.to_be_bytes(),
            &self.root.0,
            &valid.to_be_bytes(),
        ])
    }
    /// What the proposer signs.
    pub(in super::super) fn statement(&self, chain: ChainId) -> Digest {
        vote_statement(chain, PROPOSAL, self.round, self.height, &self.id())
    }
    /// What its PREVOTE signs.
    pub(super) fn prevote_statement(&self, chain: ChainId) -> Digest {
        vote_statement(chain, PREVOTE, self.round, self.height, &self.digest)
    }
    /// Its two signatures, as votes.
    pub(in super::super) fn votes(&self) -> [(Vote, Signature); 2] {
        let vote = |kind, digest, signature: Signature| Vote {
            key: signature.key,
            kind,
            view: self.round,
            sequence: self.height,
            digest,
        };
        [
            (vote(PROPOSAL, self.id(), self.signature), self.signature),
            (vote(PREVOTE, self.digest, self.prevote), self.prevote),
        ]
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        let signatures = self.signature.encoded_len() + self.prevote.encoded_len();
        let times = 1 + self.times.as_ref().map_or(0, |times| times.encoded_len());
        8 + 8 + 32 + 4 + 32 + option_len(self.valid.as_ref()) + times + signatures
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.round).u64(self.height).digest(&self.digest);
        e.u32(self.total).digest(&self.root);
        encode_option(e, self.valid.as_ref());
        e.u8(u8::from(self.times.is_some()));
        if let Some(times) = &self.times {
            times.encode(e);
        }
        self.signature.encode(e);
        self.prevote.encode(e);
    }
    /// Reads what [`Self::encode`] wrote.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let (round, height, digest) = (d.u64()?, d.u64()?, d.digest()?);
        let (total, root) = (d.u32()?, d.digest()?);
        if total == 0 || total as usize > MAX_PARTS {
            return Err(CodecError::Invalid("number of parts"));
        }
        Ok(Self {
            round,
            height,
            digest,
            total,
            root,
            valid: decode_option(d)?,
            times: d
                .boolean()?
                .then(|| Times::decode(d).map(Arc::new))
                .transpose()?,
            signature: Signature::decode(d)?,
            prevote: Signature::decode(d)?,
            whole: None,
        })
    }
}

/// Where a member is, and what it has of it: NewRoundStep, HasVote, NewValidBlock and VoteSetBits of CometBFT.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Has {
    /// The height that is under way there.
    pub height: u64,
    /// Its round.
    pub round: u64,
    /// Its step.
    pub step: u8,
    /// Is this all that it has, and not only what is new?
    pub whole: bool,
    /// Does it want to know the same of its peer?
    pub ask: bool,
    /// The parts of the proposal of that round that it has, if it has the proposal.
    pub parts: Option<Vec<u64>>,
    /// Whose votes it has: by round and kind.
    pub votes: Vec<(u64, u8, Vec<u64>)>,
}

fn encode_words(e: &mut Encoder<'_>, words: &[u64]) {
    e.list(words.len());
    for word in words {
        e.u64(*word);
    }
}

fn decode_words(d: &mut Decoder<'_>) -> Result<Vec<u64>, CodecError> {
    let n = d.list(MAX_WORDS, 8)?;
    (0..n).map(|_| d.u64()).collect()
}

impl Has {
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        let words = |words: &[u64]| 4 + 8 * words.len();
        let votes = self.votes.iter().map(|(_, _, bits)| 8 + 1 + words(bits));
        let parts = 1 + self.parts.as_ref().map_or(0, |bits| words(bits));
        8 + 8 + 1 + 1 + 1 + parts + 4 + votes.sum::<usize>()
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.height).u64(self.round).u8(self.step);
        e.u8(u8::from(self.whole)).u8(u8::from(self.ask));
        e.u8(u8::from(self.parts.is_some()));
        if let Some(parts) = &self.parts {
            encode_words(e, parts);
        }
        e.list(self.votes.len());
        for (round, kind, words) in &self.votes {
            e.u64(*round).u8(*kind);
            encode_words(e, words);
        }
    }
    /// Reads what [`Self::encode`] wrote.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let (height, round, step) = (d.u64()?, d.u64()?, d.u8()?);
        let (whole, ask) = (d.boolean()?, d.boolean()?);
        let parts = d.boolean()?.then(|| decode_words(d)).transpose()?;
        let n = d.list(MAX_SETS, 8 + 1 + 4)?;
        let votes = (0..n).map(|_| Ok((d.u64()?, d.u8()?, decode_words(d)?)));
        Ok(Self {
            height,
            round,
            step,
            whole,
            ask,
            parts,
            votes: votes.collect::<Result<_, CodecError>>()?,
        })
    }
}

/// A decision, for a peer in that height: the precommits, and the header of the block that comes in parts.
#[derive(Debug)]
pub struct Commit {
    /// The precommits.
    pub certificate: Arc<Certificate>,
    /// What the block's proposer signed.
    pub header: Arc<Header>,
}

impl Commit {
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        self.certificate.encoded_len() + self.header.encoded_len()
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        self.certificate.encode(e);
        self.header.encode(e);
    }
    /// Reads what [`Self::encode`] wrote.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            certificate: Arc::new(Certificate::decode(d)?),
            header: Arc::new(Header::decode(d)?),
        })
    }
}

/// A vote with its kind.
pub(super) type Cast = (u8, Ballot);
