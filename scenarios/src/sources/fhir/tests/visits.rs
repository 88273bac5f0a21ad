//! Who, where, when: how resources become visits.

use super::super::date::moment;
use super::*;
use serde_json::{Value, json};

/// Patient, provider, emergency, and the resources of a visit.
type Seen = (String, Option<String>, bool, Vec<String>);

fn seen(gathered: &Gathered) -> Vec<Seen> {
    let visits = gathered.set.visits.iter();
    visits
        .map(|visit| {
            let resources = visit.resources.iter();
            (
                visit.patient.to_string(),
                visit.provider.as_ref().map(ToString::to_string),
                visit.emergency,
                resources
                    .map(|one| format!("{}/{}", one.kind, one.id))
                    .collect(),
            )
        })
        .collect()
}

/// The resources of each visit.
fn together(gathered: &Gathered) -> Vec<Vec<String>> {
    seen(gathered)
        .into_iter()
        .map(|(.., resources)| resources)
        .collect()
}

fn patients(gathered: &Gathered) -> Vec<String> {
    seen(gathered)
        .into_iter()
        .map(|(patient, ..)| patient)
        .collect()
}

fn make(kind: &str, id: &str, fields: Value) -> Value {
    let mut resource = fields;
    resource["resourceType"] = json!(kind);
    if !id.is_empty() {
        resource["id"] = json!(id);
    }
    resource
}

fn to(target: &str) -> Value {
    json!({ "reference": target })
}

/// One bundle of these (fullUrl, resource).
fn bundle(entries: &[(&str, Value)]) -> String {
    let entries: Vec<Value> = entries
        .iter()
        .map(|(url, resource)| {
            if url.is_empty() {
                json!({ "resource": resource })
            } else {
                json!({ "fullUrl": url, "resource": resource })
            }
        })
        .collect();
    json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries }).to_string()
}

fn alone(resources: &[Value]) -> Gathered {
    let entries: Vec<(&str, Value)> = resources.iter().map(|one| ("", one.clone())).collect();
    gather(&[("b.json", &bundle(&entries))])
}

fn encounter(id: &str, patient: &str, start: &str) -> Value {
    make(
        "Encounter",
        id,
        json!({ "subject": to(patient), "period": { "start": start },
            "class": { "code": "AMB" }, "serviceProvider": to("Organization/h") }),
    )
}

fn observation(id: &str, encounter: &str) -> Value {
    make(
        "Observation",
        id,
        json!({ "subject": to("Patient/p"), "encounter": to(encounter) }),
    )
}

#[test]
fn an_encounter_is_a_visit_with_what_refers_to_it() {
    let p = json!({ "subject": to("Patient/p") });
    let with = |key: &str, value: Value| {
        let mut fields = p.clone();
        fields[key] = value;
        fields
    };
    let gathered = alone(&[
        encounter("e", "Patient/p", "2024-03-01T08:00:00+08:00"),
        observation("o", "Encounter/e"),
        make(
            "MedicationDispense",
            "m",
            with("context", to("Encounter/e")),
        ),
        make(
            "DocumentReference",
            "d",
            with("context", json!({ "encounter": [to("Encounter/e")] })),
        ),
        make(
            "Claim",
            "c",
            json!({ "patient": to("Patient/p"), "item": [{ "encounter": [to("Encounter/e")] }] }),
        ),
        make(
            "Condition",
            "n",
            with(
                "encounter",
                to("https://a.example/fhir/Encounter/e/_history/2"),
            ),
        ),
        // Nobody's by its own words, but its encounter's patient's.
        make("Procedure", "r", json!({ "encounter": to("Encounter/e") })),
    ]);
    let resources = [
        "Encounter/e",
        "Observation/o",
        "MedicationDispense/m",
        "DocumentReference/d",
    ];
    let others = ["Claim/c", "Condition/n", "Procedure/r"];
    let all = resources
        .iter()
        .chain(&others)
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        seen(&gathered),
        [("p".into(), Some("h".into()), false, all)]
    );
    let at = moment("2024-03-01T00:00:00Z").unwrap().first_ns;
    assert_eq!(gathered.set.visits[0].at_ns, at);
    assert_eq!((gathered.taken, gathered.skipped), (7, 0));
}

#[test]
fn references_lead_by_urn_by_address_by_id_and_by_identifier() {
    let identifier = json!([{ "system": "urn:oid:1.2", "value": "77" }]);
    let hospital = |id: &str| {
        make(
            "Organization",
            id,
            json!({ "name": "Hospital", "identifier": identifier }),
        )
    };
    let visit = |patient: Value, provider: Value| {
        make(
            "Encounter",
            "e",
            json!({ "subject": patient, "serviceProvider": provider }),
        )
    };
    let who = |entries: &[(&str, Value)]| {
        let gathered = gather(&[("b.json", &bundle(entries))]);
        let (patient, provider, ..) = seen(&gathered).remove(0);
        (patient, provider.unwrap_or_default())
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    let logical =
        |value: &str| json!({ "identifier": { "system": "urn:oid:1.2", "value": value } });
    // The name is the id...
    let urns = |patient_id: &str, organisation_id: &str| {
        who(&[
            (
                "urn:uuid:1",
                make("Patient", patient_id, json!({ "identifier": identifier })),
            ),
            ("urn:uuid:2", hospital(organisation_id)),
            ("urn:uuid:3", visit(to("urn:uuid:1"), to("urn:uuid:2"))),
        ])
    };
    assert_eq!(urns("p", "h"), pair("p", "h"));
    // ... else the identifier ...
    assert_eq!(urns("", ""), pair("urn:oid:1.2|77", "urn:oid:1.2|77"));
    // ... else the address.
    let bare = make("Patient", "", json!({}));
    let named = who(&[
        ("urn:uuid:1", bare),
        ("", visit(to("urn:uuid:1"), to("Organization/h"))),
    ]);
    assert_eq!(named, pair("urn:uuid:1", "h"));
    let base = "https://a.example/fhir";
    let by_address = who(&[
        (&format!("{base}/Patient/9"), make("Patient", "", json!({}))),
        (
            "",
            visit(to("Patient/9"), to(&format!("{base}/Organization/h"))),
        ),
    ]);
    assert_eq!(by_address, pair("9", "h"));
    // By identifier, by a search of a transaction, by title.
    let people = [
        (
            "",
            make("Patient", "p", json!({ "identifier": identifier })),
        ),
        ("", hospital("h")),
    ];
    for provider in [
        logical("77"),
        to("Organization?identifier=urn:oid:1.2|77"),
        to("Organization?identifier=urn:oid:1.2%7C77"),
        json!({ "display": "Hospital" }),
    ] {
        let mut typed = logical("77");
        typed["type"] = json!("Patient");
        let mut all = people.to_vec();
        all.push(("", visit(typed, provider.clone())));
        assert_eq!(who(&all), pair("p", "h"), "{provider}");
    }
    // An organisation that is not there is called as the reference calls it.
    let absent = who(&[(
        "",
        visit(to("Patient/p"), json!({ "display": "Old Clinic" })),
    )]);
    assert_eq!(absent, pair("p", "Old Clinic"));
    // Two of one title are nobody in particular: the title stands.
    let two = who(&[
        ("", hospital("h")),
        ("", hospital("i")),
        ("", visit(to("Patient/p"), json!({ "display": "Hospital" }))),
    ]);
    assert_eq!(two, pair("p", "Hospital"));
}

#[test]
fn an_urn_means_its_own_bundle_first() {
    let one = |patient: &str| {
        bundle(&[
            ("urn:uuid:1", make("Patient", patient, json!({}))),
            (
                "",
                make(
                    "Observation",
                    &format!("of-{patient}"),
                    json!({ "subject": to("urn:uuid:1") }),
                ),
            ),
        ])
    };
    let other = bundle(&[(
        "",
        make("Observation", "x", json!({ "subject": to("urn:uuid:1") })),
    )]);
    let gathered = gather(&[
        ("a.json", &one("a")),
        ("b.json", &one("b")),
        ("c.json", &other),
    ]);
    let of = |id: &str| {
        let visits = gathered.set.visits.iter();
        let has = |visit: &&RecordedVisitOf| visit.resources.iter().any(|one| &*one.id == id);
        visits.clone().find(has).unwrap().patient.to_string()
    };
    assert_eq!((of("of-a"), of("of-b")), ("a".into(), "b".into()));
    assert_eq!(
        of("x"),
        "a",
        "what no bundle of its own explains is the first of all"
    );
}

type RecordedVisitOf = consim_models::sharing::records::RecordedVisit;

#[test]
fn contained_patients_are_known_by_their_identifier() {
    let contained = |patient: Value| {
        make(
            "Observation",
            "o",
            json!({ "contained": [patient], "subject": to("#in") }),
        )
    };
    let known = make(
        "Patient",
        "in",
        json!({ "identifier": [{ "value": "77" }] }),
    );
    assert_eq!(patients(&alone(&[contained(known)])), ["|77"]);
    let nameless = alone(&[contained(make("Patient", "in", json!({})))]);
    assert_eq!(nameless.skipped, 1);
    assert_eq!(
        nameless.notes,
        ["b.json: $.entry[0].resource.subject: Observation: leads to no patient"]
    );
}

#[test]
fn what_names_no_encounter_is_a_visit_of_its_day() {
    let on = |id: &str, patient: &str, date: &str| {
        make(
            "Observation",
            id,
            json!({ "subject": to(patient), "effectiveDateTime": date }),
        )
    };
    let gathered = alone(&[
        on("3", "Patient/p", "2024-03-02"),
        on("1", "Patient/p", "2024-03-01T23:30:00-05:00"),
        on("2", "Patient/p", "2024-03-01T01:00:00-05:00"),
        on("4", "Patient/q", "2024-03-02"),
        on("5", "Patient/q", "2024-03"),
    ]);
    // By the day as it is written: 1 is on 2 March in UTC.
    assert_eq!(
        together(&gathered),
        [
            vec!["Observation/5"],
            vec!["Observation/1", "Observation/2"],
            vec!["Observation/3"],
            vec!["Observation/4"]
        ]
    );
    assert!(
        gathered
            .set
            .visits
            .iter()
            .all(|visit| visit.provider.is_none())
    );
    let first = moment("2024-03-01T01:00:00-05:00").unwrap().first_ns;
    assert_eq!(gathered.set.visits[1].at_ns, first);
    assert_eq!(
        (gathered.set.patients, gathered.set.patients_without_consent),
        (2, 2)
    );
}

#[test]
fn an_encounter_that_is_not_there_still_holds_its_resources_together() {
    let dated = |id: &str, encounter: &str, date: &str| {
        let mut one = observation(id, encounter);
        one["issued"] = json!(date);
        one
    };
    let gathered = alone(&[
        dated("1", "Encounter/gone", "2024-03-05"),
        dated("2", "Encounter/gone", "2024-03-09"),
        dated("3", "Encounter/other", "2024-03-01"),
    ]);
    assert_eq!(
        together(&gathered),
        [
            vec!["Observation/3"],
            vec!["Observation/1", "Observation/2"]
        ]
    );
}

#[test]
fn a_record_of_another_patient_is_no_part_of_the_encounter() {
    let gathered = alone(&[
        encounter("e", "Patient/q", "2024-03-01"),
        make(
            "Observation",
            "o",
            json!({ "subject": to("Patient/p"), "encounter": to("Encounter/e"), "issued": "2024-03-02" }),
        ),
    ]);
    assert_eq!(
        seen(&gathered),
        [
            (
                "q".into(),
                Some("h".into()),
                false,
                vec!["Encounter/e".into()]
            ),
            ("p".into(), None, false, vec!["Observation/o".into()]),
        ]
    );
}

#[test]
fn visits_come_in_time_and_what_has_none_follows_what_was_before_it() {
    let undated = |id: &str, patient: &str| make("Goal", id, json!({ "subject": to(patient) }));
    let gathered = alone(&[
        undated("first", "Patient/a"),
        encounter("late", "Patient/p", "2024-06-01"),
        undated("after-late", "Patient/b"),
        encounter("early", "Patient/p", "2023-01-01"),
        undated("after-early", "Patient/c"),
        make("Encounter", "open", json!({ "subject": to("Patient/d") })),
        make(
            "Observation",
            "o",
            json!({ "subject": to("Patient/d"), "encounter": to("Encounter/open"), "issued": "2022-05-05" }),
        ),
    ]);
    assert_eq!(
        together(&gathered),
        [
            vec!["Goal/first"],
            vec!["Encounter/open", "Observation/o"],
            vec!["Encounter/early"],
            vec!["Goal/after-early"],
            vec!["Encounter/late"],
            vec!["Goal/after-late"],
        ]
    );
    assert!(gathered.set.visits.is_sorted_by_key(|visit| visit.at_ns));
}

#[test]
fn emergencies_departments_and_visits_that_did_not_happen() {
    let class = |id: &str, code: &str, status: &str| {
        let mut one = encounter(id, "Patient/p", "2024-03-01");
        one["class"] = json!({ "code": code });
        one["status"] = json!(status);
        one["serviceProvider"] = to("Organization/ward");
        one
    };
    let ward = make(
        "Organization",
        "ward",
        json!({ "type": [{ "coding": [{ "code": "dept" }] }], "partOf": to("Organization/h") }),
    );
    let gathered = alone(&[
        ward,
        class("1", "EMER", "finished"),
        class("2", "IMP", "finished"),
        class("3", "AMB", "cancelled"),
        class("4", "AMB", "planned"),
        class("5", "AMB", "entered-in-error"),
        // What was recorded about a cancelled visit is still the patient's.
        observation("o", "Encounter/3"),
    ]);
    let one = |emergency, id: &str| {
        (
            "p".to_owned(),
            Some("h".to_owned()),
            emergency,
            vec![id.to_owned()],
        )
    };
    assert_eq!(
        seen(&gathered),
        [
            one(true, "Encounter/1"),
            one(false, "Encounter/2"),
            ("p".into(), None, false, vec!["Observation/o".into()])
        ]
    );
    assert_eq!(gathered.skipped, 4);
    assert!(gathered.notes.contains(
        &"b.json: $.entry[3].resource.status: Encounter: cancelled or only planned: it did not take place (2 times in all)".to_owned()
    ));
}

#[test]
fn the_newest_version_of_an_encounter_says_where_and_when() {
    let version = |number: &str, provider: &str, start: &str| {
        let mut one = encounter("e", "Patient/p", start);
        one["meta"] = json!({ "versionId": number });
        one["serviceProvider"] = to(provider);
        one
    };
    let gathered = alone(&[
        version("10", "Organization/new", "2024-02-02"),
        version("9", "Organization/old", "2024-01-01"),
    ]);
    let both = vec!["Encounter/e".to_owned(), "Encounter/e".to_owned()];
    assert_eq!(
        seen(&gathered),
        [("p".into(), Some("new".into()), false, both)]
    );
    assert_eq!(
        gathered.set.visits[0].at_ns,
        moment("2024-02-02").unwrap().first_ns
    );
}

#[test]
fn what_is_nobodys_is_told_once_a_kind() {
    let gathered = alone(&[
        make("Organization", "h", json!({})),
        make("Organization", "i", json!({})),
        make("ValueSet", "v", json!({ "context": [1] })),
        make("Observation", "o", json!({ "subject": to("Device/d") })),
        make(
            "Observation",
            "x",
            json!({ "subject": { "display": "somebody" } }),
        ),
        make("RelatedPerson", "r", json!({ "patient": to("Patient/p") })),
        make("Patient", "", json!({})),
        make(
            "Observation",
            "e",
            json!({ "status": "entered-in-error", "subject": to("Patient/p") }),
        ),
    ]);
    assert!(gathered.set.visits.is_empty());
    assert_eq!((gathered.taken, gathered.skipped), (0, 8));
    assert_eq!(
        gathered.notes,
        [
            "b.json: $.entry[0].resource: Organization: no patient's record (2 times in all)",
            "b.json: $.entry[3].resource.subject: Observation: leads to no patient (2 times in all)",
            "b.json: $.entry[2].resource: ValueSet: no patient's record",
            "b.json: $.entry[5].resource: RelatedPerson: a person, not a record",
            "b.json: $.entry[6].resource: Patient: neither an id nor an identifier",
            "b.json: $.entry[7].resource.status: Observation: entered in error",
        ]
    );
}

#[test]
fn a_time_that_is_none_is_told_and_passed_over() {
    let odd = make(
        "Observation",
        "o",
        json!({ "subject": to("Patient/p"), "effectiveDateTime": "2024-02-30", "issued": "2024-03-01" }),
    );
    let gathered = alone(&[odd]);
    assert_eq!(
        gathered.set.visits[0].at_ns,
        moment("2024-03-01").unwrap().first_ns
    );
    assert_eq!((gathered.taken, gathered.skipped), (1, 0));
    assert_eq!(
        gathered.notes,
        [
            "b.json: $.entry[0].resource.effectiveDateTime: `2024-02-30` is no time of FHIR: no day of the month"
        ]
    );
}

#[test]
fn an_appointment_is_its_patients() {
    let appointment = make(
        "Appointment",
        "a",
        json!({ "start": "2024-03-01T08:00:00Z",
            "participant": [{ "actor": to("Practitioner/x") }, { "actor": to("Patient/p") }, {}] }),
    );
    assert_eq!(patients(&alone(&[appointment])), ["p"]);
}

#[test]
fn names_of_patients_are_bounded() {
    let long = "x".repeat(129);
    let gathered = alone(&[make(
        "Observation",
        "o",
        json!({ "subject": to(&format!("Patient/{long}")) }),
    )]);
    assert_eq!((gathered.taken, gathered.skipped), (0, 1));
    assert_eq!(
        gathered.notes,
        ["b.json: $.entry[0].resource: a patient's id of more than 128 bytes"]
    );
    let consent = make(
        "Consent",
        "c",
        json!({ "status": "active", "patient": to(&format!("Patient/{long}")) }),
    );
    assert!(alone(&[consent]).set.consents.is_empty());
}
