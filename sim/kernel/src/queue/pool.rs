//! Buckets: lists of chunks of tickets out of one pool, so that a bucket that grows takes memory
//! that another has given back, and none is allocated once the pool is as large as it gets.

use super::ticket::Ticket;

/// Tickets of a chunk.
const CHUNK: usize = 16;
/// No chunk.
const NONE: u32 = u32::MAX;

/// A list of tickets, in the order of pushing. Its chunks are full but for the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    first: u32,
    last: u32,
    len: u32,
}

impl Bucket {
    pub(super) const EMPTY: Self = Self {
        first: NONE,
        last: NONE,
        len: 0,
    };
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }
    /// Has its last chunk no room, or has it none?
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        (self.len as usize).is_multiple_of(CHUNK)
    }
}

/// Tickets side by side, in lines of the cache of their own.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Chunk([Ticket; CHUNK]);

/// The chunks, those in use and those that are free.
#[derive(Debug)]
pub(super) struct Pool {
    chunks: Vec<Chunk>,
    /// The chunk behind each in its bucket, or in the list of free ones: the last to come back is
    /// the first to go.
    next: Vec<u32>,
    free: u32,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            next: Vec::new(),
            free: NONE,
        }
    }
}

impl Pool {
    fn take(&mut self) -> u32 {
        if let Some(&next) = self.next.get(self.free as usize) {
            std::mem::replace(&mut self.free, next)
        } else {
            self.chunks.push(Chunk([Ticket::default(); CHUNK]));
            self.next.push(NONE);
            (self.chunks.len() - 1) as u32
        }
    }
    /// Another chunk for a bucket whose last one is full.
    #[inline(never)]
    pub(super) fn lengthen(&mut self, bucket: &mut Bucket) {
        let chunk = self.take();
        match self.next.get_mut(bucket.last as usize) {
            Some(next) => *next = chunk,
            None => bucket.first = chunk,
        }
        bucket.last = chunk;
    }
    /// Adds a ticket to a bucket that is not full.
    #[expect(
        clippy::inline_always,
        reason = "docs/performance.md: a ticket stays in registers"
    )]
    #[inline(always)]
    pub(super) fn push(&mut self, bucket: &mut Bucket, ticket: Ticket) {
        if let Some(chunk) = self.chunks.get_mut(bucket.last as usize) {
            chunk.0[bucket.len as usize % CHUNK] = ticket;
        }
        bucket.len = bucket.len.wrapping_add(1);
    }
    /// The tickets of a bucket, a chunk at a time.
    pub(super) fn chunks(&self, bucket: Bucket) -> impl Iterator<Item = &[Ticket]> {
        let (mut left, mut at) = (bucket.len(), bucket.first);
        std::iter::from_fn(move || {
            let len = left.min(CHUNK);
            let tickets = self.chunks.get(at as usize)?.0.get(..len)?;
            left -= len;
            if left > 0 {
                at = *self.next.get(at as usize)?;
            } else {
                at = NONE;
            }
            Some(tickets)
        })
    }
    /// Takes the first chunk off a bucket.
    pub(super) fn take_chunk(&mut self, bucket: &mut Bucket) -> Option<([Ticket; CHUNK], usize)> {
        let len = bucket.len().min(CHUNK);
        let at = bucket.first as usize;
        let Chunk(tickets) = *self.chunks.get(at).filter(|_| len > 0)?;
        let next = self.next.get_mut(at)?;
        bucket.len -= len as u32;
        let behind = std::mem::replace(next, self.free);
        self.free = bucket.first;
        if bucket.len == 0 {
            *bucket = Bucket::EMPTY;
        } else {
            bucket.first = behind;
        }
        Some((tickets, len))
    }
    /// Gives all chunks of a bucket back.
    pub(super) fn release(&mut self, bucket: Bucket) {
        if let Some(next) = self.next.get_mut(bucket.last as usize) {
            *next = self.free;
            self.free = bucket.first;
        }
    }
    /// Chunks that were ever made.
    #[cfg(test)]
    pub(super) fn made(&self) -> usize {
        self.chunks.len()
    }
}
