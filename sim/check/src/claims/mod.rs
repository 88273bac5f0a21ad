//! Claims: what somebody says of a system, and what many runs say to that.
//!
//! A claim names limits under which it is *supported* and limits under which it is *refuted*. It is run under
//! several seeds. Of a limit
//! - that says `exactly`, every run has to keep it: one that does not is enough;
//! - of any other kind, the mean over the seeds has to keep it, by a one-sided test of Student's on the margins. Runs
//!   of one seed share their random numbers, so that a limit relative to another variant is one of pairs.
//!
//! All limits of support have to hold, which needs no correction (R. Berger, Technometrics 24(4), 1982); of those of
//! refutation one is enough, so that the smallest chance counts as often as there are limits (Bonferroni). Over all claims of a call
//! both families are corrected after S. Holm (Scandinavian Journal of Statistics 6(2), 1979), so that the chance that
//! any of them is wrongly supported, or wrongly refuted, is at most 5 %.

mod judge;
#[cfg(test)]
mod tests;

pub use judge::{Claimed, Judged, Standing, holm, judge};

use crate::metrics::Unit;
use consim_core::values::Limit;
use std::collections::BTreeMap;

/// A condition of a claim.
#[derive(Clone, PartialEq, Debug)]
pub struct Condition {
    /// The variant whose metric it is; `None` where there are no variants.
    pub variant: Option<String>,
    /// The metric's path.
    pub path: String,
    /// Its unit.
    pub unit: Unit,
    /// The limit as written.
    pub text: String,
    /// The limit.
    pub limit: Limit,
    /// The variant whose value of the same metric `limit` holds factors of.
    pub of: Option<String>,
}

/// A claim.
#[derive(Clone, PartialEq, Debug)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// What it says.
    pub says: String,
    /// Where it is made.
    pub section: String,
    /// Under how many seeds it is run.
    pub seeds: u64,
    /// All of these have to hold for it to be supported.
    pub supported_if: Vec<Condition>,
    /// Any of these refutes it.
    pub refuted_if: Vec<Condition>,
}

/// The metrics of the variants under one seed, by label; without variants the label is empty.
pub type Metrics = BTreeMap<String, BTreeMap<String, f64>>;

impl Condition {
    /// The condition as it is read: variant, metric, limit.
    pub fn words(&self) -> String {
        match &self.variant {
            Some(variant) => format!("{variant}.{} {}", self.path, self.text),
            None => format!("{} {}", self.path, self.text),
        }
    }

    /// Value and limit under one seed; `None` if nothing fed either.
    fn under(&self, metrics: &Metrics) -> Option<(f64, Limit)> {
        let of = |label: Option<&str>| {
            let metrics = metrics.get(label.unwrap_or_default())?;
            metrics.get(&self.path).copied().filter(|x| x.is_finite())
        };
        let value = of(self.variant.as_deref())?;
        let limit = match self.of.as_deref() {
            Some(other) => self.limit.times(of(Some(other))?),
            None => self.limit,
        };
        Some((value, limit))
    }
}
