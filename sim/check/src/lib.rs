//! Invariants, metrics, verdicts and the outcome of a run.

pub mod assemble;
pub mod attacks;
mod bottleneck;
pub mod claims;
pub mod diagram;
pub mod experiment;
pub mod forensics;
pub mod invariants;
pub mod keys;
pub mod marks;
pub mod metrics;
pub mod minimise;
mod number_set;
pub mod outcome;
pub mod pairs;
pub mod results;
mod seeded;
pub mod statistics;
pub mod suite;
#[cfg(test)]
mod testing;
pub mod verdict;

pub use seeded::BUGS;
