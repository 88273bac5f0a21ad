//! The scenario language, data sources, and the runner of plans.

pub mod plan;
pub mod sources;
