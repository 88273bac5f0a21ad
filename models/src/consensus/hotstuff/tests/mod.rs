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

use super::{Additions, HotStuffOptions, LeaderRule, Phases};
use crate::consensus::ProtocolOptions;
use crate::consensus::payload::{Acknowledge, BatchTerms, Spread};
use crate::consensus::pbft::tests::cluster::Cluster;
use consim_core::Span;

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
    // Full ones alone, and those that a leader seals for want of others, one after the other.
    let full = Some(Spread::Batches(BatchTerms {
        bytes: 2_000,
        wait: None,
        pause: Span::from_millis(50),
        acknowledge: Acknowledge::None,
    }));
    let batches = |acknowledge| {
        Some(Spread::Batches(BatchTerms {
            bytes: 2_000,
            wait: Some(Span::from_millis(20)),
            pause: Span::ZERO,
            acknowledge,
        }))
    };
    let apart = |phases, leader, payload| HotStuffOptions {
        phases,
        leader,
        payload,
        ..HotStuffOptions::default()
    };
    let (two, three) = (Phases::Two, Phases::Three);
    let (stable, turns) = (LeaderRule::Stable, LeaderRule::RoundRobin);
    let sums = |options| HotStuffOptions {
        additions: Some(Additions {
            signature: Span::from_micros(1),
            key: Span::from_nanos(400),
        }),
        ..options
    };
    let sums = [
        sums(apart(three, LeaderRule::Reputation, None)),
        sums(apart(two, turns, batches(Acknowledge::Certificate))),
    ];
    let apart = [
        apart(three, stable, Some(Spread::Direct)),
        apart(two, turns, Some(Spread::Direct)),
        apart(two, turns, batches(Acknowledge::None)),
        apart(three, stable, batches(Acknowledge::Quorum)),
        apart(two, turns, batches(Acknowledge::Quorum)),
        apart(three, turns, batches(Acknowledge::Certificate)),
        apart(two, stable, batches(Acknowledge::Certificate)),
        apart(three, turns, full),
    ];
    [&of(three)[..], &of(two)[..], &apart[..], &sums[..]].concat()
}

/// A cluster of HotStuff nodes.
fn cluster(n: u32, seed: u64, options: HotStuffOptions) -> Cluster {
    let mut cluster = Cluster::new(n, seed);
    cluster.other = Some(ProtocolOptions::HotStuff(options));
    cluster
}
