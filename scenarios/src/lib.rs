//! The scenario language, data sources, and the runner of plans.

pub mod bugs;
pub mod claims;
pub mod codes;
mod compose;
mod csv;
pub mod data;
pub mod diagnostic;
pub mod explore;
pub mod json_schema;
pub mod library;
pub mod limits;
mod load;
pub mod plan;
pub mod profiles;
pub mod reference;
pub mod registries;
pub mod regressions;
pub mod run;
mod schema;
pub mod shrink;
pub mod sources;
mod study;
pub mod topology;
mod tree;

pub use load::{LoadOptions, Loaded, MAX_BASES, load};
pub use profiles::read;
pub use study::{
    Axis, Experiment, MAX_CELLS, MAX_ROWS, MAX_SEEDS, MAX_VARIANTS, Study, Variant, study,
    study_bytes,
};
