//! The runs that a run with faults and attacks is compared with: the same plan and seed without them.

use super::{Hooks, Run, RunError, cells, execute_with};
use crate::plan::Plan;
use consim_check::pairs::join;
use std::collections::BTreeSet;

/// The most entries that have a pair each. A plan with more has one pair, without any of them.
pub const MAX_PAIRS: usize = 16;

/// A plan that lacks something.
#[derive(Clone, Debug)]
pub struct PairPlan {
    /// The entries that it lacks, by name.
    pub without: Vec<String>,
    /// The plan.
    pub plan: Plan,
}

fn without(plan: &Plan, entries: &BTreeSet<&str>) -> PairPlan {
    PairPlan {
        without: entries.iter().map(|&entry| entry.to_owned()).collect(),
        plan: plan.without(entries),
    }
}

/// The pairs of a plan: one an entry of its faults and attacks (all repetitions of an entry
/// together), or one without all of them if they are more than [`MAX_PAIRS`]. None if there are
/// none.
pub fn pairs(plan: &Plan) -> Vec<PairPlan> {
    let entries = plan.disturbances();
    if entries.len() > MAX_PAIRS {
        return calm(plan).into_iter().collect();
    }
    entries
        .into_iter()
        .map(|entry| without(plan, &BTreeSet::from([entry])))
        .collect()
}

/// The pair without any fault and attack; `None` if there are none.
pub fn calm(plan: &Plan) -> Option<PairPlan> {
    let entries = plan.disturbances();
    (!entries.is_empty()).then(|| without(plan, &entries))
}

/// Runs a plan and its pairs on `threads` threads and puts these beside its windows. `progress` is
/// told the share that is done, 0 to 1. The result does not depend on the number of threads.
pub fn execute_paired(
    plan: &Plan,
    pairs: &[PairPlan],
    hooks: &Hooks,
    threads: usize,
    progress: &(dyn Fn(f64) + Sync),
) -> Result<Run, RunError> {
    let meter = cells::Meter::new(1 + pairs.len() as u64, progress);
    let plans: Vec<&Plan> = std::iter::once(plan)
        .chain(pairs.iter().map(|pair| &pair.plan))
        .collect();
    let work = |number: usize| {
        let plan = plans.get(number).copied().unwrap_or(plan);
        let mut told = meter.part();
        execute_with(plan, hooks, &mut |share| told.tell(share))
    };
    let mut main: Option<Run> = None;
    let mut failed = None;
    cells::in_order(plans.len(), threads, work, |number, run| {
        match (run, number.checked_sub(1), &mut main) {
            (Ok(run), None, main) => *main = Some(run),
            (Ok(run), Some(pair), Some(main)) => {
                if let Some(pair) = pairs.get(pair) {
                    let unjudged = main.unjudged.as_ref();
                    join(&mut main.results, &pair.without, &run.companion, unjudged);
                }
            }
            (Err(error), ..) => failed = Some(error),
            (Ok(_), Some(_), None) => {}
        }
        failed.is_none()
    });
    match (failed, main) {
        (Some(error), _) => Err(error),
        (None, Some(run)) => Ok(run),
        (None, None) => Err(RunError::Unsupported("nothing ran".into())),
    }
}
