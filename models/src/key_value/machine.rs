//! The state machine: a map.

use super::command::{Command, state_key};
use crate::orders::Command as _;
use consim_core::machine::ApplyAt;
use consim_core::{NodeId, Receipt, State, StateMachine, Tx};
use std::sync::Arc;

/// Refused: the transaction is no command.
pub const MALFORMED: &str = "malformed";
/// Refused: its origin may not write.
pub const NOT_ALLOWED: &str = "not allowed";

/// The state machine of a key-value service: writers set keys.
#[derive(Clone, Debug)]
pub struct KeyValueMachine {
    writers: Arc<[NodeId]>,
}

impl KeyValueMachine {
    /// A store in which `writers` set keys: servers for their clients, or clients themselves.
    pub fn new(writers: Arc<[NodeId]>) -> Self {
        Self { writers }
    }
}

impl StateMachine for KeyValueMachine {
    fn name(&self) -> &'static str {
        "key-value"
    }
    fn genesis(&self, _state: &mut dyn State) {}
    fn apply(&self, state: &mut dyn State, tx: &Tx, _at: ApplyAt) -> Receipt {
        if !self.writers.contains(&tx.id().origin) {
            return Receipt::Refused(NOT_ALLOWED);
        }
        match Command::from_body(tx.body()) {
            Ok(Command::Put { key, value }) => {
                state.put(&state_key(key), &value);
                Receipt::Applied
            }
            // Which values they set nobody can ask for: that they were set is all that is kept.
            Ok(Command::PutMany { key, .. }) if !tx.cohort().is_one() => {
                state.put(&state_key(key), &tx.op().0.to_be_bytes());
                Receipt::Applied
            }
            Ok(Command::Get { .. }) => Receipt::Applied,
            Ok(Command::PutMany { .. }) | Err(_) => Receipt::Refused(MALFORMED),
        }
    }
}
