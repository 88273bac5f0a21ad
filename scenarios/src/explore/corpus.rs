//! Scenarios that led to states which no earlier one had led to, and changes of them.

use super::case::Case;
use super::strategy::MAX_EVENTS;
use consim_core::mix;
use consim_core::rng::below;
use std::collections::BTreeSet;

/// Scenarios that are kept; the oldest goes first.
const MAX_KEPT: usize = 1_024;
/// States that are remembered.
const MAX_STATES: usize = 4_000_000;

/// What a search has seen.
#[derive(Debug, Default)]
pub(super) struct Corpus {
    states: BTreeSet<u64>,
    kept: Vec<Case>,
    /// Where the next goes once it is full.
    next: usize,
}

impl Corpus {
    /// Different states.
    pub(super) fn states(&self) -> usize {
        self.states.len()
    }

    /// Takes the states that a scenario went through; keeps it, if it can be changed, if one of them
    /// is new.
    pub(super) fn add(&mut self, case: Option<&Case>, states: &BTreeSet<u64>) {
        let before = self.states.len();
        if before < MAX_STATES {
            self.states.extend(states);
        }
        let Some(case) = case.filter(|_| self.states.len() > before) else {
            return;
        };
        match self.kept.get_mut(self.next) {
            Some(old) => *old = case.clone(),
            None => self.kept.push(case.clone()),
        }
        self.next = (self.next + 1) % MAX_KEPT;
    }

    /// A change of one that was kept, by the draws of `key`; `fresh` lends its parts.
    pub(super) fn change(&self, key: u64, fresh: &Case) -> Option<Case> {
        let draw = |number: u64, n: usize| below(mix(key, number), n as u64) as usize;
        let mut case = self.kept.get(draw(0, self.kept.len()))?.clone();
        for round in 0..=draw(1, 3) as u64 {
            change(&mut case, fresh, |number, n| {
                draw(2 + round * 8 + number, n)
            });
        }
        Some(case)
    }
}

/// One change.
fn change(case: &mut Case, fresh: &Case, draw: impl Fn(u64, usize) -> usize) {
    let place = draw(1, case.events.len());
    let other = fresh.events.get(draw(2, fresh.events.len())).copied();
    match draw(0, 8) {
        0 => case.seed = fresh.seed,
        1 => case.world = fresh.world,
        2 => case.weak = fresh.weak,
        3 => case.core = fresh.core,
        4 if !case.events.is_empty() => drop(case.events.remove(place)),
        5 if case.events.len() < MAX_EVENTS => case.events.extend(other),
        6 => {
            if let (Some(event), Some(other)) = (case.events.get_mut(place), other) {
                event.at = other.at;
                event.lasting = other.lasting;
            }
        }
        _ => {
            if let (Some(event), Some(other)) = (case.events.get_mut(place), other) {
                event.who = other.who;
                event.strength = other.strength;
            }
        }
    }
}
