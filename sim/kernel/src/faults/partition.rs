//! `partition` (N7, N8), and `cut-change` (O3), which is one around a change of the members: sites are cut off from others; what crosses the cut is dropped, when it
//! leaves and when it arrives.
//!
//! Shapes: TigerBeetle's (uniform size, single node isolated, random sides) and Jepsen's (halves,
//! bridge, ring of overlapping majorities), over sites, which are never cut in themselves.

use super::effect::FaultEffect;
use super::target::{Target, World};
use super::window::{Asks, Copy, Cx, Draws, Hop, Kind, Verdict, Window};
use crate::network::Place;
use consim_core::NodeId;

/// Nodes are cut off from others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partition {
    /// Who.
    pub target: Target,
    /// What is dropped.
    pub direction: Direction,
    /// From whom.
    pub shape: Shape,
    /// The name of the change that is made meanwhile, if it is there for that.
    pub change: Option<String>,
}

/// Which messages a cut drops, as seen from those who are cut off (or from the first side).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// All that cross it.
    Both,
    /// Those to them.
    In,
    /// Those from them.
    Out,
}

/// How sites are cut from each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// The target against the rest.
    Cut,
    /// Each site of the target against everybody.
    IsolateEach,
    /// The first half of the target, in node order, against the second; the rest sees both.
    Halves,
    /// Each site of the target sees only its neighbours on a ring, a majority of the target, and no
    /// two sites the same majority.
    Ring,
    /// The target in halves, but for one site in the middle that sees both.
    Bridge,
    /// Each site of the target is on one of two sides, drawn.
    Random,
}

impl Shape {
    /// The least number of sites that it can tell apart.
    pub fn least(self) -> usize {
        match self {
            Self::Cut | Self::IsolateEach => 1,
            Self::Halves | Self::Random => 2,
            Self::Bridge => 3,
            Self::Ring => 4,
        }
    }
}

impl Partition {
    /// These nodes against all others, both ways.
    pub fn new(target: Target) -> Self {
        Self {
            target,
            direction: Direction::Both,
            shape: Shape::Cut,
            change: None,
        }
    }
}

impl Kind for Partition {
    const WORD: &'static str = "partition";
    const CODE: &'static str = "N7";
    const UNIT: &'static str = "messages dropped";
    const FOLLOWS: bool = true;
    type Open = Cut;

    fn word(&self) -> &'static str {
        match &self.change {
            None => Self::WORD,
            Some(_) => "cut-change",
        }
    }
    fn code(&self) -> &'static str {
        match &self.change {
            None => Self::CODE,
            Some(_) => "O3",
        }
    }
    fn unit(&self) -> &'static str {
        match &self.change {
            None => Self::UNIT,
            Some(_) => "messages dropped in a cut in which the change was under way",
        }
    }

    fn open(&self, cx: &mut Cx<'_>) -> Cut {
        let nodes = cx.hit(&self.target);
        let groups = groups(self.shape, &nodes, cx.world, &mut Draws::new(cx.key));
        Cut {
            groups,
            direction: self.direction,
        }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// Who is cut from whom, by site.
#[derive(Debug)]
enum Groups {
    /// Those with the mark against those without.
    Against(Vec<bool>),
    /// Those with the mark against everybody.
    Alone(Vec<bool>),
    /// Side 1 against side 2; side 0 sees everybody.
    Sides(Vec<u8>),
    /// By place on a ring, from 1; 0 sees everybody.
    Ring {
        place: Vec<u32>,
        around: u32,
        reach: u32,
    },
}

fn groups(shape: Shape, nodes: &[NodeId], world: World<'_>, draws: &mut Draws) -> Groups {
    let marks = world.marked(nodes);
    let mut sites: Vec<usize> = Vec::new();
    for &node in nodes {
        let site = world.site(node) as usize;
        if !sites.contains(&site) {
            sites.push(site);
        }
    }
    let sides = |first: &[usize], second: &[usize]| {
        let mut sides = vec![0u8; marks.len()];
        for (list, number) in [(first, 1), (second, 2)] {
            for &site in list {
                if let Some(side) = sides.get_mut(site) {
                    *side = number;
                }
            }
        }
        Groups::Sides(sides)
    };
    let half = sites.len().div_ceil(2);
    match shape {
        Shape::Cut => Groups::Against(marks),
        Shape::IsolateEach => Groups::Alone(marks),
        Shape::Halves => {
            let (first, second) = sites.split_at(half);
            sides(first, second)
        }
        Shape::Bridge => {
            let (first, second) = sites.split_at(sites.len() / 2);
            sides(first, second.get(1..).unwrap_or_default())
        }
        Shape::Random => {
            draws.shuffle(&mut sites);
            // Neither side is empty.
            let cut = 1 + draws.below(sites.len().saturating_sub(1) as u64) as usize;
            let (first, second) = sites.split_at(cut.min(sites.len()));
            sides(first, second)
        }
        Shape::Ring => {
            draws.shuffle(&mut sites);
            let mut place = vec![0; marks.len()];
            for (&site, number) in sites.iter().zip(1u32..) {
                if let Some(place) = place.get_mut(site) {
                    *place = number;
                }
            }
            // A site and its neighbours on both sides are a majority.
            let majority = sites.len() as u32 / 2 + 1;
            Groups::Ring {
                place,
                around: sites.len() as u32,
                reach: (majority - 1).div_ceil(2),
            }
        }
    }
}

/// A cut.
#[derive(Debug)]
pub(crate) struct Cut {
    groups: Groups,
    direction: Direction,
}

impl Cut {
    fn comes_between(&self, from: Place, to: Place) -> bool {
        let (from, to) = (from.site as usize, to.site as usize);
        // Is it about to go out of, or into, what is cut off?
        let (out, into) = match &self.groups {
            Groups::Against(marks) => {
                let marked = |site: usize| marks.get(site).copied().unwrap_or(false);
                (marked(from) && !marked(to), !marked(from) && marked(to))
            }
            Groups::Alone(marks) => {
                let marked = |site: usize| marks.get(site).copied().unwrap_or(false);
                (marked(from), marked(to))
            }
            Groups::Sides(sides) => {
                let side = |site: usize| sides.get(site).copied().unwrap_or(0);
                (
                    (side(from), side(to)) == (1, 2),
                    (side(from), side(to)) == (2, 1),
                )
            }
            Groups::Ring {
                place,
                around,
                reach,
            } => {
                let place = |site: usize| place.get(site).copied().unwrap_or(0);
                let (a, b) = (place(from), place(to));
                let apart = a.abs_diff(b);
                let far = a > 0 && b > 0 && apart.min(around - apart) > *reach;
                (far, far)
            }
        };
        match self.direction {
            Direction::Both => out || into,
            Direction::Out => out,
            Direction::In => into,
        }
    }
    fn judge(&self, hop: &Hop, effect: &mut FaultEffect) -> Verdict {
        if !self.comes_between(hop.from, hop.to) {
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
    fn arriving(&mut self, hop: &Hop, _: Copy, effect: &mut FaultEffect) -> Verdict {
        self.judge(hop, effect)
    }
}

#[cfg(test)]
mod tests;
