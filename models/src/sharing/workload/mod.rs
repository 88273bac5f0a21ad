//! Who comes to the desks, when, and what for.

mod consents;
mod history;
mod replay;
mod visits;

pub use consents::{AuditWorkload, ConsentWorkload};
pub use visits::{VisitConfig, VisitWorkload};

use super::ids::RecordId;
use crate::workload::{Place, pick};
use rand_chacha::ChaCha12Rng;
use std::sync::Arc;

/// Patients of each institution's own where nobody says how many there are (assumed: the list of a community centre's area; DOMAIN.md
/// gives 230 visits a day there, so each comes about four times a year).
pub const PANEL: u64 = 20_000;

/// The synthetic patient `number` of an institution: the same person in every workload. As long as real
/// identifiers, so that none is part of another text by chance.
fn patient(home: Place, number: u64) -> Arc<str> {
    format!("p{}-{number:08}", home.desk.0).into()
}

/// `n` draws out of `records`, repeats allowed; none if there are no records.
fn picks(rng: &mut ChaCha12Rng, records: &[RecordId], n: u64) -> Vec<RecordId> {
    (0..n).filter_map(|_| pick(rng, records)).collect()
}

#[cfg(test)]
mod tests;
