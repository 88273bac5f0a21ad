//! `faults`.

use super::decode::At;
use super::delay::Delay;
use super::lists::Targets;
use super::macros::{choice, entry, record};
use super::organisations::Plain;
use super::shape::{Form, Lists};
use consim_core::Span;
use consim_core::values::{Count, Instant, Range, Selector, Share, Switch, Value, ValueError};

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

record! {
    /// Options of `crash`.
    pub struct Crash {
        /// Who.
        target: Targets,
        /// With which disk.
        restart: Restart = "keep",
    }
    main "target";
    later "lose" "point" "hit";
}

choice! {
    /// With which disk a node starts again.
    pub enum Restart: "restart" {
        /// Its own.
        Keep(Plain) = "keep",
    }
    later "empty" "snapshot" "disk-of";
}

record! {
    /// Options of `partition`.
    pub struct Partition {
        /// Who is cut off from the rest.
        target: Targets,
    }
    main "target";
    later "direction" "shape";
}

record! {
    /// Options of `loss`.
    pub struct Lossy {
        /// Whose lines.
        target: Option<Targets>,
        /// Between two sets, both ways.
        between: Option<Pair>,
        /// From these...
        from: Option<Targets>,
        /// ...to these, one way.
        to: Option<Targets>,
        /// Share of segments.
        rate: At<Share> = "5%",
    }
    main "target";
    later "burst";
}

record! {
    /// Options of `delay`.
    pub struct Slow {
        /// Whose lines.
        target: Option<Targets>,
        /// Between two sets, both ways.
        between: Option<Pair>,
        /// From these...
        from: Option<Targets>,
        /// ...to these, one way.
        to: Option<Targets>,
        /// How much, one way.
        add: Delay = "100ms",
    }
    main "target";
}

/// Two sets of nodes.
#[derive(Clone, Debug)]
pub(crate) struct Pair(pub(crate) Targets, pub(crate) Targets);

impl super::decode::Decode for Pair {
    fn shape() -> super::shape::Shape {
        let form = Form::of::<Selector>().several("two selectors", Lists::Pair);
        super::shape::Shape::Scalar(form)
    }
    fn decode(cx: &mut super::decode::Cx, node: &crate::tree::Node) -> Option<Self> {
        let crate::tree::Value::List(items) = &node.value else {
            let place = cx.place_of(node);
            cx.error(
                "E211",
                &place,
                "two selectors are expected here",
                "[tertiary, community]",
            );
            return None;
        };
        let [a, b] = items.as_slice() else {
            let place = cx.place_of(node);
            cx.error(
                "E211",
                &place,
                format!("two selectors are expected here, not {}", items.len()),
                "[tertiary, community]",
            );
            return None;
        };
        let (a, b) = (Targets::decode(cx, a), Targets::decode(cx, b));
        // One line for the pair.
        if let (Some(a), Some(b)) = (&a, &b) {
            let second = cx
                .leaves
                .get(b.leaf)
                .map(|l| l.text.clone())
                .unwrap_or_default();
            if let Some(first) = cx.leaves.get_mut(a.leaf) {
                first.text = format!("[{}, {second}]", first.text);
            }
            cx.leaves.truncate(b.leaf);
        }
        Some(Self(a?, b?))
    }
}

/// Which lines a link fault hits, as written.
pub(crate) enum Lines<'a> {
    /// All lines of these.
    Of(&'a Targets),
    /// One way.
    FromTo(&'a Targets, &'a Targets),
    /// Both ways.
    Between(&'a Pair),
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
