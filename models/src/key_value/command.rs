//! Commands on the chain, what is said of them, and the keys of the state.

use super::MAX_VALUE;
use crate::orders::{self, Coded};
use consim_core::chain::MAX_COHORT;
use consim_core::{CodecError, Cohort, Decoder, Encoder, OpId, mix};
use std::sync::Arc;

/// The family byte of key-value messages.
pub const FAMILY: u8 = 4;
/// The version of the command encoding.
const VERSION: u8 = 1;

/// Bytes of a command that sets a key, besides the value: version, kind, key, length.
pub const COMMAND_HEAD: usize = 1 + 1 + 8 + 4;

/// A command: the body of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Sets a key.
    Put {
        /// Which.
        key: u64,
        /// To what.
        value: Arc<[u8]>,
    },
    /// Stands for many that each set a key to a value of so many bytes; what they are is not kept.
    PutMany {
        /// The key of the first.
        key: u64,
        /// How many.
        count: u32,
        /// How long each value is.
        size: u32,
    },
    /// Reads a key in the order of the chain; changes nothing.
    Get {
        /// Which.
        key: u64,
    },
}

impl Coded for Command {
    fn encoded_len(&self) -> usize {
        let value = match self {
            Self::Put { value, .. } => 4 + value.len(),
            Self::PutMany { .. } => 4 + 4,
            Self::Get { .. } => 0,
        };
        1 + 1 + 8 + value
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        match self {
            Self::Put { key, value } => e.u8(VERSION).u8(0).u64(*key).bytes(value),
            Self::Get { key } => e.u8(VERSION).u8(1).u64(*key),
            Self::PutMany { key, count, size } => {
                e.u8(VERSION).u8(2).u64(*key).u32(*count).u32(*size)
            }
        };
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        match d.u8()? {
            VERSION => {}
            other => return Err(CodecError::Version(other)),
        }
        let (tag, key) = (d.u8()?, d.u64()?);
        Ok(match tag {
            0 => Self::Put {
                key,
                value: d.bytes(MAX_VALUE)?.into(),
            },
            1 => Self::Get { key },
            2 => Self::many(key, d.u32()?, d.u32()?)?,
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}

impl Command {
    fn many(key: u64, count: u32, size: u32) -> Result<Self, CodecError> {
        if !(2..=MAX_COHORT).contains(&count) {
            return Err(CodecError::Invalid("cohort"));
        }
        if size as usize > MAX_VALUE {
            return Err(CodecError::TooLong(size as usize));
        }
        Ok(Self::PutMany { key, count, size })
    }
}

impl orders::Command for Command {
    const FAMILY: u8 = FAMILY;
    type Said = Said;
    fn cohort(&self) -> Cohort {
        match *self {
            Self::PutMany { count, size, .. } => Cohort::of(count, COMMAND_HEAD as u32 + size),
            Self::Put { .. } | Self::Get { .. } => Cohort::ONE,
        }
    }
}

/// What a server says of an executed command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// The key is set.
    Written,
    /// The value of the key, if it was ever set.
    Value(Option<Arc<[u8]>>),
}

impl orders::Said for Said {
    fn encode(&self, e: &mut Encoder<'_>) {
        match self {
            Self::Written => e.u8(0),
            Self::Value(None) => e.u8(1),
            Self::Value(Some(value)) => e.u8(2).bytes(value),
        };
    }
    fn encoded_len(&self) -> usize {
        1 + match self {
            Self::Value(Some(value)) => 4 + value.len(),
            Self::Written | Self::Value(None) => 0,
        }
    }
    fn decode(tag: u8, d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match tag {
            0 => Self::Written,
            1 => Self::Value(None),
            2 => Self::Value(Some(d.bytes(MAX_VALUE)?.into())),
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}

/// The key of the state under which `key` is kept.
pub(super) fn state_key(key: u64) -> [u8; 9] {
    let [a, b, c, d, e, f, g, h] = key.to_be_bytes();
    [b'k', a, b, c, d, e, f, g, h]
}

/// The key that stands under `bytes` in the state.
pub(super) fn key_of_state(bytes: &[u8]) -> Option<u64> {
    let key = bytes.strip_prefix(b"k")?;
    Some(u64::from_be_bytes(key.try_into().ok()?))
}

/// The value that operation `op` writes: its number, then filling, so that no two writes of eight
/// bytes or more set the same.
pub(super) fn value_of(op: OpId, size: u32) -> Arc<[u8]> {
    let words = (0u64..).map(|i| if i == 0 { op.0 } else { mix(op.0, i) });
    let bytes = words.flat_map(u64::to_be_bytes);
    bytes.take(size as usize).collect()
}
