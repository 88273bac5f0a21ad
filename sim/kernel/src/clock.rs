//! What is wrong with a node's clock. A node whose clock has no fault has none of it; the faults
//! themselves stand with the others, one file each.
//!
//! Two clocks are kept apart. The *wall clock* says what the calendar is; blocks and certificates are
//! judged by it, and every fault of clocks moves it. *Timers* run by the oscillator: no jump of the
//! wall clock moves them. Only a drift is a fault of the oscillator itself, and moves both.

use consim_core::{Span, Time};

/// A fault of a clock. The defaults are those of a clock that is right.
pub(crate) trait Fault: Send + std::fmt::Debug {
    /// By how many nanoseconds the wall clock is off.
    fn shift_ns(&self, _now: Time) -> i64 {
        0
    }
    /// What it shows in place of `wall_ns`.
    fn shows(&self, wall_ns: i64) -> i64 {
        wall_ns
    }
    /// By how many parts per billion the oscillator is too fast.
    fn drift_ppb(&self) -> i64 {
        0
    }
    /// The node starts again.
    fn restarted(&mut self) {}
}

/// All that is wrong with one node's clock.
#[derive(Debug, Default)]
pub(crate) struct Wrong {
    open: Vec<(usize, Box<dyn Fault>)>,
}

/// A billion: drifts are parts of it.
const BILLION: i128 = 1_000_000_000;

impl Wrong {
    pub(crate) fn open(&mut self, window: usize, fault: Box<dyn Fault>) {
        self.open.push((window, fault));
    }
    /// The window closes: the clock is set right.
    pub(crate) fn close(&mut self, window: usize) {
        self.open.retain(|(w, _)| *w != window);
    }
    pub(crate) fn is_right(&self) -> bool {
        self.open.is_empty()
    }
    pub(crate) fn restarted(&mut self) {
        for (_, fault) in &mut self.open {
            fault.restarted();
        }
    }
    /// What the wall clock shows where it should show `wall_ns`: shifts add.
    pub(crate) fn wall_ns(&self, now: Time, wall_ns: i64) -> i64 {
        let shifts = self.open.iter().map(|(_, fault)| fault.shift_ns(now));
        let wall = shifts.fold(wall_ns, i64::saturating_add);
        let faults = self.open.iter();
        faults.fold(wall, |wall, (_, fault)| fault.shows(wall))
    }
    /// The windows that make a reading differ from `wall_ns`.
    pub(crate) fn guilty(&self, now: Time, wall_ns: i64) -> impl Iterator<Item = usize> {
        let differs =
            move |fault: &dyn Fault| fault.shift_ns(now) != 0 || fault.shows(wall_ns) != wall_ns;
        let open = self.open.iter();
        open.filter(move |(_, fault)| differs(&**fault))
            .map(|&(window, _)| window)
    }
    /// How long a timer of `after` takes by this oscillator: one that is too fast counts it down
    /// sooner. Rounded up, so that whoever waits for the rest of a deadline comes to its end.
    pub(crate) fn timer(&self, after: Span) -> Span {
        let ppb: i64 = self.open.iter().map(|(_, fault)| fault.drift_ppb()).sum();
        if ppb == 0 {
            return after;
        }
        let speed = (BILLION + i128::from(ppb)).max(1);
        let nanos = (i128::from(after.nanos()) * BILLION + speed - 1) / speed;
        Span::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}
