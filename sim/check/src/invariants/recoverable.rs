//! Could a chain go on at all? A stop that nothing could have prevented is no failure of liveness.

use super::Subjects;
use consim_core::{ChainId, Configured, Heal, NodeId, Probe};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Who is up, who stays broken, and which blocks there are.
#[derive(Debug, Default)]
pub(super) struct Recoverable {
    down: BTreeSet<NodeId>,
    broken: BTreeSet<NodeId>,
    /// Replicas that may have forgotten what they signed, and sign nothing.
    silent: BTreeSet<(ChainId, NodeId)>,
    heights: BTreeMap<(ChainId, NodeId), u64>,
    tops: BTreeMap<ChainId, u64>,
    /// Who decides on chains whose members have changed.
    configured: BTreeMap<ChainId, Arc<Configured>>,
}

/// A list of members, and how many of them decide.
type Group<'a> = (&'a [NodeId], usize);

impl Recoverable {
    pub(super) fn node_up(&mut self, node: NodeId, up: bool) {
        // One that comes back says anew what its disk is like.
        self.silent.retain(|&(_, silent)| silent != node);
        if up {
            self.down.remove(&node);
        } else {
            self.down.insert(node);
        }
    }
    pub(super) fn healed(&mut self, heal: &Heal) {
        self.broken.extend(heal.broken.iter().copied());
    }
    /// Hears what a correct node says.
    pub(super) fn probe(&mut self, node: NodeId, probe: &Probe) {
        let (chain, height) = match probe {
            Probe::Applied(block) => (block.header.chain, block.header.height),
            Probe::Recovered { chain, height, .. } => (*chain, *height),
            Probe::Abstains { chain, abstains } => {
                if *abstains {
                    self.silent.insert((*chain, node));
                } else {
                    self.silent.remove(&(*chain, node));
                }
                return;
            }
            Probe::Configured(configured) => {
                if self.is_news(configured) {
                    let chain = configured.chain;
                    self.configured.insert(chain, Arc::clone(configured));
                }
                return;
            }
            _ => return,
        };
        self.heights.insert((chain, node), height);
        let top = self.tops.entry(chain).or_default();
        *top = height.max(*top);
    }
    /// The highest block that a correct node of the chain executed.
    pub(super) fn top(&self, chain: ChainId) -> u64 {
        self.tops.get(&chain).copied().unwrap_or(0)
    }
    /// Where a node stands.
    pub(super) fn height(&self, chain: ChainId, node: NodeId) -> u64 {
        self.heights.get(&(chain, node)).copied().unwrap_or(0)
    }
    /// Who decides on a chain now, as far as correct nodes have said: lists of members, of each of which so
    /// many are needed.
    pub(super) fn groups<'a>(&'a self, subjects: &'a Subjects, id: ChainId) -> Vec<Group<'a>> {
        if let Some(configured) = self.configured.get(&id) {
            let groups = configured.groups.iter();
            return groups.map(|(list, quorum)| (&**list, *quorum)).collect();
        }
        let chain = subjects.chain(id);
        let first = chain.map(|c| (c.first.as_ref().unwrap_or(&c.members).as_slice(), c.quorum));
        first.into_iter().collect()
    }
    /// Is `node` a member of a chain now? Of a chain whose members do not change, all are.
    pub(super) fn is_member(&self, subjects: &Subjects, id: ChainId, node: NodeId) -> bool {
        let groups = self.groups(subjects, id);
        groups.iter().any(|(list, _)| list.contains(&node))
    }
    /// Does `configured` tell something new?
    pub(super) fn is_news(&self, configured: &Configured) -> bool {
        let known = self.configured.get(&configured.chain);
        known.is_none_or(|known| known.version() < configured.version())
    }
    /// Why the chain cannot go on: no quorum of correct members that may vote is up and connected, or
    /// none of the members has the latest block.
    pub(super) fn why_not(&self, subjects: &Subjects, id: ChainId) -> Option<String> {
        let chain = subjects.chain(id)?;
        let able = |node: &&NodeId| {
            subjects.correct(**node) && !self.down.contains(node) && !self.broken.contains(node)
        };
        let mut highest = None;
        for (members, quorum) in self.groups(subjects, id) {
            let able: Vec<&NodeId> = members.iter().filter(able).collect();
            let voters = able.iter().filter(|n| !self.silent.contains(&(id, ***n)));
            let voters = voters.count();
            if voters < quorum {
                return Some(format!(
                    "{}: not recoverable, {voters} of {} members are correct, up, not broken for good and remember what they signed; a quorum is {quorum}",
                    chain.name,
                    members.len(),
                ));
            }
            let heights = able.iter().map(|node| self.height(id, **node));
            highest = highest.max(heights.max());
        }
        let top = self.top(id);
        if highest.is_none_or(|highest| highest < top) {
            return Some(format!(
                "{}: not recoverable, no member that is up holds block {top}",
                chain.name
            ));
        }
        None
    }
}
