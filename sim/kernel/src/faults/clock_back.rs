//! `clock-back` (C4): a node that starts again finds its wall clock set back, as one whose battery is
//! empty.

use super::on_clocks::OnClocks;
use super::target::Target;
use super::window::{Cx, Kind};
use crate::clock::Fault;
use consim_core::Time;

/// Wall clocks go back at a restart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClockBack {
    /// Whose clocks.
    pub target: Target,
    /// How far, nanoseconds.
    pub by_ns: i64,
}

impl Kind for ClockBack {
    const WORD: &'static str = "clock-back";
    const CODE: &'static str = "C4";
    const UNIT: &'static str = "readings of a wrong clock";
    const CLOCKS: bool = true;
    type Open = OnClocks;

    fn open(&self, cx: &mut Cx<'_>) -> OnClocks {
        OnClocks::new(cx, &self.target, || Back {
            by_ns: self.by_ns,
            restarted: false,
        })
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

#[derive(Debug)]
struct Back {
    by_ns: i64,
    restarted: bool,
}

impl Fault for Back {
    fn shift_ns(&self, _: Time) -> i64 {
        if self.restarted { -self.by_ns } else { 0 }
    }
    fn restarted(&mut self) {
        self.restarted = true;
    }
}
