//! What attacks came to: one entry each in the outcome, and its metrics.

use crate::outcome::Resilience;
use crate::suite::Suite;
use crate::verdict;
use consim_core::{NodeId, Severity, Verdict};
use serde::Serialize;
use std::collections::BTreeMap;

/// An attack of the plan, and what the run counted of it.
#[derive(Clone, Debug, Default)]
pub struct AttackFigures {
    /// Its name.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Its catalogue code.
    pub code: String,
    /// The adversary's name.
    pub by: String,
    /// Does the adversary control more members of the chain than that bears?
    pub beyond: bool,
    /// The nodes that the adversary controls.
    pub nodes: Vec<NodeId>,
    /// When its first window opened, seconds.
    pub from_s: f64,
    /// When its last window closed, seconds.
    pub to_s: f64,
    /// How often its nodes departed from what correct nodes would have done.
    pub took_effect: u64,
    /// What that counts.
    pub unit: String,
    /// The same, of each window by its name: from its opening to that of the next one.
    pub windows: Vec<(String, u64)>,
    /// Is it an insider's? No signed message of consensus proves that; the model's own figures say whom
    /// it is laid to.
    pub insiders: bool,
    /// Figures of the attack's own, by word.
    pub metrics: BTreeMap<String, f64>,
}

/// An entry of `attacks` in `outcome.json`.
#[derive(Clone, Debug, Serialize)]
pub struct AttackOutcome {
    /// Its name.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Its catalogue code.
    pub code: String,
    /// The adversary's name.
    pub by: String,
    /// Does the adversary control more members of the chain than that bears?
    pub beyond_the_bound: bool,
    /// The nodes that it controls.
    pub nodes: Vec<String>,
    /// When its first window opened, seconds.
    pub from_s: f64,
    /// When its last window closed, seconds.
    pub to_s: f64,
    /// How often its nodes departed from what correct nodes would have done.
    pub took_effect: u64,
    /// What `took_effect` counts.
    pub unit: String,
    /// By word, as under `attacks.NAME.WORD` in `metrics`.
    pub metrics: BTreeMap<String, f64>,
    /// Whom the signed messages that correct nodes heard prove guilty, of all nodes of the run.
    pub guilty: Vec<String>,
    /// `fail` if safety broke in the run, `unknown` if the attack had no effect, else `pass`.
    pub verdict: &'static str,
}

/// Judges the attacks of a run. `names` are the nodes' names, `corrupt` all nodes under control.
pub(crate) fn judge(
    figures: Vec<AttackFigures>,
    suite: &Suite,
    resilience: &[Resilience],
    names: &dyn Fn(NodeId) -> String,
) -> Vec<AttackOutcome> {
    let corrupt: Vec<NodeId> = figures.iter().flat_map(|f| f.nodes.clone()).collect();
    let guilty: Vec<NodeId> = suite.checks().iter().flat_map(|c| c.guilty()).collect();
    let traced = suite.checks().iter().any(|c| c.traces());
    let safety: Vec<_> = suite
        .checks()
        .iter()
        .filter(|c| c.severity() == Severity::Safety)
        .map(|c| c.finding())
        .collect();
    let violations: u64 = safety.iter().map(|f| f.violated).sum();
    let one = |f: AttackFigures| {
        let mut metrics = f.metrics;
        let mut put = |word: &str, value: f64| {
            if value.is_finite() {
                metrics.insert(word.to_owned(), value);
            }
        };
        put("took_effect", f.took_effect as f64);
        put("safety_violations", violations as f64);
        if traced && !f.insiders {
            let own = guilty.iter().filter(|n| f.nodes.contains(n)).count();
            let wrong = guilty.iter().filter(|n| !corrupt.contains(n)).count();
            put("attributed", own as f64);
            put("wrongly_accused", wrong as f64);
        }
        let is = |row: &&Resilience| row.id == f.id || row.id.starts_with(&format!("{}#", f.id));
        let rows: Vec<&Resilience> = resilience.iter().filter(is).collect();
        if !rows.is_empty() {
            let down: f64 = rows.iter().map(|r| r.downtime_s).sum();
            put("downtime", down * 1e3);
            let last = rows.last().and_then(|r| r.time_to_first_commit_s);
            put("time_to_first_commit", last.unwrap_or(f64::NAN) * 1e3);
            let worst = rows.iter().map(|r| r.sensitivity).fold(f64::NAN, f64::max);
            put("sensitivity", worst * 1e3);
        }
        let verdict = match (violations, f.took_effect) {
            (0, 0) => Verdict::Unknown,
            (0, _) => Verdict::Pass,
            _ => Verdict::Fail,
        };
        AttackOutcome {
            id: f.id,
            kind: f.kind,
            code: f.code,
            by: f.by,
            beyond_the_bound: f.beyond,
            nodes: f.nodes.iter().map(|&n| names(n)).collect(),
            from_s: f.from_s,
            to_s: f.to_s,
            took_effect: f.took_effect,
            unit: f.unit,
            metrics,
            guilty: guilty.iter().map(|&n| names(n)).collect(),
            verdict: verdict::word(verdict),
        }
    };
    figures.into_iter().map(one).collect()
}
