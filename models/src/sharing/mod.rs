//! Data sharing between the institutions of an alliance: originals stay where they were made, the
//! chain holds digests, storage addresses, consents and the audit trail (paper 5.1.2.4, flows F-A
//! and F-D).
//!
//! An institution has a *server* (a full node that hosts [`SharingService`]) and a *desk*
//! ([`Desk`]: its doctors and its patients' phones). An organisation outside the chain has a desk
//! alone, whose entry is a member's server.

#[cfg(test)]
mod arbitrary;
pub mod check;
pub mod command;
pub mod config;
pub mod desk;
pub mod ids;
pub mod insiders;
pub mod machine;
mod marks;
pub mod message;
pub mod network;
pub mod probe;
pub mod records;
pub mod request;
pub mod scope;
mod seeded;
pub mod service;
pub mod speak;
pub mod state;
#[cfg(test)]
pub(crate) mod testing;
pub mod workload;

pub use check::{
    Copies, EmergencyReviewed, Insiders, Summary, Suspect, Uses, checks, checks_but_of,
};
pub use desk::{Desk, DeskConfig};
pub use ids::{Grantee, Pseudonym, PseudonymKey, Purpose, Reason, RecordId, RequestId};
pub use machine::SharingMachine;
pub use scope::{Reader, ResourceType, Role, Scope, Use, Who};
pub use seeded::BUGS;
pub use service::{Honest, NetworkConfig, Policy, ServiceConfig, SharingService};
pub use workload::{AuditWorkload, ConsentWorkload, VisitWorkload};

/// The situations in data sharing that searches count.
pub const MARKS: &[&consim_core::Mark] = marks::MARKS;

#[cfg(test)]
mod tests;
