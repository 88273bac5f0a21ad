//! Invariants, metrics, verdicts and the outcome of a run.
