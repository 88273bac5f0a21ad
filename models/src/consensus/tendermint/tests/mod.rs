#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod bench;
mod campaign;
mod codec;
mod faults;
mod lies;
mod steps;
mod times;

use super::{BlockTime, Synchrony, TendermintOptions, Terms};
use crate::consensus::ProtocolOptions;
use crate::consensus::pbft::tests::cluster::{Cluster, ms};

/// The timeouts of the chain.
fn options() -> TendermintOptions {
    TendermintOptions::default()
}

/// Those, and timeouts that are too short at first.
fn settings() -> [TendermintOptions; 2] {
    let terms = |first, delta| Terms {
        first: Some(ms(first)),
        delta: Some(ms(delta)),
    };
    let short = TendermintOptions {
        propose: terms(500, 200),
        prevote: terms(10, 50),
        precommit: terms(10, 50),
        time: BlockTime::Proposer(Synchrony::default()),
    };
    [options(), short]
}

/// A cluster of Tendermint nodes.
fn cluster(n: u32, seed: u64, options: TendermintOptions) -> Cluster {
    let mut cluster = Cluster::new(n, seed);
    cluster.other = Some(ProtocolOptions::Tendermint(options));
    cluster
}
