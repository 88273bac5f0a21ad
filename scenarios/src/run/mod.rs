//! Plan -> kernel -> results.

mod adversaries;
mod brief;
pub mod cells;
mod chains;
mod changes;
mod dates;
mod domain;
mod flood;
mod layout;
mod light;
mod operator;
mod pairs;
mod relays;
mod spawner;
pub mod story;
mod subjects;
mod trust;
mod twice;
mod workloads;

pub use brief::{Brief, BriefCheck, Effect, brief};
pub use consim_models::ledger::LedgerMemory;
pub use pairs::{MAX_PAIRS, PairPlan, calm, execute_paired, pairs};
pub use spawner::{Hooks, PolicyOf, ValuesOf};
pub use twice::{Divergence, twice};

use crate::plan::{HealPlan, Plan, WorkloadKind, bound_timers};
use adversaries::{Adversaries, Mark};
use chains::Hosted;
use consim_check::assemble::{Domain as Figures, KernelFigures, assemble};
use consim_check::attacks::AttackFigures;
use consim_check::keys::Keys;
use consim_check::marks::Marks;
use consim_check::metrics::{Metrics, Unjudged};
use consim_check::outcome::{CheckOutcome, FaultOutcome};
use consim_check::pairs::{Companion, companion};
use consim_check::results::{NodeUse, Results};
use consim_check::suite::Suite;
use consim_core::{
    ChainId, Disk, Heal, NodeId, Observer, Payload, Probe, Severity, Span, Streams, Time, TimerKey,
    seeded,
};
use consim_kernel::config::EventList;
use consim_kernel::{Kernel, KernelConfig, Progress};
use consim_models::consensus::TIMER_LIMIT;
use consim_models::ledger::Meter;
use domain::Summaries;
use layout::Layout;
use operator::Watch;
use spawner::Spawner;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What takes longer to arrive waits for retransmissions, which back off: that is added to the bound after a
/// heal.
const LONG_FLIGHT: Span = Span::from_secs(1);

/// Into how many slices a run is cut for its progress bar.
const SLICES: u64 = 400;

/// Why a plan cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The plan holds something that this version cannot run.
    #[error("{0}")]
    Unsupported(String),
}

/// A finished run.
#[derive(Debug)]
pub struct Run {
    /// Everything for the reports.
    pub results: Results,
    /// The exit code of the verdict and the expectations.
    pub exit_code: u8,
    /// What the ledgers of all nodes held at the end.
    pub memory: LedgerMemory,
    /// What it says to the run that it is the pair of.
    pub companion: Companion,
    /// What its pair has to judge, as nothing in it says what is usual.
    pub unjudged: Option<Unjudged>,
}

/// Runs `plan`; `progress` is told the share that is done, 0 to 1.
pub fn execute(plan: &Plan, progress: &mut dyn FnMut(f64)) -> Result<Run, RunError> {
    execute_with(plan, &Hooks::default(), progress)
}

/// Runs `plan` with some parts replaced, for tests that show that a check can fail.
pub fn execute_with(
    plan: &Plan,
    hooks: &Hooks,
    progress: &mut dyn FnMut(f64),
) -> Result<Run, RunError> {
    seeded::with(hooks.bug, || {
        let mut running = Running::new(plan, hooks)?;
        for until in slices(plan) {
            if running.advance(until) == Progress::Done {
                break;
            }
            progress(until.seconds() / plan.duration.seconds());
        }
        let mut run = running.finish();
        if let Some(bug) = hooks.bug.filter(|bug| seeded::on(bug)) {
            let note = format!("The seeded bug {} was switched on. {}", bug.name, bug.says);
            run.results.notes.insert(0, note);
        }
        Ok(run)
    })
}

/// The instants up to which a run goes in one piece, so that it can tell how far it is.
fn slices(plan: &Plan) -> impl Iterator<Item = Time> {
    let slice = Span::from_nanos((plan.duration.nanos() / SLICES).max(1));
    (1..).map(move |i| Time::ZERO + slice.times(i))
}

/// A plan in a kernel.
struct Running<'a> {
    plan: &'a Plan,
    chains: Vec<Hosted<'a>>,
    layout: Arc<Layout>,
    meters: Vec<Arc<Meter>>,
    adversaries: Arc<Adversaries>,
    kernel: Kernel<RunObserver>,
    /// The heal was told.
    healed: bool,
}

/// Votes that a certificate takes on the chain of a node.
fn quorum(chains: &[Hosted<'_>], layout: &Layout, node: NodeId) -> usize {
    let chain = chains.get(layout.chain_of(node));
    chain.map_or(usize::MAX, |chain| chain.plan.quorum)
}

impl<'a> Running<'a> {
    fn new(plan: &'a Plan, hooks: &Hooks) -> Result<Self, RunError> {
        Self::telling(plan, hooks, None)
    }

    /// The same, with somebody who writes down what happens, from the start of the nodes on.
    fn telling(
        plan: &'a Plan,
        hooks: &Hooks,
        story: Option<Box<story::Recorder>>,
    ) -> Result<Self, RunError> {
        let streams = Streams::new(plan.seed);
        let layout = Arc::new(Layout::new(plan));
        let chains = chains::of(plan, &layout)?;
        let identities = chains::identities(plan, &layout, &chains, streams);
        let adversaries = Arc::new(Adversaries::new(plan, &layout, &chains));
        let corrupt = adversaries.corrupt();
        let keys = chains.iter().zip(&identities);
        let keys = Keys::of_chains(keys.map(|(chain, of)| (chain.id, of.keys.clone())));
        let ways = relays::ways(plan, &layout, corrupt);
        let mut judges = subjects::checks(plan, &layout, &chains, keys, corrupt);
        let mut services = domain::Services::of(plan, &layout, &chains, hooks);
        let domain_checks = services.checks.drain(..);
        let domain_checks = domain_checks.filter(|c| subjects::wanted(plan, &**c));
        judges.extend(domain_checks.map(|check| adversaries.of_correct(check)));
        let between = relays::checks(plan, ways.as_ref()).into_iter();
        judges.extend(between.filter(|c| subjects::wanted(plan, &**c)));
        judges.retain(|c| plan.judges_liveness || c.severity() != Severity::Liveness);
        let mut windows = layout.faults(plan);
        windows.extend(adversaries::interference(plan, &layout));
        let metrics = Metrics::new(subjects::metrics(plan, &layout, corrupt));
        let mut suite = Suite::new(metrics, judges);
        let shut = plan.shut_out();
        if !shut.is_empty() {
            let (bound, broken) = (plan.heal_bound, layout.nodes_around(plan, &shut));
            suite.shut_out(Time::ZERO, &Heal { bound, broken });
        }
        let observer = RunObserver {
            suite,
            disturbing: changes::disturbing(plan),
            summaries: services.summaries,
            relays: relays::Told::new(plan, ways.as_ref()),
            layout: (chains.len() > 1).then(|| Arc::clone(&layout)),
            watch: Watch::new(
                &windows,
                &|node| quorum(&chains, &layout, node),
                plan.start_ns,
                &changes::names(plan),
            ),
            attacks: Attacks::new(Arc::clone(&adversaries)),
            marks: None,
            watcher: None,
            story,
        };
        let pairs = chains.iter().zip(&identities);
        let relays = relays::Relays::of(plan, &layout, ways, pairs);
        let spawner = Spawner::new(spawner::Parts {
            relays,
            plan,
            layout: Arc::clone(&layout),
            chains: chains
                .iter()
                .cloned()
                .zip(identities)
                .zip(services.domains)
                .map(|((chain, identities), domain)| (chain, identities, domain))
                .collect(),
            hooks: hooks.clone(),
            adversaries: Arc::clone(&adversaries),
        });
        let meters = spawner.meters();
        let config = KernelConfig {
            streams,
            start_ns: plan.start_ns,
            nodes: layout.nodes(plan),
            network: Layout::network(plan),
            faults: windows,
            workloads: workloads::build(plan, &layout, streams),
            spawner: Box::new(spawner),
            end: Time::ZERO + plan.duration,
            list: EventList::default(),
        };
        Ok(Self {
            plan,
            chains,
            layout,
            meters,
            adversaries,
            kernel: Kernel::new(config, observer),
            healed: false,
        })
    }

    /// Runs until `until`, with the heal on its way if that is due.
    fn advance(&mut self, until: Time) -> Progress {
        if let Some(heal) = &self.plan.heal
            && !self.healed
            && heal.at <= until
        {
            self.kernel.run_until(heal.at);
            self.healed = true;
            self.heal(heal);
        }
        self.kernel.run_until(until)
    }

    /// The faults are over: tells the checks what they may expect from now on. A replica whose
    /// timers grew while nothing went on may be right to wait for so long (FAULTS-AND-ATTACKS, 3e).
    fn heal(&mut self, heal: &HealPlan) {
        let layout = &self.layout;
        let ordering = |node, key: TimerKey| layout.is_server(node) && key.0 < TIMER_LIMIT;
        let mut bound = self.plan.heal_bound;
        if heal.auto
            && let Some(longest) = self.kernel.longest_wait(ordering)
        {
            bound = bound.max(longest.times(bound_timers(&self.plan.adversaries)));
        }
        let flight = self.kernel.longest_flight();
        if heal.auto && flight > LONG_FLIGHT {
            bound += flight;
        }
        let mut broken = layout.nodes_around(self.plan, &heal.broken);
        broken.extend(layout.nodes_around(self.plan, &self.plan.shut_out()));
        let heal = Heal { bound, broken };
        let now = self.kernel.now();
        self.kernel.observer_mut().healed(now, &heal);
    }

    /// What came of the run.
    fn finish(self) -> Run {
        let Self {
            plan,
            chains,
            layout,
            meters,
            adversaries,
            kernel,
            ..
        } = self;
        let figures = figures(plan, &layout, &kernel);
        let attacks = attack_figures(&adversaries, &kernel);
        let memory = meters.iter().map(|meter| meter.read()).sum();
        let observer = kernel.into_observer();
        let mut table = observer.summaries.rows();
        table.extend(source_rows(plan));
        let mut metrics = observer.relays.metrics(plan);
        metrics.extend(observer.summaries.metrics());
        let domain = Figures {
            metrics,
            table,
            attacks,
            names: subjects::names(plan, &layout),
        };
        let identity = subjects::identity(plan, &chains);
        let (mut results, exit_code) = assemble(&observer.suite, identity, figures, domain);
        let bug = plan.found.bug.filter(|bug| seeded::on(bug));
        if let Some(meant) = plan.demanded(bug) {
            results.meant = Some(meant.to_owned());
            let fails = |c: &CheckOutcome| c.name == meant && c.verdict == "fail";
            let did = results.outcome.checks.iter().any(fails);
            let did = if did { "and was" } else { "and was not" };
            let note = format!("The check {meant} was meant to be violated, {did}.");
            results.notes.insert(0, note);
        }
        let metrics = observer.suite.metrics();
        Run {
            companion: companion(metrics, &results),
            unjudged: metrics.unjudged(),
            results,
            exit_code,
            memory,
        }
    }
}

/// All observers of a run.
struct RunObserver {
    suite: Suite,
    /// The numbers of the planned changes that disturb members.
    disturbing: Vec<(ChainId, u64)>,
    summaries: Summaries,
    relays: relays::Told,
    /// Which chain a node has to do with, where there are several.
    layout: Option<Arc<Layout>>,
    watch: Watch,
    attacks: Attacks,
    /// Counts the marks that the run comes to, for those who ask.
    marks: Option<Marks>,
    /// Somebody who looks on.
    watcher: Option<Box<dyn Observer>>,
    /// Who writes down what happens, and when a check breaks.
    story: Option<Box<story::Recorder>>,
}

/// The timeline of the attacks, and what their nodes said of them.
struct Attacks {
    marks: std::vec::IntoIter<Mark>,
    /// When the next window opens or closes.
    next: Time,
    told: Vec<u64>,
    adversaries: Arc<Adversaries>,
    /// Windows that have opened: the attack's number, the window's name, and what the attack had done
    /// before.
    opened: Vec<(usize, String, u64)>,
}

impl Attacks {
    fn new(adversaries: Arc<Adversaries>) -> Self {
        let marks = adversaries.marks().into_iter();
        Self {
            next: marks.as_slice().first().map_or(Time::MAX, |mark| mark.at),
            marks,
            told: Vec::new(),
            adversaries,
            opened: Vec::new(),
        }
    }
}

impl RunObserver {
    /// An event goes into the story, if there is one, and then what the checks think of it.
    #[inline]
    fn tell(&mut self, event: impl FnOnce(&mut story::Recorder)) {
        if let Some(story) = &mut self.story {
            event(story);
            story.look(self.suite.checks(), false);
        }
    }
    /// Windows of attacks up to `at` open and close.
    #[inline]
    fn keep_time(&mut self, at: Time) {
        if at >= self.attacks.next {
            self.pass_marks(at);
        }
    }
    #[cold]
    fn pass_marks(&mut self, at: Time) {
        while let Some(mark) = self.attacks.marks.as_slice().first()
            && mark.at <= at
        {
            let (suite, mark) = (&mut self.suite, mark.clone());
            suite.attack(mark.at, &mark.id, mark.open, mark.excuses);
            if mark.open {
                let attacks = &mut self.attacks;
                let before = attacks.adversaries.effect(mark.attack, &attacks.told);
                attacks.opened.push((mark.attack, mark.id.clone(), before));
            }
            if let Some(story) = &mut self.story {
                story.attack(mark.at, &mark.id, mark.open);
            }
            self.attacks.marks.next();
        }
        let next = self.attacks.marks.as_slice().first();
        self.attacks.next = next.map_or(Time::MAX, |mark| mark.at);
    }
}

impl Observer for RunObserver {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        self.keep_time(at);
        if let Some(marks) = &mut self.marks {
            marks.probe(at, node, probe);
        }
        if let Probe::Reached(_) = probe {
            return;
        }
        if let Probe::Misbehaved { attack, times } = probe {
            let told = &mut self.attacks.told;
            let number = usize::from(*attack);
            told.resize(told.len().max(number + 1), 0);
            if let Some(told) = told.get_mut(number) {
                *told += times;
            }
            self.tell(|story| story.probe(at, node, probe));
            return;
        }
        if let Probe::Change {
            chain,
            number,
            done,
        } = probe
            && self.disturbing.contains(&(*chain, *number))
        {
            self.suite.disturbed(at, "change", !done);
        }
        self.suite.probe(at, node, probe);
        let chain = self.layout.as_ref().map(|layout| layout.chain_of(node));
        self.summaries.probe(chain, at, node, probe);
        self.relays.probe(at, node, probe);
        self.watch.probe(at, node, probe);
        if let Some(watcher) = &mut self.watcher {
            watcher.probe(at, node, probe);
        }
        self.tell(|story| story.probe(at, node, probe));
    }
    fn sent(&mut self, at: Time, from: NodeId, payload: &dyn Payload, receivers: usize) {
        self.suite.sent(at, from, payload, receivers);
        self.watch.sent(at, from, payload, receivers);
        if let Some(marks) = &mut self.marks {
            marks.sent(at, from, payload, receivers);
        }
        if let Some(watcher) = &mut self.watcher {
            watcher.sent(at, from, payload, receivers);
        }
        if let Some(story) = &mut self.story {
            story.sent(at, from);
            story.look(self.suite.checks(), true);
        }
    }
    fn stands_still(&mut self, at: Time, node: NodeId, until: Time) {
        self.keep_time(at);
        self.suite.stands_still(at, node, until);
    }
    fn node_up(&mut self, at: Time, node: NodeId, up: bool) {
        self.keep_time(at);
        self.suite.node_up(at, node, up);
        if let Some(marks) = &mut self.marks {
            marks.node_up(at, node, up);
        }
        if let Some(watcher) = &mut self.watcher {
            watcher.node_up(at, node, up);
        }
        self.tell(|story| story.node_up(at, node, up));
    }
    fn fault(&mut self, at: Time, id: &str, open: bool) {
        self.keep_time(at);
        if adversaries::interferes(id).is_some() {
            // The attack's own window says so.
            return;
        }
        self.suite.fault(at, id, open);
        self.watch.fault(at, id, open);
        if let Some(marks) = &mut self.marks {
            marks.fault(at, id, open);
        }
        if let Some(watcher) = &mut self.watcher {
            watcher.fault(at, id, open);
        }
        self.tell(|story| story.fault(at, id, open));
    }
    fn healed(&mut self, at: Time, heal: &Heal) {
        self.suite.healed(at, heal);
        if let Some(marks) = &mut self.marks {
            marks.healed(at, heal);
        }
        if let Some(watcher) = &mut self.watcher {
            watcher.healed(at, heal);
        }
        self.tell(|story| story.healed(at, heal));
    }
    fn stored(&mut self, at: Time, node: NodeId, disk: &Disk) {
        self.suite.stored(at, node, disk);
    }
    fn end(&mut self, at: Time) {
        self.keep_time(at);
        self.suite.end(at);
        if let Some(watcher) = &mut self.watcher {
            watcher.end(at);
        }
        self.tell(|story| story.end(at));
    }
}

/// What came of the attacks.
fn attack_figures(adversaries: &Adversaries, kernel: &Kernel<RunObserver>) -> Vec<AttackFigures> {
    let mut interfered: BTreeMap<String, u64> = BTreeMap::new();
    for effect in kernel.fault_effects() {
        if let Some(window) = adversaries::interferes(&effect.id) {
            *interfered.entry(window.to_owned()).or_default() += effect.took_effect;
        }
    }
    let RunObserver {
        attacks, summaries, ..
    } = kernel.observer();
    let mut figures = adversaries.figures(&attacks.told, &attacks.opened, &interfered);
    for (figures, number) in figures.iter_mut().zip(0u16..) {
        figures.metrics = summaries.attack(number);
    }
    figures
}

fn figures(plan: &Plan, layout: &Layout, kernel: &Kernel<RunObserver>) -> KernelFigures {
    let watch = &kernel.observer().watch;
    let totals = kernel.totals();
    let length = plan.duration.seconds().max(f64::MIN_POSITIVE);
    let node_use = kernel
        .usage()
        .iter()
        .zip(0u32..)
        .filter(|(_, n)| layout.is_server(NodeId(*n)))
        .filter_map(|(usage, n)| {
            let institution = plan
                .institutions
                .get(*layout.institution_of.get(n as usize)?)?;
            Some(NodeUse {
                name: institution.name.clone(),
                tier: institution.tier.clone(),
                region: plan.network.regions.get(institution.region)?.name.clone(),
                cpu: usage.cpu.seconds() / length,
                nic_out: usage.nic_out.seconds() / length,
                nic_in: usage.nic_in.seconds() / length,
                disk: usage.disk.seconds() / length,
                messages: usage.messages,
                bytes_out: usage.bytes_out,
                down_s: usage.down.seconds(),
            })
        })
        .collect();
    let faults = kernel
        .fault_effects()
        .into_iter()
        .filter(|effect| adversaries::interferes(&effect.id).is_none())
        .map(|effect| FaultOutcome {
            kind: effect.kind.to_owned(),
            code: effect.code.to_owned(),
            took_effect: watch.count(&effect.id, effect.took_effect),
            unit: effect.unit.to_owned(),
            skipped: effect.skipped,
            from_s: effect.from.seconds(),
            to_s: effect.to.seconds(),
            hit: effect.hit.iter().map(|&n| layout.name(plan, n)).collect(),
            id: effect.id,
        })
        .collect();
    KernelFigures {
        traffic: kernel
            .usage()
            .iter()
            .map(|usage| (usage.messages, usage.bytes_out))
            .collect(),
        lines: vec![
            ("lost", totals.lines.lost),
            ("retransmitted", totals.lines.retransmissions),
            ("overflowed", totals.lines.overflowed),
            ("duplicated", totals.lines.duplicated),
            ("reordered", totals.lines.reordered),
            ("corrupted", totals.lines.corrupted),
            ("refused", totals.lines.refused),
        ],
        events: totals.events,
        messages: totals.messages,
        bytes: totals.bytes,
        partial: totals.partial,
        run_digest: kernel.run_digest(),
        node_use,
        faults,
        flows: kernel.flows().to_vec(),
    }
}

/// What a reader should know of recorded data: how many patients, and how many of them say nothing
/// about sharing.
fn source_rows(plan: &Plan) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    for workload in plan.workloads.values() {
        if let WorkloadKind::Visits(options, _) = &workload.kind
            && let Some(records) = &options.records
        {
            rows.push((
                "recorded visits".to_owned(),
                records.visits.len().to_string(),
            ));
            rows.push(("recorded patients".to_owned(), records.patients.to_string()));
            rows.push((
                "recorded consents".to_owned(),
                records.consents.len().to_string(),
            ));
            rows.push((
                "recorded patients without a consent (default policy)".to_owned(),
                records.patients_without_consent.to_string(),
            ));
        }
    }
    rows
}
