//! `clock-step` (C2): the wall clock of a node is off by so much.

use super::on_clocks::OnClocks;
use super::target::Target;
use super::window::{Cx, Kind};
use crate::clock::Fault;
use consim_core::Time;

/// Wall clocks are off.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClockStep {
    /// Whose clocks.
    pub target: Target,
    /// How far they are ahead, nanoseconds.
    pub by_ns: i64,
}

impl Kind for ClockStep {
    const WORD: &'static str = "clock-step";
    const CODE: &'static str = "C2";
    const UNIT: &'static str = "readings of a wrong clock";
    const CLOCKS: bool = true;
    type Open = OnClocks;

    fn open(&self, cx: &mut Cx<'_>) -> OnClocks {
        OnClocks::new(cx, &self.target, || Off(self.by_ns))
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// A wall clock that is off by so many nanoseconds.
#[derive(Debug)]
pub(super) struct Off(pub(super) i64);

impl Fault for Off {
    fn shift_ns(&self, _: Time) -> i64 {
        self.0
    }
}
