//! Sealed blocks (EIP-225).

use consim_core::chain::vote_statement;
use consim_core::{
    Batch, ChainId, CodecError, Decoder, Digest, Encoder, Evidence, NodeId, Payload, Promise,
    SecretKey, Signature, SignedVote, Vote,
};
use std::any::Any;
use std::sync::Arc;

/// The vote kind of a seal.
pub const SEAL: u8 = 1;

/// What a block in turn adds to the total difficulty (EIP-225: `DIFF_INTURN`).
pub const IN_TURN: u64 = 2;
/// What a block out of turn adds (EIP-225: `DIFF_NOTURN`).
pub const OUT_OF_TURN: u64 = 1;

/// A sealer's voice on who may seal: `nonce` and `beneficiary` of EIP-225.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ballot {
    /// About whom.
    pub node: NodeId,
    /// May it seal from now on, or no longer?
    pub authorize: bool,
    /// The number of the change that it belongs to.
    pub change: u64,
}

/// A sealed block.
#[derive(Debug)]
pub struct Block {
    /// The id of the block before.
    pub parent: Digest,
    /// Its number, from 1.
    pub height: u64,
    /// What it adds to the total difficulty.
    pub difficulty: u64,
    /// Its sealer's voice.
    pub ballot: Option<Ballot>,
    /// Its body; the proposer is the sealer.
    pub batch: Arc<Batch>,
    /// The seal.
    pub signature: Signature,
    id: Digest,
}

/// All of a block but its seal.
#[derive(Clone, Debug)]
pub struct Draft {
    /// See [`Block`].
    pub parent: Digest,
    /// See [`Block`].
    pub height: u64,
    /// See [`Block`].
    pub difficulty: u64,
    /// See [`Block`].
    pub ballot: Option<Ballot>,
    /// See [`Block`].
    pub batch: Arc<Batch>,
}

impl Draft {
    fn id(&self, chain: ChainId) -> Digest {
        let mut ballot = Vec::new();
        encode_ballot(&mut Encoder::new(&mut ballot), self.ballot.as_ref());
        Digest::of_parts(&[
            b"consim clique block 1",
            &chain.0.to_be_bytes(),
            &self.parent.0,
            &self.height.to_be_bytes(),
            &self.difficulty.to_be_bytes(),
            &ballot,
            &self.batch.digest().0,
        ])
    }
    /// Seals it; the caller charges one signature.
    pub fn seal(self, chain: ChainId, key: &SecretKey) -> Block {
        let id = self.id(chain);
        let signature = key.sign(&statement(chain, &self.parent, self.height, &id));
        self.under(id, signature)
    }
    /// The block with a seal that somebody made.
    pub fn sealed(self, chain: ChainId, signature: Signature) -> Block {
        let id = self.id(chain);
        self.under(id, signature)
    }
    fn under(self, id: Digest, signature: Signature) -> Block {
        Block {
            parent: self.parent,
            height: self.height,
            difficulty: self.difficulty,
            ballot: self.ballot,
            batch: self.batch,
            signature,
            id,
        }
    }
}

/// A seal is good for one block upon one parent: the first bytes of the parent's id are the view that it is
/// in. Whoever changes over to another branch may rightly seal the same height once more.
fn place(parent: &Digest) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = parent.0;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// What the seal is over.
pub fn statement(chain: ChainId, parent: &Digest, height: u64, id: &Digest) -> Digest {
    vote_statement(chain, SEAL, place(parent), height, id)
}

fn encode_ballot(e: &mut Encoder<'_>, ballot: Option<&Ballot>) {
    e.u8(u8::from(ballot.is_some()));
    if let Some(ballot) = ballot {
        e.u32(ballot.node.0)
            .u8(u8::from(ballot.authorize))
            .u64(ballot.change);
    }
}

impl Block {
    /// Its hash, without the seal.
    pub fn id(&self) -> Digest {
        self.id
    }
    /// Who sealed it, as the seal says.
    pub fn sealer(&self) -> NodeId {
        NodeId(self.signature.key.0)
    }
    /// Its time stamp.
    pub fn time_ns(&self) -> i64 {
        self.batch.time_ns()
    }
    /// Does anything come of it: transactions, or a voice?
    pub fn matters(&self) -> bool {
        !self.batch.txs().is_empty() || self.ballot.is_some()
    }
    /// All but the seal.
    pub fn draft(&self) -> Draft {
        Draft {
            parent: self.parent,
            height: self.height,
            difficulty: self.difficulty,
            ballot: self.ballot,
            batch: Arc::clone(&self.batch),
        }
    }
    /// The bytes of all but the batch.
    fn head_len(&self) -> usize {
        let ballot = self.ballot.map_or(0, |_| 4 + 1 + 8);
        32 + 8 + 8 + 1 + ballot + self.signature.encoded_len()
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        self.head_len() + self.batch.encoded_len()
    }
    fn encode_head(&self, e: &mut Encoder<'_>) {
        e.digest(&self.parent).u64(self.height).u64(self.difficulty);
        encode_ballot(e, self.ballot.as_ref());
        self.signature.encode(e);
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        self.encode_head(e);
        self.batch.encode(e);
    }
    /// Reads a block; nothing is verified yet.
    pub fn decode(d: &mut Decoder<'_>, chain: ChainId) -> Result<Self, CodecError> {
        let (parent, height, difficulty) = (d.digest()?, d.u64()?, d.u64()?);
        let ballot = d
            .boolean()?
            .then(|| {
                Ok::<_, CodecError>(Ballot {
                    node: NodeId(d.u32()?),
                    authorize: d.boolean()?,
                    change: d.u64()?,
                })
            })
            .transpose()?;
        let signature = Signature::decode(d)?;
        let draft = Draft {
            parent,
            height,
            difficulty,
            ballot,
            batch: Arc::new(Batch::decode(d)?),
        };
        Ok(draft.sealed(chain, signature))
    }
    /// The least bytes of an encoded block.
    pub const LEAST: usize = 32 + 8 + 8 + 1 + Signature::LEAST_ENCODED + 48;
    /// The seal as a vote that an honest key gives once.
    pub fn vote(&self) -> Vote {
        Vote {
            key: self.signature.key,
            kind: SEAL,
            view: place(&self.parent),
            sequence: self.height,
            digest: self.id,
        }
    }
    /// The seal as evidence.
    pub fn evidence(&self, chain: ChainId) -> Evidence {
        Evidence::Vote(SignedVote {
            chain,
            vote: self.vote(),
            promise: Promise::Once,
            signature: self.signature,
        })
    }
}

/// A block on disk that is not final yet.
impl Payload for Block {
    fn kind(&self) -> &'static str {
        "sealed"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        Self::encode(self, &mut Encoder::new(out));
    }
    fn encoded_len(&self) -> usize {
        Self::encoded_len(self)
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What the log on disk does not hold of a block: it stands beside it.
#[derive(Debug)]
pub(super) struct Seal(pub(super) Arc<Block>);

impl Payload for Seal {
    fn kind(&self) -> &'static str {
        "seal"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode_head(&mut Encoder::new(out));
    }
    fn encoded_len(&self) -> usize {
        self.0.head_len()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
