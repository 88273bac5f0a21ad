//! References between resources, and the names that they lead to.
//!
//! One folder is one naming: `Patient/1` is the same person in all its files, and the base of an
//! absolute address is dropped (`https://a.example/fhir/Patient/1` is `Patient/1`). A `urn:` is
//! looked for among the `fullUrl`s of its own bundle, then among those of the others.
//!
//! A patient, an organisation and an encounter are called by their id; without an id by their
//! first identifier (`system|value`), which is what a conditional create of a transaction matches;
//! without either by their `fullUrl`.

use super::json::{Reading, field, list, text, text_at};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How far up an organisation is looked for (assumed: ward, clinic, hospital, group).
const MAX_PARENTS: usize = 8;

/// A reference as it stands in a resource.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Reference {
    target: Option<String>,
    /// The type that the reference itself states.
    kind: Option<String>,
    identifier: Option<String>,
    display: Option<String>,
}

impl Reference {
    /// Reads a reference of a resource; one into the resource itself (`#p1`) is replaced by what
    /// the contained resource says of itself.
    pub(super) fn read(value: &Value, resource: &Value) -> Reading<Self> {
        let target = field(value, "reference", text)?;
        if let Some(local) = target.and_then(|target| target.strip_prefix('#')) {
            let contained = resource.get("contained").and_then(Value::as_array);
            let found = contained
                .into_iter()
                .flatten()
                .find(|inner| text_at(inner, "id") == Some(local));
            return Ok(found.map_or_else(Self::default, |inner| Self {
                target: None,
                kind: text_at(inner, "resourceType").map(str::to_owned),
                identifier: identifiers(inner).into_iter().next(),
                display: text_at(inner, "name").map(str::to_owned),
            }));
        }
        Ok(Self {
            target: target.map(str::to_owned),
            kind: field(value, "type", text)?.map(str::to_owned),
            identifier: field(value, "identifier", |id| Ok(identifier(id)))?.flatten(),
            display: field(value, "display", text)?.map(str::to_owned),
        })
    }
}

/// `system|value` of an identifier.
fn identifier(value: &Value) -> Option<String> {
    let system = text_at(value, "system").unwrap_or_default();
    Some(format!("{system}|{}", text_at(value, "value")?))
}

/// The identifiers of a resource; most have a list, some a single one.
pub(super) fn identifiers(resource: &Value) -> Vec<String> {
    match resource.get("identifier") {
        Some(Value::Array(all)) => all.iter().filter_map(identifier).collect(),
        Some(one) => identifier(one).into_iter().collect(),
        None => Vec::new(),
    }
}

/// `Type/id` of a relative or absolute reference, without version.
pub(super) fn type_and_id(target: &str) -> Option<(&str, &str)> {
    let (path, _) = target.split_once("/_history/").unwrap_or((target, ""));
    let (rest, id) = path.rsplit_once('/')?;
    let kind = rest.rsplit_once('/').map_or(rest, |(_, kind)| kind);
    let of_a_type = kind.starts_with(|c: char| c.is_ascii_uppercase())
        && kind.bytes().all(|b| b.is_ascii_alphabetic());
    (of_a_type && !id.is_empty()).then_some((kind, id))
}

/// What a resource that others refer to says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Identity {
    kind: Arc<str>,
    document: usize,
    full_url: Option<String>,
    id: Option<String>,
    identifiers: Vec<String>,
    title: Option<String>,
    /// A department stands for the institution that it is part of.
    department: bool,
    part_of: Option<Reference>,
    organisation: Option<Reference>,
}

impl Identity {
    /// The kinds of resources that others refer to, as far as it matters here.
    pub(super) const KINDS: [&str; 4] =
        ["Patient", "Organization", "Encounter", "PractitionerRole"];

    /// Reads a resource's identity; `document` numbers the bundle or file that it stands in.
    pub(super) fn read(
        kind: &Arc<str>,
        resource: &Value,
        document: usize,
        full_url: Option<&str>,
    ) -> Reading<Self> {
        let reference = |value| Reference::read(value, resource);
        let is_organisation = &**kind == "Organization";
        let types = if is_organisation {
            list(resource, "type", |concept| {
                super::json::codes(concept, ORGANISATION_TYPE)
            })?
        } else {
            Vec::new()
        };
        Ok(Self {
            kind: Arc::clone(kind),
            document,
            full_url: full_url.map(str::to_owned),
            id: field(resource, "id", text)?.map(str::to_owned),
            identifiers: identifiers(resource),
            title: text_at(resource, "name").map(str::to_owned),
            department: types.iter().flatten().any(|code| *code == DEPARTMENT),
            part_of: if is_organisation {
                field(resource, "partOf", reference)?
            } else {
                None
            },
            organisation: if &**kind == "PractitionerRole" {
                field(resource, "organization", reference)?
            } else {
                None
            },
        })
    }

    /// What the resource is called, if it can be referred to at all.
    pub(super) fn name(&self) -> Option<&str> {
        let by_url = self.full_url.as_deref();
        self.id
            .as_deref()
            .or_else(|| by_url.and_then(type_and_id).map(|(_, id)| id))
            .or_else(|| self.identifiers.first().map(String::as_str))
            .or(by_url)
    }
}

/// The code system of kinds of organisations, and its code of a department.
const ORGANISATION_TYPE: &str = "http://terminology.hl7.org/CodeSystem/organization-type";
const DEPARTMENT: &str = "dept";

#[derive(Debug)]
struct Named {
    kind: Arc<str>,
    name: Arc<str>,
}

/// To whom a reference to a grantee leads.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Party {
    /// An institution.
    Institution(Arc<str>),
    /// A part of an institution, or somebody who works there.
    Within(Arc<str>),
    /// Somebody else.
    Other,
}

/// The names of patients, organisations and encounters, and the ways that lead to them.
#[derive(Debug, Default)]
pub(super) struct Names {
    named: Vec<Named>,
    by_document: BTreeMap<(usize, String), usize>,
    by_url: BTreeMap<String, usize>,
    by_identifier: BTreeMap<(Arc<str>, String), usize>,
    /// Organisations by title; `None` if several have it.
    by_title: BTreeMap<String, Option<Arc<str>>>,
    /// What a department or organisation is part of.
    parents: BTreeMap<Arc<str>, (bool, Arc<str>)>,
    /// The organisation in which a role is held.
    roles: BTreeMap<Arc<str>, Arc<str>>,
}

impl Names {
    /// The names in a source.
    pub(super) fn new<'a>(identities: impl Iterator<Item = &'a Identity> + Clone) -> Self {
        let mut names = Self::default();
        for identity in identities.clone() {
            names.add(identity);
        }
        for identity in identities {
            let Some(own) = identity.name().map(Arc::from) else {
                continue;
            };
            let above = |reference: &Option<Reference>| {
                let reference = reference.as_ref()?;
                names.name(identity.document, reference, "Organization", false)
            };
            if let Some(parent) = above(&identity.part_of) {
                let entry = (identity.department, parent);
                names.parents.entry(own).or_insert(entry);
            } else if let Some(organisation) = above(&identity.organisation) {
                names.roles.entry(own).or_insert(organisation);
            }
        }
        names
    }

    fn add(&mut self, identity: &Identity) {
        let Some(name) = identity.name() else { return };
        let (at, kind, name) = (
            self.named.len(),
            Arc::clone(&identity.kind),
            Arc::<str>::from(name),
        );
        if let Some(url) = &identity.full_url {
            self.by_document
                .entry((identity.document, url.clone()))
                .or_insert(at);
            self.by_url.entry(url.clone()).or_insert(at);
        }
        if let Some(id) = &identity.id {
            self.by_url.entry(format!("{kind}/{id}")).or_insert(at);
        }
        for identifier in &identity.identifiers {
            self.by_identifier
                .entry((Arc::clone(&kind), identifier.clone()))
                .or_insert(at);
        }
        if let (Some(title), "Organization") = (&identity.title, &*kind) {
            self.by_title
                .entry(title.clone())
                .and_modify(|other| *other = other.take().filter(|other| *other == name))
                .or_insert_with(|| Some(Arc::clone(&name)));
        }
        self.named.push(Named { kind, name });
    }

    /// The name of the resource of type `wanted` that a reference in `document` leads to. With
    /// `implied` the field that holds the reference takes no other type.
    pub(super) fn name(
        &self,
        document: usize,
        reference: &Reference,
        wanted: &str,
        implied: bool,
    ) -> Option<Arc<str>> {
        if let Some(target) = &reference.target {
            return self.by_target(document, target, wanted);
        }
        if reference.kind.as_deref().is_some_and(|kind| kind != wanted) {
            return None;
        }
        let stated = implied || reference.kind.is_some();
        if let Some(identifier) = &reference.identifier {
            let known = self.by_identifier(wanted, identifier);
            return known.or_else(|| stated.then(|| Arc::from(identifier.as_str())));
        }
        let title = reference
            .display
            .as_ref()
            .filter(|_| wanted == "Organization")?;
        let known = self.by_title.get(title).cloned().flatten();
        known.or_else(|| stated.then(|| Arc::from(title.as_str())))
    }

    fn by_target(&self, document: usize, target: &str, wanted: &str) -> Option<Arc<str>> {
        let exact = self
            .by_document
            .get(&(document, target.to_owned()))
            .or_else(|| self.by_url.get(target));
        if let Some(named) = exact.and_then(|&at| self.named.get(at)) {
            return (&*named.kind == wanted).then(|| Arc::clone(&named.name));
        }
        // A conditional reference of a transaction: `Patient?identifier=system|value`.
        if let Some((kind, query)) = target.split_once('?') {
            let value = query.strip_prefix("identifier=")?.replace("%7C", "|");
            let known = self.by_identifier(wanted, &value);
            return (kind == wanted).then(|| known.unwrap_or_else(|| Arc::from(value)));
        }
        let (kind, id) = type_and_id(target)?;
        let known = self.by_url.get(&format!("{kind}/{id}"));
        let name = known
            .and_then(|&at| self.named.get(at))
            .map_or_else(|| Arc::from(id), |named| Arc::clone(&named.name));
        (kind == wanted).then_some(name)
    }

    fn by_identifier(&self, kind: &str, identifier: &str) -> Option<Arc<str>> {
        let key = (Arc::from(kind), identifier.to_owned());
        let named = self.named.get(*self.by_identifier.get(&key)?)?;
        Some(Arc::clone(&named.name))
    }

    /// The institution that an organisation is or belongs to as a department.
    pub(super) fn institution(&self, organisation: Arc<str>) -> Arc<str> {
        let mut at = organisation;
        for _ in 0..MAX_PARENTS {
            match self.parents.get(&at) {
                Some((true, parent)) => at = Arc::clone(parent),
                _ => break,
            }
        }
        at
    }

    /// Whom a reference to a grantee means.
    pub(super) fn party(&self, document: usize, reference: &Reference) -> Party {
        if let Some(organisation) = self.name(document, reference, "Organization", false) {
            let institution = self.institution(Arc::clone(&organisation));
            return if institution == organisation {
                Party::Institution(institution)
            } else {
                Party::Within(institution)
            };
        }
        let role = self.name(document, reference, "PractitionerRole", false);
        role.and_then(|role| self.roles.get(&role))
            .map_or(Party::Other, |organisation| {
                Party::Within(self.institution(Arc::clone(organisation)))
            })
    }

    /// The institutions that are part of an institution, by name.
    pub(super) fn parts(&self, whole: &str) -> Vec<Arc<str>> {
        let below = |part: &&Arc<str>| {
            let mut at = *part;
            (0..MAX_PARENTS).any(|_| match self.parents.get(at) {
                Some((_, parent)) => {
                    at = parent;
                    **parent == *whole
                }
                None => false,
            })
        };
        let is_institution = |part: &&Arc<str>| {
            self.parents
                .get(*part)
                .is_some_and(|(department, _)| !department)
        };
        let parts = self.parents.keys().filter(is_institution).filter(below);
        parts.filter(|part| ***part != *whole).cloned().collect()
    }
}
