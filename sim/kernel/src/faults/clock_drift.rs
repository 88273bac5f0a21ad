//! `clock-drift` (C1): the oscillator of a node runs too fast or too slow. It is the one fault of clocks
//! that moves timers too; the instants by which the run is measured stay true.

use super::on_clocks::OnClocks;
use super::target::Target;
use super::window::{Cx, Kind};
use crate::clock::Fault;
use consim_core::Time;

/// Oscillators run at another speed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClockDrift {
    /// Whose clocks.
    pub target: Target,
    /// Too fast by so many parts per billion; too slow if negative.
    pub ppb: i64,
}

impl Kind for ClockDrift {
    const WORD: &'static str = "clock-drift";
    const CODE: &'static str = "C1";
    const UNIT: &'static str = "readings of a wrong clock";
    const CLOCKS: bool = true;
    type Open = OnClocks;

    fn open(&self, cx: &mut Cx<'_>) -> OnClocks {
        let (ppb, from) = (self.ppb, cx.now);
        OnClocks::new(cx, &self.target, || Drift { ppb, from })
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

#[derive(Debug)]
struct Drift {
    ppb: i64,
    from: Time,
}

impl Fault for Drift {
    fn shift_ns(&self, now: Time) -> i64 {
        let elapsed = i128::from((now - self.from).nanos());
        let shift = elapsed * i128::from(self.ppb) / 1_000_000_000;
        i64::try_from(shift).unwrap_or(i64::MAX)
    }
    fn drift_ppb(&self) -> i64 {
        self.ppb
    }
}
