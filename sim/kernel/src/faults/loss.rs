//! `loss` (N2): segments of messages are lost, on top of the line's own loss. On a stream they come
//! again later.

use super::effect::FaultEffect;
use super::target::{Lines, Sides, Target};
use super::window::{Asks, Cx, Hop, Kind, Window};
use crate::config::Burst;
use crate::network::Extra;
use consim_core::Time;

/// Segments of these lines are lost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Loss {
    /// The lines.
    pub lines: Lines,
    /// The chance of each segment, parts per billion.
    pub rate_ppb: u32,
    /// It comes in bursts, on top of that; in place of what the line itself has of these.
    pub burst: Option<Burst>,
}

impl Kind for Loss {
    const WORD: &'static str = "loss";
    const CODE: &'static str = "N2";
    const UNIT: &'static str = "transmissions lost";
    const FOLLOWS: bool = true;
    type Open = Losing;

    fn open(&self, cx: &mut Cx<'_>) -> Losing {
        Losing {
            sides: cx.lines(&self.lines),
            rate_ppb: self.rate_ppb,
            burst: self.burst,
            to: cx.to,
            window: cx.window as u32,
        }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        self.lines.targets()
    }
}

/// Lines that lose.
pub(crate) struct Losing {
    sides: Sides,
    rate_ppb: u32,
    burst: Option<Burst>,
    to: Time,
    window: u32,
}

impl Window for Losing {
    const ASKS: Asks = Asks::MESSAGES;

    fn line(&mut self, hop: &Hop, extra: &mut Extra, _: &mut FaultEffect) {
        if self.sides.joins(hop.from, hop.to) {
            // Rates combine as independent chances.
            let rate = u64::from(self.rate_ppb);
            extra.loss_ppb = extra.loss_ppb + rate - extra.loss_ppb * rate / 1_000_000_000;
            extra.loss_until = extra.loss_until.later(self.to);
            extra.burst = extra.burst.or(self.burst);
            extra.lost_by.get_or_insert(self.window);
        }
    }
}
