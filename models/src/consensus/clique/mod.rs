//! Clique: P. Szilágyi, "EIP-225: Clique proof-of-authority consensus protocol", 2017.

mod attacks;
pub mod block;
mod catch_up;
mod change;
pub mod config;
mod floor;
mod marks;
pub mod message;
mod read;
mod receive;
mod recovery;
mod replica;
mod sealing;
mod seeded;
mod signers;
#[cfg(test)]
mod tests;
mod transactions;
mod tree;

pub use config::{CliqueOptions, ForkChoice};
pub use replica::CliqueReplica;

use super::ProtocolEntry;

/// How many signers of `n` may be down: the others are a majority.
pub const fn crashes(n: usize) -> usize {
    n.saturating_sub(1) / 2
}

/// More than half of `n`: floor(n/2)+1, `SIGNER_LIMIT`.
pub const fn majority(n: usize) -> usize {
    n / 2 + 1
}

/// The registry line.
pub const ENTRY: ProtocolEntry = ProtocolEntry {
    name: "clique",
    since: "0.1.0",
    help: "Clique (EIP-225): proof of authority, signers in turn, the heaviest branch; a block is final once enough follow it",
    byzantine: false,
    least: 3,
    tolerates: crashes,
    quorum: majority,
    changes_members: true,
    defaults: || super::ProtocolOptions::Clique(CliqueOptions::default()),
    phases: |_| 1,
    floor: floor::floor,
    words: attacks::WORDS,
    conducts: attacks::CONDUCTS,
    conduct: attacks::build,
    bugs: seeded::BUGS,
    marks: marks::MARKS,
};
