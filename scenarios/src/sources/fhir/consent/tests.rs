#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::tests::{Gathered, gather};
use super::rules::MAX_RULES;
use serde_json::{Value, json};

/// Permit or deny, to whom.
type Said = (bool, Option<&'static str>);

const DAY: i64 = 86_400_000_000_000;
const YES: Said = (true, None);
const NO: Said = (false, None);

/// What the twelve examples of the standard come to, each by itself.
const EXAMPLES: [(&str, &[Said]); 12] = [
    ("basic", &[]),
    ("Emergency", &[NO]),
    ("grantor", &[NO]),
    ("notAuthor", &[NO]),
    ("notOrg", &[YES, (false, Some("f001"))]),
    ("notThem", &[NO]),
    ("notThis", &[NO]),
    ("notTime", &[]),
    ("Out", &[NO]),
    ("pkb", &[NO, (false, Some("f001"))]),
    ("signature", &[NO]),
    ("smartonfhir", &[NO]),
];

fn said(gathered: &Gathered) -> Vec<(bool, Option<String>)> {
    let words = gathered.set.consents.iter();
    words
        .map(|word| {
            (
                word.permit,
                word.organisation.as_ref().map(ToString::to_string),
            )
        })
        .collect()
}

fn same(words: &[Said]) -> Vec<(bool, Option<String>)> {
    let words = words.iter();
    words
        .map(|(permit, to)| (*permit, to.map(str::to_owned)))
        .collect()
}

fn concept(code: &str) -> Value {
    json!({ "coding": [{ "code": code }] })
}

fn actor(role: &str, who: &str) -> Value {
    json!({ "role": concept(role), "reference": { "reference": who } })
}

/// An active Consent of Patient/p about privacy.
fn consent(policy: &str, provision: &Value) -> Value {
    json!({
        "resourceType": "Consent",
        "id": "c",
        "status": "active",
        "scope": concept("patient-privacy"),
        "category": [concept("59284-0")],
        "patient": { "reference": "Patient/p" },
        "dateTime": "2015-11-18",
        "organization": [{ "reference": "Organization/f001" }],
        "policyRule": concept(policy),
        "provision": provision,
    })
}

fn heard_of(consent: &Value) -> Gathered {
    gather(&[("c.json", &consent.to_string())])
}

/// The standard's example of this name, with nothing but what its rules consist of.
pub(super) fn miniature(name: &str) -> Value {
    let access = json!([concept("access"), concept("correct")]);
    let custodian = json!([actor("CST", "Organization/f001")]);
    let psychiatry = json!({
        "actor": [actor("PRCP", "Organization/f001")],
        "action": [concept("access")],
        "securityLabel": [{ "code": "PSY" }],
    });
    let (policy, provision) = match name {
        "basic" => (
            "OPTIN",
            json!({ "period": { "start": "1964-01-01", "end": "2015-01-01" } }),
        ),
        "Emergency" => (
            "OPTOUT",
            json!({
                "actor": custodian,
                "purpose": [{ "code": "ETREAT" }],
                "provision": [{ "type": "deny", "actor": custodian }],
            }),
        ),
        "grantor" => (
            "OPTOUT",
            json!({ "actor": [actor("CST", "Organization/f001"), actor("PRCP", "Patient/q")] }),
        ),
        "notAuthor" => ("OPTIN", json!({ "actor": custodian })),
        "notOrg" => (
            "OPTIN",
            json!({
                "type": "deny",
                "actor": [actor("PRCP", "Organization/f001")],
                "action": access,
            }),
        ),
        "notThem" => (
            "OPTIN",
            json!({ "actor": [actor("PRCP", "Practitioner/f204")], "action": access }),
        ),
        "notThis" => (
            "OPTIN",
            json!({ "data": [{ "meaning": "related", "reference": { "reference": "Task/1" } }] }),
        ),
        "notTime" => (
            "OPTIN",
            json!({ "period": { "start": "2015-01-01", "end": "2015-02-01" } }),
        ),
        "Out" => ("OPTOUT", json!({ "actor": custodian })),
        "pkb" => (
            "OPTOUT",
            json!({
                "actor": [actor("PRCP", "Organization/f001")],
                "securityLabel": [{ "code": "N" }],
                "provision": [psychiatry, psychiatry],
            }),
        ),
        "signature" => (
            "OPTIN",
            json!({
                "period": { "start": "2015-10-10", "end": "2016-10-10" },
                "actor": [actor("PRCP", "Practitioner/13")],
                "provision": [{
                    "type": "permit",
                    "actor": [actor("AUT", "Practitioner/xcda-author")],
                    "class": [{ "code": "application/hl7-cda+xml" }],
                }],
            }),
        ),
        "smartonfhir" => (
            "OPTIN",
            json!({
                "period": { "start": "2015-11-18T17:02:33+10:00", "end": "2015-11-18T17:32:33+10:00" },
                "provision": [{
                    "type": "permit",
                    "action": [concept("access")],
                    "class": [{ "code": "MedicationRequest" }],
                }],
            }),
        ),
        other => panic!("no example {other}"),
    };
    consent(policy, &provision)
}

#[test]
fn the_examples_of_the_standard_in_miniature() {
    for (name, expected) in EXAMPLES {
        assert_eq!(said(&heard_of(&miniature(name))), same(expected), "{name}");
    }
}

#[test]
#[ignore = "needs CONSIM_DATA"]
fn the_examples_of_the_standard() {
    let data = std::env::var("CONSIM_DATA").expect("CONSIM_DATA");
    for (name, expected) in EXAMPLES {
        let file = format!("Consent-consent-example-{name}.json");
        let path = std::path::Path::new(&data)
            .join("fhir-r4-examples")
            .join(&file);
        let text = std::fs::read_to_string(path).unwrap();
        let gathered = gather(&[(&file, &text)]);
        assert_eq!(said(&gathered), same(expected), "{name}");
        // Nothing passes in silence: all but the plain ones (a denial to everybody, a denial to an
        // organisation) are told.
        let plain = ["Out", "grantor", "notOrg"].contains(&name);
        assert_eq!(
            gathered.notes.is_empty(),
            plain,
            "{name}: {:?}",
            gathered.notes
        );
    }
}

#[test]
fn permissions_and_denials_that_the_model_knows() {
    let one = |kind: &str, who: &str| json!({ "type": kind, "actor": [actor("PRCP", who)] });
    let (a, b) = ("Organization/a", "Organization/b");
    let cases: [(&str, Value, &[Said]); 9] = [
        ("OPTIN", json!({}), &[YES]),
        ("OPTOUT", json!({}), &[NO]),
        (
            "OPTOUTE",
            json!({ "provision": [one("permit", a)] }),
            &[(true, Some("a")), NO],
        ),
        (
            "OPTIN",
            json!({ "provision": [one("deny", a)] }),
            &[YES, (false, Some("a"))],
        ),
        (
            "OPTOUT",
            json!({ "provision": [one("permit", a), one("permit", b)] }),
            &[(true, Some("a")), (true, Some("b")), NO],
        ),
        // A root rule may state its type though the standard forbids it: then there is no doubt.
        ("OPTIN", one("permit", a), &[(true, Some("a"))]),
        ("OPTOUT", one("permit", a), &[(true, Some("a")), NO]),
        ("hipaa-auth", one("permit", a), &[(true, Some("a"))]),
        ("hipaa-auth", one("deny", a), &[(false, Some("a"))]),
    ];
    for (policy, provision, expected) in cases {
        let gathered = heard_of(&consent(policy, &provision));
        assert_eq!(said(&gathered), same(expected), "{policy} {provision}");
        assert!(
            gathered.notes.is_empty(),
            "{policy} {provision}: {:?}",
            gathered.notes
        );
    }
    // Without a type nobody knows whether a is meant to read or all but a.
    let untyped = json!({ "actor": [actor("PRCP", "Organization/a")] });
    assert_eq!(said(&heard_of(&consent("OPTIN", &untyped))), same(&[NO]));
    let mut bare = consent("OPTIN", &json!(null));
    assert_eq!(said(&heard_of(&bare)), same(&[YES]));
    bare["policyRule"] = concept("OPTOUT");
    assert_eq!(said(&heard_of(&bare)), same(&[NO]));
}

#[test]
fn a_permission_of_a_part_permits_nothing_and_says_where() {
    let base = json!({ "type": "permit", "actor": [actor("PRCP", "Organization/a")] });
    for (name, value) in [
        ("class", json!([{ "code": "MedicationRequest" }])),
        ("code", json!([concept("1")])),
        (
            "data",
            json!([{ "meaning": "instance", "reference": { "reference": "Task/1" } }]),
        ),
        ("dataPeriod", json!({ "start": "2015" })),
        ("securityLabel", json!([{ "code": "N" }])),
        ("purpose", json!([{ "code": "HRESCH" }])),
        ("action", json!([concept("collect")])),
        (
            "modifierExtension",
            json!([{ "url": "http://example.org/not" }]),
        ),
    ] {
        let mut provision = base.clone();
        provision[name] = value;
        let nested = json!({ "provision": [provision] });
        let expected = format!(
            "c.json: $.provision.provision[0].{name}: narrower than this model ({name}): permits nothing"
        );
        // Under a yes the rest of the world is not spoken of, and a alone is refused.
        let gathered = heard_of(&consent("OPTIN", &nested));
        assert_eq!(said(&gathered), same(&[(false, Some("a"))]), "{name}");
        assert_eq!(gathered.notes[0], expected);
        // Under a no nothing changes.
        let gathered = heard_of(&consent("OPTOUT", &nested));
        assert_eq!(said(&gathered), same(&[NO, (false, Some("a"))]), "{name}");
        // What limits the rule around it limits it too.
        let mut around = json!({ "type": "permit", "provision": [base] });
        around[name] = provision_of(&nested)[name].clone();
        let gathered = heard_of(&consent("OPTIN", &around));
        assert_eq!(
            said(&gathered),
            same(&[(false, Some("a"))]),
            "around: {name}"
        );
    }
    // For treatment among others, and for reading among others, is no limit.
    let mut whole = base.clone();
    whole["purpose"] = json!([{ "code": "TREAT" }, { "code": "HRESCH" }]);
    whole["action"] = json!([concept("collect"), concept("access")]);
    let gathered = heard_of(&consent("OPTIN", &json!({ "provision": [whole] })));
    assert_eq!(said(&gathered), same(&[(true, Some("a"))]));
    // In an emergency only.
    let mut emergency = consent("OPTIN", &json!({}));
    emergency["category"] = json!([concept("EMRGONLY")]);
    let gathered = heard_of(&emergency);
    assert_eq!(said(&gathered), same(&[NO]));
    assert_eq!(
        gathered.notes[0],
        "c.json: $.category: narrower than this model (category): permits nothing"
    );
    // With restrictions that are nowhere written.
    let restricted = consent("OPTINR", &json!(null));
    assert_eq!(said(&heard_of(&restricted)), same(&[NO]));
}

fn provision_of(nested: &Value) -> &Value {
    &nested["provision"][0]
}

#[test]
fn a_denial_of_a_part_denies_the_whole() {
    let limited =
        json!({ "provision": [{ "type": "deny", "class": [{ "code": "Observation" }] }] });
    let gathered = heard_of(&consent("OPTIN", &limited));
    assert_eq!(said(&gathered), same(&[NO]));
    assert_eq!(
        gathered.notes,
        [
            "c.json: $.provision.provision[0].class: narrower than this model (class): denied as a whole"
        ]
    );
    // To a person: to everybody, since the model knows no persons.
    let person = json!({ "provision": [
        { "type": "deny", "actor": [actor("PRCP", "Practitioner/1")] },
        { "type": "permit", "actor": [actor("PRCP", "Organization/a")] },
    ] });
    assert_eq!(said(&heard_of(&consent("OPTIN", &person))), same(&[NO]));
    // For research only: the model's reads are for treatment.
    let research = json!({ "provision": [{ "type": "deny", "purpose": [{ "code": "HRESCH" }] }] });
    assert_eq!(said(&heard_of(&consent("OPTIN", &research))), same(&[YES]));
    let care = json!({ "provision": [
        { "type": "deny", "purpose": [{ "code": "HRESCH" }, { "code": "CAREMGT" }] }
    ] });
    assert_eq!(said(&heard_of(&consent("OPTIN", &care))), same(&[NO]));
}

#[test]
fn a_denial_holds_except_where_a_permission_stands_inside_it() {
    let inside = json!({ "provision": [{
        "type": "deny",
        "actor": [actor("PRCP", "Organization/a")],
        "provision": [{ "type": "permit", "period": { "end": "2020-12-31" } }],
    }] });
    let gathered = heard_of(&consent("OPTIN", &inside));
    assert_eq!(said(&gathered), same(&[YES, (true, Some("a"))]));
    // Beside it, whatever the order, the denial holds.
    let deny = json!({ "type": "deny", "actor": [actor("PRCP", "Organization/a")] });
    let permit = json!({ "type": "permit", "actor": [actor("PRCP", "Organization/a")] });
    for both in [[&deny, &permit], [&permit, &deny]] {
        let beside = json!({ "provision": both });
        let gathered = heard_of(&consent("OPTOUT", &beside));
        assert_eq!(said(&gathered), same(&[NO, (false, Some("a"))]));
    }
    // A permission to somebody whom the rule around it does not name permits nothing.
    let other = json!({
        "type": "permit",
        "actor": [actor("PRCP", "Organization/a")],
        "provision": [{ "type": "permit", "actor": [actor("PRCP", "Organization/b")] }],
    });
    assert_eq!(
        said(&heard_of(&consent("OPTIN", &other))),
        same(&[(false, Some("b"))])
    );
}

#[test]
fn periods_hold_from_when_they_were_given() {
    let period = |start: &str, end: &str| {
        let provision = json!({ "period": { "start": start, "end": end } });
        let gathered = heard_of(&consent("OPTIN", &provision));
        let word = gathered.set.consents.first().cloned();
        word.map(|word| (word.permit, word.period.map(|(from, to)| (to - from) / DAY)))
    };
    // Given on 2015-11-18: the past of a period is over, and its last day belongs to it.
    assert_eq!(period("2015-01-01", "2015-11-18"), Some((true, Some(1))));
    assert_eq!(period("2015-01-01", "2015-11-20"), Some((true, Some(3))));
    assert_eq!(period("2015-12-01", "2015-12-31"), Some((true, Some(31))));
    assert_eq!(period("2015-01-01", "9999-12-31"), Some((true, None)));
    assert_eq!(period("2015-01-01", "2015-11-17"), None);
    // The shorter of two counts.
    let nested = json!({
        "period": { "start": "2015-01-01", "end": "2015-11-30" },
        "provision": [{ "type": "permit", "period": { "start": "2015-11-20", "end": "2015-12-31" } }],
    });
    let gathered = heard_of(&consent("OPTIN", &nested));
    let (from, to) = gathered.set.consents[0].period.unwrap();
    assert_eq!((to - from) / DAY, 11);
    assert_eq!(
        gathered.set.consents[0].at_ns, from,
        "it begins when it begins to hold"
    );
    // A no with a period is a no for good.
    let denial =
        json!({ "type": "deny", "period": { "start": "2015-01-01", "end": "2015-02-01" } });
    let gathered = heard_of(&consent("", &denial));
    assert_eq!(said(&gathered), same(&[NO]));
    // Without a date nobody knows how much of a period is left.
    let mut undated = consent("OPTIN", &json!({ "period": { "end": "2030-01-01" } }));
    undated.as_object_mut().unwrap().remove("dateTime");
    assert_eq!(said(&heard_of(&undated)), same(&[NO]));
}

#[test]
fn departments_stand_for_their_hospital_and_groups_for_their_members() {
    let organisations = json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        { "resource": { "resourceType": "Organization", "id": "group", "name": "Group" } },
        { "resource": { "resourceType": "Organization", "id": "a",
            "partOf": { "reference": "Organization/group" } } },
        { "resource": { "resourceType": "Organization", "id": "ward", "type": [concept("dept")],
            "partOf": { "reference": "Organization/clinic" } } },
        { "resource": { "resourceType": "Organization", "id": "clinic", "type": [concept("dept")],
            "partOf": { "reference": "Organization/a" } } },
        { "resource": { "resourceType": "PractitionerRole", "id": "role",
            "organization": { "reference": "Organization/ward" } } },
    ] })
    .to_string();
    let told = |kind: &str, who: Value| {
        let recipient = json!({ "role": concept("PRCP"), "reference": who });
        let provision = json!({ "provision": [{ "type": kind, "actor": [recipient] }] });
        let policy = if kind == "deny" { "OPTIN" } else { "OPTOUT" };
        let text = consent(policy, &provision).to_string();
        said(&gather(&[("c.json", &text), ("o.json", &organisations)]))
    };
    let refer = |to: &str| json!({ "reference": to });
    let deny_a = same(&[YES, (false, Some("a"))]);
    assert_eq!(told("deny", refer("Organization/a")), deny_a);
    assert_eq!(told("deny", refer("Organization/ward")), deny_a);
    assert_eq!(told("deny", refer("PractitionerRole/role")), deny_a);
    let group = same(&[YES, (false, Some("a")), (false, Some("group"))]);
    assert_eq!(told("deny", refer("Organization/group")), group);
    assert_eq!(told("deny", json!({ "display": "Group" })), group);
    // A yes to a part is not one to the whole, and one to the whole is not one to its members.
    assert_eq!(
        told("permit", refer("Organization/a")),
        same(&[(true, Some("a")), NO])
    );
    assert_eq!(
        told("permit", refer("Organization/ward")),
        same(&[NO, (false, Some("a"))])
    );
    assert_eq!(
        told("permit", refer("PractitionerRole/role")),
        same(&[NO, (false, Some("a"))])
    );
    assert_eq!(
        told("permit", refer("Organization/group")),
        same(&[(true, Some("group")), NO])
    );
    // A name that is no organisation's is nobody that the model knows.
    assert_eq!(told("permit", json!({ "display": "Dr Wang" })), same(&[NO]));
    assert_eq!(told("deny", json!({ "display": "Dr Wang" })), same(&[NO]));
}

fn with(mut consent: Value, changes: &[(&str, Value)]) -> Value {
    for (name, value) in changes {
        consent[*name] = value.clone();
    }
    consent
}

/// What several Consents come to.
fn together(consents: &[Value]) -> Vec<(bool, Option<String>)> {
    let entries: Vec<Value> = consents
        .iter()
        .map(|one| json!({ "resource": one }))
        .collect();
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": entries });
    said(&heard_of(&bundle))
}

#[test]
fn the_last_word_holds_and_on_one_day_the_no() {
    let on = |id: &str, policy: &str, date: &str, provision: Value| {
        let consent = consent(policy, &provision);
        with(consent, &[("id", json!(id)), ("dateTime", json!(date))])
    };
    let permit_a =
        json!({ "provision": [{ "type": "permit", "actor": [actor("PRCP", "Organization/a")] }] });
    let none = || json!({});
    // Later than the yes, whatever the order of the files.
    assert_eq!(
        together(&[
            on("y", "OPTOUT", "2016-01-01", none()),
            on("x", "OPTIN", "2015-01-01", none())
        ]),
        same(&[YES, NO])
    );
    assert_eq!(
        together(&[
            on("x", "OPTOUT", "2015-01-01", none()),
            on("y", "OPTIN", "2015-01-01", none())
        ]),
        same(&[YES, NO])
    );
    // A later no to everybody takes back what an earlier Consent permits to one: the model lets the
    // word to one go before the word to everybody.
    assert_eq!(
        together(&[
            on("x", "", "2015-01-01", provision_of(&permit_a).clone()),
            on("y", "OPTOUT", "2016-01-01", none()),
        ]),
        same(&[(true, Some("a")), (false, Some("a")), NO])
    );
    // Its own exceptions it does not take back, nor what is permitted after it.
    assert_eq!(
        together(&[on("x", "OPTOUT", "2016-01-01", permit_a.clone())]),
        same(&[(true, Some("a")), NO])
    );
    assert_eq!(
        together(&[
            on("x", "OPTOUT", "2015-01-01", none()),
            on("y", "", "2016-01-01", provision_of(&permit_a).clone()),
        ]),
        same(&[NO, (true, Some("a"))])
    );
    // A third one that says no takes back the exception of the first.
    assert_eq!(
        together(&[
            on("x", "OPTOUT", "2015-01-01", permit_a.clone()),
            on("y", "OPTOUT", "2016-01-01", none()),
        ]),
        same(&[(true, Some("a")), NO, (false, Some("a")), NO])
    );
    // Without a date a yes is the oldest word and a no the youngest.
    let mut yes = on("x", "OPTIN", "2015", none());
    let mut no = on("y", "OPTOUT", "2015", none());
    yes.as_object_mut().unwrap().remove("dateTime");
    no.as_object_mut().unwrap().remove("dateTime");
    let dated = on("z", "OPTIN", "2020-01-01", none());
    assert_eq!(together(&[no, dated, yes]), same(&[YES, YES, NO]));
}

#[test]
fn the_newest_version_counts_and_only_if_it_is_active() {
    let version = |number: u32, policy: &str, status: &str| {
        let meta = json!({ "versionId": number.to_string() });
        let changes = [("meta", meta), ("status", json!(status))];
        with(consent(policy, &json!({})), &changes)
    };
    // A withdrawn yes leaves no yes behind.
    let withdrawn = [
        version(2, "OPTIN", "inactive"),
        version(1, "OPTIN", "active"),
    ];
    assert_eq!(together(&withdrawn), []);
    assert_eq!(
        together(&[
            version(10, "OPTOUT", "active"),
            version(9, "OPTIN", "active")
        ]),
        same(&[NO])
    );
    for status in [
        "draft",
        "proposed",
        "rejected",
        "inactive",
        "entered-in-error",
        "odd",
    ] {
        let gathered = heard_of(&version(1, "OPTIN", status));
        assert_eq!(said(&gathered), []);
        assert_eq!((gathered.taken, gathered.skipped), (0, 1));
        assert!(
            gathered.notes[0].contains("not active"),
            "{:?}",
            gathered.notes
        );
    }
    // A history comes with its newest version first, and may say no more than that.
    let entry = |status: &str| json!({ "resource": with(consent("OPTIN", &json!({})), &[("status", json!(status))]) });
    let deleted = json!({ "request": { "method": "DELETE", "url": "Consent/c" } });
    let history = |entries: Value| {
        said(&heard_of(
            &json!({ "resourceType": "Bundle", "type": "history", "entry": entries }),
        ))
    };
    assert_eq!(history(json!([entry("inactive"), entry("active")])), []);
    assert_eq!(
        history(json!([entry("active"), entry("inactive")])),
        same(&[YES])
    );
    assert_eq!(history(json!([deleted, entry("active")])), []);
    assert_eq!(
        history(json!([entry("active"), deleted, entry("active")])),
        same(&[YES])
    );
}

#[test]
fn consents_to_something_else_are_no_words() {
    for scope in ["research", "treatment", "adr"] {
        let other = with(consent("OPTIN", &json!({})), &[("scope", concept(scope))]);
        let gathered = heard_of(&other);
        assert_eq!(said(&gathered), []);
        assert_eq!(
            gathered.notes,
            ["c.json: $.scope: Consent: not about who may see records"]
        );
    }
    let nobody = with(
        consent("OPTIN", &json!({})),
        &[("patient", json!({ "display": "Li" }))],
    );
    let gathered = heard_of(&nobody);
    assert_eq!(said(&gathered), []);
    assert_eq!(
        gathered.notes,
        ["c.json: $.patient: Consent: leads to no patient"]
    );
}

#[test]
fn a_rule_that_cannot_be_read_is_a_denial() {
    let (nested, path) = (
        |inner: Value| json!({ "provision": [{}, inner] }),
        "$.provision.provision[1]",
    );
    for (provision, place, reason) in [
        (json!([]), "$.provision", "not an object"),
        (
            nested(json!({ "type": "perhaps" })),
            &*format!("{path}.type"),
            "neither permit nor deny",
        ),
        (
            nested(json!({ "type": 1 })),
            &*format!("{path}.type"),
            "not text",
        ),
        (
            nested(json!({ "actor": {} })),
            &*format!("{path}.actor"),
            "not a list",
        ),
        (
            nested(json!({ "period": { "end": "soon" } })),
            &*format!("{path}.period.end"),
            "no time of FHIR: no year",
        ),
        (
            nested(json!({ "actor": [{ "role": { "coding": [1] } }] })),
            &*format!("{path}.actor[0].role.coding[0]"),
            "not an object",
        ),
    ] {
        let gathered = heard_of(&consent("OPTIN", &provision));
        assert_eq!(said(&gathered), same(&[NO]), "{provision}");
        let note = format!("c.json: {place}: {reason}: taken as a denial to everybody");
        assert_eq!(gathered.notes, [note]);
        assert_eq!((gathered.taken, gathered.skipped), (1, 0));
    }
    let unknown = consent("nl-lsp", &json!(null));
    let gathered = heard_of(&unknown);
    assert_eq!(said(&gathered), same(&[NO]));
    assert!(gathered.notes[0].contains("a policy that this model does not know"));
    let odd = with(
        consent("OPTIN", &json!({})),
        &[("dateTime", json!("yesterday"))],
    );
    assert_eq!(said(&heard_of(&odd)), same(&[NO]));
}

#[test]
fn the_rules_of_one_consent_are_bounded() {
    let rules = |n: usize| {
        let one = json!({ "type": "permit", "actor": [actor("PRCP", "Organization/a")] });
        consent("OPTOUT", &json!({ "provision": vec![one; n] }))
    };
    // One rule is the policy's.
    assert_eq!(
        said(&heard_of(&rules(MAX_RULES - 1))),
        same(&[(true, Some("a")), NO])
    );
    let gathered = heard_of(&rules(MAX_RULES));
    assert_eq!(said(&gathered), same(&[NO]));
    assert!(
        gathered.notes[0].contains("more than 1000 rules"),
        "{:?}",
        gathered.notes
    );
}
