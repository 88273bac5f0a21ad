//! Tendermint.

mod attacks;
mod catch_up;
mod checkpoint;
pub mod config;
mod decide;
mod evidence;
mod floor;
mod journal;
mod marks;
pub mod message;
mod propose;
mod recovery;
mod replica;
mod rounds;
mod seeded;
#[cfg(test)]
mod tests;
mod timeouts;
mod transactions;
mod transfer;
mod voting;

pub use config::{TendermintOptions, Terms};
pub use replica::TendermintReplica;

use super::ProtocolEntry;

/// The registry line.
pub const ENTRY: ProtocolEntry = ProtocolEntry {
    name: "tendermint",
    since: "0.1.0",
    help: "Tendermint: one height after the other, a proposer in turn, locks and valid values (Buchman et al. 2018)",
    byzantine: true,
    least: 4,
    tolerates: super::byzantine_faults,
    quorum: super::byzantine_quorum,
    changes_members: false,
    defaults: || super::ProtocolOptions::Tendermint(TendermintOptions::default()),
    phases: |_| 3,
    floor: floor::floor,
    words: attacks::WORDS,
    conducts: attacks::CONDUCTS,
    conduct: attacks::build,
    bugs: seeded::BUGS,
    marks: marks::MARKS,
};

/// A vote for a round and a height that nobody is in (see [`super::view_change_spam`]).
pub(super) fn view_change_spam(
    chain: consim_core::ChainId,
    number: u64,
    key: &consim_core::SecretKey,
) -> std::sync::Arc<dyn consim_core::Payload> {
    /// Above all heights that a run comes to.
    const FROM: u64 = 1 << 32;
    let at = FROM.saturating_add(number);
    let ballot = message::Ballot::sign(chain, message::PREVOTE, at, at, message::NIL, key);
    std::sync::Arc::new(message::Message {
        chain,
        body: message::Body::Prevote(ballot),
    })
}
