//! The JSON Schema is made from the schema, and an editor that reads it sees what `check` sees.

use crate::support::root;
use consim_scenarios::library::{LIBRARY, TEMPLATE};
use serde_json::Value;

fn validator() -> jsonschema::Validator {
    jsonschema::draft7::new(&consim_scenarios::json_schema::schema()).unwrap()
}
fn value(text: &str) -> Option<Value> {
    serde_yaml::from_str(text).ok()
}

/// `CONSIM_BLESS=1 cargo test -p consim-scenarios --test it json_schema` writes the file anew.
#[test]
fn the_committed_schema_is_the_present_one() {
    let path = root().join("scenarios/schema/consim-1.json");
    let text = consim_scenarios::json_schema::text();
    if std::env::var_os("CONSIM_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text,
        "scenarios/schema/consim-1.json is out of date; see this test"
    );
    assert!(jsonschema::meta::is_valid(
        &consim_scenarios::json_schema::schema()
    ));
}

#[test]
fn every_scenario_of_the_library_and_the_template_is_valid() {
    let validator = validator();
    let mut texts: Vec<(String, String)> = vec![("template".into(), TEMPLATE.into())];
    for entry in LIBRARY {
        let text = std::fs::read_to_string(root().join(entry.path)).unwrap();
        texts.push((entry.name.into(), text));
    }
    for (name, text) in texts {
        let value = value(&text).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

/// Mistakes of form and structure, which need no look at other parts of the file.
const STRUCTURAL: [&str; 17] = [
    "E101", "E102", "E103", "E104", "E105", "E106", "E108", "E109", "E201", "E202", "E203", "E204",
    "E205", "E206", "E207", "E208", "E211",
];
/// Files whose mistake shows only beside other parts of the file or other files, or only to a
/// reader that sees numbers and switches as they are written.
const BEYOND: [&str; 14] = [
    "entry-of-visits",
    "change-with-a-quorum-of-answers",
    "gossip-file",
    "hex-count",
    "institutions-file",
    "later-source",
    "leading-zero",
    "limit-of-another-measure",
    "no-such-hardware",
    "scientific-count",
    "scope-of-no-such-type",
    "switch",
    "value-of-an-axis",
    "which-chain",
];

#[test]
fn every_golden_mistake_of_structure_is_refused_by_the_schema_too() {
    let validator = validator();
    let mut judged = 0;
    let mut missed = Vec::new();
    for entry in std::fs::read_dir(root().join("tests/bad")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|e| e != "yaml") {
            continue;
        }
        let expected = std::fs::read_to_string(path.with_extension("txt")).unwrap();
        let structural = STRUCTURAL
            .iter()
            .any(|code| expected.contains(&format!("error[{code}]")));
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        if !structural || BEYOND.contains(&name.as_str()) {
            continue;
        }
        let Some(value) = value(&text) else { continue };
        judged += 1;
        if validator.is_valid(&value) {
            missed.push(name);
        }
    }
    assert!(missed.is_empty(), "valid for the schema: {missed:?}");
    assert!(judged >= 28, "only {judged} files judged");
}

/// Each rule of the schema, by a file that is right but for it.
#[test]
fn the_schema_tells_right_from_wrong() {
    let validator = validator();
    let right = "consim: 1
organisations: { hospital: { count: 4, tier: tertiary } }
chains: { ledger: { members: [hospital], consensus: { pbft: { pipeline: 4 } } } }
workloads: { w: { visits: data-sharing, load: 1/s, day: outpatient } }
faults: { line: { at: 1m, for: 1m, loss: { target: hospital, rate: 5% } } }
network: { regions: guangdong, links: { profile: metro, delay: { normal: { mean: 1ms, sd: 100us } } } }
compare: { a: {}, b: { chains.ledger.block.wait: 50ms, remove: [faults] } }
checks: { except: [agreement, no-read-without-grant, linearizable-reads] }
vary: { seed: 1..30, organisations.hospital.count: [4, 7] }
expect: { latency_p99: at most 5s, chains.ledger.height: at least 5 }
";
    let is_valid = |text: &str| validator.is_valid(&value(text).unwrap());
    assert!(
        is_valid(right),
        "{:?}",
        validator.validate(&value(right).unwrap())
    );
    for (from, to) in [
        ("consim: 1\n", ""),
        ("consim: 1\n", "consim: 2\n"),
        ("count: 4,", "count: -4,"),
        ("count: 4,", "count: 4x,"),
        ("tier: tertiary", "tier: huge"),
        ("tier: tertiary", "teir: tertiary"),
        ("pipeline: 4", "pipeline: [4]"),
        ("pbft:", "pbtf:"),
        ("load: 1/s", "load: 1"),
        ("regions: guangdong", "regions: guandong"),
        ("day: outpatient", "day: outpatients"),
        ("[agreement,", "[agrement,"),
        ("visits: data-sharing, ", ""),
        ("at: 1m, ", ""),
        ("at: 1m, ", "at: 1, "),
        ("loss:", "crash: hospital, loss:"),
        ("rate: 5%", "rate: 0.05"),
        ("sd: 100us", "median: 100us"),
        ("hospital: {", "Hospital: {"),
        ("members: [hospital]", "members: { hospital: 1 }"),
        ("remove: [faults]", "''"),
        ("at most 5s", "'> 5s'"),
    ] {
        let wrong = right.replacen(from, to, 1);
        assert_ne!(wrong, right, "{from}");
        assert!(
            value(&wrong).is_none_or(|v| !validator.is_valid(&v)),
            "{from} -> {to}"
        );
    }
    let over =
        "consim: 1\nbase: preset:alliance-sharing\nworkloads: { outpatients: { deadline: 9s } }\n";
    assert!(
        is_valid(over),
        "a file on a base may leave out what the base has"
    );
    assert!(!is_valid(
        &over.replace("base: preset:alliance-sharing\n", "")
    ));
    assert!(!is_valid(
        &over.replace("alliance-sharing", "aliance-sharing")
    ));
}
