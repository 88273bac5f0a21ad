#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod adversary;
mod bench;
mod campaign;
mod clients;
pub(in crate::consensus) mod cluster;
mod codec;
mod damage;
pub(in crate::consensus) mod disks;
mod faults;
mod lies;
mod limits;
mod steps;
mod transfer;

use proptest::test_runner::{Config, RngSeed};

/// So many cases, the same ones in every run.
pub(in crate::consensus) fn cases(n: u32) -> Config {
    Config {
        cases: n,
        max_shrink_iters: 300,
        rng_seed: RngSeed::Fixed(u64::from(n)),
        failure_persistence: None,
        ..Config::default()
    }
}
