//! What light clients and full nodes say to each other.

use super::proof::{LightProof, Wish};
use consim_core::chain::chained;
use consim_core::{
    ChainId, CodecError, Decoder, Encoder, Evidence, Payload, Promise, SignedVote, Vote,
};
use std::any::Any;
use std::sync::Arc;

/// The family byte of these messages.
pub const FAMILY: u8 = 13;

/// A message between a light client and a full node.
#[derive(Clone, Debug)]
pub struct Message {
    /// The chain.
    pub chain: ChainId,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Clone, Debug)]
pub enum Body {
    /// A client asks for a decision.
    Fetch {
        /// The client's number of the question.
        number: u64,
        /// What it asks for.
        wish: Wish,
    },
    /// The decision that was asked for.
    Proof {
        /// The number of the question.
        number: u64,
        /// The decision, and what proves it.
        proof: Arc<LightProof>,
    },
    /// It is not here.
    Absent {
        /// The number of the question.
        number: u64,
    },
    /// A client was shown two decisions of one number, each of which is proven: evidence of an attack.
    Conflict {
        /// What its primary showed.
        one: Arc<LightProof>,
        /// What a witness showed.
        other: Arc<LightProof>,
    },
}

/// The words of the kinds of messages.
pub const KINDS: &[&str] = &[
    "light-fetch",
    "light-proof",
    "light-absent",
    "light-conflict",
];

impl Message {
    /// Reads a message; malformed bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let (mut d, kind) = Decoder::message(bytes, FAMILY)?;
        let chain = ChainId(d.u16()?);
        let d = &mut d;
        let body = match kind {
            0 => Body::Fetch {
                number: d.u64()?,
                wish: Wish {
                    sequence: d.u64()?,
                    trusted: d.u64()?,
                    change: d.u64()?,
                    skipping: d.boolean()?,
                },
            },
            1 => Body::Proof {
                number: d.u64()?,
                proof: Arc::new(LightProof::decode(d)?),
            },
            2 => Body::Absent { number: d.u64()? },
            3 => Body::Conflict {
                one: Arc::new(LightProof::decode(d)?),
                other: Arc::new(LightProof::decode(d)?),
            },
            tag => return Err(CodecError::Tag(tag)),
        };
        match d.remaining() {
            0 => Ok(Self { chain, body }),
            left => Err(CodecError::Trailing(left)),
        }
    }

    fn proofs(&self) -> [Option<&Arc<LightProof>>; 2] {
        match &self.body {
            Body::Proof { proof, .. } => [Some(proof), None],
            Body::Conflict { one, other } => [Some(one), Some(other)],
            Body::Fetch { .. } | Body::Absent { .. } => [None, None],
        }
    }
}

impl Payload for Message {
    fn kind(&self) -> &'static str {
        match &self.body {
            Body::Fetch { .. } => "light-fetch",
            Body::Proof { .. } => "light-proof",
            Body::Absent { .. } => "light-absent",
            Body::Conflict { .. } => "light-conflict",
        }
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let kind = match &self.body {
            Body::Fetch { .. } => 0,
            Body::Proof { .. } => 1,
            Body::Absent { .. } => 2,
            Body::Conflict { .. } => 3,
        };
        let mut e = Encoder::message(out, FAMILY, kind);
        e.u16(self.chain.0);
        match &self.body {
            Body::Fetch { number, wish } => {
                e.u64(*number).u64(wish.sequence).u64(wish.trusted);
                e.u64(wish.change).u8(u8::from(wish.skipping));
            }
            Body::Proof { number, proof } => {
                e.u64(*number);
                proof.encode(&mut e);
            }
            Body::Absent { number } => {
                e.u64(*number);
            }
            Body::Conflict { one, other } => {
                one.encode(&mut e);
                other.encode(&mut e);
            }
        }
    }
    fn encoded_len(&self) -> usize {
        3 + 2
            + match &self.body {
                Body::Fetch { .. } => 4 * 8 + 1,
                Body::Proof { proof, .. } => 8 + proof.encoded_len(),
                Body::Absent { .. } => 8,
                Body::Conflict { one, other } => one.encoded_len() + other.encoded_len(),
            }
    }
    /// Whoever signed two decisions, or two checkpoints, of one place is guilty, whatever the protocol: the votes of a
    /// certificate say no more here. Those of a chain of proposals are for a later proposal.
    fn evidence(&self, each: &mut dyn FnMut(Evidence)) {
        for proof in self.proofs().into_iter().flatten() {
            for certificate in proof.certificates() {
                if chained(certificate.kind).is_some() {
                    continue;
                }
                for signature in certificate.signatures.iter() {
                    each(Evidence::Vote(SignedVote {
                        chain: self.chain,
                        vote: Vote {
                            key: signature.key,
                            kind: certificate.kind,
                            view: certificate.view,
                            sequence: certificate.sequence,
                            digest: certificate.digest,
                        },
                        promise: Promise::Once,
                        signature,
                    }));
                }
            }
        }
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
