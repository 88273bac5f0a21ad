//! `faults`: what all have in common, and the registry of kinds. The options of the kinds stand in the
//! files beside this one, by family.

mod clock;
mod disk;
mod lines;
mod network;
mod operator;
mod process;
mod random;

pub(crate) use clock::*;
pub(crate) use disk::*;
pub(crate) use lines::{Lines, Pair, Written};
pub(crate) use network::*;
pub(crate) use operator::*;
pub(crate) use process::*;
pub(crate) use random::{Mix, Random};

use super::decode::At;
use super::macros::{choice, entry};
use consim_core::Span;
use consim_core::values::{Count, Instant, Range, Share, Value, ValueError};

entry! {
    /// A fault.
    pub struct Fault { common: FaultCommon, kind: FaultKind }
}

/// What all entries of a timeline have, and what some have beside it.
macro_rules! timeline {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident { $($fields:tt)* }
        $(later $($later:literal)+;)?
    ) => {
        $crate::schema::macros::record! {
            $(#[doc = $about])+
            pub struct $name {
                /// Start.
                at: $crate::schema::At<consim_core::values::Range<consim_core::values::Instant>>,
                /// Length of the window, or `rest`.
                r#for: Option<$crate::schema::At<$crate::schema::For>>,
                /// End, in place of the length.
                until: Option<$crate::schema::At<consim_core::values::Instant>>,
                /// From start to start.
                every: Option<$crate::schema::At<consim_core::Span>>,
                /// How often; as often as fits if left out.
                times: Option<$crate::schema::At<consim_core::values::Count>>,
                /// Each occurrence happens with this chance.
                chance: $crate::schema::At<consim_core::values::Share> = "100%",
                /// With or without it.
                enabled: $crate::schema::At<consim_core::values::Switch> = "true",
                $($fields)*
            }
            $(later $($later)+;)?
        }

        impl $name {
            /// When it happens.
            pub(crate) fn when(&self) -> $crate::schema::When<'_> {
                $crate::schema::When {
                    at: &self.at,
                    length: self.r#for.as_ref(),
                    until: self.until.as_ref(),
                    every: self.every.as_ref(),
                    times: self.times.as_ref(),
                    chance: Some(&self.chance),
                }
            }
        }
    };
}
pub(super) use timeline;

/// When an entry of a timeline happens, as written.
#[derive(Clone, Copy)]
pub(crate) struct When<'a> {
    pub(crate) at: &'a At<Range<Instant>>,
    pub(crate) length: Option<&'a At<For>>,
    pub(crate) until: Option<&'a At<Instant>>,
    pub(crate) every: Option<&'a At<Span>>,
    pub(crate) times: Option<&'a At<Count>>,
    pub(crate) chance: Option<&'a At<Share>>,
}

timeline! {
    /// What all faults have.
    pub struct FaultCommon {}
}

choice! {
    /// The kind of a fault.
    pub enum FaultKind: "fault" {
        /// Nodes go down, lose what was not synced, and start again from their own disks.
        Crash(Crash) = "crash" "P1",
        /// Nodes are cut off from others.
        Partition(Partition) = "partition" "N7",
        /// Segments are lost.
        Loss(Lossy) = "loss" "N2",
        /// Messages take longer.
        Delay(Slow) = "delay" "N1",
        /// Messages come twice.
        Duplicate(Duplicate) = "duplicate" "N3",
        /// Messages are overtaken by later ones.
        Reorder(Reorder) = "reorder" "N4",
        /// Lines hold what comes through them, and let it go at the end.
        Clog(Clog) = "clog" "N5",
        /// Institutions are clogged one by one, and opened in another order.
        Swizzle(Swizzle) = "swizzle" "N6",
        /// Lines go down and up again and again.
        Flap(Flap) = "flap" "N9",
        /// Messages of some kinds are dropped or held.
        Filter(Filter) = "filter" "N10",
        /// Lines carry less.
        Throttle(Throttle) = "throttle" "N11",
        /// The bytes of messages change; their receivers must refuse them.
        Corrupt(Corrupt) = "corrupt" "N12",
        /// Nodes can talk to a few others only.
        Eclipse(Eclipse) = "eclipse" "N13",
        /// What is sent to a region is lost, or goes a longer way, until it is noticed.
        Hijack(Hijack) = "hijack" "N14",
        /// Machines send what nobody asked for.
        Flood(Flood) = "flood" "N15",
        /// Delays are an adversary's until the end, and bounded after it.
        UnstableNetwork(UnstableNetwork) = "unstable-network" "N17",
        /// Nodes stand still; what comes waits for them.
        Pause(Pause) = "pause" "P3",
        /// Nodes are slow.
        SlowCpu(SlowCpu) = "slow-cpu" "P4",
        /// There is little memory for messages that wait.
        ExhaustMemory(ExhaustMemory) = "exhaust-memory" "P7",
        /// Nodes are restarted one after the other.
        RollingRestart(RollingRestart) = "rolling-restart" "P8",
        /// Nodes are restarted one after the other with another release of the program, and go back at the end.
        MixedVersions(MixedVersions) = "mixed-versions" "P9",
        /// Nodes take another number of votes for a quorum.
        WrongQuorum(WrongQuorum) = "wrong-quorum" "O1",
        /// A node runs with the identity of another.
        DuplicateKey(DuplicateKey) = "duplicate-key" "O2",
        /// Nodes are cut off from others while the members change.
        CutChange(CutChange) = "cut-change" "O3",
        /// A change is asked for while another one is under way.
        DoubleChange(DoubleChange) = "double-change" "O4",
        /// Nodes take themselves for nodes of another chain.
        WrongGenesis(WrongGenesis) = "wrong-genesis" "O5",
        /// Timers are too short.
        ShortTimeouts(ShortTimeouts) = "short-timeouts" "O6",
        /// Certificates are no good any more.
        ExpiredCertificate(ExpiredCertificate) = "expired-certificate" "O7",
        /// An old backup is put on disks.
        OldBackup(OldBackup) = "old-backup" "O8",
        /// Wall clocks are set to another zone.
        WrongZone(WrongZone) = "wrong-zone" "O9",
        /// Nodes throw blocks away before others have caught up.
        EarlyPrune(EarlyPrune) = "early-prune" "O11",
        /// The data of nodes is deleted.
        Wipe(Wipe) = "wipe" "O13",
        /// A crash keeps some of what was not synced, the first of it or any.
        LostWrites(LostWrites) = "lost-writes" "D1",
        /// A crash stops the drive in the middle of a write.
        TornWrite(TornWrite) = "torn-write" "D2",
        /// Records rot.
        BitRot(BitRot) = "bit-rot" "D3",
        /// Records go to, or come from, the place of another.
        Misdirect(Misdirect) = "misdirect" "D4",
        /// An fsync does not do what it says.
        LyingFsync(LyingFsync) = "lying-fsync" "D5",
        /// Disks are full.
        DiskFull(DiskFull) = "disk-full" "D6",
        /// Writes take longer.
        SlowDisk(SlowDisk) = "slow-disk" "D7",
        /// Nodes go down, and start again with an old snapshot of their volumes.
        Rollback(Rollback) = "rollback" "D8",
        /// Oscillators run at another speed: wall clocks and timers.
        ClockDrift(ClockDrift) = "clock-drift" "C1",
        /// Wall clocks are off.
        ClockStep(ClockStep) = "clock-step" "C2",
        /// Wall clocks jump to and fro.
        ClockStrobe(ClockStrobe) = "clock-strobe" "C3",
        /// Wall clocks go back when their nodes start again.
        ClockBack(ClockBack) = "clock-back" "C4",
        /// Wall clocks leap by a second or an hour.
        Leap(Leap) = "leap" "C5",
        /// An attacker moves the time that nodes follow.
        MoveTimeServer(MoveTimeServer) = "move-time-server" "C6",
        /// Consents end exactly at a block's time: clocks show whole seconds.
        ExpiryEdge(ExpiryEdge) = "expiry-edge" "C7",
        /// Other faults are drawn.
        Random(Random) = "random",
    }
    later "poison-discovery" "force-recovery"
        "weak-endorsement" "even-signers" "sensor";
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
