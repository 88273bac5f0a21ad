//! `filter` (N10): messages of some kinds only are dropped, or held until the end.

use super::effect::FaultEffect;
use super::held::Held;
use super::target::{Lines, Sides, Target};
use super::window::{Asks, Copy, Cx, Draws, Hop, Kind, Verdict, Window};
use consim_core::Time;

/// Messages of some kinds are dropped or held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filter {
    /// The lines.
    pub lines: Lines,
    /// The words of the kinds; empty is all.
    pub kinds: Vec<String>,
    /// They come at the end, instead of never.
    pub hold: bool,
    /// Which of them.
    pub which: Which,
}

/// Which of the messages that a filter is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Which {
    /// This share, parts per billion.
    Share(u32),
    /// Those with these numbers, in the order in which they come to the filter, from 1.
    Numbers(Vec<u64>),
}

impl Kind for Filter {
    const WORD: &'static str = "filter";
    const CODE: &'static str = "N10";
    const UNIT: &'static str = "messages dropped or held";
    const FOLLOWS: bool = true;
    type Open = Filtering;

    fn open(&self, cx: &mut Cx<'_>) -> Filtering {
        Filtering {
            sides: cx.lines(&self.lines),
            kinds: self.kinds.clone(),
            hold: self.hold,
            which: self.which.clone(),
            seen: 0,
            draws: Draws::new(cx.key),
            held: Held::default(),
        }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        self.lines.targets()
    }
}

/// A filter at work.
pub(crate) struct Filtering {
    sides: Sides,
    kinds: Vec<String>,
    hold: bool,
    which: Which,
    seen: u64,
    draws: Draws,
    held: Held,
}

impl Filtering {
    fn takes(&mut self, hop: &Hop) -> bool {
        let meant = self.sides.joins(hop.from, hop.to)
            && (self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == hop.kind));
        if !meant {
            return false;
        }
        self.seen += 1;
        match &self.which {
            Which::Share(share) => self.draws.chance(*share),
            Which::Numbers(list) => list.contains(&self.seen),
        }
    }
}

impl Window for Filtering {
    const ASKS: Asks = Asks::MESSAGES;

    fn leaving(&mut self, hop: &Hop, effect: &mut FaultEffect) -> Verdict {
        if self.hold || !self.takes(hop) {
            return Verdict::Pass;
        }
        effect.took_effect += 1;
        Verdict::Drop
    }
    fn arriving(&mut self, hop: &Hop, copy: Copy, effect: &mut FaultEffect) -> Verdict {
        if !self.hold || !self.takes(hop) {
            return Verdict::Pass;
        }
        self.held.keep(hop.now, copy);
        effect.took_effect += 1;
        Verdict::Hold
    }
    fn close(&mut self, cx: &mut Cx<'_>) -> Option<Time> {
        self.held.release(cx, None, |_| true);
        None
    }
}
