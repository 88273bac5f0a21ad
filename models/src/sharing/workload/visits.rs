//! Visits: synthetic ones, or recorded ones replayed.

use super::history::{History, Past};
use super::replay::Replay;
use super::{patient, picks};
use crate::sharing::config::{ReaderOptions, VisitOptions};
use crate::sharing::ids::Purpose;
use crate::sharing::ids::RecordId;
use crate::sharing::request::{Body, MAX_RECORDS, Request, Visit, Wish};
use crate::sharing::scope::{Reader, ResourceType};
use crate::workload::pace::Arrivals;
use crate::workload::{BILLION, Common, Pace, Place, Terms, draw, happens};
use consim_core::{Arrival, Distribution, NodeId, Sampler, Span, Time, Workload, WorkloadId};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng;
use std::sync::Arc;

/// The least share of a visit's reads that goes elsewhere if any does (assumed: a doctor who looks
/// at a patient's history elsewhere reads as much of it as of the own).
const ELSEWHERE_IN_VISIT: u64 = BILLION / 2;
/// Share of the other visits whose patient was here before, parts per billion (assumed).
const RETURNING: u32 = 500_000_000;

/// What a visit workload is told.
#[derive(Clone, Debug)]
pub struct VisitConfig {
    /// When and where.
    pub common: Common,
    /// What.
    pub options: VisitOptions,
}

/// How many reads a visit makes, and how many of them elsewhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reads {
    /// In all.
    pub(super) all: u64,
    /// Elsewhere, in a visit that reads elsewhere.
    pub(super) elsewhere: u64,
}

impl Reads {
    /// For `records` records written; `share` of all reads is to go elsewhere. A visit reads no
    /// more than [`MAX_RECORDS`].
    pub(super) fn new(records: u64, per_write: u64, share: u32) -> Self {
        let all = records.saturating_mul(per_write).min(MAX_RECORDS as u64);
        let elsewhere = (all * u64::from(share).max(ELSEWHERE_IN_VISIT))
            .div_ceil(BILLION)
            .min(all);
        Self {
            all,
            elsewhere: if share == 0 { 0 } else { elsewhere },
        }
    }
    /// The share of visits that must read elsewhere so that `share` of all reads do.
    fn visits(self, share: u32) -> u32 {
        let visits = u64::from(share) * self.all / self.elsewhere.max(1);
        if self.elsewhere == 0 {
            0
        } else {
            visits.min(BILLION) as u32
        }
    }
}

/// Names records: the workload's number and a running number.
#[derive(Debug)]
pub(super) struct Names {
    prefix: u64,
    next: u64,
}

impl Names {
    fn of(workload: WorkloadId) -> Self {
        Self {
            prefix: u64::from(workload.0) << 48,
            next: 0,
        }
    }
    pub(super) fn take(&mut self) -> RecordId {
        self.next += 1;
        RecordId(self.prefix | self.next)
    }
}

/// The visits of all institutions, one stream in time order.
///
/// `elsewhere` of the options is the share of all reads that want another institution's records.
/// Such reads come in visits of patients who were at another institution earlier in the run, at
/// least half of the reads of such a visit, so the share is reached once there is history.
pub struct VisitWorkload {
    places: Vec<Place>,
    terms: Terms,
    rng: ChaCha12Rng,
    source: Source,
}

enum Source {
    Synthetic(Box<Synthetic>),
    Replay(Box<Replay>),
    Nothing,
}

impl VisitWorkload {
    /// A workload with its own random stream. Recorded visits are replayed if the options have
    /// them; without them a pace is needed.
    pub fn new(config: VisitConfig, rng: ChaCha12Rng) -> Self {
        let VisitConfig { common, options } = config;
        let names = Names::of(common.terms.workload);
        let (places, terms) = (common.places.clone(), common.terms);
        let source = match (&options.records, &common.pace) {
            _ if places.is_empty() => Source::Nothing,
            (Some(records), _) => Source::Replay(Box::new(Replay::new(
                Arc::clone(records),
                &common,
                &options,
                names,
            ))),
            (None, Pace::Recorded(_)) => Source::Nothing,
            (None, _) => {
                let arrivals = common.arrivals();
                let synthetic = Synthetic::new(arrivals, places.clone(), options, names);
                Source::Synthetic(Box::new(synthetic))
            }
        };
        Self {
            places,
            terms,
            rng,
            source,
        }
    }
}

impl VisitWorkload {
    /// The same, where the places are in several networks: each place's. The names of synthetic records say in which
    /// they are.
    #[must_use]
    pub fn within(mut self, networks: Vec<u8>) -> Self {
        if let Source::Synthetic(synthetic) = &mut self.source {
            synthetic.networks = networks;
        }
        self
    }
}

impl Workload for VisitWorkload {
    fn next(&mut self) -> Option<Arrival> {
        let (at, place, wish) = match &mut self.source {
            Source::Synthetic(synthetic) => synthetic.next(&mut self.rng),
            Source::Replay(replay) => replay.next(&mut self.rng),
            Source::Nothing => None,
        }?;
        let node: NodeId = self.places.get(place)?.desk;
        Some(Arrival {
            at,
            node,
            count: 1,
            request: Arc::new(Request {
                terms: self.terms,
                wish,
            }),
        })
    }
}

struct Synthetic {
    arrivals: Arrivals,
    places: Vec<Place>,
    /// The network of each place; empty if there is one.
    networks: Vec<u8>,
    options: VisitOptions,
    names: Names,
    reads: Reads,
    sizes: Sampler,
    history: History,
}

impl Synthetic {
    fn new(
        arrivals: Arrivals,
        places: Vec<Place>,
        mut options: VisitOptions,
        names: Names,
    ) -> Self {
        options.resources = options.resources.min(MAX_RECORDS as u32);
        let reads = Reads::new(
            options.resources.into(),
            options.reads_per_write.into(),
            options.elsewhere,
        );
        // The distribution is one of nanoseconds; a nanosecond stands for a byte.
        let bytes = |n: u32| Span::from_nanos(u64::from(n));
        let sizes = Distribution::LogNormal {
            median: bytes(options.size_median),
            p99: bytes(options.size_p99),
        }
        .sampler();
        Self {
            arrivals,
            places,
            networks: Vec::new(),
            options,
            names,
            reads,
            sizes,
            history: History::default(),
        }
    }

    fn next(&mut self, rng: &mut ChaCha12Rng) -> Option<(Time, usize, Wish)> {
        let (at, place) = self.arrivals.next(rng)?;
        let home = *self.places.get(place)?;
        let network = self.networks.get(place).copied().unwrap_or_default();
        let resources: Vec<(RecordId, Body)> = (0..self.options.resources)
            .map(|_| {
                let size = self.sizes.sample(rng.next_u64()).nanos() as u32;
                let key = rng.next_u64();
                let kind = lot(rng, &self.options.readers.types);
                let kind = kind.unwrap_or(ResourceType::Observation);
                let body = Body::Synthetic { key, size, kind };
                (self.names.take().within(network), body)
            })
            .collect();
        let written: Arc<[RecordId]> = resources.iter().map(|(record, _)| *record).collect();
        let emergency = happens(rng, self.options.emergency);
        let from_elsewhere = if happens(rng, self.reads.visits(self.options.elsewhere)) {
            self.history
                .find(rng, at, |past| past.place != place)
                .cloned()
        } else {
            None
        };
        let (patient, own, elsewhere) = if let Some(past) = from_elsewhere {
            let elsewhere = picks(rng, &past.records, self.reads.elsewhere);
            (
                past.patient,
                picks(rng, &written, self.reads.all - self.reads.elsewhere),
                elsewhere,
            )
        } else {
            let (patient, known) = self.here(rng, at, (place, home), &written);
            (patient, picks(rng, &known, self.reads.all), Vec::new())
        };
        self.history.push(Past {
            at,
            patient: Arc::clone(&patient),
            place,
            records: written,
        });
        let (purpose, reader) = need(rng, &self.options.readers);
        Some((
            at,
            place,
            Wish::Visit(Visit {
                patient,
                emergency,
                resources,
                own,
                elsewhere,
                answer: None,
                purpose,
                reader,
            }),
        ))
    }

    /// A patient without records elsewhere, and what this institution knows of them.
    fn here(
        &self,
        rng: &mut ChaCha12Rng,
        at: Time,
        (place, home): (usize, Place),
        written: &[RecordId],
    ) -> (Arc<str>, Vec<RecordId>) {
        let mut known = written.to_vec();
        if happens(rng, RETURNING)
            && let Some(past) = self.history.find(rng, at, |past| past.place == place)
        {
            known.extend_from_slice(&past.records);
            return (Arc::clone(&past.patient), known);
        }
        (patient(home, draw(rng, self.options.panel.max(1))), known)
    }
}

/// One of several, by lot; nothing is drawn if there are none.
fn lot<T: Copy>(rng: &mut ChaCha12Rng, of: &[T]) -> Option<T> {
    if of.is_empty() {
        return None;
    }
    of.get(draw(rng, of.len() as u64) as usize).copied()
}

/// What a visit reads for, and who.
pub(super) fn need(rng: &mut ChaCha12Rng, options: &ReaderOptions) -> (Purpose, Reader) {
    let purpose = lot(rng, &options.purposes).unwrap_or(Purpose::Treatment);
    let role = lot(rng, &options.roles).unwrap_or_default();
    let person = match options.people {
        0 | 1 => 0,
        people => draw(rng, people.into()) as u16,
    };
    (purpose, Reader { role, person })
}

#[cfg(test)]
mod tests;
