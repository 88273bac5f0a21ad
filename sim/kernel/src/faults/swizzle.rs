//! `swizzle` (N6): sites are clogged one by one and opened again in another order (FoundationDB's
//! swizzle-clogging, which finds mistakes that neither a cut nor a clog does).

use super::effect::FaultEffect;
use super::held::Held;
use super::target::Target;
use super::window::{Asks, Copy, Cx, Draws, Hop, Kind, Verdict, Window};
use crate::network::Place;
use consim_core::{Span, Time};

/// Sites are clogged one by one and opened in another order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Swizzle {
    /// Who.
    pub target: Target,
    /// From one to the next, between these two.
    pub stagger: (Span, Span),
}

impl Kind for Swizzle {
    const WORD: &'static str = "swizzle";
    const CODE: &'static str = "N6";
    const UNIT: &'static str = "messages held";
    type Open = Swizzled;

    fn open(&self, cx: &mut Cx<'_>) -> Swizzled {
        let nodes = cx.hit(&self.target);
        let mut order: Vec<u32> = nodes.iter().map(|&n| cx.world.site(n)).collect();
        order.sort_unstable();
        order.dedup();
        let mut draws = Draws::new(cx.key);
        let mut clogged = vec![None; cx.world.sites()];
        draws.shuffle(&mut order);
        let mut at = cx.now;
        for &site in &order {
            if let Some(span) = clogged.get_mut(site as usize) {
                *span = Some((at, cx.to));
            }
            at += draws.between(self.stagger);
        }
        // Another order, counted back from the end; all are open by then.
        draws.shuffle(&mut order);
        let mut back = Span::ZERO;
        for (&site, number) in order.iter().zip(0u32..) {
            let end = Time::from_nanos(cx.to.nanos().saturating_sub(back.nanos()));
            if let Some(Some((from, to))) = clogged.get_mut(site as usize) {
                *to = end.later(*from);
                cx.wake(*to, number);
            }
            back += draws.between(self.stagger);
        }
        Swizzled {
            clogged,
            held: Held::default(),
        }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// Clogged sites.
pub(crate) struct Swizzled {
    /// From when to when, by site.
    clogged: Vec<Option<(Time, Time)>>,
    held: Held,
}

impl Swizzled {
    fn holds(&self, site: u32, now: Time) -> bool {
        let span = self.clogged.get(site as usize).copied().flatten();
        span.is_some_and(|(from, to)| from <= now && now < to)
    }
    fn release(&mut self, cx: &mut Cx<'_>) {
        let mut held = std::mem::take(&mut self.held);
        let (now, places) = (cx.now, cx.world.places);
        let site = |node: u32| {
            places
                .get(node as usize)
                .map_or(0, |place: &Place| place.site)
        };
        held.release(cx, None, |copy| {
            !self.holds(site(copy.from), now) && !self.holds(site(copy.to), now)
        });
        self.held = held;
    }
}

impl Window for Swizzled {
    const ASKS: Asks = Asks::MESSAGES;

    fn arriving(&mut self, hop: &Hop, copy: Copy, effect: &mut FaultEffect) -> Verdict {
        let clogged = self.holds(hop.from.site, hop.now) || self.holds(hop.to.site, hop.now);
        if !clogged || self.held.lets_go(copy) {
            return Verdict::Pass;
        }
        self.held.keep(hop.now, copy);
        effect.took_effect += 1;
        Verdict::Hold
    }
    fn woken(&mut self, _: u32, cx: &mut Cx<'_>) {
        self.release(cx);
    }
    fn close(&mut self, cx: &mut Cx<'_>) -> Option<Time> {
        self.release(cx);
        None
    }
}
