//! What users ask of a desk: visits, changes of consent, readings of the audit.

use super::command::text;
use super::ids::{Grantee, Purpose, RecordId};
use super::message::{MAX_BODY, MAX_PATIENT, USUAL};
use super::scope::{Reader, ResourceType};
use crate::workload::{OPTIONAL_SPAN, Terms, decode_optional, encode_optional};
use consim_core::{CodecError, Decoder, Encoder, Payload, Span, mix};
use std::any::Any;
use std::sync::Arc;

/// A request of a user at a desk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Deadline and retries.
    pub terms: Terms,
    /// What.
    pub wish: Wish,
}

/// What a user wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    /// A patient sees a doctor.
    Visit(Visit),
    /// A patient changes a standing consent.
    Consent {
        /// Who.
        patient: Arc<str>,
        /// To (or against) whom.
        grantee: Grantee,
        /// What.
        change: Change,
    },
    /// Somebody changes a standing consent for a patient.
    Spoken {
        /// Who.
        by: Arc<str>,
        /// For whom.
        patient: Arc<str>,
        /// To (or against) whom.
        grantee: Grantee,
        /// What.
        change: Change,
    },
    /// A patient appoints a delegate, or a guardian is made known.
    Appoint {
        /// Whose.
        patient: Arc<str>,
        /// Whom.
        by: Arc<str>,
        /// A guardian?
        guardian: bool,
    },
    /// A patient dismisses a delegate.
    Dismiss {
        /// Whose.
        patient: Arc<str>,
        /// Whom.
        by: Arc<str>,
    },
    /// Supervision reads the audit trail.
    Sweep,
}

impl Wish {
    /// The patient, if there is one.
    pub fn patient(&self) -> Option<&Arc<str>> {
        match self {
            Self::Visit(visit) => Some(&visit.patient),
            Self::Consent { patient, .. }
            | Self::Spoken { patient, .. }
            | Self::Appoint { patient, .. }
            | Self::Dismiss { patient, .. } => Some(patient),
            Self::Sweep => None,
        }
    }
}

/// A change of a standing consent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// Grant; for this long, or for the service's own period.
    Grant(Option<Span>),
    /// Deny.
    Deny,
    /// Take a grant back.
    Revoke,
}

/// A visit: what is recorded, then what is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Visit {
    /// Who.
    pub patient: Arc<str>,
    /// An emergency: reads elsewhere ask nobody and are urgent.
    pub emergency: bool,
    /// What is recorded.
    pub resources: Vec<(RecordId, Body)>,
    /// The institution's own records that are read.
    pub own: Vec<RecordId>,
    /// Records of other institutions that are read.
    pub elsewhere: Vec<RecordId>,
    /// What the patient answers if asked, where a consent of theirs is recorded; `None` decides by
    /// the service's default policy.
    pub answer: Option<bool>,
    /// What the records are read for, if it is no emergency.
    pub purpose: Purpose,
    /// Who reads them.
    pub reader: Reader,
}

/// The bytes of a record, or how to make them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// As recorded.
    Recorded(Arc<[u8]>),
    /// Made when they are needed.
    Synthetic {
        /// What makes them different from others.
        key: u64,
        /// How many bytes.
        size: u32,
        /// Of which type it says that it is.
        kind: ResourceType,
    },
}

/// The most records that a visit writes, and that it reads here or elsewhere.
pub const MAX_RECORDS: usize = 1 << 16;
/// The shortest synthetic record: its JSON frame.
pub const MIN_SYNTHETIC: u32 = 80;

impl Body {
    /// The bytes. A synthetic body is a JSON object in the shape of a FHIR resource of exactly
    /// its size (at least [`MIN_SYNTHETIC`]), the same for the same key.
    pub fn bytes(&self) -> Arc<[u8]> {
        match self {
            Self::Recorded(bytes) => Arc::clone(bytes),
            Self::Synthetic { key, size, kind } => {
                const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
                let kind = kind.word();
                let head = format!(
                    "{{\"resourceType\":\"{kind}\",\"id\":\"{key:016x}\",\"valueString\":\""
                );
                let mut out = head.into_bytes();
                let end = (*size).max(MIN_SYNTHETIC) as usize - 2;
                let mut counter = 0;
                while out.len() < end {
                    let word = mix(*key, counter);
                    counter += 1;
                    let digits = (0..12)
                        .filter_map(|i| DIGITS.get((word >> (5 * i)) as usize & 31).copied());
                    out.extend(digits.take(end - out.len()));
                }
                out.extend_from_slice(b"\"}");
                out.into()
            }
        }
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        match self {
            Self::Recorded(bytes) => e.u8(0).bytes(bytes),
            Self::Synthetic { key, size, kind } => {
                let head = if *kind == ResourceType::Observation {
                    e.u8(1)
                } else {
                    e.u8(2).u8(kind.code())
                };
                head.u64(*key).u32(*size)
            }
        };
    }
    fn encoded_len(&self) -> usize {
        1 + match self {
            Self::Recorded(bytes) => 4 + bytes.len(),
            Self::Synthetic { kind, .. } => 8 + 4 + usize::from(*kind != ResourceType::Observation),
        }
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match d.u8()? {
            0 => Self::Recorded(d.bytes(MAX_BODY)?.into()),
            1 => Self::Synthetic {
                key: d.u64()?,
                size: d.u32()?,
                kind: ResourceType::Observation,
            },
            2 => {
                let kind = ResourceType::of_code(d.u8()?)?;
                if kind == ResourceType::Observation {
                    return Err(CodecError::Invalid("resource type"));
                }
                let (key, size) = (d.u64()?, d.u32()?);
                Self::Synthetic { key, size, kind }
            }
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}

impl Visit {
    fn encode(&self, e: &mut Encoder<'_>) {
        e.bytes(self.patient.as_bytes())
            .u8(u8::from(self.emergency))
            .u8(self.answer.map_or(0, |yes| 1 + u8::from(yes)));
        e.list(self.resources.len());
        for (record, body) in &self.resources {
            e.u64(record.0);
            body.encode(e);
        }
        for list in [&self.own, &self.elsewhere] {
            e.list(list.len());
            for record in list {
                e.u64(record.0);
            }
        }
        if self.need() != USUAL {
            self.reader.encode(self.purpose, e);
        }
    }
    fn need(&self) -> (Purpose, Reader) {
        (self.purpose, self.reader)
    }
    fn encoded_len(&self) -> usize {
        let resources = self.resources.iter();
        let bodies: usize = resources.map(|(_, body)| 8 + body.encoded_len()).sum();
        let need = if self.need() == USUAL {
            0
        } else {
            self.reader.encoded_len()
        };
        let lists = bodies + 8 * (self.own.len() + self.elsewhere.len());
        4 + self.patient.len() + 2 + 3 * 4 + lists + need
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let patient = text(d, MAX_PATIENT)?;
        let emergency = d.boolean()?;
        let answer = match d.u8()? {
            0 => None,
            1 => Some(false),
            2 => Some(true),
            tag => return Err(CodecError::Tag(tag)),
        };
        let resources = (0..d.list(MAX_RECORDS, 8 + 1 + 4)?)
            .map(|_| Ok((RecordId(d.u64()?), Body::decode(d)?)))
            .collect::<Result<_, CodecError>>()?;
        let mut records = || {
            (0..d.list(MAX_RECORDS, 8)?)
                .map(|_| d.u64().map(RecordId))
                .collect::<Result<_, CodecError>>()
        };
        let (own, elsewhere) = (records()?, records()?);
        let (purpose, reader) = if d.remaining() == 0 {
            USUAL
        } else {
            let told = Reader::decode(d)?;
            if told == USUAL {
                return Err(CodecError::Invalid("reader"));
            }
            told
        };
        Ok(Self {
            patient,
            emergency,
            resources,
            own,
            elsewhere,
            answer,
            purpose,
            reader,
        })
    }
}

impl Change {
    const ENCODED: usize = 1 + OPTIONAL_SPAN;

    fn encode(self, e: &mut Encoder<'_>) {
        let (tag, period) = match self {
            Self::Grant(period) => (0, period),
            Self::Deny => (1, None),
            Self::Revoke => (2, None),
        };
        e.u8(tag);
        encode_optional(e, period);
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        match (d.u8()?, decode_optional(d)?) {
            (0, period) => Ok(Self::Grant(period)),
            (1, None) => Ok(Self::Deny),
            (2, None) => Ok(Self::Revoke),
            (1 | 2, Some(_)) => Err(CodecError::Invalid("period")),
            (tag, _) => Err(CodecError::Tag(tag)),
        }
    }
}

impl Request {
    /// Reads a request; malformed bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut d = Decoder::new(bytes);
        let terms = Terms::decode(&mut d)?;
        let wish = match d.u8()? {
            0 => Wish::Visit(Visit::decode(&mut d)?),
            1 => Wish::Consent {
                patient: text(&mut d, MAX_PATIENT)?,
                grantee: Grantee::decode(&mut d)?,
                change: Change::decode(&mut d)?,
            },
            2 => Wish::Sweep,
            3 => Wish::Spoken {
                by: text(&mut d, MAX_PATIENT)?,
                patient: text(&mut d, MAX_PATIENT)?,
                grantee: Grantee::decode(&mut d)?,
                change: Change::decode(&mut d)?,
            },
            4 => Wish::Appoint {
                patient: text(&mut d, MAX_PATIENT)?,
                by: text(&mut d, MAX_PATIENT)?,
                guardian: d.boolean()?,
            },
            5 => Wish::Dismiss {
                patient: text(&mut d, MAX_PATIENT)?,
                by: text(&mut d, MAX_PATIENT)?,
            },
            tag => return Err(CodecError::Tag(tag)),
        };
        d.end()?;
        Ok(Self { terms, wish })
    }
}

impl Payload for Request {
    fn kind(&self) -> &'static str {
        match self.wish {
            Wish::Visit(_) => "visit",
            Wish::Consent { .. } | Wish::Spoken { .. } => "consent",
            Wish::Appoint { .. } | Wish::Dismiss { .. } => "power",
            Wish::Sweep => "sweep",
        }
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = Encoder::new(out);
        self.terms.encode(&mut e);
        match &self.wish {
            Wish::Visit(visit) => {
                e.u8(0);
                visit.encode(&mut e);
            }
            Wish::Consent {
                patient,
                grantee,
                change,
            } => {
                e.u8(1).bytes(patient.as_bytes());
                grantee.encode(&mut e);
                change.encode(&mut e);
            }
            Wish::Sweep => {
                e.u8(2);
            }
            Wish::Spoken {
                by,
                patient,
                grantee,
                change,
            } => {
                e.u8(3).bytes(by.as_bytes()).bytes(patient.as_bytes());
                grantee.encode(&mut e);
                change.encode(&mut e);
            }
            Wish::Appoint {
                patient,
                by,
                guardian,
            } => {
                e.u8(4).bytes(patient.as_bytes()).bytes(by.as_bytes());
                e.u8(u8::from(*guardian));
            }
            Wish::Dismiss { patient, by } => {
                e.u8(5).bytes(patient.as_bytes()).bytes(by.as_bytes());
            }
        }
    }
    fn encoded_len(&self) -> usize {
        let wish = match &self.wish {
            Wish::Visit(visit) => visit.encoded_len(),
            Wish::Consent { patient, .. } => 4 + patient.len() + Grantee::ENCODED + Change::ENCODED,
            Wish::Sweep => 0,
            Wish::Spoken { by, patient, .. } => {
                4 + by.len() + 4 + patient.len() + Grantee::ENCODED + Change::ENCODED
            }
            Wish::Appoint { patient, by, .. } => 4 + patient.len() + 4 + by.len() + 1,
            Wish::Dismiss { patient, by } => 4 + patient.len() + 4 + by.len(),
        };
        Terms::ENCODED + 1 + wish
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests;
