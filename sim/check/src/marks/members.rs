//! What each member is in.

use consim_core::{NodeId, Time};
use std::collections::{BTreeMap, BTreeSet};

/// The mark of replicas that begins the transfer of a state.
pub(super) const BEGINS_TRANSFER: &str = "state-sought";

/// A member.
#[derive(Clone, Copy, Default, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something of its own"
)]
pub(super) struct Standing {
    pub(super) view: u64,
    /// It left a view and has not entered one since.
    pub(super) between: bool,
    /// It takes a state over.
    pub(super) taking: bool,
    /// A part of a state was refused here.
    lied_to: bool,
    /// It came back with nothing and has not executed the newest block since.
    empty: bool,
    is_down: bool,
    /// When it came up, if it was down before.
    pub(super) since: Option<Time>,
    /// The highest sequence number that it put forward in this life.
    pub(super) proposed: u64,
}

/// All members.
#[derive(Debug, Default)]
pub(super) struct Members(BTreeMap<NodeId, Standing>);

impl Members {
    pub(super) fn new(members: &[NodeId]) -> Self {
        let fresh = |node: &NodeId| (*node, Standing::default());
        Self(members.iter().map(fresh).collect())
    }
    /// How many are up.
    pub(super) fn up(&self) -> usize {
        self.0.values().filter(|member| !member.is_down).count()
    }
    /// In how many different views those are that are up.
    pub(super) fn views(&self) -> usize {
        let up = self.0.values().filter(|member| !member.is_down);
        up.map(|member| member.view).collect::<BTreeSet<_>>().len()
    }
    pub(super) fn is_down(&self, node: NodeId) -> bool {
        self.0.get(&node).is_some_and(|member| member.is_down)
    }
    fn with<R: Default>(&mut self, node: NodeId, change: impl FnOnce(&mut Standing) -> R) -> R {
        self.0.get_mut(&node).map(change).unwrap_or_default()
    }
    /// It entered a view: a later one than before, in this life?
    pub(super) fn entered(&mut self, node: NodeId, view: u64) -> bool {
        self.with(node, |member| {
            member.between = false;
            view > std::mem::replace(&mut member.view, view)
        })
    }
    pub(super) fn left(&mut self, node: NodeId) {
        self.with(node, |member| member.between = true);
    }
    pub(super) fn proposed(&mut self, node: NodeId, sequence: u64) {
        self.with(node, |member| member.proposed = sequence);
    }
    pub(super) fn reached(&mut self, node: NodeId, mark: &str) {
        if mark == BEGINS_TRANSFER {
            self.with(node, |member| member.taking = true);
        }
    }
    pub(super) fn refused_state(&mut self, node: NodeId) {
        self.with(node, |member| member.lied_to = true);
    }
    /// It took a state over: after it had refused a part of one?
    pub(super) fn took_state(&mut self, node: NodeId) -> bool {
        self.with(node, |member| {
            member.taking = false;
            std::mem::take(&mut member.lied_to)
        })
    }
    pub(super) fn came_back_empty(&mut self, node: NodeId) {
        self.with(node, |member| member.empty = true);
    }
    /// It executed the newest block: for the first time since it came back with nothing?
    pub(super) fn caught_up(&mut self, node: NodeId) -> bool {
        self.with(node, |member| std::mem::take(&mut member.empty))
    }
    /// It goes down: what it was in. `None` if it is no member, or down already.
    pub(super) fn down(&mut self, node: NodeId) -> Option<Standing> {
        let member = self.0.get_mut(&node).filter(|member| !member.is_down)?;
        let before = *member;
        *member = Standing {
            is_down: true,
            view: before.view,
            ..Standing::default()
        };
        Some(before)
    }
    /// It comes up: is it a member that was down?
    pub(super) fn came_up(&mut self, at: Time, node: NodeId) -> bool {
        self.with(node, |member| {
            member.since = Some(at);
            std::mem::take(&mut member.is_down)
        })
    }
}
