//! Changes of the members by joint consensus (section 6; thesis, chapter 4).
//!
//! Who joins is sent the log before it counts: in rounds, each up to where the log ended when it began,
//! until one takes no longer than an election timeout (thesis, section 4.2.1). Then C_old,new is appended,
//! and C_new once that is committed. Who leaves is sent C_new, too, so that it learns that it left; one that
//! missed it learns it when it stands for election.

use super::marks;
use super::membership::Configuration;
use super::progress::{Coming, Progress};
use super::replica::{RaftReplica, Role};
use super::seeded;
use crate::consensus::{Changing, MemberChange};
use consim_core::{Context, NodeId, Probe};
use std::collections::BTreeSet;
use std::sync::Arc;

impl RaftReplica {
    /// The last configuration that is known to be committed.
    fn settled(&self) -> &Arc<Configuration> {
        let committed = |c: &&(u64, Arc<Configuration>)| c.0 <= self.commit;
        let last = self.configurations.iter().rev().find(committed);
        last.map_or(&self.configuration, |(_, configuration)| configuration)
    }

    /// The administrator asks for a change: says what has become of it, and begins it if this replica leads
    /// and nothing is before it.
    pub(super) fn asked_to_change(
        &mut self,
        cx: &mut Context<'_>,
        change: &MemberChange,
    ) -> Changing {
        let settled = Arc::clone(self.settled());
        let done = settled.change - u64::from(settled.is_joint());
        if done >= change.number {
            return Changing::Done;
        }
        let (me, now, last) = (self.group.me, cx.now(), self.log.last());
        let Role::Leader(leading) = &mut self.role else {
            return Changing::Elsewhere;
        };
        let coming = leading.coming.as_ref().map(|coming| coming.change);
        if self.configuration.change == change.number || coming == Some(change.number) {
            return Changing::UnderWay;
        }
        // What earlier leaders began is not known to be over before an entry of this term is committed
        // (the flaw of 2015 in changes by single servers: "bug in single-server membership changes").
        // The seeded bug: it is enough that the change before is in the log.
        let overlaps = seeded::on(&seeded::CHANGES_OVERLAP);
        let before = if overlaps {
            Arc::clone(&self.configuration)
        } else {
            settled
        };
        let begun = if overlaps { before.change } else { done };
        if self.commit < leading.first
            || self.configuration != before
            || begun + 1 != change.number
            || leading.given_to.is_some()
        {
            return Changing::Waits;
        }
        let members: Arc<[NodeId]> = change.of(&before.members).into();
        if members.is_empty() {
            return Changing::Impossible;
        }
        let new = members.iter().filter(|n| !before.contains(**n));
        let newcomers: Vec<NodeId> = new.copied().filter(|n| *n != me).collect();
        leading.leavers.retain(|n| !members.contains(n));
        leading.coming = Some(Coming {
            change: change.number,
            members,
            newcomers,
            until: last,
            since: now,
        });
        self.meet_members(cx);
        self.try_change(cx);
        self.send_all(cx, true);
        Changing::UnderWay
    }

    /// Begins the change that waits once its new members have caught up.
    pub(super) fn try_change(&mut self, cx: &mut Context<'_>) {
        let (now, last, timeout) = (cx.now(), self.log.last(), self.group.timeout);
        let Role::Leader(leading) = &mut self.role else {
            return;
        };
        let Some(coming) = &mut leading.coming else {
            return;
        };
        let others = &leading.others;
        let holds = |n: &NodeId, until| others.get(n).is_some_and(|p| p.matched >= until);
        let (until, since) = (coming.until, coming.since);
        if !coming.newcomers.iter().all(|n| holds(n, until)) {
            return;
        }
        // The log has grown while they caught up.
        if now - since > timeout && !coming.newcomers.iter().all(|n| holds(n, last)) {
            cx.reached(&marks::NEWCOMER_BEHIND);
            (coming.until, coming.since) = (last, now);
            return;
        }
        if !coming.newcomers.is_empty() {
            cx.reached(&marks::NEWCOMER_CAUGHT_UP);
        }
        if let Some(coming) = leading.coming.take() {
            self.append_change(cx, coming.members, coming.change);
        }
    }

    fn append_change(&mut self, cx: &mut Context<'_>, members: Arc<[NodeId]>, change: u64) {
        let mut next = self.configuration.towards(members, change);
        if seeded::on(&seeded::NO_JOINT_CONFIGURATION) {
            next = next.settled();
        }
        let batch = self.empty_batch(cx);
        self.append_own(cx, batch, Some(Arc::new(next)));
    }

    /// A joint configuration is committed: the new one follows it.
    pub(super) fn leave_joint(&mut self, cx: &mut Context<'_>) {
        let joint = Arc::clone(&self.configuration);
        let me = self.group.me;
        if let Role::Leader(leading) = &mut self.role {
            let out = |n: &&NodeId| !joint.members.contains(n) && **n != me;
            let old = joint.old.iter().flat_map(|old| old.iter());
            leading.leavers.extend(old.filter(out));
        }
        let batch = self.empty_batch(cx);
        self.append_own(cx, batch, Some(Arc::new(joint.settled())));
    }

    /// An entry with a configuration is committed.
    pub(super) fn members_committed(
        &mut self,
        cx: &mut Context<'_>,
        index: u64,
        configuration: &Configuration,
    ) {
        cx.emit(Probe::Configured(Arc::new(configuration.told(&self.group))));
        let latest = self
            .configurations
            .last()
            .is_some_and(|(at, _)| *at == index);
        if !latest {
            return;
        }
        if !self.leads() {
            let before = self.configurations.iter().rev().nth(1);
            let was = before.is_some_and(|(_, before)| before.contains(self.group.me));
            if was && !self.is_member() {
                self.hand_over(cx);
            }
            return;
        }
        if self.configuration.is_joint() {
            cx.reached(&marks::JOINT_COMMITTED);
            self.leave_joint(cx);
        } else if !self.is_member() {
            // It led until its own removal was committed (section 6, the second issue).
            cx.reached(&marks::REMOVED_LEADER);
            self.give_place(cx);
            self.follow(cx, None);
            self.hand_over(cx);
        }
    }

    /// Is this replica in the last configuration of its log?
    pub(super) fn is_member(&self) -> bool {
        self.configuration.contains(self.group.me)
    }

    /// It left: what it took in for its clients goes to those that stay.
    fn hand_over(&mut self, cx: &mut Context<'_>) {
        cx.reached(&marks::LEFT);
        self.outbox.clear();
        let charges = self.mempool.charges();
        self.forward(cx, charges, None);
    }

    /// A node that is no member stands for election, or would: it has missed that it left. A leader tells it.
    pub(super) fn remind(&mut self, cx: &mut Context<'_>, from: NodeId) {
        let everybody = &self.everybody;
        let Role::Leader(leading) = &mut self.role else {
            return;
        };
        if everybody.contains(&from) || !leading.leavers.insert(from) {
            return;
        }
        cx.reached(&marks::REMINDED);
        self.meet_members(cx);
        self.send_entries(cx, from, true);
    }

    /// Upon the word of one that left that it holds the log up to `matched`: it is sent nothing more once
    /// the configuration without it is committed and there.
    pub(super) fn dismiss(&mut self, cx: &Context<'_>, from: NodeId, matched: u64) {
        let Some(&(at, _)) = self.configurations.last() else {
            return;
        };
        let Role::Leader(leading) = &mut self.role else {
            return;
        };
        if at <= self.commit && matched >= at && leading.leavers.remove(&from) {
            self.meet_members(cx);
        }
    }

    /// A leader sends to whoever is in the configuration, or on the way into it or out of it, and to nobody
    /// else.
    pub(super) fn meet_members(&mut self, cx: &Context<'_>) {
        let (now, next) = (cx.now(), self.log.last());
        let (me, resend) = (self.group.me, self.group.first_resend());
        let everybody = Arc::clone(&self.everybody);
        let Role::Leader(leading) = &mut self.role else {
            return;
        };
        let guests = leading.coming.is_some() || !leading.leavers.is_empty();
        if !guests
            && leading.others.len() + usize::from(everybody.contains(&me)) == everybody.len()
            && leading.others.keys().all(|n| everybody.contains(n))
        {
            return;
        }
        let newcomers = leading.coming.iter().flat_map(|coming| &coming.newcomers);
        let all = everybody.iter().chain(newcomers).chain(&leading.leavers);
        let all: BTreeSet<NodeId> = all.copied().filter(|n| *n != me).collect();
        leading.others.retain(|n, _| all.contains(n));
        for node in all {
            let fresh = || Progress::new(next, now, resend);
            leading.others.entry(node).or_insert_with(fresh);
        }
    }
}
