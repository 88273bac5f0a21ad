//! Availability of a run where no metric says it.

use consim_check::outcome::{Operation, Outcome};

/// The metric `availability` of the run, or the share of its operations that were answered.
pub(crate) fn of(outcome: &Outcome) -> Option<f64> {
    if let Some(&x) = outcome.metrics.get("availability")
        && x.is_finite()
    {
        return Some(x);
    }
    let closed = |op: &Operation| op.committed + op.refused + op.failed;
    let total: u64 = outcome.operations.values().map(closed).sum();
    let answered: u64 = outcome
        .operations
        .values()
        .map(|op| op.committed + op.refused)
        .sum();
    (total > 0).then(|| answered as f64 / total as f64)
}

/// The availability of one operation; none if nothing was asked and closed.
pub(crate) fn of_operation(op: &Operation) -> Option<f64> {
    (op.committed + op.refused + op.failed > 0 && op.availability.is_finite())
        .then_some(op.availability)
}
