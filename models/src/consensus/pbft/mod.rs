//! PBFT (skeleton; the real text comes with the protocol).

use super::{ProtocolEntry, Replica, ReplicaConfig};

/// PBFT's options.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PbftOptions {
    /// Sequence numbers that may be in flight above the last stable checkpoint.
    pub watermark: u64,
    /// Proposals in flight.
    pub pipeline: u32,
}

/// The registry line.
pub const ENTRY: ProtocolEntry = ProtocolEntry {
    name: "pbft",
    since: "0.1.0",
    help: "Practical Byzantine Fault Tolerance (Castro and Liskov 1999)",
    least: 4,
    tolerates: super::byzantine_faults,
    quorum: super::byzantine_quorum,
    phases: 3,
};

/// A PBFT replica.
pub struct PbftReplica;

impl PbftReplica {
    /// Makes one.
    pub fn new(_config: ReplicaConfig, _options: PbftOptions) -> Self {
        Self
    }
}

impl consim_core::Process for PbftReplica {
    fn handle(&mut self, _cx: &mut consim_core::Context<'_>, _event: consim_core::Event<'_>) {}
}
impl Replica for PbftReplica {
    fn submit(
        &mut self,
        _: &mut consim_core::Context<'_>,
        _: std::sync::Arc<consim_core::Tx>,
    ) -> bool {
        false
    }
    fn executed(&mut self, _: &mut consim_core::Context<'_>, _: u64, _: consim_core::Digest) {}
    fn waiting(&self) -> usize {
        0
    }
}
