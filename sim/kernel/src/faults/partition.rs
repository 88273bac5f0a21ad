//! `partition` (N7): some sites are cut off from others; what crosses the cut is dropped, when it
//! leaves and when it arrives.

use super::effect::FaultEffect;
use super::target::Target;
use super::window::{Asks, Cx, Hop, Kind, Verdict, Window};

/// The nodes are cut off from all others, both ways.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partition {
    /// Who.
    pub target: Target,
}

impl Partition {
    /// These nodes against all others, both ways.
    pub fn new(target: Target) -> Self {
        Self { target }
    }
}

impl Kind for Partition {
    const WORD: &'static str = "partition";
    const CODE: &'static str = "N7";
    const UNIT: &'static str = "messages dropped";
    type Open = Cut;

    fn open(&self, cx: &mut Cx<'_>) -> Cut {
        let nodes = cx.hit(&self.target);
        Cut {
            inside: cx.world.marked(&nodes),
        }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// A cut.
pub(crate) struct Cut {
    /// Per site.
    inside: Vec<bool>,
}

impl Cut {
    fn judge(&self, hop: &Hop, effect: &mut FaultEffect) -> Verdict {
        let inside = |site: u32| self.inside.get(site as usize).copied().unwrap_or(false);
        if inside(hop.from.site) == inside(hop.to.site) {
            return Verdict::Pass;
        }
        effect.took_effect += 1;
        Verdict::Drop
    }
}

impl Window for Cut {
    const ASKS: Asks = Asks::MESSAGES;

    fn leaving(&mut self, hop: &Hop, effect: &mut FaultEffect) -> Verdict {
        self.judge(hop, effect)
    }
    fn arriving(&mut self, hop: &Hop, effect: &mut FaultEffect) -> Verdict {
        self.judge(hop, effect)
    }
}
