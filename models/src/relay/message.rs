//! What relays and the servers of members say to each other. Nothing in it has to be believed: what counts is proven.

use super::packet::{MAX_PACKETS, Proven};
use crate::ledger::ExecutedProof;
use consim_core::{ChainId, CodecError, Decoder, Digest, Encoder, Header, Payload, Signature};
use std::any::Any;
use std::sync::Arc;

/// The family byte of these messages.
pub const FAMILY: u8 = 14;
/// The most neighbours of a chain (assumed).
const MAX_NEIGHBOURS: usize = 1 << 10;

/// A message between a relay and a member's server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// A relay wants to hear of the outbox for a while.
    Watch(ChainId),
    /// What stands in the outbox.
    News(News),
    /// A relay asks what is on its way to a neighbour.
    List {
        /// The relay's number of the question.
        number: u64,
        /// Of which chain.
        of: ChainId,
        /// To which neighbour.
        to: ChainId,
    },
    /// What is on its way.
    Listed(Answer),
    /// A relay asks which of these numbers of a neighbour's outbox were received.
    Which {
        /// The relay's number of the question.
        number: u64,
        /// By which chain.
        of: ChainId,
        /// From which neighbour.
        from: ChainId,
        /// Which numbers.
        numbers: Arc<[u64]>,
    },
    /// Whether they were.
    Known(Answer),
    /// A relay asks a member to stand by a header.
    Attest(Attest),
    /// The member does.
    Attested {
        /// What it was asked.
        asked: Attest,
        /// Its signature.
        signature: Signature,
    },
}

/// What stands in the outbox of a chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct News {
    /// The chain.
    pub chain: ChainId,
    /// For each neighbour the least number that is not settled, and the last.
    pub out: Arc<[(ChainId, u64, u64)]>,
}

/// What a state holds under some numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The relay's number of the question.
    pub number: u64,
    /// The header of the block after which it does.
    pub header: Header,
    /// The numbers.
    pub numbers: Arc<[Proven]>,
}

/// Which block is to be attested.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attest {
    /// The relay's number of the question.
    pub number: u64,
    /// The chain.
    pub chain: ChainId,
    /// The block's height.
    pub height: u64,
    /// The id of its header.
    pub id: Digest,
}

/// The words of the kinds of messages.
pub const KINDS: &[&str] = &[
    "relay-watch",
    "relay-news",
    "relay-list",
    "relay-listed",
    "relay-which",
    "relay-known",
    "relay-attest",
    "relay-attested",
];

impl Answer {
    fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.number).raw(&self.header.encode());
        e.list(self.numbers.len());
        for (number, proof) in self.numbers.iter() {
            e.u64(*number);
            proof.encode(e);
        }
    }
    fn encoded_len(&self) -> usize {
        let proofs = self
            .numbers
            .iter()
            .map(|(_, proof)| 8 + proof.encoded_len());
        8 + Header::ENCODED + 4 + proofs.sum::<usize>()
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let (number, header) = (d.u64()?, Header::decode(d)?);
        let n = d.list(MAX_PACKETS, 8 + 4 + 1)?;
        let numbers = (0..n).map(|_| Ok((d.u64()?, ExecutedProof::decode(d)?)));
        Ok(Self {
            number,
            header,
            numbers: numbers.collect::<Result<Vec<_>, CodecError>>()?.into(),
        })
    }
}

impl Attest {
    const ENCODED: usize = 8 + 2 + 8 + 32;

    fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.number).u16(self.chain.0).u64(self.height);
        e.digest(&self.id);
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            number: d.u64()?,
            chain: ChainId(d.u16()?),
            height: d.u64()?,
            id: d.digest()?,
        })
    }
}

impl Message {
    /// Reads a message; malformed bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let (mut d, kind) = Decoder::message(bytes, FAMILY)?;
        let d = &mut d;
        let message = match kind {
            0 => Self::Watch(ChainId(d.u16()?)),
            1 => {
                let chain = ChainId(d.u16()?);
                let n = d.list(MAX_NEIGHBOURS, 2 + 8 + 8)?;
                let out = (0..n).map(|_| Ok((ChainId(d.u16()?), d.u64()?, d.u64()?)));
                let out = out.collect::<Result<Vec<_>, CodecError>>()?.into();
                Self::News(News { chain, out })
            }
            2 => Self::List {
                number: d.u64()?,
                of: ChainId(d.u16()?),
                to: ChainId(d.u16()?),
            },
            3 => Self::Listed(Answer::decode(d)?),
            4 => {
                let (number, of, from) = (d.u64()?, ChainId(d.u16()?), ChainId(d.u16()?));
                let n = d.list(MAX_PACKETS, 8)?;
                let numbers = (0..n).map(|_| d.u64()).collect::<Result<Vec<_>, _>>()?;
                Self::Which {
                    number,
                    of,
                    from,
                    numbers: numbers.into(),
                }
            }
            5 => Self::Known(Answer::decode(d)?),
            6 => Self::Attest(Attest::decode(d)?),
            7 => Self::Attested {
                asked: Attest::decode(d)?,
                signature: Signature::decode(d)?,
            },
            tag => return Err(CodecError::Tag(tag)),
        };
        match d.remaining() {
            0 => Ok(message),
            left => Err(CodecError::Trailing(left)),
        }
    }
    fn tag(&self) -> u8 {
        match self {
            Self::Watch(_) => 0,
            Self::News(_) => 1,
            Self::List { .. } => 2,
            Self::Listed(_) => 3,
            Self::Which { .. } => 4,
            Self::Known(_) => 5,
            Self::Attest(_) => 6,
            Self::Attested { .. } => 7,
        }
    }
}

impl Payload for Message {
    fn kind(&self) -> &'static str {
        KINDS.get(usize::from(self.tag())).copied().unwrap_or("")
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = Encoder::message(out, FAMILY, self.tag());
        match self {
            Self::Watch(chain) => {
                e.u16(chain.0);
            }
            Self::News(News { chain, out }) => {
                e.u16(chain.0).list(out.len());
                for (to, least, last) in out.iter() {
                    e.u16(to.0).u64(*least).u64(*last);
                }
            }
            Self::List { number, of, to } => {
                e.u64(*number).u16(of.0).u16(to.0);
            }
            Self::Listed(answer) | Self::Known(answer) => answer.encode(&mut e),
            Self::Which {
                number,
                of,
                from,
                numbers,
            } => {
                e.u64(*number).u16(of.0).u16(from.0).list(numbers.len());
                for number in numbers.iter() {
                    e.u64(*number);
                }
            }
            Self::Attest(asked) => asked.encode(&mut e),
            Self::Attested { asked, signature } => {
                asked.encode(&mut e);
                signature.encode(&mut e);
            }
        }
    }
    fn encoded_len(&self) -> usize {
        3 + match self {
            Self::Watch(_) => 2,
            Self::News(News { out, .. }) => 2 + 4 + (2 + 8 + 8) * out.len(),
            Self::List { .. } => 8 + 2 + 2,
            Self::Listed(answer) | Self::Known(answer) => answer.encoded_len(),
            Self::Which { numbers, .. } => 8 + 2 + 2 + 4 + 8 * numbers.len(),
            Self::Attest(_) => Attest::ENCODED,
            Self::Attested { signature, .. } => Attest::ENCODED + signature.encoded_len(),
        }
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
