//! `wrong-zone` (O9): the wall clock of a node is set to another zone; its monotonic clock is right.

use super::target::Target;
use super::window::{Act, Cx, Kind, Window};
use consim_core::{NodeId, Time};

/// Wall clocks are set to another zone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WrongZone {
    /// Who.
    pub target: Target,
    /// How far they are ahead, nanoseconds.
    pub by_ns: i64,
}

impl Kind for WrongZone {
    const WORD: &'static str = "wrong-zone";
    const CODE: &'static str = "O9";
    const UNIT: &'static str = "blocks with a wrong time";
    const CLOCKS: bool = true;
    type Open = Zoned;

    fn open(&self, cx: &mut Cx<'_>) -> Zoned {
        let nodes = cx.hit(&self.target);
        let by_ns = self.by_ns;
        for &node in &nodes {
            cx.act(Act::Clock { node, by_ns });
        }
        Zoned { nodes, by_ns }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// Clocks of another zone.
pub(crate) struct Zoned {
    nodes: Vec<NodeId>,
    by_ns: i64,
}

impl Window for Zoned {
    fn close(&mut self, cx: &mut Cx<'_>) -> Option<Time> {
        for &node in &self.nodes {
            let by_ns = -self.by_ns;
            cx.act(Act::Clock { node, by_ns });
        }
        None
    }
}
