//! The window of sequence numbers between the watermarks.

use super::change::Prepared;
use super::config::MAX_FORMER;
use crate::consensus::tally::Tally;
use consim_core::{Batch, Committed, Digest, Payload};
use std::collections::VecDeque;
use std::sync::Arc;

/// The votes of a slot in the present view.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    pub(super) prepares: Tally,
    pub(super) commits: Tally,
}

/// What a replica knows of one sequence number, but for the votes.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// Nothing is left to be done here in this view.
    pub(super) finished: bool,
    /// What this view's primary put forward here.
    pub(super) digest: Option<Digest>,
    /// Its body, once it is here and validated.
    pub(super) batch: Option<Arc<Batch>>,
    /// Bodies that were put forward here in earlier views. Others may hold a certificate for one.
    pub(super) former: Vec<Arc<Batch>>,
    /// The prepared certificate of the highest view.
    pub(super) prepared: Option<Arc<Prepared>>,
    /// This replica's votes in this view that are on disk, to be said again.
    pub(super) said_prepare: Option<Arc<dyn Payload>>,
    pub(super) said_commit: Option<Arc<dyn Payload>>,
    /// Committed, not yet executed.
    pub(super) committed: Option<Arc<Committed>>,
}

impl Slot {
    /// The body with this digest, if it was ever put forward here.
    pub(super) fn body(&self, digest: &Digest) -> Option<&Arc<Batch>> {
        self.batch
            .iter()
            .chain(&self.former)
            .find(|b| b.digest() == *digest)
    }
    /// Keeps a body of an earlier view; the oldest gives way.
    pub(super) fn keep(&mut self, batch: Arc<Batch>) {
        if self.former.iter().any(|b| b.digest() == batch.digest()) {
            return;
        }
        if self.former.len() >= MAX_FORMER {
            self.former.remove(0);
        }
        self.former.push(batch);
    }
    /// Did it prepare in `view`?
    pub(super) fn prepared_in(&self, view: u64) -> bool {
        self.prepared.as_ref().is_some_and(|p| p.0.view == view)
    }
}

/// The slots of (stable checkpoint, stable checkpoint + L]. Only slots that have votes to count
/// hold tallies; these and the slots are used again. What each vote looks at comes first.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Window {
    base: u64,
    /// The votes of each slot, side by side.
    tallies: VecDeque<Option<Box<Tallies>>>,
    slots: VecDeque<Slot>,
    size: u64,
    #[expect(clippy::vec_box, reason = "the boxes go to slots and come back")]
    spare: Vec<Box<Tallies>>,
}

impl Window {
    pub(super) fn new(size: u64) -> Self {
        Self {
            base: 0,
            size,
            slots: VecDeque::new(),
            tallies: VecDeque::new(),
            spare: Vec::new(),
        }
    }
    /// The last sequence number below the window: the low watermark.
    pub(super) fn low(&self) -> u64 {
        self.base
    }
    /// The last sequence number of the window: the high watermark.
    pub(super) fn high(&self) -> u64 {
        self.base.saturating_add(self.size)
    }
    #[inline]
    fn offset(&self, sequence: u64) -> Option<usize> {
        let above = sequence.checked_sub(self.base)?;
        (above >= 1 && above <= self.size).then(|| (above - 1) as usize)
    }
    /// The slot of `sequence`, if anything was ever heard of it.
    #[inline]
    pub(super) fn get(&self, sequence: u64) -> Option<&Slot> {
        self.slots.get(self.offset(sequence)?)
    }
    #[inline]
    pub(super) fn get_mut(&mut self, sequence: u64) -> Option<&mut Slot> {
        let offset = self.offset(sequence)?;
        self.slots.get_mut(offset)
    }
    /// The slot of `sequence`, made if it is within the watermarks.
    #[inline]
    pub(super) fn open(&mut self, sequence: u64) -> Option<&mut Slot> {
        let offset = self.offset(sequence)?;
        while self.slots.len() <= offset {
            self.slots.push_back(Slot::default());
        }
        self.slots.get_mut(offset)
    }
    /// The votes of `sequence`, if there are any.
    pub(super) fn votes(&self, sequence: u64) -> Option<&Tallies> {
        self.tallies.get(self.offset(sequence)?)?.as_deref()
    }
    /// The tallies of `sequence`, unless it is outside the watermarks or finished.
    #[inline]
    pub(super) fn tallies(&mut self, sequence: u64) -> Option<&mut Tallies> {
        let offset = sequence.checked_sub(self.base)?.checked_sub(1)? as usize;
        if !matches!(self.tallies.get(offset), Some(Some(_))) {
            return self.begin_tallies(sequence);
        }
        self.tallies.get_mut(offset)?.as_deref_mut()
    }
    /// The first vote of a slot in this view; none is counted if it is finished.
    #[cold]
    fn begin_tallies(&mut self, sequence: u64) -> Option<&mut Tallies> {
        if self.open(sequence)?.finished {
            return None;
        }
        let offset = self.offset(sequence)?;
        while self.tallies.len() <= offset {
            self.tallies.push_back(None);
        }
        let spare = self.spare.pop().unwrap_or_default();
        Some(self.tallies.get_mut(offset)?.insert(spare))
    }
    /// Nothing is left to be done at `sequence` in this view.
    pub(super) fn finish(&mut self, sequence: u64) {
        let Some(offset) = self.offset(sequence) else {
            return;
        };
        if let Some(slot) = self.slots.get_mut(offset) {
            slot.finished = true;
            // Whoever still lacks these votes gets the batch itself.
            slot.said_prepare = None;
            slot.said_commit = None;
        }
        if let Some(mut tallies) = self.tallies.get_mut(offset).and_then(Option::take) {
            tallies.prepares.clear();
            tallies.commits.clear();
            self.spare.push(tallies);
        }
    }
    /// Raises the low watermark; the slots below it are gone.
    pub(super) fn advance(&mut self, base: u64) {
        while self.base < base {
            self.finish(self.base + 1);
            self.tallies.pop_front();
            if self.slots.pop_front().is_none() {
                self.base = base;
                return;
            }
            self.base += 1;
        }
    }
    /// A new view begins: proposals become former ones, votes are void.
    pub(super) fn next_view(&mut self) {
        for sequence in self.base + 1..=self.base + self.slots.len() as u64 {
            self.finish(sequence);
            let Some(slot) = self.get_mut(sequence) else {
                continue;
            };
            slot.finished = false;
            slot.digest = None;
            if let Some(batch) = slot.batch.take() {
                slot.keep(batch);
            }
        }
    }
    /// The slots of which anything was heard, by ascending sequence number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Slot)> {
        (self.base + 1..).zip(&self.slots)
    }
}
