//! The timeline of faults: which windows are open, and what they do to messages, nodes and
//! machines.
//!
//! One file for each kind, and one line of the registry below. A kind is asked only about what it
//! says it wants to be asked about, by static dispatch; a run in which no open window asks about
//! messages pays one branch for each.

mod crash;
mod delay;
mod effect;
mod loss;
mod partition;
mod target;
mod window;

pub use crash::Crash;
pub use delay::Delay;
pub use effect::FaultEffect;
pub use loss::Loss;
pub use partition::Partition;
pub use target::{Lines, Target};
pub(crate) use target::{Views, World};
pub(crate) use window::{Act, Hop, Verdict};

use crate::config::Hardware;
use crate::network::{Extra, Place};
use consim_core::{NodeId, Span, Streams, Time};
use window::{Asks, Cx, Kind, Window};

/// The registry: what stands in it can be in a plan.
macro_rules! kinds {
    ($( $(#[doc = $help:literal])+ $name:ident, )*) => {
        /// What a fault does.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub enum FaultKind {
            $( $(#[doc = $help])+ $name($name), )*
        }

        impl FaultKind {
            /// Its word in scenarios.
            pub fn word(&self) -> &'static str {
                match self { $( Self::$name(_) => <$name as Kind>::WORD, )* }
            }
            /// Its catalogue code.
            pub fn code(&self) -> &'static str {
                match self { $( Self::$name(_) => <$name as Kind>::CODE, )* }
            }
            /// What its `took_effect` counts.
            pub fn unit(&self) -> &'static str {
                match self { $( Self::$name(_) => <$name as Kind>::UNIT, )* }
            }
            /// The sets of nodes that it names.
            pub fn targets(&mut self) -> Vec<&mut Target> {
                match self { $( Self::$name(kind) => kind.targets(), )* }
            }
            /// Do nodes go down and come up again?
            pub fn restarts(&self) -> bool {
                match self { $( Self::$name(_) => <$name as Kind>::RESTARTS, )* }
            }
            /// Whose disks are copied so long before the window opens.
            fn backup(&self) -> Option<(&Target, Span)> {
                match self { $( Self::$name(kind) => kind.backup(), )* }
            }
            fn open(&self, cx: &mut Cx<'_>) -> Open {
                match self { $( Self::$name(kind) => Open::$name(kind.open(cx)), )* }
            }
        }

        /// A fault whose window is open.
        #[allow(clippy::large_enum_variant, reason = "a run has few open at a time")]
        enum Open {
            $( $name(<$name as Kind>::Open), )*
        }

        impl Open {
            fn asks(&self) -> Asks {
                match self { $( Self::$name(_) => <<$name as Kind>::Open as Window>::ASKS, )* }
            }
            fn leaving(&mut self, hop: &Hop, effect: &mut FaultEffect) -> Verdict {
                match self { $( Self::$name(open) => open.leaving(hop, effect), )* }
            }
            fn line(&mut self, hop: &Hop, extra: &mut Extra, effect: &mut FaultEffect) {
                match self { $( Self::$name(open) => open.line(hop, extra, effect), )* }
            }
            fn arriving(&mut self, hop: &Hop, effect: &mut FaultEffect) -> Verdict {
                match self { $( Self::$name(open) => open.arriving(hop, effect), )* }
            }
            fn machine(&self, node: NodeId, hardware: &mut Hardware) {
                match self { $( Self::$name(open) => open.machine(node, hardware), )* }
            }
            fn woken(&mut self, what: u32, cx: &mut Cx<'_>) {
                match self { $( Self::$name(open) => open.woken(what, cx), )* }
            }
            fn close(&mut self, cx: &mut Cx<'_>) {
                match self { $( Self::$name(open) => open.close(cx), )* }
            }
        }
    };
}

kinds! {
    /// Nodes go down, and start again at the end.
    Crash,
    /// Nodes are cut off from others.
    Partition,
    /// Segments of messages are lost.
    Loss,
    /// Messages take longer.
    Delay,
}

/// A fault with its window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FaultWindow {
    /// Its name in the scenario (with `#2` and so on for repeats).
    pub id: String,
    /// When it opens.
    pub from: Time,
    /// When it closes and heals.
    pub to: Time,
    /// What it does.
    pub kind: FaultKind,
}

/// What happens to a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Open,
    Close,
    Woken(u32),
}

/// The timeline and its open windows.
pub(crate) struct Faults {
    pub(crate) windows: Vec<FaultWindow>,
    effects: Vec<FaultEffect>,
    open: Vec<(usize, Open)>,
    /// What any of them asks about.
    asks: Asks,
    acts: Vec<Act>,
    streams: Streams,
}

impl Faults {
    pub(crate) fn new(windows: Vec<FaultWindow>, streams: Streams) -> Self {
        Self {
            effects: windows.iter().map(FaultEffect::new).collect(),
            windows,
            open: Vec::new(),
            asks: Asks::NOTHING,
            acts: Vec::new(),
            streams,
        }
    }

    pub(crate) fn effects(&self) -> &[FaultEffect] {
        &self.effects
    }

    /// When window `index` wants disks to be copied, and whose.
    pub(crate) fn backup(&self, index: usize) -> Option<(Time, &Target)> {
        let window = self.windows.get(index)?;
        let (target, age) = window.kind.backup()?;
        let at = window.from.nanos().saturating_sub(age.nanos());
        Some((Time::from_nanos(at), target))
    }

    /// Window `index` opens; what it asks for is taken by [`Faults::acts`].
    pub(crate) fn open(&mut self, index: usize, now: Time, world: World<'_>) {
        self.step(index, now, world, Step::Open);
    }
    /// It closes.
    pub(crate) fn close(&mut self, index: usize, now: Time, world: World<'_>) {
        self.step(index, now, world, Step::Close);
    }
    /// It asked to be woken now.
    pub(crate) fn woken(&mut self, index: usize, what: u32, now: Time, world: World<'_>) {
        self.step(index, now, world, Step::Woken(what));
    }

    fn step(&mut self, index: usize, now: Time, world: World<'_>, step: Step) {
        let (Some(window), Some(effect)) = (self.windows.get(index), self.effects.get_mut(index))
        else {
            return;
        };
        let mut cx = Cx {
            now,
            to: window.to,
            window: index,
            // A fault's draws are keyed by its name: another fault that goes away shifts nothing.
            key: self.streams.key(&format!("faults/{}", window.id)),
            world,
            effect,
            acts: &mut self.acts,
        };
        let place = self.open.iter().position(|(i, _)| *i == index);
        match step {
            Step::Open => self.open.push((index, window.kind.open(&mut cx))),
            Step::Close => {
                if let Some(place) = place {
                    let (_, mut open) = self.open.remove(place);
                    open.close(&mut cx);
                }
            }
            Step::Woken(what) => {
                if let Some((_, open)) = place.and_then(|place| self.open.get_mut(place)) {
                    open.woken(what, &mut cx);
                }
            }
        }
        let asks = self.open.iter().map(|(_, open)| open.asks());
        self.asks = asks.fold(Asks::NOTHING, Asks::or);
    }

    /// What faults asked for since the last call.
    pub(crate) fn acts(&mut self) -> Vec<Act> {
        std::mem::take(&mut self.acts)
    }

    pub(crate) fn count(&mut self, index: usize, by: u64) {
        if let Some(effect) = self.effects.get_mut(index) {
            effect.took_effect += by;
        }
    }

    /// Does no open window ask about messages?
    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        !self.asks.messages
    }

    /// A message leaves one place for another.
    pub(crate) fn leaving(&mut self, from: Place, to: Place) -> Verdict {
        let hop = Hop { from, to };
        self.ask(&hop, |open, effect| open.leaving(&hop, effect))
    }

    /// What is added to the line between two places for the message that leaves.
    pub(crate) fn line(&mut self, from: Place, to: Place) -> Extra {
        let hop = Hop { from, to };
        let mut extra = Extra::default();
        self.ask(&hop, |open, effect| {
            open.line(&hop, &mut extra, effect);
            Verdict::Pass
        });
        extra
    }

    /// A message arrives.
    pub(crate) fn arriving(&mut self, from: Place, to: Place) -> Verdict {
        let hop = Hop { from, to };
        self.ask(&hop, |open, effect| open.arriving(&hop, effect))
    }

    /// The first open window that does not let a message pass decides. A site's own network has no
    /// faults.
    fn ask(
        &mut self,
        hop: &Hop,
        mut judge: impl FnMut(&mut Open, &mut FaultEffect) -> Verdict,
    ) -> Verdict {
        if hop.from.site == hop.to.site {
            return Verdict::Pass;
        }
        for (index, open) in &mut self.open {
            if let Some(effect) = self.effects.get_mut(*index) {
                let verdict = judge(open, effect);
                if verdict != Verdict::Pass {
                    return verdict;
                }
            }
        }
        Verdict::Pass
    }

    /// The machine of a node as open windows make it.
    pub(crate) fn machine(&self, node: NodeId, hardware: &mut Hardware) {
        for (_, open) in &self.open {
            open.machine(node, hardware);
        }
    }

    /// Retransmissions or losses of a message go to the first open loss on its line.
    pub(crate) fn credit_loss(&mut self, extra: &Extra, by: u64) {
        if let Some(window) = extra.lost_by {
            self.count(window as usize, by);
        }
    }
}
