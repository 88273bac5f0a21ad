//! Coming back from the disk.

use super::super::members::Members;
use super::change::Prepared;
use super::config::MAX_FORMER;
use super::journal::{FORMER, LOG, PREPARED, PROPOSALS, Record, STABLE, STARTED, TAKEN, VIEW};
use super::marks;
use super::message::{Body, Message};
use super::normal::Phase;
use super::replica::PbftReplica;
use super::seeded;
use crate::ledger::seeded as ledger;
use consim_core::{
    Committed, Context, Delivery, Disk, Holds, Payload, Probe, Time, Write, is_damaged,
};
use std::any::Any;
use std::sync::Arc;

/// A replica that came back with an empty disk: it does not know what it signed, and signs nothing
/// that could contradict it. It follows and executes.
#[derive(Debug, Default)]
pub(super) struct Silent {
    /// Who has said so far where the group is.
    answered: Members,
    /// The last sequence number that it may have voted for, once that is known.
    until: Option<u64>,
}

fn record(value: &Arc<dyn Payload>) -> Option<&Record> {
    value.as_any().downcast_ref()
}

impl PbftReplica {
    /// From now on a disk without this mark is one that was wiped.
    pub(super) fn mark_started(&mut self) {
        let mark = Arc::new(Record::Started);
        self.journal.write(Write::cell(STARTED, 0, mark));
    }

    /// A silent replica hears where the group is (the estimation of TOCS 2002). Its own
    /// votes were within the window above its stable checkpoint, and that is at most a window above
    /// one that somebody can prove who has executed as far.
    pub(super) fn estimate(&mut self, from: usize) {
        let proven = self.checkpoints.proven().max(self.stable());
        let (n, faults, window) = (self.group.len(), self.group.faults, self.group.watermark);
        if let Some(silent) = &mut self.silent {
            silent.answered.insert(from);
            if silent.until.is_none() && silent.answered.len() + 1 + faults >= n {
                silent.until = Some(proven.saturating_add(window.saturating_mul(2)));
            }
        }
    }

    fn emit_abstains(&self, cx: &mut Context<'_>) {
        cx.emit(Probe::Abstains {
            chain: self.group.chain,
            abstains: self.silent.is_some(),
        });
    }

    /// Everything up to `stable` is stable: what a silent replica may have signed is past.
    pub(super) fn end_silence(&mut self, cx: &mut Context<'_>, stable: u64) {
        let over = |silent: &Silent| silent.until.is_some_and(|until| until <= stable);
        if self.silent.as_ref().is_some_and(over) {
            cx.reached(&marks::SILENCE_OVER);
            self.silent = None;
            self.emit_abstains(cx);
            self.mark_started();
        }
    }

    /// Takes over what the disk kept: executes the log again, takes its view and its votes back,
    /// and asks the others how far they are.
    pub(super) fn recover(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        let records = disk.damaged();
        let mut forgotten = self.clear_damage(cx, disk) || disk.restored();
        if forgotten || disk.cell(STARTED, 0).is_none() {
            self.silent = Some(Silent::default());
        }
        let stable = match disk.cell(STABLE, 0).and_then(record) {
            Some(Record::Stable(proof)) => Some(proof),
            _ => None,
        };
        self.replay_log(cx, disk);
        match stable {
            Some(proof) if proof.sequence <= self.executed => {
                self.restore_stable(Arc::clone(proof));
            }
            // The log is shorter than what is stable, so the votes above that have no place yet.
            Some(_) => {
                cx.reached(&marks::LOG_BELOW_CHECKPOINT);
                forgotten = true;
                self.silent = Some(Silent::default());
            }
            None => {}
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
        self.floor = self.floor.max(self.window.low());
        self.next = self.executed + 1;
        self.restore_view(disk);
        let votes = self.restore_slots(cx, disk);
        if !votes.is_empty() {
            cx.reached(&marks::VOTES_SAID_AGAIN);
        }
        if !self.active {
            cx.reached(&marks::CAME_BACK_BETWEEN_VIEWS);
        }
        self.put_forward_again(cx);
        self.ask_everybody(cx, &votes);
        self.repeat_view_change(cx);
        if self.active {
            self.watch(cx);
        } else if seeded::on(&seeded::NO_JUMP_TO_HIGHER_VIEW) {
            self.set_view_timer(cx, cx.now() + self.patience());
        } else {
            self.set_view_timer(cx, Time::MAX);
        }
    }

    /// Cuts off what cannot be read of the log, to be fetched again. Returns whether a promise may be
    /// forgotten: a record of a vote, of a view, or of what votes are counted from is damaged.
    fn clear_damage(&mut self, cx: &mut Context<'_>, disk: &Disk) -> bool {
        if disk.any_damaged(TAKEN) {
            cx.reached(&marks::TAKEN_STATE_DAMAGED);
            // Without the state that it goes on from, the log is of no use.
            self.journal.write(Write::erase_below(TAKEN, u64::MAX));
            self.journal.write(Write::cut(LOG, 0));
        } else if let Some(from) = disk.first_damaged(LOG) {
            cx.reached(&marks::LOG_CUT_AT_DAMAGE);
            self.journal.write(Write::cut(LOG, from));
        }
        let promises = [VIEW, STABLE, PROPOSALS, PREPARED, TAKEN, STARTED];
        promises.iter().any(|&table| disk.any_damaged(table))
    }

    /// The host found damage while this replica is up: what is in memory is written again. A proposal
    /// that is not kept in memory is erased with the next checkpoint.
    pub(super) fn scrubbed(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        let records = disk.damaged();
        let forgotten = false;
        cx.emit(Probe::DamageFound { records, forgotten });
        if disk.any_damaged(STARTED) && self.silent.is_none() {
            self.mark_started();
        }
        if disk.any_damaged(VIEW) {
            match self.changes.opening.clone().filter(|_| self.active) {
                Some(opening) => self.write_view(None, Some(opening)),
                None => self.write_view(self.changes.own.clone(), None),
            }
        }
        if disk.any_damaged(STABLE)
            && let Some(proof) = self.checkpoints.proof.clone()
        {
            let record = Record::Stable(proof);
            self.journal.write(Write::cell(STABLE, 0, Arc::new(record)));
        }
        for (sequence, cell) in disk.table(PREPARED) {
            let slot = self.window.get(sequence);
            if let Some(prepared) = slot.and_then(|slot| slot.prepared.clone())
                && is_damaged(&**cell)
            {
                cx.reached(&marks::SCRUB_REPAIRED_CERTIFICATE);
                self.journal
                    .write(Write::cell(PREPARED, sequence, prepared));
            }
        }
        self.write_chain_again(cx, disk);
    }

    /// Writes what is damaged of the log and of the state before it again.
    fn write_chain_again(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        let mut from = disk.first_damaged(LOG);
        if seeded::on(&seeded::SCRUB_SKIPS_LOG) {
            return;
        }
        if disk.any_damaged(TAKEN) {
            // What this replica executed itself it need not prove to itself.
            let Some(kept) = self.checkpoints.latest() else {
                return;
            };
            let record = Record::Taken {
                chain: self.group.chain,
                sequence: kept.sequence,
                head: Arc::clone(&kept.head),
                state: Arc::new(kept.snapshot()),
            };
            self.journal.write(Write::cell(TAKEN, 0, Arc::new(record)));
            from = Some(0);
        }
        let Some(from) = from else {
            return;
        };
        cx.reached(&marks::SCRUB_REPAIRED_LOG);
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

    fn replay_log(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        if let Some(Record::Taken {
            sequence, state, ..
        }) = disk.cell(TAKEN, 0).and_then(record)
        {
            cx.reached(&marks::CAME_BACK_FROM_TAKEN_STATE);
            self.executed = *sequence;
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

    fn restore_view(&mut self, disk: &Disk) {
        let Some(Record::View {
            view,
            change,
            new_view,
        }) = disk.cell(VIEW, 0).and_then(record)
        else {
            return;
        };
        if let Some(opening) = new_view {
            return self.settle_in(opening.clone());
        }
        self.view = *view;
        self.active = false;
        self.restore_change(change.clone());
    }

    /// Takes accepted proposals and prepared certificates back. Returns the votes of this view
    /// that others may still need; they are the same as before, since a replica votes for what it
    /// accepted and signing is deterministic.
    fn restore_slots(&mut self, cx: &mut Context<'_>, disk: &Disk) -> Vec<Arc<dyn Payload>> {
        for (key, value) in disk.table(FORMER) {
            let sequence = key / (MAX_FORMER as u64 + 1);
            if let (Some(slot), Some(Record::Former(batch))) =
                (self.window.open(sequence), record(value))
            {
                slot.keep(Arc::clone(batch));
            }
        }
        for (sequence, value) in disk.table(PREPARED) {
            if let Some(slot) = self.window.open(sequence)
                && let Some(Prepared(certificate)) = value.as_any().downcast_ref()
            {
                slot.prepared = Some(Arc::new(Prepared(certificate.clone())));
            }
        }
        let mut votes = Vec::new();
        for (sequence, value) in disk.table(PROPOSALS) {
            self.restore_proposal(cx, sequence, value, &mut votes);
        }
        votes
    }

    fn restore_proposal(
        &mut self,
        cx: &mut Context<'_>,
        sequence: u64,
        value: &Arc<dyn Payload>,
        votes: &mut Vec<Arc<dyn Payload>>,
    ) {
        let Some(Message {
            body: Body::PrePrepare(proposal),
            ..
        }) = value.as_any().downcast_ref()
        else {
            return;
        };
        let (view, active, executed) = (self.view, self.active, self.executed);
        let silent = self.silent.is_some();
        let Some(slot) = self.window.open(sequence) else {
            return;
        };
        if proposal.view != view || !active || silent {
            slot.keep(Arc::clone(&proposal.batch));
            return;
        }
        let digest = proposal.batch.digest();
        slot.batch = Some(Arc::clone(&proposal.batch));
        let committed = slot.prepared_in(view);
        let statements = proposal.statements(self.group.chain);
        self.settle(sequence, digest, &statements);
        let (me, primary) = (self.group.me, self.group.primary(view));
        self.count(sequence, Phase::Prepare, digest, proposal.signature);
        let mut said = Vec::new();
        if me == primary {
            if sequence > executed {
                cx.reached(&marks::PRIMARY_CAME_BACK);
            }
            self.mempool.propose(proposal.batch.txs());
            said.push((Phase::Prepare, Arc::clone(value), proposal.signature));
        } else {
            let vow = self.vow(cx, Phase::Prepare, sequence, digest);
            said.push((Phase::Prepare, vow.message, vow.signature));
        }
        if committed {
            if sequence > executed {
                cx.reached(&marks::CAME_BACK_PREPARED);
            }
            let vow = self.vow(cx, Phase::Commit, sequence, digest);
            said.push((Phase::Commit, vow.message, vow.signature));
        }
        for (phase, message, signature) in said {
            self.count(sequence, phase, digest, signature);
            if sequence > executed {
                votes.push(Arc::clone(&message));
            }
            if let Some(slot) = self.window.get_mut(sequence) {
                match phase {
                    Phase::Prepare => slot.said_prepare = Some(message),
                    Phase::Commit => slot.said_commit = Some(message),
                }
            }
        }
    }
}
