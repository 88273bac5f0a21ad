//! What replicas send each other, and its wire form.
//!
//! Every message begins with version, family, kind (3 bytes) and the chain (2 bytes).

use super::announced::Announced;
use super::config::MAX_CHAIN;
use super::evidence;
use super::proposal::{
    Ballot, Proposal, Timeout, TimeoutCertificate, decode_timeouts, encode_timeouts,
};
use crate::consensus::CheckpointHead;
use crate::consensus::mempool::MAX_FORWARD;
use crate::consensus::payload;
use crate::consensus::sync::{MAX_WANTED, decode_option, encode_option, option_len};
pub use crate::consensus::{Blocks, StateHead, StateParts};
use crate::ledger::state::parts::Prefix;
use consim_core::chain::Link;
use consim_core::{
    Certificate, ChainId, CodecError, Decoder, Digest, Encoder, Evidence, Payload, Signature, Tx,
    Vote,
};
use std::any::Any;
use std::sync::Arc;

/// The family byte of HotStuff's messages.
pub const FAMILY: u8 = 7;

/// The bytes of version, family, kind and chain.
const HEAD: usize = 3 + 2;

/// A message of one chain.
#[derive(Debug)]
pub struct Message {
    /// The chain.
    pub chain: ChainId,
    /// The kind of this chain's votes, which says by how many phases they commit.
    pub votes: u8,
    /// What it says.
    pub body: Body,
}

/// What a message says. Large bodies are behind `Arc`, because replicas keep and pass them on.
#[derive(Debug)]
pub enum Body {
    /// The leader of a view puts a batch forward.
    Proposal(Arc<Proposal>),
    /// A member votes, to the leader of the next view.
    Vote(Ballot),
    /// A member gives a view up.
    Timeout(Arc<Timeout>),
    /// A replica has executed up to a checkpoint: the ballot's view is its sequence number.
    Checkpoint(Ballot),
    /// Transactions for the leader, or for everybody.
    Forward {
        /// The transactions.
        txs: Vec<Arc<Tx>>,
        /// Do all members get them?
        to_all: bool,
    },
    /// How far a replica is.
    Status(Status),
    /// A replica that is behind asks for committed batches.
    FetchBlocks {
        /// The first sequence number that it wants.
        from: u64,
    },
    /// Committed batches with their certificates.
    Blocks(Blocks),
    /// A replica misses a proposal that others build on.
    FetchChain {
        /// Its link's digest.
        id: Digest,
        /// The last sequence number that it has committed.
        above: u64,
    },
    /// The proposal that was asked for, and those that it builds on, in descending order.
    Chain {
        /// The proposals.
        proposals: Vec<Arc<Proposal>>,
        /// The last sequence number that the sender has committed.
        executed: u64,
    },
    /// The same, where payload travels apart: by the digests of what holds their transactions.
    Branch {
        /// The proposals.
        proposals: Vec<Arc<Announced>>,
        /// The last sequence number that the sender has committed.
        executed: u64,
    },
    /// A replica that is far behind asks for parts of the state at a stable checkpoint.
    FetchState {
        /// The checkpoint.
        sequence: u64,
        /// Which subtrees; at first none, to get the head.
        wanted: Vec<Prefix>,
    },
    /// Parts of a state.
    State(StateParts<Head>),
    /// The leader of a view puts a batch forward, whose transactions it names by digest.
    Announced(Arc<Announced>),
    /// Of payload that travels apart from proposals.
    Payload(payload::Message),
}

/// How far a replica is.
#[derive(Clone, Debug)]
pub struct Status {
    /// Its view.
    pub view: u64,
    /// The last sequence number that it has committed.
    pub executed: u64,
    /// Its last stable checkpoint.
    pub stable: u64,
    /// Does it want an answer?
    pub ask: bool,
    /// Its highest certificate, for one that is in an older view.
    pub high: Option<Arc<Certificate>>,
    /// That the view before its own failed, for the same.
    pub entered: Option<Arc<TimeoutCertificate>>,
    /// The proof of its stable checkpoint, for one that lacks it.
    pub proof: Option<Arc<Certificate>>,
}

/// What a checkpoint proves, but for the entries of the state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// The ledger's.
    pub state: StateHead,
    /// The proposal after which it stands.
    pub link: Link,
}

impl CheckpointHead for Head {
    fn digest(&self) -> Digest {
        let (state, link) = (self.state.digest(), self.link.id());
        Digest::of_parts(&[b"consim hotstuff checkpoint 1", &state.0, &link.0])
    }
    fn state(&self) -> &StateHead {
        &self.state
    }
    fn encoded_len(&self) -> usize {
        self.state.encoded_len() + self.link.encoded_len()
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        self.state.encode(e);
        self.link.encode(e);
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            state: StateHead::decode(d)?,
            link: Link::decode(d)?,
        })
    }
}

impl Status {
    fn encoded_len(&self) -> usize {
        let entered = self.entered.as_ref().map_or(0, |t| t.encoded_len());
        let (high, proof) = (
            option_len(self.high.as_ref()),
            option_len(self.proof.as_ref()),
        );
        8 + 8 + 8 + 1 + high + 1 + entered + proof
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.view).u64(self.executed).u64(self.stable);
        e.u8(u8::from(self.ask));
        encode_option(e, self.high.as_ref());
        encode_timeouts(e, self.entered.as_ref());
        encode_option(e, self.proof.as_ref());
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            view: d.u64()?,
            executed: d.u64()?,
            stable: d.u64()?,
            ask: d.boolean()?,
            high: decode_option(d)?,
            entered: decode_timeouts(d)?,
            proof: decode_option(d)?,
        })
    }
}

impl Message {
    /// Reads a message; malformed bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let (mut d, kind) = Decoder::message(bytes, FAMILY)?;
        let chain = ChainId(d.u16()?);
        let votes = d.u8()?;
        if consim_core::chain::chained(votes).is_none() {
            return Err(CodecError::Tag(votes));
        }
        let body = Body::decode(kind, &mut d)?;
        d.end()?;
        Ok(Self { chain, votes, body })
    }
}

/// The least bytes of an encoded proposal.
const PROPOSAL: usize = Link::LEAST_ENCODED + 48 + 2 + Signature::LEAST_ENCODED;
/// The least bytes of one by digests.
const ANNOUNCED: usize = Link::LEAST_ENCODED + 52 + 2 + Signature::LEAST_ENCODED;

impl Body {
    fn tag(&self) -> u8 {
        match self {
            Self::Proposal(_) => 0,
            Self::Vote(_) => 1,
            Self::Timeout(_) => 2,
            Self::Checkpoint(_) => 3,
            Self::Forward { .. } => 4,
            Self::Status(_) => 5,
            Self::FetchBlocks { .. } => 6,
            Self::Blocks(_) => 7,
            Self::FetchChain { .. } => 8,
            Self::Chain { .. } => 9,
            Self::FetchState { .. } => 10,
            Self::State(_) => 11,
            Self::Announced(_) => 12,
            Self::Payload(_) => 13,
            Self::Branch { .. } => 14,
        }
    }
    fn decode(kind: u8, d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match kind {
            0 => Self::Proposal(Arc::new(Proposal::decode(d)?)),
            1 => Self::Vote(Ballot::decode(d)?),
            2 => Self::Timeout(Arc::new(Timeout::decode(d)?)),
            3 => Self::Checkpoint(Ballot::decode(d)?),
            4 => {
                let to_all = d.boolean()?;
                let n = d.list(MAX_FORWARD, 26 + Signature::LEAST_ENCODED)?;
                let txs = (0..n).map(|_| Tx::decode(d).map(Arc::new));
                Self::Forward {
                    txs: txs.collect::<Result<_, _>>()?,
                    to_all,
                }
            }
            5 => Self::Status(Status::decode(d)?),
            6 => Self::FetchBlocks { from: d.u64()? },
            7 => Self::Blocks(Blocks::decode(d)?),
            8 => Self::FetchChain {
                id: d.digest()?,
                above: d.u64()?,
            },
            9 => {
                let n = d.list(MAX_CHAIN, PROPOSAL)?;
                let proposals = (0..n).map(|_| Proposal::decode(d).map(Arc::new));
                Self::Chain {
                    proposals: proposals.collect::<Result<_, _>>()?,
                    executed: d.u64()?,
                }
            }
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
            12 => Self::Announced(Arc::new(Announced::decode(d)?)),
            13 => Self::Payload(payload::Message::decode(d)?),
            14 => {
                let n = d.list(MAX_CHAIN, ANNOUNCED)?;
                let proposals = (0..n).map(|_| Announced::decode(d).map(Arc::new));
                Self::Branch {
                    proposals: proposals.collect::<Result<_, _>>()?,
                    executed: d.u64()?,
                }
            }
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}

/// The words of the kinds of messages.
pub const KINDS: &[&str] = &[
    "proposal",
    "vote",
    "timeout",
    "checkpoint",
    "forward",
    "status",
    "fetch-blocks",
    "blocks",
    "fetch-chain",
    "chain",
    "fetch-state",
    "state",
    "batch",
    "acknowledgement",
    "availability",
    "fetch-payload",
    "payload",
];

impl Payload for Message {
    fn kind(&self) -> &'static str {
        match &self.body {
            Body::Proposal(_) | Body::Announced(_) => "proposal",
            Body::Vote(_) => "vote",
            Body::Timeout(_) => "timeout",
            Body::Checkpoint(_) => "checkpoint",
            Body::Forward { .. } => "forward",
            Body::Status(_) => "status",
            Body::FetchBlocks { .. } => "fetch-blocks",
            Body::Blocks(_) => "blocks",
            Body::FetchChain { .. } => "fetch-chain",
            Body::Chain { .. } | Body::Branch { .. } => "chain",
            Body::FetchState { .. } => "fetch-state",
            Body::State(_) => "state",
            Body::Payload(message) => message.kind(),
        }
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = Encoder::message(out, FAMILY, self.body.tag());
        e.u16(self.chain.0).u8(self.votes);
        match &self.body {
            Body::Proposal(proposal) => proposal.encode(&mut e),
            Body::Vote(ballot) | Body::Checkpoint(ballot) => ballot.encode(&mut e),
            Body::Timeout(timeout) => timeout.encode(&mut e),
            Body::Forward { txs, to_all } => {
                e.u8(u8::from(*to_all)).list(txs.len());
                for tx in txs {
                    tx.encode(&mut e);
                }
            }
            Body::Status(status) => status.encode(&mut e),
            Body::FetchBlocks { from } => {
                e.u64(*from);
            }
            Body::Blocks(blocks) => blocks.encode(&mut e),
            Body::FetchChain { id, above } => {
                e.digest(id).u64(*above);
            }
            Body::Chain {
                proposals,
                executed,
            } => {
                e.list(proposals.len());
                for proposal in proposals {
                    proposal.encode(&mut e);
                }
                e.u64(*executed);
            }
            Body::Branch {
                proposals,
                executed,
            } => {
                e.list(proposals.len());
                for announced in proposals {
                    announced.encode(&mut e);
                }
                e.u64(*executed);
            }
            Body::FetchState { sequence, wanted } => {
                e.u64(*sequence).list(wanted.len());
                for prefix in wanted {
                    prefix.encode(&mut e);
                }
            }
            Body::State(state) => state.encode(&mut e),
            Body::Announced(announced) => announced.encode(&mut e),
            Body::Payload(message) => message.encode(&mut e),
        }
    }
    fn encoded_len(&self) -> usize {
        HEAD + 1
            + match &self.body {
                Body::Proposal(proposal) => proposal.encoded_len(),
                Body::Vote(ballot) | Body::Checkpoint(ballot) => ballot.encoded_len(),
                Body::Timeout(timeout) => timeout.encoded_len(),
                Body::Forward { txs, .. } => {
                    1 + 4 + txs.iter().map(|t| t.encoded_len()).sum::<usize>()
                }
                Body::Status(status) => status.encoded_len(),
                Body::FetchBlocks { .. } => 8,
                Body::Blocks(blocks) => blocks.encoded_len(),
                Body::FetchChain { .. } => 32 + 8,
                Body::Chain { proposals, .. } => {
                    4 + proposals.iter().map(|p| p.encoded_len()).sum::<usize>() + 8
                }
                Body::Branch { proposals, .. } => {
                    4 + proposals.iter().map(|p| p.encoded_len()).sum::<usize>() + 8
                }
                Body::FetchState { wanted, .. } => {
                    8 + 4 + wanted.iter().map(Prefix::encoded_len).sum::<usize>()
                }
                Body::State(state) => state.encoded_len(),
                Body::Announced(announced) => announced.encoded_len(),
                Body::Payload(message) => message.encoded_len(),
            }
    }
    fn lane(&self) -> u8 {
        // The mempool layer is a program of its own, as Narwhal's is: no vote waits for a batch.
        u8::from(matches!(self.body, Body::Payload(_)))
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
