//! Changes of the members by joint consensus (section 6; thesis, section 4.3).

use super::marks;
use super::membership::Configuration;
use super::progress::Progress;
use super::replica::{RaftReplica, Role};
use consim_core::{Context, NodeId};
use std::sync::Arc;

impl RaftReplica {
    /// Begins to replace the members by `members`. Returns false if this replica does not lead, or a
    /// change is under way: it is begun again once that is over.
    pub fn change_members(&mut self, cx: &mut Context<'_>, members: Arc<[NodeId]>) -> bool {
        let Role::Leader(leading) = &self.role else {
            return false;
        };
        let pending = self
            .configurations
            .last()
            .is_some_and(|(at, _)| *at > self.commit);
        if pending
            || self.commit < leading.first
            || self.configuration.is_joint()
            || members.is_empty()
        {
            return false;
        }
        let joint = Arc::new(self.configuration.towards(members));
        let batch = self.empty_batch(cx);
        self.append_own(cx, batch, Some(joint));
        true
    }

    /// A joint configuration is committed: the new one follows it.
    pub(super) fn leave_joint(&mut self, cx: &mut Context<'_>) {
        let members = Arc::clone(&self.configuration.members);
        let batch = self.empty_batch(cx);
        self.append_own(cx, batch, Some(Arc::new(Configuration::of(members))));
    }

    /// An entry with a configuration is committed.
    pub(super) fn members_committed(&mut self, cx: &mut Context<'_>, index: u64) {
        let latest = self
            .configurations
            .last()
            .is_some_and(|(at, _)| *at == index);
        if !self.leads() || !latest {
            return;
        }
        if self.configuration.is_joint() {
            cx.reached(&marks::JOINT_COMMITTED);
            self.leave_joint(cx);
        } else if !self.configuration.contains(self.group.me) {
            // It led until its own removal was committed (section 6, the second issue).
            cx.reached(&marks::REMOVED_LEADER);
            self.give_place(cx);
            self.follow(cx, None);
        }
    }

    /// A leader sends to whoever is in the configuration, and to nobody else.
    pub(super) fn meet_members(&mut self, cx: &Context<'_>) {
        let (now, next) = (cx.now(), self.log.last());
        let (me, resend) = (self.group.me, self.group.first_resend());
        let everybody = Arc::clone(&self.everybody);
        let Role::Leader(leading) = &mut self.role else {
            return;
        };
        if leading.others.len() + usize::from(everybody.contains(&me)) == everybody.len()
            && leading.others.keys().all(|n| everybody.contains(n))
        {
            return;
        }
        leading.others.retain(|n, _| everybody.contains(n));
        for &node in everybody.iter().filter(|n| **n != me) {
            let fresh = || Progress::new(next, now, resend);
            leading.others.entry(node).or_insert_with(fresh);
        }
    }
}
