//! The cells of a study in one report: designs with intervals over their seeds, a heat map, every
//! cell in a row of a table.

mod design;
mod map;
mod page;
mod writer;

pub use design::Axis;
pub use writer::{MatrixReport, MatrixWriter};

/// The version of the schema of `matrix.json`.
const SCHEMA: u32 = 1;
/// The name of the axis that intervals are taken over.
const SEED: &str = "seed";
