//! The scenario language, data sources, and the runner of plans.

mod compose;
pub mod diagnostic;
pub mod library;
pub mod plan;
pub mod profiles;
mod schema;
mod tree;
