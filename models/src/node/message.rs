//! Messages of the node itself.

use super::membership::IdentityCertificate;
use consim_core::{CodecError, Decoder, Encoder, Payload};
use std::any::Any;

/// The family byte of the node's messages.
pub const FAMILY: u8 = 2;

/// A message between nodes about who they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// The sender presents its certificate.
    Hello(IdentityCertificate),
    /// The receiver is not known and should present its certificate.
    Identify,
}

impl Message {
    /// Reads a message; malformed bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let (mut d, kind) = Decoder::message(bytes, FAMILY)?;
        let message = match kind {
            0 => Self::Hello(IdentityCertificate::decode(&mut d)?),
            1 => Self::Identify,
            tag => return Err(CodecError::Tag(tag)),
        };
        d.end()?;
        Ok(message)
    }
}

impl Payload for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Identify => "identify",
        }
    }
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hello(certificate) => certificate.encode(&mut Encoder::message(out, FAMILY, 0)),
            Self::Identify => {
                Encoder::message(out, FAMILY, 1);
            }
        }
    }
    fn encoded_len(&self) -> usize {
        3 + match self {
            Self::Hello(certificate) => certificate.encoded_len(),
            Self::Identify => 0,
        }
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
