//! The rows of a published experiment, each under several seeds.

use super::{CellError, Meter, in_order};
use crate::run::{Hooks, execute_with};
use crate::study::Experiment;
use consim_check::experiment::{Ran, Scored, score};
use consim_check::outcome::Outcome;

/// Runs every row under `seeds` seeds on at most `threads` threads, and sets what they come to beside what
/// was measured. `progress` is told the share that is done, 0 to 1.
pub fn reproduce(
    experiment: &Experiment,
    seeds: u64,
    threads: usize,
    hooks: &Hooks,
    progress: &(dyn Fn(f64) + Sync),
) -> Result<Scored, CellError> {
    let study = experiment.runs(seeds);
    let n = usize::try_from(study.cells).unwrap_or(usize::MAX);
    let meter = Meter::new(study.cells, progress);
    let rows = &experiment.spec.rows;
    let fresh = |row: &consim_check::experiment::RowSpec| Ran {
        values: vec![Vec::new(); row.figures.len()],
        failed: 0,
    };
    let mut ran: Vec<Ran> = rows.iter().map(fresh).collect();
    let per_row = n / rows.len().max(1);
    let mut failed = None;
    let work = |number: usize| -> Result<Outcome, CellError> {
        let mut part = meter.part();
        let cell = study.cell(0, number as u64);
        let plan = cell.map_err(CellError::Plan)?.plan;
        let run = execute_with(&plan, hooks, &mut |share| part.tell(share))?;
        Ok(run.results.outcome)
    };
    in_order(n, threads, work, |number, outcome| {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                failed = Some(error);
                return false;
            }
        };
        let row = number / per_row.max(1);
        if let (Some(ran), Some(spec)) = (ran.get_mut(row), rows.get(row)) {
            ran.failed += u64::from(outcome.verdict == "fail");
            for (values, figure) in ran.values.iter_mut().zip(&spec.figures) {
                values.push(outcome.metrics.get(&figure.metric).copied());
            }
        }
        true
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(score(&experiment.spec, &ran)),
    }
}
