//! Persist before speaking: what goes to disk, and what is said once it is there.
//!
//! One write is under way at a time; what comes meanwhile goes to disk together with one fsync
//! (group commit). So writes become durable in the order in which they were asked for, on any disk.

use consim_core::{Context, Write, WriteToken};

/// Writes on their way to disk, and what a protocol says (`S`) once they are there.
#[derive(Debug)]
pub(super) struct Journal<S> {
    token: u64,
    busy: bool,
    writes: Vec<Write>,
    then: Vec<S>,
    under_way: Vec<S>,
}

impl<S> Default for Journal<S> {
    fn default() -> Self {
        Self {
            token: 0,
            busy: false,
            writes: Vec::new(),
            then: Vec::new(),
            under_way: Vec::new(),
        }
    }
}

impl<S> Journal<S> {
    /// Writes with the next fsync.
    pub(super) fn write(&mut self, write: Write) {
        self.writes.push(write);
    }
    /// Says `said` once all that was written so far is durable.
    pub(super) fn then(&mut self, said: S) {
        self.then.push(said);
    }
    /// Is all durable that was written so far?
    pub(super) fn is_idle(&self) -> bool {
        !self.busy && self.writes.is_empty()
    }
    /// Starts the next write if none is under way. Called at the end of every handler.
    #[inline]
    pub(super) fn flush(&mut self, cx: &mut Context<'_>) {
        if !self.writes.is_empty() && !self.busy {
            self.write_out(cx);
        }
    }
    /// What will be said once the write under way is durable.
    pub(super) fn under_way(&mut self) -> Vec<S> {
        std::mem::take(&mut self.under_way)
    }
    /// What waits for no write, since everything is durable.
    pub(super) fn at_once(&mut self) -> Vec<S> {
        if self.is_idle() {
            std::mem::take(&mut self.then)
        } else {
            Vec::new()
        }
    }
    fn write_out(&mut self, cx: &mut Context<'_>) {
        self.token += 1;
        self.busy = true;
        self.under_way.append(&mut self.then);
        cx.persist(WriteToken(self.token), std::mem::take(&mut self.writes));
    }
    /// A write is durable: moves what may be said now into `into`.
    pub(super) fn persisted(&mut self, token: WriteToken, into: &mut Vec<S>) {
        if self.busy && token.0 == self.token {
            self.busy = false;
            into.append(&mut self.under_way);
        }
    }
}
