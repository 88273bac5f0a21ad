//! Files and bundles: what is taken, what is left out, and the bytes of a record.

use super::super::document::Reader;
use super::super::json::compact;
use super::*;
use serde_json::{Value, json};

/// An observation of Patient/p.
fn observation(id: &str) -> Value {
    json!({ "resourceType": "Observation", "id": id, "subject": { "reference": "Patient/p" } })
}

fn ids(gathered: &Gathered) -> Vec<&str> {
    let visits = gathered.set.visits.iter();
    visits
        .flat_map(|visit| visit.resources.iter().map(|one| &*one.id))
        .collect()
}

fn bundle(kind: &str, entries: &Value) -> String {
    json!({ "resourceType": "Bundle", "type": kind, "entry": entries }).to_string()
}

#[test]
fn bundles_of_every_type_are_opened() {
    for kind in [
        "transaction",
        "collection",
        "searchset",
        "batch",
        "history",
        "document",
        "message",
        "batch-response",
        "something",
    ] {
        let entries = json!([{ "resource": observation("1") }, { "resource": observation("2") }]);
        let gathered = gather(&[("b.json", &bundle(kind, &entries))]);
        let mut found = ids(&gathered);
        found.sort_unstable();
        assert_eq!(found, ["1", "2"], "{kind}");
        assert_eq!((gathered.taken, gathered.skipped), (2, 0));
    }
    let within = json!({ "resourceType": "Bundle", "entry": [{ "resource": observation("1") }] });
    let gathered = gather(&[(
        "b.json",
        &bundle("batch-response", &json!([{ "resource": within }])),
    )]);
    assert_eq!(ids(&gathered), ["1"]);
    let mut deep = observation("1");
    for _ in 0..5 {
        deep = json!({ "resourceType": "Bundle", "entry": [{ "resource": deep }] });
    }
    let gathered = gather(&[("b.json", &deep.to_string())]);
    assert!(ids(&gathered).is_empty());
    assert!(gathered.notes[0].ends_with("a bundle within too many bundles"));
    let empty = json!({ "resourceType": "Bundle", "type": "searchset", "total": 0 });
    let gathered = gather(&[("b.json", &empty.to_string())]);
    assert_eq!((gathered.taken, gathered.skipped), (0, 0));
}

#[test]
fn a_broken_part_is_told_with_its_path_and_spoils_no_other() {
    let odd = |change: Value| {
        let mut odd = observation("odd");
        for (key, value) in change.as_object().unwrap() {
            odd[key] = value.clone();
        }
        json!({ "resource": odd })
    };
    let entries = json!([
        { "resource": observation("1") },
        { "fullUrl": "urn:uuid:1", "response": { "status": "200" } },
        7,
        { "resource": [] },
        { "resource": {} },
        { "resource": { "resourceType": 3 } },
        { "resource": { "resourceType": "Observaton" } },
        odd(json!({ "subject": "Patient/p" })),
        odd(json!({ "subject": { "reference": 5 } })),
        odd(json!({ "encounter": [{ "reference": "Encounter/1" }, 2] })),
        odd(json!({ "id": 12 })),
        odd(json!({ "meta": { "versionId": 1 } })),
        { "resource": { "resourceType": "Bundle", "entry": {} } },
        { "resource": null },
        { "resource": observation("2") },
    ]);
    let gathered = gather(&[("b.json", &bundle("collection", &entries))]);
    assert_eq!(ids(&gathered), ["1", "2"]);
    assert_eq!((gathered.taken, gathered.skipped), (2, 13));
    assert_eq!(
        gathered.notes,
        [
            "b.json: $.entry[1]: no resource (2 times in this file)",
            "b.json: $.entry[2]: not an object",
            "b.json: $.entry[3].resource: not an object",
            "b.json: $.entry[4].resource: no resourceType: this is not FHIR",
            "b.json: $.entry[5].resource.resourceType: not text",
            "b.json: $.entry[6].resource.resourceType: `Observaton` is no resource of FHIR R4",
            "b.json: $.entry[7].resource.subject: not an object",
            "b.json: $.entry[8].resource.subject.reference: not text",
            "b.json: $.entry[9].resource.encounter[1]: not an object",
            "b.json: $.entry[10].resource.id: not text",
            "b.json: $.entry[11].resource.meta.versionId: not text",
            "b.json: $.entry[12].resource.entry: not a list",
        ]
    );
}

#[test]
fn files_that_are_not_fhir_are_told_and_the_rest_is_read() {
    let deep = "[".repeat(200) + &"]".repeat(200);
    let deep = format!("{{\"resourceType\":\"Observation\",\"id\":{deep}}}");
    let good = observation("1").to_string();
    let with_mark = format!("\u{feff}{good}");
    let files: [(&str, &str); 9] = [
        ("a.json", "not json at all"),
        ("b.json", ""),
        ("c.json", "{\"resourceType\":\"Observation\","),
        ("d.json", "[1, 2]"),
        ("e.json", "{\"name\": \"package\"}"),
        ("f.json", &deep),
        (
            "g.json",
            "{\"resourceType\":\"Observation\",\"valueDecimal\":1e999}",
        ),
        (
            "h.json",
            "{\"resourceType\":\"Observation\",\"id\":\"\\ud800\"}",
        ),
        ("i.json", &with_mark),
    ];
    let gathered = gather(&files);
    assert_eq!(ids(&gathered), ["1"]);
    assert_eq!((gathered.taken, gathered.skipped), (1, 8));
    for (note, (file, reason)) in gathered.notes.iter().zip([
        ("a.json: ", "not JSON: expected"),
        ("b.json: ", "not JSON: EOF"),
        ("c.json: ", "not JSON: EOF"),
        ("d.json: $: ", "not an object"),
        ("e.json: $: ", "no resourceType"),
        ("f.json: $: ", "cannot be read: recursion limit"),
        ("g.json: $: ", "cannot be read: number out of range"),
        ("h.json: $: ", "cannot be read: "),
    ]) {
        assert!(note.starts_with(&format!("{file}{reason}")), "{note}");
    }
}

#[test]
fn text_that_is_not_utf8_is_told_with_the_byte() {
    let limits = Limits::default();
    let mut reader = Reader::new(&limits, Notes::default());
    reader.file(&Arc::from("a.json"), Ok(b"{\"id\": \"\xff\"}".to_vec()));
    reader.file(&Arc::from("b.json"), Err("longer than 3 bytes".to_owned()));
    let (resources, notes) = reader.finish();
    assert!(resources.is_empty());
    assert_eq!(
        notes.lines(9),
        ["a.json: not UTF-8 at byte 8", "b.json: longer than 3 bytes"]
    );
}

#[test]
fn one_resource_a_line() {
    let lines = format!(
        "{}\n\n  \n{{broken\n{}\r\n{}",
        observation("1"),
        observation("2"),
        bundle("collection", &json!([{}, { "resource": observation("3") }])),
    );
    let gathered = gather(&[("a.ndjson", &lines)]);
    assert_eq!(ids(&gathered), ["1", "2", "3"]);
    assert_eq!(gathered.skipped, 2);
    assert!(
        gathered.notes[0].starts_with("a.ndjson:4: not JSON: "),
        "{:?}",
        gathered.notes
    );
    assert_eq!(gathered.notes[1], "a.ndjson:6: $.entry[0]: no resource");
    // The same text is one broken document if it is not one a line.
    assert_eq!(gather(&[("a.json", &lines)]).taken, 0);
}

#[test]
fn a_body_is_the_resource_as_it_came_without_white_space() {
    let text = r#"
    { "resourceType" : "Observation", "id":"1",
      "zeta": [ 1.0, 1.00, 1e2, -0.0, 1E+2, 12345678901234567890.123456789 ],
      "alpha" : "a  b\"\\ \u00e9\n{ }",	"subject": {"reference" : "Patient/p"} , "empty" : { } }
    "#;
    let expected = concat!(
        r#"{"resourceType":"Observation","id":"1","zeta":[1.0,1.00,1e2,-0.0,1E+2,"#,
        r#"12345678901234567890.123456789],"alpha":"a  b\"\\ \u00e9\n{ }","#,
        r#""subject":{"reference":"Patient/p"},"empty":{}}"#
    );
    let gathered = gather(&[("a.json", text)]);
    let resource = &gathered.set.visits[0].resources[0];
    assert_eq!(std::str::from_utf8(&resource.body).unwrap(), expected);
    assert_eq!((&*resource.kind, &*resource.id), ("Observation", "1"));
    // The same from within a bundle.
    let bundled = format!(r#"{{"resourceType":"Bundle","entry":[{{"resource":{text}}}]}}"#);
    let gathered = gather(&[("a.json", &bundled)]);
    assert_eq!(
        &*gathered.set.visits[0].resources[0].body,
        expected.as_bytes()
    );
}

#[test]
fn compacting_changes_nothing_but_white_space() {
    for text in [
        r#"{"a\\":" \" ","b":[ ]}"#,
        r#"  "\\" "#,
        "[1 , 2\n]",
        r#"{ "x" : "\\\" }" }"#,
    ] {
        let squeezed = String::from_utf8(compact(text)).unwrap();
        let (before, after): (Value, Value) = (
            serde_json::from_str(text).unwrap(),
            serde_json::from_str(&squeezed).unwrap(),
        );
        assert_eq!(before, after, "{text}");
        assert_eq!(squeezed, before.to_string(), "{text}");
    }
}

#[test]
fn copies_are_left_out_and_versions_are_records() {
    let mut second = observation("1");
    second["status"] = json!("amended");
    let (first, second) = (observation("1").to_string(), second.to_string());
    let gathered = gather(&[
        ("a.json", &first),
        ("b.json", &first),
        ("c.json", &second),
        ("d.json", &first),
    ]);
    assert_eq!(ids(&gathered), ["1", "1"]);
    assert_eq!((gathered.taken, gathered.skipped), (2, 2));
    assert_eq!(
        gathered.notes,
        ["b.json: $: a copy of a resource that was read before (2 times in all)"]
    );
    // Without an id nobody knows.
    let bare = json!({ "resourceType": "Observation", "subject": { "reference": "Patient/p" } });
    let gathered = gather(&[("a.json", &bare.to_string()), ("b.json", &bare.to_string())]);
    assert_eq!(ids(&gathered), ["a.json: $", "b.json: $"]);
}

#[test]
fn resources_are_bounded() {
    let limits = Limits {
        resources: 2,
        ..Limits::default()
    };
    let mut reader = Reader::new(&limits, Notes::default());
    for i in 0..5 {
        let text = observation(&i.to_string()).to_string();
        reader.file(&Arc::from(format!("{i}.json")), Ok(text.into_bytes()));
    }
    let (resources, notes) = reader.finish();
    assert_eq!(resources.len(), 2);
    assert_eq!(
        notes.lines(9),
        ["2.json: $: more than 2 resources (3 times in all)"]
    );
    let mut long = observation("1");
    long["valueString"] = json!("x".repeat(consim_models::sharing::message::MAX_BODY));
    let gathered = gather(&[("a.json", &long.to_string())]);
    assert_eq!((gathered.taken, gathered.skipped), (0, 1));
    assert_eq!(
        gathered.notes,
        ["a.json: $: a record of more than 16777216 bytes"]
    );
}

#[test]
fn a_folder_without_anything_to_replay_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let error = |files: usize, skipped: u64| match read(dir.path(), &Limits::default()) {
        Err(SourceError::Empty {
            files: f,
            skipped: s,
            notes,
            ..
        }) => {
            assert_eq!((f, s), (files, skipped));
            notes
        }
        other => panic!("{other:?}"),
    };
    assert!(error(0, 0).is_empty());
    std::fs::write(dir.path().join("a.json"), "{}").unwrap();
    assert_eq!(
        error(1, 1),
        ["a.json: $: no resourceType: this is not FHIR"]
    );
    let patient = json!({ "resourceType": "Patient", "id": "p" });
    std::fs::write(dir.path().join("b.json"), patient.to_string()).unwrap();
    assert_eq!(error(2, 1).len(), 1);
    std::fs::write(dir.path().join("c.json"), observation("1").to_string()).unwrap();
    let source = read(dir.path(), &Limits::default()).unwrap();
    assert_eq!((source.taken, source.skipped), (2, 1));
    assert_eq!(source.digest.len(), 64);
}
