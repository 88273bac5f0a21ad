//! `old-backup` (O8): an operator stops nodes, puts an old backup on their disks and starts them again.

use super::crash::Lose;
use super::target::Target;
use super::window::{Act, Cx, Kind, Window};
use consim_core::{NodeId, Span};

/// An old backup is put on the disks of nodes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OldBackup {
    /// Who.
    pub target: Target,
    /// How old it is.
    pub age: Span,
}

impl Kind for OldBackup {
    const WORD: &'static str = "old-backup";
    const CODE: &'static str = "O8";
    const UNIT: &'static str = "bytes that the backup lacked";
    const RESTARTS: bool = true;
    const DISKS: bool = true;
    type Open = Replaced;

    fn open(&self, cx: &mut Cx<'_>) -> Replaced {
        Replaced::new(cx, &self.target, |node| Act::Restore { node, counts: true })
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
    fn backup(&self) -> Option<(&Target, Span)> {
        Some((&self.target, self.age))
    }
}

/// Disks that were replaced: nothing is left to be done.
pub(crate) struct Replaced;

impl Replaced {
    /// Stops nodes, has their disks replaced, and starts them again.
    pub(super) fn new(cx: &mut Cx<'_>, target: &Target, replace: impl Fn(NodeId) -> Act) -> Self {
        for node in cx.hit(target) {
            cx.act(Act::Stop(node, Lose::Nothing));
            cx.act(replace(node));
            cx.act(Act::Up(node));
        }
        Self
    }
}

impl Window for Replaced {}
