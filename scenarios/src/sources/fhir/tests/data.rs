//! The data sets: real exports, as large and as odd as they come.

use super::*;
use std::collections::BTreeMap;
use std::path::PathBuf;

fn data(set: &str) -> PathBuf {
    let root = std::env::var_os("CONSIM_DATA").expect("CONSIM_DATA names the folder of data sets");
    Path::new(&root).join(set)
}

fn kinds(source: &Source) -> BTreeMap<&str, usize> {
    let mut kinds = BTreeMap::new();
    for resource in source
        .records
        .visits
        .iter()
        .flat_map(|visit| &visit.resources)
    {
        *kinds.entry(&*resource.kind).or_default() += 1;
    }
    kinds
}

#[test]
#[ignore = "needs CONSIM_DATA"]
fn synthea_bundles_become_their_encounters() {
    let source = read(&data("fhir-r4-synthea"), &Limits::default()).unwrap();
    let records = &source.records;
    // Counted from the files by another program: 880 resources about 9 patients, of which 871 are
    // no Patient; 124 organisations and practitioners, two of them twice.
    assert_eq!((source.taken, source.skipped), (880, 124));
    let expected = [
        ("CarePlan", 9),
        ("Claim", 88),
        ("Condition", 29),
        ("DiagnosticReport", 25),
        ("Encounter", 72),
        ("ExplanationOfBenefit", 72),
        ("Goal", 5),
        ("Immunization", 74),
        ("MedicationRequest", 16),
        ("Observation", 462),
        ("Procedure", 19),
    ];
    assert_eq!(kinds(&source), BTreeMap::from(expected));
    // 72 encounters, and the goals of one patient, which name none.
    assert_eq!(records.visits.len(), 73);
    assert_eq!((records.patients, records.patients_without_consent), (9, 9));
    assert!(records.consents.is_empty());
    assert!(records.visits.is_sorted_by_key(|visit| visit.at_ns));
    for visit in records
        .visits
        .iter()
        .filter(|visit| visit.provider.is_none())
    {
        assert!(visit.resources.iter().all(|one| &*one.kind == "Goal"));
    }
    assert_eq!(
        records
            .visits
            .iter()
            .filter(|visit| visit.emergency)
            .count(),
        5
    );
    let bytes: usize = records
        .visits
        .iter()
        .flat_map(|v| &v.resources)
        .map(|r| r.body.len())
        .sum();
    assert!(
        (1_000_000..3_000_000).contains(&bytes),
        "{bytes} bytes of records"
    );
}

#[test]
#[ignore = "needs CONSIM_DATA"]
fn examples_of_the_standard_are_taken_or_told() {
    let limits = Limits {
        notes: 1_000,
        ..Limits::default()
    };
    let source = read(&data("fhir-r4-examples"), &limits).unwrap();
    let records = &source.records;
    // Counted from the files by another program: 777 resources, 20 entries without one, and a file
    // that is not FHIR.
    assert_eq!((source.taken, source.skipped), (436, 362));
    assert_eq!((records.visits.len(), records.consents.len()), (98, 12));
    // The only file that is not FHIR, and the bundles of requests and answers.
    for note in [
        "package.json: $: no resourceType: this is not FHIR",
        "Bundle-bundle-response.json: $.entry[1]: no resource (7 times in this file)",
    ] {
        assert!(source.notes.iter().any(|line| line == note), "{note}");
    }
    // Every file that gives nothing is told: by itself, or it holds kinds that are.
    let short = read(&data("fhir-r4-examples"), &Limits::default()).unwrap();
    assert_eq!(short.notes.len(), 20);
    assert_eq!((short.taken, &short.digest), (source.taken, &source.digest));
}

#[test]
#[ignore = "needs CONSIM_DATA"]
fn every_example_that_gives_nothing_has_its_reason() {
    let (mut taken, mut told) = (0, 0);
    for entry in std::fs::read_dir(data("fhir-r4-examples")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let gathered = gather(&[(&name, &std::fs::read_to_string(&path).unwrap())]);
        if gathered.taken == 0 {
            assert!(gathered.skipped > 0 && !gathered.notes.is_empty(), "{name}");
            assert!(
                gathered.notes.iter().all(|note| note.starts_with(&name)),
                "{name}"
            );
            told += 1;
        } else {
            taken += 1;
        }
    }
    assert_eq!((taken, told), (277, 130));
}
