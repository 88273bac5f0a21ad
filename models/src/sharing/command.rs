//! The commands that go on the chain, and their bytes.

use super::ids::{Grantee, Pseudonym, Purpose, Reason, RecordId, RequestId};
use super::scope::{Reader, ResourceType, Scope, Use};
use crate::node::membership::Refusal;
use consim_core::{CodecError, Decoder, Digest, Encoder, NodeId, Receipt};
use std::sync::Arc;

/// The longest storage address, bytes.
pub const MAX_ADDRESS: usize = 256;
/// The version of the command encoding.
const VERSION: u8 = 1;

/// A command of the data-sharing model: the body of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// The signer keeps a record: its digest and storage address (paper 5.1.2.4).
    Register {
        /// Which.
        record: RecordId,
        /// Whose.
        pseudonym: Pseudonym,
        /// SHA-256 of the original.
        digest: Digest,
        /// Length of the original, bytes.
        size: u32,
        /// Where the provider keeps it.
        address: Arc<str>,
        /// Its type, where consents depend on it.
        kind: ResourceType,
    },
    /// A doctor asks for access to a patient's records.
    Request {
        /// Names the request.
        request: RequestId,
        /// Whose records.
        pseudonym: Pseudonym,
        /// Which institution asks.
        requester: NodeId,
        /// What for.
        purpose: Purpose,
    },
    /// The patient answers a request.
    Decide {
        /// Which request.
        request: RequestId,
        /// Yes or no.
        permit: bool,
        /// Until when a yes holds, nanoseconds after the Unix epoch.
        expires_ns: i64,
        /// What a yes comprises.
        scope: Scope,
    },
    /// The patient grants access without being asked.
    Grant {
        /// Whose records.
        pseudonym: Pseudonym,
        /// To whom.
        grantee: Grantee,
        /// Until when, nanoseconds after the Unix epoch.
        expires_ns: i64,
        /// What it comprises.
        scope: Scope,
    },
    /// The patient denies access without being asked.
    Deny {
        /// Whose records.
        pseudonym: Pseudonym,
        /// To whom.
        grantee: Grantee,
    },
    /// The patient takes a grant back.
    Revoke {
        /// Whose records.
        pseudonym: Pseudonym,
        /// From whom.
        grantee: Grantee,
    },
    /// The patient appoints a delegate, or the guardian of a minor is made known.
    Appoint {
        /// Whose.
        pseudonym: Pseudonym,
        /// Who is to speak for them.
        by: Pseudonym,
        /// Until when: the minor comes of age then.
        until_ns: i64,
        /// A guardian?
        guardian: bool,
        /// What they may grant.
        bounds: Scope,
    },
    /// The patient dismisses a delegate.
    Dismiss {
        /// Whose.
        pseudonym: Pseudonym,
        /// Whom.
        by: Pseudonym,
    },
    /// Somebody speaks for the patient: a grant, a denial, a revocation, or an answer to a request.
    Spoken {
        /// Who.
        by: Pseudonym,
        /// What.
        word: Arc<Self>,
    },
    /// An entry of the audit trail: a provider decided on an access.
    Access(Access),
    /// A provider is asked for a record: the chain decides where this is ordered, and it is its own
    /// entry of the audit trail.
    Read {
        /// Which.
        record: RecordId,
        /// Which institution asks.
        requester: NodeId,
        /// What for.
        purpose: Purpose,
        /// Who there.
        reader: Reader,
    },
    /// An entry of the audit trail: somebody who is not authenticated was refused.
    Refusal {
        /// Who.
        subject: NodeId,
        /// Why.
        reason: Refusal,
    },
    /// Supervision read the audit trail; its reading is audited itself.
    AuditRead {
        /// The first block read.
        from: u64,
        /// The last block read.
        to: u64,
        /// How many audit entries it held.
        entries: u64,
    },
}

/// A provider's decision on an access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// The record.
    pub record: RecordId,
    /// Which institution asked.
    pub requester: NodeId,
    /// What for.
    pub purpose: Purpose,
    /// Who there.
    pub reader: Reader,
    /// Permit or deny.
    pub permit: bool,
    /// Why.
    pub reason: Reason,
    /// The provider's applied height at which it was decided.
    pub height: u64,
}

impl Access {
    /// The read as a consent looks at it, of a record of this type.
    pub fn by(&self, of: Option<ResourceType>) -> Use {
        Use {
            requester: self.requester,
            reader: self.reader,
            purpose: self.purpose,
            of,
        }
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.record.0).u32(self.requester.0);
        self.reader.encode(self.purpose, e);
        e.u8(u8::from(self.permit))
            .u8(self.reason.code())
            .u64(self.height);
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let (record, requester) = (RecordId(d.u64()?), NodeId(d.u32()?));
        let (purpose, reader) = Reader::decode(d)?;
        Ok(Self {
            record,
            requester,
            purpose,
            reader,
            permit: d.boolean()?,
            reason: Reason::of_code(d.u8()?)?,
            height: d.u64()?,
        })
    }
}

/// Reads text of at most `limit` bytes.
pub(super) fn text(d: &mut Decoder<'_>, limit: usize) -> Result<Arc<str>, CodecError> {
    std::str::from_utf8(d.bytes(limit)?)
        .map(Arc::from)
        .map_err(|_| CodecError::Invalid("text"))
}

impl Command {
    /// The word of the command in reports and traces.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Register { .. } => "register",
            Self::Request { .. } => "request",
            Self::Decide { .. } => "decide",
            Self::Grant { .. } => "grant",
            Self::Deny { .. } => "deny",
            Self::Revoke { .. } => "revoke",
            Self::Appoint { .. } => "appoint",
            Self::Dismiss { .. } => "dismiss",
            Self::Spoken { word, .. } => word.word(),
            Self::Access(_) => "access",
            Self::Read { .. } => "read",
            Self::Refusal { .. } => "refusal",
            Self::AuditRead { .. } => "audit-read",
        }
    }
    /// The body of a transaction with this command.
    pub fn body(&self) -> Arc<[u8]> {
        let mut out = Vec::with_capacity(128);
        self.encode(&mut Encoder::new(&mut out));
        out.into()
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        e.u8(VERSION);
        self.encode_fields(e);
    }
    fn encode_fields(&self, e: &mut Encoder<'_>) {
        match self {
            Self::Appoint {
                pseudonym,
                by,
                until_ns,
                guardian,
                bounds,
            } => {
                e.u8(10).raw(&pseudonym.0).raw(&by.0);
                e.u64(*until_ns as u64).u8(u8::from(*guardian));
                bounds.encode(e);
            }
            Self::Dismiss { pseudonym, by } => {
                e.u8(11).raw(&pseudonym.0).raw(&by.0);
            }
            Self::Spoken { by, word } => {
                e.u8(12).raw(&by.0);
                word.encode_fields(e);
            }
            Self::Register {
                record,
                pseudonym,
                digest,
                size,
                address,
                kind,
            } => {
                e.u8(0)
                    .u64(record.0)
                    .raw(&pseudonym.0)
                    .digest(digest)
                    .u32(*size)
                    .bytes(address.as_bytes());
                kind.encode(e);
            }
            Self::Request {
                request,
                pseudonym,
                requester,
                purpose,
            } => {
                e.u8(1).u64(request.0).raw(&pseudonym.0).u32(requester.0);
                purpose.encode(e);
            }
            Self::Decide {
                request,
                permit,
                expires_ns,
                scope,
            } => {
                e.u8(2)
                    .u64(request.0)
                    .u8(u8::from(*permit))
                    .u64(*expires_ns as u64);
                scope.encode(e);
            }
            Self::Grant {
                pseudonym,
                grantee,
                expires_ns,
                scope,
            } => {
                e.u8(3).raw(&pseudonym.0).u64(*expires_ns as u64);
                grantee.encode(e);
                scope.encode(e);
            }
            Self::Deny { pseudonym, grantee } => {
                e.u8(4).raw(&pseudonym.0);
                grantee.encode(e);
            }
            Self::Revoke { pseudonym, grantee } => {
                e.u8(5).raw(&pseudonym.0);
                grantee.encode(e);
            }
            Self::Access(access) => {
                e.u8(6);
                access.encode(e);
            }
            Self::Read {
                record,
                requester,
                purpose,
                reader,
            } => {
                e.u8(9).u64(record.0).u32(requester.0);
                reader.encode(*purpose, e);
            }
            Self::Refusal { subject, reason } => {
                e.u8(7).u32(subject.0).u8(reason.code());
            }
            Self::AuditRead { from, to, entries } => {
                e.u8(8).u64(*from).u64(*to).u64(*entries);
            }
        }
    }
    /// Reads the body of a transaction.
    pub fn decode(body: &[u8]) -> Result<Self, CodecError> {
        let mut d = Decoder::new(body);
        match d.u8()? {
            VERSION => {}
            other => return Err(CodecError::Version(other)),
        }
        let command = Self::decode_fields(&mut d)?;
        d.end()?;
        Ok(command)
    }
    fn decode_fields(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match d.u8()? {
            0 => Self::Register {
                record: RecordId(d.u64()?),
                pseudonym: Pseudonym(d.array()?),
                digest: d.digest()?,
                size: d.u32()?,
                address: text(d, MAX_ADDRESS)?,
                kind: ResourceType::decode(d)?,
            },
            1 => Self::Request {
                request: RequestId(d.u64()?),
                pseudonym: Pseudonym(d.array()?),
                requester: NodeId(d.u32()?),
                purpose: Purpose::decode(d)?,
            },
            2 => Self::Decide {
                request: RequestId(d.u64()?),
                permit: d.boolean()?,
                expires_ns: d.u64()?.cast_signed(),
                scope: Scope::decode(d)?,
            },
            3 => {
                let pseudonym = Pseudonym(d.array()?);
                let expires_ns = d.u64()?.cast_signed();
                Self::Grant {
                    pseudonym,
                    grantee: Grantee::decode(d)?,
                    expires_ns,
                    scope: Scope::decode(d)?,
                }
            }
            4 => Self::Deny {
                pseudonym: Pseudonym(d.array()?),
                grantee: Grantee::decode(d)?,
            },
            5 => Self::Revoke {
                pseudonym: Pseudonym(d.array()?),
                grantee: Grantee::decode(d)?,
            },
            6 => Self::Access(Access::decode(d)?),
            7 => Self::Refusal {
                subject: NodeId(d.u32()?),
                reason: Refusal::of_code(d.u8()?)?,
            },
            8 => Self::AuditRead {
                from: d.u64()?,
                to: d.u64()?,
                entries: d.u64()?,
            },
            10 => Self::Appoint {
                pseudonym: Pseudonym(d.array()?),
                by: Pseudonym(d.array()?),
                until_ns: d.u64()?.cast_signed(),
                guardian: d.boolean()?,
                bounds: Scope::decode(d)?,
            },
            11 => Self::Dismiss {
                pseudonym: Pseudonym(d.array()?),
                by: Pseudonym(d.array()?),
            },
            12 => {
                let by = Pseudonym(d.array()?);
                match d.next_byte() {
                    // Only these are words of a patient; none is spoken twice over.
                    Some(2..=5) => {}
                    Some(tag) => return Err(CodecError::Tag(tag)),
                    None => return Err(CodecError::Truncated),
                }
                let word = Arc::new(Self::decode_fields(d)?);
                Self::Spoken { by, word }
            }
            9 => {
                let (record, requester) = (RecordId(d.u64()?), NodeId(d.u32()?));
                let (purpose, reader) = Reader::decode(d)?;
                Self::Read {
                    record,
                    requester,
                    purpose,
                    reader,
                }
            }
            tag => return Err(CodecError::Tag(tag)),
        })
    }
    /// What the chain decided on a read of a record of `provider`, executed at `height`; nothing of
    /// other commands, and of reads that it did not decide on.
    pub fn decided(&self, provider: NodeId, receipt: Receipt, height: u64) -> Option<Access> {
        let Self::Read {
            record,
            requester,
            purpose,
            reader,
        } = *self
        else {
            return None;
        };
        let reason = match receipt {
            Receipt::Applied if provider == requester => Reason::Own,
            Receipt::Applied if purpose == Purpose::Emergency => Reason::Emergency,
            Receipt::Applied => Reason::Granted,
            Receipt::Refused(word) => Reason::of_word(word).filter(|why| why.of_consent())?,
            Receipt::Duplicate => return None,
        };
        Some(Access {
            record,
            requester,
            purpose,
            reader,
            permit: receipt == Receipt::Applied,
            reason,
            height,
        })
    }
}

#[cfg(test)]
mod tests;
