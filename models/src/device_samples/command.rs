//! Commands on the chain, what is said of them, and the keys of the state.

use super::MAX_BATCH;
use super::ranges::Ranges;
use crate::ledger::merkle::{self, Proof};
use crate::orders::{self, Coded};
use consim_core::{CodecError, Decoder, Digest, Encoder};
use std::sync::Arc;

/// The family byte of messages of samples.
pub const FAMILY: u8 = 6;
/// The version of the command encoding.
const VERSION: u8 = 1;

/// Samples of a device, numbered one after the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// Which device.
    pub device: u64,
    /// The number of the first.
    pub first: u64,
    /// What the device says the Merkle root of [`leaf`] of each is.
    pub root: Digest,
    /// Their values.
    pub samples: Arc<[u64]>,
}

impl Batch {
    /// After the number of the last; `None` if there is no such number.
    pub fn end(&self) -> Option<u64> {
        self.first.checked_add(self.samples.len() as u64)
    }
    /// The samples with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (u64, u64)> {
        // Numbers beyond the last are refused later; here they only must not stop anybody.
        let samples = (0u64..).zip(self.samples.iter().copied());
        samples.map(|(i, value)| (self.first.wrapping_add(i), value))
    }
    /// The leaves of the tree over the samples.
    pub fn leaves(&self) -> Vec<Digest> {
        let numbered = self.numbered();
        numbered
            .map(|(sequence, value)| leaf(self.device, sequence, value))
            .collect()
    }
    /// Is the root what the samples have?
    pub fn is_rooted(&self) -> bool {
        merkle::root(&self.leaves()) == self.root
    }
}

/// A sample as a leaf of its batch's tree.
pub fn leaf(device: u64, sequence: u64, value: u64) -> Digest {
    Digest::of_parts(&[
        &device.to_be_bytes(),
        &sequence.to_be_bytes(),
        &value.to_be_bytes(),
    ])
}

impl Coded for Batch {
    fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.device).u64(self.first).digest(&self.root);
        e.list(self.samples.len());
        for sample in self.samples.iter() {
            e.u64(*sample);
        }
    }
    fn encoded_len(&self) -> usize {
        8 + 8 + 32 + 4 + 8 * self.samples.len()
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            device: d.u64()?,
            first: d.u64()?,
            root: d.digest()?,
            samples: read_list(d, MAX_BATCH, 8, Decoder::u64)?.into(),
        })
    }
}

/// Reads a list of at most `limit` items, each of at least `least` bytes.
pub(super) fn read_list<'a, T>(
    d: &mut Decoder<'a>,
    limit: usize,
    least: usize,
    mut item: impl FnMut(&mut Decoder<'a>) -> Result<T, CodecError>,
) -> Result<Vec<T>, CodecError> {
    let n = d.list(limit, least)?;
    (0..n).map(|_| item(d)).collect()
}

/// A command: the body of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// A device hands samples over.
    Anchor(Batch),
    /// Somebody reads a sample.
    Read {
        /// Of which device.
        device: u64,
        /// Its number.
        sequence: u64,
    },
    /// Somebody asks what is missing.
    Gaps {
        /// Of which device.
        device: u64,
    },
}

impl Coded for Command {
    fn encode(&self, e: &mut Encoder<'_>) {
        e.u8(VERSION);
        match self {
            Self::Anchor(batch) => batch.encode(e.u8(0)),
            Self::Read { device, sequence } => {
                e.u8(1).u64(*device).u64(*sequence);
            }
            Self::Gaps { device } => {
                e.u8(2).u64(*device);
            }
        }
    }
    fn encoded_len(&self) -> usize {
        2 + match self {
            Self::Anchor(batch) => batch.encoded_len(),
            Self::Read { .. } => 16,
            Self::Gaps { .. } => 8,
        }
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        match d.u8()? {
            VERSION => {}
            other => return Err(CodecError::Version(other)),
        }
        Ok(match d.u8()? {
            0 => Self::Anchor(Batch::decode(d)?),
            1 => Self::Read {
                device: d.u64()?,
                sequence: d.u64()?,
            },
            2 => Self::Gaps { device: d.u64()? },
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}

impl orders::Command for Command {
    const FAMILY: u8 = FAMILY;
    type Said = Said;
}

/// A sample as it is shown, with what proves it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// Its value.
    pub value: u64,
    /// The root of its batch, as it stands on the chain.
    pub root: Digest,
    /// That it is in the batch.
    pub proof: Proof,
}

/// What a server says of an executed command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// The samples are on the chain.
    Anchored {
        /// How many are missing right before them.
        missing: u64,
    },
    /// There is no such sample, or not yet.
    Nothing,
    /// The sample.
    Sample(Shown),
    /// What is missing before the last sample that there is.
    Missing(Ranges),
}

impl orders::Said for Said {
    fn encode(&self, e: &mut Encoder<'_>) {
        match self {
            Self::Anchored { missing } => {
                e.u8(0).u64(*missing);
            }
            Self::Nothing => {
                e.u8(1);
            }
            Self::Sample(shown) => {
                e.u8(2).u64(shown.value).digest(&shown.root);
                shown.proof.encode(e);
            }
            Self::Missing(ranges) => ranges.encode(e.u8(5)),
        }
    }
    fn encoded_len(&self) -> usize {
        1 + match self {
            Self::Anchored { .. } => 8,
            Self::Nothing => 0,
            Self::Sample(shown) => 8 + 32 + shown.proof.encoded_len(),
            Self::Missing(ranges) => ranges.encoded_len(),
        }
    }
    fn decode(tag: u8, d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match tag {
            0 => Self::Anchored { missing: d.u64()? },
            1 => Self::Nothing,
            2 => Self::Sample(Shown {
                value: d.u64()?,
                root: d.digest()?,
                proof: Proof::decode(d)?,
            }),
            5 => Self::Missing(Ranges::decode(d)?),
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}

fn key<const N: usize>(kind: u8, numbers: [u64; N]) -> Vec<u8> {
    let numbers = numbers.into_iter().flat_map(u64::to_be_bytes);
    std::iter::once(kind).chain(numbers).collect()
}

/// The key of the state under which a device's [`Ranges`] are kept.
pub(super) fn ranges_key(device: u64) -> Vec<u8> {
    key(b'r', [device])
}
/// The key under which a [`Batch`] is kept.
pub(super) fn batch_key(device: u64, first: u64) -> Vec<u8> {
    key(b'b', [device, first])
}
/// The key under which the first number of a sample's batch is kept.
pub(super) fn sample_key(device: u64, sequence: u64) -> Vec<u8> {
    key(b's', [device, sequence])
}
