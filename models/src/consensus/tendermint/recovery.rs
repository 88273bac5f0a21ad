//! Coming back from the disk.

use super::config::FORGOTTEN;
use super::journal::{
    BODY, LOG, PROPOSAL, Record, STABLE, STARTED, Signed, TAKEN, VALID, VOTES, Votes,
};
use super::marks;
use super::message::{PRECOMMIT, Status};
use super::replica::{TendermintReplica, Valid};
use super::rounds::{Phase, Step};
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
    /// The last height that any of them has shown to be decided.
    shown: u64,
    /// Are these enough to know?
    known: bool,
}

fn record(value: &Arc<dyn Payload>) -> Option<&Record> {
    value.as_any().downcast_ref()
}

impl TendermintReplica {
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
            let decides = |proof: &Certificate| {
                proof.kind == PRECOMMIT
                    && proof.verify(group.chain, &group.members, group.quorum, &group.keys)
            };
            proof.sequence == status.executed && (decides(proof) || self.is_checkpoint(proof))
        })
    }

    fn emit_abstains(&self, cx: &mut Context<'_>) {
        cx.emit(Probe::Abstains {
            chain: self.group.chain,
            abstains: self.silent.is_some(),
        });
    }

    /// Once all that it may have voted for is decided, a silent replica may vote again.
    pub(super) fn end_silence(&mut self, cx: &mut Context<'_>) {
        let executed = self.executed;
        let over = |s: &Silent| s.known && s.shown.saturating_add(FORGOTTEN) <= executed;
        if self.silent.as_ref().is_some_and(over) {
            cx.reached(&marks::SILENCE_OVER);
            self.silent = None;
            self.emit_abstains(cx);
            self.mark_started();
        }
    }

    // ---- coming back -----------------------------------------------------------------------------

    /// Takes over what the disk kept: executes the log again, takes its votes and its lock back, and
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
        self.restore_votes(disk);
        self.ask_everybody(cx);
        self.begin_height(cx);
    }

    /// Cuts off what cannot be read of the log, to be fetched again. Returns whether a promise may be
    /// forgotten: a record of a vote, of a lock, or of what votes are counted from is damaged.
    fn clear_damage(&mut self, cx: &mut Context<'_>, disk: &Disk) -> bool {
        if disk.any_damaged(TAKEN) {
            // Without the state that it goes on from, the log is of no use.
            self.journal.write(Write::erase_below(TAKEN, u64::MAX));
            self.journal.write(Write::cut(LOG, 0));
        } else if let Some(from) = disk.first_damaged(LOG) {
            cx.reached(&marks::LOG_CUT_AT_DAMAGE);
            self.journal.write(Write::cut(LOG, from));
        }
        let promises = [STABLE, VOTES, PROPOSAL, VALID, BODY, TAKEN, STARTED];
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
            self.failed = self.failed.saturating_add(committed.certificate.view);
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

    /// Takes back what it signed, its lock, and the valid value. A log that was cut may end below that.
    fn restore_votes(&mut self, disk: &Disk) {
        if self.silent.is_some() {
            return;
        }
        if let Some(Record::Votes(votes)) = disk.cell(VOTES, 0).and_then(record) {
            self.votes = votes.clone();
        }
        self.written = disk.cell(PROPOSAL, 0).cloned();
        let Some(Record::Valid(proof)) = disk.cell(VALID, 0).and_then(record) else {
            return;
        };
        let beside = match disk.cell(BODY, 0).and_then(record) {
            Some(Record::Body(batch)) => Some(batch),
            _ => None,
        };
        self.body = beside.map(|batch| batch.digest());
        let written = self.written_proposal().map(|(p, _)| &p.batch);
        let mut bodies = written.into_iter().chain(beside);
        let batch = bodies.find(|batch| batch.digest() == proof.digest);
        self.valid = batch.map(|batch| Valid {
            proof: Arc::clone(proof),
            batch: Arc::clone(batch),
        });
    }

    /// Goes on in a height in which it signed something in an earlier life. Its votes are said again; they
    /// are the same as before, since signing is deterministic.
    pub(super) fn resume(&mut self, cx: &mut Context<'_>) {
        let Votes {
            round,
            before,
            signed,
            ..
        } = self.votes.clone();
        if self.votes.locked.is_some() {
            cx.reached(&marks::CAME_BACK_LOCKED);
        }
        cx.reached(&marks::CAME_BACK_VOTED);
        self.round = round;
        let here = signed.last().filter(|last| last.round == round);
        self.step = match here {
            None => Step::Propose,
            Some(here) if here.precommit.is_none() => Step::Prevote,
            Some(_) => Step::Precommit,
        };
        self.progress_at = cx.now();
        let voted = signed.iter().map(|signed| signed.round);
        let mut rounds: Vec<u64> = voted.chain([round.saturating_sub(1), round]).collect();
        rounds.sort_unstable();
        rounds.dedup();
        for round in rounds {
            self.rounds.open(round);
        }
        self.tell_view(cx);
        let own = self.resume_proposal(cx, &signed);
        for signed in &signed {
            let prevote = signed.prevote.filter(|_| own != Some(signed.round));
            let prevote = prevote.map(|digest| (Phase::Prevote, digest));
            let precommit = signed.precommit.map(|digest| (Phase::Precommit, digest));
            for (phase, digest) in prevote.into_iter().chain(precommit) {
                let said = self.sign(cx, phase, signed.round, digest);
                self.say(cx, &said);
            }
        }
        for ballot in &before {
            let signer = self.group.index_of_key(ballot.signature.key);
            if let Some(signer) = signer.filter(|&signer| signer != self.group.me)
                && ballot.sequence == self.height()
            {
                self.count(cx, signer, Phase::Precommit, ballot);
            }
        }
        self.try_propose(cx);
        self.replay_future(cx);
    }

    /// Takes up what it prevoted again; returns the round for which it put it forward itself.
    fn resume_proposal(&mut self, cx: &mut Context<'_>, signed: &[Signed]) -> Option<u64> {
        let (proposal, valid) = self.written_proposal()?;
        let (round, digest) = (proposal.view, proposal.batch.digest());
        let here = |s: &Signed| s.round == round && s.prevote == Some(digest);
        if proposal.sequence != self.height() || !signed.iter().any(here) {
            return None;
        }
        let (proposal, valid) = (Arc::clone(proposal), valid.map(|proof| proof.view));
        let message = self.written.clone()?;
        self.settle(&proposal, valid, &message);
        let (group, known) = (&self.group, self.rounds.get_mut(round)?);
        known.prevotes.add(group, &digest, &proposal.signature);
        if proposal.signature.key != self.group.key.id() {
            return None;
        }
        cx.reached(&marks::PROPOSER_CAME_BACK);
        known.said = Some(Arc::clone(&message));
        cx.multicast(&self.group.members, message);
        Some(round)
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
        if disk.any_damaged(VOTES) && self.silent.is_none() {
            self.keep_votes();
        }
        if disk.any_damaged(STABLE)
            && let Some(proof) = self.checkpoints.proof.clone()
        {
            let record = Record::Stable(proof);
            self.journal.write(Write::cell(STABLE, 0, Arc::new(record)));
        }
        if disk.any_damaged(PROPOSAL) {
            self.write_proposal_again();
        }
        if (disk.any_damaged(VALID) || disk.any_damaged(BODY))
            && let Some(valid) = self.valid.clone()
        {
            self.body = None;
            self.keep_valid(valid);
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
