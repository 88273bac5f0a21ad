//! What a handler costs. The node's hardware profile turns it into time on its cores.

use crate::Span;

/// Units of work of one handler. All counts are additive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Work {
    /// Signatures made.
    pub sign: u32,
    /// Signatures checked one by one, on one core.
    pub verify: u32,
    /// Signatures of a batch (a certificate, the transactions of a block), checked on all cores.
    pub verify_batched: u32,
    /// Bytes hashed.
    pub hash_bytes: u64,
    /// Bytes encrypted or decrypted.
    pub encrypt_bytes: u64,
    /// Transactions executed.
    pub execute: u32,
    /// Requests of clients served, beside their messages: read, admitted, answered.
    pub requests: u32,
    /// Bytes parsed that did not just come in a message (these are charged on receipt).
    pub parse_bytes: u64,
    /// Bytes of payload handed to the store.
    pub store_bytes: u64,
    /// Bytes read back from the disk.
    pub read_bytes: u64,
    /// Any other work on one core, in nanoseconds of a machine of speed 1x.
    pub fixed_ns: u64,
    /// Any other work that may be spread over all cores, in nanoseconds of one core of speed 1x.
    pub parallel_ns: u64,
}

impl Work {
    /// No work.
    pub const NONE: Self = Self {
        sign: 0,
        verify: 0,
        verify_batched: 0,
        hash_bytes: 0,
        encrypt_bytes: 0,
        execute: 0,
        requests: 0,
        parse_bytes: 0,
        store_bytes: 0,
        read_bytes: 0,
        fixed_ns: 0,
        parallel_ns: 0,
    };

    /// Adds `other` to this work. Inlined, what is zero in a constant costs nothing.
    #[expect(
        clippy::inline_always,
        reason = "docs/performance.md: a fifth of a message"
    )]
    #[inline(always)]
    pub fn add(&mut self, other: Self) {
        self.sign += other.sign;
        self.verify += other.verify;
        self.verify_batched += other.verify_batched;
        self.hash_bytes += other.hash_bytes;
        self.encrypt_bytes += other.encrypt_bytes;
        self.execute += other.execute;
        self.requests += other.requests;
        self.parse_bytes += other.parse_bytes;
        self.store_bytes += other.store_bytes;
        self.read_bytes += other.read_bytes;
        self.fixed_ns += other.fixed_ns;
        self.parallel_ns += other.parallel_ns;
    }
    /// How many signatures were checked one by one, if nothing else was done.
    #[inline]
    pub fn only_verify(&self) -> Option<u32> {
        let counts = self.sign | self.verify_batched | self.execute | self.requests;
        let amounts = self.hash_bytes
            | self.encrypt_bytes
            | self.parse_bytes
            | self.store_bytes
            | self.read_bytes
            | self.fixed_ns
            | self.parallel_ns;
        (u64::from(counts) | amounts == 0).then_some(self.verify)
    }
    /// `n` signatures made.
    #[inline]
    pub fn sign(n: u32) -> Self {
        Self {
            sign: n,
            ..Self::NONE
        }
    }
    /// `n` signatures checked one by one.
    #[inline]
    pub fn verify(n: u32) -> Self {
        Self {
            verify: n,
            ..Self::NONE
        }
    }
    /// `n` signatures checked as a batch.
    #[inline]
    pub fn verify_batched(n: u32) -> Self {
        Self {
            verify_batched: n,
            ..Self::NONE
        }
    }
    /// `n` bytes hashed.
    #[inline]
    pub fn hash(n: usize) -> Self {
        Self {
            hash_bytes: n as u64,
            ..Self::NONE
        }
    }
    /// `n` bytes encrypted or decrypted.
    #[inline]
    pub fn encrypt(n: usize) -> Self {
        Self {
            encrypt_bytes: n as u64,
            ..Self::NONE
        }
    }
    /// `n` transactions executed.
    #[inline]
    pub fn execute(n: u32) -> Self {
        Self {
            execute: n,
            ..Self::NONE
        }
    }
    /// `n` requests of clients served.
    #[inline]
    pub fn requests(n: u32) -> Self {
        Self {
            requests: n,
            ..Self::NONE
        }
    }
    /// `n` bytes parsed.
    #[inline]
    pub fn parse(n: usize) -> Self {
        Self {
            parse_bytes: n as u64,
            ..Self::NONE
        }
    }
    /// `n` bytes of payload handed to the store, beside what the disk takes to write them.
    #[inline]
    pub fn store(n: usize) -> Self {
        Self {
            store_bytes: n as u64,
            ..Self::NONE
        }
    }
    /// `n` bytes read back from the disk.
    #[inline]
    pub fn read(n: u64) -> Self {
        Self {
            read_bytes: n,
            ..Self::NONE
        }
    }
    /// Any other work, on one core of speed 1x.
    #[inline]
    pub fn fixed(span: Span) -> Self {
        Self {
            fixed_ns: span.nanos(),
            ..Self::NONE
        }
    }
    /// Any other work that may be spread over all cores; `span` is what one of speed 1x takes.
    #[inline]
    pub fn parallel(span: Span) -> Self {
        Self {
            parallel_ns: span.nanos(),
            ..Self::NONE
        }
    }
}

#[cfg(test)]
mod tests;
