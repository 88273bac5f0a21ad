//! Resources become visits.
//!
//! | resource | its visit |
//! | --- | --- |
//! | `Encounter` | opens one, at `period.start` (else at its earliest resource), at its `serviceProvider`, an emergency if its class is `EMER` |
//! | one that names an encounter | that encounter's, if it is about the same patient; the encounter itself need not be there |
//! | one that names none, with a date | one for the patient and the day as written, at no known institution |
//! | one that names none, without a date | one for the patient, after the visits before it in the order of reading |
//!
//! An encounter that was cancelled or is only planned opens none.

use super::document::Resource;
use super::reference::Names;
use crate::sources::notes::{Extent, Notes};
use consim_models::sharing::message::MAX_PATIENT;
use consim_models::sharing::records::{RecordedResource, RecordedVisit};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What makes resources one visit, apart from the patient.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Occasion {
    Encounter(Arc<str>),
    Day(String),
    Undated,
}

/// What is known of an encounter.
#[derive(Debug)]
struct Known {
    version: super::resource::Version,
    patient: Option<Arc<str>>,
    start_ns: Option<i64>,
    provider: Option<Arc<str>>,
    emergency: bool,
}

#[derive(Debug)]
struct Draft {
    /// In the order of reading.
    number: usize,
    /// The earliest resource.
    first_ns: Option<i64>,
    resources: Vec<RecordedResource>,
}

/// Turns the resources of a source into visits.
pub(super) struct Visits<'a> {
    names: &'a Names,
    encounters: BTreeMap<Arc<str>, Known>,
    drafts: BTreeMap<(Arc<str>, Occasion), Draft>,
    /// Resources that are records of a visit.
    pub(super) taken: u64,
}

impl<'a> Visits<'a> {
    /// With what the encounters among `resources` say.
    pub(super) fn new(names: &'a Names, resources: &[Resource]) -> Self {
        let mut visits = Self {
            names,
            encounters: BTreeMap::new(),
            drafts: BTreeMap::new(),
            taken: 0,
        };
        for resource in resources.iter().filter(|one| unusable(one).is_none()) {
            if let Some(encounter) = &resource.facts.encounter {
                let known = Known {
                    version: resource.facts.version,
                    patient: visits.patient_of(resource),
                    start_ns: encounter.start_ns,
                    provider: encounter.provider.as_ref().and_then(|reference| {
                        let document = resource.document;
                        let name = names.name(document, reference, "Organization", true)?;
                        Some(names.institution(name))
                    }),
                    emergency: encounter.emergency,
                };
                let name = encounter_name(resource);
                let older = visits.encounters.get(&name);
                if older.is_none_or(|older| older.version <= known.version) {
                    visits.encounters.insert(name, known);
                }
            }
        }
        visits
    }

    /// Whom a resource is about, by its own words.
    fn patient_of(&self, resource: &Resource) -> Option<Arc<str>> {
        let mut patients = resource.facts.patients.iter();
        patients.find_map(|(reference, implied)| {
            self.names
                .name(resource.document, reference, "Patient", *implied)
        })
    }

    /// Takes a resource into its visit, or notes why not.
    pub(super) fn take(&mut self, resource: &Resource, notes: &mut Notes) {
        if let Some((path, reason)) = unusable(resource) {
            let reason = format!("{}: {reason}", resource.kind);
            return notes.skip(&resource.place.below(path), Extent::Source, reason);
        }
        let facts = &resource.facts;
        let encounter = if facts.encounter.is_some() {
            Some(encounter_name(resource))
        } else {
            let mut named = facts.encounters.iter();
            named.find_map(|reference| {
                self.names
                    .name(resource.document, reference, "Encounter", true)
            })
        };
        let of_encounter = || {
            let known = self.encounters.get(encounter.as_ref()?)?;
            known.patient.clone()
        };
        let Some(patient) = self.patient_of(resource).or_else(of_encounter) else {
            return nobody(resource, notes);
        };
        if patient.len() > MAX_PATIENT {
            let reason = format!("a patient's id of more than {MAX_PATIENT} bytes");
            return notes.skip(&resource.place, Extent::File, reason);
        }
        let made = facts.made.as_ref();
        let occasion = encounter.map_or_else(
            || made.map_or(Occasion::Undated, |made| Occasion::Day(made.day.clone())),
            Occasion::Encounter,
        );
        let number = self.drafts.len();
        let draft = self.drafts.entry((patient, occasion)).or_insert(Draft {
            number,
            first_ns: None,
            resources: Vec::new(),
        });
        let at = made.map(|made| made.at_ns);
        draft.first_ns = [draft.first_ns, at].into_iter().flatten().min();
        draft.resources.push(recorded(resource));
        self.taken += 1;
    }

    /// The visits by ascending time; those of one instant in the order of reading.
    pub(super) fn finish(self) -> Vec<RecordedVisit> {
        let Self {
            drafts, encounters, ..
        } = self;
        let mut drafts: Vec<_> = drafts.into_iter().collect();
        drafts.sort_by_key(|(_, draft)| draft.number);
        let mut visits: Vec<(Option<i64>, RecordedVisit)> = drafts
            .into_iter()
            .map(|((patient, occasion), draft)| {
                let known = match &occasion {
                    // A resource of another patient than its encounter's is no part of that visit.
                    Occasion::Encounter(name) => encounters
                        .get(name)
                        .filter(|known| known.patient.as_ref().is_none_or(|its| *its == patient)),
                    Occasion::Day(_) | Occasion::Undated => None,
                };
                let at = known.and_then(|known| known.start_ns).or(draft.first_ns);
                let visit = RecordedVisit {
                    patient,
                    at_ns: 0,
                    provider: known.and_then(|known| known.provider.clone()),
                    emergency: known.is_some_and(|known| known.emergency),
                    resources: draft.resources,
                };
                (at, visit)
            })
            .collect();
        let mut before = visits.iter().filter_map(|(at, _)| *at).min().unwrap_or(0);
        for (at, visit) in &mut visits {
            before = at.unwrap_or(before);
            visit.at_ns = before;
        }
        let mut visits: Vec<RecordedVisit> = visits.into_iter().map(|(_, visit)| visit).collect();
        visits.sort_by_key(|visit| visit.at_ns);
        visits
    }
}

/// Why a resource of somebody is no record.
fn unusable(resource: &Resource) -> Option<(&'static str, &'static str)> {
    let status = resource.facts.status.as_deref();
    match (&resource.facts.encounter, status) {
        (_, Some("entered-in-error")) => Some((".status", "entered in error")),
        (Some(_), Some("cancelled" | "planned")) => Some((
            ".status",
            "cancelled or only planned: it did not take place",
        )),
        _ if &*resource.kind == "RelatedPerson" => Some(("", "a person, not a record")),
        _ => None,
    }
}

/// A resource that is about nobody: of a kind that never is, or with a reference that leads to no
/// patient.
fn nobody(resource: &Resource, notes: &mut Notes) {
    let kind = &resource.kind;
    match resource.facts.about {
        None => {
            let reason = format!("{kind}: no patient's record");
            notes.skip(&resource.place, Extent::Source, reason);
        }
        Some(field) => {
            let place = resource.place.below(&format!(".{field}"));
            let reason = format!("{kind}: leads to no patient");
            notes.skip(&place, Extent::Source, reason);
        }
    }
}

/// What an encounter is called; one that nothing can refer to is called by its place.
fn encounter_name(resource: &Resource) -> Arc<str> {
    let identity = resource.facts.identity.as_ref();
    identity
        .and_then(super::reference::Identity::name)
        .map_or_else(|| resource.place.to_string().into(), Arc::from)
}

fn recorded(resource: &Resource) -> RecordedResource {
    let facts = &resource.facts;
    let by_url = resource.full_url.as_deref().map(|url| {
        let id = super::reference::type_and_id(url).map(|(_, id)| id);
        id.unwrap_or(url)
    });
    let id = facts.id.as_deref().or(by_url);
    RecordedResource {
        kind: Arc::clone(&resource.kind),
        id: id.map_or_else(|| resource.place.to_string().into(), Arc::from),
        body: Arc::clone(&resource.body),
    }
}
