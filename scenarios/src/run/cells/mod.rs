//! The runner of cells: many runs on all cores, each result kept as soon as it is there.
//!
//! A cell is a plan with its seed. What it comes to depends on nothing else, so neither the number of
//! threads nor the order in which cells end changes a result; results are handed on in the order of
//! the cells, and a study that was killed goes on where it was.

mod claims;
mod matrix;
mod pool;
mod reproduce;
mod store;

pub use claims::runs_of_claims;
pub use matrix::{CellRecord, Matrix, MatrixError};
pub use pool::{Meter, Part, in_order, threads};
pub use reproduce::reproduce;
pub use store::{Store, StoreError};

use crate::diagnostic::Diagnostics;
use crate::run::RunError;

/// Why a cell came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CellError {
    /// It is no scenario.
    #[error("{}", .0.render())]
    Plan(Diagnostics),
    /// It cannot be run.
    #[error(transparent)]
    Run(#[from] RunError),
}
