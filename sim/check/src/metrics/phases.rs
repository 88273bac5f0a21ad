//! What the service did before, during and after each window of the plan.
//!
//! The windows are told beforehand, so that a run without a fault measures the very stretches of
//! time in which its pair has the fault.

use super::MAX_WINDOWS;
use super::latencies::Latencies;
use crate::outcome::Phase;
use consim_core::{Span, Time};
use std::sync::Arc;

/// Before and after a window as much time is looked at as it lasts, but not less than this: of a
/// shorter stretch a rate says little.
pub const LEAST_PHASE: Span = Span::from_secs(10);

/// A window of the plan: a fault's or an attack's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WindowSubject {
    /// Its name; a repetition has a number behind it (`cut#2`).
    pub id: String,
    /// When it opens.
    pub from: Time,
    /// When it closes.
    pub to: Time,
}

/// A stretch of time.
#[derive(Debug)]
struct Stretch {
    from: Time,
    to: Time,
    committed: u64,
    asked: u64,
    lost: u64,
    latencies: Latencies,
}

/// All stretches: three a window, in the order of the windows.
#[derive(Debug)]
pub(super) struct Phases {
    ids: Vec<String>,
    stretches: Vec<Stretch>,
    /// Beginnings and ends by time: the place of the stretch, and whether it begins.
    edges: Vec<(Time, bool, u32)>,
    /// How many of them are past.
    past: usize,
    active: Arc<[u32]>,
}

impl Phases {
    pub(super) fn new(windows: &[WindowSubject], warmup: Time, end: Time) -> Self {
        let mut stretches = Vec::new();
        let mut ids = Vec::new();
        for window in windows.iter().take(MAX_WINDOWS) {
            let (open, close) = (window.from.min(end), window.to.min(end));
            let length = (close - open).max(LEAST_PHASE);
            let before = Time::from_nanos(open.nanos().saturating_sub(length.nanos()));
            ids.push(window.id.clone());
            for (from, to) in [
                (before.later(warmup), open),
                (open, close),
                (close, (close + length).min(end)),
            ] {
                stretches.push(Stretch {
                    from,
                    to: to.later(from),
                    committed: 0,
                    asked: 0,
                    lost: 0,
                    latencies: Latencies::coarse(),
                });
            }
        }
        let mut edges: Vec<(Time, bool, u32)> = (0u32..)
            .zip(&stretches)
            .filter(|(_, stretch)| stretch.from < stretch.to)
            .flat_map(|(place, s)| [(s.from, true, place), (s.to, false, place)])
            .collect();
        edges.sort_unstable();
        Self {
            ids,
            stretches,
            edges,
            past: 0,
            active: Arc::new([]),
        }
    }

    /// The stretches that an instant lies in; instants come in order.
    pub(super) fn at(&mut self, at: Time) -> Arc<[u32]> {
        let mut active: Option<Vec<u32>> = None;
        while let Some(&(when, begins, place)) = self.edges.get(self.past) {
            if when > at {
                break;
            }
            let active = active.get_or_insert_with(|| self.active.to_vec());
            if begins {
                active.push(place);
            } else {
                active.retain(|other| *other != place);
            }
            self.past += 1;
        }
        if let Some(active) = active {
            self.active = active.into();
        }
        Arc::clone(&self.active)
    }

    fn each(&mut self, places: &[u32], mut what: impl FnMut(&mut Stretch)) {
        for &place in places {
            if let Some(stretch) = self.stretches.get_mut(place as usize) {
                what(stretch);
            }
        }
    }

    pub(super) fn committed(&mut self, at: Time, txs: u64) {
        if !self.stretches.is_empty() {
            let places = self.at(at);
            self.each(&places, |stretch| stretch.committed += txs);
        }
    }
    pub(super) fn asked(&mut self, places: &[u32], count: u32) {
        self.each(places, |stretch| stretch.asked += u64::from(count));
    }
    pub(super) fn answered(&mut self, places: &[u32], latency: Span, count: u32) {
        self.each(places, |stretch| {
            stretch.latencies.record_all(latency, count);
        });
    }
    pub(super) fn lost(&mut self, places: &[u32], count: u32) {
        self.each(places, |stretch| stretch.lost += u64::from(count));
    }

    /// Name, beginning and end of each window.
    pub(super) fn windows(&self) -> impl Iterator<Item = (&str, Time, Time)> {
        let during = self.stretches.iter().skip(1).step_by(3);
        let named = self.ids.iter().zip(during);
        named.map(|(id, stretch)| (id.as_str(), stretch.from, stretch.to))
    }

    /// Before, during and after each window, by its name; a stretch of no length is `None`, and what
    /// lies behind `ended` is not counted in its length.
    pub(super) fn outcome(&self, ended: Time) -> Vec<(String, [Option<Phase>; 3])> {
        let phase = |stretch: Option<&Stretch>| -> Option<Phase> {
            let stretch = stretch?;
            let length = stretch.to.min(ended) - stretch.from;
            (!length.is_zero()).then(|| Phase {
                seconds: length.seconds(),
                tx_per_s: stretch.committed as f64 / length.seconds(),
                asked: stretch.asked,
                lost: stretch.lost,
                latency_ms: stretch.latencies.summary(),
            })
        };
        self.ids
            .iter()
            .enumerate()
            .map(|(i, id)| {
                let of = |k: usize| phase(self.stretches.get(i * 3 + k));
                (id.clone(), [of(0), of(1), of(2)])
            })
            .collect()
    }
}
