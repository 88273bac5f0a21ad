//! A ring of buckets with a bit for each that holds something.

use super::pool::{Bucket, Pool};
use super::ticket::Ticket;

/// Buckets by their number modulo their count, a power of two of at least 64.
#[derive(Debug)]
pub(super) struct Ring {
    buckets: Vec<Bucket>,
    occupied: Vec<u64>,
}

impl Ring {
    pub(super) fn new(size: usize) -> Self {
        Self {
            buckets: vec![Bucket::EMPTY; size],
            occupied: vec![0; size / 64],
        }
    }
    fn slot(&self, number: u64) -> usize {
        number as usize & (self.buckets.len() - 1)
    }
    #[expect(
        clippy::inline_always,
        reason = "docs/performance.md: a ticket stays in registers"
    )]
    #[inline(always)]
    pub(super) fn push(&mut self, number: u64, ticket: Ticket, pool: &mut Pool) {
        let slot = self.slot(number);
        if let Some(bucket) = self.buckets.get_mut(slot) {
            if bucket.len() == 0
                && let Some(bits) = self.occupied.get_mut(slot / 64)
            {
                *bits |= 1 << (slot % 64);
            }
            pool.push(bucket, ticket);
        }
    }
    /// Takes out the bucket of this number.
    pub(super) fn take(&mut self, number: u64) -> Bucket {
        let slot = self.slot(number);
        match (self.buckets.get_mut(slot), self.occupied.get_mut(slot / 64)) {
            (Some(bucket), Some(bits)) => {
                *bits &= !(1 << (slot % 64));
                std::mem::replace(bucket, Bucket::EMPTY)
            }
            _ => Bucket::EMPTY,
        }
    }
    /// The lowest number from `first` on, within one turn, whose bucket holds something.
    pub(super) fn next(&self, first: u64) -> Option<u64> {
        let words = self.occupied.len();
        let (slot, start) = (self.slot(first), self.slot(first) / 64);
        // The first word is looked at twice: from the slot on, and in the end up to it.
        for step in 0..=words {
            let at = (start + step) & (words - 1);
            let mut bits = *self.occupied.get(at)?;
            if step == 0 {
                bits &= u64::MAX << (slot % 64);
            }
            if bits != 0 {
                let found = at * 64 + bits.trailing_zeros() as usize;
                let ahead = found.wrapping_sub(slot) & (self.buckets.len() - 1);
                return Some(first + ahead as u64);
            }
        }
        None
    }
    /// Takes out all that holds something.
    pub(super) fn clear(&mut self, into: &mut Vec<Bucket>) {
        self.occupied.fill(0);
        for bucket in &mut self.buckets {
            if bucket.len() > 0 {
                into.push(std::mem::replace(bucket, Bucket::EMPTY));
            }
        }
    }
}
