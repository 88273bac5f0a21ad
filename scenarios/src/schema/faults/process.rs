//! Options of faults of processes.

use crate::schema::decode::At;
use crate::schema::lists::Targets;
use crate::schema::macros::{choice, record, words};
use crate::schema::organisations::{Plain, ReleaseName};
use consim_core::Span;
use consim_core::values::{Bytes, Count, Factor, Switch, Value, ValueError};
use consim_kernel::config::Point;

record! {
    /// Options of `crash`.
    pub struct Crash {
        /// Who.
        target: Targets,
        /// With which disk.
        restart: Restart = "keep",
        /// What of its writes is lost.
        lose: At<Lost> = "unsynced",
        /// Goes down at this point of what it does, in place of the start of the window.
        point: Option<At<PointName>>,
        /// At which pass of the point.
        hit: At<Count> = "1",
    }
    main "target";
}

choice! {
    /// With which disk a node starts again.
    pub enum Restart: "restart" {
        /// Its own.
        Keep(Plain) = "keep",
        /// An empty one.
        Empty(Plain) = "empty",
        /// What its own held a while before the window.
        Snapshot(Snapshot) = "snapshot",
        /// A copy of another node's.
        DiskOf(DiskOf) = "disk-of",
    }
}

record! {
    /// Options of `restart.snapshot`.
    pub struct Snapshot {
        /// How old it is when the window opens.
        age: At<Span> = "10m",
    }
    main "age";
}

record! {
    /// Options of `restart.disk-of`.
    pub struct DiskOf {
        /// Whose.
        node: Targets,
    }
    main "node";
}

words! {
    /// What a crash loses.
    pub enum Lost: "loss" {
        /// What was not synced.
        Unsynced = "unsynced",
        /// Nothing that it asked to be written.
        Nothing = "nothing",
        /// All that it ever wrote.
        All = "all",
    }
}

/// A named point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PointName(pub(crate) Point);

impl Value for PointName {
    const FORM: &'static str = "a point";
    const EXAMPLES: &'static str = "vote-sent; `consim list points` shows all";
    const WORDS: &'static [&'static str] = Point::WORDS;
    fn parse(text: &str) -> Result<Self, ValueError> {
        let named = Point::ALL.iter().find(|(_, word, _)| *word == text);
        named
            .map(|&(point, ..)| Self(point))
            .ok_or_else(|| ValueError {
                code: "E202",
                message: format!("no point is called `{text}`"),
                help: crate::schema::shape::suggestion(text, Self::WORDS),
                part: None,
            })
    }
    fn text(&self) -> String {
        let named = Point::ALL.iter().find(|(point, ..)| *point == self.0);
        named.map_or_else(String::new, |(_, word, _)| (*word).to_owned())
    }
}

record! {
    /// Options of `pause`.
    pub struct Pause {
        /// Who stands still; what comes waits, and timers that were due fire together at the end.
        target: Targets,
    }
    main "target";
}

record! {
    /// Options of `slow-cpu`.
    pub struct SlowCpu {
        /// Who.
        target: Targets,
        /// How much longer it takes.
        by: At<Factor> = "10x",
        /// What.
        only: At<SlowWork> = "all",
    }
    main "target";
}

words! {
    /// Which work is slow.
    pub enum SlowWork: "kind of work" {
        /// All.
        All = "all",
        /// Verification of signatures.
        Verify = "verify",
        /// Execution of transactions.
        Apply = "apply",
    }
}

record! {
    /// Options of `exhaust-memory`.
    pub struct ExhaustMemory {
        /// Who.
        target: Targets,
        /// What may wait for its server, and as much in its mempool; messages that find no room are
        /// dropped, transactions refused.
        cap: At<Bytes> = "64MB",
    }
    main "target";
}

record! {
    /// Options of `rolling-restart`.
    pub struct RollingRestart {
        /// Who, one after the other.
        target: Targets,
        /// From one to the next.
        gap: At<Span> = "20s",
        /// How long each is down.
        down: At<Span> = "5s",
        /// All at once, with each gap, until the end.
        storm: At<Switch> = "false",
    }
    main "target";
}

record! {
    /// Options of `mixed-versions`.
    pub struct MixedVersions {
        /// Who, one after the other.
        target: Targets,
        /// The release that they run then; nodes understand their own and those one step away.
        to: At<ReleaseName> = "current+1",
        /// From one node to the next.
        gap: At<Span> = "20s",
    }
    main "target";
}
