//! What a node's disk holds, as its process sees it after a restart.

use crate::Payload;
use std::any::Any;
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
}

/// One value to write. A process hands a list of them to `Context::persist`; they become durable
/// together, after one fsync.
#[derive(Clone, Debug)]
pub struct Write {
    /// Where.
    pub slot: Slot,
    /// What; `None` only for [`Slot::EraseBelow`].
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
}

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

/// The durable contents of a node's disk.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    logs: BTreeMap<u8, Vec<Arc<dyn Payload>>>,
    /// By table, so that erasing from one touches no other.
    tables: BTreeMap<u8, BTreeMap<u64, Arc<dyn Payload>>>,
}

impl Disk {
    /// Applies one durable write.
    pub fn apply(&mut self, write: Write) {
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
            (_, None) => {}
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
