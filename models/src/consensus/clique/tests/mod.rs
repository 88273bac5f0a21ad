#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod campaign;
mod codec;
mod faults;
mod lies;
mod rules;

use super::{CliqueOptions, ForkChoice};
use crate::consensus::ProtocolOptions;
use crate::consensus::pbft::tests::cluster::{Cluster, ms};

/// Short periods, so that much happens.
fn options() -> CliqueOptions {
    CliqueOptions {
        period: ms(500),
        epoch: 30_000,
        fork_choice: ForkChoice::Eip3436,
        confirmations: None,
        wiggle: ms(100),
    }
}

/// Those, and such that a branch has to be twice as long as a majority before it is final: where messages are lost
/// signers change over from branch to branch.
fn deep(n: u32, options: CliqueOptions) -> CliqueOptions {
    CliqueOptions {
        confirmations: Some(2 * super::majority(n as usize) as u64),
        ..options
    }
}

/// Those, and others.
fn settings() -> [CliqueOptions; 2] {
    let other = CliqueOptions {
        period: ms(200),
        epoch: 7,
        ..options()
    };
    [options(), other]
}

/// A cluster of Clique nodes.
fn cluster(n: u32, seed: u64, options: CliqueOptions) -> Cluster {
    let mut cluster = Cluster::new(n, seed);
    cluster.quorum = super::majority(n as usize);
    cluster.other = Some(ProtocolOptions::Clique(options));
    cluster
}
