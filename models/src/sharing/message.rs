//! Messages between desks and servers, and between servers.

use super::command::text;
use super::ids::{Grantee, Purpose, Reason, RecordId, RequestId};
use super::scope::{Reader, Role, Scope};
use consim_core::{CodecError, Decoder, Encoder, NodeId, OpId, Payload, mix};
use std::any::Any;
use std::sync::Arc;

/// The family byte of data-sharing messages.
pub const FAMILY: u8 = 3;
/// The longest record that travels, bytes.
pub const MAX_BODY: usize = 16 << 20;
/// The longest patient id, bytes.
pub const MAX_PATIENT: usize = 128;
/// The longest certificate, bytes.
pub const MAX_CERTIFICATE: usize = 4096;
/// What AES-GCM adds to a message: nonce and tag (NIST SP 800-38D), bytes.
pub const SEAL_BYTES: usize = 12 + 16;

/// A message of the data-sharing model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// A desk asks its entry server.
    Ask {
        /// The operation; a repeated question keeps it.
        op: OpId,
        /// The encoded certificate of the desk.
        certificate: Arc<[u8]>,
        /// What.
        ask: Ask,
    },
    /// The entry server answers the desk.
    Reply {
        /// The operation.
        op: OpId,
        /// How it ended.
        answer: Answer,
    },
    /// A server forwards a read to the record's provider (flow F-A, step 6).
    Fetch {
        /// The operation.
        op: OpId,
        /// Which record.
        record: RecordId,
        /// For which institution.
        requester: NodeId,
        /// What for.
        purpose: Purpose,
        /// Who there.
        reader: Reader,
        /// The asking server's applied height: the provider decides no earlier than there.
        after: u64,
    },
    /// A server collects a record of another network from its provider (flow F-A, step 8).
    Collect {
        /// The operation of the query.
        op: OpId,
        /// Which record.
        record: RecordId,
    },
    /// The provider hands it out.
    Handed {
        /// The operation of the query.
        op: OpId,
        /// The server that asked.
        requester: NodeId,
        /// How it ended.
        answer: Answer,
    },
    /// The provider answers point to point.
    Release {
        /// The operation.
        op: OpId,
        /// How it ended.
        answer: Answer,
    },
}

/// What a desk asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ask {
    /// Keep this record and register it.
    Register {
        /// Its name.
        record: RecordId,
        /// Whose.
        patient: Arc<str>,
        /// The original.
        body: Arc<[u8]>,
    },
    /// Ask this patient for access.
    Request {
        /// Whom.
        patient: Arc<str>,
        /// What for.
        purpose: Purpose,
        /// Who asks.
        reader: Reader,
    },
    /// The patient answers a request.
    Decide {
        /// Which.
        request: RequestId,
        /// Yes or no.
        permit: bool,
        /// For how long a yes holds, nanoseconds; zero is the service's own period.
        for_ns: u64,
        /// What a yes comprises.
        scope: Scope,
    },
    /// The patient grants without being asked.
    Grant {
        /// Who grants.
        patient: Arc<str>,
        /// To whom.
        grantee: Grantee,
        /// For how long, nanoseconds; zero is the service's own period.
        for_ns: u64,
        /// What it comprises.
        scope: Scope,
    },
    /// The patient denies without being asked.
    Deny {
        /// Who denies.
        patient: Arc<str>,
        /// To whom.
        grantee: Grantee,
    },
    /// The patient takes a grant back.
    Revoke {
        /// Who.
        patient: Arc<str>,
        /// From whom.
        grantee: Grantee,
    },
    /// The patient appoints a delegate, or a guardian is made known.
    Appoint {
        /// Whose.
        patient: Arc<str>,
        /// Whom.
        by: Arc<str>,
        /// For how long, nanoseconds.
        for_ns: u64,
        /// A guardian, until the patient comes of age?
        guardian: bool,
        /// What they may grant.
        bounds: Scope,
    },
    /// The patient dismisses a delegate.
    Dismiss {
        /// Whose.
        patient: Arc<str>,
        /// Whom.
        by: Arc<str>,
    },
    /// Somebody grants, denies or takes back for the patient.
    Spoken {
        /// Who.
        by: Arc<str>,
        /// What.
        ask: Arc<Self>,
    },
    /// Read a record, wherever it is.
    Read {
        /// Which.
        record: RecordId,
        /// What for.
        purpose: Purpose,
        /// Who.
        reader: Reader,
    },
    /// Read the audit trail since the last time.
    Sweep,
    /// Read a record of another network.
    Query {
        /// Which.
        record: RecordId,
        /// Whose.
        patient: Arc<str>,
        /// What for.
        purpose: Purpose,
        /// Who.
        reader: Reader,
    },
}

/// How an operation ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Done.
    Done,
    /// The patient need not be asked: a standing grant holds.
    Standing,
    /// The record.
    Record(Sealed),
    /// What supervision counted.
    Swept(Tally),
    /// No.
    Refused(Reason),
}

/// What a reading of the audit trail counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// The last block read.
    pub height: u64,
    /// Accesses permitted by the patient or to the institution's own records.
    pub permits: u64,
    /// Accesses denied.
    pub denials: u64,
    /// Accesses in an emergency.
    pub emergencies: u64,
    /// Refusals of the unauthenticated.
    pub refusals: u64,
    /// Entries, counted above as well, of blocks whose hashes do not hold together.
    pub unproven: u64,
}

impl Tally {
    /// All entries.
    pub fn entries(&self) -> u64 {
        self.permits + self.denials + self.emergencies + self.refusals
    }
}

/// An encrypted record: AES-GCM, modelled. The bytes on the wire are as many as real ones and not
/// the plaintext, but the keystream gives no secrecy; the cost is charged through `Work`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    nonce: u64,
    body: Arc<[u8]>,
}

impl Sealed {
    /// Encrypts `body`; the operation makes the nonce. The caller charges the work.
    pub fn seal(op: OpId, body: Arc<[u8]>) -> Self {
        Self { nonce: op.0, body }
    }
    /// Decrypts. The caller charges the work.
    pub fn open(&self) -> &Arc<[u8]> {
        &self.body
    }
    /// The length of the ciphertext with nonce and tag.
    pub fn len(&self) -> usize {
        self.body.len() + SEAL_BYTES
    }
    /// Is the record empty?
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }
    /// The ciphertext with nonce and tag, as it stands in something else that travels.
    pub fn to_bytes(&self) -> Arc<[u8]> {
        let mut out = Vec::with_capacity(4 + self.len());
        self.encode(&mut out);
        out.into()
    }
    /// Reads it.
    pub fn of_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut d = Decoder::new(bytes);
        let sealed = Self::decode(&mut d)?;
        d.end()?;
        Ok(sealed)
    }
    /// Appends `bytes` under the keystream of `nonce`; twice is once not.
    fn veil(nonce: u64, bytes: &[u8], out: &mut Vec<u8>) {
        let key = |i: usize| mix(nonce, i as u64).to_be_bytes();
        let words = bytes.chunks_exact(8);
        let rest = words.remainder();
        let last = key(bytes.len() / 8);
        for (i, word) in words.enumerate() {
            let mut veiled = key(i);
            veiled.iter_mut().zip(word).for_each(|(k, b)| *k ^= b);
            out.extend_from_slice(&veiled);
        }
        out.extend(rest.iter().zip(last).map(|(b, k)| b ^ k));
    }
    fn encode(&self, out: &mut Vec<u8>) {
        Encoder::new(out)
            .u32((self.body.len() + SEAL_BYTES) as u32)
            .u64(self.nonce)
            .raw(&[0; 4]);
        Self::veil(self.nonce, &self.body, out);
        out.extend_from_slice(&[0; 16]);
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let n = d.u32()? as usize;
        if n > MAX_BODY + SEAL_BYTES {
            return Err(CodecError::TooLong(n));
        }
        let length = n.checked_sub(SEAL_BYTES).ok_or(CodecError::Truncated)?;
        let nonce = d.u64()?;
        let pad = d.raw(4)?;
        let mut body = Vec::with_capacity(length);
        Self::veil(nonce, d.raw(length)?, &mut body);
        let body = body.into();
        if pad != [0; 4] || d.raw(16)? != [0; 16] {
            return Err(CodecError::Invalid("seal"));
        }
        Ok(Self { nonce, body })
    }
}

/// What a request that says nothing of it is for, and who asks: the first doctor, for treatment.
pub(super) const USUAL: (Purpose, Reader) = (
    Purpose::Treatment,
    Reader {
        role: Role::Doctor,
        person: 0,
    },
);

fn usual(purpose: Purpose, reader: Reader) -> bool {
    (purpose, reader) == USUAL
}

impl Ask {
    /// The patient, if the question names one.
    pub fn patient(&self) -> Option<&Arc<str>> {
        match self {
            Self::Register { patient, .. }
            | Self::Request { patient, .. }
            | Self::Grant { patient, .. }
            | Self::Deny { patient, .. }
            | Self::Revoke { patient, .. }
            | Self::Appoint { patient, .. }
            | Self::Dismiss { patient, .. }
            | Self::Query { patient, .. } => Some(patient),
            Self::Spoken { ask, .. } => ask.patient(),
            Self::Decide { .. } | Self::Read { .. } | Self::Sweep => None,
        }
    }
    /// Who speaks or is to speak for the patient, if the question names somebody.
    pub fn by(&self) -> Option<&Arc<str>> {
        match self {
            Self::Appoint { by, .. } | Self::Dismiss { by, .. } | Self::Spoken { by, .. } => {
                Some(by)
            }
            _ => None,
        }
    }
    /// Is nothing in it longer than its limit? Where messages are handed over as objects no decoder
    /// looks at that.
    pub fn within_limits(&self) -> bool {
        let body = match self {
            Self::Register { body, .. } => body.len(),
            _ => 0,
        };
        let people = self.patient().into_iter().chain(self.by());
        body <= MAX_BODY && people.into_iter().all(|p| p.len() <= MAX_PATIENT)
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        match self {
            Self::Register {
                record,
                patient,
                body,
            } => {
                e.u8(0).u64(record.0).bytes(patient.as_bytes()).bytes(body);
            }
            Self::Request {
                patient,
                purpose,
                reader,
            } => {
                e.u8(1).bytes(patient.as_bytes());
                if !usual(*purpose, *reader) {
                    reader.encode(*purpose, e);
                }
            }
            Self::Decide {
                request,
                permit,
                for_ns,
                scope,
            } => {
                e.u8(2).u64(request.0).u8(u8::from(*permit));
                if (*for_ns, *scope) != (0, Scope::default()) {
                    e.u64(*for_ns);
                    scope.encode(e);
                }
            }
            Self::Grant {
                patient,
                grantee,
                for_ns,
                scope,
            } => {
                e.u8(3).bytes(patient.as_bytes()).u64(*for_ns);
                grantee.encode(e);
                scope.encode(e);
            }
            Self::Deny { patient, grantee } => {
                e.u8(4).bytes(patient.as_bytes());
                grantee.encode(e);
            }
            Self::Revoke { patient, grantee } => {
                e.u8(5).bytes(patient.as_bytes());
                grantee.encode(e);
            }
            Self::Read {
                record,
                purpose,
                reader,
            } => {
                e.u8(6).u64(record.0);
                reader.encode(*purpose, e);
            }
            Self::Sweep => {
                e.u8(7);
            }
            Self::Appoint {
                patient,
                by,
                for_ns,
                guardian,
                bounds,
            } => {
                e.u8(8).bytes(patient.as_bytes()).bytes(by.as_bytes());
                e.u64(*for_ns).u8(u8::from(*guardian));
                bounds.encode(e);
            }
            Self::Dismiss { patient, by } => {
                e.u8(9).bytes(patient.as_bytes()).bytes(by.as_bytes());
            }
            Self::Spoken { by, ask } => {
                e.u8(10).bytes(by.as_bytes());
                ask.encode(e);
            }
            Self::Query {
                record,
                patient,
                purpose,
                reader,
            } => {
                e.u8(11).u64(record.0).bytes(patient.as_bytes());
                reader.encode(*purpose, e);
            }
        }
    }
    fn encoded_len(&self) -> usize {
        1 + match self {
            Self::Register { patient, body, .. } => 8 + 4 + patient.len() + 4 + body.len(),
            Self::Request {
                patient,
                purpose,
                reader,
            } => {
                let told = if usual(*purpose, *reader) {
                    0
                } else {
                    reader.encoded_len()
                };
                4 + patient.len() + told
            }
            Self::Decide { for_ns, scope, .. } => {
                let told = (*for_ns, *scope) != (0, Scope::default());
                8 + 1 + if told { 8 + scope.encoded_len() } else { 0 }
            }
            Self::Read { reader, .. } => 8 + reader.encoded_len(),
            Self::Grant { patient, scope, .. } => {
                4 + patient.len() + 8 + Grantee::ENCODED + scope.encoded_len()
            }
            Self::Deny { patient, .. } | Self::Revoke { patient, .. } => {
                4 + patient.len() + Grantee::ENCODED
            }
            Self::Sweep => 0,
            Self::Appoint {
                patient,
                by,
                bounds,
                ..
            } => 4 + patient.len() + 4 + by.len() + 8 + 1 + bounds.encoded_len(),
            Self::Dismiss { patient, by } => 4 + patient.len() + 4 + by.len(),
            Self::Spoken { by, ask } => 4 + by.len() + ask.encoded_len(),
            Self::Query {
                patient, reader, ..
            } => 8 + 4 + patient.len() + reader.encoded_len(),
        }
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match d.u8()? {
            0 => Self::Register {
                record: RecordId(d.u64()?),
                patient: text(d, MAX_PATIENT)?,
                body: d.bytes(MAX_BODY)?.into(),
            },
            1 => {
                let patient = text(d, MAX_PATIENT)?;
                let (purpose, reader) = if d.remaining() == 0 {
                    USUAL
                } else {
                    let told = Reader::decode(d)?;
                    if told == USUAL {
                        return Err(CodecError::Invalid("reader"));
                    }
                    told
                };
                Self::Request {
                    patient,
                    purpose,
                    reader,
                }
            }
            2 => {
                let (request, permit) = (RequestId(d.u64()?), d.boolean()?);
                let told = d.remaining() > 0;
                let for_ns = if told { d.u64()? } else { 0 };
                let scope = Scope::decode(d)?;
                if told && (for_ns, scope) == (0, Scope::default()) {
                    return Err(CodecError::Invalid("scope"));
                }
                Self::Decide {
                    request,
                    permit,
                    for_ns,
                    scope,
                }
            }
            3 => {
                let patient = text(d, MAX_PATIENT)?;
                let for_ns = d.u64()?;
                Self::Grant {
                    patient,
                    grantee: Grantee::decode(d)?,
                    for_ns,
                    scope: Scope::decode(d)?,
                }
            }
            4 => Self::Deny {
                patient: text(d, MAX_PATIENT)?,
                grantee: Grantee::decode(d)?,
            },
            5 => Self::Revoke {
                patient: text(d, MAX_PATIENT)?,
                grantee: Grantee::decode(d)?,
            },
            6 => {
                let record = RecordId(d.u64()?);
                let (purpose, reader) = Reader::decode(d)?;
                Self::Read {
                    record,
                    purpose,
                    reader,
                }
            }
            7 => Self::Sweep,
            8 => Self::Appoint {
                patient: text(d, MAX_PATIENT)?,
                by: text(d, MAX_PATIENT)?,
                for_ns: d.u64()?,
                guardian: d.boolean()?,
                bounds: Scope::decode(d)?,
            },
            9 => Self::Dismiss {
                patient: text(d, MAX_PATIENT)?,
                by: text(d, MAX_PATIENT)?,
            },
            10 => {
                let by = text(d, MAX_PATIENT)?;
                match d.next_byte() {
                    // Only these are words of a patient; none is spoken twice over.
                    Some(3..=5) => {}
                    Some(tag) => return Err(CodecError::Tag(tag)),
                    None => return Err(CodecError::Truncated),
                }
                let ask = Arc::new(Self::decode(d)?);
                Self::Spoken { by, ask }
            }
            11 => {
                let (record, patient) = (RecordId(d.u64()?), text(d, MAX_PATIENT)?);
                let (purpose, reader) = Reader::decode(d)?;
                Self::Query {
                    record,
                    patient,
                    purpose,
                    reader,
                }
            }
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}

impl Answer {
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = Encoder::new(out);
        match self {
            Self::Done => {
                e.u8(0);
            }
            Self::Standing => {
                e.u8(1);
            }
            Self::Record(sealed) => {
                e.u8(2);
                sealed.encode(out);
            }
            Self::Swept(t) => {
                e.u8(3)
                    .u64(t.height)
                    .u64(t.permits)
                    .u64(t.denials)
                    .u64(t.emergencies)
                    .u64(t.refusals)
                    .u64(t.unproven);
            }
            Self::Refused(reason) => {
                e.u8(4).u8(reason.code());
            }
        }
    }
    fn encoded_len(&self) -> usize {
        1 + match self {
            Self::Done | Self::Standing => 0,
            Self::Record(sealed) => 4 + sealed.len(),
            Self::Swept(_) => 6 * 8,
            Self::Refused(_) => 1,
        }
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match d.u8()? {
            0 => Self::Done,
            1 => Self::Standing,
            2 => Self::Record(Sealed::decode(d)?),
            3 => Self::Swept(Tally {
                height: d.u64()?,
                permits: d.u64()?,
                denials: d.u64()?,
                emergencies: d.u64()?,
                refusals: d.u64()?,
                unproven: d.u64()?,
            }),
            4 => Self::Refused(Reason::of_code(d.u8()?)?),
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}

impl Message {
    /// Reads a message; malformed bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let (mut d, kind) = Decoder::message(bytes, FAMILY)?;
        let op = OpId(d.u64()?);
        let message = match kind {
            0 => Self::Ask {
                op,
                certificate: d.bytes(MAX_CERTIFICATE)?.into(),
                ask: Ask::decode(&mut d)?,
            },
            1 => Self::Reply {
                op,
                answer: Answer::decode(&mut d)?,
            },
            2 => {
                let (record, requester) = (RecordId(d.u64()?), NodeId(d.u32()?));
                let (purpose, reader) = Reader::decode(&mut d)?;
                Self::Fetch {
                    op,
                    record,
                    requester,
                    purpose,
                    reader,
                    after: d.u64()?,
                }
            }
            3 => Self::Release {
                op,
                answer: Answer::decode(&mut d)?,
            },
            4 => Self::Collect {
                op,
                record: RecordId(d.u64()?),
            },
            5 => Self::Handed {
                op,
                requester: NodeId(d.u32()?),
                answer: Answer::decode(&mut d)?,
            },
            tag => return Err(CodecError::Tag(tag)),
        };
        d.end()?;
        Ok(message)
    }
}

/// The words of the kinds of messages.
pub const KINDS: &[&str] = &["ask", "reply", "fetch", "release", "collect", "handed"];

impl Payload for Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Ask { .. } => "ask",
            Self::Reply { .. } => "reply",
            Self::Fetch { .. } => "fetch",
            Self::Release { .. } => "release",
            Self::Collect { .. } => "collect",
            Self::Handed { .. } => "handed",
        }
    }
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ask {
                op,
                certificate,
                ask,
            } => {
                let mut e = Encoder::message(out, FAMILY, 0);
                e.u64(op.0).bytes(certificate);
                ask.encode(&mut e);
            }
            Self::Reply { op, answer } => {
                Encoder::message(out, FAMILY, 1).u64(op.0);
                answer.encode(out);
            }
            Self::Fetch {
                op,
                record,
                requester,
                purpose,
                reader,
                after,
            } => {
                let mut e = Encoder::message(out, FAMILY, 2);
                e.u64(op.0).u64(record.0).u32(requester.0);
                reader.encode(*purpose, &mut e);
                e.u64(*after);
            }
            Self::Release { op, answer } => {
                Encoder::message(out, FAMILY, 3).u64(op.0);
                answer.encode(out);
            }
            Self::Collect { op, record } => {
                Encoder::message(out, FAMILY, 4).u64(op.0).u64(record.0);
            }
            Self::Handed {
                op,
                requester,
                answer,
            } => {
                Encoder::message(out, FAMILY, 5).u64(op.0).u32(requester.0);
                answer.encode(out);
            }
        }
    }
    fn encoded_len(&self) -> usize {
        3 + 8
            + match self {
                Self::Ask {
                    certificate, ask, ..
                } => 4 + certificate.len() + ask.encoded_len(),
                Self::Reply { answer, .. } | Self::Release { answer, .. } => answer.encoded_len(),
                Self::Fetch { reader, .. } => 8 + 4 + reader.encoded_len() + 8,
                Self::Collect { .. } => 8,
                Self::Handed { answer, .. } => 4 + answer.encoded_len(),
            }
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests;
