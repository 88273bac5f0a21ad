//! Replication of the log (section 5.3 and 5.4.2).

use super::config::{MAX_ENTRIES, MAX_ENTRY_BYTES, MAX_IN_FLIGHT, MAX_RESEND_TIMEOUTS};
use super::journal::{LOG, MEMBERS, Record, Said};
use super::log::{Entry, RaftLog};
use super::marks;
use super::membership::Configuration;
use super::message::Body;
use super::progress::Progress;
use super::replica::{RaftReplica, Role};
use super::seeded;
use consim_core::{Batch, Committed, Context, Delivery, NodeId, Probe, Work, Write};
use std::sync::Arc;

/// Entries from `next` on, as many as one message may hold.
fn entries_from(log: &RaftLog, next: u64, most: usize) -> Vec<Entry> {
    let mut bytes = 0;
    let mut entries = Vec::new();
    for entry in log.from(next).take(most) {
        bytes += entry.encoded_len();
        if bytes > MAX_ENTRY_BYTES && !entries.is_empty() {
            break;
        }
        entries.push(entry.clone());
    }
    entries
}

impl RaftReplica {
    // ---- the log on disk -------------------------------------------------------------------------

    /// Appends an entry, here and on disk.
    fn append(&mut self, entry: Entry) {
        let index = entry.index();
        let logged: Arc<Committed> = Arc::clone(&entry.ordered);
        self.journal.write(Write::append(LOG, logged));
        if let Some(members) = &entry.members {
            let record = Record::Members(Arc::clone(members));
            self.journal
                .write(Write::cell(MEMBERS, index, Arc::new(record)));
            self.configurations.push((index, Arc::clone(members)));
        }
        let changes = entry.members.is_some();
        self.log.push(entry);
        if changes {
            self.reconfigure();
        }
    }

    /// Drops everything from `index` on, here and on disk.
    fn truncate(&mut self, index: u64) {
        self.cuts += 1;
        self.log.truncate(index);
        self.durable = self.durable.min(index - 1);
        self.agreed = self.agreed.min(index - 1);
        let kept = usize::try_from(index - 1 - self.stored_base).unwrap_or(0);
        self.journal.write(Write::cut(LOG, kept));
        let before = self.configurations.len();
        self.configurations.retain(|(at, _)| *at < index);
        if self.configurations.len() != before {
            self.reconfigure();
        }
    }

    /// The last configuration of the log holds (section 6).
    pub(super) fn reconfigure(&mut self) {
        if let Some((_, last)) = self.configurations.last() {
            self.configuration = Arc::clone(last);
            self.everybody = self.configuration.everybody();
        }
    }

    // ---- the leader ------------------------------------------------------------------------------

    /// A batch without transactions.
    pub(super) fn empty_batch(&self, cx: &Context<'_>) -> Arc<Batch> {
        let root = crate::ledger::merkle::root(&[]);
        let (me, now) = (self.group.me, cx.wall_ns());
        Arc::new(Batch::new(me, now, Arc::new([]), root))
    }

    /// Appends to the own log: it goes to the own disk and to the others at the same time (thesis,
    /// section 10.2.1).
    pub(super) fn append_own(
        &mut self,
        cx: &mut Context<'_>,
        batch: Arc<Batch>,
        members: Option<Arc<Configuration>>,
    ) {
        let index = self.log.last() + 1;
        let entry = Entry::new(self.group.chain, self.term, index, batch, members);
        self.append(entry);
        self.agreed = index;
        let cuts = self.cuts;
        self.journal.then(Said::Stored { index, cuts });
        self.meet_members(cx);
        self.send_all(cx, false);
    }

    /// Sends to everybody what it lacks; `always`: also if there is nothing but news of commits.
    pub(super) fn send_all(&mut self, cx: &mut Context<'_>, always: bool) {
        let Role::Leader(leading) = &self.role else {
            return;
        };
        let others: Vec<NodeId> = leading.others.keys().copied().collect();
        if self.send_together(cx, always) {
            return;
        }
        for node in others {
            self.send_entries(cx, node, always);
        }
    }

    /// All are in step, which is the rule: one message for everybody. Returns whether that is so.
    fn send_together(&mut self, cx: &mut Context<'_>, always: bool) -> bool {
        let now = cx.now();
        let Role::Leader(leading) = &mut self.role else {
            return false;
        };
        let Some(next) = leading.others.values().next().map(|p| p.next) else {
            return false;
        };
        let prev = next - 1;
        let in_step = |p: &Progress| {
            let open = prev.saturating_sub(p.matched);
            p.next == next && !p.probing && p.snapshot.is_none() && open < MAX_IN_FLIGHT
        };
        if leading.others.len() + 1 != self.everybody.len() || !leading.others.values().all(in_step)
        {
            return false;
        }
        let Some(prev_term) = self.log.term(prev) else {
            return false;
        };
        let entries = entries_from(&self.log, next, MAX_ENTRIES);
        if entries.is_empty() && !always {
            return true;
        }
        for progress in leading.others.values_mut() {
            if progress.next == progress.matched + 1 {
                progress.moved = now;
            }
            progress.next += entries.len() as u64;
        }
        let body = Body::Append {
            leader: self.group.me,
            prev,
            prev_term,
            commit: self.commit,
            entries,
        };
        self.multicast(cx, body);
        true
    }

    /// Sends a member what it lacks, as much as may be under way.
    pub(super) fn send_entries(&mut self, cx: &mut Context<'_>, to: NodeId, mut always: bool) {
        loop {
            let Role::Leader(leading) = &mut self.role else {
                return;
            };
            let Some(progress) = leading.others.get_mut(&to) else {
                return;
            };
            if progress.snapshot.is_some() || (progress.probing && progress.probed) {
                return;
            }
            let prev = progress.next - 1;
            let Some(prev_term) = self.log.term(prev) else {
                return self.send_snapshot(cx, to);
            };
            let window = MAX_IN_FLIGHT.saturating_sub(prev.saturating_sub(progress.matched));
            let most = if progress.probing {
                MAX_ENTRIES
            } else {
                MAX_ENTRIES.min(usize::try_from(window).unwrap_or(MAX_ENTRIES))
            };
            let entries = entries_from(&self.log, progress.next, most);
            if entries.is_empty() && !always && !progress.probing {
                return;
            }
            always = false;
            if progress.next == progress.matched + 1 {
                progress.moved = cx.now();
            }
            if progress.probing {
                progress.probed = true;
            } else {
                progress.next += entries.len() as u64;
            }
            let done = entries.is_empty();
            let body = Body::Append {
                leader: self.group.me,
                prev,
                prev_term,
                commit: self.commit,
                entries,
            };
            self.send(cx, to, body);
            if done {
                return;
            }
        }
    }

    /// What was not answered for a while is sent again.
    pub(super) fn resend(&mut self, cx: &mut Context<'_>) {
        let (now, last) = (cx.now(), self.log.last());
        let most = self.group.timeout.times(MAX_RESEND_TIMEOUTS);
        let Role::Leader(leading) = &mut self.role else {
            return;
        };
        let mut late = Vec::new();
        for (&node, progress) in &mut leading.others {
            let open = progress.matched < last || progress.probing;
            if open && now - progress.moved >= progress.resend {
                progress.moved = now;
                progress.resend = progress.resend.times(2).min(most);
                progress.next = progress.next.min(progress.matched + 1).max(1);
                progress.probing = true;
                progress.probed = false;
                progress.snapshot = None;
                late.push(node);
            }
        }
        for node in late {
            cx.reached(&marks::SENT_AGAIN);
            self.send_entries(cx, node, true);
        }
    }

    /// Upon a member's word that it holds the log up to `matched`.
    pub(super) fn on_appended(&mut self, cx: &mut Context<'_>, from: NodeId, matched: u64) {
        let (now, last) = (cx.now(), self.log.last());
        let first_resend = self.group.first_resend();
        let Role::Leader(leading) = &mut self.role else {
            return;
        };
        let Some(progress) = leading.others.get_mut(&from) else {
            return;
        };
        progress.heard = now;
        let matched = matched.min(last);
        if matched > progress.matched {
            progress.matched = matched;
            progress.moved = now;
            progress.resend = first_resend;
        }
        progress.next = progress.next.max(matched + 1);
        if progress.probing && progress.probed {
            progress.probing = false;
            progress.probed = false;
        }
        if progress.snapshot.is_some_and(|index| matched >= index) {
            progress.snapshot = None;
        }
        self.try_commit(cx);
        self.dismiss(cx, from, matched);
        self.try_change(cx);
        self.send_entries(cx, from, false);
        self.try_propose(cx);
    }

    /// Upon a member's word that its log does not agree at `prev`: goes back by a whole term.
    pub(super) fn on_conflict(
        &mut self,
        cx: &mut Context<'_>,
        from: NodeId,
        prev: u64,
        term: Option<u64>,
        first: u64,
    ) {
        let now = cx.now();
        let Role::Leader(leading) = &mut self.role else {
            return;
        };
        let Some(progress) = leading.others.get_mut(&from) else {
            return;
        };
        progress.heard = now;
        // Of several under way one answer is enough.
        if prev != progress.next - 1 && (progress.probing || prev >= progress.next) {
            return;
        }
        cx.reached(&marks::LOGS_PARTED);
        let known = term.and_then(|term| self.log.last_of_term(term, prev));
        let next = known.map_or(first, |last| last + 1);
        // A member that lost what it had is taken at its word.
        progress.next = next.clamp(1, prev.max(1));
        progress.probing = true;
        progress.probed = false;
        progress.moved = now;
        self.send_entries(cx, from, true);
    }

    /// Commits what a majority has, up to an entry of the own term (section 5.4.2, figure 8).
    pub(super) fn try_commit(&mut self, cx: &mut Context<'_>) {
        let (me, durable) = (self.group.me, self.durable);
        let Role::Leader(leading) = &self.role else {
            return;
        };
        let matched = |n: NodeId| {
            let other = || leading.others.get(&n).map_or(0, |p| p.matched);
            if n == me { durable } else { other() }
        };
        let agreed = self.configuration.agreed(&self.group, matched);
        let own_term = self.log.term(agreed) == Some(self.term);
        if agreed <= self.commit {
            return;
        }
        if !own_term && !seeded::on(&seeded::COMMITS_OLD_TERMS) {
            return cx.reached(&marks::OLD_TERM_WAITS);
        }
        self.commit = agreed;
        self.apply(cx);
        self.send_all(cx, true);
        self.settle_early(cx);
        self.try_propose(cx);
    }

    // ---- followers -------------------------------------------------------------------------------

    /// Upon `AppendEntries` of the present leader (figure 2).
    pub(super) fn on_append(
        &mut self,
        cx: &mut Context<'_>,
        leader: NodeId,
        (prev, prev_term): (u64, u64),
        commit: u64,
        entries: &[Entry],
    ) {
        let last = prev + entries.len() as u64;
        let known = prev < self.log.base() || self.log.term(prev) == Some(prev_term);
        if !known {
            return self.refuse(cx, leader, prev);
        }
        let base = self.log.base();
        for entry in entries.iter().filter(|e| e.index() > base) {
            let index = entry.index();
            if index > self.log.last() + 1 {
                return;
            }
            match self.log.term(index) {
                Some(term) if term == entry.term() => continue,
                Some(_) if index <= self.commit => {
                    // Only a member that does not keep to the protocol sends this.
                    return cx.reached(&marks::APPEND_OVER_COMMITTED);
                }
                Some(_) => {
                    cx.reached(&marks::SUFFIX_REPLACED);
                    self.truncate(index);
                }
                None => {}
            }
            self.take(cx, entry);
        }
        self.agreed = self.agreed.max(last.min(self.log.last()));
        self.follow_commit(cx, commit);
        let said = Said::Appended {
            term: self.term,
            leader,
            index: self.agreed,
            cuts: self.cuts,
        };
        self.journal.then(said);
    }

    fn take(&mut self, cx: &mut Context<'_>, entry: &Entry) {
        cx.work(Work::hash(entry.encoded_len()));
        self.append(entry.clone());
    }

    /// Tells the leader where the logs part.
    fn refuse(&mut self, cx: &mut Context<'_>, leader: NodeId, prev: u64) {
        let (term, first) = match self.log.term(prev) {
            Some(term) => (Some(term), self.log.first_of_term(prev)),
            None => (None, self.log.last() + 1),
        };
        self.send(cx, leader, Body::Conflict { prev, term, first });
    }

    /// Commits as far as the leader has, and as is known to agree with it.
    pub(super) fn follow_commit(&mut self, cx: &mut Context<'_>, commit: u64) {
        let commit = commit.min(self.agreed);
        if commit > self.commit {
            self.commit = commit;
            self.apply(cx);
        }
    }

    /// Upon a heartbeat of the present leader.
    pub(super) fn on_heartbeat(
        &mut self,
        cx: &mut Context<'_>,
        leader: NodeId,
        commit: u64,
        round: u64,
    ) {
        self.follow_commit(cx, commit);
        if commit > self.agreed {
            // The leader takes it to hold more: what it came back with is to be compared anew.
            cx.reached(&marks::COMPARED_ANEW);
            let (prev, term, first) = (commit, None, self.agreed + 1);
            self.send(cx, leader, Body::Conflict { prev, term, first });
        }
        if self.durable_term == self.term {
            return self.send(cx, leader, Body::Alive { round });
        }
        self.journal.then(Said::Alive {
            term: self.term,
            leader,
            round,
        });
    }

    /// Hands up what is committed.
    fn apply(&mut self, cx: &mut Context<'_>) {
        while self.executed < self.commit
            && let Some(entry) = self.log.get(self.executed + 1)
        {
            let entry = entry.clone();
            self.executed = entry.index();
            self.mempool.executed(entry.ordered.batch.txs());
            cx.emit(Probe::Committed(Arc::clone(&entry.ordered)));
            cx.deliver(Delivery::Ordered {
                committed: entry.ordered,
                replayed: false,
            });
            if let Some(members) = entry.members {
                self.members_committed(cx, self.executed, &members);
            }
        }
    }
}
