//! `crash` (P1): nodes go down, lose what was not synced, and start again from their own disks.

use super::target::Target;
use super::window::{Act, Cx, Kind, Window};
use consim_core::NodeId;

/// Nodes go down, and start again at the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crash {
    /// Who.
    pub target: Target,
}

impl Crash {
    /// These nodes, which keep their disks and lose what was not synced.
    pub fn new(target: Target) -> Self {
        Self { target }
    }
}

impl Kind for Crash {
    const WORD: &'static str = "crash";
    const CODE: &'static str = "P1";
    const UNIT: &'static str = "nodes taken down";
    const RESTARTS: bool = true;
    type Open = Down;

    fn open(&self, cx: &mut Cx<'_>) -> Down {
        let nodes = cx.hit(&self.target);
        for &node in &nodes {
            cx.act(Act::Down(node));
        }
        Down { nodes }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// Nodes that are down.
pub(crate) struct Down {
    nodes: Vec<NodeId>,
}

impl Window for Down {
    fn close(&mut self, cx: &mut Cx<'_>) {
        for &node in &self.nodes {
            cx.act(Act::Up(node));
        }
    }
}
