//! Queries from one network to another (paper 5.1.2.1, Figure 2, flow F-A): each network is a chain of its own, and a
//! doctor of one asks for a record that was made in another.
//!
//! - The asker's server sends a QUERY as a packet (`crate::relay`). Its own chain's contract lets it go: it says whether the
//!   patient granted the asker access there.
//! - The provider's chain receives it, and the provider decides by its plan, which labels the record. Its ANSWER is a
//!   packet too, so that the decision is on both chains before anything is shown: the audit trail of both.
//! - Open and sharable records are in the answer, encrypted. Of a protected record, which needs the patient's grant or
//!   an emergency, and of one that is too large the answer has the digest alone: the asker's server collects the record
//!   from the provider, point to point and encrypted. What is not open is refused.
//!
//! A record's name says in which network it was registered, as the home community of a document does in IHE XCA.

mod application;
mod check;

pub use application::SharingNetwork;
pub(super) use application::answer as read_answer;
pub use check::LabelsKept;

use super::config::Ppb;
use super::ids::{Pseudonym, Purpose, Reason, RecordId};
use super::message::SEAL_BYTES;
use super::scope::Reader;
use crate::relay::packet::MAX_BODY;
use consim_core::{ChainId, CodecError, Decoder, Digest, Encoder, NodeId, OpId, Span, mix};
use std::sync::Arc;

/// Within this a record of another network must be there (assumed: ten times the clinical deadline of an outpatient's,
/// as the slowest chains of proof of authority take minutes to be final).
pub const QUERY_DEADLINE: Span = Span::from_secs(600);
/// A desk that waits for a record of another network asks again after so long (assumed).
pub const QUERY_RETRY: Span = Span::from_secs(30);
/// The longest record that an answer has in it, bytes; the rest of the packet is for what else it says.
pub const MAX_INSIDE: usize = MAX_BODY - SEAL_BYTES - 256;

/// Where a record's name has the number of its network.
const NETWORK_AT: u32 = 40;
/// The most networks: as many as fit there.
pub const MAX_NETWORKS: usize = 1 << 8;

/// What a provider's plan says of a record: who of other networks may have it, and how.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Label {
    /// Anybody, over the chain.
    Open,
    /// Members of the other networks, over the chain.
    Sharable,
    /// Whom the patient grants it, and in an emergency; point to point.
    Protected,
    /// Nobody.
    NonOpen,
}

impl Label {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Sharable, Self::Protected, Self::NonOpen];

    /// Its word in scenarios.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Sharable => "sharable",
            Self::Protected => "protected",
            Self::NonOpen => "non-open",
        }
    }
}

/// The plans of all providers: which share of their records has which label. Which record has which is drawn by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Labels {
    /// Shares, by [`Label::ALL`]; the last is what is left.
    pub shares: [Ppb; 3],
    /// Keys the draws.
    pub draws: u64,
}

impl Labels {
    /// The label of a record.
    pub fn of(&self, record: RecordId) -> Label {
        let mut draw = mix(self.draws, record.0) % 1_000_000_000;
        for (label, share) in Label::ALL.into_iter().zip(self.shares) {
            let share = u64::from(share);
            if draw < share {
                return label;
            }
            draw -= share;
        }
        Label::NonOpen
    }
}

impl RecordId {
    /// The number of the chain on which the record is registered, if it is not the only one.
    pub fn network(self) -> ChainId {
        ChainId(u16::from((self.0 >> NETWORK_AT) as u8))
    }
    /// The same name in this network.
    #[must_use]
    pub fn within(self, network: u8) -> Self {
        let others = !(0xffu64 << NETWORK_AT);
        Self(self.0 & others | u64::from(network) << NETWORK_AT)
    }
}

/// What a packet between networks says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Crossing {
    /// A server asks for a record.
    Query(Query),
    /// The provider answers.
    Answer {
        /// The operation of the query.
        op: OpId,
        /// The record.
        record: RecordId,
        /// The server that asked.
        requester: NodeId,
        /// What the provider decided.
        verdict: Verdict,
    },
}

/// A server asks for a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Query {
    /// The operation.
    pub op: OpId,
    /// Which record.
    pub record: RecordId,
    /// Whose, as the asker says.
    pub pseudonym: Pseudonym,
    /// The server that asks.
    pub requester: NodeId,
    /// What for.
    pub purpose: Purpose,
    /// Who there reads it.
    pub reader: Reader,
    /// Has the patient granted it, on the chain of the asker?
    pub granted: bool,
}

/// What a provider decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The record, encrypted for the asker.
    Inside {
        /// SHA-256 of the record, as registered.
        digest: Digest,
        /// The record, under a key that the asker has.
        sealed: Arc<[u8]>,
    },
    /// The asker may collect it.
    Apart {
        /// SHA-256 of the record, as registered.
        digest: Digest,
    },
    /// No.
    Refused(Reason),
}

impl Verdict {
    /// Writes it.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        match self {
            Self::Inside { digest, sealed } => e.u8(0).digest(digest).bytes(sealed),
            Self::Apart { digest } => e.u8(1).digest(digest),
            Self::Refused(reason) => e.u8(2).u8(reason.code()),
        };
    }
    /// Reads it.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match d.u8()? {
            0 => Self::Inside {
                digest: d.digest()?,
                sealed: d.bytes(MAX_BODY)?.into(),
            },
            1 => Self::Apart {
                digest: d.digest()?,
            },
            2 => Self::Refused(Reason::of_code(d.u8()?)?),
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}

impl Crossing {
    /// The body of a packet.
    pub fn body(&self) -> Arc<[u8]> {
        let mut out = Vec::with_capacity(96);
        let mut e = Encoder::new(&mut out);
        match self {
            Self::Query(query) => {
                e.u8(0).u64(query.op.0).u64(query.record.0);
                e.raw(&query.pseudonym.0).u32(query.requester.0);
                query.reader.encode(query.purpose, &mut e);
                e.u8(u8::from(query.granted));
            }
            Self::Answer {
                op,
                record,
                requester,
                verdict,
            } => {
                e.u8(1).u64(op.0).u64(record.0).u32(requester.0);
                verdict.encode(&mut e);
            }
        }
        out.into()
    }
    /// Reads the body of a packet.
    pub fn decode(body: &[u8]) -> Result<Self, CodecError> {
        let mut d = Decoder::new(body);
        let crossing = match d.u8()? {
            0 => {
                let (op, record) = (OpId(d.u64()?), RecordId(d.u64()?));
                let (pseudonym, requester) = (Pseudonym(d.array()?), NodeId(d.u32()?));
                let (purpose, reader) = Reader::decode(&mut d)?;
                Self::Query(Query {
                    op,
                    record,
                    pseudonym,
                    requester,
                    purpose,
                    reader,
                    granted: d.boolean()?,
                })
            }
            1 => Self::Answer {
                op: OpId(d.u64()?),
                record: RecordId(d.u64()?),
                requester: NodeId(d.u32()?),
                verdict: Verdict::decode(&mut d)?,
            },
            tag => return Err(CodecError::Tag(tag)),
        };
        d.end()?;
        Ok(crossing)
    }
}

/// The key of a query that a chain has received: the record, whose reader it names, and whether it was granted.
pub fn query_key(requester: NodeId, op: OpId) -> Vec<u8> {
    key(b'x', requester, op)
}
/// The key of the answer to it, on the provider's chain.
pub fn answered_key(requester: NodeId, op: OpId) -> Vec<u8> {
    key(b'y', requester, op)
}
/// The key of the answer that a chain has received: who gave it (4), and what it is.
pub fn answer_key(requester: NodeId, op: OpId) -> Vec<u8> {
    key(b'z', requester, op)
}
fn key(tag: u8, requester: NodeId, op: OpId) -> Vec<u8> {
    let mut out = vec![tag];
    out.extend_from_slice(&requester.0.to_be_bytes());
    out.extend_from_slice(&op.0.to_be_bytes());
    out
}

#[cfg(test)]
mod tests;
