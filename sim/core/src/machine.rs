//! The application under consensus.

use crate::chain::{Receipt, Tx};
use std::sync::Arc;

/// The key-value state that a machine reads and writes; the ledger authenticates it with a root.
pub trait State {
    /// The value of `key`.
    fn get(&self, key: &[u8]) -> Option<Arc<[u8]>>;
    /// Sets `key`.
    fn put(&mut self, key: &[u8], value: &[u8]);
    /// Removes `key`.
    fn remove(&mut self, key: &[u8]);
}

/// Where in the chain a transaction is executed.
#[derive(Clone, Copy, Debug)]
pub struct ApplyAt {
    /// The block's height.
    pub height: u64,
    /// The block's time, nanoseconds after the Unix epoch.
    pub time_ns: i64,
}

/// A deterministic state machine: `apply(command) -> receipt`. It holds no state of its own.
pub trait StateMachine: Send + Sync {
    /// Its word in scenarios (`data-sharing`).
    fn name(&self) -> &'static str;
    /// Writes the state before the first block.
    fn genesis(&self, state: &mut dyn State);
    /// Executes one transaction. A refused one must leave the state as it was.
    fn apply(&self, state: &mut dyn State, tx: &Tx, at: ApplyAt) -> Receipt;
}
