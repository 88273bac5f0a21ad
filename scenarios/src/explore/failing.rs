//! What a search found, made minimal, each once.

use super::campaign::{Search, Tally};
use super::judge::planned;
use crate::shrink::{Shrunk, shrink};
use std::collections::BTreeMap;
use std::path::Path;

/// Scenarios that are made minimal for each check that is violated. Of one mistake there are often
/// many, and each takes seconds.
const PER_CHECK: usize = 3;

/// A failure, however often it was found: the violated check, and what is left to happen.
#[derive(Clone, Debug)]
pub struct Failing {
    /// The minimal scenario.
    pub shrunk: Shrunk,
    /// The number of the first scenario that showed it.
    pub number: u64,
    /// How many scenarios violated the same check.
    pub scenarios: u64,
}

impl Failing {
    /// The name of its file: the check, and a digest of the scenario.
    pub fn file_name(&self) -> String {
        let digest = blake3::hash(self.shrunk.text.as_bytes()).to_hex();
        let head = digest.get(..8).unwrap_or_default();
        format!("{}-{head}.yaml", self.shrunk.check)
    }
}

impl Search {
    /// The minimal scenario of a failure as a file in `folder`: what it names is reached from there.
    pub fn scenario_in(&self, failing: &Failing, folder: &Path) -> String {
        let text = failing.shrunk.scenario();
        match planned(&self.place(), &text) {
            Ok(plan) => plan.text_in(&text, folder),
            // It is kept because it is no valid scenario.
            Err(_) => text,
        }
    }

    /// Makes minimal what `tally` found; failures that come to the same are one. `go_on` is told the
    /// number of the scenario before every run, and says whether there is time.
    pub fn reduce(&self, tally: &Tally, go_on: &mut dyn FnMut(u64) -> bool) -> Vec<Failing> {
        let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
        let mut reduced: Vec<Failing> = Vec::new();
        for found in &tally.failures {
            let check = found.failure.check.as_str();
            let count = taken.entry(check).or_default();
            *count += 1;
            if *count > PER_CHECK {
                continue;
            }
            let number = found.number;
            let shrunk = shrink(&self.place(), &found.text, &self.hooks, &mut || {
                go_on(number)
            });
            // What does not fail again, or was never valid, stays as it was found.
            let shrunk = shrunk.unwrap_or_else(|_| Shrunk::unshrunk(&found.text, &found.failure));
            let same = |other: &Failing| {
                other.shrunk.check == shrunk.check && other.shrunk.kinds == shrunk.kinds
            };
            if !reduced.iter().any(same) {
                let all = tally.checks.get(check).map_or(0, |check| check.failed);
                reduced.push(Failing {
                    shrunk,
                    number,
                    scenarios: all.max(1),
                });
            }
        }
        reduced
    }
}
