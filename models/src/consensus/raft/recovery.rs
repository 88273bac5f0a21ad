//! Coming back from the disk.
//!
//! A replica whose disk kept what it promised goes on where it was. One whose disk forgot (it was
//! wiped, came back from a snapshot, or holds records that cannot be read) may have voted, or helped
//! to commit, and not know of it. Section 5.2 and the whole proof lean on it that nobody does. Real
//! systems take such a member out and put it in again as a new one. Here it is silent: it neither
//! votes nor stands for election until it has heard so many others that every majority which it may
//! have been part of is among them, follows no earlier term than these know of, and has everything
//! that the leader of that term had when it answered.

use super::config::ReadMode;
use super::journal::{COMMIT, LOG, MEMBERS, Record, STARTED, Said, TAKEN, VOTE};
use super::log::Entry;
use super::marks;
use super::message::Body;
use super::replica::{RaftReplica, Role};
use super::seeded;
use consim_core::{
    Committed, Context, Delivery, Disk, NodeId, Payload, Probe, Torn, Write, is_damaged,
};
use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A replica that may have forgotten what it promised.
#[derive(Debug, Default)]
pub(super) struct Silent {
    /// Who has said where the group is.
    answered: BTreeSet<NodeId>,
    /// The leader of this term had its log up to this index.
    until: Option<(u64, u64)>,
}

fn record(value: &Arc<dyn Payload>) -> Option<&Record> {
    value.as_any().downcast_ref()
}

impl RaftReplica {
    fn emit_abstains(&self, cx: &mut Context<'_>) {
        cx.emit(Probe::Abstains {
            chain: self.group.chain,
            abstains: self.silent.is_some(),
        });
    }

    /// Takes over what the disk kept.
    pub(super) fn recover(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        let records = disk.damaged();
        let forgotten = self.clear_damage(cx, disk) || disk.restored();
        let started = disk.cell(STARTED, 0).is_some();
        if (forgotten || !started) && !seeded::on(&seeded::WIPED_VOTES) {
            cx.reached(&marks::CAME_BACK_SILENT);
            self.silent = Some(Silent::default());
            self.emit_abstains(cx);
            if started {
                // Whoever comes back before the silence is over must not take this disk for whole.
                self.journal.write(Write::erase_below(STARTED, u64::MAX));
            }
        }
        if records > 0 || forgotten {
            cx.emit(Probe::DamageFound { records, forgotten });
        }
        if let Some(Record::Vote { term, voted }) = disk.cell(VOTE, 0).and_then(record) {
            (self.term, self.voted) = (*term, *voted);
        }
        self.durable_term = self.term;
        self.restore_log(cx, disk);
        // What the disk has is committed as far as it says so; the leader tells the rest.
        if let Some(Record::Commit(commit)) = disk.cell(COMMIT, 0).and_then(record) {
            self.commit = (*commit).min(self.log.last()).max(self.log.base());
        }
        self.noted = self.commit;
        self.agreed = self.commit;
        while self.executed < self.commit
            && let Some(entry) = self.log.get(self.executed + 1).cloned()
        {
            self.executed = entry.index();
            self.mempool.executed(entry.ordered.batch.txs());
            cx.deliver(Delivery::Ordered {
                committed: entry.ordered,
                replayed: true,
            });
        }
        self.back = self.group.options.read == ReadMode::Lease;
        self.ask_to_rejoin(cx);
    }

    /// Cuts off what cannot be read of the log. Returns whether a promise may be forgotten: a torn end
    /// was never on disk, and nobody was told of it.
    fn clear_damage(&mut self, cx: &mut Context<'_>, disk: &Disk) -> bool {
        let promises = [VOTE, TAKEN, MEMBERS, STARTED];
        let mut forgotten = promises.iter().any(|&table| disk.any_damaged(table));
        if disk.any_damaged(TAKEN) {
            self.journal.write(Write::erase_below(TAKEN, u64::MAX));
            self.journal.write(Write::cut(LOG, 0));
        } else if let Some(from) = disk.first_damaged(LOG) {
            self.journal.write(Write::cut(LOG, from));
            let log = disk.log(LOG);
            let torn = log.get(from).is_some_and(|e| e.as_any().is::<Torn>());
            if torn && from + 1 == log.len() {
                cx.reached(&marks::TORN_END_CUT);
            } else {
                cx.reached(&marks::LOG_CUT_AT_DAMAGE);
                forgotten = true;
            }
        }
        forgotten
    }

    fn restore_log(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        let taken = disk.cell(TAKEN, 0).filter(|cell| !is_damaged(&***cell));
        if let Some(Record::Taken {
            index,
            term,
            members,
            state,
            ..
        }) = taken.and_then(record)
        {
            cx.reached(&marks::CAME_BACK_FROM_TAKEN_STATE);
            self.log.restart(*index, *term);
            self.stored_base = *index;
            self.configurations = vec![(*index, Arc::clone(members))];
            self.commit = *index;
            self.executed = *index;
            self.mempool.restore(&state.state);
            cx.deliver(Delivery::State {
                sequence: *index,
                state: Arc::clone(state) as _,
                replayed: true,
            });
        } else if disk.any_damaged(TAKEN) {
            return;
        }
        let mut good = 0;
        for value in disk.log(LOG) {
            let value: Arc<dyn Any + Send + Sync> = Arc::<dyn Payload>::clone(value);
            let Ok(ordered) = value.downcast::<Committed>() else {
                break;
            };
            if ordered.sequence != self.log.last() + 1 {
                break;
            }
            good += 1;
            let index = ordered.sequence;
            let members = match disk.cell(MEMBERS, index).and_then(record) {
                Some(Record::Members(members)) if ordered.batch.txs().is_empty() => {
                    self.configurations.push((index, Arc::clone(members)));
                    Some(Arc::clone(members))
                }
                _ => None,
            };
            self.log.push(Entry { ordered, members });
        }
        if good < disk.log(LOG).len() {
            // Below a state that was taken over, or behind what cannot be read.
            self.journal.write(Write::cut(LOG, good));
        }
        self.durable = self.log.last();
        self.reconfigure();
    }

    /// The host found damage while this replica is up: what is in memory is written again. Until all of
    /// it is there, the disk does not count as one that keeps promises.
    pub(super) fn scrubbed(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        let records = disk.damaged();
        let forgotten = false;
        cx.emit(Probe::DamageFound { records, forgotten });
        if disk.any_damaged(VOTE) {
            self.write_vote();
        }
        if disk.any_damaged(COMMIT) {
            self.noted = 0;
        }
        if disk.any_damaged(MEMBERS) {
            for (index, members) in &self.configurations {
                let record = Arc::new(Record::Members(Arc::clone(members)));
                self.journal.write(Write::cell(MEMBERS, *index, record));
            }
        }
        if disk.any_damaged(TAKEN) || disk.first_damaged(LOG).is_some() {
            self.write_log_again(cx, disk);
        }
        if disk.any_damaged(STARTED) && self.silent.is_none() {
            self.mark_started();
        }
    }

    fn mark_started(&mut self) {
        let mark = Arc::new(Record::Started);
        self.journal.write(Write::cell(STARTED, 0, mark));
    }

    fn write_log_again(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        cx.reached(&marks::SCRUB_REPAIRED_LOG);
        self.journal.write(Write::erase_below(STARTED, u64::MAX));
        let damaged = disk.first_damaged(LOG).unwrap_or(0) as u64;
        let mut from = self.stored_base + damaged;
        if disk.any_damaged(TAKEN) || from < self.log.base() {
            // It is not in memory any more: the latest state stands for it.
            let Some(kept) = self.snapshots.latest() else {
                return;
            };
            let record = Record::Taken {
                chain: self.group.chain,
                index: kept.index,
                term: kept.term,
                members: Arc::clone(&kept.members),
                head: Arc::clone(&kept.head),
                state: Arc::new(crate::ledger::Snapshot {
                    header: kept.head.header.clone(),
                    state: kept.state.clone(),
                }),
            };
            from = kept.index;
            self.stored_base = from;
            self.journal.write(Write::cell(TAKEN, 0, Arc::new(record)));
        }
        let kept = usize::try_from(from - self.stored_base).unwrap_or(0);
        self.journal.write(Write::cut(LOG, kept));
        for entry in self.log.from(from + 1) {
            let logged: Arc<Committed> = Arc::clone(&entry.ordered);
            self.journal.write(Write::append(LOG, logged));
        }
        if self.silent.is_none() {
            self.mark_started();
        }
    }

    // ---- silence ---------------------------------------------------------------------------------

    /// Does it not know yet in which terms it may have taken part?
    pub(super) fn must_not_follow(&self) -> bool {
        let n = self.everybody.len();
        let enough = n.saturating_sub(self.group.majority(n)) + 1;
        let silent = self.silent.as_ref();
        silent.is_some_and(|silent| silent.answered.len() < enough.min(n.saturating_sub(1)))
    }

    /// Asks everybody where the group is, while it is silent.
    pub(super) fn ask_to_rejoin(&mut self, cx: &mut Context<'_>) {
        if self.silent.is_some() {
            self.multicast(cx, Body::Rejoin);
        }
    }

    /// Upon that question. One that is silent itself knows nothing to lean on.
    pub(super) fn on_rejoin(&mut self, cx: &mut Context<'_>, from: NodeId) {
        if self.silent.is_none() {
            let leads = self.leads().then(|| self.log.last());
            self.send(cx, from, Body::Stands { leads });
        }
    }

    /// Upon the answer.
    pub(super) fn on_stands(
        &mut self,
        cx: &mut Context<'_>,
        from: NodeId,
        term: u64,
        leads: Option<u64>,
    ) {
        let Some(silent) = &mut self.silent else {
            return;
        };
        if !self.everybody.contains(&from) {
            return;
        }
        silent.answered.insert(from);
        if term > self.term {
            silent.until = None;
            self.step_down(cx, term);
        }
        if let (Some(last), Some(silent)) = (leads, &mut self.silent)
            && term == self.term
            && silent.until.is_none_or(|(of, _)| of < term)
        {
            silent.until = Some((term, last));
        }
        self.try_end_silence(cx);
    }

    /// Everything that it may have helped to commit is here again, on disk.
    pub(super) fn try_end_silence(&mut self, cx: &mut Context<'_>) {
        let Some(silent) = &self.silent else {
            return;
        };
        let Some((term, last)) = silent.until else {
            return;
        };
        let here = self.agreed.min(self.durable) >= last;
        if self.must_not_follow() || term != self.term || !here || self.leader.is_none() {
            return;
        }
        cx.reached(&marks::SILENCE_OVER);
        self.silent = None;
        self.emit_abstains(cx);
        // In this term it may have voted for somebody else.
        self.voted = self.leader;
        self.write_vote();
        self.mark_started();
        if matches!(self.role, Role::Follower) {
            self.journal.then(Said::Term(self.term));
        }
    }
}
