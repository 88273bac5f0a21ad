//! The schema: every key of the language, its type, its default, its words.
//!
//! Keys of the language that this version does not have stand in the `later` lists: they are
//! answered with "not yet in this version", never accepted and ignored.

mod adversaries;
mod attacks;
mod chains;
mod changes;
pub(crate) mod choose;
mod claims;
pub(crate) mod decode;
mod delay;
mod experiment;
mod faults;
mod found;
mod gates;
mod hardware;
mod limits;
mod lists;
mod load;
mod macros;
mod network;
mod organisations;
mod profiled;
mod registered;
mod relays;
mod services;
pub(crate) mod shape;
mod studies;
mod workloads;

pub(crate) use adversaries::{Adversary, Amount};
pub(crate) use attacks::{
    Answer, Attack, AttackCommon, AttackKind, FakeHeaderKeys, FakeWord, Field, InsiderKeys,
    Meddling, MutateKeys, RelayLieWord, TwinsKeys,
};
pub(crate) use chains::{
    AcknowledgeWord, Auto, BftSmartKeys, Certificates, Chain, CliqueKeys, Consensus, ForkWord,
    GossipKeys, HotStuffKeys, Leader, LightClients, Mempool, PacemakerKind, PayloadPlace, PbftKeys,
    Phases, QbftKeys, RaftKeys, RaftRead, RequestsGo, SpreadWord, TendermintKeys, TimeOfBlocks,
    TrustedFirst, UntilFull, Verification, VoteChecks, VotesTravel, WaitFor,
};
pub(crate) use changes::{
    AuthorityRotation, CertificateRevocation, Change, ChangeCommon, ChangeKind, Movers,
    RevocationList,
};
pub(crate) use claims::{Claim, Conditions};
pub(crate) use decode::{At, Cx, Decode, Leaf, LeafKind, Named};
pub(crate) use experiment::{Experiment, ExperimentRow, Scored};
pub(crate) use faults::{
    Astray, BitRot, ClockBack, ClockDrift, ClockStep, ClockStrobe, Clog, Corrupt, Crash, CutChange,
    CutShape, Damage, Direction, DiskFull, DoubleChange, Duplicate, DuplicateKey, During,
    EarlyPrune, Eclipse, ExhaustMemory, ExpiredCertificate, ExpiryEdge, Fault, FaultCommon,
    FaultKind, Filter, Filtered, Flap, Flood, Flooded, For, Hijack, Invalid, Leap, LeapKind, Lie,
    Lines, Lossy, Lost, LostWrites, LyingFsync, Misdirect, Mix, MixedVersions, MoveTimeServer,
    OldBackup, Partition, Pause, Random, Release, Reorder, Restart, Rollback, RollingRestart,
    ShortTimeouts, Slow, SlowCpu, SlowDisk, SlowWork, Swizzle, ThenFull, Throttle, TornWrite,
    UnstableNetwork, When, WhichLost, Wipe, Written, WrongGenesis, WrongQuorum, WrongZone,
};
pub(crate) use found::FoundNote;
pub(crate) use gates::{Checks, Core, Drawn, Expect, Heal, Output, Sourced};
pub(crate) use hardware::{HardwareKeys, Scheme, Schemes, SuiteKeys};
pub(crate) use limits::{Budget, DiskBudget, Excess, Limits};
pub(crate) use lists::{Targets, Words};
pub(crate) use load::{Arrivals, Burst, ClosedLoad, Load, RecordedLoad};
pub(crate) use network::{
    LinkKeys, LossRate, Network, OneWay, Overlay, Place2, Rule, TableKeys, Transport,
};
pub(crate) use organisations::{
    Authority, Organisation, Population, RegionRule, ReleaseName, TableRef, Tier,
};
pub(crate) use profiled::Profiled;
pub(crate) use relays::Relays;
pub(crate) use services::{
    Access, Ask, Audit, Custody, DataSharing, DelegationKeys, DeviceSamples, Emergency, Freshness,
    GrantedTo, Identity, KeyValue, OffChain, OnChain, Pseudonym, Revocation, ScopeKeys, Search,
    ServiceKind,
};
pub(crate) use studies::{Axis, AxisValues, Compare, Overrides, Studies, Vary};
pub(crate) use workloads::{
    CohortKeys, EntryPoint, ReaderKeys, RecordSize, Samples, SourceRef, Spacing, Transactions,
    Visits, Workload, WorkloadCommon, WorkloadKind,
};

use consim_core::Span;
use consim_core::values::{Count, DateTime, Name};
use macros::record;
use shape::Shape;
use std::sync::LazyLock;

record! {
    /// A scenario.
    pub struct Scenario {
        /// Language version.
        consim: At<Count>,
        /// In output paths and reports.
        name: Option<At<Name>>,
        /// One or two sentences, shown on top of the report.
        about: Option<At<String>>,
        /// All randomness.
        seed: Option<At<Count>>,
        /// Calendar time zero; a Monday.
        start: At<DateTime> = "2026-03-02T08:00:00+08:00",
        /// Virtual length, all phases included.
        duration: At<Span> = "30m",
        /// Left out of statistics.
        warmup: Option<At<Span>>,
        /// Regions and lines.
        network: Network = "{}",
        /// Machines by name.
        hardware: Named<Profiled<HardwareKeys>>,
        /// Groups of like institutions.
        organisations: Named<Organisation>,
        /// Patients.
        populations: Named<Population>,
        /// Chains.
        chains: Named<Chain>,
        /// What joins chains.
        relays: Named<Relays>,
        /// Domain models on a chain.
        services: Named<ServiceKind>,
        /// What users do.
        workloads: Named<Workload>,
        /// What is planned to change.
        changes: Named<Change>,
        /// What goes wrong.
        faults: Named<Fault>,
        /// Who may misbehave, and how much.
        adversaries: Named<Adversary>,
        /// What they do.
        attacks: Named<Attack>,
        /// When and how the run heals.
        heal: Heal = "{}",
        /// Which checks.
        checks: Checks = "{}",
        /// Service-level gates.
        expect: Expect = "{}",
        /// What is written.
        output: Output = "{}",
        /// Bounds.
        limits: Limits = "{}",
        /// Where numbers come from.
        sources: Sourced = "{}",
        /// Where a saved failure comes from.
        found: FoundNote = "{}",
    }
    beside "base" "remove" "compare" "vary" "experiment" "claims";
    later "devices" "platform" "sweep"
        "experimental";
}

/// The shape of a whole scenario, studies included.
pub(crate) fn whole() -> &'static Shape {
    static WHOLE: LazyLock<Shape> = LazyLock::new(|| {
        let mut record = Scenario::record();
        record.fields.extend(Studies::record().fields);
        Shape::Record(record)
    });
    &WHOLE
}
