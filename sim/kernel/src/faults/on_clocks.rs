//! What all faults of clocks have in common: they lie on the clocks of their nodes while the window is
//! open, and at its end the time is set right.

use super::target::Target;
use super::window::{Act, Cx, Window};
use crate::clock::Fault;
use consim_core::{NodeId, Time};

/// A fault that lies on clocks.
pub(crate) struct OnClocks {
    nodes: Vec<NodeId>,
}

impl OnClocks {
    /// On each clock of `target` a fault of its own.
    pub(super) fn new<F: Fault + 'static>(
        cx: &mut Cx<'_>,
        target: &Target,
        fault: impl Fn() -> F,
    ) -> Self {
        let nodes = cx.hit(target);
        for &node in &nodes {
            let fault = Box::new(fault());
            cx.act(Act::Mislead { node, fault });
        }
        Self { nodes }
    }
}

impl Window for OnClocks {
    fn close(&mut self, cx: &mut Cx<'_>) -> Option<Time> {
        for &node in &self.nodes {
            cx.act(Act::SetClock(node));
        }
        None
    }
}
