//! The same plan without some of its faults and attacks.
//!
//! Entries are taken off the resolved plan, not off the scenario: what another entry says relative to
//! one that goes (`end of city-cut + 10s`), and what follows from the last window, stays as it was.

use super::{Plan, digest};
use consim_check::metrics::{WindowSubject, entry_of};
use std::collections::BTreeSet;

impl Plan {
    /// The entries that disturb: names of faults and attacks, a repeated one once.
    pub fn disturbances(&self) -> BTreeSet<&str> {
        self.faults.keys().map(|id| entry_of(id)).collect()
    }

    /// Every window of a fault or attack.
    pub fn windows(&self) -> Vec<WindowSubject> {
        if let Some(watched) = &self.watched {
            return watched.clone();
        }
        let faults = self.faults.iter().map(|(id, fault)| WindowSubject {
            id: id.clone(),
            from: fault.from,
            to: fault.to,
        });
        faults.collect()
    }

    /// This plan without `entries`, told to measure the time of all its windows. Its digest is that of
    /// the scenario without them, with the windows that it watches.
    #[must_use]
    pub fn without(&self, entries: &BTreeSet<&str>) -> Self {
        let all = self.disturbances().iter().all(|e| entries.contains(e));
        let mut paths: Vec<Vec<&str>> = entries.iter().map(|e| vec!["faults", e]).collect();
        if all {
            paths.push(vec!["faults"]);
        }
        let windows = self.windows();
        let mut hasher = blake3::Hasher::new_derive_key("consim 2026 paired plan");
        hasher.update(digest::without(&self.lines, &paths).as_bytes());
        for window in &windows {
            hasher.update(format!("{window:?}").as_bytes());
        }
        let mut plan = self.clone();
        plan.faults.retain(|id, _| !entries.contains(entry_of(id)));
        plan.digest = hasher.finalize().to_hex().to_string();
        plan.watched = Some(windows);
        plan
    }
}
