#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod campaign;
mod codec;
mod faults;
mod latency;
mod rules;

use super::{HotStuffOptions, LeaderRule, Phases};
use crate::consensus::ProtocolOptions;
use crate::consensus::pbft::tests::cluster::Cluster;

/// All settings of the protocol.
fn settings() -> Vec<HotStuffOptions> {
    let leaders = [
        LeaderRule::Stable,
        LeaderRule::RoundRobin,
        LeaderRule::Reputation,
    ];
    let of = |phases| {
        leaders.map(|leader| HotStuffOptions {
            phases,
            leader,
            ..HotStuffOptions::default()
        })
    };
    [of(Phases::Three), of(Phases::Two)].concat()
}

/// A cluster of HotStuff nodes.
fn cluster(n: u32, seed: u64, options: HotStuffOptions) -> Cluster {
    let mut cluster = Cluster::new(n, seed);
    cluster.other = Some(ProtocolOptions::HotStuff(options));
    cluster
}
