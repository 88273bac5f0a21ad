//! `crash` (P1, P2, P5, P6): nodes go down, at an instant or at a named point of what they do, lose
//! what was not synced, and start again with some disk at the end.

use super::target::Target;
use super::window::{Act, Asks, Cx, Kind, Window};
use consim_core::{NodeId, Span, Time};

/// Nodes go down, and start again at the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crash {
    /// Who.
    pub target: Target,
    /// With which disk they start again.
    pub restart: Restart,
    /// What of their writes is lost.
    pub lose: Lose,
    /// Where they go down; without, when the window opens.
    pub point: Option<At>,
}

/// With which disk a node starts again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Restart {
    /// Its own.
    Keep,
    /// An empty one.
    Empty,
    /// What its own held so long before the window opened.
    Snapshot(Span),
    /// A copy of what another node's holds when it starts again.
    DiskOf(Target),
}

/// What of its writes a node loses that goes down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lose {
    /// Those that were not synced.
    Unsynced,
    /// None: what it had asked to be written is there.
    Nothing,
    /// All that it ever wrote.
    All,
}

/// A named point, and at which pass of it something happens, from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct At {
    /// Where.
    pub point: Point,
    /// At which pass.
    pub hit: u64,
}

macro_rules! points {
    ($( $(#[doc = $help:literal])+ $name:ident = $word:literal, )*) => {
        /// A named point of what a node does.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Point {
            $( $(#[doc = $help])+ $name, )*
        }

        impl Point {
            /// Every point, its word and what it says.
            pub const ALL: &'static [(Self, &'static str, &'static str)] =
                &[$( (Self::$name, $word, concat!($($help),+)), )*];
            /// The words of all.
            pub const WORDS: &'static [&'static str] = &[$( $word, )*];
        }
    };
}

points! {
    /// A write is asked for, and nothing of it reaches the disk.
    BeforePersist = "before-persist",
    /// A write is durable, and the process does not learn of it.
    AfterPersist = "after-persist",
    /// A message is ready, and does not leave.
    BeforeSend = "before-send",
    /// A message has left, and nothing that was to come after it happens.
    AfterSend = "after-send",
    /// A message with a vote has left, and nothing that was to come after it happens.
    VoteSent = "vote-sent",
    /// A block was executed in memory, and nothing that follows from it happens.
    BeforeApply = "before-apply",
    /// A block was executed, and all that follows from it at once has happened.
    AfterApply = "after-apply",
}

impl Crash {
    /// These nodes, which keep their disks and lose what was not synced.
    pub fn new(target: Target) -> Self {
        Self {
            target,
            restart: Restart::Keep,
            lose: Lose::Unsynced,
            point: None,
        }
    }
}

impl Kind for Crash {
    const WORD: &'static str = "crash";
    const CODE: &'static str = "P1";
    const UNIT: &'static str = "nodes taken down";
    const RESTARTS: bool = true;
    const FOLLOWS: bool = true;
    type Open = Crashed;

    fn disks(&self) -> bool {
        self.restart != Restart::Keep || self.lose == Lose::All
    }
    fn open(&self, cx: &mut Cx<'_>) -> Crashed {
        let nodes = cx.hit(&self.target);
        if self.point.is_none() {
            for &node in &nodes {
                cx.act(Act::Down(node, self.lose));
            }
        }
        let down = if self.point.is_some() {
            Vec::new()
        } else {
            nodes.clone()
        };
        Crashed {
            passed: nodes.into_iter().map(|node| (node, 0)).collect(),
            down,
            crash: self.clone(),
        }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        let mut targets = vec![&mut self.target];
        if let Restart::DiskOf(other) = &mut self.restart {
            targets.push(other);
        }
        targets
    }
    fn backup(&self) -> Option<(&Target, Span)> {
        match self.restart {
            Restart::Snapshot(age) => Some((&self.target, age)),
            _ => None,
        }
    }
}

/// Nodes that are down, or go down at their point.
pub(crate) struct Crashed {
    /// How often each has passed the point.
    passed: Vec<(NodeId, u64)>,
    down: Vec<NodeId>,
    crash: Crash,
}

impl Window for Crashed {
    fn asks(&self) -> Asks {
        match self.crash.point {
            Some(_) => Asks::SERVICE,
            None => Asks::NOTHING,
        }
    }
    fn at_point(&mut self, node: NodeId, point: Point) -> bool {
        let Some(at) = self.crash.point.filter(|at| at.point == point) else {
            return false;
        };
        let Some((_, passed)) = self.passed.iter_mut().find(|(n, _)| *n == node) else {
            return false;
        };
        *passed += 1;
        *passed == at.hit
    }
    fn woken(&mut self, node: u32, cx: &mut Cx<'_>) {
        // At its point.
        self.down.push(NodeId(node));
        cx.act(Act::Down(NodeId(node), self.crash.lose));
    }
    fn close(&mut self, cx: &mut Cx<'_>) -> Option<Time> {
        for &node in &self.down {
            match &self.crash.restart {
                Restart::Keep => {}
                Restart::Empty => cx.act(Act::Wipe {
                    node,
                    counts: false,
                }),
                Restart::Snapshot(_) => cx.act(Act::Restore {
                    node,
                    counts: false,
                }),
                Restart::DiskOf(other) => {
                    if let Some(&from) = cx.world.resolve(other).first() {
                        cx.act(Act::CopyDisk { to: node, from });
                    }
                }
            }
            cx.act(Act::Up(node));
        }
        None
    }
}
