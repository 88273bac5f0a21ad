//! `consim replay` and what continuous integration reads, as their user meets them.

use std::path::Path;
use std::process::{Command, Output};

const STORY: &str = "tests/golden/story.yaml";

fn consim(args: &[&str]) -> Output {
    let done = Command::new(env!("CARGO_BIN_EXE_consim"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(args)
        .output()
        .unwrap();
    assert_ne!(done.status.code(), Some(101), "panic: {}", stderr(&done));
    done
}
fn stderr(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}
fn stdout(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned()
}
fn bad(args: &[&str], says: &str) {
    let done = consim(args);
    assert_eq!(done.status.code(), Some(2), "{args:?}");
    assert!(stderr(&done).contains(says), "{}", stderr(&done));
}

/// `CONSIM_BLESS=1` writes it anew.
#[test]
fn the_story_of_a_small_scenario() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/story.txt");
    let done = consim(&["replay", STORY]);
    // Too short a run to judge liveness after its fault.
    assert_eq!(done.status.code(), Some(13), "{}", stderr(&done));
    if std::env::var_os("CONSIM_BLESS").is_some() {
        std::fs::write(&golden, stdout(&done)).unwrap();
    }
    assert_eq!(stdout(&done), std::fs::read_to_string(golden).unwrap());
}

#[test]
fn what_a_user_gets_wrong_is_said() {
    bad(&["replay", "no-such.yaml"], "no-such.yaml");
    bad(
        &["replay", STORY, "--node", "member-44"],
        "no node is called `member-44`; did you mean `member-4`?",
    );
    bad(
        &["replay", STORY, "--from", "noon"],
        "`noon` is no instant for --from",
    );
    bad(
        &["replay", STORY, "--until", "3"],
        "`3` is no instant for --until",
    );
    bad(
        &["replay", STORY, "--from", "3s", "--until", "2s"],
        "--from 3s is after --until 2s",
    );
    bad(
        &["replay", STORY, "--from", "1h"],
        "after the end of the run",
    );
    bad(&["explore", "--max-wall", "soon"], "--max-wall");
}

#[test]
fn a_part_of_a_story_and_its_picture() {
    let dir = tempfile::tempdir().unwrap();
    let svg = dir.path().join("story.svg");
    let file = svg.to_str().unwrap();
    let part = ["replay", STORY, "--from", "1s", "--until", "2s"];
    let args = [&part[..], &["--node", "member-4", "--svg", file]].concat();
    let told = stdout(&consim(&args));
    assert!(
        told.contains("goes down") && !told.contains("member-1  "),
        "{told}"
    );
    let first = std::fs::read_to_string(&svg).unwrap();
    assert!(first.starts_with("<svg") && first.contains("member-4"));
    // Nothing is replaced unless the user says so; then by the same bytes.
    bad(&args, "--force");
    let again = consim(&[&args[..], &["--force"]].concat());
    assert_eq!(again.status.code(), Some(13), "{}", stderr(&again));
    assert_eq!(std::fs::read_to_string(&svg).unwrap(), first);
}

#[test]
fn what_is_meant_to_break_and_does_is_a_success() {
    let broken = "scenarios/attacks/pbft-f-plus-1.yaml";
    let done = consim(&["replay", broken, "--from", "0s", "--until", "1s"]);
    assert_eq!(done.status.code(), Some(0), "{}", stdout(&done));
    assert!(stdout(&done).contains("as meant: "), "{}", stdout(&done));

    // The same of a run in which nothing breaks.
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("calm.yaml");
    let calm = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(STORY)).unwrap();
    std::fs::write(&file, calm + "expect: { violation: agreement }\n").unwrap();
    let done = consim(&["replay", file.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(12));
    assert!(stdout(&done).contains("not as meant: agreement is not violated"));
}

#[test]
fn a_run_writes_junit() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (out, xml) = (path("out"), path("junit.xml"));
    let set = ["--set", "output.junit=true"];
    consim(
        &[
            &["run", STORY, "--quiet", "--out", &out, "--junit", &xml][..],
            &set,
        ]
        .concat(),
    );
    let text = std::fs::read_to_string(&xml).unwrap();
    let beside = std::fs::read_to_string(dir.path().join("out/junit.xml")).unwrap();
    assert_eq!(text, beside);
    assert!(
        text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"consim\"")
    );
    assert!(text.contains("<testsuite name=\"story, seed 3\""), "{text}");
    assert!(
        text.contains("<testcase classname=\"safety\" name=\"agreement\"/>"),
        "{text}"
    );
    let outcome = std::fs::read(dir.path().join("out/outcome.json")).unwrap();
    let outcome: serde_json::Value = serde_json::from_slice(&outcome).unwrap();
    let checks = outcome["checks"].as_array().unwrap();
    assert_eq!(text.matches("<testcase ").count(), checks.len());
    let unknown = checks.iter().filter(|check| check["verdict"] == "unknown");
    assert_eq!(text.matches("<skipped ").count(), unknown.count());
}

#[test]
fn a_search_ends_when_its_wall_time_is_up_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let xml = dir.path().join("junit.xml");
    let out = dir.path().join("out");
    let done = consim(&[
        "explore",
        "--seeds",
        "1000000",
        "--max-wall",
        "1s",
        "--no-regressions",
        "--seed",
        "1",
        "--out",
        out.to_str().unwrap(),
        "--junit",
        xml.to_str().unwrap(),
    ]);
    assert!(
        stderr(&done).contains("the search was cut"),
        "{}",
        stderr(&done)
    );
    let text = std::fs::read_to_string(&xml).unwrap();
    assert!(
        text.contains("<testsuite name=\"explore pbft, seed 1\""),
        "{text}"
    );
}
