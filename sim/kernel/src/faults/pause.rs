//! `pause` (P3): nodes stand still, as in a long garbage collection or while a virtual machine is
//! moved. What comes waits for them; timers that were due meanwhile fire together at the end. What
//! a node was about to do when the window opened is done first.

use super::target::Target;
use super::window::{Act, Cx, Kind, Window};
use consim_core::{NodeId, Time};

/// Nodes stand still.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pause {
    /// Who.
    pub target: Target,
}

impl Kind for Pause {
    const WORD: &'static str = "pause";
    const CODE: &'static str = "P3";
    const UNIT: &'static str = "events that waited";
    type Open = Paused;

    fn open(&self, cx: &mut Cx<'_>) -> Paused {
        let nodes = cx.hit(&self.target);
        for &node in &nodes {
            cx.act(Act::Pause { node, until: cx.to });
        }
        Paused { nodes }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// Nodes that stand still.
pub(crate) struct Paused {
    nodes: Vec<NodeId>,
}

impl Window for Paused {
    fn close(&mut self, cx: &mut Cx<'_>) -> Option<Time> {
        for &node in &self.nodes {
            cx.act(Act::CountWaiting(node));
        }
        None
    }
}
