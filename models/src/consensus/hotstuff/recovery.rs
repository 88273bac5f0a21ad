//! Coming back from the disk.

use super::journal::{LOG, PROPOSALS, Record, SAFETY, STABLE, STARTED, TAKEN};
use super::marks;
use super::message::{Body, Message};
use super::proposal::Proposal;
use super::replica::HotStuffReplica;
use super::tree::Root;
use crate::consensus::members::Members;
use consim_core::{Committed, Context, Delivery, Disk, Holds, Payload, Probe, Write, is_damaged};
use std::any::Any;
use std::sync::Arc;

/// A replica that came back with a disk that may have forgotten what it signed. It signs nothing that
/// could contradict it: it follows and executes.
#[derive(Debug, Default)]
pub(super) struct Silent {
    /// Who has said so far in which view it is.
    answered: Members,
    /// Up to this view it may have voted, as far as it heard.
    view: u64,
    /// Have enough answered?
    known: bool,
}

impl Silent {
    /// Is it over, now that a proposal of `view` is committed? Whatever this replica voted for before is
    /// then part of what is committed, or never will be.
    pub(super) fn ends_at(&self, view: u64) -> bool {
        self.known && view > self.view
    }
}

fn record(value: &Arc<dyn Payload>) -> Option<&Record> {
    value.as_any().downcast_ref()
}

impl HotStuffReplica {
    /// From now on a disk without this mark is one that was wiped.
    pub(super) fn mark_started(&mut self) {
        let mark = Arc::new(Record::Started);
        self.journal.write(Write::cell(STARTED, 0, mark));
    }

    /// A silent replica hears in which view another is.
    pub(super) fn estimate(&mut self, from: usize, view: u64) {
        let (n, faults) = (self.group.len(), self.group.faults);
        if let Some(silent) = &mut self.silent
            && !silent.known
        {
            silent.answered.insert(from);
            silent.view = silent.view.max(view);
            silent.known = silent.answered.len() + 1 + faults >= n;
        }
    }

    fn emit_abstains(&self, cx: &mut Context<'_>) {
        cx.emit(Probe::Abstains {
            chain: self.group.chain,
            abstains: self.silent.is_some(),
        });
    }

    /// What a silent replica may have signed is past.
    pub(super) fn end_silence(&mut self, cx: &mut Context<'_>) {
        cx.reached(&marks::SILENCE_OVER);
        self.silent = None;
        self.emit_abstains(cx);
        self.safety.voted = self.safety.voted.max(self.safety.view);
        self.safety.locked = self.safety.locked.max(self.tree.root().view);
        self.write_safety();
        self.mark_started();
    }

    /// Takes over what the disk kept: executes the log again, takes its view and its vote back, and asks
    /// the others how far they are.
    pub(super) fn recover(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        let records = disk.damaged();
        let mut forgotten = self.clear_damage(cx, disk) || disk.restored();
        if forgotten || disk.cell(STARTED, 0).is_none() {
            self.silent = Some(Silent::default());
        }
        self.replay_log(cx, disk);
        self.restore_batches(cx, disk);
        match disk.cell(STABLE, 0).and_then(record) {
            Some(Record::Stable(proof)) if proof.view <= self.executed => {
                self.checkpoints.drop_below(proof.view);
                self.checkpoints.proof = Some(Arc::clone(proof));
            }
            // The log is shorter than what is stable: something is missing.
            Some(Record::Stable(_)) => {
                forgotten = true;
                self.silent = Some(Silent::default());
            }
            _ => {}
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
        self.restore_safety(disk);
        self.restore_proposals(disk);
        self.follow(cx);
        self.ask_everybody(cx);
        self.say_again(cx);
        self.say_batches_again(cx);
        self.watch(cx);
        self.try_propose(cx);
    }

    /// Cuts off what cannot be read of the log, to be fetched again. Returns whether a promise may be
    /// forgotten.
    fn clear_damage(&mut self, cx: &mut Context<'_>, disk: &Disk) -> bool {
        if disk.any_damaged(TAKEN) {
            // Without the state that it goes on from, the log is of no use.
            self.journal.write(Write::erase_below(TAKEN, u64::MAX));
            self.journal.write(Write::cut(LOG, 0));
        } else if let Some(from) = disk.first_damaged(LOG) {
            cx.reached(&marks::LOG_CUT_AT_DAMAGE);
            self.journal.write(Write::cut(LOG, from));
        }
        let promises = [SAFETY, STABLE, PROPOSALS, TAKEN, STARTED];
        promises.iter().any(|&table| disk.any_damaged(table))
    }

    /// The host found damage while this replica is up: what is in memory is written again.
    pub(super) fn scrubbed(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        let records = disk.damaged();
        let forgotten = false;
        cx.emit(Probe::DamageFound { records, forgotten });
        cx.reached(&marks::SCRUB_REPAIRED);
        if disk.any_damaged(STARTED) && self.silent.is_none() {
            self.mark_started();
        }
        if disk.any_damaged(SAFETY) {
            self.write_safety();
        }
        if disk.any_damaged(STABLE)
            && let Some(proof) = self.checkpoints.proof.clone()
        {
            let record = Record::Stable(proof);
            self.journal.write(Write::cell(STABLE, 0, Arc::new(record)));
        }
        for (view, cell) in disk.table(PROPOSALS) {
            if is_damaged(&**cell)
                && let Some(proposal) = self.tree.iter().find(|p| p.view() == view)
            {
                let message = self.message(self.written(proposal));
                self.journal.write(Write::cell(PROPOSALS, view, message));
            }
        }
        self.write_batches_again(disk);
        self.write_chain_again(disk);
    }

    /// Writes what is damaged of the log and of the state before it again.
    fn write_chain_again(&mut self, disk: &Disk) {
        let mut from = disk.first_damaged(LOG);
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
        self.journal.write(Write::cut(LOG, from));
        let whole = disk.log(LOG).iter().take(from);
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
            sequence,
            head,
            state,
            ..
        }) = disk.cell(TAKEN, 0).and_then(record)
        {
            cx.reached(&marks::CAME_BACK_FROM_TAKEN_STATE);
            self.executed = *sequence;
            self.log.restart(*sequence);
            self.mempool.restore(&state.state);
            self.tree.advance(Root {
                sequence: *sequence,
                view: head.link.view,
                id: head.link.id(),
            });
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
            self.remember(&committed);
            self.log.push(Arc::clone(&committed));
            self.mempool.executed(committed.batch.txs());
            cx.deliver(Delivery::Ordered {
                committed,
                replayed: true,
            });
        }
        self.replayed = self.executed;
        let last = self.log.get(self.executed);
        if let Some(link) = last.and_then(|c| c.certificate.links.first()) {
            self.tree.advance(Root {
                sequence: self.executed,
                view: link.view,
                id: link.id(),
            });
        }
        // The certificate that committed it is the highest that is known, until the disk says more.
        let top = last.and_then(|c| Self::top(&c.certificate));
        self.safety.high.certificate = top.map(Arc::new);
        self.safety.view = self.safety.high.view() + 1;
    }

    fn restore_safety(&mut self, disk: &Disk) {
        let Some(Record::Safety(kept)) = disk.cell(SAFETY, 0).and_then(record) else {
            return;
        };
        let top = std::mem::take(&mut self.safety);
        self.safety = kept.clone();
        if top.high.view() > kept.high.view() {
            self.safety.high = top.high;
        }
        let certified = self.safety.high.view();
        if certified >= self.safety.view {
            self.safety.view = certified + 1;
            self.safety.entered = None;
            self.safety.timeout = None;
        }
        if let Some(own) = self.safety.timeout.clone() {
            self.restore_timeout(own);
        }
    }

    /// Takes proposals back that were voted for.
    fn restore_proposals(&mut self, disk: &Disk) {
        for (_, value) in disk.table(PROPOSALS) {
            let Some(message) = value.as_any().downcast_ref::<Message>() else {
                continue;
            };
            let proposal = match &message.body {
                Body::Proposal(proposal) => Some(Arc::clone(proposal)),
                Body::Announced(announced) => self.read(announced),
                _ => None,
            };
            if let Some(proposal) = proposal
                && proposal.sequence() > self.executed
                && self.tree.knows(&proposal.link().parent)
            {
                self.tree.insert(proposal);
            }
        }
    }

    /// Says what it said in its view again: others may have lost it, or this replica never said it.
    fn say_again(&mut self, cx: &mut Context<'_>) {
        if self.silent.is_some() {
            return;
        }
        if let Some(own) = self.safety.timeout.clone() {
            cx.reached(&marks::CAME_BACK_TIMED_OUT);
            return self.multicast(cx, Body::Timeout(own));
        }
        let vote = self
            .safety
            .vote
            .filter(|&(view, _)| view == self.safety.view);
        let Some((view, id)) = vote else {
            return;
        };
        let own = self.group.node(self.group.me);
        let proposal = self.tree.get(&id);
        let authored = |p: &&Arc<Proposal>| p.batch().proposer() == own;
        if let Some(proposal) = proposal.filter(authored).cloned() {
            cx.reached(&marks::LEADER_CAME_BACK);
            self.seen = Some(id);
            let message = self.message(Self::said(&proposal));
            cx.multicast(&self.group.members, Arc::clone(&message));
            self.proposed = Some(message);
        }
        cx.reached(&marks::CAME_BACK_VOTED);
        let vote = self.ballot(cx, view, id);
        self.say_vote(cx, &vote);
    }
}
