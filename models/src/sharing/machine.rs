//! The data-sharing contract: which commands change the shared state, and when.

use super::command::{Access, Command};
use super::config::Rules;
use super::ids::{Grantee, Pseudonym, Purpose, Reason};
use super::scope::Use;
use super::seeded;
use super::speak::{self, Power};
use super::state::{
    Lookup, RecordEntry, RequestEntry, Word, consent_key, minor_key, power_key, record_key,
    request_key, ruling, sweep_key,
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
    rules: Rules,
}

impl SharingMachine {
    /// The contract between `members`, of which `supervision` may read the audit.
    pub fn new(members: Arc<[NodeId]>, supervision: Arc<[NodeId]>) -> Self {
        Self {
            members,
            supervision,
            rules: Rules::default(),
        }
    }
    /// The same, under these rules.
    #[must_use]
    pub fn under(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    fn execute(&self, state: &mut dyn State, tx: &Tx, at: ApplyAt) -> Result<(), Reason> {
        let origin = tx.id().origin;
        if !self.members.contains(&origin) {
            return Err(Reason::NotAllowed);
        }
        let command = Command::decode(tx.body()).map_err(|_| Reason::Malformed)?;
        let command = match command {
            Command::Spoken { by, word } => return Self::spoken(state, origin, &by, &word, at),
            command => command,
        };
        match command {
            Command::Register {
                record,
                pseudonym,
                digest,
                size,
                address,
                kind,
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
                    kind,
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
            Command::Decide { .. }
            | Command::Grant { .. }
            | Command::Deny { .. }
            | Command::Revoke { .. } => {
                let patient = patient_of(&*state, &command)?;
                speak::speaks(&*state, &patient, at.time_ns)?;
                said(state, origin, &command, i64::MAX)?;
            }
            Command::Appoint { .. } | Command::Dismiss { .. } => power(state, &command, at)?,
            // Taken apart above.
            Command::Spoken { .. } => return Err(Reason::Malformed),
            Command::Access(access) => self.audit(state, origin, &access, at)?,
            Command::Read {
                record,
                requester,
                purpose,
                reader,
            } => {
                let entry = state.record(record).ok_or(Reason::UnknownRecord)?;
                if entry.provider != origin {
                    return Err(Reason::NotAllowed);
                }
                let wanted = Use {
                    requester,
                    reader,
                    purpose,
                    of: Some(entry.kind),
                };
                let ruled = ruling(&*state, &entry, &wanted, self.rules.emergency, at.time_ns);
                if !(seeded::on(&seeded::ORDERED_BEFORE_REVOCATIONS)
                    && ruled == Err(Reason::Revoked))
                {
                    ruled?;
                }
            }
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

/// Whose word it is.
fn patient_of(state: &dyn State, command: &Command) -> Result<Pseudonym, Reason> {
    match command {
        Command::Grant { pseudonym, .. }
        | Command::Deny { pseudonym, .. }
        | Command::Revoke { pseudonym, .. } => Ok(*pseudonym),
        Command::Decide { request, .. } => {
            let entry = state.request(*request).ok_or(Reason::NoOpenRequest)?;
            Ok(entry.pseudonym)
        }
        _ => Err(Reason::Malformed),
    }
}

/// Somebody is to speak for a patient, or no longer. A minor appoints nobody, and keeps the guardian
/// until coming of age.
fn power(state: &mut dyn State, command: &Command, at: ApplyAt) -> Result<(), Reason> {
    match *command {
        Command::Appoint {
            pseudonym,
            by,
            until_ns,
            guardian,
            bounds,
        } => {
            speak::speaks(&*state, &pseudonym, at.time_ns)?;
            let power = Power {
                until_ns,
                guardian,
                bounds,
            };
            if guardian {
                state.put(&minor_key(&pseudonym), &until_ns.to_be_bytes());
            }
            state.put(&power_key(&pseudonym, &by), &power.encode());
        }
        Command::Dismiss { pseudonym, by } => {
            speak::speaks(&*state, &pseudonym, at.time_ns)?;
            let key = power_key(&pseudonym, &by);
            let power = state.value(&key).and_then(|value| Power::decode(&value));
            let power = power.filter(|power| at.time_ns < power.until_ns);
            let over = Power {
                until_ns: at.time_ns,
                ..power.ok_or(Reason::NoPower)?
            };
            state.put(&key, &over.encode());
        }
        _ => return Err(Reason::Malformed),
    }
    Ok(())
}

/// A word of a patient, whoever may say it; what it grants ends at `latest_ns` at the latest.
fn said(
    state: &mut dyn State,
    origin: NodeId,
    command: &Command,
    latest_ns: i64,
) -> Result<(), Reason> {
    match *command {
        Command::Decide {
            request,
            permit,
            expires_ns,
            scope,
        } => {
            let entry = state
                .request(request)
                .filter(|r| r.open)
                .ok_or(Reason::NoOpenRequest)?;
            if entry.entry != origin {
                return Err(Reason::NotAllowed);
            }
            let word = if permit {
                Word::Grant(expires_ns.min(latest_ns), scope)
            } else {
                Word::Denial
            };
            let grantee = Grantee::Institution(entry.requester);
            say(state, &entry.pseudonym, grantee, word);
            let answered = RequestEntry {
                open: false,
                ..entry
            };
            state.put(&request_key(request), &answered.encode());
        }
        Command::Grant {
            pseudonym,
            grantee,
            expires_ns,
            scope,
        } => {
            let word = Word::Grant(expires_ns.min(latest_ns), scope);
            say(state, &pseudonym, grantee, word);
        }
        Command::Deny { pseudonym, grantee } => say(state, &pseudonym, grantee, Word::Denial),
        Command::Revoke { pseudonym, grantee } => {
            // With a grant to everybody, one institution can be left out.
            let granted = |g| matches!(state.word(&pseudonym, g), Some(Word::Grant(..)));
            let covered = match state.word(&pseudonym, grantee) {
                None => granted(Grantee::Everyone),
                Some(_) => granted(grantee),
            };
            if !covered {
                return Err(Reason::NothingToRevoke);
            }
            say(state, &pseudonym, grantee, Word::Withdrawal);
        }
        _ => return Err(Reason::Malformed),
    }
    Ok(())
}

fn say(state: &mut dyn State, pseudonym: &Pseudonym, grantee: Grantee, word: Word) {
    state.put(&consent_key(pseudonym, grantee), &word.encode());
}

impl SharingMachine {
    /// Somebody speaks for a patient.
    fn spoken(
        state: &mut dyn State,
        origin: NodeId,
        by: &Pseudonym,
        word: &Command,
        at: ApplyAt,
    ) -> Result<(), Reason> {
        let patient = patient_of(&*state, word)?;
        let latest_ns = speak::speaks_for(&*state, by, &patient, word, at.time_ns)?;
        said(state, origin, word, latest_ns)
    }

    /// An audit entry is valid if the record's own provider wrote it about a height of the past, and,
    /// under the rule that looks again, if what it permits is permitted here, too.
    fn audit(
        &self,
        state: &dyn State,
        origin: NodeId,
        access: &Access,
        at: ApplyAt,
    ) -> Result<(), Reason> {
        let record = state.record(access.record).ok_or(Reason::UnknownRecord)?;
        if record.provider != origin {
            return Err(Reason::NotAllowed);
        }
        if access.height >= at.height {
            return Err(Reason::FutureHeight);
        }
        if self.rules.recheck && access.permit {
            let wanted = access.by(Some(record.kind));
            let ruled = ruling(state, &record, &wanted, self.rules.emergency, at.time_ns);
            if !(seeded::on(&seeded::RECHECK_OF_EXPIRY_ALONE) && ruled != Err(Reason::Expired)) {
                ruled?;
            }
        }
        Ok(())
    }
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
