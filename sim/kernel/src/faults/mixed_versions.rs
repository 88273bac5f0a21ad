//! `mixed-versions` (P9): an upgrade, or its undoing: nodes are restarted one after the other with
//! another release of the program, and with their own at the end. What a release is, who makes the
//! processes knows; who did not understand whom, who watches the run.

use super::target::Target;
use super::window::{Act, Cx, Kind, Window};
use consim_core::{NodeId, Span, Time};

/// Nodes run another release.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MixedVersions {
    /// Who, one after the other.
    pub target: Target,
    /// The release, in steps after the program's own.
    pub to: i32,
    /// From one node to the next.
    pub gap: Span,
}

impl Kind for MixedVersions {
    const WORD: &'static str = "mixed-versions";
    const CODE: &'static str = "P9";
    const UNIT: &'static str = "messages refused";
    const RESTARTS: bool = true;
    type Open = Mixed;

    fn open(&self, cx: &mut Cx<'_>) -> Mixed {
        let mut at = cx.now;
        for node in cx.hit(&self.target) {
            if at >= cx.to {
                break;
            }
            cx.wake(at, node.0);
            at += self.gap;
        }
        Mixed { moved: Vec::new() }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// Nodes whose turn has come.
pub(crate) struct Mixed {
    moved: Vec<NodeId>,
}

fn restart(cx: &mut Cx<'_>, node: NodeId, wrong: bool) {
    cx.act(Act::Configure { node, wrong });
    cx.act(Act::Bounce(node));
}

impl Window for Mixed {
    fn woken(&mut self, what: u32, cx: &mut Cx<'_>) {
        let node = NodeId(what);
        self.moved.push(node);
        restart(cx, node, true);
    }
    fn close(&mut self, cx: &mut Cx<'_>) -> Option<Time> {
        for node in std::mem::take(&mut self.moved) {
            restart(cx, node, false);
        }
        None
    }
}
