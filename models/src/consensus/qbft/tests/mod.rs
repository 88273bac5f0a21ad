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

use super::{QbftOptions, Variant};
use crate::consensus::ProtocolOptions;
use crate::consensus::pbft::tests::cluster::{Cluster, ms};

/// QBFT with blocks in quick succession.
fn options() -> QbftOptions {
    QbftOptions {
        period: ms(100),
        ..QbftOptions::of(Variant::Qbft)
    }
}

/// That, IBFT 2.0, and QBFT without a period and with empty blocks.
fn settings() -> [QbftOptions; 3] {
    let ibft = QbftOptions {
        variant: Variant::Ibft,
        ..options()
    };
    let plain = QbftOptions {
        period: ms(0),
        empty_period: Some(ms(3_000)),
        ..options()
    };
    [options(), ibft, plain]
}

/// A cluster of such nodes.
fn cluster(n: u32, seed: u64, options: QbftOptions) -> Cluster {
    let mut cluster = Cluster::new(n, seed);
    cluster.other = Some(ProtocolOptions::Qbft(options));
    cluster
}
