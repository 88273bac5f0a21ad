//! Snapshots: cutting the log (section 7), and handing a state to a member that is too far behind. The
//! head is sent; the receiver asks for the parts that its own old state does not have.

use super::config::{KEPT_STATES, MAX_PART_BYTES, MAX_WANTED};
use super::journal::{LOG, MEMBERS, Record, Said, TAKEN};
use super::marks;
use super::membership::Configuration;
use super::message::Body;
use super::replica::{RaftReplica, Role};
use crate::consensus::{CheckpointHead as _, StateHead};
use crate::ledger::state::parts::{Added, Assembly, Part, Prefix};
use crate::ledger::{Snapshot, WorldState};
use consim_core::{Context, Delivery, NodeId, Probe, Work, Write};
use std::collections::VecDeque;
use std::sync::Arc;

/// A state at an index.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) index: u64,
    pub(super) term: u64,
    pub(super) members: Arc<Configuration>,
    pub(super) head: Arc<StateHead>,
    pub(super) state: WorldState,
}

/// A state on its way here.
#[derive(Debug)]
struct Coming {
    leader: NodeId,
    index: u64,
    term: u64,
    members: Arc<Configuration>,
    head: Arc<StateHead>,
    assembly: Assembly,
    /// Did anything come since the last tick?
    moved: bool,
}

/// States that are kept, and the one on its way here.
#[derive(Debug, Default)]
pub(super) struct Snapshots {
    kept: VecDeque<Kept>,
    coming: Option<Coming>,
}

impl Snapshots {
    /// The latest.
    pub(super) fn latest(&self) -> Option<&Kept> {
        self.kept.back()
    }
    fn keep(&mut self, kept: Kept) {
        self.kept.push_back(kept);
        if self.kept.len() > KEPT_STATES {
            self.kept.pop_front();
        }
    }
}

impl RaftReplica {
    /// The configuration that held at `index`.
    fn members_at(&self, index: u64) -> Arc<Configuration> {
        let at = |c: &&(u64, Arc<Configuration>)| c.0 <= index;
        let found = self.configurations.iter().rev().find(at);
        found.map_or_else(|| Arc::clone(&self.configuration), |(_, c)| Arc::clone(c))
    }

    /// The node executed `sequence`. Every so many a snapshot is taken, and the log cut.
    pub(super) fn on_executed(
        &mut self,
        cx: &mut Context<'_>,
        sequence: u64,
        state: &dyn Fn() -> Snapshot,
    ) {
        let kept = self.snapshots.latest().map_or(0, |kept| kept.index);
        if !sequence.is_multiple_of(self.group.interval) || sequence <= kept {
            return;
        }
        let Some(term) = self.log.term(sequence) else {
            return;
        };
        let Snapshot { header, state } = state();
        let head = Arc::new(StateHead {
            header,
            root: state.root(),
        });
        cx.work(Work::hash(head.encoded_len()));
        self.snapshots.keep(Kept {
            index: sequence,
            term,
            members: self.members_at(sequence),
            head,
            state,
        });
        cx.emit(Probe::StableCheckpoint {
            chain: self.group.chain,
            sequence,
        });
        self.cut_log(sequence);
    }

    /// Cuts the log below `sequence`, but for what members that are a little behind may need. The disk
    /// keeps it: it is the chain.
    fn cut_log(&mut self, sequence: u64) {
        let to = sequence.saturating_sub(self.group.keep);
        self.log.compact(to.min(self.executed));
        let base = self.log.base();
        while self
            .configurations
            .get(1)
            .is_some_and(|(at, _)| *at <= base)
        {
            self.configurations.remove(0);
        }
    }

    // ---- the leader ------------------------------------------------------------------------------

    /// A member needs entries that are not in the log any more.
    pub(super) fn send_snapshot(&mut self, cx: &mut Context<'_>, to: NodeId) {
        let Some(kept) = self.snapshots.latest().cloned() else {
            return;
        };
        if let Role::Leader(leading) = &mut self.role
            && let Some(progress) = leading.others.get_mut(&to)
        {
            progress.snapshot = Some(kept.index);
            progress.next = kept.index + 1;
            progress.moved = cx.now();
        }
        cx.reached(&marks::SNAPSHOT_SENT);
        cx.emit(Probe::BlocksGone {
            chain: self.group.chain,
            asked_by: to,
            from: kept.index,
        });
        self.send(
            cx,
            to,
            Body::Snapshot {
                index: kept.index,
                last_term: kept.term,
                members: kept.members,
                head: kept.head,
            },
        );
    }

    /// Upon a member that asks for parts: as many as one message may hold.
    pub(super) fn on_fetch_parts(
        &mut self,
        cx: &mut Context<'_>,
        from: NodeId,
        index: u64,
        wanted: &[Prefix],
    ) {
        let now = cx.now();
        let kept = self.snapshots.kept.iter().find(|k| k.index == index);
        let Some(kept) = kept.filter(|_| wanted.len() <= MAX_WANTED && self.leads()) else {
            return;
        };
        let mut room = MAX_PART_BYTES;
        let mut parts = Vec::new();
        for prefix in wanted {
            let Some(part) = kept.state.part(prefix, room / 2) else {
                continue;
            };
            let bytes = prefix.encoded_len() + part.encoded_len();
            if bytes > room && !parts.is_empty() {
                break;
            }
            room = room.saturating_sub(bytes);
            parts.push((prefix.clone(), part));
        }
        if let Role::Leader(leading) = &mut self.role
            && let Some(progress) = leading.others.get_mut(&from)
        {
            progress.heard = now;
            progress.moved = now;
        }
        self.send(cx, from, Body::Parts { index, parts });
    }

    // ---- the receiver ----------------------------------------------------------------------------

    /// Upon `InstallSnapshot` of the present leader (figure 13).
    pub(super) fn on_snapshot(
        &mut self,
        cx: &mut Context<'_>,
        leader: NodeId,
        (index, term): (u64, u64),
        members: &Arc<Configuration>,
        head: &Arc<StateHead>,
    ) {
        if index <= self.commit || self.log.term(index) == Some(term) {
            // Nothing of it is news: the log goes on from there.
            self.agreed = self.agreed.max(index.min(self.log.last()));
            self.follow_commit(cx, index);
            let (term, cuts) = (self.term, self.cuts);
            let index = self.agreed;
            let said = Said::Appended {
                term,
                leader,
                index,
                cuts,
            };
            return self.journal.then(said);
        }
        let under_way = |c: &Coming| c.index == index && c.leader == leader;
        if self.snapshots.coming.as_ref().is_some_and(under_way) {
            return self.fetch_parts(cx);
        }
        let partial = self.snapshots.coming.take();
        let partial = partial.map(|coming| coming.assembly.partial());
        let own = partial.or_else(|| self.snapshots.latest().map(|k| k.state.clone()));
        cx.work(Work::hash(head.encoded_len()));
        self.snapshots.coming = Some(Coming {
            leader,
            index,
            term,
            members: Arc::clone(members),
            head: Arc::clone(head),
            assembly: Assembly::new(head.root, &own.unwrap_or_default()),
            moved: true,
        });
        self.fetch_parts(cx);
    }

    /// Asks for what is missing, or installs what is complete.
    fn fetch_parts(&mut self, cx: &mut Context<'_>) {
        let Some(coming) = &self.snapshots.coming else {
            return;
        };
        if coming.assembly.is_complete() {
            return self.install(cx);
        }
        let (leader, index) = (coming.leader, coming.index);
        let wanted = coming.assembly.wanted(MAX_WANTED);
        self.send(cx, leader, Body::FetchParts { index, wanted });
    }

    /// A tick without a part: it is asked for again.
    pub(super) fn snapshots_tick(&mut self, cx: &mut Context<'_>) {
        let leader = self.leader;
        let Some(coming) = &mut self.snapshots.coming else {
            return;
        };
        if !std::mem::replace(&mut coming.moved, false) && leader == Some(coming.leader) {
            self.fetch_parts(cx);
        }
    }

    /// Upon parts that were asked for.
    pub(super) fn on_parts(
        &mut self,
        cx: &mut Context<'_>,
        from: NodeId,
        index: u64,
        parts: &[(Prefix, Part)],
    ) {
        let Some(coming) = &mut self.snapshots.coming else {
            return;
        };
        if (coming.leader, coming.index) != (from, index) {
            return;
        }
        coming.moved = true;
        for (prefix, part) in parts {
            match coming.assembly.add(prefix, part) {
                Added::Good(bytes) => cx.work(Work::hash(bytes)),
                Added::Unasked => {}
                Added::Wrong(bytes) => {
                    cx.work(Work::hash(bytes));
                    let chain = self.group.chain;
                    cx.emit(Probe::StateRefused { chain, from });
                    return;
                }
            }
        }
        if !parts.is_empty() {
            self.fetch_parts(cx);
        }
    }

    /// The state is whole: it stands for everything up to its index, here and on disk.
    fn install(&mut self, cx: &mut Context<'_>) {
        let Some(coming) = self.snapshots.coming.take() else {
            return;
        };
        let Some(state) = coming.assembly.finish() else {
            return;
        };
        let (index, leader) = (coming.index, coming.leader);
        if index <= self.commit {
            return;
        }
        let term = coming.term;
        let snapshot = Arc::new(Snapshot {
            header: coming.head.header.clone(),
            state: state.clone(),
        });
        let record = Record::Taken {
            chain: self.group.chain,
            index,
            term,
            members: Arc::clone(&coming.members),
            head: Arc::clone(&coming.head),
            state: Arc::clone(&snapshot),
        };
        // In this order: a log below the state is known to be void.
        self.journal.write(Write::cell(TAKEN, 0, Arc::new(record)));
        self.journal.write(Write::cut(LOG, 0));
        self.journal
            .write(Write::erase_below(MEMBERS, index.saturating_add(1)));
        self.cuts += 1;
        self.stored_base = index;
        self.log.restart(index, term);
        self.configurations = vec![(index, Arc::clone(&coming.members))];
        self.reconfigure();
        self.durable = index.min(self.durable);
        self.commit = index;
        self.executed = index;
        self.agreed = index;
        self.mempool.restore(&state);
        self.snapshots.keep(Kept {
            index,
            term,
            members: coming.members,
            head: coming.head,
            state,
        });
        cx.emit(Probe::StateTaken {
            chain: self.group.chain,
            sequence: index,
            fetched: coming.assembly.fetched(),
        });
        cx.deliver(Delivery::State {
            sequence: index,
            state: snapshot,
            replayed: false,
        });
        let (now_term, cuts) = (self.term, self.cuts);
        self.journal.then(Said::Appended {
            term: now_term,
            leader,
            index,
            cuts,
        });
    }
}
