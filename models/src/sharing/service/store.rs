//! The institution's own database of originals.

use crate::sharing::ids::RecordId;
use crate::sharing::seeded;
use consim_core::{Disk, Payload, Write, is_damaged};
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The disk table of the originals, far above those of the replica and the node.
const TABLE: u8 = 192;
/// The disk table of what is destroyed.
const TOMBSTONES: u8 = 193;

/// An original as it lies on the disk.
#[derive(Debug)]
struct Original(Arc<[u8]>);

impl Payload for Original {
    fn kind(&self) -> &'static str {
        "original"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
    fn encoded_len(&self) -> usize {
        self.0.len()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The originals of an institution.
#[derive(Debug, Default)]
pub(super) struct Store {
    bodies: BTreeMap<RecordId, Arc<[u8]>>,
}

impl Store {
    /// What the disk kept.
    pub(super) fn restore(disk: &Disk) -> Self {
        let bodies = disk.table(TABLE).filter_map(|(record, value)| {
            value
                .as_any()
                .downcast_ref::<Original>()
                .map(|original| (RecordId(record), Arc::clone(&original.0)))
        });
        Self {
            bodies: bodies.collect(),
        }
    }
    /// Takes an original; the write that makes it durable. An original is never overwritten:
    /// `None` if the record is there already.
    pub(super) fn add(&mut self, record: RecordId, body: &Arc<[u8]>) -> Option<Write> {
        if self.bodies.contains_key(&record) {
            return None;
        }
        self.bodies.insert(record, Arc::clone(body));
        Some(Write::cell(
            TABLE,
            record.0,
            Arc::new(Original(Arc::clone(body))),
        ))
    }
    /// The writes that put originals in memory in the place of damaged ones.
    pub(super) fn repairs(&self, disk: &Disk) -> Vec<Write> {
        let damaged = disk.table(TABLE).filter(|(_, cell)| is_damaged(&***cell));
        let again = |(record, _): (u64, _)| {
            let body = self.bodies.get(&RecordId(record))?;
            let original = Arc::new(Original(Arc::clone(body)));
            Some(Write::cell(TABLE, record, original))
        };
        damaged.filter_map(again).collect()
    }
    /// What is kept, by record.
    pub(super) fn records(&self) -> impl Iterator<Item = RecordId> {
        self.bodies.keys().copied()
    }
    /// Another body in the place of an original; the write that makes it durable. `None` if it is not
    /// there.
    pub(super) fn overwrite(
        &mut self,
        record: RecordId,
        change: impl FnOnce(&mut Vec<u8>),
    ) -> Option<Write> {
        let kept = self.bodies.get_mut(&record)?;
        let mut body = kept.to_vec();
        change(&mut body);
        *kept = body.into();
        let original = Arc::new(Original(Arc::clone(kept)));
        Some(Write::cell(TABLE, record.0, original))
    }
    /// Writes down that keys or copies are gone, which must outlive a crash.
    pub(super) fn tombstone(op: consim_core::OpId) -> Write {
        Write::cell(TOMBSTONES, op.0, Arc::new(Original(Arc::default())))
    }
    /// An original.
    pub(super) fn get(&self, record: RecordId) -> Option<&Arc<[u8]>> {
        self.bodies.get(&record)
    }
    /// The original that is handed out.
    pub(super) fn released(&self, record: RecordId) -> Option<&Arc<[u8]>> {
        if seeded::on(&seeded::RECORD_BEFORE)
            && let Some((_, before)) = self.bodies.range(..record).next_back()
        {
            return Some(before);
        }
        self.get(record)
    }
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.bodies.len()
    }
}
