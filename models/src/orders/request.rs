//! What users ask of their client.

use super::message::{Coded, Command};
use crate::workload::Terms;
use consim_core::{CodecError, Decoder, Encoder, OpId, Payload, Span};
use std::any::Any;

/// Within this an operation must be done where the workload says nothing (assumed: ten times what a
/// block takes over the longest lines).
pub const DEADLINE: Span = Span::from_secs(10);

/// What a user wants.
pub trait Wish: Coded {
    /// What it brings to the chain.
    type Command: Command;
    /// The operation's kind.
    fn name(&self) -> &'static str;
    /// How many users want it.
    fn count(&self) -> u32 {
        1
    }
    /// What operation `op` brings to the chain.
    fn command(&self, op: OpId) -> Self::Command;
}

/// A request of a user at a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request<W> {
    /// Deadline and retries.
    pub terms: Terms,
    /// What.
    pub wish: W,
}

impl<W: Wish> Request<W> {
    /// Within this it counts as available.
    pub(crate) fn deadline(&self) -> Span {
        self.terms.deadline.unwrap_or(DEADLINE)
    }
    /// Reads a request; malformed bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut d = Decoder::new(bytes);
        let terms = Terms::decode(&mut d)?;
        let wish = W::decode(&mut d)?;
        d.end()?;
        Ok(Self { terms, wish })
    }
}

impl<W: Wish> Payload for Request<W> {
    fn kind(&self) -> &'static str {
        self.wish.name()
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = Encoder::new(out);
        self.terms.encode(&mut e);
        self.wish.encode(&mut e);
    }
    fn encoded_len(&self) -> usize {
        Terms::ENCODED + self.wish.encoded_len()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
