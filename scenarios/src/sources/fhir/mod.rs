//! FHIR R4: a folder of resources becomes visits with their records, and consents.
//!
//! Read are `*.json` (a resource, or a `Bundle` of any type) and `*.ndjson` (one a line), in the
//! order of their names, in all folders below.
//!
//! | resource | becomes |
//! | --- | --- |
//! | `Patient` | the name under which the patient's visits and consents meet |
//! | `Consent` | words of the patient: see `consent` |
//! | any other that is about a patient | a record of a visit: see `visits` |
//! | any other (organisations, practitioners, vocabulary) | left out; an `Organization` still tells what a department belongs to |
//!
//! A record's body is the compact JSON of the resource as it came: keys in their order, numbers in
//! their very text. A resource that is marked as entered in error is left out, and so is an exact
//! copy of one that was read before; another version of it is a record of its own.

pub mod consent;
mod date;
mod document;
mod json;
mod reference;
mod resource;
#[cfg(test)]
mod tests;
mod types;
mod visits;

use super::folder::Folder;
use super::notes::{Extent, Notes};
use super::{Limits, Source, SourceError};
use crate::data::{Contents, DataSet};
use consent::Consents;
use consim_models::sharing::records::RecordSet;
use document::{Reader, Resource};
use reference::Names;
use std::collections::BTreeSet;
use std::path::Path;
use visits::Visits;

/// How the files of FHIR resources end.
const ENDINGS: [&str; 2] = ["json", "ndjson"];

/// Reads the FHIR resources below a folder.
pub fn read(dir: &Path, limits: &Limits) -> Result<Source, SourceError> {
    let mut notes = Notes::default();
    let folder = Folder::list(dir, &ENDINGS, limits, &mut notes)?;
    read_files(folder, dir, limits, notes)
}

/// Reads a data set that is built in.
pub(crate) fn built_in(set: &DataSet, limits: &Limits) -> Result<Source, SourceError> {
    let files = match set.contents {
        Contents::Folder(files) => files,
        Contents::File(_) => &[],
    };
    let folder = Folder::built_in(files, &ENDINGS, limits);
    read_files(folder, Path::new(set.path), limits, Notes::default())
}

fn read_files(
    mut folder: Folder<'_>,
    dir: &Path,
    limits: &Limits,
    notes: Notes,
) -> Result<Source, SourceError> {
    let files = folder.len();
    let mut reader = Reader::new(limits, notes);
    folder.read(|name, content| reader.file(name, content));
    let (resources, mut notes) = reader.finish();
    let (records, taken) = records(&resources, &mut notes);
    let (skipped, lines) = (notes.skipped(), notes.lines(limits.notes));
    if records.visits.is_empty() {
        return Err(SourceError::Empty {
            path: dir.to_path_buf(),
            files,
            skipped,
            notes: lines,
        });
    }
    Ok(Source {
        records,
        taken,
        skipped,
        notes: lines,
        digest: folder.digest(),
    })
}

/// The records, and how many resources they were made of.
fn records(resources: &[Resource], notes: &mut Notes) -> (RecordSet, u64) {
    let identities = resources
        .iter()
        .filter_map(|resource| resource.facts.identity.as_ref());
    let names = Names::new(identities);
    let mut visits = Visits::new(&names, resources);
    let mut consents = Consents::new(&names);
    let mut patients = 0;
    for resource in resources {
        match &*resource.kind {
            "Patient"
                if resource
                    .facts
                    .identity
                    .as_ref()
                    .is_some_and(|who| who.name().is_some()) =>
            {
                patients += 1;
            }
            "Patient" => {
                let reason = "Patient: neither an id nor an identifier".to_owned();
                notes.skip(&resource.place, Extent::Source, reason);
            }
            "Consent" => consents.take(resource),
            _ => visits.take(resource, notes),
        }
    }
    let (consents, of_consents) = consents.finish(notes);
    let taken = patients + of_consents + visits.taken;
    let visits = visits.finish();
    let of_visits: BTreeSet<&str> = visits.iter().map(|visit| &*visit.patient).collect();
    let heard: BTreeSet<&str> = consents.iter().map(|consent| &*consent.patient).collect();
    let without = of_visits.difference(&heard).count();
    let set = RecordSet {
        patients: of_visits.len() as u32,
        patients_without_consent: without as u32,
        visits,
        consents,
    };
    (set, taken)
}
