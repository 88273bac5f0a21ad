//! The golden digests: what a run came to when it was last looked at and found right. `.ci/run`
//! compares them in release, so that optimisation changes nothing either.

use std::path::Path;
use std::process::{Command, Output};

fn bless(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_consim"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("bless")
        .args(args)
        .output()
        .unwrap()
}
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn runs_are_what_they_were() {
    let done = bless(&["--check"]);
    let (said, why) = (text(&done.stdout), text(&done.stderr));
    assert_eq!(done.status.code(), Some(0), "{said}{why}");
    let scenarios: std::collections::BTreeSet<&str> = said
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    assert!(scenarios.len() >= 5, "{said}");
}

#[test]
fn another_run_is_noticed_told_and_written() {
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("digests.json");
    let golden =
        r#"[{ "scenario": "scenarios/paper/alliance-sharing.yaml", "set": ["duration=90s"] }]"#;
    std::fs::write(&list, golden).unwrap();
    let path = list.to_str().unwrap();
    let check = bless(&["--check", path]);
    assert_eq!(check.status.code(), Some(1));
    assert!(text(&check.stdout).contains("plan, run, outcome"));
    assert_eq!(
        std::fs::read_to_string(&list).unwrap(),
        golden,
        "only compared"
    );
    assert_eq!(bless(&[path]).status.code(), Some(0));
    assert_eq!(bless(&["--check", path]).status.code(), Some(0));

    let written = std::fs::read_to_string(&list).unwrap();
    std::fs::write(&list, written.replace("duration=90s", "duration=91s")).unwrap();
    assert_eq!(bless(&["--check", path]).status.code(), Some(1));
    std::fs::write(&list, "[{}]").unwrap();
    let bad = bless(&[path]);
    assert_eq!(bad.status.code(), Some(2));
    assert!(text(&bad.stderr).contains("digests.json"));
    assert!(Path::new(path).exists());
}
