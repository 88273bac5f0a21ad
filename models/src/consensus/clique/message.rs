//! What replicas send each other, and its wire form.
//!
//! Every message begins with version, family, kind (3 bytes) and the chain (2 bytes).

pub use super::block::{Ballot, Block, Draft, SEAL};
use crate::consensus::MemberChange;
use crate::consensus::forward::{decode_txs, encode_txs, txs_len};
use consim_core::{ChainId, CodecError, Decoder, Digest, Encoder, Evidence, Payload, Tx, Vote};
use std::any::Any;
use std::sync::Arc;

/// The family byte of Clique's messages.
pub const FAMILY: u8 = 12;

/// Blocks in one answer (assumed).
pub const MAX_BLOCKS: usize = 64;
/// Bytes of blocks in one answer, unless a single one is larger (assumed).
pub const MAX_BLOCK_BYTES: usize = 1 << 20;

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

/// What a message says.
#[derive(Debug)]
pub enum Body {
    /// A sealed block.
    Block(Arc<Block>),
    /// Transactions.
    Forward {
        /// The transactions.
        txs: Vec<Arc<Tx>>,
    },
    /// How far a replica is.
    Status(Status),
    /// A replica lacks the branch that ends in a block.
    Fetch {
        /// The first height that it wants.
        from: u64,
        /// The block.
        id: Digest,
    },
    /// A part of a branch, in order.
    Branch {
        /// The blocks.
        blocks: Vec<Arc<Block>>,
    },
    /// A read: from which height on does it miss nothing?
    ReadAsk {
        /// The reader's number.
        number: u64,
    },
    /// The answer.
    ReadAt {
        /// The reader's number.
        number: u64,
        /// The last block with transactions on the answerer's best branch.
        height: u64,
    },
    /// The administrator asks for a change of the signers.
    Propose(MemberChange),
}

/// How far a replica is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status {
    /// The head of its best branch.
    pub head: Digest,
    /// Its height.
    pub height: u64,
    /// The sum of the difficulties up to there.
    pub total: u64,
    /// Does it want an answer?
    pub ask: bool,
}

impl Message {
    /// Reads a message; malformed bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let (mut d, kind) = Decoder::message(bytes, FAMILY)?;
        let chain = ChainId(d.u16()?);
        let body = Body::decode(kind, &mut d, chain)?;
        d.end()?;
        Ok(Self { chain, body })
    }
}

impl Body {
    fn tag(&self) -> u8 {
        match self {
            Self::Block(_) => 0,
            Self::Forward { .. } => 1,
            Self::Status(_) => 2,
            Self::Fetch { .. } => 3,
            Self::Branch { .. } => 4,
            Self::ReadAsk { .. } => 5,
            Self::ReadAt { .. } => 6,
            Self::Propose(_) => 7,
        }
    }
    fn decode(kind: u8, d: &mut Decoder<'_>, chain: ChainId) -> Result<Self, CodecError> {
        Ok(match kind {
            0 => Self::Block(Arc::new(Block::decode(d, chain)?)),
            1 => Self::Forward {
                txs: decode_txs(d)?,
            },
            2 => Self::Status(Status {
                head: d.digest()?,
                height: d.u64()?,
                total: d.u64()?,
                ask: d.boolean()?,
            }),
            3 => Self::Fetch {
                from: d.u64()?,
                id: d.digest()?,
            },
            4 => {
                let n = d.list(MAX_BLOCKS, Block::LEAST)?;
                let blocks = (0..n).map(|_| Block::decode(d, chain).map(Arc::new));
                Self::Branch {
                    blocks: blocks.collect::<Result<_, _>>()?,
                }
            }
            5 => Self::ReadAsk { number: d.u64()? },
            6 => Self::ReadAt {
                number: d.u64()?,
                height: d.u64()?,
            },
            7 => Self::Propose(MemberChange::decode(d)?),
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}

/// The words of the kinds of messages.
pub const KINDS: &[&str] = &[
    "block", "forward", "status", "fetch", "branch", "read-ask", "read-at", "propose",
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
            Body::Block(block) => block.encode(&mut e),
            Body::Forward { txs } => encode_txs(&mut e, txs),
            Body::Status(status) => {
                e.digest(&status.head)
                    .u64(status.height)
                    .u64(status.total)
                    .u8(u8::from(status.ask));
            }
            Body::Fetch { from, id } => {
                e.u64(*from).digest(id);
            }
            Body::Branch { blocks } => {
                e.list(blocks.len());
                for block in blocks {
                    block.encode(&mut e);
                }
            }
            Body::ReadAsk { number } => {
                e.u64(*number);
            }
            Body::ReadAt { number, height } => {
                e.u64(*number).u64(*height);
            }
            Body::Propose(change) => change.encode(&mut e),
        }
    }
    fn encoded_len(&self) -> usize {
        HEAD + match &self.body {
            Body::Block(block) => block.encoded_len(),
            Body::Forward { txs } => txs_len(txs),
            Body::Status(_) => 32 + 8 + 8 + 1,
            Body::Fetch { .. } => 8 + 32,
            Body::Branch { blocks } => 4 + blocks.iter().map(|b| b.encoded_len()).sum::<usize>(),
            Body::ReadAsk { .. } => 8,
            Body::ReadAt { .. } => 16,
            Body::Propose(change) => change.encoded_len(),
        }
    }
    fn votes(&self, each: &mut dyn FnMut(ChainId, Vote)) {
        match &self.body {
            Body::Block(block) => each(self.chain, block.vote()),
            Body::Branch { blocks } => blocks.iter().for_each(|b| each(self.chain, b.vote())),
            _ => {}
        }
    }
    fn evidence(&self, each: &mut dyn FnMut(Evidence)) {
        match &self.body {
            Body::Block(block) => each(block.evidence(self.chain)),
            Body::Branch { blocks } => blocks.iter().for_each(|b| each(b.evidence(self.chain))),
            _ => {}
        }
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
