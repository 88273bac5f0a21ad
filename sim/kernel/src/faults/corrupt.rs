//! `corrupt` (N12): a bit of a message is flipped, or its end is missing. The receiver reads it,
//! pays for that, and must refuse it.

use super::effect::FaultEffect;
use super::target::{Lines, Sides, Target};
use super::window::{Asks, Cx, Draws, Garble, Hop, Kind, Tamper, Window};
use consim_core::Time;

/// The bytes of messages of these lines change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Corrupt {
    /// The lines.
    pub lines: Lines,
    /// The chance of each message, parts per billion.
    pub rate_ppb: u32,
    /// The end is missing, instead of a bit that is another.
    pub truncate: bool,
}

impl Kind for Corrupt {
    const WORD: &'static str = "corrupt";
    const CODE: &'static str = "N12";
    const UNIT: &'static str = "messages refused by their receivers";
    const FOLLOWS: bool = true;
    type Open = Corrupting;

    fn open(&self, cx: &mut Cx<'_>) -> Corrupting {
        Corrupting {
            sides: cx.lines(&self.lines),
            rate_ppb: self.rate_ppb,
            truncate: self.truncate,
            draws: Draws::new(cx.key),
            window: cx.window as u32,
        }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        self.lines.targets()
    }
}

/// Lines that corrupt.
pub(crate) struct Corrupting {
    sides: Sides,
    rate_ppb: u32,
    truncate: bool,
    draws: Draws,
    window: u32,
}

impl Window for Corrupting {
    const ASKS: Asks = Asks::TAMPER;

    fn tamper(&mut self, hop: &Hop, _: Time, tamper: &mut Tamper, _: &mut FaultEffect) {
        if self.sides.joins(hop.from, hop.to) && self.draws.chance(self.rate_ppb) {
            let garble = Garble {
                bits: self.draws.bits(),
                truncate: self.truncate,
                by: Some(self.window),
            };
            tamper.garble.get_or_insert(garble);
        }
    }
}
