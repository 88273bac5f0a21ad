//! The wire codec: big-endian, length-prefixed, versioned, with a limit on everything that grows.
//!
//! Every message begins with [`VERSION`], a family byte (which protocol or service) and a kind
//! byte. Decoding malformed bytes returns a [`CodecError`]; it never panics.

use crate::Digest;
use std::fmt;

/// The version byte of every message.
pub const VERSION: u8 = 1;
/// The longest byte string that any field may hold (64 MiB).
pub const MAX_FIELD: usize = 64 << 20;
/// The longest list that any field may hold.
pub const MAX_ITEMS: usize = 1 << 20;

/// What is wrong with received bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodecError {
    /// The input ended inside a field.
    Truncated,
    /// The version byte is not [`VERSION`].
    Version(u8),
    /// A family, kind or variant byte that is not known.
    Tag(u8),
    /// A length above its limit.
    TooLong(usize),
    /// Bytes were left over after the message.
    Trailing(usize),
    /// A field holds a value that its type does not allow.
    Invalid(&'static str),
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the input ends inside a field"),
            Self::Version(v) => write!(f, "version {v} is not {VERSION}"),
            Self::Tag(t) => write!(f, "unknown tag {t}"),
            Self::TooLong(n) => write!(f, "length {n} is over its limit"),
            Self::Trailing(n) => write!(f, "{n} bytes after the message"),
            Self::Invalid(what) => write!(f, "invalid {what}"),
        }
    }
}
impl std::error::Error for CodecError {}

/// Appends fields to a byte vector.
pub struct Encoder<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Encoder<'a> {
    /// An encoder that appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }
    /// Starts a message: version, family, kind.
    pub fn message(out: &'a mut Vec<u8>, family: u8, kind: u8) -> Self {
        out.extend_from_slice(&[VERSION, family, kind]);
        Self { out }
    }
    /// One byte.
    pub fn u8(&mut self, v: u8) -> &mut Self {
        self.out.push(v);
        self
    }
    /// Two bytes.
    pub fn u16(&mut self, v: u16) -> &mut Self {
        self.raw(&v.to_be_bytes())
    }
    /// Four bytes.
    pub fn u32(&mut self, v: u32) -> &mut Self {
        self.raw(&v.to_be_bytes())
    }
    /// Eight bytes.
    pub fn u64(&mut self, v: u64) -> &mut Self {
        self.raw(&v.to_be_bytes())
    }
    /// A digest: 32 bytes.
    pub fn digest(&mut self, d: &Digest) -> &mut Self {
        self.raw(&d.0)
    }
    /// A byte string behind a four-byte length.
    pub fn bytes(&mut self, b: &[u8]) -> &mut Self {
        self.u32(b.len() as u32).raw(b)
    }
    /// Bytes of a length that both sides know.
    pub fn raw(&mut self, b: &[u8]) -> &mut Self {
        self.out.extend_from_slice(b);
        self
    }
    /// The length of a list, four bytes; the items follow.
    pub fn list(&mut self, n: usize) -> &mut Self {
        self.u32(n as u32)
    }
}

/// Reads fields from received bytes.
pub struct Decoder<'a> {
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// A decoder of bare fields.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
    /// A decoder of a message: checks the version and the family, returns the kind.
    pub fn message(bytes: &'a [u8], family: u8) -> Result<(Self, u8), CodecError> {
        let mut d = Self::new(bytes);
        match d.u8()? {
            VERSION => {}
            other => return Err(CodecError::Version(other)),
        }
        let got = d.u8()?;
        if got != family {
            return Err(CodecError::Tag(got));
        }
        let kind = d.u8()?;
        Ok((d, kind))
    }
    /// `n` bytes.
    pub fn raw(&mut self, n: usize) -> Result<&'a [u8], CodecError> {
        let (head, tail) = self.rest.split_at_checked(n).ok_or(CodecError::Truncated)?;
        self.rest = tail;
        Ok(head)
    }
    /// An array of `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let (head, tail) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(CodecError::Truncated)?;
        self.rest = tail;
        Ok(*head)
    }
    /// One byte.
    pub fn u8(&mut self) -> Result<u8, CodecError> {
        Ok(u8::from_be_bytes(self.array()?))
    }
    /// One byte, 0 or 1.
    pub fn boolean(&mut self) -> Result<bool, CodecError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(CodecError::Invalid("truth value")),
        }
    }
    /// Two bytes.
    pub fn u16(&mut self) -> Result<u16, CodecError> {
        Ok(u16::from_be_bytes(self.array()?))
    }
    /// Four bytes.
    pub fn u32(&mut self) -> Result<u32, CodecError> {
        Ok(u32::from_be_bytes(self.array()?))
    }
    /// Eight bytes.
    pub fn u64(&mut self) -> Result<u64, CodecError> {
        Ok(u64::from_be_bytes(self.array()?))
    }
    /// A digest.
    pub fn digest(&mut self) -> Result<Digest, CodecError> {
        Ok(Digest(self.array()?))
    }
    /// A byte string of at most `limit` bytes.
    pub fn bytes(&mut self, limit: usize) -> Result<&'a [u8], CodecError> {
        let n = self.u32()? as usize;
        if n > limit.min(MAX_FIELD) {
            return Err(CodecError::TooLong(n));
        }
        self.raw(n)
    }
    /// The length of a list of at most `limit` items that take at least `item` bytes each; a
    /// length that the rest of the input cannot hold is refused before anything is allocated.
    pub fn list(&mut self, limit: usize, item: usize) -> Result<usize, CodecError> {
        let n = self.u32()? as usize;
        if n > limit.min(MAX_ITEMS) {
            return Err(CodecError::TooLong(n));
        }
        if n.saturating_mul(item.max(1)) > self.rest.len() {
            return Err(CodecError::Truncated);
        }
        Ok(n)
    }
    /// Ends the message; bytes that are left over are an error.
    pub fn end(self) -> Result<(), CodecError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(CodecError::Trailing(self.rest.len()))
        }
    }
    /// The next byte, which is not taken.
    pub fn next_byte(&self) -> Option<u8> {
        self.rest.first().copied()
    }
    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }
}

#[cfg(test)]
mod tests;
