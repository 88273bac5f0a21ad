//! `hijack` (N14): somebody else announces the addresses of some sites, and what is sent to them goes
//! there: into a black hole, or on to them by a longer way (Apostolaki, Zohar, Vanbever, "Hijacking
//! Bitcoin: Routing Attacks on Cryptocurrencies", 2017). It ends when it is noticed.

use super::effect::FaultEffect;
use super::target::Target;
use super::window::{Asks, Copy, Cx, Hop, Kind, Verdict, Window};
use crate::network::Extra;
use consim_core::{Span, Time};

/// What is sent to sites goes elsewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hijack {
    /// To whom; what they send each other stays among them.
    pub target: Target,
    /// It is passed on after so long; without, it is lost.
    pub intercept: Option<Span>,
    /// Routes are right again after so long, if that is before the end.
    pub noticed_after: Span,
}

impl Kind for Hijack {
    const WORD: &'static str = "hijack";
    const CODE: &'static str = "N14";
    const UNIT: &'static str = "messages that went astray";
    type Open = Hijacked;

    fn open(&self, cx: &mut Cx<'_>) -> Hijacked {
        let nodes = cx.hit(&self.target);
        Hijacked {
            inside: cx.world.marked(&nodes),
            intercept: self.intercept,
            until: cx.now + self.noticed_after,
        }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// Hijacked addresses, by site.
pub(crate) struct Hijacked {
    inside: Vec<bool>,
    intercept: Option<Span>,
    until: Time,
}

impl Hijacked {
    fn takes(&self, hop: &Hop) -> bool {
        let inside = |site: u32| self.inside.get(site as usize).copied().unwrap_or(false);
        hop.now < self.until && inside(hop.to.site) && !inside(hop.from.site)
    }
}

impl Window for Hijacked {
    const ASKS: Asks = Asks::MESSAGES;

    fn leaving(&mut self, hop: &Hop, effect: &mut FaultEffect) -> Verdict {
        if self.intercept.is_some() || !self.takes(hop) {
            return Verdict::Pass;
        }
        effect.took_effect += 1;
        Verdict::Drop
    }
    fn line(&mut self, hop: &Hop, extra: &mut Extra, effect: &mut FaultEffect) {
        if let Some(more) = self.intercept
            && self.takes(hop)
        {
            extra.delay += more;
            effect.took_effect += 1;
        }
    }
    fn arriving(&mut self, hop: &Hop, _: Copy, effect: &mut FaultEffect) -> Verdict {
        if self.intercept.is_some() || !self.takes(hop) {
            return Verdict::Pass;
        }
        effect.took_effect += 1;
        Verdict::Drop
    }
}
