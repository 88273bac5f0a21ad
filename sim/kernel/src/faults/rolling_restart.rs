//! `rolling-restart` (P8): nodes are restarted one after the other, as for an update, or all of them
//! again and again.

use super::crash::Lose;
use super::target::Target;
use super::window::{Act, Cx, Kind, Window};
use consim_core::{NodeId, Span, Time};

/// Nodes are restarted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RollingRestart {
    /// Who.
    pub target: Target,
    /// From one restart to the next.
    pub gap: Span,
    /// How long a node is down.
    pub down: Span,
    /// All at once, with each gap, until the end.
    pub storm: bool,
}

impl Kind for RollingRestart {
    const WORD: &'static str = "rolling-restart";
    const CODE: &'static str = "P8";
    const UNIT: &'static str = "restarts";
    const RESTARTS: bool = true;
    type Open = Rolling;

    fn open(&self, cx: &mut Cx<'_>) -> Rolling {
        let nodes = cx.hit(&self.target);
        let gap = self.gap.max(Span::from_nanos(1));
        if self.storm {
            let mut at = cx.now;
            while at < cx.to {
                for &node in &nodes {
                    turn(cx, node, at, self.down);
                }
                at += gap;
            }
        } else {
            let mut at = cx.now;
            for &node in &nodes {
                turn(cx, node, at, self.down);
                at += gap;
            }
        }
        Rolling { down: Vec::new() }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// Down if the lowest bit is not set, up if it is.
fn code(node: NodeId, up: bool) -> u32 {
    node.0 << 1 | u32::from(up)
}

fn turn(cx: &mut Cx<'_>, node: NodeId, at: Time, down: Span) {
    // One that would come back only after the window is not stopped any more.
    if at + down <= cx.to {
        cx.wake(at, code(node, false));
        cx.wake(at + down, code(node, true));
    }
}

/// Restarts under way.
pub(crate) struct Rolling {
    down: Vec<NodeId>,
}

impl Window for Rolling {
    fn woken(&mut self, what: u32, cx: &mut Cx<'_>) {
        let (node, up) = (NodeId(what >> 1), what & 1 == 1);
        if !up && !self.down.contains(&node) {
            self.down.push(node);
            cx.act(Act::Down(node, Lose::Unsynced));
        } else if up && self.down.contains(&node) {
            self.down.retain(|n| *n != node);
            cx.act(Act::Up(node));
        }
    }
    fn close(&mut self, cx: &mut Cx<'_>) -> Option<Time> {
        // Those whose turn ends with the window.
        for node in std::mem::take(&mut self.down) {
            cx.act(Act::Up(node));
        }
        None
    }
}
