//! What replicas send each other, and its wire form.
//!
//! Every message begins with version, family, kind (3 bytes) and the chain (2 bytes).

use super::change::{Justification, RoundChange};
use super::evidence;
use crate::consensus::forward::{decode_txs, encode_txs, txs_len};
use crate::consensus::proposal::{FIRST, SECOND};
use crate::consensus::roster::{decode_links, encode_links, links_len};
use crate::consensus::sync::{MAX_WANTED, decode_option, encode_option, option_len};
pub use crate::consensus::{Ballot, Blocks, Proposal, StateHead, StateParts};
use crate::ledger::state::parts::Prefix;
use consim_core::{
    Certificate, ChainId, CodecError, Committed, Decoder, Encoder, Evidence, Payload, Tx, Vote,
};
use std::any::Any;
use std::sync::Arc;

/// The family byte of QBFT's and IBFT 2.0's messages.
pub const FAMILY: u8 = 11;

/// The vote kind of PREPARE; the proposer gives its own with the PROPOSAL.
pub const PREPARE: u8 = FIRST;
/// The vote kind of COMMIT, and of the certificates that blocks carry: the commit seals.
pub const COMMIT: u8 = SECOND;
/// The vote kind of checkpoints (view 0; the digest is the state's).
pub const CHECKPOINT: u8 = 3;
/// The vote kind of ROUND-CHANGE.
pub const ROUND_CHANGE: u8 = 4;

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
    /// The proposer of a round puts a value forward (arXiv 2002.03613, PRE-PREPARE).
    Proposal {
        /// The value, with the proposer's PREPARE.
        proposal: Arc<Proposal>,
        /// In a round after the first: why it may.
        justification: Option<Arc<Justification>>,
    },
    /// A vote of the first step.
    Prepare(Ballot),
    /// A vote of the second step.
    Commit(Ballot),
    /// A member goes to another round.
    RoundChange(Arc<RoundChange>),
    /// A replica has executed up to a checkpoint; `view` is 0, `digest` the state.
    Checkpoint(Ballot),
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
}

/// How far a replica is.
#[derive(Clone, Debug)]
pub struct Status {
    /// The last height that it decided.
    pub executed: u64,
    /// Its round in the height after that.
    pub round: u64,
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
        let proofs = option_len(self.proof.as_ref()) + option_len(self.decided.as_ref());
        8 + 8 + 8 + 8 + 1 + proofs
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.executed).u64(self.round);
        e.u64(self.stable).u64(self.change).u8(u8::from(self.ask));
        encode_option(e, self.proof.as_ref());
        encode_option(e, self.decided.as_ref());
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            executed: d.u64()?,
            round: d.u64()?,
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
            Self::Prepare(_) => 1,
            Self::Commit(_) => 2,
            Self::RoundChange(_) => 3,
            Self::Checkpoint(_) => 4,
            Self::Forward { .. } => 5,
            Self::Status(_) => 6,
            Self::FetchBlocks { .. } => 7,
            Self::Blocks(_) => 8,
            Self::FetchState { .. } => 9,
            Self::State(_) => 10,
            Self::Links(_) => 11,
        }
    }
    fn decode(kind: u8, d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match kind {
            0 => Self::Proposal {
                proposal: Arc::new(Proposal::decode(d)?),
                justification: {
                    let there = d.boolean()?;
                    let read = there.then(|| Justification::decode(d).map(Arc::new));
                    read.transpose()?
                },
            },
            1 => Self::Prepare(Ballot::decode(d)?),
            2 => Self::Commit(Ballot::decode(d)?),
            3 => Self::RoundChange(Arc::new(RoundChange::decode(d)?)),
            4 => Self::Checkpoint(Ballot::decode(d)?),
            5 => {
                let to_all = d.boolean()?;
                let txs = decode_txs(d)?;
                Self::Forward { txs, to_all }
            }
            6 => Self::Status(Status::decode(d)?),
            7 => Self::FetchBlocks { from: d.u64()? },
            8 => Self::Blocks(Blocks::decode(d)?),
            9 => Self::FetchState {
                sequence: d.u64()?,
                wanted: {
                    let n = d.list(MAX_WANTED, 1)?;
                    (0..n)
                        .map(|_| Prefix::decode(d))
                        .collect::<Result<_, _>>()?
                },
            },
            10 => Self::State(StateParts::decode(d)?),
            11 => Self::Links(decode_links(d)?),
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}

/// The words of the kinds of messages.
pub const KINDS: &[&str] = &[
    "proposal",
    "prepare",
    "commit",
    "round-change",
    "checkpoint",
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
            Body::Proposal {
                proposal,
                justification,
            } => {
                proposal.encode(&mut e);
                e.u8(u8::from(justification.is_some()));
                if let Some(justification) = justification {
                    justification.encode(&mut e);
                }
            }
            Body::Prepare(b) | Body::Commit(b) | Body::Checkpoint(b) => b.encode(&mut e),
            Body::RoundChange(change) => change.encode(&mut e),
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
            Body::Proposal {
                proposal,
                justification,
            } => {
                let justification = justification.as_ref();
                proposal.encoded_len() + 1 + justification.map_or(0, |j| j.encoded_len())
            }
            Body::Prepare(b) | Body::Commit(b) | Body::Checkpoint(b) => b.encoded_len(),
            Body::RoundChange(change) => change.encoded_len(),
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
    fn as_any(&self) -> &dyn Any {
        self
    }
}
