//! The same plan without some of its faults and attacks.
//!
//! Entries are taken off the resolved plan, not off the scenario: what another entry says relative to
//! one that goes (`end of city-cut + 10s`), and what follows from the last window, stays as it was.

use super::{AttackPlan, Plan, digest};
use consim_check::metrics::{WindowSubject, entry_of};
use std::collections::BTreeSet;

impl Plan {
    /// The entries that disturb: names of faults and attacks, a repeated one once.
    pub fn disturbances(&self) -> BTreeSet<&str> {
        let faults = self.faults.keys().map(|id| entry_of(id));
        faults
            .chain(self.attacks.keys().map(String::as_str))
            .collect()
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
        let attacks = self.attacks.iter().flat_map(|(name, attack)| {
            let windows = attack.windows.iter();
            windows.map(|&(number, from, to)| WindowSubject {
                id: AttackPlan::id(name, number),
                from,
                to,
            })
        });
        faults.chain(attacks).collect()
    }

    /// This plan without `entries`, told to measure the time of all its windows. Its digest is that of
    /// the scenario without them, with the windows that it watches.
    #[must_use]
    pub fn without(&self, entries: &BTreeSet<&str>) -> Self {
        let family = |entry: &str| {
            if self.attacks.contains_key(entry) {
                "attacks"
            } else {
                "faults"
            }
        };
        let mut paths: Vec<Vec<&str>> = entries.iter().map(|e| vec![family(e), e]).collect();
        for family_of_all in ["faults", "attacks"] {
            let all = self.disturbances();
            let mut all = all.iter().filter(|e| family(e) == family_of_all);
            if all.all(|e| entries.contains(e)) {
                paths.push(vec![family_of_all]);
            }
        }
        let windows = self.windows();
        let mut hasher = blake3::Hasher::new_derive_key("consim 2026 paired plan");
        hasher.update(digest::without(&self.lines, &paths).as_bytes());
        for window in &windows {
            hasher.update(format!("{window:?}").as_bytes());
        }
        let mut plan = self.clone();
        plan.faults.retain(|id, _| !entries.contains(entry_of(id)));
        plan.attacks
            .retain(|name, _| !entries.contains(name.as_str()));
        if plan.faults.is_empty() && plan.attacks.is_empty() {
            // There is nothing to heal.
            plan.heal = None;
        }
        plan.digest = hasher.finalize().to_hex().to_string();
        plan.watched = Some(windows);
        plan
    }
}
