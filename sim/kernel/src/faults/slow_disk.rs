//! `slow-disk` (D7): every write takes longer.

use super::on_disks::OnDisks;
use super::target::Target;
use super::window::{Cx, Kind};
use crate::storage::{Draws, Fault};
use consim_core::{Distribution, Sampler, Span};

/// Writes take longer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlowDisk {
    /// Whose disks.
    pub target: Target,
    /// How much.
    pub add: Distribution,
}

impl Kind for SlowDisk {
    const WORD: &'static str = "slow-disk";
    const CODE: &'static str = "D7";
    const UNIT: &'static str = "writes slowed";
    const FOLLOWS: bool = true;
    type Open = OnDisks;

    fn open(&self, cx: &mut Cx<'_>) -> OnDisks {
        OnDisks::new(cx, &self.target, false, || Slow(self.add.sampler()))
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

#[derive(Debug)]
struct Slow(Sampler);

impl Fault for Slow {
    fn delay(&mut self, draws: &mut Draws) -> Span {
        self.0.sample(draws.next())
    }
}
