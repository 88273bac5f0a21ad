//! What users ask of a desk: visits, changes of consent, readings of the audit.

use super::ids::{Grantee, RecordId};
use consim_core::{Encoder, Payload, Span, WorkloadId, mix};
use std::any::Any;
use std::sync::Arc;

/// Whose users ask, and how patient they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// The workload.
    pub workload: WorkloadId,
    /// What counts as available, in place of the operations' own deadlines.
    pub deadline: Option<Span>,
    /// Wait before an operation is repeated.
    pub retry_after: Span,
    /// How often it is repeated before the user gives up.
    pub retry_times: u32,
}

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
    /// Supervision reads the audit trail.
    Sweep,
}

impl Wish {
    /// The patient, if there is one.
    pub fn patient(&self) -> Option<&Arc<str>> {
        match self {
            Self::Visit(visit) => Some(&visit.patient),
            Self::Consent { patient, .. } => Some(patient),
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
    },
}

/// The shortest synthetic record: its JSON frame.
pub const MIN_SYNTHETIC: u32 = 80;

impl Body {
    /// The bytes. A synthetic body is a JSON object in the shape of a FHIR Observation of exactly
    /// its size (at least [`MIN_SYNTHETIC`]), the same for the same key.
    pub fn bytes(&self) -> Arc<[u8]> {
        match self {
            Self::Recorded(bytes) => Arc::clone(bytes),
            Self::Synthetic { key, size } => {
                const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
                let head = format!(
                    "{{\"resourceType\":\"Observation\",\"id\":\"{key:016x}\",\"valueString\":\""
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
    fn size(&self) -> usize {
        match self {
            Self::Recorded(bytes) => bytes.len(),
            Self::Synthetic { size, .. } => (*size).max(MIN_SYNTHETIC) as usize,
        }
    }
}

impl Payload for Request {
    fn kind(&self) -> &'static str {
        match self.wish {
            Wish::Visit(_) => "visit",
            Wish::Consent { .. } => "consent",
            Wish::Sweep => "sweep",
        }
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = Encoder::new(out);
        e.u16(self.terms.workload.0)
            .u64(self.terms.deadline.map_or(0, Span::nanos))
            .u64(self.terms.retry_after.nanos())
            .u32(self.terms.retry_times);
        match &self.wish {
            Wish::Visit(visit) => {
                let answer = visit.answer.map_or(0, |yes| 1 + u8::from(yes));
                e.u8(0)
                    .bytes(visit.patient.as_bytes())
                    .u8(u8::from(visit.emergency))
                    .u8(answer);
                e.list(visit.resources.len());
                for (record, body) in &visit.resources {
                    e.u64(record.0).bytes(&body.bytes());
                }
                for list in [&visit.own, &visit.elsewhere] {
                    e.list(list.len());
                    for record in list {
                        e.u64(record.0);
                    }
                }
            }
            Wish::Consent {
                patient,
                grantee,
                change,
            } => {
                let (tag, period) = match change {
                    Change::Grant(period) => (0, period.map_or(0, Span::nanos)),
                    Change::Deny => (1, 0),
                    Change::Revoke => (2, 0),
                };
                e.u8(1).bytes(patient.as_bytes());
                grantee.encode(&mut e);
                e.u8(tag).u64(period);
            }
            Wish::Sweep => {
                e.u8(2);
            }
        }
    }
    fn encoded_len(&self) -> usize {
        2 + 8
            + 8
            + 4
            + 1
            + match &self.wish {
                Wish::Visit(v) => {
                    let bodies: usize = v.resources.iter().map(|(_, body)| 12 + body.size()).sum();
                    4 + v.patient.len() + 2 + 3 * 4 + bodies + 8 * (v.own.len() + v.elsewhere.len())
                }
                Wish::Consent { patient, .. } => 4 + patient.len() + Grantee::ENCODED + 1 + 8,
                Wish::Sweep => 0,
            }
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
