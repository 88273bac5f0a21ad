//! Generic invariants, one file each. They listen to probes and to the wire, recompute with code
//! of their own, and know nothing of the protocol, the ledger or the domain that they judge.
//!
//! Every node reports every block, so a check does its full work for the first report of a height
//! and compares ids for the others.

mod accountability;
mod agreement;
mod at_most_once;
mod block_time;
mod bounded_mempool;
mod by_height;
mod carry_over;
mod certificate;
mod client_progress;
mod convergence;
mod durability;
mod equal_state_roots;
mod equal_storage;
mod finality;
mod hash_chain;
mod light_client;
mod livelock;
mod liveness;
mod merkle;
mod no_double_signing;
mod one_effect;
mod one_leader;
mod prefix_order;
mod quorum_intersection;
mod recoverable;
mod rejoin;
mod repair;
mod revoked;
mod subjects;
mod validity;

#[cfg(test)]
mod tests;

pub use accountability::Accountability;
pub use agreement::Agreement;
pub use at_most_once::AtMostOnce;
pub use block_time::BlockTime;
pub use bounded_mempool::BoundedMempool;
pub use carry_over::CarryOver;
pub use certificate::CertificateSoundness;
pub use client_progress::ClientProgress;
pub use convergence::Convergence;
pub use durability::Durability;
pub use equal_state_roots::EqualStateRoots;
pub use equal_storage::EqualStorage;
pub use finality::Finality;
pub use hash_chain::HashChain;
pub use light_client::LightClientSafety;
pub use livelock::NoLivelock;
pub use liveness::Liveness;
pub use merkle::Merkle;
pub use no_double_signing::NoDoubleSigning;
pub use one_effect::OneEffect;
pub use one_leader::OneLeader;
pub use prefix_order::PrefixOrder;
pub use quorum_intersection::QuorumIntersection;
pub use rejoin::Rejoin;
pub use repair::Repair;
pub use revoked::RevokedRefused;
pub use subjects::{ChainSubject, Subjects, TimePromise};
pub use validity::Validity;

use consim_core::{Check, Severity};
use std::sync::Arc;

/// A line of the registry of checks.
#[derive(Clone, Copy)]
pub struct CheckEntry {
    /// Its word in scenarios (`agreement`).
    pub name: &'static str,
    /// Its code in the catalogue of invariants (`I1`).
    pub code: &'static str,
    /// The first version that has it.
    pub since: &'static str,
    /// What a violation means.
    pub severity: Severity,
    /// What it says, in one sentence.
    pub says: &'static str,
    /// Does its subject occur in the run? A check without a subject is not listed.
    pub applies: fn(&Subjects) -> bool,
    /// Makes it.
    pub build: fn(Arc<Subjects>) -> Box<dyn Check>,
}

impl CheckEntry {
    /// Is `word` its name or its code?
    pub fn is(&self, word: &str) -> bool {
        self.name == word || self.code == word
    }
}

/// All generic checks, in the order of the catalogue.
pub const CHECKS: &[CheckEntry] = &[
    agreement::ENTRY,
    prefix_order::ENTRY,
    finality::ENTRY,
    validity::ENTRY,
    at_most_once::ENTRY,
    no_double_signing::ENTRY,
    certificate::ENTRY,
    carry_over::ENTRY,
    one_leader::ENTRY,
    equal_state_roots::ENTRY,
    quorum_intersection::ENTRY,
    accountability::ENTRY,
    hash_chain::ENTRY,
    block_time::ENTRY,
    merkle::ENTRY,
    equal_storage::ENTRY,
    repair::ENTRY,
    durability::ENTRY,
    bounded_mempool::ENTRY,
    light_client::ENTRY,
    revoked::ENTRY,
    one_effect::ENTRY,
    liveness::ENTRY,
    client_progress::ENTRY,
    convergence::ENTRY,
    rejoin::ENTRY,
    livelock::ENTRY,
];

/// The checks that apply to `subjects`: of those in `only` (all, if it is empty) the ones that are
/// not in `except`. Words are names or codes.
pub fn build(subjects: &Arc<Subjects>, only: &[String], except: &[String]) -> Vec<Box<dyn Check>> {
    CHECKS
        .iter()
        .filter(|entry| only.is_empty() || only.iter().any(|word| entry.is(word)))
        .filter(|entry| !except.iter().any(|word| entry.is(word)))
        .filter(|entry| (entry.applies)(subjects))
        .map(|entry| (entry.build)(Arc::clone(subjects)))
        .collect()
}

/// A subject that every run with a chain has.
fn any_chain(subjects: &Subjects) -> bool {
    !subjects.chains.is_empty()
}

/// A chain whose commits carry signatures.
fn signed_chain(subjects: &Subjects) -> bool {
    subjects.chains.iter().any(|chain| chain.byzantine)
}

/// Implements [`Check`] for a type with a field `finding` out of the file's `ENTRY`.
/// One that listens to the wiretap says `sends`.
macro_rules! check_from_entry {
    ($type:ty) => {
        check_from_entry!($type, false);
    };
    ($type:ty, sends) => {
        check_from_entry!($type, true);
    };
    ($type:ty, $sends:literal) => {
        impl consim_core::Check for $type {
            fn name(&self) -> &'static str {
                ENTRY.name
            }
            fn code(&self) -> &'static str {
                ENTRY.code
            }
            fn severity(&self) -> consim_core::Severity {
                ENTRY.severity
            }
            fn says(&self) -> &'static str {
                ENTRY.says
            }
            fn finding(&self) -> consim_core::Finding {
                self.finding.clone()
            }
            fn hears_sends(&self) -> bool {
                $sends
            }
        }
    };
}
use check_from_entry;
