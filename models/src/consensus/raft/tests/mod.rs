#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod arena;
mod codec;
mod elections;
mod members;
mod recovery;
mod schedules;
mod transfer;

use proptest::test_runner::{Config, RngSeed};

/// So many cases, the same ones in every run.
fn cases(n: u32) -> Config {
    Config {
        cases: n,
        max_shrink_iters: 300,
        rng_seed: RngSeed::Fixed(u64::from(n)),
        failure_persistence: None,
        ..Config::default()
    }
}
