//! Coming back from the disk.

use super::config::REGENCIES;
use super::journal::{FORMER, PROOF, REGENCY, Record, WRITTEN};
use super::marks;
use super::message::{Body, Message};
use super::normal::Lock;
use super::replica::BftSmartReplica;
use crate::consensus::sync::Syncs as _;
use consim_core::{Context, Disk, Payload, Write};
use std::sync::Arc;

fn record(value: &Arc<dyn Payload>) -> Option<&Record> {
    value.as_any().downcast_ref()
}

impl BftSmartReplica {
    /// Once all that it may have voted for is decided, a silent replica may vote again. It may have signed
    /// STOP-DATA for this regency or the next, so that it brings nothing into these.
    pub(super) fn end_silence(&mut self, cx: &mut Context<'_>) {
        if self.active && self.silence_is_over() {
            self.left = self.left.max(self.regency.saturating_add(1));
            self.write_regency(None);
            self.speak_again(cx);
        }
    }

    // ---- coming back -----------------------------------------------------------------------------

    /// Takes over what the disk kept: executes the log again, takes its regency and its votes back, and
    /// asks the others how far they are.
    pub(super) fn recover(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        self.recover_past(cx, disk);
        self.group.seat.enter(self.sequence());
        self.restore_votes(cx, disk);
        self.restore_regency(cx, disk);
        self.begin_view(cx);
        self.ask_everybody(cx);
        self.resume(cx);
        if self.active {
            self.watch(cx);
        }
    }

    /// Takes back what it wrote for and what it accepted. A log that was cut may end below that.
    fn restore_votes(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        if self.past.silent.is_some() {
            return;
        }
        if let Some(Message {
            body: Body::Propose(proposal),
            ..
        }) = disk
            .cell(WRITTEN, 0)
            .and_then(|cell| cell.as_any().downcast_ref())
        {
            self.written = Some(Arc::clone(proposal));
        }
        let Some(Record::Proof(proof)) = disk.cell(PROOF, 0).and_then(record) else {
            return;
        };
        let former = match disk.cell(FORMER, 0).and_then(record) {
            Some(Record::Former(batch)) => Some(batch),
            _ => None,
        };
        let written = self.written.as_ref().map(|written| &written.batch);
        let mut bodies = written.into_iter().chain(former);
        if let Some(batch) = bodies.find(|batch| batch.digest() == proof.digest) {
            self.lock = Some(Lock {
                proof: Arc::clone(proof),
                batch: Arc::clone(batch),
            });
        }
        if self.lock().is_some() {
            cx.reached(&marks::CAME_BACK_PROVED);
        }
    }

    /// Takes the regency back: as it began, or on the way there with the own STOP-DATA.
    fn restore_regency(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        let Some(Record::Regency {
            regency,
            left,
            data,
            sync,
        }) = disk.cell(REGENCY, 0).and_then(record)
        else {
            return;
        };
        self.left = *left;
        if *regency < self.group.first_regency() {
            // The members of it handed the chain over.
            return;
        }
        if let Some(sync) = sync {
            return self.settle_in(Arc::clone(sync));
        }
        if regency.is_multiple_of(REGENCIES) {
            // The first one of its members begins by itself.
            self.regency = *regency;
            return;
        }
        cx.reached(&marks::CAME_BACK_STOPPED);
        self.regency = *regency;
        self.active = false;
        self.stops.own = *regency;
        if self.past.silent.is_none()
            && let Some(data) = data
        {
            // It was said, or may be said now.
            self.say_stop_data(cx, Arc::clone(data));
        }
        self.wait_for_regency(cx);
    }

    // ---- damage while up -------------------------------------------------------------------------

    /// The host found damage while this replica is up: what is in memory is written again.
    pub(super) fn scrubbed(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        self.scrub_past(cx, disk);
        if disk.any_damaged(REGENCY) {
            let data = self.stops.own_data.as_ref();
            let data = data.map(|(data, _)| Arc::clone(data));
            self.write_regency(data.filter(|_| !self.active));
        }
        if let Some(written) = self.written.clone()
            && disk.any_damaged(WRITTEN)
        {
            let message = self.message(Body::Propose(written));
            self.journal.write(Write::cell(WRITTEN, 0, message));
        }
        if let Some(lock) = self.lock.clone() {
            if disk.any_damaged(PROOF) {
                let record = Record::Proof(lock.proof);
                self.journal.write(Write::cell(PROOF, 0, Arc::new(record)));
            }
            if disk.any_damaged(FORMER) {
                let record = Record::Former(lock.batch);
                self.journal.write(Write::cell(FORMER, 0, Arc::new(record)));
            }
        }
    }
}
