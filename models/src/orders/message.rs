//! Messages between clients and servers, over the commands and answers of a model.

use consim_core::{CodecError, Cohort, Decoder, Encoder, OpId, Payload};
use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

/// The longest certificate, bytes.
pub const MAX_CERTIFICATE: usize = 4096;

/// What has a binary form.
pub trait Coded: Clone + PartialEq + Debug + Send + Sync + 'static {
    /// Appends it.
    fn encode(&self, e: &mut Encoder<'_>);
    /// The encoded length.
    fn encoded_len(&self) -> usize;
    /// Reads it; malformed bytes are an error.
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError>;
}

/// What stands under a key of the state, if it is there.
pub(crate) fn read<V: Coded>(bytes: Option<&[u8]>) -> Option<V> {
    let mut d = Decoder::new(bytes?);
    let value = V::decode(&mut d).ok()?;
    d.end().ok()?;
    Some(value)
}

/// The bytes of a value of the state.
pub(crate) fn written<V: Coded>(value: &V) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.encoded_len());
    value.encode(&mut Encoder::new(&mut out));
    out
}

/// A command of a model: the body of a transaction.
pub trait Command: Coded {
    /// The family byte of the model's messages.
    const FAMILY: u8;
    /// What is said when it was executed.
    type Said: Said;
    /// The bytes of the command.
    fn body(&self) -> Arc<[u8]> {
        let mut out = Vec::with_capacity(self.encoded_len());
        self.encode(&mut Encoder::new(&mut out));
        out.into()
    }
    /// How many commands it stands for, and the bytes of their bodies.
    fn cohort(&self) -> Cohort {
        Cohort::ONE
    }
    /// Reads a command; malformed bytes are an error.
    fn from_body(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut d = Decoder::new(bytes);
        let command = Self::decode(&mut d)?;
        d.end()?;
        Ok(command)
    }
}

/// What a server says of an executed command. Its first byte is none of those of [`Answer`].
pub trait Said: Clone + PartialEq + Debug + Send + Sync + 'static {
    /// Appends it.
    fn encode(&self, e: &mut Encoder<'_>);
    /// The encoded length.
    fn encoded_len(&self) -> usize;
    /// Reads it behind its first byte; malformed bytes are an error.
    fn decode(tag: u8, d: &mut Decoder<'_>) -> Result<Self, CodecError>;
}

/// A message.
#[derive(Clone, PartialEq, Debug)]
pub enum Message<C: Command> {
    /// A client asks its server.
    Ask {
        /// The operation; a repeated question keeps it.
        op: OpId,
        /// The encoded certificate of the client.
        certificate: Arc<[u8]>,
        /// What.
        command: C,
    },
    /// The server answers.
    Reply {
        /// The operation.
        op: OpId,
        /// How it ended.
        answer: Answer<C::Said>,
    },
}

/// How an operation ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer<S> {
    /// It was executed.
    Done(S),
    /// Too much is open: ask again.
    Busy,
    /// The client is not admitted, or the chain refused the transaction.
    Refused,
}

/// First bytes of answers that every model has.
const BUSY: u8 = 3;
const REFUSED: u8 = 4;

impl<S: Said> Answer<S> {
    fn encode(&self, e: &mut Encoder<'_>) {
        match self {
            Self::Done(said) => said.encode(e),
            Self::Busy => {
                e.u8(BUSY);
            }
            Self::Refused => {
                e.u8(REFUSED);
            }
        }
    }
    fn encoded_len(&self) -> usize {
        match self {
            Self::Done(said) => said.encoded_len(),
            Self::Busy | Self::Refused => 1,
        }
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match d.u8()? {
            BUSY => Self::Busy,
            REFUSED => Self::Refused,
            tag => Self::Done(S::decode(tag, d)?),
        })
    }
}

impl<C: Command> Message<C> {
    /// Reads a message; malformed bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let (mut d, kind) = Decoder::message(bytes, C::FAMILY)?;
        let op = OpId(d.u64()?);
        let message = match kind {
            0 => {
                let ask = Self::Ask {
                    op,
                    certificate: d.bytes(MAX_CERTIFICATE)?.into(),
                    command: C::decode(&mut d)?,
                };
                if d.raw(ask.filling())?.iter().any(|&byte| byte != 0) {
                    return Err(CodecError::Invalid("filling"));
                }
                ask
            }
            1 => Self::Reply {
                op,
                answer: Answer::decode(&mut d)?,
            },
            tag => return Err(CodecError::Tag(tag)),
        };
        d.end()?;
        Ok(message)
    }
}

impl<C: Command> Message<C> {
    /// Zeros behind a question that stands for many, up to the length of all.
    fn filling(&self) -> usize {
        match self {
            Self::Ask {
                certificate,
                command,
                ..
            } => {
                let (head, body) = (3 + 8 + 4 + certificate.len(), command.encoded_len());
                command.cohort().encoded_len(head, body) - head - body
            }
            Self::Reply { .. } => 0,
        }
    }
}

/// The words of the kinds of messages.
pub const KINDS: &[&str] = &["ask", "reply"];

impl<C: Command> Payload for Message<C> {
    fn kind(&self) -> &'static str {
        match self {
            Self::Ask { .. } => "ask",
            Self::Reply { .. } => "reply",
        }
    }
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ask {
                op,
                certificate,
                command,
            } => {
                let mut e = Encoder::message(out, C::FAMILY, 0);
                e.u64(op.0).bytes(certificate);
                command.encode(&mut e);
                e.raw(&vec![0; self.filling()]);
            }
            Self::Reply { op, answer } => {
                let mut e = Encoder::message(out, C::FAMILY, 1);
                e.u64(op.0);
                answer.encode(&mut e);
            }
        }
    }
    fn encoded_len(&self) -> usize {
        3 + 8
            + self.filling()
            + match self {
                Self::Ask {
                    certificate,
                    command,
                    ..
                } => 4 + certificate.len() + command.encoded_len(),
                Self::Reply { answer, .. } => answer.encoded_len(),
            }
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
