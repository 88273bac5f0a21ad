//! Transactions that travel together as one that stands for many.

use crate::codec::{CodecError, Decoder, MAX_FIELD};
use std::sync::Arc;

/// The most that one stands for.
pub const MAX_COHORT: u32 = 100_000;

/// How many one stands for, and the bytes of the bodies of all. What only a length matters of is not
/// kept: the wire form has zeros in its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cohort {
    /// How many.
    pub count: u32,
    /// Bytes of their bodies; zero if it stands for itself.
    pub bytes: u32,
}

impl Cohort {
    /// One that stands for itself.
    pub const ONE: Self = Self { count: 1, bytes: 0 };
    /// In the length of a body: what follows stands for many. No body is that long.
    pub(super) const FLAG: u32 = 1 << 31;

    /// `count` that have a body of `each` bytes.
    pub fn of(count: u32, each: u32) -> Self {
        match count {
            0 | 1 => Self::ONE,
            count => Self {
                count: count.min(MAX_COHORT),
                bytes: each.saturating_mul(count),
            },
        }
    }
    /// Does it stand for itself?
    pub fn is_one(self) -> bool {
        self == Self::ONE
    }
    /// The encoded length of all, where each has `head` bytes and a body, and what is kept of it here is
    /// `body` bytes long.
    pub fn encoded_len(self, head: usize, body: usize) -> usize {
        if self.is_one() {
            return head + body;
        }
        // What is kept takes no more than that.
        let kept = head + 8 + body;
        kept.max(head * self.count as usize + self.bytes as usize)
    }
    /// What a digest is over: the domain, and this at the end.
    pub(super) fn digested(self) -> (&'static [u8], Vec<u8>) {
        if self.is_one() {
            return (b"consim tx 1", Vec::new());
        }
        let words = [self.count, self.bytes];
        let words = words.iter().flat_map(|word| word.to_be_bytes());
        (b"consim cohort 1", words.collect())
    }
    /// Reads a body and what it stands for.
    pub(super) fn decode_body(d: &mut Decoder<'_>) -> Result<(Arc<[u8]>, Self), CodecError> {
        let length = d.u32()?;
        let cohort = if length & Self::FLAG == 0 {
            Self::ONE
        } else {
            let (count, bytes) = (d.u32()?, d.u32()?);
            if !(2..=MAX_COHORT).contains(&count) {
                return Err(CodecError::Invalid("cohort"));
            }
            Self { count, bytes }
        };
        let length = (length & !Self::FLAG) as usize;
        if length > MAX_FIELD {
            return Err(CodecError::TooLong(length));
        }
        Ok((d.raw(length)?.into(), cohort))
    }
}
