//! A block in parts, each with the proof that it is one of those that the proposer signed (`PartSet` of CometBFT,
//! `types/part_set.go`).

use super::super::message::Header;
use super::super::seeded;
use crate::ledger::merkle::{self, Proof};
use consim_core::{Batch, CodecError, Decoder, Digest, Encoder, Payload};
use std::sync::Arc;

/// Bytes of a part (CometBFT, `types.BlockPartSizeBytes`: 65,536).
pub const PART: u32 = 65_536;
/// Parts of a block (CometBFT, `types.MaxBlockPartsCount`): 100 MB in parts of 64 kB.
pub const MAX_PARTS: usize = 1_601;

/// A part of a block.
#[derive(Debug)]
pub struct Part {
    /// Which, from 0.
    pub index: u32,
    /// What it holds of the block's wire form.
    pub bytes: Arc<[u8]>,
    /// That it is one of those of the header.
    pub proof: Proof,
    /// The hash of its bytes.
    leaf: Digest,
    /// The block that was cut, which is once in memory; none if the part came as bytes.
    of: Option<Arc<Batch>>,
}

impl Part {
    /// A part with these bytes.
    pub fn new(index: u32, bytes: Arc<[u8]>, proof: Proof) -> Self {
        Self {
            index,
            leaf: Digest::of(&bytes),
            bytes,
            proof,
            of: None,
        }
    }
    /// The same bytes and proof, under another index.
    pub(in super::super) fn under(&self, index: u32) -> Self {
        Self {
            index,
            bytes: Arc::clone(&self.bytes),
            proof: self.proof.clone(),
            leaf: self.leaf,
            of: self.of.clone(),
        }
    }
    /// Is it the part with its index of the block that `header` announces?
    pub(super) fn belongs_to(&self, header: &Header) -> bool {
        let named = u64::from(self.index) == self.proof.index
            || seeded::on(&seeded::PART_INDEX_NOT_CHECKED);
        named
            && self.index < header.total
            && self.proof.size == u64::from(header.total)
            && self.proof.verify(&self.leaf, &header.root)
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        4 + 4 + self.bytes.len() + self.proof.encoded_len()
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.u32(self.index).bytes(&self.bytes);
        self.proof.encode(e);
    }
    /// Appends what tells it from all others: the hash of its bytes stands for these.
    pub(in super::super) fn encode_hashed(&self, e: &mut Encoder<'_>) {
        e.u32(self.index).list(self.bytes.len()).digest(&self.leaf);
        self.proof.encode(e);
    }
    /// Reads what [`Self::encode`] wrote.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let index = d.u32()?;
        let bytes = d.bytes(consim_core::codec::MAX_FIELD)?.into();
        Ok(Self::new(index, bytes, Proof::decode(d)?))
    }
}

/// A block, cut.
#[derive(Debug)]
pub(in super::super) struct Cut {
    pub(in super::super) root: Digest,
    pub(in super::super) parts: Vec<Arc<Part>>,
}

impl Cut {
    /// Cuts a block into parts of so many bytes.
    pub(in super::super) fn of(batch: &Arc<Batch>, size: u32) -> Self {
        let mut bytes = Vec::with_capacity(batch.encoded_len());
        batch.encode(&mut Encoder::new(&mut bytes));
        let size = (size.max(1) as usize).max(bytes.len().div_ceil(MAX_PARTS));
        let chunks: Vec<Arc<[u8]>> = bytes.chunks(size).map(Arc::from).collect();
        let leaves: Vec<Digest> = chunks.iter().map(|chunk| Digest::of(chunk)).collect();
        let parts = chunks.into_iter().zip(&leaves).enumerate();
        let parts = parts.filter_map(|(index, (bytes, leaf))| {
            Some(Arc::new(Part {
                index: index as u32,
                bytes,
                proof: merkle::prove(&leaves, index)?,
                leaf: *leaf,
                of: Some(Arc::clone(batch)),
            }))
        });
        Self {
            parts: parts.collect(),
            root: merkle::root(&leaves),
        }
    }
}

/// A part, and the message that it came in.
type Came = (Arc<Part>, Arc<dyn Payload>);

/// A block of which the parts come in.
#[derive(Debug)]
pub(super) struct Assembly {
    pub(super) header: Arc<Header>,
    /// The message that the header came in, to be passed on.
    pub(super) message: Arc<dyn Payload>,
    /// The parts that are here, and the messages that they came in.
    parts: Vec<Option<Came>>,
    count: usize,
    /// The block, once it is whole and the one that the header names.
    pub(super) batch: Option<Arc<Batch>>,
}

impl Assembly {
    pub(super) fn new(header: &Arc<Header>, message: &Arc<dyn Payload>) -> Self {
        let total = (header.total as usize).min(MAX_PARTS);
        Self {
            header: Arc::clone(header),
            message: Arc::clone(message),
            parts: vec![None; total],
            count: 0,
            batch: None,
        }
    }
    pub(super) fn total(&self) -> usize {
        self.parts.len()
    }
    pub(super) fn has(&self, index: usize) -> bool {
        self.parts.get(index).is_some_and(Option::is_some)
    }
    pub(super) fn is_full(&self) -> bool {
        self.count == self.parts.len()
    }
    /// The message with this part.
    pub(super) fn part(&self, index: usize) -> Option<&Arc<dyn Payload>> {
        let part = self.parts.get(index)?.as_ref();
        part.map(|(_, message)| message)
    }
    /// All parts.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &Arc<Part>> {
        self.parts.iter().flatten().map(|(part, _)| part)
    }
    /// Keeps a part that was not here.
    pub(super) fn add(&mut self, part: &Arc<Part>, message: &Arc<dyn Payload>) {
        if let Some(place @ None) = self.parts.get_mut(part.index as usize) {
            *place = Some((Arc::clone(part), Arc::clone(message)));
            self.count += 1;
        }
    }
    /// The block that the parts are the wire form of.
    pub(super) fn read(&self) -> Option<Arc<Batch>> {
        let first = self.pieces().next()?.of.as_ref();
        let of_one = |(index, part): (usize, &Arc<Part>)| {
            let same = part.of.as_ref().zip(first);
            part.proof.index == index as u64 && same.is_some_and(|(a, b)| Arc::ptr_eq(a, b))
        };
        // Parts of one cut in their order are the block that was cut.
        if let Some(batch) = first.filter(|_| self.pieces().enumerate().all(of_one)) {
            return Some(Arc::clone(batch));
        }
        let bytes: Vec<u8> = self
            .pieces()
            .flat_map(|part| part.bytes.iter().copied())
            .collect();
        let mut d = Decoder::new(&bytes);
        let batch = Batch::decode(&mut d).ok()?;
        d.end().ok()?;
        Some(Arc::new(batch))
    }
}
