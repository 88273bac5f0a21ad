#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::tests::miniature;
use super::Decision::{Deny, Permit, Silent};
use super::*;
use serde_json::json;

fn at(text: &str) -> i64 {
    moment(text).unwrap().first_ns
}

/// A doctor of another hospital reads an observation that f001 keeps and wrote, for treatment, in the
/// summer of 2016.
fn asks() -> Question<'static> {
    Question {
        at_ns: at("2016-06-23T17:10:00+10:00"),
        purpose: "TREAT",
        action: "access",
        recipients: &["Practitioner/f999", "Organization/f999"],
        custodian: "Organization/f001",
        authors: &["Practitioner/f001", "Organization/f001"],
        class: "Observation",
        codes: &["15074-8"],
        labels: &["N"],
        data: &["Observation/f001"],
        recorded_ns: Some(at("2014-06-01")),
    }
}

/// A use, what it is, and what the text of an example says of it.
type Use = (&'static str, Question<'static>, Decision);

/// The same, of what another hospital keeps.
fn elsewhere() -> Question<'static> {
    Question {
        custodian: "Organization/f002",
        ..asks()
    }
}

/// What the texts of those say that opt out.
fn opted_out(name: &str) -> Option<Vec<Use>> {
    let q = asks;
    let to = |recipients| Question { recipients, ..q() };
    Some(match name {
        "Emergency" => vec![
            ("not for treatment", q(), Deny),
            (
                "in an emergency",
                Question {
                    purpose: "ETREAT",
                    ..q()
                },
                Permit,
            ),
            (
                "in an emergency, elsewhere",
                Question {
                    purpose: "ETREAT",
                    ..elsewhere()
                },
                Deny,
            ),
        ],
        "grantor" => {
            let one: &[&str] = &["Patient/example"];
            vec![
                ("the one person", to(one), Permit),
                (
                    "who may read, not change",
                    Question {
                        action: "correct",
                        ..to(one)
                    },
                    Deny,
                ),
                ("nobody else", q(), Deny),
            ]
        }
        "Out" => vec![
            ("nothing of f001's", q(), Deny),
            ("of others it does not speak", elsewhere(), Silent),
        ],
        "pkb" => {
            let f001: &[&str] = &["Practitioner/f002", "Organization/f001"];
            let labelled = |labels| Question { labels, ..to(f001) };
            vec![
                ("general health to f001", to(f001), Permit),
                ("not mental health", labelled(&["N", "PSY"]), Deny),
                ("to nobody else", q(), Deny),
            ]
        }
        _ => return None,
    })
}

/// What the texts of those say that opt in.
fn opted_in(name: &str) -> Option<Vec<Use>> {
    let q = asks;
    let to = |recipients| Question { recipients, ..q() };
    Some(match name {
        "basic" => vec![
            ("all that was collected, for treatment", q(), Permit),
            (
                "what was collected later",
                Question {
                    recorded_ns: Some(at("2016-02-01")),
                    ..q()
                },
                Silent,
            ),
        ],
        "notAuthor" => vec![
            ("nothing of f001's", q(), Deny),
            ("what others keep", elsewhere(), Permit),
        ],
        "notOrg" => vec![
            (
                "not to f001",
                to(&["Practitioner/f002", "Organization/f001"]),
                Deny,
            ),
            ("to others", q(), Permit),
        ],
        "notThem" => vec![
            (
                "not to the nurse",
                to(&["Practitioner/f204", "Organization/f001"]),
                Deny,
            ),
            (
                "to a colleague",
                to(&["Practitioner/f002", "Organization/f001"]),
                Permit,
            ),
        ],
        "notThis" => vec![
            (
                "not what is related to the order",
                Question {
                    data: &["Observation/f002", "Task/example3"],
                    ..q()
                },
                Deny,
            ),
            ("other results", q(), Permit),
        ],
        "notTime" => vec![
            (
                "nothing from those weeks",
                Question {
                    recorded_ns: Some(at("2015-01-15")),
                    ..q()
                },
                Deny,
            ),
            ("what is older", q(), Permit),
        ],
        "signature" => {
            let doctor = Question {
                authors: &["Practitioner/xcda-author"],
                class: "application/hl7-cda+xml",
                codes: &["34133-9"],
                ..to(&["Practitioner/13"])
            };
            vec![
                ("those documents of that author", doctor.clone(), Permit),
                (
                    "no other documents",
                    Question {
                        codes: &["15074-8"],
                        ..doctor.clone()
                    },
                    Deny,
                ),
                (
                    "to nobody else",
                    Question {
                        recipients: q().recipients,
                        ..doctor.clone()
                    },
                    Deny,
                ),
                (
                    "not after the year",
                    Question {
                        at_ns: at("2016-10-12"),
                        ..doctor
                    },
                    Deny,
                ),
            ]
        }
        "smartonfhir" => {
            let prescription = |at_ns| Question {
                class: "MedicationRequest",
                at_ns,
                ..q()
            };
            let ends = at("2016-06-23T17:32:33+10:00");
            vec![
                ("prescriptions", prescription(q().at_ns), Permit),
                ("nothing else", q(), Deny),
                (
                    "until the half hour is over",
                    prescription(ends - 1),
                    Permit,
                ),
                ("and no longer", prescription(ends + 1_000_000_000), Deny),
            ]
        }
        _ => return None,
    })
}

/// What the text of an example says, use by use.
fn told(name: &str) -> Vec<Use> {
    opted_out(name).or_else(|| opted_in(name)).expect(name)
}

const EXAMPLES: [&str; 12] = [
    "basic",
    "Emergency",
    "grantor",
    "notAuthor",
    "notOrg",
    "notThem",
    "notThis",
    "notTime",
    "Out",
    "pkb",
    "signature",
    "smartonfhir",
];

fn compare(name: &str, consent: &Value) {
    for (what, question, decision) in told(name) {
        let decided = decide(consent, &question);
        assert_eq!(decided, Ok(decision), "{name}: {what}");
    }
}

#[test]
#[ignore = "needs CONSIM_DATA"]
fn each_example_of_the_standard_decides_what_its_text_says() {
    let data = std::env::var("CONSIM_DATA").expect("CONSIM_DATA");
    for name in EXAMPLES {
        let file = format!("{data}/fhir-r4-examples/Consent-consent-example-{name}.json");
        let text = std::fs::read_to_string(&file).expect(&file);
        compare(name, &serde_json::from_str(&text).unwrap());
    }
}

/// The same rules in the project's own words: two of the examples are alike but for their text.
#[test]
fn small_files_of_the_same_form_decide_alike() {
    for name in EXAMPLES {
        let mut consent = miniature(name);
        let text = match name {
            "basic" => "<div>All that was collected is available for treatment.</div>",
            "notTime" => "<div>Withhold what is from these weeks.</div>",
            _ => "<div>Some rules.</div>",
        };
        consent["text"] = json!({ "div": text });
        let provision = &mut consent["provision"];
        match name {
            "basic" => provision["period"]["end"] = json!("2016-01-01"),
            "grantor" => {
                provision["action"] = json!([{ "coding": [{ "code": "access" }] }]);
                provision["actor"][1]["reference"]["reference"] = json!("Patient/example");
            }
            "notThis" => provision["data"][0]["reference"]["reference"] = json!("Task/example3"),
            "signature" => {
                let code = json!([{ "coding": [{ "code": "34133-9" }] }]);
                provision["provision"][0]["code"] = code;
            }
            "smartonfhir" => {
                let half_hour = ["2016-06-23T17:02:33+10:00", "2016-06-23T17:32:33+10:00"];
                provision["period"] = json!({ "start": half_hour[0], "end": half_hour[1] });
            }
            _ => {}
        }
        compare(name, &consent);
    }
}

#[test]
fn what_is_not_in_force_or_about_something_else_says_nothing() {
    let consent = miniature("Out");
    for (path, value) in [
        ("status", json!("draft")),
        ("scope", json!({ "coding": [{ "code": "research" }] })),
    ] {
        let mut consent = consent.clone();
        consent[path] = value;
        assert_eq!(decide(&consent, &asks()), Ok(Decision::Silent), "{path}");
    }
    let mut broken = consent.clone();
    broken["provision"]["type"] = json!("maybe");
    let told = decide(&broken, &asks()).unwrap_err();
    assert_eq!(told, ".provision.type: neither permit nor deny");
}

#[test]
fn a_period_alone_without_words_is_withheld() {
    let mut consent = miniature("basic");
    consent["text"] = json!({ "div": "<div>Rules.</div>" });
    assert_eq!(decide(&consent, &asks()), Ok(Decision::Deny));
}
