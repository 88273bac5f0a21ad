//! `outcome.json`: the stable result of a run (DESIGN: it may gain keys, never lose or rename one).

use crate::statistics::Interval;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// The outcome of one run. Field order is the order in the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Outcome {
    /// Version of this schema: 1.
    pub schema: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The `compare` label, if any.
    pub variant: Option<String>,
    /// The seed.
    pub seed: u64,
    /// consim's version.
    pub version: String,
    /// Digest of the plan (language page, section 6).
    pub plan_digest: String,
    /// The same without the seed.
    pub design_digest: String,
    /// Digest of the run: every send, delivery, timer, disk completion.
    pub run_digest: String,
    /// True if the run was cut short (interrupted, or a limit was hit).
    pub partial: bool,
    /// `pass`, `unknown` or `fail`.
    pub verdict: String,
    /// Virtual length.
    pub virtual_seconds: f64,
    /// Events that the kernel handled.
    pub events: u64,
    /// Messages delivered.
    pub messages: u64,
    /// Bytes sent.
    pub bytes: u64,
    /// Transactions.
    pub throughput: Throughput,
    /// Latency of all operations, end to end.
    pub latency_ms: Latency,
    /// By kind of operation.
    pub operations: BTreeMap<String, Operation>,
    /// Every metric word that this run fed, by the path used in `expect`.
    pub metrics: BTreeMap<String, f64>,
    /// One entry a chain.
    pub chains: Vec<ChainOutcome>,
    /// Data that was read.
    pub inputs: Vec<Input>,
    /// One entry a check.
    pub checks: Vec<CheckOutcome>,
    /// One entry a fault of the plan.
    pub faults: Vec<FaultOutcome>,
    /// One entry a change of the members; left out if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangeOutcome>,
    /// One entry an attack of the plan.
    pub attacks: Vec<serde_json::Value>,
    /// One entry a fault or attack: what it did to the service.
    pub resilience: Vec<Resilience>,
    /// One entry a gate.
    pub expectations: Vec<ExpectationOutcome>,
    /// One entry a service: when it was there for its users.
    #[serde(default)]
    pub services: Vec<ServiceOutcome>,
}

/// Reads a number that is not finite where the file says `null`, as JSON cannot write one.
pub(crate) fn nan_if_null<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Option::<f64>::deserialize(from).map(|value| value.unwrap_or(f64::NAN))
}

/// Transactions of the measured part of the run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Throughput {
    /// Admitted by a node.
    pub submitted: u64,
    /// Executed and applied.
    pub committed: u64,
    /// Executed and refused by the state machine, or duplicates.
    pub rejected: u64,
    /// Applied per second of the measured part.
    pub tx_per_s: f64,
}

/// Latencies in milliseconds.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Latency {
    /// Arithmetic mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Largest.
    pub max: f64,
    /// How many.
    pub count: u64,
}

/// One kind of operation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Operation {
    /// Asked for in the measured part.
    pub submitted: u64,
    /// Ended as done.
    pub committed: u64,
    /// Answered with a refusal.
    pub refused: u64,
    /// Given up by the user, or still open at the end past the deadline.
    pub failed: u64,
    /// Still open at the end, within the deadline.
    pub open: u64,
    /// Share answered (done or refused) within the deadline; open ones do not count. NaN (`null` in
    /// the file) if none is left.
    #[serde(deserialize_with = "nan_if_null")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub availability: f64,
    /// Of those that were answered.
    pub latency_ms: Latency,
}

/// One chain.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChainOutcome {
    /// Its name.
    pub id: String,
    /// The instance of a `per:` chain.
    pub instance: Option<String>,
    /// Its protocol.
    pub protocol: String,
    /// Its validators.
    pub nodes: u64,
    /// Height at the end (the highest of the correct nodes).
    pub height: u64,
    /// Applied per second.
    pub tx_per_s: f64,
    /// First admission to first execution, per transaction.
    pub latency_ms: Latency,
    /// Tolerated faulty members.
    pub f: u64,
    /// Votes a certificate needs.
    pub quorum: u64,
    /// View changes that took effect (the highest view seen).
    pub views: u64,
    /// Bytes of all blocks with certificates, one copy.
    pub ledger_bytes: u64,
}

/// A data source.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Input {
    /// As written in the scenario.
    pub path: String,
    /// Resources replayed.
    pub taken: u64,
    /// Resources or files left out.
    pub skipped: u64,
    /// Why, in words (at most 20 lines).
    pub notes: Vec<String>,
}

/// One check.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CheckOutcome {
    /// Its word.
    pub name: String,
    /// Its catalogue code.
    pub code: String,
    /// `pass`, `unknown`, `fail`.
    pub verdict: String,
    /// What a violation means: `safety` (exit code 10) or `liveness` (11).
    pub severity: String,
    /// Judged facts.
    pub evaluated: u64,
    /// The share of the operations that was judged, 0 to 1, where others travelled in cohorts; left out if none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampled: Option<f64>,
    /// Violations in all.
    pub violated: u64,
    /// What it says, in a sentence.
    pub says: String,
    /// The first violations in words.
    pub violations: Vec<String>,
    /// Why something could not be judged; left out if all could.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

/// One fault.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FaultOutcome {
    /// Its name.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Its catalogue code.
    pub code: String,
    /// A measured difference: messages dropped, delayed or retransmitted, nodes taken down.
    pub took_effect: u64,
    /// What `took_effect` counts.
    pub unit: String,
    /// Damage that the budget of disks forbade (`limits.fault_budget.disks`); left out if none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped: u64,
    /// When it began, seconds.
    pub from_s: f64,
    /// When it ended, seconds.
    pub to_s: f64,
    /// The nodes that it hit (run-time selectors resolved).
    pub hit: Vec<String>,
}

/// A change of the members of a chain.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChangeOutcome {
    /// Its name.
    pub id: String,
    /// `join` or `leave`.
    pub kind: String,
    /// Who.
    pub nodes: Vec<String>,
    /// When the administrator asked for it, seconds.
    pub asked_s: Option<f64>,
    /// When the first node learned that the new members alone decide, seconds; `null`: never.
    pub in_force_s: Option<f64>,
    /// When the administrator learned that it is done, seconds; `null`: never.
    pub done_s: Option<f64>,
}

impl ChangeOutcome {
    /// From asking for it to knowing that it is done, seconds.
    pub fn took_s(&self) -> Option<f64> {
        self.done_s.zip(self.asked_s).map(|(to, from)| to - from)
    }
}

/// Is it nothing?
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "what serde calls it with"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What a fault or attack did to the service.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Resilience {
    /// The fault's or attack's name.
    pub id: String,
    /// Seconds without progress in its window, and on to the next first commit: the gaps between commits
    /// in which requests waited, as long as they were, as far as they are longer than twice the 99th
    /// percentile outside of all windows. NaN (`null` in the file) if too little is known of those.
    #[serde(deserialize_with = "nan_if_null")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub downtime_s: f64,
    /// From the end of the window to the first commit.
    pub time_to_first_commit_s: Option<f64>,
    /// Area between the latency distribution functions of operations asked for in this window and
    /// outside of all windows, in seconds. NaN (`null` in the file) if one of them is empty.
    #[serde(deserialize_with = "nan_if_null")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub sensitivity: f64,
    /// Operations of the window that were given up.
    pub lost: u64,
    /// The entry of the plan: its name without the number of a repetition.
    #[serde(default)]
    pub entry: String,
    /// The kind of the fault or attack.
    #[serde(default)]
    pub kind: String,
    /// When the window opened, seconds.
    #[serde(default)]
    pub from_s: f64,
    /// When it closed, seconds.
    #[serde(default)]
    pub to_s: f64,
    /// A measured difference, as under `faults`.
    #[serde(default)]
    pub took_effect: u64,
    /// What `took_effect` counts.
    #[serde(default)]
    pub unit: String,
    /// The longest of the gaps that `downtime_s` sums up, seconds.
    #[serde(default, deserialize_with = "nan_if_null")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub longest_gap_s: f64,
    /// As much time before the window as it lasts, at least 10 s, without the warm-up.
    #[serde(default)]
    pub before: Option<Phase>,
    /// The window.
    #[serde(default)]
    pub during: Option<Phase>,
    /// As much time after it.
    #[serde(default)]
    pub after: Option<Phase>,
    /// Operations of the whole run that were answered as done and whose block no node holds at the
    /// end.
    #[serde(default)]
    pub acknowledged_lost: u64,
    /// The worst verdict of the safety checks of the run: `pass`, `unknown`, `fail`; empty if there
    /// is none.
    #[serde(default)]
    pub safety: String,
    /// The same plan and seed without it. `null` if that was not run.
    #[serde(default)]
    pub pair: Option<Pair>,
}

/// A stretch of a run.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Phase {
    /// Its length.
    pub seconds: f64,
    /// Transactions applied per second of it.
    pub tx_per_s: f64,
    /// Operations asked for in it.
    pub asked: u64,
    /// Of these, given up.
    pub lost: u64,
    /// Latency of those that were answered, whenever that was; exact to 1 %.
    pub latency_ms: Latency,
}

/// A run without some entries of its plan, in the time of a window that it does not have.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pair {
    /// The entries that it lacks.
    pub without: Vec<String>,
    /// Its run digest.
    pub run_digest: String,
    /// The worst verdict of its safety checks.
    pub safety: String,
    /// The window's time in it.
    pub during: Option<Phase>,
    /// Applied transactions in the window as a share of the pair's. NaN (`null` in the file) if that
    /// has none.
    #[serde(deserialize_with = "nan_if_null")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub throughput_left: f64,
    /// Its time without progress in the window, seconds.
    #[serde(deserialize_with = "nan_if_null")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub downtime_s: f64,
    /// Area between the latency distribution functions of all operations of the two runs, seconds.
    #[serde(deserialize_with = "nan_if_null")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub sensitivity: f64,
    /// Operations of the whole run that were answered as done and whose block no node holds.
    pub acknowledged_lost: u64,
}

/// When a service was there for its users.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServiceOutcome {
    /// Its name.
    pub id: String,
    /// Seconds in which requests waited longer than its shortest deadline and none was answered, or
    /// all were given up.
    pub unavailable_s: f64,
    /// Seconds of which it is known whether it was available.
    pub observed_s: f64,
    /// Seconds of which it is not known, since nobody asked.
    pub unknown_s: f64,
    /// How often it was unavailable.
    pub outages: u64,
    /// The longest of these, seconds.
    pub longest_outage_s: f64,
    /// Unavailable minutes of a year of 365 days, with the 95 % interval over days. `null` below ten
    /// days; without ends if it was never unavailable.
    pub unavailable_min_per_year: Option<Interval>,
    /// Days of which anything is known.
    pub days: u64,
    /// Of these, days with an outage.
    pub days_with_outage: u64,
    /// The share of days with an outage is at most this, at 95 %.
    pub days_with_outage_at_most: f64,
}

/// One gate.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExpectationOutcome {
    /// The metric's path.
    pub path: String,
    /// The limit as written.
    pub limit: String,
    /// The value with its unit, or null if nothing fed it.
    pub value: Option<String>,
    /// Was it met? `None` if nothing fed it.
    pub met: Option<bool>,
    /// How far from the limit, as a share of the limit (positive is on the good side).
    pub margin: Option<f64>,
}

#[cfg(test)]
mod tests;
