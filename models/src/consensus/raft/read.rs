//! Reads that miss nothing (section 8; thesis, section 6.4): a leader may be deposed without
//! knowing it. It asks a majority (`ReadIndex`), or trusts a lease.

use super::config::{MAX_READS, ReadMode};
use super::marks;
use super::message::Body;
use super::replica::{LEASE_TIMER, RaftReplica, Role};
use super::seeded;
use consim_core::{Context, NodeId};
use std::collections::BTreeMap;

/// Who asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    /// This node, under its number.
    Here(u64),
    /// A follower, under its number.
    By(NodeId, u64),
}

/// Reads of this node.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// The number of the last question to a leader.
    number: u64,
    /// Whom each question went to, and which read it is for.
    asked: BTreeMap<u64, (NodeId, u64)>,
    /// Answered: number of the read, and what has to be executed before it.
    ready: Vec<(u64, u64)>,
}

impl Reads {
    /// What is answered.
    pub(super) fn take(&mut self) -> Vec<(u64, u64)> {
        std::mem::take(&mut self.ready)
    }
    /// Upon the answer of the leader that was asked.
    pub(super) fn on_read_from(&mut self, from: NodeId, number: u64, index: u64) {
        if let Some((_, read)) = self.asked.remove(&number).filter(|(to, _)| *to == from) {
            self.ready.push((read, index));
        }
    }
}

impl RaftReplica {
    /// A read comes at this node: from where on it misses nothing, if that is known already.
    pub(super) fn begin_read(&mut self, cx: &mut Context<'_>, number: u64) -> Option<u64> {
        if seeded::on(&seeded::READS_LOCALLY) {
            return Some(self.commit);
        }
        if self.leads() {
            return self.lead_read(cx, Asked::Here(number));
        }
        let leader = self.leader?;
        self.reads.number += 1;
        let question = self.reads.number;
        self.reads.asked.insert(question, (leader, number));
        if self.reads.asked.len() > MAX_READS {
            self.reads.asked.pop_first();
        }
        self.send(cx, leader, Body::ReadIndex { number: question });
        None
    }

    /// Upon a follower's question.
    pub(super) fn on_read_index(&mut self, cx: &mut Context<'_>, from: NodeId, number: u64) {
        if self.leads()
            && let Some(index) = self.lead_read(cx, Asked::By(from, number))
        {
            self.send(cx, from, Body::ReadFrom { number, index });
        }
    }

    /// A read at the leader. The answer is what is committed now, if it still leads now.
    fn lead_read(&mut self, cx: &mut Context<'_>, asked: Asked) -> Option<u64> {
        // One that is about to leave has no voice of its own.
        let alone = self.everybody.len() == 1 && self.is_member();
        let (mode, commit) = (self.group.options.read, self.commit);
        let Role::Leader(leading) = &mut self.role else {
            return None;
        };
        if commit < leading.first {
            // What its predecessors committed is not known before that.
            cx.reached(&marks::READ_BEFORE_NO_OP);
            if leading.early.len() < MAX_READS {
                leading.early.push(asked);
            }
            return None;
        }
        if mode == ReadMode::Lease && leading.lease {
            cx.reached(&marks::READ_UNDER_LEASE);
            return Some(commit);
        }
        if alone {
            return Some(commit);
        }
        if leading.reads.len() >= MAX_READS {
            return None;
        }
        let waits = !leading.reads.is_empty();
        let round = leading.round + 1;
        leading.reads.push_back((round, commit, asked));
        // Those that come while a round is under way share the next one.
        if !waits {
            self.begin_round(cx);
        }
        None
    }

    /// The first entry of the term is committed.
    pub(super) fn settle_early(&mut self, cx: &mut Context<'_>) {
        let commit = self.commit;
        let Role::Leader(leading) = &mut self.role else {
            return;
        };
        if leading.early.is_empty() || commit < leading.first {
            return;
        }
        for asked in std::mem::take(&mut leading.early) {
            if let Some(index) = self.lead_read(cx, asked) {
                self.answer(cx, asked, index);
            }
        }
    }

    fn answer(&mut self, cx: &mut Context<'_>, asked: Asked, index: u64) {
        match asked {
            Asked::Here(number) => self.reads.ready.push((number, index)),
            Asked::By(node, number) => self.send(cx, node, Body::ReadFrom { number, index }),
        }
    }

    /// Upon the answer to a round of heartbeats.
    pub(super) fn on_alive(&mut self, cx: &mut Context<'_>, from: NodeId, round: u64) {
        let now = cx.now();
        let Role::Leader(leading) = &mut self.role else {
            return;
        };
        let latest = leading.round;
        let Some(progress) = leading.others.get_mut(&from) else {
            return;
        };
        progress.heard = now;
        progress.round = progress.round.max(round.min(latest));
        self.confirm(cx);
    }

    /// Has a majority answered a later round? Then this replica led when that round was sent.
    pub(super) fn confirm(&mut self, cx: &mut Context<'_>) {
        let me = self.group.me;
        let Role::Leader(leading) = &mut self.role else {
            return;
        };
        let answered = |n: NodeId| {
            let other = leading.others.get(&n).map_or(0, |p| p.round);
            if n == me { leading.round } else { other }
        };
        let confirmed = self.configuration.agreed(&self.group, answered);
        if confirmed <= leading.confirmed {
            return;
        }
        leading.confirmed = confirmed;
        let mut sent = None;
        while leading.sent.front().is_some_and(|(r, _)| *r <= confirmed) {
            sent = leading.sent.pop_front().map(|(_, at)| at);
        }
        let mut settled = Vec::new();
        while leading.reads.front().is_some_and(|(r, ..)| *r <= confirmed)
            && let Some((_, index, asked)) = leading.reads.pop_front()
        {
            settled.push((index, asked));
        }
        let more = leading
            .reads
            .front()
            .is_some_and(|(r, ..)| *r > leading.round);
        for (index, asked) in settled {
            self.answer(cx, asked, index);
        }
        if self.group.options.read == ReadMode::Lease
            && let Some(rest) = sent.and_then(|sent| self.rest_of_lease(cx, sent))
        {
            cx.set_timer(LEASE_TIMER, rest);
            if let Role::Leader(leading) = &mut self.role {
                leading.lease = true;
            }
        }
        if more {
            self.begin_round(cx);
        }
    }
}
