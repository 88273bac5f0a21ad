//! Reports of a run: HTML, SVG, CSV, HDR histograms.
//!
//! [`render`] turns [`Results`] into the files of an output folder, in memory and without a
//! clock, a path or an environment: equal results give equal bytes. [`write()`] puts them on disk.
//! [`summary`] is the same answer in one screen of text. `README.md` beside this crate describes
//! every file and column.

mod availability;
mod claims;
mod comparison;
mod csv;
mod experiments;
mod figures;
mod files;
mod headline;
mod hgrm;
mod html;
mod json;
mod junit;
mod matrix;
mod series;
mod summary;
mod words;

pub use claims::{claim_files, claims_summary, write_claims};
pub use comparison::{comparison_files, comparison_summary, write_comparison};
pub use experiments::{experiment_files, experiments_summary, write_experiments};
pub use figures::space_time;
pub use files::{File, ReportError, read, render, write, write_with_plan};
pub use headline::headline;
pub use json::outcome_json;
pub use junit::{JunitCase, JunitEnd, JunitSuite, junit, junit_suite};
pub use matrix::{Axis, MatrixReport, MatrixWriter};
pub use summary::summary;

#[cfg(doc)]
use consim_check::results::Results;
