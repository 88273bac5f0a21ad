//! What replicas send each other, and its wire form.
//!
//! Every message begins with version, family, kind (3 bytes) and the chain (2 bytes).

use super::evidence;
pub use super::gossip::{Commit, Has, Header, Part};
pub use super::times::{STAMP, Stamp, Times};
use crate::consensus::forward::{decode_txs, encode_txs, txs_len};
use crate::consensus::proposal::{FIRST, SECOND};
use crate::consensus::roster::{decode_links, encode_links, links_len};
use crate::consensus::sync::{MAX_WANTED, decode_option, encode_option, option_len};
pub use crate::consensus::{Ballot, Blocks, Proposal, StateHead, StateParts};
use crate::ledger::state::parts::Prefix;
use consim_core::{
    Batch, Certificate, ChainId, CodecError, Committed, Decoder, Digest, Encoder, Evidence,
    Payload, Signature, Tx, Vote,
};
use std::any::Any;
use std::sync::Arc;

/// The family byte of Tendermint's messages.
pub const FAMILY: u8 = 9;

/// The vote kind of PREVOTE; the proposer gives its own with the PROPOSAL.
pub const PREVOTE: u8 = FIRST;
/// The vote kind of PRECOMMIT, and of the certificates that blocks carry.
pub const PRECOMMIT: u8 = SECOND;
/// The vote kind of checkpoints (view 0; the digest is the state's).
pub const CHECKPOINT: u8 = 3;

/// The kind of what proposers sign of a block in parts (`gossip/wire.rs`).
pub const PROPOSAL: u8 = 4;

/// What is voted for if no value can be: `nil` of the paper.
pub const NIL: Digest = Digest([0; 32]);

/// Votes in one message (assumed): both kinds of two rounds of a large group.
pub const MAX_VOTES: usize = 4_096;

/// The bytes of version, family, kind and chain.
const HEAD: usize = 3 + 2;

/// A message of one chain.
#[derive(Debug)]
pub struct Message {
    /// The chain.
    pub chain: ChainId,
    /// What it says.
    pub body: Body,
}

/// What a message says. Large bodies are behind `Arc`, because replicas keep and pass them on. The view of a
/// ballot and of a proposal is the round, its sequence number the height.
#[derive(Debug)]
pub enum Body {
    /// The proposer of a round puts a value forward (arXiv 1807.04938, line 19).
    Proposal {
        /// The value, with the proposer's PREVOTE.
        proposal: Arc<Proposal>,
        /// If it is a valid value of an earlier round: the 2f+1 prevotes of that, `validRound`.
        valid: Option<Arc<Certificate>>,
        /// If it is a new value, and its time a median: the times of which.
        times: Option<Arc<Times>>,
    },
    /// A vote of the first step (lines 24, 26, 30, 32 and 59).
    Prevote(Ballot),
    /// A vote of the second step (lines 40, 45 and 63).
    /// For a value, it comes with the member's time, if that counts.
    Precommit(Ballot, Option<Stamp>),
    /// A replica has executed up to a checkpoint; `view` is 0, `digest` the state.
    Checkpoint(Ballot),
    /// A valid value with its 2f+1 prevotes, for those that have not heard them all.
    Polka(Arc<Polka>),
    /// Votes in one height, of whomever, for a member that lacks some of them.
    Votes(Vec<(u8, Ballot)>),
    /// Transactions.
    Forward {
        /// The transactions.
        txs: Vec<Arc<Tx>>,
        /// Do all members get them?
        to_all: bool,
    },
    /// How far a replica is.
    Status(Status),
    /// A replica that is behind asks for decided batches.
    FetchBlocks {
        /// The first sequence number that it wants.
        from: u64,
    },
    /// Decided batches with their certificates.
    Blocks(Blocks),
    /// A replica that is far behind asks for parts of the state at a stable checkpoint.
    FetchState {
        /// The checkpoint.
        sequence: u64,
        /// Which subtrees; at first none, to get the head.
        wanted: Vec<Prefix>,
    },
    /// Parts of a state.
    State(StateParts<StateHead>),
    /// The blocks with changes of the members, one after the other, for one that lacks them.
    Links(Vec<Arc<Committed>>),
    /// A member that has to put a value forward lacks times of the height before it.
    FetchTime {
        /// That height.
        height: u64,
    },
    /// A member's time for a height that is decided.
    Time {
        /// The height.
        height: u64,
        /// Its value.
        digest: Digest,
        /// The time.
        stamp: Stamp,
    },
    /// A PROPOSAL whose block comes in parts.
    Header(Arc<Header>),
    /// A part of a block.
    Part {
        /// Of the block of this height...
        height: u64,
        /// ...and round.
        round: u64,
        /// The part.
        part: Arc<Part>,
    },
    /// Where a member is, and what it has.
    Has(Box<Has>),
    /// A decision whose block comes in parts.
    Commit(Box<Commit>),
    /// Times of members that precommitted a value, from peer to peer.
    Stamps {
        /// The height.
        height: u64,
        /// The value.
        digest: Digest,
        /// The times.
        stamps: Vec<Stamp>,
    },
}

/// A value that 2f+1 members prevoted in one round.
#[derive(Debug)]
pub struct Polka {
    /// The prevotes.
    pub proof: Arc<Certificate>,
    /// The value.
    pub batch: Arc<Batch>,
}

impl Polka {
    fn encoded_len(&self) -> usize {
        self.proof.encoded_len() + self.batch.encoded_len()
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        self.proof.encode(e);
        self.batch.encode(e);
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            proof: Arc::new(Certificate::decode(d)?),
            batch: Arc::new(Batch::decode(d)?),
        })
    }
}

/// How far a replica is.
#[derive(Clone, Debug)]
pub struct Status {
    /// The last height that it decided.
    pub executed: u64,
    /// Its round in the height after that.
    pub round: u64,
    /// Its `validRound` there.
    pub valid: Option<u64>,
    /// Its last stable checkpoint.
    pub stable: u64,
    /// The last change of the members that it knows of.
    pub change: u64,
    /// Does it want an answer?
    pub ask: bool,
    /// The proof of that checkpoint, for a peer that lacks it.
    pub proof: Option<Arc<Certificate>>,
    /// The proof of its last decision, for a peer that is behind.
    pub decided: Option<Arc<Certificate>>,
}

impl Status {
    fn encoded_len(&self) -> usize {
        let valid = self.valid.map_or(0, |_| 8);
        let proofs = option_len(self.proof.as_ref()) + option_len(self.decided.as_ref());
        8 + 8 + 1 + valid + 8 + 8 + 1 + proofs
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.executed).u64(self.round);
        e.u8(u8::from(self.valid.is_some()));
        if let Some(valid) = self.valid {
            e.u64(valid);
        }
        e.u64(self.stable).u64(self.change).u8(u8::from(self.ask));
        encode_option(e, self.proof.as_ref());
        encode_option(e, self.decided.as_ref());
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            executed: d.u64()?,
            round: d.u64()?,
            valid: d.boolean()?.then(|| d.u64()).transpose()?,
            stable: d.u64()?,
            change: d.u64()?,
            ask: d.boolean()?,
            proof: decode_option(d)?,
            decided: decode_option(d)?,
        })
    }
}

impl Message {
    /// Reads a message; malformed bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let (mut d, kind) = Decoder::message(bytes, FAMILY)?;
        let chain = ChainId(d.u16()?);
        let body = Body::decode(kind, &mut d)?;
        d.end()?;
        Ok(Self { chain, body })
    }
}

impl Body {
    fn tag(&self) -> u8 {
        match self {
            Self::Proposal { .. } => 0,
            Self::Prevote(_) => 1,
            Self::Precommit(..) => 2,
            Self::Checkpoint(_) => 3,
            Self::Polka(_) => 4,
            Self::Votes(_) => 5,
            Self::Forward { .. } => 6,
            Self::Status(_) => 7,
            Self::FetchBlocks { .. } => 8,
            Self::Blocks(_) => 9,
            Self::FetchState { .. } => 10,
            Self::State(_) => 11,
            Self::Links(_) => 12,
            Self::FetchTime { .. } => 13,
            Self::Time { .. } => 14,
            Self::Header(_) => 15,
            Self::Part { .. } => 16,
            Self::Has(_) => 17,
            Self::Commit(_) => 18,
            Self::Stamps { .. } => 19,
        }
    }
    fn decode(kind: u8, d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match kind {
            0 => Self::Proposal {
                proposal: Arc::new(Proposal::decode(d)?),
                valid: decode_option(d)?,
                times: optional(d, Times::decode)?.map(Arc::new),
            },
            1 => Self::Prevote(Ballot::decode(d)?),
            2 => Self::Precommit(Ballot::decode(d)?, optional(d, Stamp::decode)?),
            3 => Self::Checkpoint(Ballot::decode(d)?),
            4 => Self::Polka(Arc::new(Polka::decode(d)?)),
            5 => {
                let n = d.list(MAX_VOTES, 1 + 8 + 8 + 32 + Signature::LEAST_ENCODED)?;
                let votes = (0..n).map(|_| Ok((d.u8()?, Ballot::decode(d)?)));
                Self::Votes(votes.collect::<Result<_, CodecError>>()?)
            }
            6 => {
                let to_all = d.boolean()?;
                let txs = decode_txs(d)?;
                Self::Forward { txs, to_all }
            }
            7 => Self::Status(Status::decode(d)?),
            8 => Self::FetchBlocks { from: d.u64()? },
            9 => Self::Blocks(Blocks::decode(d)?),
            10 => Self::FetchState {
                sequence: d.u64()?,
                wanted: {
                    let n = d.list(MAX_WANTED, 1)?;
                    (0..n)
                        .map(|_| Prefix::decode(d))
                        .collect::<Result<_, _>>()?
                },
            },
            11 => Self::State(StateParts::decode(d)?),
            12 => Self::Links(decode_links(d)?),
            13 => Self::FetchTime { height: d.u64()? },
            14 => Self::Time {
                height: d.u64()?,
                digest: d.digest()?,
                stamp: Stamp::decode(d)?,
            },
            15 => Self::Header(Arc::new(Header::decode(d)?)),
            16 => Self::Part {
                height: d.u64()?,
                round: d.u64()?,
                part: Arc::new(Part::decode(d)?),
            },
            17 => Self::Has(Box::new(Has::decode(d)?)),
            18 => Self::Commit(Box::new(Commit::decode(d)?)),
            19 => Self::Stamps {
                height: d.u64()?,
                digest: d.digest()?,
                stamps: {
                    let n = d.list(MAX_VOTES, Stamp::LEAST_ENCODED)?;
                    (0..n).map(|_| Stamp::decode(d)).collect::<Result<_, _>>()?
                },
            },
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}

/// Reads what may be there.
fn optional<T>(
    d: &mut Decoder<'_>,
    read: impl FnOnce(&mut Decoder<'_>) -> Result<T, CodecError>,
) -> Result<Option<T>, CodecError> {
    d.boolean()?.then(|| read(d)).transpose()
}

/// The words of the kinds of messages.
pub const KINDS: &[&str] = &[
    "proposal",
    "prevote",
    "precommit",
    "checkpoint",
    "polka",
    "votes",
    "forward",
    "status",
    "fetch-blocks",
    "blocks",
    "fetch-state",
    "state",
    "links",
    "fetch-time",
    "time",
    "header",
    "part",
    "has",
    "commit",
    "stamps",
];

impl Message {
    /// Writes what each begins with.
    fn begin<'a>(&self, out: &'a mut Vec<u8>) -> Encoder<'a> {
        let mut e = Encoder::message(out, FAMILY, self.body.tag());
        e.u16(self.chain.0);
        e
    }
}

impl Payload for Message {
    fn kind(&self) -> &'static str {
        let tag = usize::from(self.body.tag());
        KINDS.get(tag).copied().unwrap_or_default()
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = self.begin(out);
        match &self.body {
            Body::Proposal {
                proposal,
                valid,
                times,
            } => {
                proposal.encode(&mut e);
                encode_option(&mut e, valid.as_ref());
                e.u8(u8::from(times.is_some()));
                if let Some(times) = times {
                    times.encode(&mut e);
                }
            }
            Body::Precommit(b, stamp) => {
                b.encode(&mut e);
                e.u8(u8::from(stamp.is_some()));
                if let Some(stamp) = stamp {
                    stamp.encode(&mut e);
                }
            }
            Body::Prevote(b) | Body::Checkpoint(b) => b.encode(&mut e),
            Body::Polka(polka) => polka.encode(&mut e),
            Body::Votes(votes) => {
                e.list(votes.len());
                for (kind, ballot) in votes {
                    e.u8(*kind);
                    ballot.encode(&mut e);
                }
            }
            Body::Forward { txs, to_all } => {
                e.u8(u8::from(*to_all));
                encode_txs(&mut e, txs);
            }
            Body::Status(status) => status.encode(&mut e),
            Body::FetchBlocks { from: number } | Body::FetchTime { height: number } => {
                e.u64(*number);
            }
            Body::Time {
                height,
                digest,
                stamp,
            } => {
                e.u64(*height).digest(digest);
                stamp.encode(&mut e);
            }
            Body::Blocks(blocks) => blocks.encode(&mut e),
            Body::FetchState { sequence, wanted } => {
                e.u64(*sequence).list(wanted.len());
                for prefix in wanted {
                    prefix.encode(&mut e);
                }
            }
            Body::State(state) => state.encode(&mut e),
            Body::Links(links) => encode_links(&mut e, links),
            Body::Header(header) => header.encode(&mut e),
            Body::Part {
                height,
                round,
                part,
            } => {
                e.u64(*height).u64(*round);
                part.encode(&mut e);
            }
            Body::Has(has) => has.encode(&mut e),
            Body::Commit(commit) => commit.encode(&mut e),
            Body::Stamps {
                height,
                digest,
                stamps,
            } => {
                e.u64(*height).digest(digest).list(stamps.len());
                for stamp in stamps {
                    stamp.encode(&mut e);
                }
            }
        }
    }
    fn encoded_len(&self) -> usize {
        HEAD + match &self.body {
            Body::Proposal {
                proposal,
                valid,
                times,
            } => {
                let times = 1 + times.as_ref().map_or(0, |times| times.encoded_len());
                proposal.encoded_len() + option_len(valid.as_ref()) + times
            }
            Body::Precommit(b, stamp) => {
                b.encoded_len() + 1 + stamp.as_ref().map_or(0, Stamp::encoded_len)
            }
            Body::Prevote(b) | Body::Checkpoint(b) => b.encoded_len(),
            Body::Polka(polka) => polka.encoded_len(),
            Body::Votes(votes) => {
                let votes = votes.iter().map(|(_, ballot)| 1 + ballot.encoded_len());
                4 + votes.sum::<usize>()
            }
            Body::Forward { txs, .. } => 1 + txs_len(txs),
            Body::Status(status) => status.encoded_len(),
            Body::FetchBlocks { .. } | Body::FetchTime { .. } => 8,
            Body::Time { stamp, .. } => 8 + 32 + stamp.encoded_len(),
            Body::Blocks(blocks) => blocks.encoded_len(),
            Body::FetchState { wanted, .. } => {
                8 + 4 + wanted.iter().map(Prefix::encoded_len).sum::<usize>()
            }
            Body::State(state) => state.encoded_len(),
            Body::Links(links) => links_len(links),
            Body::Header(header) => header.encoded_len(),
            Body::Part { part, .. } => 8 + 8 + part.encoded_len(),
            Body::Has(has) => has.encoded_len(),
            Body::Commit(commit) => commit.encoded_len(),
            Body::Stamps { stamps, .. } => {
                8 + 32 + 4 + stamps.iter().map(Stamp::encoded_len).sum::<usize>()
            }
        }
    }
    fn encode_hashed(&self, out: &mut Vec<u8>) -> bool {
        // What goes from peer to peer goes many times.
        match &self.body {
            Body::Part {
                height,
                round,
                part,
            } => {
                let mut e = self.begin(out);
                e.u64(*height).u64(*round);
                part.encode_hashed(&mut e);
            }
            Body::Forward { txs, to_all } => {
                let mut e = self.begin(out);
                e.u8(u8::from(*to_all)).list(txs.len());
                for tx in txs {
                    tx.encode_hashed(&mut e);
                }
            }
            _ => return false,
        }
        true
    }
    fn votes(&self, each: &mut dyn FnMut(ChainId, Vote)) {
        evidence::votes(self, &mut |vote| each(self.chain, vote));
    }
    fn evidence(&self, each: &mut dyn FnMut(Evidence)) {
        evidence::statements(self, each);
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
