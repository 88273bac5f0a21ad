//! A ring of buckets with a bit for each that holds something.

use super::pool::{Bucket, Pool};
use super::ticket::Ticket;

/// Buckets by their number modulo their count, a power of two of at least 64.
#[derive(Debug)]
pub(super) struct Ring<const SIZE: usize> {
    buckets: Box<[Bucket; SIZE]>,
    occupied: Vec<u64>,
}

impl<const SIZE: usize> Ring<SIZE> {
    pub(super) fn new() -> Self {
        Self {
            buckets: Box::new([Bucket::EMPTY; SIZE]),
            occupied: vec![0; SIZE / 64],
        }
    }
    #[inline]
    fn slot(number: u64) -> usize {
        number as usize % SIZE
    }
    #[expect(
        clippy::inline_always,
        reason = "docs/performance.md: a ticket stays in registers"
    )]
    #[inline(always)]
    pub(super) fn push(&mut self, number: u64, ticket: Ticket, pool: &mut Pool) {
        let slot = Self::slot(number);
        let bucket = &mut self.buckets[slot];
        if bucket.is_full() {
            if bucket.len() == 0
                && let Some(bits) = self.occupied.get_mut(slot / 64)
            {
                *bits |= 1 << (slot % 64);
            }
            pool.lengthen(bucket);
        }
        pool.push(bucket, ticket);
    }
    /// Takes out the bucket of this number.
    pub(super) fn take(&mut self, number: u64) -> Bucket {
        let slot = Self::slot(number);
        if let Some(bits) = self.occupied.get_mut(slot / 64) {
            *bits &= !(1 << (slot % 64));
        }
        std::mem::replace(&mut self.buckets[slot], Bucket::EMPTY)
    }
    /// The lowest number from `first` on, within one turn, whose bucket holds something.
    pub(super) fn next(&self, first: u64) -> Option<u64> {
        let words = self.occupied.len();
        let (slot, start) = (Self::slot(first), Self::slot(first) / 64);
        // The first word is looked at twice: from the slot on, and in the end up to it.
        for step in 0..=words {
            let at = (start + step) & (words - 1);
            let mut bits = *self.occupied.get(at)?;
            if step == 0 {
                bits &= u64::MAX << (slot % 64);
            }
            if bits != 0 {
                let found = at * 64 + bits.trailing_zeros() as usize;
                let ahead = found.wrapping_sub(slot) % SIZE;
                return Some(first + ahead as u64);
            }
        }
        None
    }
    /// Takes out all that holds something.
    pub(super) fn clear(&mut self, into: &mut Vec<Bucket>) {
        self.occupied.fill(0);
        for bucket in self.buckets.iter_mut() {
            if bucket.len() > 0 {
                into.push(std::mem::replace(bucket, Bucket::EMPTY));
            }
        }
    }
}
