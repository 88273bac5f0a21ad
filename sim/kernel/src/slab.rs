//! Sends in flight: one record per send or multicast, shared by its receivers.

use consim_core::{NodeId, Payload, Time};
use std::sync::Arc;

/// One send or multicast, in a line of the cache.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct SendRecord {
    pub(crate) from: NodeId,
    /// The sender's epoch when it was sent, and when the send took effect: if that epoch ended
    /// by then, the send never happened.
    pub(crate) epoch: u32,
    pub(crate) finish: Time,
    pub(crate) payload: Arc<dyn Payload>,
    pub(crate) bytes: u32,
    /// Names the send in the digest.
    pub(crate) id: u32,
    /// The sender's own counter, for ties.
    pub(crate) counter: u64,
    /// Copies that are neither served nor dropped.
    pub(crate) copies: u32,
}

/// A pool of records with a free list.
#[derive(Debug, Default)]
pub(crate) struct Sends {
    records: Vec<Option<SendRecord>>,
    free: Vec<u32>,
}

impl Sends {
    pub(crate) fn insert(&mut self, record: SendRecord) -> u32 {
        let record = Some(record);
        if let Some(slot) = self.free.pop()
            && let Some(place) = self.records.get_mut(slot as usize)
        {
            *place = record;
            return slot;
        }
        self.records.push(record);
        (self.records.len() - 1) as u32
    }
    pub(crate) fn get(&self, slot: u32) -> Option<&SendRecord> {
        self.records.get(slot as usize).and_then(Option::as_ref)
    }
    /// The most that were ever in flight at a time.
    pub(crate) fn most(&self) -> usize {
        self.records.len()
    }
    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut SendRecord> {
        self.records.get_mut(slot as usize).and_then(Option::as_mut)
    }
    /// One more copy is in flight.
    pub(crate) fn retain(&mut self, slot: u32) {
        if let Some(record) = self.get_mut(slot) {
            record.copies += 1;
        }
    }
    /// A copy has been served or dropped.
    pub(crate) fn release(&mut self, slot: u32) {
        if let Some(place) = self.records.get_mut(slot as usize)
            && let Some(record) = place
        {
            record.copies -= 1;
            if record.copies == 0 {
                *place = None;
                self.free.push(slot);
            }
        }
    }
}
