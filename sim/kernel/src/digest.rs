//! The run digest: BLAKE3 over 64 KiB batches of records.

use consim_core::{Time, mix};

const BATCH: usize = 64 << 10;

/// What a record speaks of; part of every record's first byte.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Mark {
    Timer = 1,
    Disk = 2,
    Down = 3,
    Up = 4,
    Request = 5,
    Refused = 6,
}

/// Hashes what happens. A send is recorded once in full, a delivery in 16 bytes.
#[derive(Debug)]
pub(crate) struct RunDigest {
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
    /// A short hash of the records since it was last taken, for whoever looks for a difference.
    watch: Option<u64>,
}

impl RunDigest {
    pub(crate) fn new(seed: u64) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("consim 2026 run digest");
        hasher.update(&seed.to_le_bytes());
        Self {
            hasher,
            buffer: Vec::with_capacity(BATCH + 4096),
            watch: None,
        }
    }
    /// From now on [`RunDigest::taken`] tells what was recorded.
    pub(crate) fn watch(&mut self) {
        self.watch = Some(0);
    }
    /// A short hash of the records since the last call; 0 if nobody watches.
    pub(crate) fn taken(&mut self) -> u64 {
        self.watch.as_mut().map_or(0, std::mem::take)
    }
    /// Shows what was appended from `start` on to a watcher.
    fn show(&mut self, start: usize) {
        if let Some(hash) = &mut self.watch {
            for chunk in self.buffer.get(start..).unwrap_or_default().chunks(8) {
                let word = chunk.iter().fold(0, |w, &b| w << 8 | u64::from(b));
                *hash = mix(*hash, word);
            }
        }
    }
    fn flush_if_full(&mut self) {
        if self.buffer.len() >= BATCH {
            self.hasher.update(&self.buffer);
            self.buffer.clear();
        }
    }
    /// A send: instant, sender, number of receivers, length and bytes of the payload.
    pub(crate) fn send(&mut self, at: Time, from: u32, id: u32, receivers: u32, payload: &[u8]) {
        let start = self.buffer.len();
        self.buffer
            .extend_from_slice(&(at.nanos() | 1 << 63).to_le_bytes());
        self.buffer.extend_from_slice(&from.to_le_bytes());
        self.buffer.extend_from_slice(&id.to_le_bytes());
        self.buffer.extend_from_slice(&receivers.to_le_bytes());
        self.buffer
            .extend_from_slice(&(payload.len() as u32).to_le_bytes());
        if payload.len() > BATCH {
            self.show(start);
            self.hasher.update(&self.buffer);
            self.buffer.clear();
            self.hasher.update(payload);
        } else {
            self.buffer.extend_from_slice(payload);
            self.show(start);
        }
        self.flush_if_full();
    }
    /// A delivery: instant, receiver, which send.
    #[inline]
    pub(crate) fn delivery(&mut self, at: Time, to: u32, id: u32) {
        let (time, rest) = (at.nanos(), u64::from(to) | u64::from(id) << 32);
        let record = u128::from(time) | u128::from(rest) << 64;
        self.buffer.extend_from_slice(&record.to_le_bytes());
        if self.watch.is_some() || self.buffer.len() >= BATCH {
            self.recorded(16);
        }
    }
    #[cold]
    fn recorded(&mut self, bytes: usize) {
        self.show(self.buffer.len().saturating_sub(bytes));
        self.flush_if_full();
    }
    /// Anything else that a node lived through.
    pub(crate) fn mark(&mut self, at: Time, mark: Mark, node: u32, what: u64) {
        let start = self.buffer.len();
        self.buffer
            .extend_from_slice(&(at.nanos() | 3 << 62).to_le_bytes());
        self.buffer.push(mark as u8);
        self.buffer.extend_from_slice(&node.to_le_bytes());
        self.buffer.extend_from_slice(&what.to_le_bytes());
        self.show(start);
        self.flush_if_full();
    }
    /// The digest so far, in hexadecimal.
    pub(crate) fn hex(&self) -> String {
        let mut hasher = self.hasher.clone();
        hasher.update(&self.buffer);
        hasher.finalize().to_hex().to_string()
    }
}
