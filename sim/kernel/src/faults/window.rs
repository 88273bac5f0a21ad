//! What a kind of fault has to say: how it opens, what it does meanwhile, how it closes.

use super::crash::{Lose, Point};
use super::effect::FaultEffect;
use super::flood::Flooded;
use super::target::{Lines, Sides, Target, World};
use crate::clock;
use crate::config::Hardware;
use crate::network::{Extra, Place};
use crate::storage;
use consim_core::rng::below;
use consim_core::{NodeId, Span, Time, mix};

/// A kind of fault, as a plan states it.
pub(crate) trait Kind {
    /// Its word in scenarios.
    const WORD: &'static str;
    /// Its catalogue code.
    const CODE: &'static str;
    /// What `took_effect` counts.
    const UNIT: &'static str;
    /// [`Self::WORD`], where it hangs on the options.
    fn word(&self) -> &'static str {
        Self::WORD
    }
    /// [`Self::CODE`].
    fn code(&self) -> &'static str {
        Self::CODE
    }
    /// [`Self::UNIT`].
    fn unit(&self) -> &'static str {
        Self::UNIT
    }
    /// Do nodes go down and come up again?
    const RESTARTS: bool = false;
    /// Does it take writes, or what is written?
    const DISKS: bool = false;
    /// [`Self::DISKS`], where it hangs on the options.
    fn disks(&self) -> bool {
        Self::DISKS
    }
    /// Does it damage records?
    const DAMAGES: bool = false;
    /// Does it set wall clocks wrong?
    const CLOCKS: bool = false;
    /// Can it let go of some nodes and take others while its window is open ([`Target::LeadersOf`])?
    const FOLLOWS: bool = false;
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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Asks(u8);

impl Asks {
    /// Nothing.
    pub(crate) const NOTHING: Self = Self(0);
    /// Every message, when it leaves and when it arrives.
    pub(crate) const MESSAGES: Self = Self(1);
    /// What is done to a message that arrives: also a kind of [`Self::MESSAGES`].
    pub(crate) const TAMPER: Self = Self(1 | 2);
    /// What handlers cost, and what they ask for.
    pub(crate) const SERVICE: Self = Self(4);
    /// What waits for a server.
    pub(crate) const INBOX: Self = Self(8);

    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// Is everything in it that is in `other`?
    #[inline]
    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A message on its way over a line between two sites.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hop {
    /// The present instant.
    pub(crate) now: Time,
    pub(crate) from: Place,
    pub(crate) to: Place,
    /// The word of its kind.
    pub(crate) kind: &'static str,
}

/// A message that has come to the end of its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Copy {
    /// The send record, of which it has one hold.
    pub(crate) send: u32,
    pub(crate) from: u32,
    /// The sender's own counter, for ties.
    pub(crate) counter: u64,
    pub(crate) to: u32,
}

/// What is done to a message beyond what its line does.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Tamper {
    /// It comes so much later; those behind it do not wait.
    pub(crate) late: Span,
    /// It comes once more, so much after the first time.
    pub(crate) again: Option<Span>,
    /// Its bytes are not what they were.
    pub(crate) garble: Option<Garble>,
}

/// How the bytes of a message change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Garble {
    /// Draws for where.
    pub(crate) bits: u64,
    /// The end is missing, instead of a bit that is another.
    pub(crate) truncate: bool,
    /// The window that did it, which is told if the receiver refuses it.
    pub(crate) by: Option<u32>,
}

/// What becomes of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// It goes on.
    Pass,
    /// It is gone.
    Drop,
    /// The fault keeps it. Only when it arrives.
    Hold,
}

/// A fault while its window is open. A kind implements what it needs.
pub(crate) trait Window {
    /// What it wants to be asked about.
    const ASKS: Asks = Asks::NOTHING;
    /// [`Self::ASKS`], where it hangs on the options.
    fn asks(&self) -> Asks {
        Self::ASKS
    }
    /// A message leaves.
    fn leaving(&mut self, _hop: &Hop, _effect: &mut FaultEffect) -> Verdict {
        Verdict::Pass
    }
    /// A message that leaves goes onto its line: what is added to that.
    fn line(&mut self, _hop: &Hop, _extra: &mut Extra, _effect: &mut FaultEffect) {}
    /// A message arrives. One that is [held](Verdict::Hold) comes back with [`Act::Arrive`].
    fn arriving(&mut self, _hop: &Hop, _copy: Copy, _effect: &mut FaultEffect) -> Verdict {
        Verdict::Pass
    }
    /// A message will arrive at `at`, unless something is done to it.
    fn tamper(&mut self, _hop: &Hop, _at: Time, _tamper: &mut Tamper, _effect: &mut FaultEffect) {}
    /// A handler of a node is done: how much longer it took than on the node's own machine.
    fn slowed(&mut self, _node: NodeId, _by: Span, _effect: &mut FaultEffect) {}
    /// A node is at a named point; `true` if it goes down there.
    fn at_point(&mut self, _node: NodeId, _point: Point) -> bool {
        false
    }
    /// So many bytes wait for the server of a node, and more come: `false` if there is no room.
    fn room(&mut self, _node: NodeId, _bytes: u64, _effect: &mut FaultEffect) -> bool {
        true
    }
    /// Bytes of memory that it leaves a node for what waits.
    fn cap(&self, _node: NodeId) -> Option<u64> {
        None
    }
    /// What is different about a machine of its nodes.
    fn machine(&self, _node: NodeId, _hardware: &mut Hardware) {}
    /// It asked for [`Cx::wake`].
    fn woken(&mut self, _what: u32, _cx: &mut Cx<'_>) {}
    /// The window closes and heals. If that takes until another instant, it is asked again then.
    fn close(&mut self, _cx: &mut Cx<'_>) -> Option<Time> {
        None
    }
}

/// What a fault asks the kernel to do.
#[derive(Debug)]
pub(crate) enum Act {
    /// A node goes down, if nothing else holds it down already; counted as an effect.
    Down(NodeId, Lose),
    /// The same, without being counted.
    Stop(NodeId, Lose),
    /// A node that is up is stopped and started again at once.
    Bounce(NodeId),
    /// One window less holds a node down.
    Up(NodeId),
    /// The disk of a node that is down becomes that of [`Kind::backup`]; what that lacks may count.
    Restore { node: NodeId, counts: bool },
    /// The disk of a node that is down becomes an empty one; what it held may count.
    Wipe { node: NodeId, counts: bool },
    /// The disk of a node that is down becomes a copy of that of another.
    CopyDisk { to: NodeId, from: NodeId },
    /// No server of a node takes anything before an instant.
    Pause { node: NodeId, until: Time },
    /// What waits for the server of a node counts as an effect.
    CountWaiting(NodeId),
    /// What waits on a node has another cap than before.
    Measure(NodeId),
    /// The wall clock of a node is moved.
    Clock { node: NodeId, by_ns: i64 },
    /// The next process of a node is made with the operator's mistake, or without it again.
    Configure { node: NodeId, wrong: bool },
    /// A message that was held arrives at an instant.
    Arrive { at: Time, copy: Copy },
    /// A node sends what nobody asked for.
    Flood {
        from: NodeId,
        to: NodeId,
        what: Flooded,
        number: u64,
    },
    /// The volume of a node that is down becomes that of [`Kind::backup`], if the budget allows it;
    /// what is lost counts as an effect.
    RollBack { node: NodeId, keep_one: bool },
    /// The disk of a node ails.
    Ail {
        node: NodeId,
        fault: Box<dyn storage::Fault>,
        /// The key of its draws.
        key: u64,
        /// Is at least one good copy of each committed batch kept?
        keep_one: bool,
    },
    /// The window's fault of the disk of a node is over.
    Heal(NodeId),
    /// The clock of a node goes wrong.
    Mislead {
        node: NodeId,
        fault: Box<dyn clock::Fault>,
    },
    /// The window's fault of the clock of a node is over.
    SetClock(NodeId),
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
        below(self.bits(), 1_000_000_000) < u64::from(ppb)
    }
    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        below(self.bits(), end)
    }
    /// A span between two, both included.
    pub(crate) fn between(&mut self, (low, high): (Span, Span)) -> Span {
        let more = high.nanos().saturating_sub(low.nanos()).saturating_add(1);
        low + Span::from_nanos(self.below(more))
    }
    /// Puts a list into another order (Fisher and Yates).
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            list.swap(last, other);
        }
    }
}
