//! BFT-SMaRt.

mod attacks;
mod catch_up;
mod checkpoint;
pub mod collect;
pub mod config;
mod evidence;
mod floor;
mod journal;
mod marks;
pub mod message;
mod normal;
mod recovery;
mod regency;
mod replica;
mod seeded;
mod sync_phase;
#[cfg(test)]
mod tests;
mod transactions;
mod transfer;

pub use config::{BftSmartOptions, Requests};
pub use replica::BftSmartReplica;

use super::ProtocolEntry;

/// The registry line.
pub const ENTRY: ProtocolEntry = ProtocolEntry {
    name: "bft-smart",
    since: "0.1.0",
    help: "BFT-SMaRt: Mod-SMaRt over one consensus at a time (Sousa and Bessani 2012; Bessani et al. 2014)",
    byzantine: true,
    least: 4,
    tolerates: super::byzantine_faults,
    quorum: super::byzantine_quorum,
    defaults: || super::ProtocolOptions::BftSmart(BftSmartOptions::default()),
    phases: |_| 3,
    floor: floor::floor,
    words: attacks::WORDS,
    conducts: attacks::CONDUCTS,
    conduct: attacks::build,
    bugs: seeded::BUGS,
    marks: marks::MARKS,
};

/// A STOP for a regency that nobody is in (see [`super::view_change_spam`]).
pub(super) fn view_change_spam(
    chain: consim_core::ChainId,
    number: u64,
) -> std::sync::Arc<dyn consim_core::Payload> {
    /// Above all regencies that a run comes to.
    const FROM: u64 = 1 << 32;
    std::sync::Arc::new(message::Message {
        chain,
        body: message::Body::Stop {
            regency: FROM + number,
            txs: Vec::new(),
        },
    })
}
