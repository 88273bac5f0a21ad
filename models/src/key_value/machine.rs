//! The state machine: a map.

use super::command::{Command, state_key};
use consim_core::machine::ApplyAt;
use consim_core::{NodeId, Receipt, State, StateMachine, Tx};
use std::sync::Arc;

/// Refused: the transaction is no command.
pub const MALFORMED: &str = "malformed";
/// Refused: its origin is no member.
pub const NOT_ALLOWED: &str = "not allowed";

/// The state machine of a key-value service: members set keys.
#[derive(Clone, Debug)]
pub struct KeyValueMachine {
    members: Arc<[NodeId]>,
}

impl KeyValueMachine {
    /// The store of `members`.
    pub fn new(members: Arc<[NodeId]>) -> Self {
        Self { members }
    }
}

impl StateMachine for KeyValueMachine {
    fn name(&self) -> &'static str {
        "key-value"
    }
    fn genesis(&self, _state: &mut dyn State) {}
    fn apply(&self, state: &mut dyn State, tx: &Tx, _at: ApplyAt) -> Receipt {
        if !self.members.contains(&tx.id().origin) {
            return Receipt::Refused(NOT_ALLOWED);
        }
        match Command::from_body(tx.body()) {
            Ok(Command::Put { key, value }) => {
                state.put(&state_key(key), &value);
                Receipt::Applied
            }
            Ok(Command::Get { .. }) => Receipt::Applied,
            Err(_) => Receipt::Refused(MALFORMED),
        }
    }
}
