//! Could a chain go on at all? A stop that nothing could have prevented is no failure of liveness.

use super::Subjects;
use consim_core::{ChainId, Heal, NodeId, Probe};
use std::collections::{BTreeMap, BTreeSet};

/// Who is up, who stays broken, and which blocks there are.
#[derive(Debug, Default)]
pub(super) struct Recoverable {
    down: BTreeSet<NodeId>,
    broken: BTreeSet<NodeId>,
    /// Replicas that may have forgotten what they signed, and sign nothing.
    silent: BTreeSet<(ChainId, NodeId)>,
    heights: BTreeMap<(ChainId, NodeId), u64>,
    tops: BTreeMap<ChainId, u64>,
}

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
    /// Why the chain cannot go on: no quorum of correct members that may vote is up and connected, or
    /// none of the members has the latest block.
    pub(super) fn why_not(&self, subjects: &Subjects, id: ChainId) -> Option<String> {
        let chain = subjects.chain(id)?;
        let able = |node: &&NodeId| {
            subjects.correct(**node) && !self.down.contains(node) && !self.broken.contains(node)
        };
        let able: Vec<&NodeId> = chain.members.iter().filter(able).collect();
        let voters = able.iter().filter(|n| !self.silent.contains(&(id, ***n)));
        let voters = voters.count();
        if voters < chain.quorum {
            return Some(format!(
                "{}: not recoverable, {voters} of {} members are correct, up, not broken for good and remember what they signed; a quorum is {}",
                chain.name,
                chain.members.len(),
                chain.quorum
            ));
        }
        let top = self.top(id);
        if able.iter().all(|node| self.height(id, **node) < top) {
            return Some(format!(
                "{}: not recoverable, no member that is up holds block {top}",
                chain.name
            ));
        }
        None
    }
}
