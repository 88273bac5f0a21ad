//! Damaged files: whatever happens to a valid file, reading it ends, counts, and tells.

use super::super::document::Reader;
use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

const MAX_LINES: usize = 20;

/// A bundle in which every part that is read has something to say.
fn valid() -> String {
    json!({ "resourceType": "Bundle", "id": "b", "type": "transaction", "entry": [
        { "fullUrl": "urn:uuid:1", "resource": { "resourceType": "Patient", "id": "p",
            "identifier": [{ "system": "urn:oid:1.2", "value": "7" }] },
          "request": { "method": "POST", "url": "Patient" } },
        { "fullUrl": "urn:uuid:2", "resource": { "resourceType": "Organization", "id": "h", "name": "H",
            "type": [{ "coding": [{ "code": "dept" }] }], "partOf": { "reference": "Organization/g" } } },
        { "fullUrl": "urn:uuid:3", "resource": { "resourceType": "Encounter", "id": "e",
            "meta": { "versionId": "1", "lastUpdated": "2024-03-01T08:00:00Z" },
            "status": "finished", "class": { "code": "EMER" }, "subject": { "reference": "urn:uuid:1" },
            "period": { "start": "2024-03-01T08:00:00+08:00" }, "serviceProvider": { "display": "H" } } },
        { "resource": { "resourceType": "Observation", "id": "o", "contained": [{ "resourceType": "Patient", "id": "in" }],
            "subject": { "reference": "#in" }, "encounter": { "reference": "urn:uuid:3" },
            "effectiveDateTime": "2024-03", "valueQuantity": { "value": 1.00 } } },
        { "resource": { "resourceType": "Consent", "id": "c", "status": "active",
            "scope": { "coding": [{ "code": "patient-privacy" }] }, "patient": { "reference": "Patient/p" },
            "dateTime": "2024-01-01", "policyRule": { "coding": [{ "code": "OPTIN" }] },
            "provision": { "period": { "start": "2024-01-01", "end": "2025-01-01" }, "provision": [
                { "type": "deny", "actor": [{ "role": { "coding": [{ "code": "PRCP" }] },
                    "reference": { "reference": "Organization/h" } }], "purpose": [{ "code": "TREAT" }],
                  "action": [{ "coding": [{ "code": "access" }] }], "class": [{ "code": "x" }] } ] } } },
        { "request": { "method": "DELETE", "url": "Consent/old" } },
    ] })
    .to_string()
}

fn check(name: &str, bytes: Vec<u8>) -> (u64, u64) {
    let limits = Limits::default();
    let mut reader = Reader::new(&limits, Notes::default());
    reader.file(&Arc::from(name), Ok(bytes));
    let (resources, mut notes) = reader.finish();
    let (set, taken) = records(&resources, &mut notes);
    assert!(notes.lines(MAX_LINES).len() <= MAX_LINES);
    assert!(set.visits.is_sorted_by_key(|visit| visit.at_ns));
    assert!(set.consents.is_sorted_by_key(|consent| consent.at_ns));
    for body in set.visits.iter().flat_map(|visit| &visit.resources) {
        assert!(
            serde_json::from_slice::<Value>(&body.body).is_ok(),
            "a body is JSON"
        );
    }
    (taken, notes.skipped())
}

/// Puts `with` in the place of the `at`-th value of a tree, counted in the order of reading.
fn replace(value: &mut Value, at: &mut usize, with: &Value) {
    if *at == 0 {
        *value = with.clone();
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Array(all) => all.iter_mut().for_each(|one| replace(one, at, with)),
        Value::Object(map) => map.values_mut().for_each(|one| replace(one, at, with)),
        _ => {}
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!(0)),
        Just(json!(-1.5e300)),
        Just(json!(true)),
        Just(json!("")),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[], {}, null, "x", 1])),
        Just(json!({ "reference": "urn:uuid:3" })),
        Just(json!({ "reference": "Patient/p" })),
        Just(json!("9999-12-31")),
        Just(json!("permit")),
        "\\PC{0,12}".prop_map(Value::from),
    ]
}

#[test]
fn the_valid_bundle_is_taken_whole() {
    let (taken, skipped) = check("a.json", valid().into_bytes());
    // Left out are the organisation and the deletion. The observation names a patient who has no
    // name, but its encounter names one.
    assert_eq!((taken, skipped), (4, 2));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, max_shrink_iters: 512, ..ProptestConfig::default() })]

    #[test]
    fn bytes_may_change(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), lines in any::<bool>()) {
        let mut bytes = valid().into_bytes();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        check(if lines { "a.ndjson" } else { "a.json" }, bytes);
    }

    #[test]
    fn the_end_may_be_missing(at in any::<prop::sample::Index>()) {
        let mut bytes = valid().into_bytes();
        bytes.truncate(at.index(bytes.len()));
        let (taken, skipped) = check("a.json", bytes);
        prop_assert_eq!((taken, skipped), (0, 1));
    }

    #[test]
    fn values_may_be_others(edits in prop::collection::vec((0usize..200, any_value()), 1..6)) {
        let mut value: Value = serde_json::from_str(&valid()).unwrap();
        for (mut at, with) in edits {
            replace(&mut value, &mut at, &with);
        }
        check("a.json", value.to_string().into_bytes());
    }

    #[test]
    fn any_text_is_read(text in "\\PC{0,200}") {
        check("a.json", text.into_bytes());
    }
}
