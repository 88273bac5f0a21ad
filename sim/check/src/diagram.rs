//! A space-time diagram as data: what was sent, received, committed and broken in the last moments
//! before a violation. Reports draw it.

use consim_core::Time;

/// The messages of a diagram, at most.
pub const MAX_ARROWS: usize = 250;
/// Its nodes, at most.
pub const MAX_LANES: usize = 12;

/// What happened between some nodes for a short time.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Diagram {
    /// What it shows.
    pub title: String,
    /// Where it begins.
    pub from: Time,
    /// Where it ends.
    pub until: Time,
    /// The nodes, by name, in their order; at most [`MAX_LANES`].
    pub lanes: Vec<String>,
    /// Messages in the order of their end; at most [`MAX_ARROWS`].
    pub arrows: Vec<Arrow>,
    /// Spans of time in which something was wrong.
    pub bands: Vec<Band>,
    /// Instants at nodes.
    pub marks: Vec<Mark>,
    /// What was violated at the end, if something was.
    pub violation: Option<Broken>,
    /// Messages in the same time between nodes that have no lane.
    pub left_out: u64,
}

/// A message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrow {
    /// The lane of its sender.
    pub from: usize,
    /// The lane of its receiver.
    pub to: usize,
    /// Its kind's word.
    pub kind: String,
    /// When it left.
    pub left: Time,
    /// When it arrived; for one that was lost, when it was given up.
    pub ended: Time,
    /// Did it arrive?
    pub arrived: bool,
}

/// A span of time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Band {
    /// The lane that it is about: a node that is down. `None` for the window of a fault or an attack.
    pub lane: Option<usize>,
    /// From when.
    pub from: Time,
    /// Until when.
    pub until: Time,
    /// What it is.
    pub label: String,
}

/// Something that a node did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Its lane.
    pub lane: usize,
    /// When.
    pub at: Time,
    /// What.
    pub kind: MarkKind,
    /// In a few letters (`14` for batch 14).
    pub label: String,
}

/// What a node did.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum MarkKind {
    /// It proposed a batch.
    Proposed,
    /// It learned that a batch is committed.
    Committed,
    /// It executed a block.
    Applied,
    /// It entered a view.
    View,
    /// It gave up on a view.
    GaveUp,
}

/// What was violated, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The check's word.
    pub check: String,
    /// When it was seen.
    pub at: Time,
    /// At which node, if what showed it happened at one with a lane.
    pub lane: Option<usize>,
}
