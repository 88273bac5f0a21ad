//! `rollback` (D8): nodes go down, and their volumes come back as they were. A host tells its guest so,
//! which then knows that it may have promised what it has forgotten.

use super::crash::Lose;
use super::target::Target;
use super::window::{Act, Cx, Kind, Window};
use consim_core::{NodeId, Span, Time};

/// Volumes are rolled back to a snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rollback {
    /// Whose.
    pub target: Target,
    /// How old the snapshot is; from before the start, an empty volume.
    pub age: Span,
    /// Is at least one good copy of each committed batch kept (D9)? A rollback that would take it is
    /// left out, and counted.
    pub keep_one: bool,
}

impl Kind for Rollback {
    const WORD: &'static str = "rollback";
    const CODE: &'static str = "D8";
    const UNIT: &'static str = "records lost";
    const RESTARTS: bool = true;
    const DISKS: bool = true;
    type Open = RolledBack;

    fn open(&self, cx: &mut Cx<'_>) -> RolledBack {
        let nodes = cx.hit(&self.target);
        for &node in &nodes {
            cx.act(Act::Stop(node, Lose::Unsynced));
            cx.act(Act::RollBack {
                node,
                keep_one: self.keep_one,
            });
        }
        RolledBack { nodes }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
    fn backup(&self) -> Option<(&Target, Span)> {
        Some((&self.target, self.age))
    }
}

/// Nodes that are down until the end.
pub(crate) struct RolledBack {
    nodes: Vec<NodeId>,
}

impl Window for RolledBack {
    fn close(&mut self, cx: &mut Cx<'_>) -> Option<Time> {
        for &node in &self.nodes {
            cx.act(Act::Up(node));
        }
        None
    }
}
