//! `throttle` (N11): lines carry less, and drop what finds their queue full. Of several throttles on
//! a line the smallest holds.

use super::effect::FaultEffect;
use super::target::{Lines, Sides, Target};
use super::window::{Asks, Cx, Hop, Kind, Window};
use crate::network::Extra;
use consim_core::Time;

/// Lines carry less.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Throttle {
    /// The lines.
    pub lines: Lines,
    /// Bits per second of each.
    pub rate: u64,
    /// Bytes that may wait for it; 0 is the line's own bound.
    pub queue: u64,
}

impl Kind for Throttle {
    const WORD: &'static str = "throttle";
    const CODE: &'static str = "N11";
    const UNIT: &'static str = "messages that had to wait";
    const FOLLOWS: bool = true;
    type Open = Throttled;

    fn open(&self, cx: &mut Cx<'_>) -> Throttled {
        Throttled {
            sides: cx.lines(&self.lines),
            rate: self.rate,
            queue: self.queue,
            to: cx.to,
            window: cx.window as u32,
        }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        self.lines.targets()
    }
}

/// Lines that carry less.
pub(crate) struct Throttled {
    sides: Sides,
    rate: u64,
    queue: u64,
    to: Time,
    window: u32,
}

impl Window for Throttled {
    const ASKS: Asks = Asks::MESSAGES;

    fn line(&mut self, hop: &Hop, extra: &mut Extra, _: &mut FaultEffect) {
        if !self.sides.joins(hop.from, hop.to) {
            return;
        }
        extra.throttled_until = extra.throttled_until.later(self.to);
        if extra.rate == 0 || self.rate < extra.rate {
            extra.rate = self.rate;
            extra.throttled_by = Some(self.window);
        }
        if self.queue > 0 && (extra.queue == 0 || self.queue < extra.queue) {
            extra.queue = self.queue;
        }
    }
}
