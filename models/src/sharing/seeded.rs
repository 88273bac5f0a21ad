//! Seeded bugs of data sharing (docs/seeded-bugs.md). The codes are those of the list of mutants.

use super::ids::{Pseudonym, Reason};
pub(crate) use consim_core::seeded::on;
use consim_core::{NodeId, SeededBug};

/// All of them.
pub const BUGS: &[&SeededBug] = &[
    &CHECK_AT_REQUEST_ALONE,
    &DECISION_CACHED,
    &LOG_AFTER_REPLY,
    &RECORD_BEFORE,
    &PATIENT_IN_ADDRESS,
    &DIGEST_NOT_COMPARED,
    &SCOPE_NOT_READ,
    &GRANT_HOLDS_AT_ITS_END,
    &LEASE_NEVER_ENDS,
    &ORDERED_BEFORE_REVOCATIONS,
    &RECHECK_OF_EXPIRY_ALONE,
    &READING_OF_ONE_BLOCK,
    &POWER_NEVER_ENDS,
    &BOUNDS_NOT_COMPARED,
    &COPIES_KEPT,
    &LABEL_NOT_LOOKED_AT,
];

/// None.
pub(crate) const LABEL_NOT_LOOKED_AT: SeededBug = SeededBug {
    name: "label-not-looked-at",
    code: "",
    says: "A provider answers queries of other networks without a look at what its plan says of the record.",
    source: "Paper 5.1.2.1: provision plans restrict what is not open (claim 15)",
    killers: &["labels-kept"],
};

/// X1.
pub(crate) const CHECK_AT_REQUEST_ALONE: SeededBug = SeededBug {
    name: "check-at-request-alone",
    code: "X1",
    says: "Consent is looked at when access is asked for, and not when a record is read.",
    source: "Threat H4: time of check, time of use",
    killers: &["no-read-without-grant", "revocation-bound"],
};

/// X2.
pub(crate) const DECISION_CACHED: SeededBug = SeededBug {
    name: "decision-cached",
    code: "X2",
    says: "A provider answers by what it decided before, whatever was withdrawn since.",
    source: "Threat H3: stale consent",
    killers: &["revocation-bound", "no-read-without-grant"],
};

/// X6.
pub(crate) const LOG_AFTER_REPLY: SeededBug = SeededBug {
    name: "log-after-reply",
    code: "X6",
    says: "A record leaves before the entry in the audit trail is on the chain.",
    source: "Threat H7: a crash between",
    killers: &["audit-complete"],
};

/// Binding.
pub(crate) const RECORD_BEFORE: SeededBug = SeededBug {
    name: "record-before",
    code: "",
    says: "The index of originals is off by one, and hands the record before out.",
    source: "Our own",
    killers: &["off-chain-binding"],
};

/// No secret on the chain.
pub(crate) const PATIENT_IN_ADDRESS: SeededBug = SeededBug {
    name: "patient-in-address",
    code: "",
    says: "The storage address of a record, which the chain tells everybody, holds the patient's number.",
    source: "Our own; object stores whose keys are personal data",
    killers: &["no-plaintext-on-chain"],
};

/// Binding, at the reader.
pub(crate) const DIGEST_NOT_COMPARED: SeededBug = SeededBug {
    name: "digest-not-compared",
    code: "",
    says: "Who receives a record does not compare it with the digest on the chain.",
    source: "Our own; threat H1",
    killers: &["off-chain-binding"],
};

/// Scope.
pub(crate) const SCOPE_NOT_READ: SeededBug = SeededBug {
    name: "scope-not-read",
    code: "",
    says: "A grant opens everything: what it is of, what it is for and whom it is for are not looked at.",
    source: "Threat H5: purpose creep",
    killers: &["no-read-without-grant", "revocation-bound"],
};

/// Expiry.
pub(crate) const GRANT_HOLDS_AT_ITS_END: SeededBug = SeededBug {
    name: "grant-holds-at-its-end",
    code: "",
    says: "A grant is still honoured in the block that bears the very time of its end.",
    source: "Our own; fault C7",
    killers: &["no-read-without-grant"],
};

/// Lease.
pub(crate) const LEASE_NEVER_ENDS: SeededBug = SeededBug {
    name: "lease-never-ends",
    code: "",
    says: "A server counts its lease from the question, and not from its last block.",
    source: "Our own; threat H3",
    killers: &["fresh-decisions"],
};

/// Ordered reads.
pub(crate) const ORDERED_BEFORE_REVOCATIONS: SeededBug = SeededBug {
    name: "ordered-before-revocations",
    code: "",
    says: "A read that is ordered is decided as if nothing had been taken back.",
    source: "Our own; threat H3",
    killers: &["no-read-without-grant", "revocation-bound"],
};

/// The second look.
pub(crate) const RECHECK_OF_EXPIRY_ALONE: SeededBug = SeededBug {
    name: "recheck-of-expiry-alone",
    code: "",
    says: "In the block it is looked at whether a grant has run out, and not whether it was taken back.",
    source: "Threat H4: time of check, time of use",
    killers: &["no-read-without-grant"],
};

/// Reviews.
pub(crate) const READING_OF_ONE_BLOCK: SeededBug = SeededBug {
    name: "reading-of-one-block",
    code: "",
    says: "A reading of the audit trail covers one block, however many there are.",
    source: "Our own; threat H5",
    killers: &["emergency-reviewed"],
};

/// Delegation and guardianship.
pub(crate) const POWER_NEVER_ENDS: SeededBug = SeededBug {
    name: "power-never-ends",
    code: "",
    says: "Who once spoke for a patient goes on: delegations do not end, and minors do not come of age for their guardians.",
    source: "Our own",
    killers: &["no-read-without-grant", "revocation-bound"],
};

/// Delegation.
pub(crate) const BOUNDS_NOT_COMPARED: SeededBug = SeededBug {
    name: "bounds-not-compared",
    code: "",
    says: "A delegate grants what the patient kept for themself.",
    source: "Our own",
    killers: &["no-read-without-grant", "revocation-bound"],
};

/// Copies.
pub(crate) const COPIES_KEPT: SeededBug = SeededBug {
    name: "copies-kept",
    code: "",
    says: "A revocation is to end copies, and they stay.",
    source: "Threat H12: erasure",
    killers: &["copies-gone"],
};

/// What a provider has decided before, for [`DECISION_CACHED`]; nothing in a build without it.
#[derive(Debug, Default)]
pub(super) struct Decided {
    #[cfg(any(feature = "seeded-bugs", debug_assertions))]
    permits: std::collections::BTreeSet<(Pseudonym, NodeId)>,
}

impl Decided {
    /// The ruling, or a permit that was given before.
    #[cfg(any(feature = "seeded-bugs", debug_assertions))]
    pub(super) fn or_before(
        &mut self,
        pseudonym: Pseudonym,
        requester: NodeId,
        ruled: Result<Reason, Reason>,
    ) -> Result<Reason, Reason> {
        let pair = (pseudonym, requester);
        if ruled == Ok(Reason::Granted) {
            self.permits.insert(pair);
        }
        let before = self.permits.contains(&pair);
        ruled.or_else(|reason| {
            if before {
                Ok(Reason::Granted)
            } else {
                Err(reason)
            }
        })
    }
    /// The ruling.
    #[cfg(not(any(feature = "seeded-bugs", debug_assertions)))]
    #[allow(clippy::unused_self, reason = "nothing is kept in this build")]
    pub(super) fn or_before(
        &mut self,
        _: Pseudonym,
        _: NodeId,
        ruled: Result<Reason, Reason>,
    ) -> Result<Reason, Reason> {
        ruled
    }
}
