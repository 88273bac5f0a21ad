//! `delay` (N1): messages take longer. Delays of several faults add.

use super::effect::FaultEffect;
use super::target::{Lines, Sides, Target};
use super::window::{Asks, Cx, Draws, Hop, Kind, Window};
use crate::network::Extra;
use consim_core::{Distribution, Sampler, Span};

/// Messages of these lines take longer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delay {
    /// The lines.
    pub lines: Lines,
    /// How much, one way.
    pub add: Distribution,
}

impl Kind for Delay {
    const WORD: &'static str = "delay";
    const CODE: &'static str = "N1";
    const UNIT: &'static str = "messages delayed";
    const FOLLOWS: bool = true;
    type Open = Delaying;

    fn open(&self, cx: &mut Cx<'_>) -> Delaying {
        Delaying {
            sides: cx.lines(&self.lines),
            add: self.add.sampler(),
            draws: Draws::new(cx.key),
        }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        self.lines.targets()
    }
}

/// Lines that are slower.
pub(crate) struct Delaying {
    sides: Sides,
    add: Sampler,
    draws: Draws,
}

impl Window for Delaying {
    const ASKS: Asks = Asks::MESSAGES;

    fn line(&mut self, hop: &Hop, extra: &mut Extra, effect: &mut FaultEffect) {
        if self.sides.joins(hop.from, hop.to) {
            let more = self.add.sample(self.draws.bits());
            extra.delay += more;
            effect.took_effect += u64::from(more > Span::ZERO);
        }
    }
}
