//! Files, and the resources in them: single ones, bundles of any type, one a line.

use super::json::compact;
use super::reference::type_and_id;
use super::resource::Facts;
use super::types::is_resource;
use crate::sources::Limits;
use crate::sources::notes::{Extent, Notes, Place, quoted};
use consim_models::sharing::message::MAX_BODY;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The deepest bundle within bundles (a response to a batch of searches has two levels).
const MAX_BUNDLES: usize = 4;

/// A resource as it was found.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) place: Place,
    /// The number of the bundle or file that it stands in: the scope of its `urn:` references.
    pub(super) document: usize,
    pub(super) kind: Arc<str>,
    pub(super) full_url: Option<String>,
    pub(super) facts: Facts,
    pub(super) body: Arc<[u8]>,
}

/// The head of a resource. What is not asked for is passed over, so that the entries of a bundle
/// are read one by one and a broken one spoils no other.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "resourceType")]
    kind: Option<Value>,
    #[serde(rename = "type")]
    bundle: Option<Value>,
    #[serde(borrow)]
    entry: Option<&'a RawValue>,
}

/// An entry of a bundle.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(rename = "fullUrl")]
    full_url: Option<Value>,
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    request: Option<Value>,
}

/// Where a resource stands.
#[derive(Clone, Debug)]
struct Setting {
    place: Place,
    document: usize,
    full_url: Option<String>,
    depth: usize,
}

type TypeAndId = (String, String);

/// Takes in one file after the other.
#[derive(Debug)]
pub(super) struct Reader<'l> {
    limits: &'l Limits,
    /// What is said about the source.
    pub(super) notes: Notes,
    resources: Vec<Resource>,
    /// Digests of what was read, by type and id: an exact copy is no second record.
    seen: BTreeMap<TypeAndId, BTreeSet<[u8; 32]>>,
    /// Deleted resources, with the number of resources read before.
    deleted: BTreeMap<TypeAndId, usize>,
    documents: usize,
}

impl<'l> Reader<'l> {
    pub(super) fn new(limits: &'l Limits, notes: Notes) -> Self {
        Self {
            limits,
            notes,
            resources: Vec::new(),
            seen: BTreeMap::new(),
            deleted: BTreeMap::new(),
            documents: 0,
        }
    }

    /// The resources, without those that were deleted after they were written.
    pub(super) fn finish(mut self) -> (Vec<Resource>, Notes) {
        let resources = std::mem::take(&mut self.resources).into_iter().enumerate();
        let mut kept = Vec::new();
        for (at, resource) in resources {
            let id = resource.facts.id.clone().unwrap_or_default();
            let deleted = self.deleted.get(&(resource.kind.to_string(), id));
            if deleted.is_some_and(|&before| at < before) {
                self.skip(&resource.place, "deleted later");
            } else {
                kept.push(resource);
            }
        }
        (kept, self.notes)
    }

    fn skip(&mut self, place: &Place, reason: impl Into<String>) {
        self.notes.skip(place, Extent::File, reason.into());
    }

    /// Takes in a file.
    pub(super) fn file(&mut self, name: &Arc<str>, content: Result<Vec<u8>, String>) {
        let place = Place::file(name);
        let bytes = match content {
            Ok(bytes) => bytes,
            Err(reason) => return self.skip(&place, reason),
        };
        let text = match std::str::from_utf8(&bytes) {
            Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
            Err(error) => {
                let at = error.valid_up_to();
                return self.skip(&place, format!("not UTF-8 at byte {at}"));
            }
        };
        let by_line = name.rsplit_once('.');
        if by_line.is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("ndjson")) {
            let lines = text.lines().enumerate();
            for (i, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
                let line_place = Place {
                    line: i + 1,
                    ..place.clone()
                };
                self.document(&line_place, line);
            }
        } else {
            self.document(&place, text);
        }
    }

    fn document(&mut self, place: &Place, text: &str) {
        match serde_json::from_str::<&RawValue>(text) {
            Err(error) => self.skip(place, format!("not JSON: {error}")),
            Ok(raw) => {
                let setting = Setting {
                    place: place.below("$"),
                    document: self.new_document(),
                    full_url: None,
                    depth: 0,
                };
                self.value(&setting, raw);
            }
        }
    }

    fn new_document(&mut self) -> usize {
        self.documents += 1;
        self.documents
    }

    fn value(&mut self, setting: &Setting, raw: &RawValue) {
        let place = &setting.place;
        let head: Head<'_> = match object(raw) {
            Ok(head) => head,
            Err(reason) => return self.skip(place, reason),
        };
        let kind = match head.kind {
            None => return self.skip(place, "no resourceType: this is not FHIR"),
            Some(Value::String(kind)) => kind,
            Some(_) => return self.skip(&place.below(".resourceType"), "not text"),
        };
        if !is_resource(&kind) {
            let reason = format!("{} is no resource of FHIR R4", quoted(&kind));
            self.skip(&place.below(".resourceType"), reason);
        } else if kind != "Bundle" {
            self.resource(setting, Arc::from(kind), raw);
        } else if setting.depth >= MAX_BUNDLES {
            self.skip(place, "a bundle within too many bundles");
        } else if let Some(entries) = head.entry {
            self.bundle(setting, head.bundle.as_ref(), entries);
        }
    }

    fn bundle(&mut self, setting: &Setting, bundle: Option<&Value>, entries: &RawValue) {
        let Ok(entries) = serde_json::from_str::<Vec<&RawValue>>(entries.get()) else {
            return self.skip(&setting.place.below(".entry"), "not a list");
        };
        let document = self.new_document();
        let mut numbered: Vec<(usize, &RawValue)> = entries.into_iter().enumerate().collect();
        // A history has its newest version first (R4, http.html); read it as it happened.
        if bundle.and_then(Value::as_str) == Some("history") {
            numbered.reverse();
        }
        for (i, raw) in numbered {
            let place = setting.place.below(&format!(".entry[{i}]"));
            let entry: Entry<'_> = match object(raw) {
                Ok(entry) => entry,
                Err(reason) => {
                    self.skip(&place, reason);
                    continue;
                }
            };
            let Some(resource) = entry.resource else {
                self.without_resource(&place, entry.request.as_ref());
                continue;
            };
            let full_url = entry.full_url.as_ref().and_then(Value::as_str);
            let inner = Setting {
                place: place.below(".resource"),
                document,
                full_url: full_url.map(str::to_owned),
                depth: setting.depth + 1,
            };
            self.value(&inner, resource);
        }
    }

    fn without_resource(&mut self, place: &Place, request: Option<&Value>) {
        let text = |name| request.and_then(|request| request.get(name)?.as_str());
        let deleted = text("url").and_then(type_and_id);
        if let (Some("DELETE"), Some((kind, id))) = (text("method"), deleted) {
            let key = (kind.to_owned(), id.to_owned());
            self.seen.remove(&key);
            self.deleted.insert(key, self.resources.len());
        }
        self.skip(place, "no resource");
    }

    fn resource(&mut self, setting: &Setting, kind: Arc<str>, raw: &RawValue) {
        let place = &setting.place;
        if self.resources.len() >= self.limits.resources {
            let reason = format!("more than {} resources", self.limits.resources);
            return self.notes.skip(place, Extent::Source, reason);
        }
        let body = compact(raw.get());
        if body.len() > MAX_BODY {
            let reason = format!("a record of more than {MAX_BODY} bytes");
            return self.skip(place, reason);
        }
        let value = match serde_json::from_str::<Value>(raw.get()) {
            Ok(value) => value,
            // What is valid JSON but no value: nested too deep, a number beyond all bounds, half a
            // surrogate pair.
            Err(error) => return self.skip(place, format!("cannot be read: {error}")),
        };
        let full_url = setting.full_url.as_deref();
        let facts = match Facts::read(&kind, &value, setting.document, full_url) {
            Ok(facts) => facts,
            Err(defect) => return self.skip(&place.below(&defect.path), defect.reason),
        };
        for odd in &facts.odd_times {
            let (place, reason) = (place.below(&odd.path), odd.reason.clone());
            self.notes.remark(&place, Extent::File, reason);
        }
        if let Some(id) = &facts.id {
            let key = (kind.to_string(), id.clone());
            let digest = *blake3::hash(&body).as_bytes();
            if !self.seen.entry(key).or_default().insert(digest) {
                let reason = "a copy of a resource that was read before";
                return self.notes.skip(place, Extent::Source, reason.to_owned());
            }
        }
        self.resources.push(Resource {
            place: place.clone(),
            document: setting.document,
            kind,
            full_url: setting.full_url.clone(),
            facts,
            body: body.into(),
        });
    }
}

/// Reads an object. (Serde would take a list for one, by position.)
fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, String> {
    if raw.get().starts_with('{') {
        serde_json::from_str(raw.get()).map_err(|error| format!("cannot be read: {error}"))
    } else {
        Err("not an object".to_owned())
    }
}
