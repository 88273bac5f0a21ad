//! `unstable-network` (N17): before the end of the window, which is the global stabilisation time,
//! delays are an adversary's, up to a bound; what was sent before it arrives no later than delta
//! after it (Dwork, Lynch, Stockmeyer, "Consensus in the Presence of Partial Synchrony", 1988).
//!
//! The adversary does what hurts most without knowing the protocol: it lets some through at once and
//! keeps others for as long as it may, a quarter each, with the rest in between (assumed), so that
//! every node hears another part of the group, and messages overtake each other.

use super::effect::FaultEffect;
use super::target::Target;
use super::window::{Asks, Cx, Draws, Hop, Kind, Tamper, Window};
use consim_core::{Span, Time};

/// Delays are an adversary's until the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnstableNetwork {
    /// Before the end, a message takes at most so much longer.
    pub max: Span,
    /// After the end, what was sent before takes no longer than this.
    pub delta: Span,
}

impl Kind for UnstableNetwork {
    const WORD: &'static str = "unstable-network";
    const CODE: &'static str = "N17";
    const UNIT: &'static str = "messages delayed";
    type Open = Unstable;

    fn open(&self, cx: &mut Cx<'_>) -> Unstable {
        Unstable {
            max: self.max,
            by: cx.to + self.delta,
            draws: Draws::new(cx.key),
        }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        Vec::new()
    }
}

/// A network before it is stable.
pub(crate) struct Unstable {
    max: Span,
    /// The instant by which everything that is sent meanwhile has arrived.
    by: Time,
    draws: Draws,
}

impl Window for Unstable {
    const ASKS: Asks = Asks::TAMPER;

    fn tamper(&mut self, _: &Hop, at: Time, tamper: &mut Tamper, effect: &mut FaultEffect) {
        let late = match self.draws.below(4) {
            0 => self.max,
            1 => Span::ZERO,
            _ => self.draws.between((Span::ZERO, self.max)),
        };
        let most = self.by.since(at + tamper.late);
        let late = late.min(most);
        tamper.late += late;
        effect.took_effect += u64::from(late > Span::ZERO);
    }
}
