//! What the chain's state holds for data sharing, and the consent rule over it.
//!
//! | key | value |
//! | --- | --- |
//! | `r` record (8) | provider (4), pseudonym (32), digest (32), size (4), storage address, its type (1) if it is stated |
//! | `q` request (8) | pseudonym (32), requester (4), entry (4), open (1) |
//! | `c` pseudonym (32) grantee (5) | word (1: grant, denial, withdrawal), expiry (8), scope (20) if it is not the usual one |
//! | `p` pseudonym (32) pseudonym (32) | of a patient and who speaks for them: until when (8), guardian (1), bounds (20) if they are not the usual scope |
//! | `m` pseudonym (32) | of a minor: when they come of age (8) |
//! | `s` supervision's server (4) | last height that it has read (8) |
//! | `x` requester (4) operation (8) | a query of another network that has come |
//! | `y` requester (4) operation (8) | it was answered: may the record be collected (1)? |
//! | `z` requester (4) operation (8) | the answer to a query that has come: who gave it (4), what it is |
//!
//! Integers are big-endian. Audit entries are transactions of the blocks and need no state.

use super::command::{MAX_ADDRESS, text};
use super::ids::{Grantee, Pseudonym, Purpose, Reason, RecordId, RequestId};
use super::scope::{ResourceType, Scope, Use};
use super::seeded;
use consim_core::{CodecError, Decoder, Digest, Encoder, NodeId};
use std::sync::Arc;

/// A registered record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordEntry {
    /// The server that keeps the original.
    pub provider: NodeId,
    /// Whose record.
    pub pseudonym: Pseudonym,
    /// SHA-256 of the original.
    pub digest: Digest,
    /// Length of the original, bytes.
    pub size: u32,
    /// Where the provider keeps it.
    pub address: Arc<str>,
    /// Its type, where the chain states it.
    pub kind: ResourceType,
}

/// A request for access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestEntry {
    /// Whose records.
    pub pseudonym: Pseudonym,
    /// Which institution asks.
    pub requester: NodeId,
    /// The server that submitted it.
    pub entry: NodeId,
    /// Does it wait for the patient?
    pub open: bool,
}

/// A patient's last word to a grantee.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// Yes to what the scope comprises, until then (nanoseconds after the Unix epoch).
    Grant(i64, Scope),
    /// No.
    Denial,
    /// No longer.
    Withdrawal,
}

/// The key of a record.
pub fn record_key(record: RecordId) -> Vec<u8> {
    key(b'r', &[&record.0.to_be_bytes()])
}
/// The key of a request.
pub fn request_key(request: RequestId) -> Vec<u8> {
    key(b'q', &[&request.0.to_be_bytes()])
}
/// The key of a patient's word to a grantee.
pub fn consent_key(pseudonym: &Pseudonym, grantee: Grantee) -> Vec<u8> {
    let mut out = key(b'c', &[&pseudonym.0]);
    grantee.encode(&mut Encoder::new(&mut out));
    out
}
/// The key of the power of `by` to speak for a patient.
pub fn power_key(patient: &Pseudonym, by: &Pseudonym) -> Vec<u8> {
    key(b'p', &[&patient.0, &by.0])
}
/// The key of when a minor comes of age.
pub fn minor_key(patient: &Pseudonym) -> Vec<u8> {
    key(b'm', &[&patient.0])
}
/// The key of a supervisor's progress.
pub fn sweep_key(server: NodeId) -> Vec<u8> {
    key(b's', &[&server.0.to_be_bytes()])
}
fn key(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(40);
    out.push(tag);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// Reads a whole value; one that does not decode counts as absent.
fn whole<T>(
    value: &[u8],
    read: impl FnOnce(&mut Decoder<'_>) -> Result<T, CodecError>,
) -> Option<T> {
    let mut d = Decoder::new(value);
    let entry = read(&mut d).ok()?;
    d.end().ok()?;
    Some(entry)
}

impl RecordEntry {
    /// The value in the state.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(80 + self.address.len());
        let mut e = Encoder::new(&mut out);
        e.u32(self.provider.0)
            .raw(&self.pseudonym.0)
            .digest(&self.digest)
            .u32(self.size)
            .bytes(self.address.as_bytes());
        self.kind.encode(&mut e);
        out
    }
    /// Reads the value.
    pub fn decode(value: &[u8]) -> Option<Self> {
        whole(value, |d| {
            Ok(Self {
                provider: NodeId(d.u32()?),
                pseudonym: Pseudonym(d.array()?),
                digest: d.digest()?,
                size: d.u32()?,
                address: text(d, MAX_ADDRESS)?,
                kind: ResourceType::decode(d)?,
            })
        })
    }
}

impl RequestEntry {
    /// The value in the state.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(41);
        let mut e = Encoder::new(&mut out);
        e.raw(&self.pseudonym.0)
            .u32(self.requester.0)
            .u32(self.entry.0)
            .u8(u8::from(self.open));
        out
    }
    /// Reads the value.
    pub fn decode(value: &[u8]) -> Option<Self> {
        whole(value, |d| {
            Ok(Self {
                pseudonym: Pseudonym(d.array()?),
                requester: NodeId(d.u32()?),
                entry: NodeId(d.u32()?),
                open: d.boolean()?,
            })
        })
    }
}

impl Word {
    /// The value in the state.
    pub fn encode(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(9);
        let mut e = Encoder::new(&mut out);
        match self {
            Self::Grant(expires_ns, scope) => {
                e.u8(0).u64(expires_ns as u64);
                scope.encode(&mut e);
            }
            Self::Denial => {
                e.u8(1).u64(0);
            }
            Self::Withdrawal => {
                e.u8(2).u64(0);
            }
        }
        out
    }
    /// Reads the value.
    pub fn decode(value: &[u8]) -> Option<Self> {
        whole(value, |d| match (d.u8()?, d.u64()?) {
            (0, expires) => Ok(Self::Grant(expires.cast_signed(), Scope::decode(d)?)),
            (1, 0) => Ok(Self::Denial),
            (2, 0) => Ok(Self::Withdrawal),
            (tag, _) => Err(CodecError::Tag(tag)),
        })
    }
}

/// Reads values of the state.
pub trait Lookup {
    /// The value of `key`.
    fn value(&self, key: &[u8]) -> Option<Arc<[u8]>>;

    /// A registered record.
    fn record(&self, record: RecordId) -> Option<RecordEntry> {
        RecordEntry::decode(&self.value(&record_key(record))?)
    }
    /// A request.
    fn request(&self, request: RequestId) -> Option<RequestEntry> {
        RequestEntry::decode(&self.value(&request_key(request))?)
    }
    /// A patient's last word to exactly this grantee.
    fn word(&self, pseudonym: &Pseudonym, grantee: Grantee) -> Option<Word> {
        Word::decode(&self.value(&consent_key(pseudonym, grantee))?)
    }
    /// When a minor comes of age, nanoseconds after the Unix epoch; nothing of those who were none.
    fn of_age(&self, patient: &Pseudonym) -> Option<i64> {
        let value = self.value(&minor_key(patient))?;
        <[u8; 8]>::try_from(&*value).ok().map(i64::from_be_bytes)
    }
    /// How far a supervisor has read.
    fn swept(&self, server: NodeId) -> u64 {
        self.value(&sweep_key(server))
            .and_then(|v| <[u8; 8]>::try_from(&*v).ok())
            .map_or(0, u64::from_be_bytes)
    }
}

impl Lookup for dyn consim_core::State + '_ {
    fn value(&self, key: &[u8]) -> Option<Arc<[u8]>> {
        self.get(key)
    }
}
impl Lookup for dyn crate::node::service::Host + '_ {
    fn value(&self, key: &[u8]) -> Option<Arc<[u8]>> {
        self.get(key)
    }
}

/// Does the consent comprise the use of a record of any type? Who asks for one of another network does not know its
/// type.
pub fn consented_to_all<L: Lookup + ?Sized>(
    state: &L,
    pseudonym: &Pseudonym,
    wanted: &Use,
    now_ns: i64,
) -> Result<Reason, Reason> {
    let mut types = ResourceType::ALL.iter();
    types.try_fold(Reason::Granted, |_, of| {
        let wanted = Use {
            of: Some(*of),
            ..*wanted
        };
        consented(state, pseudonym, &wanted, now_ns)
    })
}

/// Does the consent of `pseudonym` comprise a use at `now_ns`? The patient's word to the requester
/// itself goes before the word to everybody; a grant that has run out, has not begun or is of
/// something else is no word. A grant holds from its first instant until before its last.
pub fn consented<L: Lookup + ?Sized>(
    state: &L,
    pseudonym: &Pseudonym,
    wanted: &Use,
    now_ns: i64,
) -> Result<Reason, Reason> {
    let mut without = Reason::NoGrant;
    for grantee in [Grantee::Institution(wanted.requester), Grantee::Everyone] {
        match state.word(pseudonym, grantee) {
            Some(Word::Grant(expires_ns, scope)) => {
                let over = if seeded::on(&seeded::GRANT_HOLDS_AT_ITS_END) {
                    expires_ns < now_ns
                } else {
                    expires_ns <= now_ns
                };
                without = if over {
                    Reason::Expired
                } else if now_ns < scope.from_ns {
                    Reason::NotYet
                } else if scope.comprises(wanted) || seeded::on(&seeded::SCOPE_NOT_READ) {
                    return Ok(Reason::Granted);
                } else {
                    Reason::OutOfScope
                };
            }
            Some(Word::Denial) => return Err(Reason::Denied),
            Some(Word::Withdrawal) => return Err(Reason::Revoked),
            None => {}
        }
    }
    Err(without)
}

/// The whole rule of access (R5, R7): an institution's own record, an emergency where the alliance
/// allows it, else the patient's consent.
pub fn ruling<L: Lookup + ?Sized>(
    state: &L,
    record: &RecordEntry,
    wanted: &Use,
    emergency_allowed: bool,
    now_ns: i64,
) -> Result<Reason, Reason> {
    if record.provider == wanted.requester {
        return Ok(Reason::Own);
    }
    let wanted = Use {
        of: Some(record.kind),
        ..*wanted
    };
    match (
        wanted.purpose,
        consented(state, &record.pseudonym, &wanted, now_ns),
    ) {
        (Purpose::Emergency, Err(_)) if emergency_allowed => Ok(Reason::Emergency),
        (Purpose::Emergency, Err(_)) => Err(Reason::NoEmergency),
        (_, ruled) => ruled,
    }
}

#[cfg(test)]
mod tests;
