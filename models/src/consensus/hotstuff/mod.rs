//! HotStuff (placeholder).

mod attacks;
mod catch_up;
mod checkpoint;
mod commit;
pub mod config;
mod evidence;
mod journal;
mod leader;
mod marks;
pub mod message;
mod pacemaker;
pub mod proposal;
mod recovery;
mod replica;
mod safety;
mod seeded;
mod transactions;
mod transfer;
mod tree;
mod votes;
mod voting;

pub use config::{HotStuffOptions, LeaderRule, Phases};
pub use replica::HotStuffReplica;

use super::ProtocolEntry;

/// The registry line.
pub const ENTRY: ProtocolEntry = ProtocolEntry {
    name: "hotstuff",
    since: "0.1.0",
    help: "Chained HotStuff in three phases (Yin et al. 2019) or two (Jolteon, Gelashvili et al. 2022)",
    byzantine: true,
    least: 4,
    tolerates: super::byzantine_faults,
    quorum: super::byzantine_quorum,
    phases: 6,
    words: attacks::WORDS,
    conducts: attacks::CONDUCTS,
    conduct: attacks::build,
    bugs: seeded::BUGS,
    marks: marks::MARKS,
};

/// A signed timeout of a view that nobody is in (see [`super::view_change_spam`]).
pub(super) fn view_change_spam(
    chain: consim_core::ChainId,
    number: u64,
    votes: u8,
    key: &consim_core::SecretKey,
) -> std::sync::Arc<dyn consim_core::Payload> {
    /// Above all views that a run comes to.
    const FROM: u64 = 1 << 62;
    let view = FROM + number;
    let signature = key.sign(&proposal::timeout_statement(chain, view, 0));
    std::sync::Arc::new(message::Message {
        chain,
        votes,
        body: message::Body::Timeout(std::sync::Arc::new(proposal::Timeout {
            view,
            signature,
            high: None,
            entered: None,
            vote: None,
        })),
    })
}
