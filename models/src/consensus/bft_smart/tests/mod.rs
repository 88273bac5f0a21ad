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

use super::{BftSmartOptions, Requests};
use crate::consensus::ProtocolOptions;
use crate::consensus::pbft::tests::cluster::Cluster;

/// All settings of the protocol.
const SETTINGS: [BftSmartOptions; 2] = [
    BftSmartOptions {
        requests: Requests::ToAll,
    },
    BftSmartOptions {
        requests: Requests::ToLeader,
    },
];

/// A cluster of BFT-SMaRt nodes.
fn cluster(n: u32, seed: u64, options: BftSmartOptions) -> Cluster {
    let mut cluster = Cluster::new(n, seed);
    cluster.other = Some(ProtocolOptions::BftSmart(options));
    cluster
}
