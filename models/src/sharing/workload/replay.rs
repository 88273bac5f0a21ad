//! Recorded visits and consents, replayed.

use super::picks;
use super::visits::{Names, Reads, need};
use crate::sharing::config::VisitOptions;
use crate::sharing::ids::{Grantee, RecordId};
use crate::sharing::records::{RecordSet, RecordedConsent, RecordedVisit};
use crate::sharing::request::{Body, Change, Visit, Wish};
use crate::workload::pace::{Arrivals, ranked, scaled};
use crate::workload::{Common, Day, Pace, Place, Spacing, happens};
use consim_core::{Span, Time};
use rand_chacha::ChaCha12Rng;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most reads of one visit: a doctor does not open a hundred documents of a long recorded
/// encounter (assumed).
pub(super) const MAX_READS: u64 = 64;
/// Recorded consents are submitted at the start of the window, one after the other in this
/// distance: an alliance imports its consents before it opens (assumed).
pub(super) const CONSENT_SPACING: Span = Span::from_millis(50);

/// Where the instants of the visits come from.
#[derive(Debug)]
enum Clock {
    Spread(Spacing),
    Rate(Box<Arrivals>),
}

/// Replays a record set. Organisations of the source become institutions, round-robin, the one with
/// the most visits first; visits without one go where their patient goes. A patient's later visit
/// at another institution reads the earlier records elsewhere: half of its reads, or the share of
/// the options if that is more; none if it is zero.
///
/// Where the source has more organisations than there are institutions, an institution stands for
/// several. What a patient permits to one of them would then be permitted to the others, so it is
/// no standing grant: the patient is asked, and says yes to the one that was meant. A denial holds
/// for the whole institution.
#[derive(Debug)]
pub(super) struct Replay {
    set: Arc<RecordSet>,
    places: Vec<Place>,
    clock: Clock,
    day: Day,
    from: Time,
    to: Time,
    options: VisitOptions,
    names: Names,
    /// The institution of each organisation, or of each patient without one.
    homes: Homes,
    next_visit: usize,
    /// The instant of the next visit, if it is known already.
    visit_at: Option<Time>,
    /// The instant of the last visit: a source whose times step back does not turn time round.
    latest: Time,
    next_consent: usize,
    /// Records of each patient so far, with their institutions.
    known: BTreeMap<Arc<str>, Vec<(usize, RecordId)>>,
}

/// Which institution stands for whom.
#[derive(Debug, Default)]
struct Homes {
    organisations: BTreeMap<Arc<str>, usize>,
    /// How many organisations each institution stands for.
    stands_for: BTreeMap<usize, usize>,
    patients: BTreeMap<Arc<str>, usize>,
    /// The consents of each patient, by index.
    consents: BTreeMap<Arc<str>, Vec<usize>>,
}

impl Homes {
    fn new(set: &RecordSet, places: usize) -> Self {
        let mut homes = Self::default();
        // The busiest organisation becomes the first institution, and so on.
        let mut busy: BTreeMap<&Arc<str>, (usize, usize)> = BTreeMap::new();
        for (index, visit) in set.visits.iter().enumerate() {
            if let Some(organisation) = &visit.provider {
                busy.entry(organisation).or_insert((0, index)).0 += 1;
            }
        }
        let mut busiest: Vec<_> = busy.into_iter().collect();
        busiest.sort_by_key(|&(_, (visits, first))| (Reverse(visits), first));
        for (organisation, _) in busiest {
            homes.organisation(organisation, places);
        }
        for visit in &set.visits {
            let place = match &visit.provider {
                Some(organisation) => homes.organisation(organisation, places),
                None => homes
                    .patients
                    .get(&visit.patient)
                    .copied()
                    .unwrap_or(homes.patients.len() % places),
            };
            homes
                .patients
                .entry(Arc::clone(&visit.patient))
                .or_insert(place);
        }
        for (index, consent) in set.consents.iter().enumerate() {
            homes
                .consents
                .entry(Arc::clone(&consent.patient))
                .or_default()
                .push(index);
            if let Some(organisation) = &consent.organisation {
                homes.organisation(organisation, places);
            }
        }
        for place in homes.organisations.values() {
            *homes.stands_for.entry(*place).or_default() += 1;
        }
        homes
    }
    /// Does the institution stand for other organisations too?
    fn is_shared(&self, place: usize) -> bool {
        self.stands_for.get(&place).is_some_and(|n| *n > 1)
    }
    fn organisation(&mut self, organisation: &Arc<str>, places: usize) -> usize {
        let next = self.organisations.len() % places;
        *self
            .organisations
            .entry(Arc::clone(organisation))
            .or_insert(next)
    }
    fn of_visit(&self, visit: &RecordedVisit) -> usize {
        let organisation = visit
            .provider
            .as_ref()
            .and_then(|organisation| self.organisations.get(organisation));
        organisation
            .or_else(|| self.patients.get(&visit.patient))
            .copied()
            .unwrap_or(0)
    }
}

impl Replay {
    /// `common.places` is not empty.
    pub(super) fn new(
        set: Arc<RecordSet>,
        common: &Common,
        options: &VisitOptions,
        names: Names,
    ) -> Self {
        let homes = Homes::new(&set, common.places.len());
        let clock = match &common.pace {
            Pace::Recorded(spacing) => Clock::Spread(*spacing),
            _ => Clock::Rate(Box::new(common.arrivals())),
        };
        Self {
            homes,
            clock,
            places: common.places.clone(),
            day: common.day.clone(),
            from: common.from,
            to: common.to,
            options: options.clone(),
            names,
            next_visit: 0,
            visit_at: None,
            latest: common.from,
            next_consent: 0,
            known: BTreeMap::new(),
            set,
        }
    }

    pub(super) fn next(&mut self, rng: &mut ChaCha12Rng) -> Option<(Time, usize, Wish)> {
        if self.visit_at.is_none() {
            self.visit_at = self.instant(rng).map(|at| at.later(self.latest));
        }
        let set = Arc::clone(&self.set);
        while let Some(consent) = set.consents.get(self.next_consent) {
            let consent_at = self.consent_at(self.next_consent);
            if consent_at >= self.to || self.visit_at.is_some_and(|at| at < consent_at) {
                break;
            }
            self.next_consent += 1;
            if let Some(wish) = self.consent(consent) {
                let home = self.homes.patients.get(&consent.patient);
                return Some((consent_at, home.copied().unwrap_or(0), wish));
            }
        }
        let at = self.visit_at.take()?;
        self.latest = at;
        let visit = set.visits.get(self.next_visit)?;
        self.next_visit += 1;
        let place = self.homes.of_visit(visit);
        Some((at, place, self.visit(rng, visit, place, at)))
    }

    /// When the next visit is.
    fn instant(&mut self, rng: &mut ChaCha12Rng) -> Option<Time> {
        let visits = &self.set.visits;
        let visit = visits.get(self.next_visit)?;
        match &mut self.clock {
            Clock::Spread(Spacing::Ranked) => Some(ranked(
                &self.day,
                self.from,
                self.to,
                self.next_visit,
                visits.len(),
            )),
            Clock::Spread(Spacing::Scaled) => {
                let (first, last) = (visits.first()?.at_ns, visits.last()?.at_ns);
                Some(scaled(self.from, self.to, visit.at_ns, first, last))
            }
            Clock::Rate(arrivals) => arrivals.next(rng).map(|(at, _)| at),
        }
    }

    /// When the recorded consent `index` is submitted.
    fn consent_at(&self, index: usize) -> Time {
        self.from + CONSENT_SPACING.times(index as u64)
    }

    /// A recorded consent as a standing one, if it can be one. Its period keeps its length: the
    /// recorded calendar is not that of the run.
    fn consent(&self, consent: &RecordedConsent) -> Option<Wish> {
        let grantee = match &consent.organisation {
            None => Grantee::Everyone,
            Some(organisation) => {
                let place = *self.homes.organisations.get(organisation)?;
                if consent.permit && self.homes.is_shared(place) {
                    return None;
                }
                Grantee::Institution(self.places.get(place)?.server)
            }
        };
        let change = if consent.permit {
            Change::Grant(length(consent))
        } else {
            Change::Deny
        };
        Some(Wish::Consent {
            patient: Arc::clone(&consent.patient),
            grantee,
            change,
        })
    }

    /// What the patient's recorded consents say to an institution that sees the patient: the last
    /// one that speaks of it, else the last one to everybody. As on the chain, a grant that has run
    /// out is no word.
    fn answer(&self, visit: &RecordedVisit, place: usize, now: Time) -> Option<bool> {
        let mine = self.homes.consents.get(&visit.patient)?;
        let last = |speaks: &dyn Fn(&RecordedConsent) -> bool| {
            let consents = mine
                .iter()
                .filter_map(|&index| Some((index, self.set.consents.get(index)?)));
            consents.filter(|(_, consent)| speaks(consent)).last()
        };
        let to_it = |consent: &RecordedConsent| {
            let organisation = consent.organisation.as_ref();
            let its = organisation.and_then(|its| self.homes.organisations.get(its));
            let meant = !self.homes.is_shared(place) || consent.organisation == visit.provider;
            its == Some(&place) && (meant || !consent.permit)
        };
        let to_everybody = |consent: &RecordedConsent| consent.organisation.is_none();
        let holds = |(index, consent): &(usize, &RecordedConsent)| {
            let end = length(consent).map(|length| self.consent_at(*index) + length);
            !consent.permit || end.is_none_or(|end| now < end)
        };
        let words = [last(&to_it), last(&to_everybody)];
        let word = words.into_iter().flatten().find(holds);
        word.map(|(_, consent)| consent.permit)
    }

    fn visit(
        &mut self,
        rng: &mut ChaCha12Rng,
        visit: &RecordedVisit,
        place: usize,
        now: Time,
    ) -> Wish {
        let names = &mut self.names;
        let resources: Vec<(RecordId, Body)> = visit
            .resources
            .iter()
            .map(|resource| (names.take(), Body::Recorded(Arc::clone(&resource.body))))
            .collect();
        let reads = Reads::new(
            resources.len() as u64,
            self.options.reads_per_write.into(),
            self.options.elsewhere,
        );
        let known = self.known.entry(Arc::clone(&visit.patient)).or_default();
        let there: Vec<RecordId> = known
            .iter()
            .filter(|(p, _)| *p != place)
            .map(|(_, record)| *record)
            .collect();
        known.extend(resources.iter().map(|(record, _)| (place, *record)));
        let here: Vec<RecordId> = known
            .iter()
            .filter(|(p, _)| *p == place)
            .map(|(_, record)| *record)
            .collect();
        let all = reads.all.min(MAX_READS);
        // The option's share comes on top of what is recorded.
        let drawn = happens(rng, self.options.emergency);
        let elsewhere = if there.is_empty() {
            0
        } else {
            reads.elsewhere.min(all)
        };
        let (purpose, reader) = need(rng, &self.options.readers);
        Wish::Visit(Visit {
            purpose,
            reader,
            patient: Arc::clone(&visit.patient),
            emergency: visit.emergency || drawn,
            own: picks(rng, &here, all - elsewhere),
            elsewhere: picks(rng, &there, elsewhere),
            answer: self.answer(visit, place, now),
            resources,
        })
    }
}

/// How long a recorded consent holds, if it ends.
fn length(consent: &RecordedConsent) -> Option<Span> {
    let (from, to) = consent.period?;
    let ns = to.checked_sub(from).filter(|&ns| ns > 0)?;
    Some(Span::from_nanos(ns.unsigned_abs()))
}

#[cfg(test)]
mod tests;
