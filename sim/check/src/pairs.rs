//! A run beside the same plan and seed without some of its faults and attacks.
//!
//! Random draws are keyed by what they are for, so that taking an entry away shifts nothing else:
//! what differs between the two runs is what the entry did.

use crate::metrics::{Metrics, Unjudged};
use crate::outcome::{Outcome, Pair, Phase};
use crate::results::{Results, histogram};
use crate::statistics::{area_between, histogram_steps};
use crate::verdict;
use consim_core::{Severity, Span, Verdict};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// What a run leaves for the comparison with the run that it is the pair of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Companion {
    /// Its run digest.
    pub run_digest: String,
    /// The worst verdict of its safety checks.
    pub safety: String,
    /// The longest of its gaps that is no stall, nanoseconds.
    pub limit_ns: Option<u64>,
    /// The windows of the other run, in this one.
    pub windows: Vec<CompanionWindow>,
    /// Latency of all answered operations, microseconds.
    #[serde(with = "histogram")]
    pub latencies: Option<Histogram<u64>>,
    /// Operations that were answered as done and whose block no node holds.
    pub acknowledged_lost: u64,
}

/// The time of a window in a run that may not have it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CompanionWindow {
    /// The window's name.
    pub id: String,
    /// The service in it.
    pub during: Option<Phase>,
    /// Seconds without progress in it; `None` if nobody can tell.
    pub downtime_s: Option<f64>,
}

/// The worst verdict of the safety checks; empty without one.
pub fn safety(outcome: &Outcome) -> String {
    let severity = verdict::severity_word(Severity::Safety);
    let words: Vec<&str> = outcome
        .checks
        .iter()
        .filter(|check| check.severity == severity)
        .map(|check| check.verdict.as_str())
        .collect();
    [Verdict::Fail, Verdict::Unknown, Verdict::Pass]
        .into_iter()
        .map(verdict::word)
        .find(|word| words.contains(word))
        .unwrap_or_default()
        .to_owned()
}

/// What `results` of a run with these `metrics` say to the run that it is the pair of.
pub fn companion(metrics: &Metrics, results: &Results) -> Companion {
    let limit = metrics.usual_limit();
    let windows = metrics.phases_with_gaps(limit);
    Companion {
        run_digest: results.outcome.run_digest.clone(),
        safety: safety(&results.outcome),
        limit_ns: limit.map(Span::nanos),
        windows: windows
            .into_iter()
            .map(|(id, during, downtime_s)| CompanionWindow {
                id,
                during,
                downtime_s,
            })
            .collect(),
        latencies: results.latencies.get("all").cloned(),
        acknowledged_lost: metrics.acknowledged_lost(),
    }
}

/// Puts a pair, which lacks the entries `without`, beside the windows of these entries. A run that
/// has no time outside of its windows is judged by what is usual in its pair.
pub fn join(
    results: &mut Results,
    without: &[String],
    pair: &Companion,
    unjudged: Option<&Unjudged>,
) {
    let own = results.latencies.get("all");
    let sensitivity = match (own, &pair.latencies) {
        (Some(own), Some(other)) => {
            area_between(&histogram_steps(own), &histogram_steps(other)) / 1e6
        }
        _ => f64::NAN,
    };
    let limit = pair.limit_ns.map(Span::from_nanos);
    let judged = limit.zip(unjudged).map(|(limit, of)| of.judge(limit));
    for (place, row) in results.outcome.resilience.iter_mut().enumerate() {
        if !without.contains(&row.entry) {
            continue;
        }
        let gaps = judged.as_ref().and_then(|judged| judged.get(place));
        if let Some(&(sum, longest)) = gaps.filter(|_| row.downtime_s.is_nan()) {
            (row.downtime_s, row.longest_gap_s) = (sum, longest);
        }
        let window = pair.windows.iter().find(|window| window.id == row.id);
        let during = window.and_then(|window| window.during);
        let left = match (row.during, during) {
            (Some(own), Some(other)) if other.tx_per_s > 0.0 => own.tx_per_s / other.tx_per_s,
            _ => f64::NAN,
        };
        row.pair = Some(Pair {
            without: without.to_vec(),
            run_digest: pair.run_digest.clone(),
            safety: pair.safety.clone(),
            during,
            throughput_left: left,
            downtime_s: window.and_then(|w| w.downtime_s).unwrap_or(f64::NAN),
            sensitivity,
            acknowledged_lost: pair.acknowledged_lost,
        });
    }
}
