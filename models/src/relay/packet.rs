//! Packets, the commands that carry them, and where they stand in the state of a chain.
//!
//! | key | value |
//! | --- | --- |
//! | `~o` neighbour (2) number (8) | a packet that is on its way to this neighbour |
//! | `~n` neighbour (2) | the last number towards it (8) |
//! | `~i` neighbour (2) number (8) | received from it: by which transaction (12) |
//! | `~t` neighbour (2) | what is trusted of it |
//!
//! Integers are big-endian.

use crate::ledger::ExecutedProof;
use consim_core::{
    Certificate, ChainId, CodecError, Decoder, Encoder, Header, NodeId, Tx, TxId, Work,
};
use std::sync::Arc;

/// The longest body of a packet, bytes (assumed: what is longer goes from one institution to the other).
pub const MAX_BODY: usize = 64 << 10;
/// The most packets that one transaction delivers or settles (assumed).
pub const MAX_PACKETS: usize = 32;
/// The kind of the votes that attest headers; no protocol has it.
pub const ATTESTS: u8 = 0xa7;
/// What the body of a transaction with a command of relays begins with; no domain model's does.
const MAGIC: u8 = 0xb2;
/// The least bytes of a number with its proof.
const LEAST_PROOF: usize = 8 + 4 + 1;

/// Names a packet on all chains.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PacketId {
    /// Where it was sent.
    pub chain: ChainId,
    /// By which transaction.
    pub tx: TxId,
}

/// What goes from one chain to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packet {
    /// Which.
    pub id: PacketId,
    /// For which chain.
    pub to: ChainId,
    /// No chain receives it in a block of this time or later, nanoseconds after the Unix epoch.
    pub deadline_ns: i64,
    /// What the application put in.
    pub body: Arc<[u8]>,
}

impl Packet {
    /// The packet that a transaction sends, if it sends one.
    pub fn of_tx(tx: &Tx) -> Option<Self> {
        match Command::decode(tx.body()).ok()? {
            Command::Send {
                to,
                deadline_ns,
                body,
            } => Some(Self {
                id: PacketId {
                    chain: tx.chain(),
                    tx: tx.id(),
                },
                to,
                deadline_ns,
                body,
            }),
            _ => None,
        }
    }
    /// The packets that a transaction of a relay brings, as it says.
    pub fn brought_by(tx: &Tx) -> Vec<Self> {
        if !Command::is_one(tx.body()) {
            return Vec::new();
        }
        let Ok(Command::Deliver { packets, .. }) = Command::decode(tx.body()) else {
            return Vec::new();
        };
        let claims = packets.iter().filter_map(|(_, proof)| proof.claims());
        claims
            .filter_map(|value| Self::decode(value).ok())
            .collect()
    }
    /// The value in the state.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(32 + self.body.len());
        Encoder::new(&mut out)
            .u16(self.id.chain.0)
            .u32(self.id.tx.origin.0)
            .u64(self.id.tx.number)
            .u16(self.to.0)
            .u64(self.deadline_ns.cast_unsigned())
            .bytes(&self.body);
        out
    }
    /// Reads the value.
    pub fn decode(value: &[u8]) -> Result<Self, CodecError> {
        let mut d = Decoder::new(value);
        let packet = Self {
            id: PacketId {
                chain: ChainId(d.u16()?),
                tx: TxId {
                    origin: NodeId(d.u32()?),
                    number: d.u64()?,
                },
            },
            to: ChainId(d.u16()?),
            deadline_ns: d.u64()?.cast_signed(),
            body: d.bytes(MAX_BODY)?.into(),
        };
        d.end()?;
        Ok(packet)
    }
}

/// A header, and that its chain's members stand by it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attested {
    /// The header.
    pub header: Header,
    /// Signatures of members.
    pub certificate: Certificate,
}

/// A number of an outbox, and what a state holds under it.
pub type Proven = (u64, ExecutedProof);

/// A command of relays, or of who sends packets: the body of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// A member sends a packet.
    Send {
        /// For which chain.
        to: ChainId,
        /// When it is too late, nanoseconds after the Unix epoch.
        deadline_ns: i64,
        /// What.
        body: Arc<[u8]>,
    },
    /// A relay brings packets of a neighbour.
    Deliver {
        /// The neighbour's header.
        shown: Box<Attested>,
        /// What its outbox holds.
        packets: Vec<Proven>,
    },
    /// A relay shows what became of packets at a neighbour.
    Settle {
        /// The neighbour's header.
        shown: Box<Attested>,
        /// Numbers that it has received.
        received: Vec<Proven>,
        /// Numbers that it has not, and can no more.
        late: Vec<Proven>,
    },
}

fn prove(e: &mut Encoder<'_>, list: &[Proven]) {
    e.list(list.len());
    for (number, proof) in list {
        e.u64(*number);
        proof.encode(e);
    }
}

fn proven(d: &mut Decoder<'_>) -> Result<Vec<Proven>, CodecError> {
    let n = d.list(MAX_PACKETS, LEAST_PROOF)?;
    (0..n)
        .map(|_| Ok((d.u64()?, ExecutedProof::decode(d)?)))
        .collect()
}

impl Attested {
    fn encode(&self, e: &mut Encoder<'_>) {
        e.raw(&self.header.encode());
        self.certificate.encode(e);
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Box<Self>, CodecError> {
        Ok(Box::new(Self {
            header: Header::decode(d)?,
            certificate: Certificate::decode(d)?,
        }))
    }
}

impl Command {
    /// Is this the body of a command of relays, well-formed or not?
    pub fn is_one(body: &[u8]) -> bool {
        body.first() == Some(&MAGIC)
    }
    /// The body of a transaction.
    pub fn body(&self) -> Arc<[u8]> {
        let mut out = Vec::with_capacity(256);
        let mut e = Encoder::new(&mut out);
        e.u8(MAGIC);
        match self {
            Self::Send {
                to,
                deadline_ns,
                body,
            } => {
                e.u8(0).u16(to.0).u64(deadline_ns.cast_unsigned());
                e.bytes(body);
            }
            Self::Deliver { shown, packets } => {
                e.u8(1);
                shown.encode(&mut e);
                prove(&mut e, packets);
            }
            Self::Settle {
                shown,
                received,
                late,
            } => {
                e.u8(2);
                shown.encode(&mut e);
                prove(&mut e, received);
                prove(&mut e, late);
            }
        }
        out.into()
    }
    /// Reads the body of a transaction.
    pub fn decode(body: &[u8]) -> Result<Self, CodecError> {
        let mut d = Decoder::new(body);
        match d.u8()? {
            MAGIC => {}
            other => return Err(CodecError::Version(other)),
        }
        let command = match d.u8()? {
            0 => Self::Send {
                to: ChainId(d.u16()?),
                deadline_ns: d.u64()?.cast_signed(),
                body: d.bytes(MAX_BODY)?.into(),
            },
            1 => Self::Deliver {
                shown: Attested::decode(&mut d)?,
                packets: proven(&mut d)?,
            },
            2 => Self::Settle {
                shown: Attested::decode(&mut d)?,
                received: proven(&mut d)?,
                late: proven(&mut d)?,
            },
            tag => return Err(CodecError::Tag(tag)),
        };
        d.end()?;
        Ok(command)
    }
    /// What verifying it costs each node that executes it, beside what any transaction does.
    pub fn work(&self) -> Work {
        let (shown, lists) = match self {
            Self::Send { .. } => return Work::NONE,
            Self::Deliver { shown, packets } => (shown, [&packets[..], &[]]),
            Self::Settle {
                shown,
                received,
                late,
            } => (shown, [&received[..], &late[..]]),
        };
        let mut work = Work::verify_batched(shown.certificate.signatures.len() as u32);
        let proofs = lists.into_iter().flatten();
        let hashed: usize = proofs.map(|(_, proof)| proof.hashed_bytes()).sum();
        work.add(Work::hash(Header::ENCODED + hashed));
        work
    }
}

fn key(tag: u8, chain: ChainId, number: Option<u64>) -> Vec<u8> {
    let mut out = vec![b'~', tag];
    out.extend_from_slice(&chain.0.to_be_bytes());
    if let Some(number) = number {
        out.extend_from_slice(&number.to_be_bytes());
    }
    out
}
/// The key of a packet on its way to a neighbour.
pub fn out_key(to: ChainId, number: u64) -> Vec<u8> {
    key(b'o', to, Some(number))
}
/// The key of the last number towards a neighbour.
pub fn last_key(to: ChainId) -> Vec<u8> {
    key(b'n', to, None)
}
/// The key of a number that was received from a neighbour.
pub fn in_key(from: ChainId, number: u64) -> Vec<u8> {
    key(b'i', from, Some(number))
}
/// The key of what is trusted of a neighbour.
pub fn trusted_key(of: ChainId) -> Vec<u8> {
    key(b't', of, None)
}
/// A number in the state; 0 if there is none.
pub(super) fn number(value: Option<&[u8]>) -> u64 {
    value
        .and_then(|value| <[u8; 8]>::try_from(value).ok())
        .map_or(0, u64::from_be_bytes)
}
