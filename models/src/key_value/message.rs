//! Messages between clients and servers.

use super::MAX_VALUE;
use super::command::Command;
use consim_core::{CodecError, Decoder, Encoder, OpId, Payload};
use std::any::Any;
use std::sync::Arc;

/// The family byte of key-value messages.
pub const FAMILY: u8 = 4;
/// The longest certificate, bytes.
pub const MAX_CERTIFICATE: usize = 4096;

/// A message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// A client asks its server.
    Ask {
        /// The operation; a repeated question keeps it.
        op: OpId,
        /// The encoded certificate of the client.
        certificate: Arc<[u8]>,
        /// What.
        command: Command,
    },
    /// The server answers.
    Reply {
        /// The operation.
        op: OpId,
        /// How it ended.
        answer: Answer,
    },
}

/// How an operation ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The key is set.
    Written,
    /// The value of the key, if it was ever set.
    Value(Option<Arc<[u8]>>),
    /// Too much is open: ask again.
    Busy,
    /// The client is not admitted, or the chain refused the transaction.
    Refused,
}

impl Answer {
    fn encode(&self, e: &mut Encoder<'_>) {
        match self {
            Self::Written => e.u8(0),
            Self::Value(None) => e.u8(1),
            Self::Value(Some(value)) => e.u8(2).bytes(value),
            Self::Busy => e.u8(3),
            Self::Refused => e.u8(4),
        };
    }
    fn encoded_len(&self) -> usize {
        1 + match self {
            Self::Value(Some(value)) => 4 + value.len(),
            _ => 0,
        }
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match d.u8()? {
            0 => Self::Written,
            1 => Self::Value(None),
            2 => Self::Value(Some(d.bytes(MAX_VALUE)?.into())),
            3 => Self::Busy,
            4 => Self::Refused,
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}

impl Message {
    /// Reads a message; malformed bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let (mut d, kind) = Decoder::message(bytes, FAMILY)?;
        let op = OpId(d.u64()?);
        let message = match kind {
            0 => Self::Ask {
                op,
                certificate: d.bytes(MAX_CERTIFICATE)?.into(),
                command: Command::decode(&mut d)?,
            },
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

/// The words of the kinds of messages.
pub const KINDS: &[&str] = &["ask", "reply"];

impl Payload for Message {
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
                let mut e = Encoder::message(out, FAMILY, 0);
                e.u64(op.0).bytes(certificate);
                command.encode(&mut e);
            }
            Self::Reply { op, answer } => {
                let mut e = Encoder::message(out, FAMILY, 1);
                e.u64(op.0);
                answer.encode(&mut e);
            }
        }
    }
    fn encoded_len(&self) -> usize {
        3 + 8
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
