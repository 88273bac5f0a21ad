//! Sends in flight: one record per send or multicast, shared by its receivers.

use consim_core::{NodeId, Payload, Time};
use std::sync::Arc;

/// One send or multicast.
#[derive(Debug)]
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
    remaining: u32,
}

/// A pool of records with a free list.
#[derive(Debug, Default)]
pub(crate) struct Sends {
    records: Vec<Option<SendRecord>>,
    free: Vec<u32>,
}

impl Sends {
    #[expect(clippy::too_many_arguments, reason = "the fields of the record, once")]
    pub(crate) fn insert(
        &mut self,
        from: NodeId,
        epoch: u32,
        finish: Time,
        payload: Arc<dyn Payload>,
        bytes: u32,
        id: u32,
        counter: u64,
    ) -> u32 {
        let record = Some(SendRecord {
            from,
            epoch,
            finish,
            payload,
            bytes,
            id,
            counter,
            remaining: 1,
        });
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
    /// One more copy is in flight.
    pub(crate) fn retain(&mut self, slot: u32) {
        if let Some(Some(record)) = self.records.get_mut(slot as usize) {
            record.remaining += 1;
        }
    }
    /// A copy has been served or dropped (or the sender is done handing out copies).
    pub(crate) fn release(&mut self, slot: u32) {
        if let Some(place) = self.records.get_mut(slot as usize)
            && let Some(record) = place
        {
            record.remaining -= 1;
            if record.remaining == 0 {
                *place = None;
                self.free.push(slot);
            }
        }
    }
}
