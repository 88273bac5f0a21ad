//! Coming back from the disk.

use super::change::Prepared;
use super::config::MAX_FORMER;
use super::journal::{FORMER, LOG, PREPARED, PROPOSALS, Record, STABLE, VIEW};
use super::message::{Body, Message};
use super::normal::Phase;
use super::replica::PbftReplica;
use consim_core::{Committed, Context, Delivery, Disk, Payload, Time};
use std::any::Any;
use std::sync::Arc;

fn record(value: &Arc<dyn Payload>) -> Option<&Record> {
    value.as_any().downcast_ref()
}

impl PbftReplica {
    /// Takes over what the disk kept: executes the log again, takes its view and its votes back,
    /// and asks the others how far they are.
    pub(super) fn recover(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        self.replay_log(cx, disk);
        if let Some(Record::Stable(proof)) = disk.cell(STABLE, 0).and_then(record)
            && proof.sequence <= self.executed
        {
            self.restore_stable(Arc::clone(proof));
        }
        self.floor = self.floor.max(self.window.low());
        self.next = self.executed + 1;
        self.restore_view(disk);
        let votes = self.restore_slots(cx, disk);
        self.put_forward_again(cx);
        self.ask_everybody(cx, &votes);
        self.repeat_view_change(cx);
        if self.active {
            self.watch(cx);
        } else {
            self.set_view_timer(cx, Time::MAX);
        }
    }

    fn replay_log(&mut self, cx: &mut Context<'_>, disk: &Disk) {
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
            self.mempool.executed(committed.batch.txs());
            cx.deliver(Delivery {
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
        let Some(slot) = self.window.open(sequence) else {
            return;
        };
        if proposal.view != view || !active {
            slot.keep(Arc::clone(&proposal.batch));
            return;
        }
        let digest = proposal.batch.digest();
        slot.batch = Some(Arc::clone(&proposal.batch));
        let committed = slot.prepared_in(view);
        self.settle(sequence, digest);
        let (me, primary) = (self.group.me, self.group.primary(view));
        self.count(sequence, Phase::Prepare, digest, proposal.signature);
        let mut said = Vec::new();
        if me == primary {
            self.mempool.propose(proposal.batch.txs());
            said.push((Phase::Prepare, Arc::clone(value), proposal.signature));
        } else {
            let vow = self.vow(cx, Phase::Prepare, sequence, digest);
            said.push((Phase::Prepare, vow.message, vow.signature));
        }
        if committed {
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
