//! `exhaust-memory` (P7): something else takes the memory of nodes, so that little is left for what
//! waits: for their servers, and in their mempools. A message that finds no room is dropped, and a
//! transaction is not taken in; users and timers are not dropped.

use super::effect::FaultEffect;
use super::target::Target;
use super::window::{Act, Asks, Cx, Kind, Window};
use consim_core::{NodeId, Time};

/// Little may wait for nodes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExhaustMemory {
    /// Who.
    pub target: Target,
    /// Bytes that may wait for each server, and as much in each mempool.
    pub cap: u64,
}

impl Kind for ExhaustMemory {
    const WORD: &'static str = "exhaust-memory";
    const CODE: &'static str = "P7";
    const UNIT: &'static str = "messages dropped and transactions refused";
    const FOLLOWS: bool = true;
    type Open = Exhausted;

    fn open(&self, cx: &mut Cx<'_>) -> Exhausted {
        let nodes = cx.hit(&self.target);
        for &node in &nodes {
            cx.act(Act::Measure(node));
        }
        Exhausted {
            nodes,
            cap: self.cap,
        }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// Nodes without room.
pub(crate) struct Exhausted {
    nodes: Vec<NodeId>,
    cap: u64,
}

impl Window for Exhausted {
    const ASKS: Asks = Asks::INBOX;

    fn room(&mut self, node: NodeId, bytes: u64, effect: &mut FaultEffect) -> bool {
        let full = bytes > self.cap && self.nodes.contains(&node);
        effect.took_effect += u64::from(full);
        !full
    }
    fn cap(&self, node: NodeId) -> Option<u64> {
        self.nodes.contains(&node).then_some(self.cap)
    }
    fn close(&mut self, cx: &mut Cx<'_>) -> Option<Time> {
        for &node in &self.nodes {
            cx.act(Act::Measure(node));
        }
        None
    }
}
