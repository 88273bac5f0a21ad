//! Who speaks for a patient: the patient, a delegate whom the patient appointed, or the guardian of a
//! minor.
//!
//! | who | may | until |
//! | --- | --- | --- |
//! | the patient | say everything, once of age | |
//! | a delegate | answer requests, deny and revoke; grant what lies within the bounds | the end of the delegation, or its dismissal |
//! | a guardian | answer requests, grant, deny and revoke | the minor comes of age |
//!
//! What a delegate or guardian grants ends with their own power at the latest. All ends are exact at
//! the time of a block: power holds before it.

use super::command::Command;
use super::ids::{Pseudonym, Reason};
use super::scope::Scope;
use super::seeded;
use super::state::{Lookup, power_key};
use consim_core::{CodecError, Decoder, Encoder};

/// The power to speak for a patient.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Power {
    /// Until when, nanoseconds after the Unix epoch.
    pub until_ns: i64,
    /// A guardian's, which silences the minor; else a delegate's.
    pub guardian: bool,
    /// What may be granted.
    pub bounds: Scope,
}

impl Power {
    /// The value in the state.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(29);
        let mut e = Encoder::new(&mut out);
        e.u64(self.until_ns as u64).u8(u8::from(self.guardian));
        self.bounds.encode(&mut e);
        out
    }
    /// Reads the value.
    pub fn decode(value: &[u8]) -> Option<Self> {
        let mut d = Decoder::new(value);
        let read = |d: &mut Decoder<'_>| -> Result<Self, CodecError> {
            Ok(Self {
                until_ns: d.u64()?.cast_signed(),
                guardian: d.boolean()?,
                bounds: Scope::decode(d)?,
            })
        };
        let power = read(&mut d).ok()?;
        d.end().ok()?;
        Some(power)
    }
}

/// Is the patient a minor at `now_ns`?
pub fn is_minor<L: Lookup + ?Sized>(state: &L, patient: &Pseudonym, now_ns: i64) -> bool {
    state
        .of_age(patient)
        .is_some_and(|of_age_ns| now_ns < of_age_ns)
}

/// What a patient may say themself at `now_ns`.
pub fn speaks<L: Lookup + ?Sized>(
    state: &L,
    patient: &Pseudonym,
    now_ns: i64,
) -> Result<(), Reason> {
    if is_minor(state, patient, now_ns) {
        return Err(Reason::Minor);
    }
    Ok(())
}

/// The power of `by` to say `word` for `patient` at `now_ns`, of whom it is `word` that is spoken: the
/// end of what it grants, or why not.
pub fn speaks_for<L: Lookup + ?Sized>(
    state: &L,
    by: &Pseudonym,
    patient: &Pseudonym,
    word: &Command,
    now_ns: i64,
) -> Result<i64, Reason> {
    let power = state
        .value(&power_key(patient, by))
        .and_then(|value| Power::decode(&value))
        .ok_or(Reason::NoPower)?;
    let endless = seeded::on(&seeded::POWER_NEVER_ENDS);
    if power.until_ns <= now_ns && !endless {
        return Err(Reason::NoPower);
    }
    if !power.guardian && is_minor(state, patient, now_ns) {
        return Err(Reason::Minor);
    }
    let granted = match word {
        Command::Grant { scope, .. }
        | Command::Decide {
            permit: true,
            scope,
            ..
        } => Some(scope),
        _ => None,
    };
    let within = granted.is_none_or(|scope| scope.lies_within(&power.bounds));
    if !within && !seeded::on(&seeded::BOUNDS_NOT_COMPARED) {
        return Err(Reason::NoPower);
    }
    Ok(if endless { i64::MAX } else { power.until_ns })
}
