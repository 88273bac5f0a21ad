//! `eclipse` (N13): nodes can talk to a few others only, or have lost a share of their connections to
//! the rest (Heilman et al., "Eclipse Attacks on Bitcoin's Peer-to-Peer Network", 2015: a node all of
//! whose peers are an attacker's).

use super::effect::FaultEffect;
use super::target::Target;
use super::window::{Asks, Copy, Cx, Draws, Hop, Kind, Verdict, Window};
use crate::network::Place;
use consim_core::mix;

/// Nodes see only some others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Eclipse {
    /// Who.
    pub target: Target,
    /// Whom they can still talk to.
    pub peers: Target,
    /// The share of the connections to all others that is gone, parts per billion.
    pub slots_ppb: u32,
}

impl Kind for Eclipse {
    const WORD: &'static str = "eclipse";
    const CODE: &'static str = "N13";
    const UNIT: &'static str = "messages dropped";
    const FOLLOWS: bool = true;
    type Open = Eclipsed;

    fn open(&self, cx: &mut Cx<'_>) -> Eclipsed {
        let victims = cx.hit(&self.target);
        let peers = cx.world.resolve(&self.peers);
        Eclipsed {
            victims: cx.world.marked(&victims),
            peers: cx.world.marked(&peers),
            slots_ppb: self.slots_ppb,
            key: cx.key,
        }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target, &mut self.peers]
    }
}

/// Victims and their peers, by site.
pub(crate) struct Eclipsed {
    victims: Vec<bool>,
    peers: Vec<bool>,
    slots_ppb: u32,
    key: u64,
}

impl Eclipsed {
    fn takes(&self, victim: Place, other: Place) -> bool {
        let marked = |marks: &[bool], place: Place| {
            let mark = marks.get(place.site as usize);
            mark.copied().unwrap_or(false)
        };
        // A connection is taken or not for the whole window.
        let slot = u64::from(victim.site) << 32 | u64::from(other.site);
        marked(&self.victims, victim)
            && !marked(&self.peers, other)
            && Draws::new(mix(self.key, slot)).chance(self.slots_ppb)
    }
    fn judge(&self, hop: &Hop, effect: &mut FaultEffect) -> Verdict {
        if !self.takes(hop.from, hop.to) && !self.takes(hop.to, hop.from) {
            return Verdict::Pass;
        }
        effect.took_effect += 1;
        Verdict::Drop
    }
}

impl Window for Eclipsed {
    const ASKS: Asks = Asks::MESSAGES;

    fn leaving(&mut self, hop: &Hop, effect: &mut FaultEffect) -> Verdict {
        self.judge(hop, effect)
    }
    fn arriving(&mut self, hop: &Hop, _: Copy, effect: &mut FaultEffect) -> Verdict {
        self.judge(hop, effect)
    }
}
