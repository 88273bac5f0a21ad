//! `leap` (C5): a node takes a leap second that the others do not, or goes by local time and takes the
//! hour of daylight saving.

use super::clock_step::Off;
use super::on_clocks::OnClocks;
use super::target::Target;
use super::window::{Cx, Kind};

/// Wall clocks leap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leap {
    /// Whose clocks.
    pub target: Target,
    /// What.
    pub kind: LeapKind,
}

impl Kind for Leap {
    const WORD: &'static str = "leap";
    const CODE: &'static str = "C5";
    const UNIT: &'static str = "readings of a wrong clock";
    const CLOCKS: bool = true;
    type Open = OnClocks;

    fn open(&self, cx: &mut Cx<'_>) -> OnClocks {
        let by_ns = match self.kind {
            // An inserted second is 59 twice: the clock goes back by one (POSIX has no 60).
            LeapKind::Second => -1_000_000_000,
            LeapKind::Dst => 3_600_000_000_000,
        };
        OnClocks::new(cx, &self.target, || Off(by_ns))
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// What a clock leaps by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeapKind {
    /// A second back.
    Second,
    /// An hour ahead.
    Dst,
}
