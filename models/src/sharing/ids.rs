//! Names and words of the data-sharing model: records, grantees, purposes, reasons.

use crate::ledger::chain::BLOCK_GONE;
use consim_core::{CodecError, Decoder, Digest, Encoder, NodeId};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// Names a record in the run: unique, given by whoever made the record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RecordId(pub u64);

/// Names a request for access: the operation that asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RequestId(pub u64);

/// Who a patient is on the chain (paper 5.1.2.4): stands for the person, does not name them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pseudonym(pub [u8; 32]);

/// The alliance's secret under which pseudonyms are made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PseudonymKey(pub [u8; 32]);

/// The block length of SHA-256, bytes (FIPS 180-4).
const BLOCK: usize = 64;

/// HMAC-SHA-256 (RFC 2104) under a key of at most one block.
fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let pad = |byte: u8| {
        let mut block = [byte; BLOCK];
        for (b, k) in block.iter_mut().zip(key) {
            *b ^= k;
        }
        block
    };
    let mut inner = Sha256::new();
    inner.update(pad(0x36));
    for part in parts {
        inner.update(part);
    }
    let mut outer = Sha256::new();
    outer.update(pad(0x5c));
    outer.update(inner.finalize());
    outer.finalize().into()
}

impl PseudonymKey {
    /// The alliance's secret of the run with `seed`.
    pub fn of_seed(seed: u64) -> Self {
        Self(Digest::of_parts(&[b"consim alliance pseudonym key", &seed.to_be_bytes()]).0)
    }
    /// The pseudonym of a patient: HMAC-SHA-256 over patient id and medical id. The paper makes it
    /// of the two ids; a plain hash of them could be undone by trying all ids, so it is keyed. The
    /// id's length goes first: without it ("ab", "c") and ("a", "bc") would be one patient.
    pub fn pseudonym(&self, patient: &str, medical_id: &str) -> Pseudonym {
        let length = (patient.len() as u32).to_be_bytes();
        Pseudonym(hmac(
            &self.0,
            &[&length, patient.as_bytes(), medical_id.as_bytes()],
        ))
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey")
    }
}
impl fmt::Display for Pseudonym {
    /// Eight hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Digest(self.0).fmt(f)
    }
}
impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {:x}", self.0)
    }
}

/// To (or against) whom a patient speaks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Grantee {
    /// Every institution that has no word of its own.
    Everyone,
    /// One institution, by its server.
    Institution(NodeId),
}

impl Grantee {
    /// The bytes of an encoded grantee.
    pub const ENCODED: usize = 5;

    /// Writes it.
    pub fn encode(self, e: &mut Encoder<'_>) {
        match self {
            Self::Everyone => e.u8(0).u32(0),
            Self::Institution(node) => e.u8(1).u32(node.0),
        };
    }
    /// Reads it.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        match (d.u8()?, d.u32()?) {
            (0, 0) => Ok(Self::Everyone),
            (1, node) => Ok(Self::Institution(NodeId(node))),
            (0, _) => Err(CodecError::Invalid("grantee")),
            (tag, _) => Err(CodecError::Tag(tag)),
        }
    }
}

/// Why a record is wanted (HL7 v3 PurposeOfUse: TREAT, ETREAT, HPAYMT, HOPERAT, HRESCH).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Purpose {
    /// Treatment: needs the patient's grant.
    Treatment,
    /// Treatment in an emergency, when the patient cannot be asked.
    Emergency,
    /// To be paid for.
    Payment,
    /// To run the institution.
    Operations,
    /// Research.
    Research,
}

impl Purpose {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Treatment,
        Self::Emergency,
        Self::Payment,
        Self::Operations,
        Self::Research,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Treatment => "treatment",
            Self::Emergency => "emergency",
            Self::Payment => "payment",
            Self::Operations => "operations",
            Self::Research => "research",
        }
    }
    /// Its code in HL7 v3 PurposeOfUse.
    pub const fn hl7(self) -> &'static str {
        match self {
            Self::Treatment => "TREAT",
            Self::Emergency => "ETREAT",
            Self::Payment => "HPAYMT",
            Self::Operations => "HOPERAT",
            Self::Research => "HRESCH",
        }
    }
    /// The byte on the wire, below 32.
    pub const fn code(self) -> u8 {
        match self {
            Self::Treatment => 0,
            Self::Emergency => 1,
            Self::Payment => 2,
            Self::Operations => 3,
            Self::Research => 4,
        }
    }
    /// The purpose of a byte.
    pub fn of_code(code: u8) -> Result<Self, CodecError> {
        let found = Self::ALL.iter().copied().find(|one| one.code() == code);
        found.ok_or(CodecError::Tag(code))
    }
    /// Writes it.
    pub fn encode(self, e: &mut Encoder<'_>) {
        e.u8(self.code());
    }
    /// Reads it.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Self::of_code(d.u8()?)
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal $word:expr),* $(,)?) => {
        /// Why something was permitted or refused.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Reason { $($(#[$doc])* $name),* }

        impl Reason {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in receipts, probes and reports.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }
            /// The byte on the wire.
            pub const fn code(self) -> u8 {
                match self { $(Self::$name => $code),* }
            }
            /// The reason of a byte.
            pub fn of_code(code: u8) -> Result<Self, CodecError> {
                match code { $($code => Ok(Self::$name),)* other => Err(CodecError::Tag(other)) }
            }
            /// The reason of a receipt's word.
            pub fn of_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|r| r.word() == word)
            }
        }
    };
}

impl Reason {
    /// Is it a refusal for want of a consent that holds?
    pub fn of_consent(self) -> bool {
        matches!(
            self,
            Self::NoGrant
                | Self::Expired
                | Self::Denied
                | Self::Revoked
                | Self::NoEmergency
                | Self::OutOfScope
                | Self::NotYet
        )
    }
}

reasons! {
    /// The institution's own record.
    Own = 0 "own record",
    /// The patient granted it.
    Granted = 1 "granted",
    /// An emergency.
    Emergency = 2 "emergency",
    /// No word of the patient allows it.
    NoGrant = 3 "no grant",
    /// The grant has run out.
    Expired = 4 "grant expired",
    /// The patient said no.
    Denied = 5 "denied by the patient",
    /// The patient took the grant back.
    Revoked = 6 "grant revoked",
    /// Emergencies do not open records here.
    NoEmergency = 7 "emergency access not allowed",
    /// The asker is not authenticated.
    Unauthenticated = 8 "not authenticated",
    /// No such record is registered.
    UnknownRecord = 9 "unknown record",
    /// The record is registered already (rule R3).
    RegisteredTwice = 10 "registered already",
    /// The request is registered already (rule R3).
    RequestedTwice = 11 "requested already",
    /// No request of this name waits for an answer (rule R6).
    NoOpenRequest = 12 "no open request",
    /// There is no grant to take back.
    NothingToRevoke = 13 "nothing to revoke",
    /// The signer may not do this.
    NotAllowed = 14 "not allowed",
    /// The command cannot be read.
    Malformed = 15 "malformed",
    /// A height that the chain has not reached.
    FutureHeight = 16 "height not reached",
    /// A reading of the audit that leaves blocks out.
    AuditGap = 17 "audit reading leaves a gap",
    /// The body is not what was registered.
    Integrity = 18 "digest mismatch",
    /// The provider has no original any more.
    Missing = 19 "original missing",
    /// The server has too much to do.
    Busy = 20 "busy",
    /// Emergencies ask nobody.
    NoRequestNeeded = 21 "an emergency needs no request",
    /// The server is no member of the chain, or none yet.
    NoMember = 22 "server is no member",
    /// The server took over a state in which this was executed, and never had the block that says how.
    Unseen = 23 BLOCK_GONE,
    /// The patient's grant does not comprise this use.
    OutOfScope = 24 "outside the scope of the grant",
    /// The patient's grant begins later.
    NotYet = 25 "grant not begun",
    /// The server's last block is too old to decide by.
    Stale = 26 "state too old",
    /// A minor's guardian speaks.
    Minor = 27 "patient is a minor",
    /// Whoever speaks for the patient may not, or not this.
    NoPower = 28 "no power to speak for the patient",
    /// The provider's plan keeps the record in its own network.
    NotOpen = 29 "not open to other networks",
}

#[cfg(test)]
mod tests;
