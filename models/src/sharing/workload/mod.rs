//! Who comes to the desks, when, and what for.

mod consents;
mod history;
mod pace;
mod replay;
mod visits;

pub use consents::{AuditWorkload, ConsentWorkload};
pub use pace::{Day, Pace, Spacing};
pub use visits::{VisitConfig, VisitWorkload};

use super::ids::RecordId;
use super::request::Terms;
use consim_core::rng::below;
use consim_core::{NodeId, Time};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng;
use std::sync::Arc;

/// Patients of each institution's own (assumed: the list of a community centre's area; DOMAIN.md
/// gives 230 visits a day there, so each comes about four times a year).
pub const PANEL: u64 = 20_000;
/// A share of one.
const BILLION: u64 = 1_000_000_000;

/// An institution as workloads see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Where its users are.
    pub desk: NodeId,
    /// Its server, by which patients name it as grantee.
    pub server: NodeId,
}

/// What all workloads of the model have in common.
#[derive(Clone, Debug)]
pub struct Common {
    /// Deadline and retries.
    pub terms: Terms,
    /// Where users come.
    pub places: Vec<Place>,
    /// How often.
    pub pace: Pace,
    /// The day.
    pub day: Day,
    /// First instant.
    pub from: Time,
    /// After the last instant.
    pub to: Time,
}

/// The synthetic patient `number` of an institution: the same person in every workload.
fn patient(home: Place, number: u64) -> Arc<str> {
    format!("p{}-{number}", home.desk.0).into()
}

/// A draw in `0..n`.
fn draw(rng: &mut ChaCha12Rng, n: u64) -> u64 {
    below(rng.next_u64(), n)
}

/// Happens with a share of `ppb` parts per billion.
fn happens(rng: &mut ChaCha12Rng, ppb: u32) -> bool {
    draw(rng, BILLION) < u64::from(ppb)
}

/// One of `items`.
fn pick<T: Copy>(rng: &mut ChaCha12Rng, items: &[T]) -> Option<T> {
    items.get(draw(rng, items.len() as u64) as usize).copied()
}

/// `n` draws out of `records`, repeats allowed; none if there are no records.
fn picks(rng: &mut ChaCha12Rng, records: &[RecordId], n: u64) -> Vec<RecordId> {
    (0..n).filter_map(|_| pick(rng, records)).collect()
}

#[cfg(test)]
mod tests;
