//! A patient's grant of the model as a FHIR R4 Consent: what the chain decides by it, [`super::decide`]
//! decides by what is written.
//!
//! The policy is OPTIN, and the root provision the frame: the time, and the institution. In it stands one
//! permission, of the types of resources, the purposes and whom at the institution it is for.

use consim_core::values::DateTime;
use consim_models::sharing::{Purpose, Reader, ResourceType, Scope, Who};
use serde_json::{Map, Value, json};

const REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const TYPES: &str = "http://hl7.org/fhir/resource-types";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";

/// A grant, and how those whom it concerns are called.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// The patient's reference.
    pub patient: &'a str,
    /// The institution's reference; `None` is everybody.
    pub to: Option<&'a str>,
    /// What it comprises.
    pub scope: Scope,
    /// When it was given, nanoseconds after the Unix epoch.
    pub given_ns: i64,
    /// Until when it holds.
    pub until_ns: i64,
}

/// How somebody at an institution is referred to: by their role, and by themself.
pub fn references(reader: Reader) -> [String; 2] {
    let role = reader.role.word();
    let number = reader.person;
    [
        format!("PractitionerRole/{role}"),
        format!("Practitioner/{role}-{number}"),
    ]
}

/// The Consent; nothing of a scope that FHIR has no code for.
pub fn consent(grant: &Grant<'_>) -> Option<Value> {
    let types = grant.scope.types();
    let coded = |kind: &ResourceType| !matches!(kind, ResourceType::Unstated | ResourceType::Other);
    if !types.iter().all(coded) || grant.scope.has_types() && types.is_empty() {
        return None;
    }
    let from_ns = grant.scope.from_ns.max(grant.given_ns);
    let mut frame = Map::new();
    frame.insert(
        "period".into(),
        json!({ "start": date_time(from_ns), "end": date_time(grant.until_ns) }),
    );
    if let Some(to) = grant.to {
        frame.insert("actor".into(), json!([recipient(to)]));
    }
    let mut permission = Map::new();
    permission.insert("type".into(), json!("permit"));
    let [role, person] = match grant.scope.who {
        Who::Anybody => [None, None],
        Who::Role(role) => [Some(references(Reader { role, person: 0 })), None],
        Who::Person(reader) => [None, Some(references(reader))],
    };
    let who = role
        .map(|[role, _]| role)
        .or(person.map(|[_, person]| person));
    if let Some(who) = who {
        permission.insert("actor".into(), json!([recipient(&who)]));
    }
    let purposes = grant.scope.purposes();
    let purpose = |purpose: &Purpose| json!({ "system": REASON, "code": purpose.hl7() });
    let purposes: Vec<Value> = purposes.iter().map(purpose).collect();
    if purposes.is_empty() {
        return None;
    }
    permission.insert("purpose".into(), Value::Array(purposes));
    let access = json!([concept(
        "http://terminology.hl7.org/CodeSystem/consentaction",
        "access"
    )]);
    permission.insert("action".into(), access);
    if !types.is_empty() {
        let class = |kind: &ResourceType| json!({ "system": TYPES, "code": kind.word() });
        let classes = types.iter().map(class).collect();
        permission.insert("class".into(), Value::Array(classes));
    }
    frame.insert("provision".into(), json!([permission]));
    Some(json!({
        "resourceType": "Consent",
        "status": "active",
        "scope": concept("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [concept("http://loinc.org", "59284-0")],
        "patient": { "reference": grant.patient },
        "dateTime": date_time(grant.given_ns),
        "policyRule": concept("http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPTIN"),
        "provision": frame,
    }))
}

fn concept(system: &str, code: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code }] })
}

fn recipient(reference: &str) -> Value {
    json!({ "role": concept(PARTICIPATION, "PRCP"), "reference": { "reference": reference } })
}

/// An instant of FHIR in UTC, to the nanosecond.
fn date_time(ns: i64) -> String {
    DateTime { ns, zone_s: 0 }.to_the_nanosecond()
}

#[cfg(test)]
mod tests;
