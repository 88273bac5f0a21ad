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
mod gossip_clusters;
mod lies;
mod steps;
mod times;

use super::{BlockTime, Synchrony, TendermintOptions, Terms, gossip};
use crate::consensus::ProtocolOptions;
use crate::consensus::pbft::tests::cluster::{Cluster, ms};

/// The timeouts of the chain.
fn options() -> TendermintOptions {
    TendermintOptions::default()
}

/// Those, and timeouts that are too short at first.
fn settings() -> [TendermintOptions; 4] {
    let terms = |first, delta| Terms {
        first: Some(ms(first)),
        delta: Some(ms(delta)),
    };
    let short = TendermintOptions {
        propose: terms(500, 200),
        prevote: terms(10, 50),
        precommit: terms(10, 50),
        time: BlockTime::Proposer(Synchrony::default()),
        ..options()
    };
    [options(), short, gossiped(), quick()]
}

/// As CometBFT has it, with a wait after each decision.
fn gossiped() -> TendermintOptions {
    TendermintOptions {
        commit: ms(100),
        gossip: Some(gossip::Terms::default()),
        flood: true,
        ..options()
    }
}

/// Routines that wake often, no buffers, and small parts; transactions go to all at once.
fn quick() -> TendermintOptions {
    TendermintOptions {
        gossip: Some(gossip::Terms {
            sleep: ms(20),
            flush: consim_core::Span::ZERO,
            part: 300,
        }),
        ..options()
    }
}

/// A cluster of Tendermint nodes.
fn cluster(n: u32, seed: u64, options: TendermintOptions) -> Cluster {
    let mut cluster = Cluster::new(n, seed);
    cluster.other = Some(ProtocolOptions::Tendermint(options));
    cluster
}
