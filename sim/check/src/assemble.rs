//! Puts the results of a run together.

use crate::attacks::{self, AttackFigures};
use crate::bottleneck;
use crate::metrics::{self, Metrics, RunFigures};
use crate::outcome::{
    ChainOutcome, CheckOutcome, ExpectationOutcome, FaultOutcome, Input, Outcome,
};
use crate::results::{NodeUse, Region, Results, Topology};
use crate::suite::Suite;
use crate::verdict;
use consim_core::values::Expectation;
use consim_core::{ChainId, Check, NodeId, Span};
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// The version of the schema of `outcome.json`.
pub const SCHEMA: u32 = 1;

/// What the plan says of a run.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// The scenario's name.
    pub scenario: String,
    /// One or two sentences of it.
    pub about: Option<String>,
    /// The `compare` label, if any.
    pub variant: Option<String>,
    /// The seed.
    pub seed: u64,
    /// consim's version.
    pub version: String,
    /// Hexadecimal digest of the plan.
    pub plan_digest: String,
    /// The same without the seed.
    pub design_digest: String,
    /// The chains.
    pub chains: Vec<ChainIdentity>,
    /// The gates.
    pub expectations: Vec<Expectation>,
    /// Data that was read.
    pub inputs: Vec<Input>,
    /// The network's places.
    pub regions: Vec<Region>,
    /// Notes of the planner.
    pub notes: Vec<String>,
    /// The plan as a scenario.
    pub plan_yaml: String,
    /// Where numbers come from: path, source.
    pub sources: Vec<(String, String)>,
}

/// What the plan says of a chain.
#[derive(Clone, Debug, Default)]
pub struct ChainIdentity {
    /// Its number.
    pub id: ChainId,
    /// Its name.
    pub name: String,
    /// The instance of a `per:` chain.
    pub instance: Option<String>,
    /// Its protocol's word.
    pub protocol: String,
    /// Its validators.
    pub nodes: u64,
    /// Tolerated faulty members.
    pub f: u64,
    /// Votes a certificate needs.
    pub quorum: u64,
    /// The longest that a transaction waits for a block to fill.
    pub block_wait: Span,
    /// Predicted least time from proposal to commit.
    pub floor: Span,
}

impl ChainIdentity {
    /// Its name in metric paths: with its instance, `NAME@INSTANCE`.
    fn path_name(&self) -> String {
        match &self.instance {
            Some(instance) => format!("{}@{instance}", self.name),
            None => self.name.clone(),
        }
    }
}

/// What the kernel counted.
#[derive(Clone, Debug, Default)]
pub struct KernelFigures {
    /// Events handled.
    pub events: u64,
    /// Messages that arrived.
    pub messages: u64,
    /// Bytes sent, every copy.
    pub bytes: u64,
    /// Messages that arrived at and bytes sent by each node, by its number; empty if not known.
    pub traffic: Vec<(u64, u64)>,
    /// What the lines did to messages: metric word, how many.
    pub lines: Vec<(&'static str, u64)>,
    /// Was the run cut short?
    pub partial: bool,
    /// Hexadecimal digest of the run.
    pub run_digest: String,
    /// How busy the nodes were.
    pub node_use: Vec<NodeUse>,
    /// What the fault windows came to.
    pub faults: Vec<FaultOutcome>,
    /// Bytes between regions, `[from][to]`.
    pub flows: Vec<Vec<u64>>,
}

/// What the domain model adds.
#[derive(Clone, Debug, Default)]
pub struct Domain {
    /// Metrics of its own, by path.
    pub metrics: BTreeMap<String, f64>,
    /// Its table: heading, value.
    pub table: Vec<(String, String)>,
    /// One entry an attack of the plan.
    pub attacks: Vec<AttackFigures>,
    /// Names of the nodes, by their number.
    pub names: Vec<String>,
}

/// The results of a run, and its exit code.
pub fn assemble(
    suite: &Suite,
    identity: Identity,
    figures: KernelFigures,
    domain: Domain,
) -> (Results, u8) {
    let metrics = suite.metrics();
    let mut values = metrics.values(&RunFigures {
        chains: &chain_names(&identity.chains),
        total: (figures.messages, figures.bytes),
        nodes: &figures.traffic,
        lines: &figures.lines,
    });
    values.extend(domain.metrics.into_iter().filter(|(_, v)| v.is_finite()));
    let resilience = metrics.resilience();
    let names = |node: NodeId| {
        let name = domain.names.get(node.index());
        name.map_or_else(|| node.to_string(), Clone::clone)
    };
    let windows: BTreeMap<String, u64> = domain
        .attacks
        .iter()
        .flat_map(|attack| attack.windows.iter().cloned())
        .collect();
    let attacks = attacks::judge(domain.attacks, suite, &resilience, &names);
    for attack in &attacks {
        for (word, value) in &attack.metrics {
            values.insert(format!("attacks.{}.{word}", attack.id), *value);
        }
    }
    let expectations = identity
        .expectations
        .iter()
        .map(|expectation| judge(expectation, &values))
        .collect();
    let bottleneck = bottleneck::sentence(metrics, &identity.chains, &figures.node_use);
    let mut outcome = Outcome {
        schema: SCHEMA,
        scenario: identity.scenario,
        variant: identity.variant,
        seed: identity.seed,
        version: identity.version,
        plan_digest: identity.plan_digest,
        design_digest: identity.design_digest,
        run_digest: figures.run_digest,
        partial: figures.partial,
        verdict: String::new(),
        virtual_seconds: metrics.ended_at().seconds(),
        events: figures.events,
        messages: figures.messages,
        bytes: figures.bytes,
        throughput: metrics.throughput(),
        latency_ms: metrics.latency(),
        operations: metrics.operations(),
        metrics: values,
        chains: identity
            .chains
            .iter()
            .map(|chain| chain_outcome(metrics, chain))
            .collect(),
        inputs: identity.inputs,
        checks: suite.checks().iter().map(|c| check_outcome(&**c)).collect(),
        faults: figures.faults,
        changes: metrics.changes(),
        attacks: attacks
            .iter()
            .filter_map(|a| serde_json::to_value(a).ok())
            .collect(),
        resilience,
        expectations,
        services: metrics.services(),
    };
    name_windows(&mut outcome, &windows);
    verdict::word(verdict::run_verdict(&outcome)).clone_into(&mut outcome.verdict);
    let exit_code = verdict::exit_code(&outcome);
    let [groups, institutions] = metrics.organisations();
    let results = Results {
        about: identity.about,
        meant: None,
        groups,
        institutions,
        interval_s: metrics.interval().seconds(),
        warmup_s: metrics.warmup().seconds(),
        series: metrics.series().to_vec(),
        latencies: metrics.histograms(),
        topology: Topology {
            regions: identity.regions,
            flows: flows(&figures.flows),
        },
        resources: figures.node_use,
        bottleneck,
        notes: notes(metrics, identity.notes, outcome.partial),
        plan_yaml: identity.plan_yaml,
        sources: identity.sources,
        domain: domain.table,
        outcome,
    };
    (results, exit_code)
}

/// Says of each window what it is, whether it took effect, and how safety stood in the end.
/// `attacks` is what each window of an attack did.
fn name_windows(outcome: &mut Outcome, attacks: &BTreeMap<String, u64>) {
    let safety = crate::pairs::safety(outcome);
    let attack = |id: &str| -> Option<(&str, &str)> {
        let is = |attack: &&serde_json::Value| attack.get("id").is_some_and(|i| i == id);
        let attack = outcome.attacks.iter().find(is)?;
        Some((attack.get("kind")?.as_str()?, attack.get("unit")?.as_str()?))
    };
    for row in &mut outcome.resilience {
        row.safety.clone_from(&safety);
        if let Some(fault) = outcome.faults.iter().find(|fault| fault.id == row.id) {
            row.kind.clone_from(&fault.kind);
            row.took_effect = fault.took_effect;
            row.unit.clone_from(&fault.unit);
        } else if let Some((kind, unit)) = attack(&row.entry) {
            kind.clone_into(&mut row.kind);
            unit.clone_into(&mut row.unit);
            row.took_effect = attacks.get(&row.id).copied().unwrap_or(0);
        }
    }
}

fn chain_names(chains: &[ChainIdentity]) -> Vec<(ChainId, String)> {
    chains
        .iter()
        .map(|chain| (chain.id, chain.path_name()))
        .collect()
}

/// Compares a metric with what is expected of it.
fn judge(expectation: &Expectation, values: &BTreeMap<String, f64>) -> ExpectationOutcome {
    let (path, limit) = (&expectation.path, &expectation.limit);
    let value = values.get(path).copied();
    // A metric of a domain model's own is a bare number.
    let unit = metrics::find(path).map_or(metrics::Unit::Count, |(entry, ..)| entry.unit);
    // One relative to another variant is judged when all have run.
    let judged = value.filter(|_| expectation.of.is_none());
    ExpectationOutcome {
        path: path.clone(),
        limit: expectation.text.clone(),
        value: value.map(|value| unit.render(value, limit)),
        met: judged.map(|value| limit.holds(value)),
        margin: judged.map(|value| limit.margin(value)),
    }
}

/// Judges all gates of a run anew, by the metrics that it has: those of a scenario may have changed
/// since it ran. Gates relative to another variant stay open, see [`settle`].
pub fn judge_all(outcome: &mut Outcome, expectations: &[Expectation]) {
    let judged = expectations.iter().map(|e| judge(e, &outcome.metrics));
    outcome.expectations = judged.collect();
    verdict::word(verdict::run_verdict(outcome)).clone_into(&mut outcome.verdict);
}

/// Judges the gates of a run that are relative to another variant, now that the metrics of all
/// variants are known, by label. One whose metric the other did not feed stays unknown.
pub fn settle(
    outcome: &mut Outcome,
    expectations: &[Expectation],
    variants: &BTreeMap<String, BTreeMap<String, f64>>,
) {
    for (judged, expectation) in outcome.expectations.iter_mut().zip(expectations) {
        let Some(of) = &expectation.of else { continue };
        let other = variants.get(of).and_then(|v| v.get(&expectation.path));
        let own = outcome.metrics.get(&expectation.path);
        if let (Some(&other), Some(&own)) = (other, own) {
            let limit = expectation.limit.times(other);
            judged.met = Some(limit.holds(own));
            judged.margin = Some(limit.margin(own));
        }
    }
    verdict::word(verdict::run_verdict(outcome)).clone_into(&mut outcome.verdict);
}

fn chain_outcome(metrics: &Metrics, identity: &ChainIdentity) -> ChainOutcome {
    let chain = metrics.of_chain(identity.id);
    ChainOutcome {
        id: identity.name.clone(),
        instance: identity.instance.clone(),
        protocol: identity.protocol.clone(),
        nodes: identity.nodes,
        height: chain.map_or(0, |chain| chain.height),
        tx_per_s: chain.map_or(0.0, |chain| metrics.per_second(chain.applied)),
        latency_ms: chain
            .map(|chain| chain.latencies.summary())
            .unwrap_or_default(),
        f: identity.f,
        quorum: identity.quorum,
        views: chain.map_or(0, |chain| chain.views),
        ledger_bytes: chain.map_or(0, |chain| chain.ledger_bytes),
    }
}

fn check_outcome(check: &dyn Check) -> CheckOutcome {
    let mut finding = check.finding();
    let sampled = finding.sampled();
    if sampled == Some(0.0) {
        finding.excuse(format!(
            "{} operations travelled in cohorts, none alone",
            finding.left_out
        ));
    }
    CheckOutcome {
        name: check.name().to_owned(),
        code: check.code().to_owned(),
        verdict: verdict::word(finding.verdict).to_owned(),
        severity: verdict::severity_word(check.severity()).to_owned(),
        evaluated: finding.evaluated,
        sampled,
        violated: finding.violated,
        says: check.says().to_owned(),
        violations: finding.violations,
        reasons: finding.reasons,
    }
}

/// The flows that carried anything.
fn flows(matrix: &[Vec<u64>]) -> Vec<(usize, usize, u64)> {
    let row = |(from, row): (usize, &Vec<u64>)| -> Vec<(usize, usize, u64)> {
        let cells = row.iter().enumerate();
        cells.map(|(to, &bytes)| (from, to, bytes)).collect()
    };
    let cells = matrix.iter().enumerate().flat_map(row);
    cells.filter(|&(.., bytes)| bytes > 0).collect()
}

fn notes(metrics: &Metrics, mut notes: Vec<String>, partial: bool) -> Vec<String> {
    if partial {
        notes.push(format!(
            "The run was cut short at {}: all figures are of the part before.",
            metrics.ended_at()
        ));
    }
    let (transactions, windows) = metrics.left_out();
    if transactions > 0 {
        notes.push(format!(
            "More than {} transactions waited at a time: {transactions} admissions are in no figure \
             of submitted transactions and chain latency.",
            metrics::MAX_WAITING_TXS
        ));
    }
    if windows > 0 {
        notes.push(format!(
            "Resilience is of the first {} fault windows; {windows} more have no figures.",
            metrics::MAX_WINDOWS
        ));
    }
    if let Some(limit) = metrics.stall_limit() {
        notes.push(format!(
            "Time without progress is made of gaps between commits longer than {:.3} s, while requests \
             waited: {} times the 99th percentile of such gaps outside of all windows.",
            limit.seconds(),
            metrics::STALL_FACTOR
        ));
    }
    notes
}
