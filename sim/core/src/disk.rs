//! What a node's disk holds, as its process sees it after a restart.

mod damage;

pub use damage::{Damaged, Place, Torn, flipped, is_damaged, mistaken, unwritten};

use crate::{ChainId, Payload};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Names a write that a process asked for; comes back in `Event::Persisted`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WriteToken(pub u64);

/// Where a value is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Slot {
    /// Appended to the end of log `.0`.
    Log(u8),
    /// Overwrites cell `.1` of table `.0`.
    Cell(u8, u64),
    /// Removes every cell of table `.0` below `.1` (takes no space; the payload is ignored).
    EraseBelow(u8, u64),
    /// Removes every entry of log `.0` from the `.1`th on (the payload is ignored).
    CutLog(u8, usize),
}

/// One value to write. A process hands a list of them to `Context::persist`; they become durable
/// together, after one fsync.
#[derive(Clone, Debug)]
pub struct Write {
    /// Where.
    pub slot: Slot,
    /// What; `None` only for [`Slot::EraseBelow`] and [`Slot::CutLog`].
    pub value: Option<Arc<dyn Payload>>,
}

impl Write {
    /// Appends `value` to log `log`.
    pub fn append(log: u8, value: Arc<dyn Payload>) -> Self {
        Self {
            slot: Slot::Log(log),
            value: Some(value),
        }
    }
    /// Sets cell `key` of `table` to `value`.
    pub fn cell(table: u8, key: u64, value: Arc<dyn Payload>) -> Self {
        Self {
            slot: Slot::Cell(table, key),
            value: Some(value),
        }
    }
    /// Removes every cell of `table` whose key is below `key`.
    pub fn erase_below(table: u8, key: u64) -> Self {
        Self {
            slot: Slot::EraseBelow(table, key),
            value: None,
        }
    }
    /// Keeps the first `entries` of `log`.
    pub fn cut(log: u8, entries: usize) -> Self {
        Self {
            slot: Slot::CutLog(log, entries),
            value: None,
        }
    }
    /// The bytes of its value.
    pub fn bytes(&self) -> u64 {
        self.value.as_ref().map_or(0, |v| v.encoded_len() as u64)
    }
}

/// What a record holds of a chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Holds {
    /// The committed batch with this sequence number.
    Block(ChainId, u64),
    /// A state that stands for every batch up to this sequence number.
    UpTo(ChainId, u64),
}

impl Holds {
    /// Does it hold the batch `sequence` of `chain`, or what came of it?
    pub fn covers(self, chain: ChainId, sequence: u64) -> bool {
        match self {
            Self::Block(c, s) => (c, s) == (chain, sequence),
            Self::UpTo(c, s) => c == chain && sequence <= s,
        }
    }
}

/// The durable contents of a node's disk.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    logs: BTreeMap<u8, Vec<Arc<dyn Payload>>>,
    /// By table, so that erasing from one touches no other.
    tables: BTreeMap<u8, BTreeMap<u64, Arc<dyn Payload>>>,
    /// How many times a record was damaged.
    harmed: u64,
    /// It came back from a snapshot and was not written to since.
    restored: bool,
}

impl Disk {
    /// Applies one durable write.
    pub fn apply(&mut self, write: Write) {
        self.restored = false;
        match (write.slot, write.value) {
            (Slot::Log(log), Some(value)) => self.logs.entry(log).or_default().push(value),
            (Slot::Cell(table, key), Some(value)) => {
                self.tables.entry(table).or_default().insert(key, value);
            }
            (Slot::EraseBelow(table, key), _) => {
                if let Some(cells) = self.tables.get_mut(&table) {
                    *cells = cells.split_off(&key);
                }
            }
            (Slot::CutLog(log, entries), _) => {
                if let Some(log) = self.logs.get_mut(&log) {
                    log.truncate(entries);
                }
            }
            (_, None) => {}
        }
    }
    /// By how many bytes `write` would make it larger; negative if smaller.
    pub fn growth(&self, write: &Write) -> i64 {
        let len = |record: &Arc<dyn Payload>| record.encoded_len() as i64;
        match write.slot {
            Slot::Log(_) => write.bytes() as i64,
            Slot::Cell(table, key) => write.bytes() as i64 - self.cell(table, key).map_or(0, len),
            Slot::EraseBelow(table, key) => {
                let cells = self.tables.get(&table).into_iter();
                -cells
                    .flat_map(|t| t.range(..key))
                    .map(|(_, r)| len(r))
                    .sum::<i64>()
            }
            Slot::CutLog(log, entries) => -self.log(log).iter().skip(entries).map(len).sum::<i64>(),
        }
    }
    /// How many bytes it holds: the wire form of every value. Counted on demand, since only a
    /// restart asks.
    pub fn bytes(&self) -> u64 {
        let logs = self.logs.values().flatten();
        let cells = self.tables.values().flat_map(BTreeMap::values);
        logs.chain(cells).map(|v| v.encoded_len() as u64).sum()
    }
    /// Applies what a crash left of writes that were under way: as many of them as `bytes` hold, in
    /// order. Of the one that was cut off a log keeps a [`Torn`] tail; a cell keeps its old value,
    /// since stores write beside the old value and switch.
    pub fn apply_torn(&mut self, writes: Vec<Write>, mut bytes: usize) {
        for write in writes {
            let size = write.value.as_ref().map_or(0, |value| value.encoded_len());
            if size > bytes {
                if let (Slot::Log(_), true) = (write.slot, bytes > 0) {
                    let value: Arc<dyn Payload> = Arc::new(Torn { bytes });
                    let slot = write.slot;
                    let value = Some(value);
                    self.apply(Write { slot, value });
                    self.harmed += 1;
                }
                return;
            }
            bytes -= size;
            self.apply(write);
        }
    }
    /// The entries of log `log`, oldest first.
    pub fn log(&self, log: u8) -> &[Arc<dyn Payload>] {
        self.logs.get(&log).map_or(&[], Vec::as_slice)
    }
    /// The cells of `table`, by key.
    pub fn table(&self, table: u8) -> impl Iterator<Item = (u64, &Arc<dyn Payload>)> {
        let cells = self.tables.get(&table).into_iter().flatten();
        cells.map(|(&key, value)| (key, value))
    }
    /// Cell `key` of `table`.
    pub fn cell(&self, table: u8, key: u64) -> Option<&Arc<dyn Payload>> {
        self.tables.get(&table)?.get(&key)
    }
}

#[cfg(test)]
mod tests;
