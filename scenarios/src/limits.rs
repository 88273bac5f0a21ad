//! The limits of the language, in one place. Each has a test that hits it.

pub use crate::diagnostic::MAX_DIAGNOSTICS;
pub use crate::load::MAX_BASES;
pub use crate::plan::limits::{
    MAX_BINS, MAX_NODES, MAX_OCCURRENCES, MAX_REGIONS, MAX_TARGETS, MAX_WINDOWS, MAX_WORKLOADS,
};
pub use crate::study::{MAX_CELLS, MAX_VARIANTS};
pub use crate::tree::{MAX_DEPTH, MAX_ENTRIES, MAX_FILE};
