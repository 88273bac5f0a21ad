//! The plan: a scenario with every default, profile, selector and draw resolved.
//!
//! `BTreeMap`s and integers; no `Option` where a default exists. The language makes it, the
//! runner executes it, `plan.yaml` prints it as a scenario.

mod adversaries;
mod digest;
mod pair;
mod paths;
mod print;
mod resolve;

pub use adversaries::{
    AdversaryPlan, AttackPlan, AttackPlanKind, InsiderPlan, Interference, Links,
};
pub use print::{Explained, Origin, OriginKind};
pub(crate) use print::{explain, yaml};
pub(crate) use resolve::{Head, bound_timers, limits, measure, resolve};

use consim_check::metrics::WindowSubject;
use consim_core::values::Expectation;
use consim_core::{Distribution, SeededBug, Span, Time};
use consim_kernel::config::{FaultKind, Hardware, LineGroups, Link};
use consim_models::consensus::{BlockLimits, MempoolLimits, ProtocolOptions};
use consim_models::custody::MovementOptions;
use consim_models::device_samples::SampleOptions;
use consim_models::key_value::TransactionOptions;
use consim_models::light::TrustLevel;
use consim_models::node::release::Release;
use consim_models::sharing::config::{ConsentOptions, SharingOptions, VisitOptions};
use consim_models::sharing::network::Labels;
use consim_models::workload::Stretch;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A resolved scenario.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The scenario's name.
    pub name: String,
    /// Its label under `compare`.
    pub variant: Option<String>,
    /// One or two sentences.
    pub about: Option<String>,
    /// All randomness.
    pub seed: u64,
    /// Calendar time of time zero, nanoseconds after the Unix epoch.
    pub start_ns: i64,
    /// The zone of `start`, seconds east of UTC: day profiles follow it.
    pub zone_s: i32,
    /// Virtual length, all phases included.
    pub duration: Span,
    /// Left out of statistics.
    pub warmup: Span,
    /// The network.
    pub network: NetworkPlan,
    /// Institutions in node order: group name, then number. One node each in this version.
    pub institutions: Vec<Institution>,
    /// Chains by name.
    pub chains: BTreeMap<String, ChainPlan>,
    /// Relays between them, by name.
    pub relays: BTreeMap<String, RelayPlan>,
    /// Services by name.
    pub services: BTreeMap<String, ServicePlan>,
    /// Workloads by name.
    pub workloads: BTreeMap<String, WorkloadPlan>,
    /// Faults by name; repeats are separate entries `NAME#2`.
    pub faults: BTreeMap<String, FaultPlan>,
    /// Adversaries by name.
    pub adversaries: BTreeMap<String, AdversaryPlan>,
    /// Attacks by name.
    pub attacks: BTreeMap<String, AttackPlan>,
    /// How long after the last fault liveness may take; with `heal.auto` at least.
    pub heal_bound: Span,
    /// When the faults stop; `None` if there is nothing to heal.
    pub heal: Option<HealPlan>,
    /// `checks.only`; empty is all that apply.
    pub checks_only: Vec<String>,
    /// `checks.except`.
    pub checks_except: Vec<String>,
    /// Are checks of liveness among them?
    pub judges_liveness: bool,
    /// Gates, in the file's order by path.
    pub expect: Vec<Expectation>,
    /// The check that the run is meant to violate.
    pub violation: Option<String>,
    /// Where it comes from, if it is a saved failure.
    pub found: FoundPlan,
    /// Length of a bin of the time series.
    pub interval: Span,
    /// Is the outcome written as a suite of JUnit too?
    pub junit: bool,
    /// Data that was read.
    pub inputs: Vec<InputPlan>,
    /// Notes of the planner for the reader.
    pub notes: Vec<String>,
    /// Where numbers come from: path, source.
    pub sources: Vec<(String, String)>,
    /// Hexadecimal digest of the plan.
    pub digest: String,
    /// The same without the seed.
    pub design_digest: String,
    /// The plan as a scenario file that resolves to the same digest.
    pub yaml: String,
    /// The same, with the files that it names.
    pub(crate) pieces: Vec<print::Piece>,
    /// What the digest is of.
    pub(crate) lines: Arc<digest::Lines>,
    /// The windows whose time is measured, if these are not its own: those of the run that this is
    /// the pair of.
    pub(crate) watched: Option<Vec<WindowSubject>>,
}

/// Where a saved failure comes from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FoundPlan {
    /// Who or what found it.
    pub by: Option<String>,
    /// The run digest that it had then.
    pub run_digest: Option<String>,
    /// How many faults there were before it was made small.
    pub faults_before: Option<u64>,
    /// The seeded bug with which it fails.
    pub bug: Option<&'static SeededBug>,
    /// The version from which on it passes.
    pub fixed: Option<String>,
}

impl Plan {
    /// The check that a run with `bug` switched on has to violate: that of `expect.violation`,
    /// unless it was seen with another bug alone, or is mended.
    pub fn demanded(&self, bug: Option<&'static SeededBug>) -> Option<&str> {
        let FoundPlan {
            bug: with, fixed, ..
        } = &self.found;
        let demanded = fixed.is_none() && (with.is_none() || *with == bug);
        self.violation.as_deref().filter(|_| demanded)
    }
}

/// The network of a plan.
#[derive(Clone, Debug)]
pub struct NetworkPlan {
    /// The table's name (`guangdong`).
    pub table: String,
    /// Its regions that are used by an institution, by name.
    pub regions: Vec<RegionPlan>,
    /// One-way delay, `[from][to]` by index of `regions`.
    pub delays: Vec<Vec<Distribution>>,
    /// The profile's name (`metro`).
    pub link_profile: String,
    /// The line between nodes of different institutions.
    pub link: Link,
    /// The line inside an institution (profile `lan`).
    pub site_link: Link,
    /// Lines between institutions that rules make differ.
    pub groups: LineGroups,
    /// Sites that several institutions may share, by name.
    pub sites: BTreeMap<String, SitePlan>,
}

/// A site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SitePlan {
    /// The rack that its machines stand in.
    pub rack: Option<String>,
    /// The feed of power that they hang on.
    pub power: Option<String>,
    /// Bits per second that leave it, and as many that enter it; 0 is no bound.
    pub uplink: u64,
    /// The institutions there: indexes into `institutions`, ascending.
    pub members: Vec<usize>,
}

/// A region.
#[derive(Clone, Debug)]
pub struct RegionPlan {
    /// Its name.
    pub name: String,
    /// Millionths of a degree north; 0 where the table has no coordinates.
    pub lat_udeg: i32,
    /// Millionths of a degree east.
    pub lon_udeg: i32,
}

/// An institution and its node, which bears its name.
#[derive(Clone, Debug)]
pub struct Institution {
    /// `community-4`.
    pub name: String,
    /// `community`.
    pub group: String,
    /// From 1.
    pub number: u32,
    /// `community`, `regulator`...
    pub tier: String,
    /// Index into `network.regions`.
    pub region: usize,
    /// Its machine.
    pub hardware: Arc<Hardware>,
    /// The machine's profile name.
    pub hardware_name: String,
    /// Bytes of memory.
    pub memory: u64,
    /// Visits on a mean day, where a file of institutions says so.
    pub visits_per_day: Option<u64>,
    /// Offset of its wall clock.
    pub clock_offset_ns: i64,
    /// Drift of its wall clock.
    pub clock_drift_ppb: i64,
    /// `authority: own`: its certificates come from an authority of its own, which a chain trusts
    /// only if the organisation is one of its members.
    pub own_authority: bool,
    /// The release of the program that its node runs.
    pub release: Release,
    /// The site that it is in, if not one of its own.
    pub site: Option<String>,
}

/// A chain.
#[derive(Clone, Debug)]
pub struct ChainPlan {
    /// The validators, and those who become some while it runs: indexes into `institutions`, ascending.
    pub members: Vec<usize>,
    /// With whom each of them holds connections, where messages go from peer to peer; `None`: with all.
    pub peers: Option<Vec<Vec<usize>>>,
    /// Those of them that are none at the beginning.
    pub outside: Vec<usize>,
    /// Changes of the members, in the order in which they are made.
    pub changes: Vec<ChangePlan>,
    /// Changes of whom the members believe, in the order in which they are begun.
    pub trust: Vec<TrustPlan>,
    /// The protocol's word.
    pub protocol: String,
    /// Its options.
    pub options: ProtocolOptions,
    /// Block bounds.
    pub block: BlockLimits,
    /// Mempool bounds.
    pub mempool: MempoolLimits,
    /// First timer; `auto` is resolved.
    pub timeout: Span,
    /// Blocks between checkpoints.
    pub checkpoint: u64,
    /// The signature scheme's word.
    pub signatures: String,
    /// Bytes of a signature.
    pub signature_bytes: u8,
    /// Tolerated faulty members, of those at the beginning.
    pub f: usize,
    /// Votes a certificate needs, at the beginning.
    pub quorum: usize,
    /// Predicted least time from proposal to commit.
    pub floor: Span,
    /// How many members have to tell a client that they executed its transaction; `None`: it asks
    /// one server and believes it.
    pub wait_for: Option<usize>,
    /// Are transactions signed? Else connections vouch for them.
    pub signed: bool,
    /// Its light clients, if there are any.
    pub light: Option<LightPlan>,
}

/// The light clients of a chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LightPlan {
    /// Who they are: indexes into `institutions`, ascending.
    pub clients: Vec<usize>,
    /// The members that they ask; of each client another one is the first.
    pub full_nodes: Vec<usize>,
    /// With how many others they compare what the first shows.
    pub witnesses: usize,
    /// From one look to the next.
    pub period: Span,
    /// Do they skip changes of the members?
    pub skipping: bool,
    /// More than this share of those that are trusted have to sign a skip.
    pub trust_level: TrustLevel,
    /// How long after its time what is trusted is.
    pub trusting_period: Span,
    /// How far the time of a decision may be ahead of their clocks.
    pub clock_drift: Span,
    /// The node that they believe once, at first.
    pub believes: Option<usize>,
}

/// A change of the members of a chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangePlan {
    /// Its name.
    pub name: String,
    /// When the administrator asks for it.
    pub at: Time,
    /// Does it ask while another is under way?
    pub hasty: bool,
    /// Who joins: indexes into `institutions`, ascending.
    pub add: Vec<usize>,
    /// Who leaves.
    pub remove: Vec<usize>,
    /// Who gets another key.
    pub renew: Vec<usize>,
}

impl Plan {
    /// Whose certificates are revoked for good, while it runs.
    pub fn shut_out(&self) -> Vec<usize> {
        let trust = self.chains.values().flat_map(|chain| &chain.trust);
        let mut shut: Vec<usize> = trust.flat_map(|t| t.shuts_out().to_vec()).collect();
        shut.sort_unstable();
        shut
    }
    /// The chain of each institution, by its place among them: that of which it is a member, else that of a service
    /// which its people ask, else the first.
    pub fn homes(&self) -> Vec<usize> {
        let mut homes: Vec<Option<usize>> = vec![None; self.institutions.len()];
        let mut settle = |institution: usize, chain: usize| {
            if let Some(home) = homes.get_mut(institution) {
                home.get_or_insert(chain);
            }
        };
        for (place, chain) in self.chains.values().enumerate() {
            chain.members.iter().for_each(|&i| settle(i, place));
        }
        for workload in self.workloads.values() {
            let chain = self.services.get(&workload.service).map(ServicePlan::chain);
            let place = self
                .chains
                .keys()
                .position(|name| Some(name.as_str()) == chain);
            for institution in workload.load.institutions() {
                settle(institution, place.unwrap_or_default());
            }
        }
        homes.into_iter().map(Option::unwrap_or_default).collect()
    }
}

impl Load {
    /// Where the operations come from: indexes into `institutions`.
    pub fn institutions(&self) -> Vec<usize> {
        match self {
            Self::Rates { rates, .. } => rates.keys().copied().collect(),
            Self::Closed { open, .. } => open.keys().copied().collect(),
            Self::Instants { places, .. } | Self::Recorded(places) => places.clone(),
        }
    }
}

/// A change of whom the members of a chain believe.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrustPlan {
    /// Its name.
    pub name: String,
    /// When the administrator begins it.
    pub at: Time,
    /// Does it begin while another is under way?
    pub hasty: bool,
    /// What it is.
    pub does: TrustChangeKind,
}

/// What changes of whom the members believe.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TrustChangeKind {
    /// Certificates are taken back.
    Revoke {
        /// Whose: indexes into `institutions`, ascending.
        bearers: Vec<usize>,
        /// How often members ask for the list; `None`: it is sent to them.
        fetched: Option<Span>,
        /// When their nodes get other ones; `None`: never.
        reissue: Option<Span>,
    },
    /// Nodes move to a new authority.
    Rotate {
        /// Which: indexes into `institutions`, ascending.
        nodes: Vec<usize>,
        /// From one to the next.
        gap: Span,
        /// Are both authorities believed meanwhile?
        overlap: bool,
    },
}

impl TrustPlan {
    /// Does it take connections, while it is under way, of members of which more is expected?
    pub fn disturbs(&self) -> bool {
        match &self.does {
            TrustChangeKind::Revoke { reissue, .. } => reissue.is_some(),
            TrustChangeKind::Rotate { overlap, .. } => !overlap,
        }
    }
    /// Whom it shuts out for good.
    pub fn shuts_out(&self) -> &[usize] {
        match &self.does {
            TrustChangeKind::Revoke {
                bearers,
                reissue: None,
                ..
            } => bearers,
            _ => &[],
        }
    }
}

/// A relay's own transaction may take so long at least (assumed: longer than a view change)...
const RELAY_PATIENCE: Span = Span::from_secs(10);
/// ...and so many times as long as what waits for a block of its chain, or as its first timer.
const RELAY_PACES: u64 = 2;

impl ChainPlan {
    /// How long a relay waits for a transaction of its own on this chain, and another one for its turn.
    pub fn relay_patience(&self) -> Span {
        let pace = self.options.pace(self.quorum).max(self.timeout);
        RELAY_PATIENCE.max(pace.times(RELAY_PACES))
    }
    /// The members at the beginning.
    pub fn first_members(&self) -> Vec<usize> {
        let members = self.members.iter().copied();
        members.filter(|i| !self.outside.contains(i)).collect()
    }
    /// The members in the end, if all changes are made.
    pub fn last_members(&self) -> Vec<usize> {
        let mut members = self.first_members();
        for change in &self.changes {
            members.retain(|i| !change.remove.contains(i));
            members.extend(&change.add);
        }
        members.sort_unstable();
        members
    }
    /// Those that are members as long as it runs; all that are at the beginning, if none is.
    pub fn steady_members(&self) -> Vec<usize> {
        let first = self.first_members();
        let leaves = |i: &usize| self.changes.iter().any(|c| c.remove.contains(i));
        let steady: Vec<usize> = first.iter().copied().filter(|i| !leaves(i)).collect();
        if steady.is_empty() { first } else { steady }
    }
}

/// Relays between chains.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RelayPlan {
    /// The chains that they join, by name.
    pub join: Vec<String>,
    /// The one through which all others are joined; `None`: each is joined with each.
    pub through: Option<String>,
    /// Their machines: indexes into `institutions`, ascending.
    pub nodes: Vec<usize>,
}

/// A service.
#[derive(Clone, Debug)]
pub enum ServicePlan {
    /// `data-sharing` on a chain, or on several that relays join.
    DataSharing {
        /// The chain's name; of several, the first's.
        chain: String,
        /// The other chains.
        more: Vec<String>,
        /// What the providers' plans say of their records, for other networks.
        labels: Labels,
        /// Options.
        options: Box<SharingOptions>,
    },
    /// `key-value` on a chain.
    KeyValue {
        /// The chain's name.
        chain: String,
        /// How many keys there are.
        keys: u64,
        /// Exponent of the Zipf distribution of keys, parts per 10^9.
        skew: u32,
    },
    /// `custody` on a chain.
    Custody {
        /// The chain's name.
        chain: String,
    },
    /// `device-samples` on a chain.
    DeviceSamples {
        /// The chain's name.
        chain: String,
    },
}

impl ServicePlan {
    /// The word of its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::DataSharing { .. } => "data-sharing",
            Self::KeyValue { .. } => "key-value",
            Self::Custody { .. } => "custody",
            Self::DeviceSamples { .. } => "device-samples",
        }
    }
    /// Its chains, by name.
    pub fn chains(&self) -> Vec<&str> {
        let more: &[String] = match self {
            Self::DataSharing { more, .. } => more,
            _ => &[],
        };
        let all = std::iter::once(self.chain());
        all.chain(more.iter().map(String::as_str)).collect()
    }
    /// Is it on this chain?
    pub fn is_on(&self, chain: &str) -> bool {
        self.chains().contains(&chain)
    }
    /// The name of its chain; of several, of the first.
    pub fn chain(&self) -> &str {
        match self {
            Self::DataSharing { chain, .. }
            | Self::KeyValue { chain, .. }
            | Self::Custody { chain }
            | Self::DeviceSamples { chain } => chain,
        }
    }
}

/// A workload.
#[derive(Clone, Debug)]
pub struct WorkloadPlan {
    /// What.
    pub kind: WorkloadKind,
    /// The service's name.
    pub service: String,
    /// How much.
    pub load: Load,
    /// Ramps, steps and bursts of it: parts per million of the rate, one after the other.
    pub course: Vec<Stretch>,
    /// The day profile's name.
    pub day_name: String,
    /// Weight of each hour of the day, parts per million of the daily mean (mean 1,000,000).
    pub day: [u32; 24],
    /// Where its operations enter the chain.
    pub entry: EntryPlan,
    /// Window.
    pub from: Time,
    /// End of the window.
    pub to: Time,
    /// What counts as available, in place of the operations' own deadlines.
    pub deadline: Option<Span>,
    /// Wait before a retry.
    pub retry_after: Span,
    /// Retries.
    pub retry_times: u32,
}

/// Where operations enter a chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EntryPlan {
    /// At the client's own server or the nearest; of clients that ask the members, at the one that leads.
    Nearest,
    /// At the member that leads.
    Leader,
    /// At all members.
    All,
    /// At one member after the other.
    RoundRobin,
    /// At these, one after the other: indexes into `institutions`.
    Fixed(Vec<usize>),
}

/// What a workload does.
#[derive(Clone, Debug)]
pub enum WorkloadKind {
    /// Patients see doctors.
    Visits(VisitOptions, ReplaySpacing),
    /// Patients change standing consents.
    Consents(ConsentOptions),
    /// Supervision reads the audit trail.
    Audits,
    /// Clients set and read keys.
    Transactions(TransactionOptions),
    /// Units change hands.
    Movements(MovementOptions),
    /// Devices hand samples over.
    Samples(SampleOptions),
}

impl WorkloadKind {
    /// The kind of service that it asks.
    pub fn asks(&self) -> &'static str {
        match self {
            Self::Visits(..) | Self::Consents(_) | Self::Audits => "data-sharing",
            Self::Transactions(_) => "key-value",
            Self::Movements(_) => "custody",
            Self::Samples(_) => "device-samples",
        }
    }
}

/// How recorded visits are spread over the run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReplaySpacing {
    /// In their order, spread over the day profile.
    Ranked,
    /// In proportion to their recorded distances.
    Scaled,
}

/// How much.
#[derive(Clone, Debug)]
pub enum Load {
    /// At rates.
    Rates {
        /// Per institution: index into `institutions`, events per 10^9 s.
        rates: BTreeMap<usize, u64>,
        /// Evenly spaced instead of Poisson.
        even: bool,
    },
    /// At given instants, each at any of these institutions.
    Instants {
        /// Indices into `institutions`.
        places: Vec<usize>,
        /// In their order.
        at: Arc<[Time]>,
    },
    /// Whoever is answered asks again.
    Closed {
        /// Operations that are open at a time, by index into `institutions`.
        open: BTreeMap<usize, u32>,
        /// How long a user thinks.
        think: Distribution,
    },
    /// Everything that is recorded, once, over the window, at these institutions (with `source`,
    /// when no load is given).
    Recorded(Vec<usize>),
}

/// A fault with its window.
#[derive(Clone, Debug)]
pub struct FaultPlan {
    /// When it opens.
    pub from: Time,
    /// When it closes.
    pub to: Time,
    /// What it does. In its targets the index of an institution stands for its node, until the run
    /// puts nodes in their place.
    pub kind: FaultKind,
}

/// Who is meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Who {
    /// Indexes into `institutions`, ascending.
    Institutions(Vec<usize>),
    /// `leader of CHAIN`, bound when the window opens.
    LeaderOf(String),
    /// `leaders of CHAIN`, whoever it is at each moment of the window.
    LeadersOf(String),
}

/// The end of the faults.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HealPlan {
    /// When.
    pub at: Time,
    /// Members that do not heal: indexes into `institutions`.
    pub broken: Vec<usize>,
    /// Is the bound of liveness ten times the longest timer that is armed then?
    pub auto: bool,
}

/// A data source that was read.
#[derive(Clone, Debug)]
pub struct InputPlan {
    /// As written.
    pub path: String,
    /// Hexadecimal BLAKE3 of the bytes read.
    pub digest: String,
    /// Resources taken.
    pub taken: u64,
    /// Resources or files left out.
    pub skipped: u64,
    /// Why, at most 20 lines; each with file and JSON path.
    pub notes: Vec<String>,
}
