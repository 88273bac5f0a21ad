//! Whom and which lines a fault hits.

use crate::network::Place;
use crate::node::Node;
use consim_core::{ChainId, NodeId};
use std::collections::BTreeMap;

/// Which nodes a fault hits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// These.
    Nodes(Vec<NodeId>),
    /// Whoever leads the chain when the window opens; bound for the whole window.
    LeaderOf(ChainId),
    /// Whoever leads the chain at each moment of the window.
    LeadersOf(ChainId),
}

/// Which lines a link fault hits; `Target` lists are resolved when the window opens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Lines {
    /// Every line from or to these nodes.
    Of(Target),
    /// Lines from the first to the second, one way.
    FromTo(Target, Target),
    /// Lines between the first and the second, both ways.
    Between(Target, Target),
}

impl Lines {
    /// The sets of nodes that say which lines are meant.
    pub fn targets(&mut self) -> Vec<&mut Target> {
        match self {
            Self::Of(target) => vec![target],
            Self::FromTo(a, b) | Self::Between(a, b) => vec![a, b],
        }
    }
}

/// The latest view of each node of each chain, and who leads it.
pub(crate) type Views = BTreeMap<ChainId, BTreeMap<NodeId, (u64, NodeId)>>;

/// What targets are resolved against.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    pub(crate) nodes: &'a [Node],
    pub(crate) places: &'a [Place],
    pub(crate) views: &'a Views,
}

impl World<'_> {
    /// The nodes of a target, now.
    pub(crate) fn resolve(&self, target: &Target) -> Vec<NodeId> {
        match target {
            Target::Nodes(list) => list.clone(),
            Target::LeaderOf(chain) | Target::LeadersOf(chain) => {
                self.leader(*chain).into_iter().collect()
            }
        }
    }
    /// The site of a node.
    pub(crate) fn site(&self, node: NodeId) -> u32 {
        self.places.get(node.index()).map_or(0, |place| place.site)
    }
    /// How many sites there are.
    pub(crate) fn sites(&self) -> usize {
        let sites = self.places.iter().map(|place| place.site as usize + 1);
        sites.max().unwrap_or(0)
    }
    /// Who leads `chain` now: the leader of the highest view that an up node is in. While it is
    /// down, nobody leads and the next to lead is not known before somebody enters the next view,
    /// so the leader of the highest view stands for it.
    pub(crate) fn leader(&self, chain: ChainId) -> Option<NodeId> {
        self.latest(chain).map(|(_, leader)| leader)
    }
    /// The highest view of `chain` that an up node is in; 0 if there is none.
    pub(crate) fn view(&self, chain: ChainId) -> u64 {
        self.latest(chain).map_or(0, |(view, _)| view)
    }
    fn latest(&self, chain: ChainId) -> Option<(u64, NodeId)> {
        let up = |n: &NodeId| {
            let node = self.nodes.get(n.index());
            node.is_some_and(|n| n.process.is_some())
        };
        self.views
            .get(&chain)?
            .iter()
            .filter(|(n, _)| up(n))
            .map(|(_, v)| v)
            .max_by_key(|(view, _)| *view)
            .copied()
    }
    /// Which sites stand on which side of these lines, and the nodes that were named.
    pub(crate) fn sides(&self, lines: &Lines) -> (Sides, Vec<NodeId>) {
        let mut hit = Vec::new();
        let mut site = vec![0u8; self.sites()];
        let mut mark = |target: &Target, bit: u8| {
            for node in self.resolve(target) {
                hit.push(node);
                if let Some(mark) = site.get_mut(self.site(node) as usize) {
                    *mark |= bit;
                }
            }
        };
        match lines {
            Lines::Of(target) => mark(target, 1),
            Lines::FromTo(a, b) | Lines::Between(a, b) => {
                mark(a, 1);
                mark(b, 2);
            }
        }
        let sides = Sides {
            site,
            both_ways: matches!(lines, Lines::Between(..)),
            any_other: matches!(lines, Lines::Of(_)),
        };
        (sides, hit)
    }
    /// Which sites have one of these nodes.
    pub(crate) fn marked(&self, nodes: &[NodeId]) -> Vec<bool> {
        let mut marks = vec![false; self.sites()];
        for &node in nodes {
            if let Some(mark) = marks.get_mut(self.site(node) as usize) {
                *mark = true;
            }
        }
        marks
    }
}

/// Which nodes stand on which side of a set of lines.
#[derive(Clone, Debug)]
pub(crate) struct Sides {
    /// Per site: bit 0 in the first set, bit 1 in the second.
    site: Vec<u8>,
    both_ways: bool,
    /// Lines of the first set whatever the other end is.
    any_other: bool,
}

impl Sides {
    /// Is the line from one place to another among them? Never one inside a site.
    pub(crate) fn joins(&self, from: Place, to: Place) -> bool {
        if from.site == to.site {
            return false;
        }
        let side = |s: u32| self.site.get(s as usize).copied().unwrap_or(0);
        let (a, b) = (side(from.site), side(to.site));
        if self.any_other {
            return (a | b) & 1 != 0;
        }
        (a & 1 != 0 && b & 2 != 0) || (self.both_ways && a & 2 != 0 && b & 1 != 0)
    }
}
