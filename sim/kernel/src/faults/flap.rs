//! `flap` (N9): the lines of sites go down and up again and again; what comes while they are down is
//! dropped.

use super::effect::FaultEffect;
use super::target::Target;
use super::window::{Asks, Copy, Cx, Draws, Hop, Kind, Verdict, Window};
use consim_core::{Span, Time, mix};

/// Lines of sites go down and up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flap {
    /// Who.
    pub target: Target,
    /// They are up for so long, between these two,
    pub up: (Span, Span),
    /// and down for so long.
    pub down: (Span, Span),
}

impl Kind for Flap {
    const WORD: &'static str = "flap";
    const CODE: &'static str = "N9";
    const UNIT: &'static str = "messages dropped";
    type Open = Flapping;

    fn open(&self, cx: &mut Cx<'_>) -> Flapping {
        let nodes = cx.hit(&self.target);
        let site = |(site, marked): (u32, bool)| {
            let mut draws = Draws::new(mix(cx.key, u64::from(site)));
            // Not all begin at the beginning of a spell.
            let first = draws.between((Span::ZERO, self.up.1));
            marked.then(|| Site {
                change: cx.now + first,
                down: false,
                draws,
            })
        };
        Flapping {
            sites: (0..).zip(cx.world.marked(&nodes)).map(site).collect(),
            up: self.up,
            down: self.down,
        }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// The uplink of a site.
#[derive(Debug)]
struct Site {
    /// When it changes next.
    change: Time,
    down: bool,
    draws: Draws,
}

/// Flapping lines.
pub(crate) struct Flapping {
    sites: Vec<Option<Site>>,
    up: (Span, Span),
    down: (Span, Span),
}

impl Flapping {
    /// Is the uplink of a site down?
    fn is_down(&mut self, site: u32, now: Time) -> bool {
        let (up, down) = (self.up, self.down);
        let Some(Some(site)) = self.sites.get_mut(site as usize) else {
            return false;
        };
        while site.change <= now {
            site.down = !site.down;
            let spell = site.draws.between(if site.down { down } else { up });
            // Something passes, whatever was asked for.
            site.change += spell.max(Span::from_nanos(1));
        }
        site.down
    }
    fn judge(&mut self, hop: &Hop, effect: &mut FaultEffect) -> Verdict {
        let down = self.is_down(hop.from.site, hop.now) | self.is_down(hop.to.site, hop.now);
        if !down {
            return Verdict::Pass;
        }
        effect.took_effect += 1;
        Verdict::Drop
    }
}

impl Window for Flapping {
    const ASKS: Asks = Asks::MESSAGES;

    fn leaving(&mut self, hop: &Hop, effect: &mut FaultEffect) -> Verdict {
        self.judge(hop, effect)
    }
    fn arriving(&mut self, hop: &Hop, _: Copy, effect: &mut FaultEffect) -> Verdict {
        self.judge(hop, effect)
    }
}
