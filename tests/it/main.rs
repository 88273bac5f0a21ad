//! Tests of the whole program. One executable, so that it is linked once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::float_cmp,
    clippy::format_collect
)]

mod architecture;
mod attacks;
mod bugs;
mod claims;
mod cli;
mod diagnostics;
mod disks_and_clocks;
mod fuzz;
mod golden;
mod matrix;
mod pbft_options;
mod regressions;
mod replay;
mod reproduce;
mod seeded;
mod sharing;
mod tidy;
