//! The ledger: Merkle trees, the authenticated state, and the chain of executed blocks.

pub mod merkle;
pub mod state;
