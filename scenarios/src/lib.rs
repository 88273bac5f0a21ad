//! The scenario language, data sources, and the runner of plans.

mod compose;
mod csv;
pub mod diagnostic;
pub mod library;
mod load;
pub mod plan;
pub mod profiles;
pub mod reference;
pub mod registries;
pub mod run;
mod schema;
pub mod sources;
mod tree;

pub use load::{LoadOptions, Loaded, MAX_BASES, load};
