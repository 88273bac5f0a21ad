//! `consim reproduce` as its user meets it: exit codes, files, words.

use std::path::Path;
use std::process::{Command, Output};

/// Four hospitals do what they are offered.
const EXPERIMENT: &str = "consim: 1
duration: 4s
warmup: 1s
seed: 1
organisations: { hospital: { count: 4, hardware: hospital-server } }
chains: { ledger: { members: hospital, block: { wait: 50ms } } }
workloads:
  writes: { transactions: { service: key-value, size: 64B }, load: { open: { rate: 20/s, arrivals: even } } }
experiment:
  id: made-up
  source: nobody
  class: lan
  seeds: 2
  rows:
    - { with: { workloads.writes.load: { open: { rate: 20/s, arrivals: even } } }, measured: { throughput: 20/s } }
    - { with: { workloads.writes.load: { open: { rate: 40/s, arrivals: even } } }, measured: { throughput: MEASURED/s } KNOWN }
";

fn consim(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_consim"));
    command.current_dir(dir).args(args).output().unwrap()
}

fn written(dir: &Path, measured: &str, known: &str) {
    let text = EXPERIMENT.replace("MEASURED", measured);
    let text = text.replace("KNOWN", known);
    std::fs::write(dir.join("x.yaml"), text).unwrap();
}

#[test]
fn hits_misses_and_known_misses_end_as_they_say() {
    let known = ", known_miss: a reason";
    for (measured, known, code, said) in [
        ("40", "", 0, "in tolerance 2 of 2\n"),
        ("60", "", 12, "missed"),
        ("60", known, 0, "1 row out of it for a known reason"),
        ("40", known, 12, "known miss has gone"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path(), measured, known);
        let done = consim(dir.path(), &["reproduce", "x.yaml", "--out", "r"]);
        let out = String::from_utf8_lossy(&done.stdout).into_owned();
        assert_eq!(done.status.code(), Some(code), "{measured} {known}: {out}");
        assert!(out.contains(said), "{out}");
        let page = std::fs::read_to_string(dir.path().join("r/report.html")).unwrap();
        assert!(page.contains("made-up") && page.contains("<svg"), "{page}");
        let rows = std::fs::read_to_string(dir.path().join("r/rows.csv")).unwrap();
        assert_eq!(rows.lines().count(), 3, "{rows}");
        assert!(dir.path().join("r/figures/made-up.svg").exists());
    }
}

#[test]
fn results_are_the_same_again_and_never_replaced_unasked() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), "40", "");
    let run = |args: &[&str]| {
        let mut all = vec!["reproduce", "x.yaml"];
        all.extend(args);
        consim(dir.path(), &all)
    };
    assert_eq!(
        run(&["--out", "a", "--threads", "1"]).status.code(),
        Some(0)
    );
    assert_eq!(
        run(&["--out", "b", "--threads", "2"]).status.code(),
        Some(0)
    );
    for file in [
        "report.html",
        "rows.csv",
        "experiments.json",
        "figures/made-up.svg",
    ] {
        let read = |folder: &str| std::fs::read(dir.path().join(folder).join(file)).unwrap();
        assert_eq!(read("a"), read("b"), "{file}");
    }
    let again = run(&["--out", "a"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("--force"));
    let json = run(&["--out", "a", "--force", "--json", "--seeds", "1"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["scored"], 2);
    assert_eq!(json["experiments"][0]["seeds"], 1);
}

#[test]
fn what_is_no_experiment_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let done = consim(dir.path(), &["reproduce", "etdc"]);
    assert_eq!(done.status.code(), Some(2));
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(
        said.contains("etcd") && said.contains("libhotstuff"),
        "{said}"
    );
    let done = consim(dir.path(), &["reproduce", "alliance-sharing"]);
    assert_eq!(done.status.code(), Some(2));
    written(dir.path(), "40", ", scored: maybe");
    let done = consim(dir.path(), &["reproduce", "x.yaml"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&done.stderr).contains("E108"));
    assert!(!dir.path().join("results").exists());
}
