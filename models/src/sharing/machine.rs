//! The data-sharing contract: which commands change the shared state, and when.

use super::command::{Access, Command};
use super::ids::{Grantee, Pseudonym, Purpose, Reason};
use super::state::{
    Lookup, RecordEntry, RequestEntry, Word, consent_key, record_key, request_key, sweep_key,
};
use consim_core::machine::ApplyAt;
use consim_core::{NodeId, Receipt, State, StateMachine, Tx};
use std::sync::Arc;

/// The state machine of data sharing. The keys of its state are listed in [`super::state`].
///
/// A patient's own key is not modelled: the member at which the patient is authenticated vouches
/// for the patient's word, with its signature.
#[derive(Clone, Debug)]
pub struct SharingMachine {
    members: Arc<[NodeId]>,
    supervision: Arc<[NodeId]>,
}

impl SharingMachine {
    /// The contract between `members`, of which `supervision` may read the audit.
    pub fn new(members: Arc<[NodeId]>, supervision: Arc<[NodeId]>) -> Self {
        Self {
            members,
            supervision,
        }
    }

    fn execute(&self, state: &mut dyn State, tx: &Tx, at: ApplyAt) -> Result<(), Reason> {
        let origin = tx.id().origin;
        if !self.members.contains(&origin) {
            return Err(Reason::NotAllowed);
        }
        match Command::decode(tx.body()).map_err(|_| Reason::Malformed)? {
            Command::Register {
                record,
                pseudonym,
                digest,
                size,
                address,
            } => {
                if state.record(record).is_some() {
                    return Err(Reason::RegisteredTwice);
                }
                let entry = RecordEntry {
                    provider: origin,
                    pseudonym,
                    digest,
                    size,
                    address,
                };
                state.put(&record_key(record), &entry.encode());
            }
            Command::Request {
                request,
                pseudonym,
                requester,
                purpose,
            } => {
                if state.request(request).is_some() {
                    return Err(Reason::RequestedTwice);
                }
                // A member asks for itself; one that is outside asks through a member.
                if requester != origin && self.members.contains(&requester) {
                    return Err(Reason::NotAllowed);
                }
                if purpose == Purpose::Emergency {
                    return Err(Reason::NoRequestNeeded);
                }
                let entry = RequestEntry {
                    pseudonym,
                    requester,
                    entry: origin,
                    open: true,
                };
                state.put(&request_key(request), &entry.encode());
            }
            Command::Decide {
                request,
                permit,
                expires_ns,
            } => {
                let entry = state
                    .request(request)
                    .filter(|r| r.open)
                    .ok_or(Reason::NoOpenRequest)?;
                if entry.entry != origin {
                    return Err(Reason::NotAllowed);
                }
                let word = if permit {
                    Word::Grant(expires_ns)
                } else {
                    Word::Denial
                };
                say(
                    state,
                    &entry.pseudonym,
                    Grantee::Institution(entry.requester),
                    word,
                );
                state.put(
                    &request_key(request),
                    &RequestEntry {
                        open: false,
                        ..entry
                    }
                    .encode(),
                );
            }
            Command::Grant {
                pseudonym,
                grantee,
                expires_ns,
            } => say(state, &pseudonym, grantee, Word::Grant(expires_ns)),
            Command::Deny { pseudonym, grantee } => say(state, &pseudonym, grantee, Word::Denial),
            Command::Revoke { pseudonym, grantee } => {
                // With a grant to everybody, one institution can be left out.
                let granted = |g| matches!(state.word(&pseudonym, g), Some(Word::Grant(_)));
                let covered = match state.word(&pseudonym, grantee) {
                    None => granted(Grantee::Everyone),
                    Some(_) => granted(grantee),
                };
                if !covered {
                    return Err(Reason::NothingToRevoke);
                }
                say(state, &pseudonym, grantee, Word::Withdrawal);
            }
            Command::Access(access) => audit(state, origin, &access, at)?,
            Command::Refusal { .. } => {}
            Command::AuditRead { from, to, .. } => {
                if !self.supervision.contains(&origin) {
                    return Err(Reason::NotAllowed);
                }
                if to >= at.height {
                    return Err(Reason::FutureHeight);
                }
                if from != state.swept(origin) + 1 || to < from {
                    return Err(Reason::AuditGap);
                }
                state.put(&sweep_key(origin), &to.to_be_bytes());
            }
        }
        Ok(())
    }
}

fn say(state: &mut dyn State, pseudonym: &Pseudonym, grantee: Grantee, word: Word) {
    state.put(&consent_key(pseudonym, grantee), &word.encode());
}

/// An audit entry is valid if the record's own provider wrote it about a height of the past.
fn audit(state: &dyn State, origin: NodeId, access: &Access, at: ApplyAt) -> Result<(), Reason> {
    let record = state.record(access.record).ok_or(Reason::UnknownRecord)?;
    if record.provider != origin {
        return Err(Reason::NotAllowed);
    }
    if access.height >= at.height {
        return Err(Reason::FutureHeight);
    }
    Ok(())
}

impl StateMachine for SharingMachine {
    fn name(&self) -> &'static str {
        "data-sharing"
    }
    fn genesis(&self, _state: &mut dyn State) {}
    fn apply(&self, state: &mut dyn State, tx: &Tx, at: ApplyAt) -> Receipt {
        match self.execute(state, tx, at) {
            Ok(()) => Receipt::Applied,
            Err(reason) => Receipt::Refused(reason.word()),
        }
    }
}

#[cfg(test)]
mod tests;
