//! The command as its user meets it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn consim(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_consim"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(args)
        .output()
        .unwrap()
}
fn stderr(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}
fn outcome(dir: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(dir.join("outcome.json")).unwrap()).unwrap()
}
/// Runs a scenario of the library into `dir`, shortened to `duration`.
fn run(scenario: &str, dir: &Path, more: &[&str]) -> Output {
    let out = dir.to_str().unwrap();
    let mut args = vec!["run", scenario, "--out", out, "--quiet"];
    args.extend(more);
    let done = consim(&args);
    assert_ne!(done.status.code(), Some(101), "panic: {}", stderr(&done));
    done
}
const ALLIANCE: &str = "scenarios/paper/alliance-sharing.yaml";

#[test]
fn the_alliance_passes_and_leaves_the_files_of_an_output_folder() {
    let dir = tempfile::tempdir().unwrap();
    let done = run(ALLIANCE, dir.path(), &[]);
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    for file in [
        "outcome.json",
        "report.html",
        "plan.yaml",
        "metrics.csv",
        "latency.hgrm",
        "timing.json",
        "figures",
    ] {
        assert!(dir.path().join(file).exists(), "{file} is missing");
    }
    let outcome = outcome(dir.path());
    assert_eq!(outcome["schema"], 1);
    assert_eq!(outcome["verdict"], "pass");
    for operation in ["register", "read", "request", "grant", "revoke", "audit"] {
        assert!(
            outcome["operations"][operation]["committed"]
                .as_u64()
                .unwrap()
                > 0,
            "no {operation}"
        );
    }
    for check in outcome["checks"].as_array().unwrap() {
        assert_eq!(check["verdict"], "pass", "{check}");
        assert!(check["evaluated"].as_u64().unwrap() > 0, "{check}");
    }
}

#[test]
fn one_seed_gives_the_same_bytes_and_another_seed_another_run() {
    let dirs: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let short = ["--duration", "5m", "--seed"];
    for (dir, seed) in dirs.iter().zip(["7", "7", "8"]) {
        run(ALLIANCE, dir.path(), &[short[0], short[1], short[2], seed]);
    }
    let file = |i: usize, name: &str| std::fs::read(dirs[i].path().join(name)).unwrap();
    for name in [
        "outcome.json",
        "report.html",
        "plan.yaml",
        "metrics.csv",
        "latency.hgrm",
    ] {
        assert_eq!(
            file(0, name),
            file(1, name),
            "{name} differs between two runs of one seed"
        );
    }
    assert_ne!(
        outcome(dirs[0].path())["run_digest"],
        outcome(dirs[2].path())["run_digest"]
    );
    assert_eq!(
        outcome(dirs[0].path())["design_digest"],
        outcome(dirs[2].path())["design_digest"]
    );
}

#[test]
fn the_plan_of_an_output_folder_is_a_scenario_that_gives_the_same_run() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    run(ALLIANCE, first.path(), &["--duration", "4m"]);
    let plan = first.path().join("plan.yaml");
    let again = run(plan.to_str().unwrap(), second.path(), &[]);
    assert_ne!(again.status.code(), Some(2), "{}", stderr(&again));
    let (a, b) = (outcome(first.path()), outcome(second.path()));
    assert_eq!(a["plan_digest"], b["plan_digest"]);
    assert_eq!(a["run_digest"], b["run_digest"]);
}

#[test]
fn results_are_never_overwritten_without_force() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("outcome.json"), "precious").unwrap();
    let refused = run(ALLIANCE, dir.path(), &["--duration", "2m"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("--force"), "{}", stderr(&refused));
    assert_eq!(
        std::fs::read(dir.path().join("outcome.json")).unwrap(),
        b"precious"
    );
    run(ALLIANCE, dir.path(), &["--duration", "2m", "--force"]);
    assert_eq!(outcome(dir.path())["scenario"], "alliance-sharing");
}

#[test]
fn a_report_is_made_again_from_the_folder_alone() {
    let dir = tempfile::tempdir().unwrap();
    let ran = run(ALLIANCE, dir.path(), &["--duration", "2m"]);
    let page = dir.path().join("report.html");
    let first = std::fs::read(&page).unwrap();
    std::fs::remove_file(&page).unwrap();
    let folder = dir.path().to_str().unwrap();
    let again = consim(&["report", folder]);
    assert_eq!(again.status.code(), ran.status.code(), "{}", stderr(&again));
    assert_eq!(std::fs::read(&page).unwrap(), first);
    let empty = tempfile::tempdir().unwrap();
    let none = consim(&["report", empty.path().to_str().unwrap()]);
    assert_eq!(none.status.code(), Some(2));
    assert!(stderr(&none).contains("results.json"), "{}", stderr(&none));
}

#[test]
fn a_missed_expectation_exits_with_12_and_a_run_that_judged_nothing_is_not_a_pass() {
    let dir = tempfile::tempdir().unwrap();
    let missed = run(
        ALLIANCE,
        dir.path(),
        &[
            "--duration",
            "4m",
            "--set",
            "expect.latency_p99=at most 1ms",
        ],
    );
    assert_eq!(missed.status.code(), Some(12), "{}", stderr(&missed));
    assert_eq!(outcome(dir.path())["expectations"][1]["met"], false);
}

/// Every file of tests/bad is refused with exit code 2 within the first seconds; its first line
/// says what its diagnostics hold: `# CODE LINE:COLUMN words of the help`, one after another.
#[test]
fn bad_files_are_refused_with_place_and_mend() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 15, "only {} files", files.len());
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = format!("tests/bad/{}", path.file_name().unwrap().to_str().unwrap());
        for verb in ["check", "run"] {
            let done = consim(&[verb, &name]);
            let said = stderr(&done);
            assert_eq!(done.status.code(), Some(2), "{verb} {name}: {said}");
            for line in text.lines().filter_map(|l| l.strip_prefix("#! ")) {
                let mut words = line.splitn(3, ' ');
                let (code, place, help) = (
                    words.next().unwrap(),
                    words.next().unwrap(),
                    words.next().unwrap(),
                );
                let head = format!("error[{code}] {name}:{place}");
                assert!(said.contains(&head), "{name} lacks `{head}`:\n{said}");
                assert!(said.contains(help), "{name} lacks `{help}`:\n{said}");
            }
        }
    }
}

#[test]
fn what_is_missing_or_no_scenario_is_said_plainly() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let files = [
        dir.path().join("none.yaml").to_str().unwrap().to_owned(),
        write("empty.yaml", b""),
        write("latin.yaml", b"consim: 1\nabout: caf\xe9\n"),
        write("list.yaml", b"- a\n- b\n"),
        write("broken.yaml", b"consim: 1\norganisations: {\n"),
        dir.path().to_str().unwrap().to_owned(),
    ];
    for file in files {
        let done = consim(&["check", &file]);
        assert_eq!(done.status.code(), Some(2), "{file}: {}", stderr(&done));
        assert!(stderr(&done).contains("error"), "{file}");
    }
    assert_eq!(consim(&["run"]).status.code(), Some(2));
    assert_eq!(consim(&["fly"]).status.code(), Some(2));
}

#[test]
fn list_prints_words_and_codes() {
    let done = consim(&["list", "faults", "--json"]);
    let rows: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let crash = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|r| r["name"] == "crash")
        .unwrap();
    assert_eq!(crash["code"], "P1");
    assert!(String::from_utf8_lossy(&consim(&["list"]).stdout).contains("data-sharing"));
}
