//! Invariants, metrics, verdicts and the outcome of a run.

pub mod assemble;
mod bottleneck;
pub mod invariants;
pub mod metrics;
pub mod outcome;
pub mod results;
pub mod suite;
#[cfg(test)]
mod testing;
mod tx_set;
pub mod verdict;
