//! Observations of the data-sharing model, for its checks and its summary.

use super::command::Access;
use super::ids::{Grantee, Pseudonym, RecordId};
use super::message::Tally;
use super::network::Label;
use consim_core::probe::DomainProbe;
use consim_core::{Digest, NodeId, OpId, Probe};
use std::any::Any;
use std::sync::Arc;

/// An observation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SharingProbe {
    /// A provider decided on an access.
    Decided {
        /// The operation.
        op: OpId,
        /// Whose record.
        pseudonym: Pseudonym,
        /// Who decided.
        provider: NodeId,
        /// What.
        access: Access,
    },
    /// A provider answered an access: the record is released, or the denial told.
    Released {
        /// The operation.
        op: OpId,
        /// The record.
        record: RecordId,
        /// The record itself, or a denial.
        permit: bool,
    },
    /// The asking institution received a record and compared its digest with the chain's.
    Received {
        /// The operation.
        op: OpId,
        /// The record.
        record: RecordId,
        /// SHA-256 of the body that came.
        digest: Digest,
        /// Was the body accepted?
        accepted: bool,
    },
    /// A refusal of somebody unauthenticated was not audited, because there are too many.
    Unaudited {
        /// Who was refused.
        subject: NodeId,
    },
    /// A patient answered a request.
    Answered {
        /// Yes or no.
        permit: bool,
        /// By a recorded consent, or by the default policy.
        recorded: bool,
    },
    /// An institution deleted its copies of a patient's records.
    Deleted {
        /// Whose.
        pseudonym: Pseudonym,
    },
    /// A provider destroyed the keys of copies of a patient's records.
    Shredded {
        /// Whose.
        pseudonym: Pseudonym,
        /// Whose copies.
        grantee: Grantee,
    },
    /// A standing consent was changed on the chain (`grant`, `deny`, `revoke`).
    Consented(&'static str),
    /// An administrator changed an original in the store; nobody else knows.
    Edited {
        /// The attack, by its number in the run.
        attack: u16,
        /// Which.
        record: RecordId,
    },
    /// A clinician asks for a record that no care needs; nobody else knows.
    Pried {
        /// The attack, by its number in the run.
        attack: u16,
        /// The operation.
        op: OpId,
        /// Which.
        record: RecordId,
    },
    /// And has got it.
    Copied {
        /// The attack, by its number in the run.
        attack: u16,
        /// The operation.
        op: OpId,
        /// Which.
        record: RecordId,
    },
    /// A provider decided on a query of another network, and its chain has the decision.
    Queried {
        /// What the plan says of the record.
        label: Label,
        /// Was the record opened?
        permit: bool,
    },
    /// The asking server has a record of another network, and compared its digest with what the provider's chain has.
    Crossed {
        /// Point to point, or over the chains?
        apart: bool,
        /// Was the body accepted?
        accepted: bool,
    },
    /// Supervision read the audit trail.
    AuditSwept {
        /// The first block read.
        from: u64,
        /// What it counted.
        tally: Tally,
    },
}

impl DomainProbe for SharingProbe {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl SharingProbe {
    /// As a probe of the run.
    pub fn probe(self) -> Probe {
        Probe::Domain(Arc::new(self))
    }
    /// The observation inside a probe of the run.
    pub fn of(probe: &Probe) -> Option<&Self> {
        match probe {
            Probe::Domain(domain) => domain.as_any().downcast_ref(),
            _ => None,
        }
    }
}
