//! Consents: what patients said, as far as the model understands it, and never more than that.
//!
//! The model knows a patient's word to everybody and to single institutions, yes or no, and how
//! long a yes holds. A FHIR R4 Consent says much more. It counts if it is active and about privacy;
//! of several versions the newest counts. Its rules are read like this (`rules`):
//!
//! | the Consent | the words |
//! | --- | --- |
//! | `policyRule` OPTIN, OPTINR | a yes to everybody, within the root provision |
//! | `policyRule` OPTOUT, OPTOUTE | a no to everybody, except what nested provisions permit |
//! | another policy | what the provisions say; a no to everybody if they say nothing |
//! | a provision that denies | a no to its recipients and what is part of them; without recipients, or if one is no institution (a person), to everybody. What limits it (class, label, period, custodian) is dropped, so that it denies more |
//! | a provision that permits | a yes to its recipients, if they are institutions and nothing but a period limits it. Else it is a no to them: some of the records may be read, and the model gives all or none |
//! | a provision that permits and has others inside that permit | only what those permit |
//! | a root provision without `type` that names recipients or limits, under OPTIN | a no to everybody: the standard's own examples mean both "only these" and "all but these" by it |
//! | a nested provision without `type` | one that denies |
//! | purposes other than treatment only | a denial is no word: the model's reads are for treatment |
//! | `period` | a yes that had ended when it was given is no word; else it holds as long as it still did then. A no holds always |
//! | a rule that cannot be read | a no to everybody |
//!
//! A denial holds except where a permission stands inside it. Between the Consents of a patient the
//! later word to the same grantee holds, on the same day the no; a later no to everybody takes
//! earlier permissions of single institutions back.

pub mod decide;
mod provision;
mod rules;
#[cfg(test)]
mod tests;
pub mod write;

use super::date::moment;
use super::document::Resource;
use super::json::{Defect, Reading, codes, field, text};
use super::reference::Names;
use crate::sources::notes::{Extent, Notes, Place};
use consim_models::sharing::message::MAX_PATIENT;
use consim_models::sharing::records::RecordedConsent;
use provision::Given;
use rules::Word;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The code system of what a consent is about.
const SCOPES: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
/// Scopes that are not about who may see records.
const OTHER_SCOPES: [&str; 3] = ["adr", "research", "treatment"];

/// What is added to a note when a consent is narrowed to a denial.
const AS_DENIAL: &str = "taken as a denial to everybody";

/// A word and where it comes from.
#[derive(Debug)]
struct Spoken {
    patient: Arc<str>,
    /// The number of the Consent.
    consent: usize,
    at_ns: Option<i64>,
    word: Word,
}

impl Spoken {
    /// The order in which words are heard. One without a time is heard first if it permits and
    /// last if it denies, and of words of the same time those that deny come last.
    fn rank(&self) -> (i64, bool) {
        let undated = if self.word.permit { i64::MIN } else { i64::MAX };
        (self.at_ns.unwrap_or(undated), !self.word.permit)
    }
}

/// The consents of a source.
pub(super) struct Consents<'a> {
    names: &'a Names,
    /// The newest version of each, by its id (or place, if it has none), in the order of reading.
    newest: BTreeMap<String, &'a Resource>,
    /// Older versions.
    older: Vec<&'a Resource>,
}

impl<'a> Consents<'a> {
    pub(super) fn new(names: &'a Names) -> Self {
        Self {
            names,
            newest: BTreeMap::new(),
            older: Vec::new(),
        }
    }

    /// Takes a Consent.
    pub(super) fn take(&mut self, resource: &'a Resource) {
        let id = resource.facts.id.clone();
        let key = id.unwrap_or_else(|| resource.place.to_string());
        match self.newest.get_mut(&key) {
            None => {
                self.newest.insert(key, resource);
            }
            Some(newest) if newest.facts.version <= resource.facts.version => {
                self.older.push(std::mem::replace(newest, resource));
            }
            Some(_) => self.older.push(resource),
        }
    }

    /// What the patients said, by ascending time, and how many Consents say it.
    pub(super) fn finish(self, notes: &mut Notes) -> (Vec<RecordedConsent>, u64) {
        for older in &self.older {
            let reason = "Consent: there is a newer version".to_owned();
            notes.skip(&older.place, Extent::Source, reason);
        }
        let mut spoken: Vec<Spoken> = Vec::new();
        let mut taken = 0;
        for (number, resource) in self.newest.values().enumerate() {
            let before = spoken.len();
            match self.words(resource, notes) {
                Ok((patient, at_ns, words)) => {
                    spoken.extend(words.into_iter().map(|word| Spoken {
                        patient: Arc::clone(&patient),
                        consent: number,
                        at_ns: word.from_ns.or(at_ns),
                        word,
                    }));
                    let says_something = spoken.len() > before;
                    taken += u64::from(says_something);
                    if !says_something {
                        let reason = "Consent: says nothing that holds".to_owned();
                        notes.skip(&resource.place, Extent::Source, reason);
                    }
                }
                Err((place, reason)) => {
                    notes.skip(&place, Extent::Source, format!("Consent: {reason}"));
                }
            }
        }
        (heard(spoken), taken)
    }

    /// Who speaks, when, and what; or why it does not count.
    fn words(&self, resource: &Resource, notes: &mut Notes) -> Result<Speech, (Place, String)> {
        let place = &resource.place;
        let no = |path: &str, reason: &str| Err((place.below(path), reason.to_owned()));
        match resource.facts.status.as_deref() {
            Some("active") => {}
            // The codes of FHIR are few; anything else is foreign text.
            Some(
                status @ ("draft" | "proposed" | "rejected" | "inactive" | "entered-in-error"),
            ) => {
                return no(".status", &format!("{status}, not active"));
            }
            _ => return no(".status", "not active"),
        }
        let patient = resource
            .facts
            .patients
            .iter()
            .find_map(|(reference, implied)| {
                self.names
                    .name(resource.document, reference, "Patient", *implied)
            });
        let Some(patient) = patient else {
            return no(".patient", "leads to no patient");
        };
        if patient.len() > MAX_PATIENT {
            return no(
                ".patient",
                &format!("an id of more than {MAX_PATIENT} bytes"),
            );
        }
        let mut at_ns = resource.facts.version.0;
        let mut denial = |path: &str, reason: &str| {
            let reason = format!("{reason}: {AS_DENIAL}");
            notes.remark(&place.below(path), Extent::File, reason);
        };
        let read = serde_json::from_slice::<Value>(&resource.body)
            .map_err(|error| Defect::new(error.to_string()))
            .and_then(|value| {
                if about_something_else(&value)? {
                    return Ok(None);
                }
                at_ns = given_at(&value)?.or(at_ns);
                let given = Given {
                    at_ns,
                    document: resource.document,
                    names: self.names,
                };
                rules::read(&value, &given).map(Some)
            });
        match read {
            Ok(None) => no(".scope", "not about who may see records"),
            Ok(Some(read)) => {
                for remark in &read.remarks {
                    let reason = remark.reason.clone();
                    notes.remark(&place.below(&remark.path), Extent::File, reason);
                }
                Ok((patient, at_ns, read.words))
            }
            Err(defect) => {
                denial(&defect.path, &defect.reason);
                Ok((patient, at_ns, vec![Word::denial(None)]))
            }
        }
    }
}

/// Who speaks, when, and what.
type Speech = (Arc<str>, Option<i64>, Vec<Word>);

/// When a Consent was given.
fn given_at(consent: &Value) -> Reading<Option<i64>> {
    let at = field(consent, "dateTime", |value| {
        moment(text(value)?).map_err(|reason| Defect::new(format!("no time of FHIR: {reason}")))
    })?;
    Ok(at.map(|at| at.first_ns))
}

/// Does the scope say that the consent is to something else than showing records?
fn about_something_else(consent: &Value) -> Reading<bool> {
    let scopes = field(consent, "scope", |scope| codes(scope, SCOPES))?.unwrap_or_default();
    Ok(!scopes.is_empty() && scopes.iter().all(|scope| OTHER_SCOPES.contains(scope)))
}

/// The words in the order in which they are heard. The model lets a word to an institution go
/// before one to everybody, whenever it was said; so a denial to everybody also takes back what
/// other, earlier Consents permit to single institutions.
fn heard(mut spoken: Vec<Spoken>) -> Vec<RecordedConsent> {
    spoken.sort_by_key(Spoken::rank);
    let mut permitted: BTreeMap<Arc<str>, BTreeMap<Arc<str>, usize>> = BTreeMap::new();
    let mut out = Vec::new();
    for said in spoken {
        let (at_ns, _) = said.rank();
        let Spoken {
            patient,
            consent,
            word,
            ..
        } = said;
        let mine = permitted.entry(Arc::clone(&patient)).or_default();
        let mut say = |permit, organisation, period| {
            out.push(RecordedConsent {
                patient: Arc::clone(&patient),
                at_ns,
                permit,
                organisation,
                period,
            });
        };
        match (&word.to, word.permit) {
            (Some(institution), true) => {
                mine.insert(Arc::clone(institution), consent);
            }
            (Some(institution), false) => {
                mine.remove(institution);
            }
            (None, true) => {}
            (None, false) => {
                let others = mine.iter().filter(|(_, its)| **its != consent);
                let taken_back: Vec<Arc<str>> = others.map(|(to, _)| Arc::clone(to)).collect();
                mine.retain(|_, its| *its == consent);
                for institution in taken_back {
                    say(false, Some(institution), None);
                }
            }
        }
        say(word.permit, word.to, word.period);
    }
    out
}
