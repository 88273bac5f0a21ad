//! `clog` (N5): lines hold what comes through them, and let it go at the end.

use super::effect::FaultEffect;
use super::held::Held;
use super::target::{Lines, Sides, Target};
use super::window::{Asks, Copy, Cx, Hop, Kind, Verdict, Window};
use consim_core::Time;

/// Messages of these lines are held until the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clog {
    /// The lines.
    pub lines: Lines,
    /// They are let go at a multiple of the pace at which they came, not all at once. What comes
    /// while that lasts waits behind them.
    pub paced: bool,
}

impl Kind for Clog {
    const WORD: &'static str = "clog";
    const CODE: &'static str = "N5";
    const UNIT: &'static str = "messages held";
    type Open = Clogged;

    fn open(&self, cx: &mut Cx<'_>) -> Clogged {
        Clogged {
            sides: cx.lines(&self.lines),
            held: Held::default(),
            paced: self.paced.then_some(cx.now),
        }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        self.lines.targets()
    }
}

/// Clogged lines.
pub(crate) struct Clogged {
    sides: Sides,
    held: Held,
    /// Since when, if the release is paced.
    paced: Option<Time>,
}

impl Window for Clogged {
    const ASKS: Asks = Asks::MESSAGES;

    fn arriving(&mut self, hop: &Hop, copy: Copy, effect: &mut FaultEffect) -> Verdict {
        if !self.sides.joins(hop.from, hop.to) || self.held.lets_go(copy) {
            return Verdict::Pass;
        }
        self.held.keep(hop.now, copy);
        effect.took_effect += 1;
        Verdict::Hold
    }
    fn close(&mut self, cx: &mut Cx<'_>) -> Option<Time> {
        let last = self.held.release(cx, self.paced, |_| true);
        // What comes while the backlog drains is a backlog of its own.
        if self.paced.is_some() {
            self.paced = Some(cx.now);
        }
        (last > cx.now).then_some(last)
    }
}
