//! The ledger: Merkle trees, the authenticated state, and the chain of executed blocks.

pub mod chain;
pub mod memory;
pub mod merkle;
pub(crate) mod seeded;
pub mod snapshot;
pub mod state;
#[cfg(test)]
pub(crate) mod testing;

pub use chain::{ExecutionCache, Ledger, LedgerConfig, TxProof};
pub use memory::{LedgerMemory, Meter};
pub use seeded::BUGS;
pub use snapshot::Snapshot;
pub use state::WorldState;
pub use state::proof::ExecutedProof;
