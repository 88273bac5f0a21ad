//! Scenario to plan: names looked up, selectors evaluated, random choices drawn, windows laid out.

mod attacks;
mod chains;
mod changes;
mod faults;
mod gates;
mod gossip;
mod heal;
mod histories;
mod homes;
mod insiders;
mod light;
mod lines;
mod load;
mod network;
mod people;
mod relays;
mod roster;
mod scopes;
mod select;
mod services;
mod sites;
mod suites;
mod trust;
mod ways;
mod windows;
mod workloads;

pub(crate) use gates::measure;

use super::{AdversaryPlan, Institution, NetworkPlan, Plan};
use crate::schema::{Cx, LeafKind, Scenario, Schemes};
use crate::tree::Place;
use consim_core::rng::below;
use consim_core::values::Value;
use consim_core::{Span, Streams, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most nodes of a plan.
pub const MAX_NODES: usize = 100_000;
/// The longest warm-up that is not asked for.
const MAX_WARMUP: Span = Span::from_secs(3_600);
/// Bins of the time series where no interval is given.
const BINS: u64 = 200;
/// The most bins of a time series.
pub const MAX_BINS: u64 = 100_000;

/// The limits of a plan.
pub(crate) mod limits {
    pub use super::network::MAX_REGIONS;
    pub use super::select::MAX_TARGETS;
    pub use super::windows::{MAX_OCCURRENCES, MAX_WINDOWS};
    pub use super::workloads::MAX_WORKLOADS;
    pub use super::{MAX_BINS, MAX_NODES};
}

/// `heal.bound: auto` is at least this many of the largest timers.
const BOUND_TIMERS: u64 = 10;
/// The most controlled nodes in a row that are waited for (assumed: more seldom lead one after the other, and
/// each doubles the time after which a run can be judged).
const MAX_IN_A_ROW: usize = 3;

/// `heal.bound: auto` is this many of the largest timers: the controlled nodes may lead one after the other and
/// say nothing, each for twice as long as the one before, and then a correct one has its time: 1 + 2 + .. + 2^b.
pub(crate) fn bound_timers(adversaries: &BTreeMap<String, AdversaryPlan>) -> u64 {
    let controlled: BTreeSet<usize> = adversaries.values().flat_map(|a| a.nodes.clone()).collect();
    let in_a_row = controlled.len().min(MAX_IN_A_ROW);
    BOUND_TIMERS.max((2 << in_a_row) - 1)
}

/// What a plan is called and seeded with.
pub(crate) struct Head<'a> {
    /// The scenario's name where it gives none.
    pub(crate) file_name: &'a str,
    /// Used where the scenario gives no seed.
    pub(crate) drawn_seed: u64,
    /// Its label under `compare`.
    pub(crate) variant: Option<&'a str>,
    /// All labels of `compare`.
    pub(crate) labels: &'a [String],
    /// Where the values of the overrides stand that were laid over it, by label.
    pub(crate) overridden: &'a [(String, Vec<Place>)],
}

/// A chain as selectors see it.
#[derive(Clone, Debug)]
struct ChainView {
    protocol: &'static str,
    members: Vec<usize>,
    /// What the language calls f: floor((n-1)/3), whatever the protocol.
    f: usize,
    /// How many members may lie.
    bears: usize,
    quorum: usize,
}

/// Something was wrong, and has been told.
struct Told;

/// Everything that is known so far.
struct Planner<'a> {
    cx: &'a mut Cx,
    scenario: &'a Scenario,
    streams: Streams,
    duration: Span,
    start_ns: i64,
    institutions: Vec<Institution>,
    /// What each machine says of signature schemes.
    schemes: BTreeMap<String, Arc<[Schemes; 3]>>,
    by_name: BTreeMap<String, usize>,
    /// The institutions of each group.
    groups: BTreeMap<String, Vec<usize>>,
    region_names: Vec<String>,
    /// The regions that institutions count: all, and later those alone that any is in.
    regions_used: Vec<String>,
    sites: BTreeMap<String, sites::Site>,
    chains: BTreeMap<String, ChainView>,
    /// The machines of relays, by name.
    relays: BTreeMap<String, Vec<usize>>,
    /// The chain of each service of data sharing.
    sharing: BTreeMap<String, String>,
    /// How the members of each chain sign.
    suites: BTreeMap<String, suites::Suite>,
    notes: Vec<String>,
    /// The nodes that selectors have named so far.
    targets: usize,
    /// When random faults stop which node, so far.
    stops: Vec<(Time, Time, usize)>,
    /// The label of the run, and all labels.
    variant: (Option<&'a str>, &'a [String]),
    /// Groups or chains are missing because something was wrong with them: sizes say nothing.
    doubt: bool,
    /// Does any chain send from peer to peer?
    gossips: bool,
}

impl<'a> Planner<'a> {
    /// Knows nothing yet.
    fn new(
        cx: &'a mut Cx,
        scenario: &'a Scenario,
        head: &Head<'a>,
        (seed, duration): (u64, Span),
    ) -> Self {
        Self {
            doubt: cx.damaged || !cx.broken.is_empty(),
            gossips: false,
            cx,
            scenario,
            streams: Streams::new(seed),
            duration,
            start_ns: scenario.start.value.ns,
            institutions: Vec::new(),
            schemes: BTreeMap::new(),
            by_name: BTreeMap::new(),
            groups: BTreeMap::new(),
            region_names: Vec::new(),
            regions_used: Vec::new(),
            sites: BTreeMap::new(),
            chains: BTreeMap::new(),
            relays: BTreeMap::new(),
            sharing: BTreeMap::new(),
            suites: BTreeMap::new(),
            notes: Vec::new(),
            targets: 0,
            stops: Vec::new(),
            variant: (head.variant, head.labels),
        }
    }
}

impl Planner<'_> {
    /// How many institutions there are, without the machines of relays, which come after them.
    fn people_count(&self) -> usize {
        let machines = self.relays.values().map(Vec::len).sum::<usize>();
        self.institutions.len() - machines
    }
    /// 64 bits for occurrence `number` of the value at `path`: editing another entry never
    /// redraws this one.
    fn bits(&self, path: &str, number: u64) -> u64 {
        self.streams.key(&format!("plan/{path}/{number}"))
    }
    /// A whole number between two, both included.
    fn draw(&self, low: u64, high: u64, path: &str, number: u64) -> u64 {
        low + below(self.bits(path, number), (high - low).saturating_add(1))
    }
    /// Adds a derived line to what `check` prints.
    fn derived(&mut self, path: &[&str], text: String, place: &Place) {
        self.cx.below(path, place, |cx| {
            let leaf = cx.leaf(LeafKind::Derived, text, place);
            if let Some(leaf) = cx.leaves.get_mut(leaf) {
                leaf.origin = Some("derived".into());
                leaf.aside = true;
            }
        });
    }
}

/// Makes the plan; `None` if something was wrong, which the context then knows.
pub(crate) fn resolve(cx: &mut Cx, scenario: &Scenario, head: &Head<'_>) -> Option<Plan> {
    let name = scenario.name.as_ref().map(|n| n.value.0.clone());
    set_aside(cx, scenario);
    let seed = scenario.seed.as_ref();
    let seed = seed.map_or(head.drawn_seed, |s| s.value.0);
    seed_leaf(cx, scenario, seed);
    let duration = scenario.duration.value;
    if duration.is_zero() {
        cx.error(
            "E107",
            &scenario.duration.place,
            "a run of no length",
            "for example 30m",
        );
        return None;
    }
    let warmup = warmup(cx, scenario, duration);
    let interval = interval(cx, scenario, duration);
    let mut planner = Planner::new(cx, scenario, head, (seed, duration));
    let table = planner.regions();
    let people = table.as_ref().and_then(|table| planner.people(table));
    let network = match (&table, people) {
        (Some(table), Some(())) => planner.network(table),
        _ => None,
    };
    // Without institutions every later mistake would only follow from that.
    people?;
    planner.clashes();
    let chains = planner.chains(network.as_ref());
    let relays = chains.as_ref().and_then(|chains| planner.relays(chains));
    // Rules may name chains.
    let groups = network.as_ref().and_then(|net| planner.rules(&net.link));
    if let Some(chains) = &chains {
        planner.sign(chains);
    }
    let services = planner.services();
    planner.note_sharing(services.as_ref());
    if let (Some(services), Some(relays)) = (&services, &relays) {
        planner.joined(services, relays);
    }
    let workloads = planner.workloads(services.as_ref());
    if let (Some(chains), Some(services), Some((workloads, _))) = (&chains, &services, &workloads) {
        planner.homes(chains, services, workloads);
    }
    let mut faults = planner.faults();
    let heal = match (&chains, &mut faults) {
        (Some(chains), Some(faults)) => planner.heal(chains, faults),
        _ => None,
    };
    let attacks = planner.attacks();
    let (heal_bound, gates) = planner.gates(
        chains.as_ref(),
        workloads.as_ref().map(|(w, _)| w),
        faults.as_ref(),
        heal.as_ref(),
        attacks.as_ref().map_or(&BTreeMap::new(), |(a, _)| a),
    );
    let (checks_only, checks_except) = planner.check_words();
    let violation = planner.violation();
    let found = planner.found();
    let judges_liveness = planner.judges_liveness(faults.as_ref());
    let sources = planner.sources();
    let (adversaries, attacks) = attacks?;
    let (workloads, inputs) = workloads?;
    let notes = std::mem::take(&mut planner.notes);
    let institutions = std::mem::take(&mut planner.institutions);
    let sites = std::mem::take(&mut planner.sites);
    let network = NetworkPlan {
        groups: groups?,
        sites: sites
            .into_iter()
            .map(|(name, site)| (name, site.plan))
            .collect(),
        ..network?
    };
    Some(Plan {
        name: name.unwrap_or_else(|| head.file_name.to_owned()),
        variant: head.variant.map(str::to_owned),
        about: scenario.about.as_ref().map(|a| a.value.clone()),
        seed,
        start_ns: scenario.start.value.ns,
        zone_s: scenario.start.value.zone_s,
        duration,
        warmup,
        network,
        institutions,
        chains: chains?,
        relays: relays?,
        services: services?,
        workloads,
        faults: faults?,
        adversaries,
        attacks,
        heal_bound,
        heal,
        checks_only,
        checks_except,
        judges_liveness,
        expect: gates?,
        violation,
        found,
        interval,
        junit: scenario.output.junit.value.0,
        inputs,
        notes,
        sources,
        digest: String::new(),
        design_digest: String::new(),
        yaml: String::new(),
        pieces: Vec::new(),
        lines: Arc::default(),
        watched: None,
    })
}

/// What a scenario is called and what is written of it changes no event.
fn set_aside(cx: &mut Cx, scenario: &Scenario) {
    for leaf in [
        scenario.name.as_ref().map(|at| at.leaf),
        scenario.about.as_ref().map(|at| at.leaf),
        Some(scenario.consim.leaf),
        Some(scenario.output.junit.leaf),
    ] {
        if let Some(leaf) = leaf.and_then(|leaf| cx.leaves.get_mut(leaf)) {
            leaf.aside = true;
        }
    }
}

/// The seed has its line in the plan, drawn or not; the design digest leaves it out.
fn seed_leaf(cx: &mut Cx, scenario: &Scenario, seed: u64) {
    let index = if let Some(at) = &scenario.seed {
        at.leaf
    } else {
        let place = scenario.consim.place.clone();
        cx.below(&["seed"], &place, |cx| {
            cx.leaf(LeafKind::Value, seed.to_string(), &place)
        })
    };
    if let Some(leaf) = cx.leaves.get_mut(index) {
        leaf.design = Some(String::new());
        if scenario.seed.is_none() {
            leaf.origin = Some("drawn".into());
        }
    }
}

fn warmup(cx: &mut Cx, scenario: &Scenario, duration: Span) -> Span {
    let Some(at) = &scenario.warmup else {
        let tenth = Span::from_nanos(duration.nanos() / 10).min(MAX_WARMUP);
        let place = scenario.duration.place.clone();
        cx.below(&["warmup"], &place, |cx| {
            let leaf = cx.leaf(LeafKind::Value, tenth.text(), &place);
            if let Some(leaf) = cx.leaves.get_mut(leaf) {
                leaf.origin = Some("default (a tenth of duration, at most 1h)".into());
            }
        });
        return tenth;
    };
    if at.value >= duration {
        cx.error(
            "E402",
            &at.place,
            format!("the run is over at {duration}, nothing is left to measure"),
            "a warm-up is shorter than the duration",
        );
    }
    at.value
}

fn interval(cx: &mut Cx, scenario: &Scenario, duration: Span) -> Span {
    let Some(at) = &scenario.output.interval else {
        return Span::from_nanos((duration.nanos() / BINS).max(1));
    };
    if let Some(leaf) = cx.leaves.get_mut(at.leaf) {
        leaf.aside = true;
    }
    if at.value.is_zero() || duration.nanos() / at.value.nanos() > MAX_BINS {
        cx.error(
            "E107",
            &at.place,
            format!("more than {MAX_BINS} bins"),
            "a longer interval",
        );
        return Span::from_nanos((duration.nanos() / BINS).max(1));
    }
    at.value
}

/// An instant at the end of the window is outside of it.
fn within(at: Time, duration: Span) -> bool {
    at < Time::ZERO + duration
}
