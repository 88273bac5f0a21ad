//! PBFT.

mod catch_up;
mod checkpoint;
pub mod config;
mod journal;
mod mempool;
pub mod message;
mod normal;
mod recovery;
mod replica;
mod slots;
mod tally;
#[cfg(test)]
mod tests;
mod view_change;

pub use config::PbftOptions;
pub use replica::PbftReplica;

use super::ProtocolEntry;

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
