//! `faults`: what all have in common, and the registry of kinds. The options of the kinds stand in the
//! files beside this one, by family.

mod lines;
mod network;
mod process;

pub(crate) use lines::{Lines, Pair};
pub(crate) use network::{Lossy, Partition, Slow};
pub(crate) use process::{Crash, Restart};

use super::decode::At;
use super::macros::{choice, entry, record};
use consim_core::Span;
use consim_core::values::{Count, Instant, Range, Share, Switch, Value, ValueError};

entry! {
    /// A fault.
    pub struct Fault { common: FaultCommon, kind: FaultKind }
}

record! {
    /// What all faults have.
    pub struct FaultCommon {
        /// Start.
        at: At<Range<Instant>>,
        /// Length of the window, or `rest`.
        r#for: Option<At<For>>,
        /// End, in place of the length.
        until: Option<At<Instant>>,
        /// From start to start.
        every: Option<At<Span>>,
        /// How often; as often as fits if left out.
        times: Option<At<Count>>,
        /// Each occurrence happens with this chance.
        chance: At<Share> = "100%",
        /// With or without it.
        enabled: At<Switch> = "true",
    }
}

choice! {
    /// The kind of a fault.
    pub enum FaultKind: "fault" {
        /// Nodes go down, lose what was not synced, and start again from their own disks.
        Crash(Crash) = "crash" "P1",
        /// Nodes are cut off from all others.
        Partition(Partition) = "partition" "N7",
        /// Segments are lost.
        Loss(Lossy) = "loss" "N2",
        /// Messages take longer.
        Delay(Slow) = "delay" "N1",
    }
    later "duplicate" "reorder" "corrupt" "clog" "swizzle" "flap" "filter" "throttle" "eclipse"
        "hijack" "flood" "poison-discovery" "unstable-network" "pause" "slow-cpu" "exhaust-memory"
        "rolling-restart" "mixed-versions" "lost-writes" "torn-write" "bit-rot" "misdirect"
        "lying-fsync" "disk-full" "slow-disk" "rollback" "clock-drift" "clock-step" "clock-strobe"
        "clock-back" "leap" "move-time-server" "expiry-edge" "wrong-quorum" "duplicate-key"
        "wrong-genesis" "wrong-zone" "short-timeouts" "cut-change" "double-change"
        "expired-certificate" "old-backup" "early-prune" "wipe" "force-recovery"
        "weak-endorsement" "even-signers" "sensor" "random";
}

/// The length of a window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum For {
    /// To the end of the run.
    Rest,
    /// So long.
    Span(Range<Span>),
}

impl Value for For {
    const FORM: &'static str = "a duration or `rest`";
    const EXAMPLES: &'static str = "30s, 10s..60s or rest";
    fn pattern() -> String {
        format!("rest|{}", Range::<Span>::pattern())
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        if text == "rest" {
            return Ok(Self::Rest);
        }
        Range::parse(text).map(Self::Span)
    }
    fn text(&self) -> String {
        match self {
            Self::Rest => "rest".into(),
            Self::Span(range) => range.text(),
        }
    }
}
