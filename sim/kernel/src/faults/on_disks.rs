//! What all faults of disks have in common: they lie on the disks of their nodes while the window is
//! open.

use super::target::Target;
use super::window::{Act, Cx, Window};
use crate::storage::Fault;
use consim_core::{NodeId, Time};

/// A fault that lies on disks.
pub(crate) struct OnDisks {
    nodes: Vec<NodeId>,
}

impl OnDisks {
    /// On each disk of `target` a fault of its own. With `keep_one`, damage that would take the last
    /// good copy of a committed batch is left out.
    pub(super) fn new<F: Fault + 'static>(
        cx: &mut Cx<'_>,
        target: &Target,
        keep_one: bool,
        fault: impl Fn() -> F,
    ) -> Self {
        let nodes = cx.hit(target);
        for &node in &nodes {
            let (key, fault) = (cx.key, Box::new(fault()));
            cx.act(Act::Ail {
                node,
                fault,
                key,
                keep_one,
            });
        }
        Self { nodes }
    }
}

impl Window for OnDisks {
    fn close(&mut self, cx: &mut Cx<'_>) -> Option<Time> {
        for &node in &self.nodes {
            cx.act(Act::Heal(node));
        }
        None
    }
}
