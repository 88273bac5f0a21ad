//! Records that cannot be read as they were written.
//!
//! The model is a store that keeps the checksum of each record apart from it, in the catalogue
//! through which it finds the record, as ZFS does (Bonwick et al., "The Zettabyte File System",
//! 2003): a flipped bit, a write that landed elsewhere and one that never landed are all told from
//! what was written. What such a store cannot tell by itself is that all of it, the catalogue
//! included, is older than it should be.

use super::{Disk, Holds};
use crate::{Digest, Payload};
use std::any::Any;
use std::sync::Arc;

/// What a crash left at the end of a log of a value that was being written: some of its bytes, which
/// no checksum fits. A process that finds it goes on as if it were not there.
#[derive(Clone, Copy, Debug)]
pub struct Torn {
    /// How many bytes there are.
    pub bytes: usize,
}

impl Payload for Torn {
    fn kind(&self) -> &'static str {
        "torn"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.resize(out.len() + self.bytes, 0);
    }
    fn encoded_len(&self) -> usize {
        self.bytes
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A record whose bytes are not those that its checksum was taken of. No process can make anything
/// of it but that it is damaged.
#[derive(Clone, Debug)]
pub struct Damaged {
    bytes: Arc<[u8]>,
    sum: Digest,
    held: Option<Holds>,
}

impl Damaged {
    /// Does the checksum fit?
    pub fn verify(&self) -> bool {
        Digest::of(&self.bytes) == self.sum
    }
    /// What the record was, as far as blocks go: for whoever judges, not for who reads.
    pub fn held(&self) -> Option<Holds> {
        self.held
    }
}

impl Payload for Damaged {
    fn kind(&self) -> &'static str {
        "damaged"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes);
    }
    fn encoded_len(&self) -> usize {
        self.bytes.len()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Is it a record that no checksum fits?
pub fn is_damaged(record: &dyn Payload) -> bool {
    let record = record.as_any();
    record.is::<Torn>() || record.downcast_ref().is_some_and(|d: &Damaged| !d.verify())
}

/// Where a record lies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    /// Entry `.1` of log `.0`.
    Entry(u8, usize),
    /// Cell `.1` of table `.0`.
    Cell(u8, u64),
}

fn bytes_of(record: &dyn Payload) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(record.encoded_len());
    record.encode(&mut bytes);
    bytes
}

/// `record` with other bytes under its checksum; `None` if nothing is different.
fn with_bytes(record: &Arc<dyn Payload>, bytes: Vec<u8>) -> Option<Damaged> {
    let (sum, held) = match record.as_any().downcast_ref::<Damaged>() {
        Some(damaged) => (damaged.sum, damaged.held),
        None => (Digest::of(&bytes_of(&**record)), record.holds()),
    };
    let damaged = Damaged {
        bytes: bytes.into(),
        sum,
        held,
    };
    (!damaged.verify()).then_some(damaged)
}

/// `record` with one bit flipped; `None` if it has none.
pub fn flipped(record: &Arc<dyn Payload>, bit: u64) -> Option<Damaged> {
    let mut bytes = bytes_of(&**record);
    let bits = (bytes.len() as u64).checked_mul(8).filter(|&b| b > 0)?;
    let bit = bit % bits;
    let byte = bytes.get_mut((bit / 8) as usize)?;
    *byte ^= 1 << (bit % 8);
    with_bytes(record, bytes)
}

/// What is read at `record`'s place if `other` lies there; `None` if the two are alike.
pub fn mistaken(record: &Arc<dyn Payload>, other: &dyn Payload) -> Option<Damaged> {
    with_bytes(record, bytes_of(other))
}

/// What is read at the place of `record` if its write never came there: what lay there before, or
/// blanks.
pub fn unwritten(record: &Arc<dyn Payload>, before: Option<&dyn Payload>) -> Option<Damaged> {
    let blank = || vec![0; record.encoded_len()];
    with_bytes(record, before.map_or_else(blank, bytes_of))
}

impl Disk {
    /// How many records it holds.
    pub fn records(&self) -> u64 {
        let logs = self.logs.values().map(Vec::len);
        let tables = self.tables.values().map(std::collections::BTreeMap::len);
        logs.chain(tables).sum::<usize>() as u64
    }
    /// The places of all records, logs before tables.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        let entries = self
            .logs
            .iter()
            .flat_map(|(&log, entries)| (0..entries.len()).map(move |i| Place::Entry(log, i)));
        let cells = self
            .tables
            .iter()
            .flat_map(|(&table, cells)| cells.keys().map(move |&key| Place::Cell(table, key)));
        entries.chain(cells)
    }
    /// The record at `place`.
    pub fn record(&self, place: Place) -> Option<&Arc<dyn Payload>> {
        match place {
            Place::Entry(log, index) => self.logs.get(&log)?.get(index),
            Place::Cell(table, key) => self.cell(table, key),
        }
    }
    /// All records, logs before tables.
    pub fn all(&self) -> impl Iterator<Item = &Arc<dyn Payload>> {
        let logs = self.logs.values().flatten();
        let cells = self
            .tables
            .values()
            .flat_map(std::collections::BTreeMap::values);
        logs.chain(cells)
    }
    /// Something else than what was written lies at `place` from now on.
    pub fn damage(&mut self, place: Place, damaged: Damaged) {
        let record = match place {
            Place::Entry(log, index) => self.logs.get_mut(&log).and_then(|l| l.get_mut(index)),
            Place::Cell(table, key) => self.tables.get_mut(&table).and_then(|t| t.get_mut(&key)),
        };
        if let Some(record) = record {
            *record = Arc::new(damaged);
            self.harmed += 1;
        }
    }
    /// How many times a record was damaged where it lies, in the life of this disk.
    pub fn harmed(&self) -> u64 {
        self.harmed
    }
    /// The first entry of log `log` that no checksum fits.
    pub fn first_damaged(&self, log: u8) -> Option<usize> {
        self.log(log).iter().position(|entry| is_damaged(&**entry))
    }
    /// Is there a damaged cell in `table`?
    pub fn any_damaged(&self, table: u8) -> bool {
        self.table(table).any(|(_, cell)| is_damaged(&**cell))
    }
    /// How many records are damaged.
    pub fn damaged(&self) -> u64 {
        self.all().filter(|record| is_damaged(&***record)).count() as u64
    }
    /// How many records are torn.
    pub fn torn(&self) -> u64 {
        self.all()
            .filter(|record| record.as_any().is::<Torn>())
            .count() as u64
    }
    /// What the records that can be read hold of the chains.
    pub fn holds(&self) -> impl Iterator<Item = Holds> {
        self.all().filter_map(|record| record.holds())
    }
    /// What the records that are damaged held of the chains.
    pub fn lost(&self) -> impl Iterator<Item = Holds> {
        self.all()
            .filter_map(|record| record.as_any().downcast_ref::<Damaged>()?.held())
    }
    /// The volume comes back as it was in `snapshot`. The host tells whoever starts from it, until
    /// it is written to again, as hypervisors do (the generation identifier of virtual machines).
    pub fn restore(&mut self, snapshot: Disk) {
        let harmed = self.harmed;
        *self = snapshot;
        self.harmed = harmed;
        self.restored = true;
    }
    /// How many records of this disk are not the same on `other`, or are not there.
    pub fn differs_from(&self, other: &Disk) -> u64 {
        let same = |place| match (self.record(place), other.record(place)) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        self.places().filter(|&place| !same(place)).count() as u64
    }
    /// Did the volume come back from a snapshot, and was it not written to since?
    pub fn restored(&self) -> bool {
        self.restored
    }
}

#[cfg(test)]
mod tests;
