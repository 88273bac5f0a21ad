//! Messages of the node itself: who it is, and what clients ask of it.

use super::membership::IdentityCertificate;
use super::notice::{self, SignedNotice};
use super::release::Release;
use crate::consensus::Changing;
use consim_core::codec::MAX_FIELD;
use consim_core::{CodecError, Decoder, Encoder, NodeId, Payload, Tx, TxId};
use std::any::Any;
use std::sync::Arc;

/// The family byte of the node's messages.
pub const FAMILY: u8 = 2;

/// A message of nodes about who they are, or between a node and a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// The sender presents its certificate.
    Hello(IdentityCertificate),
    /// The receiver is not known and should present its certificate.
    Identify,
    /// The sender runs this release of the program.
    Release(Release),
    /// A client wants a transaction of its own to be ordered.
    Request(Arc<Tx>),
    /// What came of it at one member.
    Reply(Reply),
    /// A client wants to see a value of the state.
    Query {
        /// The client's own number of the question.
        number: u64,
        /// The key of the machine's state.
        key: Arc<[u8]>,
    },
    /// The value at one member.
    Shown(Shown),
    /// A client wants a transaction of its own to be ordered, and has sent it to all members: nobody needs
    /// to pass it on.
    Shared(Arc<Tx>),
    /// Somebody wants to know who leads.
    WhoLeads,
    /// Who leads the view of the sender.
    Leads {
        /// The view.
        view: u64,
        /// Who leads it.
        leader: NodeId,
    },
    /// The chain's administrator asks for a change of its members ([`crate::consensus::MemberChange::signed`]).
    Change(Arc<Tx>),
    /// What has become of it.
    Changing {
        /// Its number.
        number: u64,
        /// What.
        state: Changing,
    },
    /// The registrar says whom to believe from now on.
    Notices(Arc<[SignedNotice]>),
    /// The sender has taken the notice of this number in.
    Taken(u32),
    /// The sender wants all notices that are meant for it.
    WhichNotices,
}

/// What a member executed for a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reply {
    /// The client's transaction.
    pub id: TxId,
    /// The view of the member, and who leads it.
    pub view: u64,
    /// Who leads that view.
    pub leader: NodeId,
    /// Was it executed before it was committed?
    pub tentative: bool,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a client's transaction ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It changed the state.
    Applied,
    /// The state machine refused it.
    Refused,
}

/// A value of the state at one member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// The client's number of the question.
    pub number: u64,
    /// The value; none if the key has none.
    pub value: Option<Arc<[u8]>>,
}

fn flag(d: &mut Decoder<'_>) -> Result<bool, CodecError> {
    match d.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        tag => Err(CodecError::Tag(tag)),
    }
}

impl Message {
    /// Reads a message; malformed bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let (mut d, kind) = Decoder::message(bytes, FAMILY)?;
        let d = &mut d;
        let message = match kind {
            0 => Self::Hello(IdentityCertificate::decode(d)?),
            1 => Self::Identify,
            2 => Self::Request(Arc::new(Tx::decode(d)?)),
            3 => Self::Reply(Reply {
                id: TxId {
                    origin: NodeId(d.u32()?),
                    number: d.u64()?,
                },
                view: d.u64()?,
                leader: NodeId(d.u32()?),
                tentative: flag(d)?,
                outcome: if flag(d)? {
                    Outcome::Applied
                } else {
                    Outcome::Refused
                },
            }),
            4 => Self::Query {
                number: d.u64()?,
                key: d.bytes(MAX_FIELD)?.into(),
            },
            5 => Self::Shown(Shown {
                number: d.u64()?,
                value: if flag(d)? {
                    Some(d.bytes(MAX_FIELD)?.into())
                } else {
                    None
                },
            }),
            6 => Self::Release(Release(d.u32()?.cast_signed())),
            7 => Self::Shared(Arc::new(Tx::decode(d)?)),
            8 => Self::WhoLeads,
            9 => Self::Leads {
                view: d.u64()?,
                leader: NodeId(d.u32()?),
            },
            10 => Self::Change(Arc::new(Tx::decode(d)?)),
            11 => Self::Changing {
                number: d.u64()?,
                state: Changing::of_code(d.u8()?)?,
            },
            12 => Self::Notices(notice::decode_all(d)?.into()),
            13 => Self::Taken(d.u32()?),
            14 => Self::WhichNotices,
            tag => return Err(CodecError::Tag(tag)),
        };
        match d.remaining() {
            0 => Ok(message),
            left => Err(CodecError::Trailing(left)),
        }
    }
}

/// The words of the kinds of messages.
pub const KINDS: &[&str] = &[
    "hello",
    "identify",
    "release",
    "request",
    "reply",
    "query",
    "shown",
    "who-leads",
    "leads",
    "change",
    "changing",
    "notices",
    "taken",
    "which-notices",
];

impl Payload for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Identify => "identify",
            Self::Release(_) => "release",
            Self::Request(_) | Self::Shared(_) => "request",
            Self::Reply(_) => "reply",
            Self::Query { .. } => "query",
            Self::Shown(_) => "shown",
            Self::WhoLeads => "who-leads",
            Self::Leads { .. } => "leads",
            Self::Change(_) => "change",
            Self::Changing { .. } => "changing",
            Self::Notices(_) => "notices",
            Self::Taken(_) => "taken",
            Self::WhichNotices => "which-notices",
        }
    }
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hello(certificate) => certificate.encode(&mut Encoder::message(out, FAMILY, 0)),
            Self::Identify => {
                Encoder::message(out, FAMILY, 1);
            }
            Self::Release(release) => {
                Encoder::message(out, FAMILY, 6).u32(release.0.cast_unsigned());
            }
            Self::Request(tx) => tx.encode(&mut Encoder::message(out, FAMILY, 2)),
            Self::Shared(tx) => tx.encode(&mut Encoder::message(out, FAMILY, 7)),
            Self::WhoLeads => {
                Encoder::message(out, FAMILY, 8);
            }
            Self::Leads { view, leader } => {
                Encoder::message(out, FAMILY, 9).u64(*view).u32(leader.0);
            }
            Self::Change(signed) => signed.encode(&mut Encoder::message(out, FAMILY, 10)),
            Self::Changing { number, state } => {
                Encoder::message(out, FAMILY, 11)
                    .u64(*number)
                    .u8(state.code());
            }
            Self::Notices(notices) => {
                let mut e = Encoder::message(out, FAMILY, 12);
                e.u32(notices.len() as u32);
                notices.iter().for_each(|notice| notice.encode(&mut e));
            }
            Self::Taken(number) => {
                Encoder::message(out, FAMILY, 13).u32(*number);
            }
            Self::WhichNotices => {
                Encoder::message(out, FAMILY, 14);
            }
            Self::Reply(reply) => {
                Encoder::message(out, FAMILY, 3)
                    .u32(reply.id.origin.0)
                    .u64(reply.id.number)
                    .u64(reply.view)
                    .u32(reply.leader.0)
                    .u8(u8::from(reply.tentative))
                    .u8(u8::from(reply.outcome == Outcome::Applied));
            }
            Self::Query { number, key } => {
                Encoder::message(out, FAMILY, 4).u64(*number).bytes(key);
            }
            Self::Shown(Shown { number, value }) => {
                let mut e = Encoder::message(out, FAMILY, 5);
                e.u64(*number).u8(u8::from(value.is_some()));
                if let Some(value) = value {
                    e.bytes(value);
                }
            }
        }
    }
    fn encoded_len(&self) -> usize {
        3 + match self {
            Self::Hello(certificate) => certificate.encoded_len(),
            Self::Identify | Self::WhoLeads | Self::WhichNotices => 0,
            Self::Release(_) | Self::Taken(_) => 4,
            Self::Notices(notices) => {
                4 + notices.iter().map(SignedNotice::encoded_len).sum::<usize>()
            }
            Self::Request(tx) | Self::Shared(tx) => tx.encoded_len(),
            Self::Leads { .. } => 8 + 4,
            Self::Change(signed) => signed.encoded_len(),
            Self::Changing { .. } => 8 + 1,
            // Origin, number, view, leader, two flags.
            Self::Reply(_) => 4 + 8 + 8 + 4 + 1 + 1,
            Self::Query { key, .. } => 8 + 4 + key.len(),
            Self::Shown(Shown { value, .. }) => {
                8 + 1 + value.as_ref().map_or(0, |value| 4 + value.len())
            }
        }
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests;
