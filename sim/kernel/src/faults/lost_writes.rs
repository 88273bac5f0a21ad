//! `lost-writes` (D1): of what was not synced when the node crashed, some is on the disk all the same.

use super::on_disks::OnDisks;
use super::target::Target;
use super::window::{Cx, Kind};
use crate::storage::{Draws, Fault, Left};
use consim_core::{Disk, Write};

/// A crash keeps some of what was not synced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LostWrites {
    /// Whose disks.
    pub target: Target,
    /// What is lost.
    pub which: WhichLost,
}

impl Kind for LostWrites {
    const WORD: &'static str = "lost-writes";
    const CODE: &'static str = "D1";
    const UNIT: &'static str = "unsynced writes that a crash kept";
    const DISKS: bool = true;
    type Open = OnDisks;

    fn open(&self, cx: &mut Cx<'_>) -> OnDisks {
        OnDisks::new(cx, &self.target, false, || Partly(self.which))
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// What a crash loses of writes that were not synced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhichLost {
    /// The last of them.
    Suffix,
    /// Each with a chance of one half.
    Random,
}

#[derive(Debug)]
struct Partly(WhichLost);

impl Fault for Partly {
    fn crash(&mut self, draws: &mut Draws, _: &Disk, pending: &[Vec<Write>]) -> Option<Left> {
        let n = pending.len();
        let kept = match self.0 {
            // The drive wrote in order, and stopped somewhere.
            WhichLost::Suffix => {
                let kept = draws.below(n as u64 + 1) as usize;
                (0..kept).collect()
            }
            // It wrote in an order of its own.
            WhichLost::Random => (0..n).filter(|_| draws.below(2) == 0).collect(),
        };
        Some(Left::These(kept))
    }
}
