//! `duplicate` (N3): a message comes twice, as when a sender whose connection broke sends again what
//! had arrived already. The transport does not see that, so the receiver has to.

use super::effect::FaultEffect;
use super::target::{Lines, Sides, Target};
use super::window::{Asks, Cx, Draws, Hop, Kind, Tamper, Window};
use consim_core::{Span, Time};

/// The second copy comes by at most so much later than the first (assumed: a reconnection).
const LATEST: Span = Span::from_secs(1);

/// Messages of these lines come twice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Duplicate {
    /// The lines.
    pub lines: Lines,
    /// The chance of each message, parts per billion.
    pub rate_ppb: u32,
}

impl Kind for Duplicate {
    const WORD: &'static str = "duplicate";
    const CODE: &'static str = "N3";
    const UNIT: &'static str = "messages that came twice";
    const FOLLOWS: bool = true;
    type Open = Duplicating;

    fn open(&self, cx: &mut Cx<'_>) -> Duplicating {
        Duplicating {
            sides: cx.lines(&self.lines),
            rate_ppb: self.rate_ppb,
            draws: Draws::new(cx.key),
        }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        self.lines.targets()
    }
}

/// Lines on which messages come twice.
pub(crate) struct Duplicating {
    sides: Sides,
    rate_ppb: u32,
    draws: Draws,
}

impl Window for Duplicating {
    const ASKS: Asks = Asks::TAMPER;

    fn tamper(&mut self, hop: &Hop, _: Time, tamper: &mut Tamper, effect: &mut FaultEffect) {
        if self.sides.joins(hop.from, hop.to) && self.draws.chance(self.rate_ppb) {
            let after = self.draws.between((Span::from_nanos(1), LATEST));
            tamper.again.get_or_insert(after);
            effect.took_effect += 1;
        }
    }
}
