//! The verdict on claims.

use super::{Claim, Condition, Metrics};
use crate::statistics::{self, CONFIDENCE, Interval, student_cdf};
use consim_core::values::Limit;
use serde::Serialize;

/// The least number of seeds that a mean is tested with.
const LEAST: usize = 2;

/// How a claim stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// All that it asks for holds.
    Supported,
    /// Neither supported nor refuted: it holds in part, or the runs do not tell.
    Limited,
    /// What refutes it holds.
    Refuted,
    /// Nothing exercised it.
    NotTestable,
}

impl Standing {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Limited => "limited",
            Self::Refuted => "refuted",
            Self::NotTestable => "not testable",
        }
    }
}

/// What the runs say to a condition.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Judged {
    /// The condition.
    pub condition: String,
    /// The unit of the metric.
    pub unit: &'static str,
    /// Mean of the metric over the seeds, with its 95 % interval; `None` if nothing fed it.
    pub mean: Option<Interval>,
    /// Seeds under which something fed it.
    pub seeds: u64,
    /// Seeds under which it held.
    pub held: u64,
    /// The chance of runs that look as much like it holds, if it did not.
    pub p: f64,
}

/// A claim with its verdict.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Claimed {
    /// Its name.
    pub name: String,
    /// What it says.
    pub says: String,
    /// Where it is made.
    pub section: String,
    /// How it stands.
    pub standing: Standing,
    /// Under how many seeds it was run.
    pub seeds: u64,
    /// The limits of support.
    pub supported_if: Vec<Judged>,
    /// The chance that they only seem to hold, corrected for the number of claims.
    pub p_supported: f64,
    /// The limits of refutation.
    pub refuted_if: Vec<Judged>,
    /// Likewise.
    pub p_refuted: f64,
}

/// The verdicts on all claims of a call, each with what its runs came to.
pub fn judge(claims: &[(Claim, Vec<Metrics>)]) -> Vec<Claimed> {
    let mut out: Vec<Claimed> = claims
        .iter()
        .map(|(claim, runs)| one(claim, runs))
        .collect();
    let supported = holm(&out.iter().map(|c| c.p_supported).collect::<Vec<_>>());
    let refuted = holm(&out.iter().map(|c| c.p_refuted).collect::<Vec<_>>());
    for ((claim, supported), refuted) in out.iter_mut().zip(supported).zip(refuted) {
        (claim.p_supported, claim.p_refuted) = (supported, refuted);
        let alpha = 1.0 - CONFIDENCE;
        let fed = |judged: &[Judged]| judged.iter().all(|j| j.seeds > 0);
        claim.standing = if refuted < alpha {
            Standing::Refuted
        } else if !(fed(&claim.supported_if) && fed(&claim.refuted_if)) {
            Standing::NotTestable
        } else if supported < alpha {
            Standing::Supported
        } else {
            Standing::Limited
        };
    }
    out
}

fn one(claim: &Claim, runs: &[Metrics]) -> Claimed {
    let all = |conditions: &[Condition]| -> Vec<Judged> {
        conditions.iter().map(|c| judged(c, runs)).collect()
    };
    let (supported_if, refuted_if) = (all(&claim.supported_if), all(&claim.refuted_if));
    let all_hold = supported_if.iter().map(|j| j.p).fold(0.0, f64::max);
    let any_holds = refuted_if.iter().map(|j| j.p).fold(1.0, f64::min);
    Claimed {
        name: claim.name.clone(),
        says: claim.says.clone(),
        section: claim.section.clone(),
        standing: Standing::NotTestable,
        seeds: runs.len() as u64,
        // Of no condition nothing follows.
        p_supported: if supported_if.is_empty() {
            1.0
        } else {
            all_hold
        },
        p_refuted: if refuted_if.is_empty() {
            1.0
        } else {
            (any_holds * refuted_if.len() as f64).min(1.0)
        },
        supported_if,
        refuted_if,
    }
}

fn judged(condition: &Condition, runs: &[Metrics]) -> Judged {
    let seen: Vec<(f64, Limit)> = runs.iter().filter_map(|r| condition.under(r)).collect();
    let values: Vec<f64> = seen.iter().map(|(value, _)| *value).collect();
    let margins: Vec<f64> = seen
        .iter()
        .map(|(value, limit)| limit.margin(*value))
        .collect();
    let held = seen
        .iter()
        .filter(|(value, limit)| limit.holds(*value))
        .count();
    Judged {
        condition: condition.words(),
        unit: condition.unit.word(),
        mean: statistics::mean(&values, CONFIDENCE),
        seeds: seen.len() as u64,
        held: held as u64,
        p: match condition.limit {
            Limit::Exactly(_) => of_each(held, seen.len()),
            _ => of_mean(&margins, held),
        },
    }
}

/// Of a limit that every run has to keep: the chance that as many keep it by a toss of a coin.
fn of_each(held: usize, n: usize) -> f64 {
    if held == n && n > 0 {
        libm::exp2(-(n as f64))
    } else {
        1.0
    }
}

/// Of a limit on the mean: one-sided, by Student's distribution. Where all margins are equal there is no spread to go by, and
/// each run tells by itself.
fn of_mean(margins: &[f64], held: usize) -> f64 {
    let n = margins.len();
    if n < LEAST {
        return 1.0;
    }
    let of = n as f64;
    let mean = margins.iter().sum::<f64>() / of;
    let squares: f64 = margins.iter().map(|m| (m - mean) * (m - mean)).sum();
    let error = (squares / (of - 1.0) / of).sqrt();
    if error <= f64::EPSILON * mean.abs() {
        return of_each(held, n);
    }
    1.0 - student_cdf(mean / error, of - 1.0)
}

/// The chances of several tests, corrected so that any of them is below a level with no more than that chance if
/// nothing is behind it (S. Holm, 1979).
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    let at = |i: &usize| p.get(*i).copied().unwrap_or(1.0);
    order.sort_by(|a, b| at(a).total_cmp(&at(b)));
    let mut out = vec![1.0; p.len()];
    let mut highest: f64 = 0.0;
    for (rank, place) in order.iter().enumerate() {
        let left = (p.len() - rank) as f64;
        highest = highest.max((at(place) * left).min(1.0));
        if let Some(slot) = out.get_mut(*place) {
            *slot = highest;
        }
    }
    out
}
