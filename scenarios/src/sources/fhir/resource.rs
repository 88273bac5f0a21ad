//! What matters of a resource besides its bytes: whose it is, to which encounter it belongs, when
//! it was made.

use super::date::{Moment, moment};
use super::json::{Defect, Reading, field, list, text, text_at};
use super::reference::{Identity, Reference};
use crate::sources::notes::quoted;
use serde_json::Value;
use std::sync::Arc;

/// Fields that name the patient. The second says whether the field takes nobody but a patient.
const PATIENTS: [(&str, bool); 5] = [
    ("subject", false),
    ("patient", true),
    ("for", false),
    ("beneficiary", true),
    ("individual", true),
];

/// Fields that tell when a resource was made, the best first: what was observed or done, then what
/// was written down, then what was sent; a `Period` or a part of the resource counts by the field
/// after the point. The time of the last change of the stored copy comes last.
const TIMES: [&str; 39] = [
    "effectiveDateTime",
    "effectiveInstant",
    "effectivePeriod.start",
    "performedDateTime",
    "performedPeriod.start",
    "recordedDate",
    "recordedOn",
    "authoredOn",
    "authored",
    "occurrenceDateTime",
    "occurrencePeriod.start",
    "started",
    "createdDateTime",
    "createdPeriod.start",
    "whenHandedOver",
    "whenPrepared",
    "identifiedDateTime",
    "issued",
    "billablePeriod.start",
    "servicedDate",
    "dateWritten",
    "dateTime",
    "date",
    "dateAsserted",
    "enteredDate",
    "receivedTime",
    "sent",
    "period.start",
    "start",
    "startDate",
    "servicePeriod.start",
    "collection.collectedDateTime",
    "collection.collectedPeriod.start",
    "context.period.start",
    "onsetDateTime",
    "onsetPeriod.start",
    "recorded",
    "created",
    "meta.lastUpdated",
];

/// The code of an emergency encounter (HL7 v3 ActCode, ActEncounterCode).
const EMERGENCY: &str = "EMER";

/// When a resource was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Made {
    /// Nanoseconds after the Unix epoch.
    pub(super) at_ns: i64,
    /// The day as it is written, in the zone in which it is written.
    pub(super) day: String,
}

/// What only an encounter says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Encounter {
    pub(super) start_ns: Option<i64>,
    pub(super) emergency: bool,
    pub(super) provider: Option<Reference>,
}

/// Which of several versions of a resource is the newest: the time of its last change, then its
/// version number; the order of reading decides where both are absent or equal.
pub(super) type Version = (Option<i64>, Option<u64>);

/// What matters of a resource.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Facts {
    pub(super) id: Option<String>,
    pub(super) status: Option<String>,
    pub(super) version: Version,
    /// References to whom it is about; the second says that the field is a patient's.
    pub(super) patients: Vec<(Reference, bool)>,
    /// The first field that names somebody it is about.
    pub(super) about: Option<&'static str>,
    pub(super) encounters: Vec<Reference>,
    pub(super) made: Option<Made>,
    pub(super) encounter: Option<Encounter>,
    pub(super) identity: Option<Identity>,
    /// Times that cannot be read: they are passed over.
    pub(super) odd_times: Vec<Defect>,
}

impl Facts {
    /// Reads what matters of a resource of `kind`; `document` numbers the bundle or file that it
    /// stands in.
    pub(super) fn read(
        kind: &Arc<str>,
        resource: &Value,
        document: usize,
        full_url: Option<&str>,
    ) -> Reading<Self> {
        let mut odd_times = Vec::new();
        let made = made(resource, &mut odd_times);
        let (patients, about) = patients(resource)?;
        let encounter = if &**kind == "Encounter" {
            Some(encounter(resource, &mut odd_times)?)
        } else {
            None
        };
        let identity = if Identity::KINDS.contains(&&**kind) {
            Some(Identity::read(kind, resource, document, full_url)?)
        } else {
            None
        };
        odd_times.dedup();
        Ok(Self {
            id: field(resource, "id", text)?.map(str::to_owned),
            status: text_at(resource, "status").map(str::to_owned),
            version: field(resource, "meta", version)?.unwrap_or_default(),
            patients,
            about,
            encounters: encounters(resource)?,
            made,
            encounter,
            identity,
            odd_times,
        })
    }
}

fn version(meta: &Value) -> Reading<Version> {
    let updated = field(meta, "lastUpdated", text)?.and_then(|text| moment(text).ok());
    let number = field(meta, "versionId", text)?.and_then(|text| text.parse().ok());
    Ok((updated.map(|updated| updated.first_ns), number))
}

/// The references in a field that holds one or several.
fn references(object: &Value, name: &str, resource: &Value) -> Reading<Vec<Reference>> {
    let read = |value| Reference::read(value, resource);
    match object.get(name) {
        Some(Value::Array(_)) => list(object, name, read),
        _ => Ok(field(object, name, read)?.into_iter().collect()),
    }
}

type Patients = (Vec<(Reference, bool)>, Option<&'static str>);

fn patients(resource: &Value) -> Reading<Patients> {
    let (mut found, mut about) = (Vec::new(), None);
    for (name, implied) in PATIENTS {
        let named = references(resource, name, resource)?;
        if !named.is_empty() {
            about = about.or(Some(name));
        }
        found.extend(named.into_iter().map(|reference| (reference, implied)));
    }
    // An appointment names its patient among those who take part.
    if let Some(Value::Array(all)) = resource.get("participant") {
        for actor in all.iter().filter_map(|one| one.get("actor")) {
            found.push((Reference::read(actor, resource)?, false));
        }
    }
    Ok((found, about))
}

fn encounters(resource: &Value) -> Reading<Vec<Reference>> {
    let mut found = references(resource, "encounter", resource)?;
    // `context` is a reference (MedicationDispense) or a part that holds some
    // (DocumentReference); in StructureDefinition it is something else, a list.
    if let Some(context @ Value::Object(_)) = resource.get("context") {
        if context.get("reference").is_some() {
            found.extend(field(resource, "context", |value| {
                Reference::read(value, resource)
            })?);
        }
        found.extend(references(context, "encounter", resource)?);
    }
    // The lines of a claim name the encounters that it bills.
    if let Some(Value::Array(lines)) = resource.get("item") {
        for line in lines.iter().filter(|line| line.is_object()) {
            found.extend(references(line, "encounter", resource)?);
        }
    }
    Ok(found)
}

fn encounter(resource: &Value, odd: &mut Vec<Defect>) -> Reading<Encounter> {
    Ok(Encounter {
        start_ns: time_at(resource, "period.start", odd).map(|(start, _)| start.first_ns),
        emergency: resource
            .get("class")
            .and_then(|class| text_at(class, "code"))
            .is_some_and(|code| code == EMERGENCY),
        provider: field(resource, "serviceProvider", |value| {
            Reference::read(value, resource)
        })?,
    })
}

fn made(resource: &Value, odd: &mut Vec<Defect>) -> Option<Made> {
    let (moment, text) = TIMES.iter().find_map(|path| time_at(resource, path, odd))?;
    Some(Made {
        at_ns: moment.first_ns,
        day: text.chars().take("YYYY-MM-DD".len()).collect(),
    })
}

/// The time at a path, if there is text and it is one.
fn time_at<'v>(
    resource: &'v Value,
    path: &str,
    odd: &mut Vec<Defect>,
) -> Option<(Moment, &'v str)> {
    let value = path
        .split('.')
        .try_fold(resource, |value, step| value.get(step))?;
    let text = value.as_str()?;
    match moment(text) {
        Ok(moment) => Some((moment, text)),
        Err(reason) => {
            odd.push(Defect {
                path: format!(".{path}"),
                reason: format!("{} is no time of FHIR: {reason}", quoted(text)),
            });
            None
        }
    }
}
