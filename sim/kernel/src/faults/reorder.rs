//! `reorder` (N4): a message is held back so that later ones overtake it, also on a stream: what
//! happens where messages of one sender come over several connections.

use super::effect::FaultEffect;
use super::target::{Lines, Sides, Target};
use super::window::{Asks, Cx, Draws, Hop, Kind, Tamper, Window};
use consim_core::{Span, Time};

/// A message is held back by at most so many times what it took to arrive (the link's own
/// reordering does the same, `config::Link::reorder_ppb`).
const TIMES: u64 = 2;
/// But by no less than this at most, on lines that take no time (assumed).
const LEAST: Span = Span::from_millis(10);

/// Messages of these lines are overtaken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reorder {
    /// The lines.
    pub lines: Lines,
    /// The chance of each message, parts per billion.
    pub rate_ppb: u32,
}

impl Kind for Reorder {
    const WORD: &'static str = "reorder";
    const CODE: &'static str = "N4";
    const UNIT: &'static str = "messages held back";
    const FOLLOWS: bool = true;
    type Open = Reordering;

    fn open(&self, cx: &mut Cx<'_>) -> Reordering {
        Reordering {
            sides: cx.lines(&self.lines),
            rate_ppb: self.rate_ppb,
            draws: Draws::new(cx.key),
        }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        self.lines.targets()
    }
}

/// Lines on which messages are overtaken.
pub(crate) struct Reordering {
    sides: Sides,
    rate_ppb: u32,
    draws: Draws,
}

impl Window for Reordering {
    const ASKS: Asks = Asks::TAMPER;

    fn tamper(&mut self, hop: &Hop, at: Time, tamper: &mut Tamper, effect: &mut FaultEffect) {
        if self.sides.joins(hop.from, hop.to) && self.draws.chance(self.rate_ppb) {
            let most = at.since(hop.now).times(TIMES).max(LEAST);
            tamper.late += self.draws.between((Span::from_nanos(1), most));
            effect.took_effect += 1;
        }
    }
}
