//! What a kind of fault has to say: how it opens, what it does meanwhile, how it closes.

use super::effect::FaultEffect;
use super::target::{Lines, Sides, Target, World};
use crate::config::Hardware;
use crate::network::{Extra, Place};
use consim_core::{NodeId, Span, Time, mix};

/// A kind of fault, as a plan states it.
pub(crate) trait Kind {
    /// Its word in scenarios.
    const WORD: &'static str;
    /// Its catalogue code.
    const CODE: &'static str;
    /// What `took_effect` counts.
    const UNIT: &'static str;
    /// Do nodes go down and come up again?
    const RESTARTS: bool = false;
    /// The fault while its window is open.
    type Open: Window;
    /// The window opens: run-time targets are resolved, and what happens at once is asked for.
    fn open(&self, cx: &mut Cx<'_>) -> Self::Open;
    /// The sets of nodes that it names.
    fn targets(&mut self) -> Vec<&mut Target>;
    /// Whose disks are copied so long before the window opens, to be put back by
    /// [`Act::Restore`].
    fn backup(&self) -> Option<(&Target, Span)> {
        None
    }
}

/// What an open window wants to be asked about; a run without such windows asks nobody.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Asks {
    /// Every message, when it leaves and when it arrives.
    pub(crate) messages: bool,
}

impl Asks {
    /// About messages.
    pub(crate) const MESSAGES: Self = Self { messages: true };
    /// Nothing.
    pub(crate) const NOTHING: Self = Self { messages: false };

    pub(super) fn or(self, other: Self) -> Self {
        Self {
            messages: self.messages | other.messages,
        }
    }
}

/// A message on its way over a line between two sites.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hop {
    pub(crate) from: Place,
    pub(crate) to: Place,
}

/// What becomes of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// It goes on.
    Pass,
    /// It is gone.
    Drop,
}

/// A fault while its window is open. A kind implements what it needs.
pub(crate) trait Window {
    /// What it wants to be asked about.
    const ASKS: Asks = Asks::NOTHING;
    /// A message leaves.
    fn leaving(&mut self, _hop: &Hop, _effect: &mut FaultEffect) -> Verdict {
        Verdict::Pass
    }
    /// A message that leaves goes onto its line: what is added to that.
    fn line(&mut self, _hop: &Hop, _extra: &mut Extra, _effect: &mut FaultEffect) {}
    /// A message arrives.
    fn arriving(&mut self, _hop: &Hop, _effect: &mut FaultEffect) -> Verdict {
        Verdict::Pass
    }
    /// What is different about a machine of its nodes.
    fn machine(&self, _node: NodeId, _hardware: &mut Hardware) {}
    /// It asked for [`Cx::wake`].
    fn woken(&mut self, _what: u32, _cx: &mut Cx<'_>) {}
    /// The window closes and heals.
    fn close(&mut self, _cx: &mut Cx<'_>) {}
}

/// What a fault asks the kernel to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Act {
    /// A node goes down, if nothing else holds it down already; counted as an effect.
    Down(NodeId),
    /// One window less holds a node down.
    Up(NodeId),
    /// The disk of a node that is down becomes that of [`Kind::backup`].
    Restore(NodeId),
    /// The machine of a node is another one: [`Window::machine`] is asked anew.
    Machine(NodeId),
    /// The fault is woken.
    Wake { at: Time, what: u32 },
}

/// What a fault sees and asks for when its window opens, closes or has a wake.
pub(crate) struct Cx<'a> {
    /// The present instant.
    pub(crate) now: Time,
    /// When the window closes.
    pub(crate) to: Time,
    /// The number of the window.
    pub(crate) window: usize,
    /// The key of its draws.
    pub(crate) key: u64,
    pub(crate) world: World<'a>,
    pub(crate) effect: &'a mut FaultEffect,
    pub(super) acts: &'a mut Vec<Act>,
}

impl Cx<'_> {
    /// The nodes of a target, now; they are hit.
    pub(crate) fn hit(&mut self, target: &Target) -> Vec<NodeId> {
        let mut nodes = self.world.resolve(target);
        nodes.sort_unstable();
        nodes.dedup();
        self.effect.hit(&nodes);
        nodes
    }
    /// The lines that are meant; the nodes named with them are hit.
    pub(crate) fn lines(&mut self, lines: &Lines) -> Sides {
        let (sides, hit) = self.world.sides(lines);
        self.effect.hit(&hit);
        sides
    }
    /// Something is done as soon as the fault has said all.
    pub(crate) fn act(&mut self, act: Act) {
        self.acts.push(act);
    }
    /// The fault is woken at an instant; `what` comes back.
    pub(crate) fn wake(&mut self, at: Time, what: u32) {
        self.acts.push(Act::Wake { at, what });
    }
}

/// Draws of a window, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draws {
    key: u64,
    drawn: u64,
}

impl Draws {
    pub(crate) fn new(key: u64) -> Self {
        Self { key, drawn: 0 }
    }
    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        let bits = mix(self.key, self.drawn);
        self.drawn += 1;
        bits
    }
    /// Does something of this chance, in parts per billion, happen?
    pub(crate) fn chance(&mut self, ppb: u32) -> bool {
        consim_core::rng::below(self.bits(), 1_000_000_000) < u64::from(ppb)
    }
}
