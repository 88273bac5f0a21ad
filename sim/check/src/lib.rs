//! Invariants, metrics, verdicts and the outcome of a run.

pub mod invariants;
pub mod outcome;
pub mod results;
