//! The runs of claims: every variant under every seed.

use super::{CellError, Meter, in_order};
use crate::run::{Hooks, execute_with};
use crate::study::Study;
use consim_check::claims::Metrics;
use std::collections::{BTreeMap, BTreeSet};

/// Runs all variants of `study` under `seeds` seeds on at most `threads` threads, and keeps of each run the metrics that its
/// claims ask for. `progress` is told the share that is done, 0 to 1.
///
/// # Errors
/// If a run is no scenario, or cannot be made.
pub fn runs_of_claims(
    study: &Study,
    seeds: u64,
    threads: usize,
    hooks: &Hooks,
    progress: &(dyn Fn(f64) + Sync),
) -> Result<Vec<Metrics>, CellError> {
    let asked: BTreeSet<&str> = study
        .claims
        .iter()
        .flat_map(|claim| claim.supported_if.iter().chain(&claim.refuted_if))
        .map(|condition| condition.path.as_str())
        .collect();
    let crossed = study.over_seeds(seeds);
    let variants = crossed.runs.len().max(1);
    let n = usize::try_from(crossed.cells)
        .unwrap_or(usize::MAX)
        .saturating_mul(variants);
    let meter = Meter::new(n as u64, progress);
    let mut out: Vec<Metrics> = vec![Metrics::new(); n / variants];
    let mut failed = None;
    let work = |number: usize| -> Result<BTreeMap<String, f64>, CellError> {
        let mut part = meter.part();
        let cell = crossed.cell(number % variants, (number / variants) as u64);
        let plan = cell.map_err(CellError::Plan)?.plan;
        let run = execute_with(&plan, hooks, &mut |share| part.tell(share))?;
        let mut metrics = run.results.outcome.metrics;
        metrics.retain(|path, _| asked.contains(path.as_str()));
        Ok(metrics)
    };
    in_order(n, threads, work, |number, metrics| {
        match metrics {
            Ok(metrics) => {
                let label = crossed.runs.get(number % variants);
                let label = label.and_then(|run| run.label.clone());
                if let Some(seed) = out.get_mut(number / variants) {
                    seed.insert(label.unwrap_or_default(), metrics);
                }
            }
            Err(error) => failed = Some(error),
        }
        failed.is_none()
    });
    failed.map_or(Ok(out), Err)
}
