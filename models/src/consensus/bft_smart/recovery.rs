//! Coming back from the disk.

use super::config::FORGOTTEN;
use super::journal::{FORMER, LOG, PROOF, REGENCY, Record, STABLE, STARTED, TAKEN, WRITTEN};
use super::marks;
use super::message::{ACCEPT, Body, Message, Status};
use super::normal::Lock;
use super::replica::BftSmartReplica;
use crate::consensus::members::Members;
use crate::ledger::seeded as ledger;
use consim_core::{
    Certificate, Committed, Context, Delivery, Disk, Holds, Payload, Probe, Work, Write,
};
use std::any::Any;
use std::sync::Arc;

/// A replica that came back with a disk that may have forgotten what it signed: it signs nothing that could
/// contradict it. It follows and executes.
#[derive(Debug, Default)]
pub(super) struct Silent {
    /// Who has said so far where the group is, and shown it.
    answered: Members,
    /// The last consensus that any of them has shown to be decided.
    shown: u64,
    /// Are these enough to know?
    known: bool,
}

fn record(value: &Arc<dyn Payload>) -> Option<&Record> {
    value.as_any().downcast_ref()
}

impl BftSmartReplica {
    /// From now on a disk without this mark is one that was wiped.
    pub(super) fn mark_started(&mut self) {
        let mark = Arc::new(Record::Started);
        self.journal.write(Write::cell(STARTED, 0, mark));
    }

    // ---- silence ---------------------------------------------------------------------------------

    /// A silent replica hears where the group is. What is not proven does not count.
    pub(super) fn estimate(&mut self, cx: &mut Context<'_>, from: usize, status: &Status) {
        let Some(silent) = self.silent.as_ref().filter(|s| !s.known) else {
            return;
        };
        let known = status.executed <= self.executed.max(silent.shown);
        if !known && !self.is_decided(cx, status) {
            return;
        }
        let (n, faults, executed) = (self.group.len(), self.group.faults, self.executed);
        if let Some(silent) = &mut self.silent {
            silent.answered.insert(from);
            silent.shown = silent.shown.max(status.executed).max(executed);
            silent.known = silent.answered.len() + 1 + faults >= n;
        }
        self.end_silence(cx);
    }

    /// Does the status prove what it says?
    fn is_decided(&self, cx: &mut Context<'_>, status: &Status) -> bool {
        let group = &self.group;
        status.decided.as_ref().is_some_and(|proof| {
            cx.work(Work::verify_batched(proof.signatures.len() as u32));
            let accepts = |proof: &Certificate| {
                proof.kind == ACCEPT
                    && proof.verify(group.chain, &group.members, group.quorum, &group.keys)
            };
            proof.sequence == status.executed && (accepts(proof) || self.is_checkpoint(proof))
        })
    }

    fn emit_abstains(&self, cx: &mut Context<'_>) {
        cx.emit(Probe::Abstains {
            chain: self.group.chain,
            abstains: self.silent.is_some(),
        });
    }

    /// Once all that it may have voted for is decided, a silent replica may vote again. It may have signed
    /// STOP-DATA for this regency or the next, so that it brings nothing into these.
    pub(super) fn end_silence(&mut self, cx: &mut Context<'_>) {
        let executed = self.executed;
        let over = |s: &Silent| s.known && s.shown.saturating_add(FORGOTTEN) <= executed;
        if self.active && self.silent.as_ref().is_some_and(over) {
            cx.reached(&marks::SILENCE_OVER);
            self.silent = None;
            self.emit_abstains(cx);
            self.left = self.left.max(self.regency.saturating_add(1));
            self.write_regency(None);
            self.mark_started();
        }
    }

    // ---- coming back -----------------------------------------------------------------------------

    /// Takes over what the disk kept: executes the log again, takes its regency and its votes back, and
    /// asks the others how far they are.
    pub(super) fn recover(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        let records = disk.damaged();
        let forgotten = self.clear_damage(cx, disk) || disk.restored();
        if forgotten || disk.cell(STARTED, 0).is_none() {
            self.silent = Some(Silent::default());
        }
        self.replay_log(cx, disk);
        if let Some(Record::Stable(proof)) = disk.cell(STABLE, 0).and_then(record) {
            if proof.sequence <= self.executed {
                self.checkpoints.proof = Some(Arc::clone(proof));
            } else {
                self.checkpoints
                    .set_ahead(proof.sequence, Arc::clone(proof));
            }
        }
        if forgotten && disk.cell(STARTED, 0).is_some() {
            // Whoever comes back before the silence is over must not take this disk for whole.
            self.journal.write(Write::erase_below(STARTED, u64::MAX));
        }
        if records > 0 || forgotten {
            cx.emit(Probe::DamageFound { records, forgotten });
        }
        if self.silent.is_some() {
            cx.reached(&marks::CAME_BACK_SILENT);
            self.emit_abstains(cx);
        }
        self.restore_votes(cx, disk);
        self.restore_regency(cx, disk);
        self.ask_everybody(cx);
        self.resume(cx);
        if self.active {
            self.watch(cx);
        }
    }

    /// Cuts off what cannot be read of the log, to be fetched again. Returns whether a promise may be
    /// forgotten: a record of a vote, of a regency, or of what votes are counted from is damaged.
    fn clear_damage(&mut self, cx: &mut Context<'_>, disk: &Disk) -> bool {
        if disk.any_damaged(TAKEN) {
            // Without the state that it goes on from, the log is of no use.
            self.journal.write(Write::erase_below(TAKEN, u64::MAX));
            self.journal.write(Write::cut(LOG, 0));
        } else if let Some(from) = disk.first_damaged(LOG) {
            cx.reached(&marks::LOG_CUT_AT_DAMAGE);
            self.journal.write(Write::cut(LOG, from));
        }
        let promises = [REGENCY, STABLE, WRITTEN, PROOF, FORMER, TAKEN, STARTED];
        promises.iter().any(|&table| disk.any_damaged(table))
    }

    fn replay_log(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        if let Some(Record::Taken {
            sequence,
            proof,
            state,
            ..
        }) = disk.cell(TAKEN, 0).and_then(record)
        {
            cx.reached(&marks::CAME_BACK_FROM_TAKEN_STATE);
            self.executed = *sequence;
            self.decided.clone_from(proof);
            self.log.restart(*sequence);
            self.mempool.restore(&state.state);
            cx.deliver(Delivery::State {
                sequence: *sequence,
                state: Arc::clone(state) as _,
                replayed: true,
            });
        }
        for value in disk.log(LOG) {
            let value: Arc<dyn Any + Send + Sync> = Arc::<dyn Payload>::clone(value);
            let Ok(committed) = value.downcast::<Committed>() else {
                continue;
            };
            if committed.sequence != self.executed + 1 {
                continue;
            }
            self.executed = committed.sequence;
            self.log.push(Arc::clone(&committed));
            self.decided = Some(Arc::new(committed.certificate.clone()));
            if !ledger::on(&ledger::TABLE_OF_EXECUTED_NOT_PERSISTED) {
                self.mempool.executed(committed.batch.txs());
            }
            cx.deliver(Delivery::Ordered {
                committed,
                replayed: true,
            });
        }
        self.replayed = self.executed;
    }

    /// Takes back what it wrote for and what it accepted. A log that was cut may end below that.
    fn restore_votes(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        if self.silent.is_some() {
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
        if let Some(sync) = sync {
            return self.settle_in(Arc::clone(sync));
        }
        if *regency == 0 {
            // The first one begins by itself.
            return;
        }
        cx.reached(&marks::CAME_BACK_STOPPED);
        self.regency = *regency;
        self.active = false;
        self.stops.own = *regency;
        if self.silent.is_none()
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
        let records = disk.damaged();
        let forgotten = false;
        cx.emit(Probe::DamageFound { records, forgotten });
        cx.reached(&marks::SCRUB_REPAIRED);
        if disk.any_damaged(STARTED) && self.silent.is_none() {
            self.mark_started();
        }
        if disk.any_damaged(REGENCY) {
            let data = self.stops.own_data.as_ref();
            let data = data.map(|(data, _)| Arc::clone(data));
            self.write_regency(data.filter(|_| !self.active));
        }
        if disk.any_damaged(STABLE)
            && let Some(proof) = self.checkpoints.proof.clone()
        {
            let record = Record::Stable(proof);
            self.journal.write(Write::cell(STABLE, 0, Arc::new(record)));
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
        self.write_chain_again(disk);
    }

    /// Writes what is damaged of the log and of the state before it again.
    fn write_chain_again(&mut self, disk: &Disk) {
        let mut from = disk.first_damaged(LOG);
        if disk.any_damaged(TAKEN) {
            // What this replica executed itself it need not prove to itself, but to others.
            let Some(kept) = self.checkpoints.latest() else {
                return;
            };
            let proof = self.checkpoints.proof.clone();
            let record = Record::Taken {
                chain: self.group.chain,
                sequence: kept.sequence,
                proof: proof.filter(|proof| proof.sequence == kept.sequence),
                head: Arc::clone(&kept.head),
                state: Arc::new(kept.snapshot()),
            };
            self.journal.write(Write::cell(TAKEN, 0, Arc::new(record)));
            from = Some(0);
        }
        let Some(from) = from else {
            return;
        };
        self.journal.write(Write::cut(LOG, from));
        let whole = disk.log(LOG).iter().take(from).rev();
        let last = whole.filter_map(|entry| match entry.holds()? {
            Holds::Block(_, sequence) => Some(sequence),
            Holds::UpTo(..) => None,
        });
        let last = last.max().unwrap_or(0).max(self.log.base());
        for committed in self.log.from(last + 1) {
            let logged: Arc<Committed> = Arc::clone(committed);
            self.journal.write(Write::append(LOG, logged));
        }
    }
}
