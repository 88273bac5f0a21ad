//! What replicas send each other, and its wire form.
//!
//! Every message begins with version, family, kind (3 bytes) and the chain (2 bytes).

use super::collect::{StopData, Sync};
use super::evidence;
use crate::consensus::forward::{decode_txs, encode_txs, txs_len};
use crate::consensus::proposal::{FIRST, SECOND};
use crate::consensus::roster::{decode_links, encode_links, links_len};
use crate::consensus::sync::{MAX_WANTED, decode_option, encode_option, option_len};
pub use crate::consensus::{Ballot, Blocks, Proposal, StateHead, StateParts};
use crate::ledger::state::parts::Prefix;
use consim_core::{
    Certificate, ChainId, CodecError, Committed, Decoder, Encoder, Evidence, Handover, Payload, Tx,
    Vote,
};
use std::any::Any;
use std::sync::Arc;

/// The family byte of BFT-SMaRt's messages.
pub const FAMILY: u8 = 8;

/// The vote kind of WRITE; the leader gives its own with the PROPOSE.
pub const WRITE: u8 = FIRST;
/// The vote kind of ACCEPT, and of the certificates that blocks carry.
pub const ACCEPT: u8 = SECOND;
/// The vote kind of checkpoints (view 0; the digest is the state's).
pub const CHECKPOINT: u8 = 3;
/// The vote kind of STOP-DATA (sequence 0; the digest is the collect's).
pub const STOP_DATA: u8 = 4;
/// The vote kind of SYNC (sequence 0; the digest is the message's).
pub const SYNC: u8 = 5;

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

/// What a message says. Large bodies are behind `Arc`, because replicas keep and pass them on. A ballot's
/// view is the regency.
#[derive(Debug)]
pub enum Body {
    /// The leader puts a batch forward (DSN 2014, figure 2).
    Propose(Arc<Proposal>),
    /// A replica accepts what was put forward.
    Write(Ballot),
    /// A replica has a write proof.
    Accept(Ballot),
    /// A replica has executed up to a checkpoint; `view` is 0, `digest` the state.
    Checkpoint(Ballot),
    /// A replica asks for a regency, since requests timed out twice (EDCC 2012, Algorithm 2, line 5).
    Stop {
        /// The regency.
        regency: u64,
        /// The requests.
        txs: Vec<Arc<Tx>>,
    },
    /// A replica tells the leader of a regency what it brings along (line 16).
    StopData(Arc<StopData>),
    /// The leader begins its regency (line 21).
    Sync(Arc<Sync>),
    /// Requests.
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
}

/// How far a replica is.
#[derive(Clone, Debug)]
pub struct Status {
    /// Its regency.
    pub regency: u64,
    /// Has that begun?
    pub active: bool,
    /// The regency that it asks for; its own if it asks for no other.
    pub asks: u64,
    /// The last consensus that it decided.
    pub executed: u64,
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
        let change = if self.change > 0 { 8 } else { 0 };
        let proofs = option_len(self.proof.as_ref()) + option_len(self.decided.as_ref());
        8 + 1 + 8 + 8 + 8 + 1 + change + proofs
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.regency).u8(u8::from(self.active)).u64(self.asks);
        // The change is there if there is one, as the second bit says.
        let flags = u8::from(self.ask) | (u8::from(self.change > 0) << 1);
        e.u64(self.executed).u64(self.stable).u8(flags);
        if self.change > 0 {
            e.u64(self.change);
        }
        encode_option(e, self.proof.as_ref());
        encode_option(e, self.decided.as_ref());
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let (regency, active, asks) = (d.u64()?, d.boolean()?, d.u64()?);
        let (executed, stable, flags) = (d.u64()?, d.u64()?, d.u8()?);
        let change = match flags {
            0 | 1 => 0,
            2 | 3 => d.u64()?,
            _ => return Err(CodecError::Tag(flags)),
        };
        // Only one encoding of each.
        if flags > 1 && change == 0 {
            return Err(CodecError::Tag(flags));
        }
        Ok(Self {
            regency,
            active,
            asks,
            executed,
            stable,
            change,
            ask: flags & 1 != 0,
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
            Self::Propose(_) => 0,
            Self::Write(_) => 1,
            Self::Accept(_) => 2,
            Self::Checkpoint(_) => 3,
            Self::Stop { .. } => 4,
            Self::StopData(_) => 5,
            Self::Sync(_) => 6,
            Self::Forward { .. } => 7,
            Self::Status(_) => 8,
            Self::FetchBlocks { .. } => 9,
            Self::Blocks(_) => 10,
            Self::FetchState { .. } => 11,
            Self::State(_) => 12,
            Self::Links(_) => 13,
        }
    }
    fn decode(kind: u8, d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match kind {
            0 => Self::Propose(Arc::new(Proposal::decode(d)?)),
            1 => Self::Write(Ballot::decode(d)?),
            2 => Self::Accept(Ballot::decode(d)?),
            3 => Self::Checkpoint(Ballot::decode(d)?),
            4 => Self::Stop {
                regency: d.u64()?,
                txs: decode_txs(d)?,
            },
            5 => Self::StopData(Arc::new(StopData::decode(d)?)),
            6 => Self::Sync(Arc::new(Sync::decode(d)?)),
            7 => {
                let to_all = d.boolean()?;
                let txs = decode_txs(d)?;
                Self::Forward { txs, to_all }
            }
            8 => Self::Status(Status::decode(d)?),
            9 => Self::FetchBlocks { from: d.u64()? },
            10 => Self::Blocks(Blocks::decode(d)?),
            11 => Self::FetchState {
                sequence: d.u64()?,
                wanted: {
                    let n = d.list(MAX_WANTED, 1)?;
                    (0..n)
                        .map(|_| Prefix::decode(d))
                        .collect::<Result<_, _>>()?
                },
            },
            12 => Self::State(StateParts::decode(d)?),
            13 => Self::Links(decode_links(d)?),
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}

/// The words of the kinds of messages.
pub const KINDS: &[&str] = &[
    "propose",
    "write",
    "accept",
    "checkpoint",
    "stop",
    "stop-data",
    "sync",
    "forward",
    "status",
    "fetch-blocks",
    "blocks",
    "fetch-state",
    "state",
    "links",
];

impl Payload for Message {
    fn kind(&self) -> &'static str {
        let tag = usize::from(self.body.tag());
        KINDS.get(tag).copied().unwrap_or_default()
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = Encoder::message(out, FAMILY, self.body.tag());
        e.u16(self.chain.0);
        match &self.body {
            Body::Propose(p) => p.encode(&mut e),
            Body::Write(b) | Body::Accept(b) | Body::Checkpoint(b) => b.encode(&mut e),
            Body::Stop { regency, txs } => {
                e.u64(*regency);
                encode_txs(&mut e, txs);
            }
            Body::StopData(data) => data.encode(&mut e),
            Body::Sync(sync) => sync.encode(&mut e),
            Body::Forward { txs, to_all } => {
                e.u8(u8::from(*to_all));
                encode_txs(&mut e, txs);
            }
            Body::Status(status) => status.encode(&mut e),
            Body::FetchBlocks { from } => {
                e.u64(*from);
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
        }
    }
    fn encoded_len(&self) -> usize {
        HEAD + match &self.body {
            Body::Propose(p) => p.encoded_len(),
            Body::Write(b) | Body::Accept(b) | Body::Checkpoint(b) => b.encoded_len(),
            Body::Stop { txs, .. } => 8 + txs_len(txs),
            Body::StopData(data) => data.encoded_len(),
            Body::Sync(sync) => sync.encoded_len(),
            Body::Forward { txs, .. } => 1 + txs_len(txs),
            Body::Status(status) => status.encoded_len(),
            Body::FetchBlocks { .. } => 8,
            Body::Blocks(blocks) => blocks.encoded_len(),
            Body::FetchState { wanted, .. } => {
                8 + 4 + wanted.iter().map(Prefix::encoded_len).sum::<usize>()
            }
            Body::State(state) => state.encoded_len(),
            Body::Links(links) => links_len(links),
        }
    }
    fn votes(&self, each: &mut dyn FnMut(ChainId, Vote)) {
        evidence::votes(self, &mut |vote| each(self.chain, vote));
    }
    fn evidence(&self, each: &mut dyn FnMut(Evidence)) {
        evidence::statements(self, each);
    }
    fn handover(&self) -> Option<Handover> {
        evidence::handover(self)
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
