//! What earlier visits left behind, so that later ones find records.

use crate::sharing::ids::RecordId;
use crate::workload::draw;
use consim_core::{Span, Time};
use rand_chacha::ChaCha12Rng;
use std::collections::VecDeque;
use std::sync::Arc;

/// The most earlier visits that are remembered; the oldest are forgotten.
pub(super) const MAX_HISTORY: usize = 8_192;
/// How old a visit is before others build on it: its records are registered by then (assumed).
pub(super) const SETTLE: Span = Span::from_secs(120);
/// Draws until a fitting visit is found.
const TRIES: usize = 16;

/// An earlier visit.
#[derive(Clone, Debug)]
pub(super) struct Past {
    pub(super) at: Time,
    pub(super) patient: Arc<str>,
    pub(super) place: usize,
    pub(super) records: Arc<[RecordId]>,
}

/// Earlier visits, oldest first.
#[derive(Debug, Default)]
pub(super) struct History {
    visits: VecDeque<Past>,
}

impl History {
    pub(super) fn push(&mut self, past: Past) {
        if self.visits.len() == MAX_HISTORY {
            self.visits.pop_front();
        }
        self.visits.push_back(past);
    }
    /// A settled visit that fits, by a few draws.
    pub(super) fn find(
        &self,
        rng: &mut ChaCha12Rng,
        now: Time,
        fits: impl Fn(&Past) -> bool,
    ) -> Option<&Past> {
        let ready = self.visits.partition_point(|past| past.at + SETTLE <= now) as u64;
        (0..TRIES).find_map(|_| {
            self.visits
                .get(draw(rng, ready) as usize)
                .filter(|past| ready > 0 && fits(past))
        })
    }
}

#[cfg(test)]
mod tests;
