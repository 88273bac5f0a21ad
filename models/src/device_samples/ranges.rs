//! Which sequence numbers of a device there are.

use super::command::read_list;
use crate::orders::Coded;
use consim_core::{CodecError, Decoder, Encoder};

/// The most ranges of a device: with more gaps than that between its samples it is broken.
pub const MAX_RANGES: usize = 256;

/// Numbers from the first to before the second: in order, apart from each other, none empty.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ranges(pub Vec<(u64, u64)>);

impl Ranges {
    /// After the last number.
    pub fn end(&self) -> u64 {
        self.0.last().map_or(0, |(_, to)| *to)
    }
    /// Is any number from `from` to before `to` there?
    pub fn touch(&self, from: u64, to: u64) -> bool {
        from < to && self.0.iter().any(|&(a, b)| a < to && from < b)
    }
    /// Adds the numbers from `from` to before `to`.
    pub fn add(&mut self, from: u64, to: u64) {
        if from >= to {
            return;
        }
        let (mut from, mut to) = (from, to);
        self.0.retain(|&(a, b)| {
            let apart = b < from || to < a;
            if !apart {
                (from, to) = (from.min(a), to.max(b));
            }
            apart
        });
        let place = self.0.partition_point(|&(a, _)| a < from);
        self.0.insert(place, (from, to));
    }
    /// What is missing before the last number that is there.
    #[must_use]
    pub fn gaps(&self) -> Self {
        let mut after = 0;
        let mut gaps = Vec::new();
        for &(from, to) in &self.0 {
            if after < from {
                gaps.push((after, from));
            }
            after = to;
        }
        Self(gaps)
    }
    /// How many numbers are missing right before `number`.
    pub fn missing_before(&self, number: u64) -> u64 {
        let before = self.0.iter().rev().find(|(from, _)| *from < number);
        number.saturating_sub(before.map_or(0, |(_, to)| *to))
    }
}

impl Coded for Ranges {
    fn encode(&self, e: &mut Encoder<'_>) {
        e.list(self.0.len());
        for (from, to) in &self.0 {
            e.u64(*from).u64(*to);
        }
    }
    fn encoded_len(&self) -> usize {
        4 + 16 * self.0.len()
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let list = read_list(d, MAX_RANGES + 1, 16, |d| Ok((d.u64()?, d.u64()?)))?;
        let mut after = None;
        for &(from, to) in &list {
            if from >= to || after.is_some_and(|after| from <= after) {
                return Err(CodecError::Invalid("ranges"));
            }
            after = Some(to);
        }
        Ok(Self(list))
    }
}
