//! `clock-strobe` (C3): the wall clock of a node jumps to and fro.

use super::on_clocks::OnClocks;
use super::target::Target;
use super::window::{Cx, Kind};
use crate::clock::Fault;
use consim_core::{Span, Time};

/// Wall clocks jump to and fro.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClockStrobe {
    /// Whose clocks.
    pub target: Target,
    /// How far, nanoseconds.
    pub by_ns: i64,
    /// From jump to jump.
    pub period: Span,
}

impl Kind for ClockStrobe {
    const WORD: &'static str = "clock-strobe";
    const CODE: &'static str = "C3";
    const UNIT: &'static str = "readings of a wrong clock";
    const CLOCKS: bool = true;
    type Open = OnClocks;

    fn open(&self, cx: &mut Cx<'_>) -> OnClocks {
        let (by_ns, from) = (self.by_ns, cx.now);
        let period = self.period.nanos().max(1);
        OnClocks::new(cx, &self.target, || Strobe {
            by_ns,
            period,
            from,
        })
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

#[derive(Debug)]
struct Strobe {
    by_ns: i64,
    period: u64,
    from: Time,
}

impl Fault for Strobe {
    fn shift_ns(&self, now: Time) -> i64 {
        let jumps = (now - self.from).nanos() / self.period;
        if jumps.is_multiple_of(2) {
            self.by_ns
        } else {
            0
        }
    }
}
