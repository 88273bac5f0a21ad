//! A study as its user meets it: run, killed, resumed, reported.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const STUDY: &str = "consim: 1
name: small
duration: 60s
warmup: 5s
organisations:
  hospital: { count: 4, tier: tertiary }
chains:
  ledger: { members: hospital }
workloads:
  w: { visits: data-sharing, load: 2/s, day: flat }
faults:
  halt: { at: 20s, for: 10s, crash: 1 of hospital }
vary:
  faults.halt.crash: [1 of hospital, 2 of hospital]
  chains.ledger.block.wait: [50ms, 500ms]
  seed: 1..3
";

fn consim(dir: &Path, args: &[&str]) -> Output {
    let done = command(dir, args).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_ne!(done.status.code(), Some(101), "panic: {said}");
    done
}

fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_consim"));
    command.current_dir(dir).args(args);
    command
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The results of cells in a folder, whole ones by their names.
fn results(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let Ok(folders) = std::fs::read_dir(dir.join("cells")) else {
        return out;
    };
    for folder in folders {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            out.push(file.unwrap().path());
        }
    }
    out.retain(|path| path.extension().is_some_and(|e| e == "json"));
    out.sort();
    out
}

#[test]
fn a_study_that_was_killed_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("small.yaml"), STUDY).unwrap();
    let run = ["run", "small.yaml", "--quiet", "--out"];
    let whole = consim(dir.path(), &[&run[..], &["whole"]].concat());
    assert_eq!(
        whole.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&whole.stderr)
    );

    // Killed without warning as soon as some results are there.
    let args = [&run[..], &["cut", "--threads", "1"]].concat();
    let mut killed = command(dir.path(), &args)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let cut = dir.path().join("cut");
    while results(&cut).len() < 4 {
        assert!(
            killed.try_wait().unwrap().is_none(),
            "over before it was killed"
        );
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let there = results(&cut);
    assert!(there.len() >= 4 && there.len() < results(&dir.path().join("whole")).len());
    assert!(!cut.join("matrix.json").exists() && !cut.join("report.html").exists());

    // One of them lost its end, and another writer left half a file.
    let damaged = read(&there[0]);
    std::fs::write(&there[0], &damaged[..damaged.len() / 2]).unwrap();
    std::fs::write(there[1].with_extension("4711.partial"), "consim cell 1").unwrap();
    let time = |path: &PathBuf| std::fs::metadata(path).unwrap().modified().unwrap();
    let before: Vec<_> = there.iter().map(time).collect();

    let resumed = consim(dir.path(), &args);
    assert_eq!(resumed.status.code(), Some(0));
    // What was whole is not written again; what was not, is.
    let after: Vec<_> = there.iter().map(time).collect();
    assert_eq!(before[1..], after[1..]);
    assert_ne!(before[0], after[0]);
    assert_eq!(read(&there[0]), damaged);
    for file in ["cells.csv", "matrix.json", "report.html"] {
        let there = read(&dir.path().join("whole").join(file));
        assert_eq!(read(&cut.join(file)), there, "{file}");
    }
    // A finished study is not overwritten without --force.
    let refused = consim(dir.path(), &args);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--force"));
}

#[test]
fn a_study_has_one_report_with_intervals_over_its_seeds() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("small.yaml"), STUDY).unwrap();
    let checked = consim(dir.path(), &["check", "small.yaml"]);
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(
        said.contains("12 runs, and at most 12 without faults"),
        "{said}"
    );
    let done = consim(dir.path(), &["run", "small.yaml", "--out", "out"]);
    let screen = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(screen.contains("12 cells of 4 designs"), "{screen}");
    let out = dir.path().join("out");
    let names: Vec<String> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["cells", "cells.csv", "matrix.json", "report.html"]);

    let csv = read(&out.join("cells.csv"));
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 13);
    let column = |name: &str| lines[0].split(',').position(|head| head == name).unwrap();
    let cell = |line: usize, name: &str| lines[line].split(',').nth(column(name)).unwrap();
    assert_eq!(cell(1, "faults.halt.crash"), "1 of hospital");
    assert_eq!(
        (cell(1, "seed"), cell(2, "seed"), cell(12, "seed")),
        ("1", "2", "3")
    );
    assert!(cell(1, "throughput").parse::<f64>().unwrap() > 1.0);

    let matrix: serde_json::Value = serde_json::from_str(&read(&out.join("matrix.json"))).unwrap();
    assert_eq!(
        (&matrix["schema"], &matrix["cells"]),
        (&1.into(), &12.into())
    );
    let designs = matrix["designs"].as_array().unwrap();
    assert_eq!(designs.len(), 4);
    let left = |i: usize| &designs[i]["figures"]["throughput_left"];
    // The mean of the three rows of the first design, by hand.
    let of_rows: Vec<f64> = (1..=3)
        .map(|i| cell(i, "throughput_left").parse().unwrap())
        .collect();
    let mean = of_rows.iter().sum::<f64>() / 3.0;
    assert!((left(0)["estimate"].as_f64().unwrap() - mean).abs() < 1e-5);
    assert_eq!(left(0)["n"], 3);
    // One of four down is borne, two are not; the limits of what was never seen say so.
    for design in designs {
        let two = design["values"]["faults.halt.crash"] == "2 of hospital";
        let left = design["figures"]["throughput_left"]["estimate"]
            .as_f64()
            .unwrap();
        let down = design["figures"]["downtime_s"]["estimate"]
            .as_f64()
            .unwrap();
        assert_eq!(two, left < 0.5, "{design}");
        assert_eq!(two, down > 8.0, "{design}");
        assert_eq!(design["safety_violated"], 0);
        let most = design["safety_violated_share"]["high"].as_f64().unwrap();
        // 1 - 0.025^(1/3).
        assert!((most - 0.707_598).abs() < 1e-5, "{most}");
    }
    let page = read(&out.join("report.html"));
    for word in [
        "<svg",
        "Throughput left",
        "at most\u{a0}70.8\u{a0}%",
        "Differences to",
    ] {
        assert!(page.contains(word), "{word}");
    }
}

#[test]
fn pairs_are_left_out_on_demand_and_check_says_how_many_there_are() {
    let dir = tempfile::tempdir().unwrap();
    let text = STUDY.split("vary:").next().unwrap().to_owned()
        + "  late: { at: 40s, for: 5s, crash: 1 of hospital }\n";
    std::fs::write(dir.path().join("one.yaml"), text).unwrap();
    let checked = consim(dir.path(), &["check", "one.yaml", "--seed", "1"]);
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(
        said.contains("1 run, and 2 without faults or attacks"),
        "{said}"
    );
    let outcome = |name: &str, more: &[&str]| -> serde_json::Value {
        let args = ["run", "one.yaml", "--seed", "1", "--quiet", "--out", name];
        consim(dir.path(), &[&args[..], more].concat());
        serde_json::from_str(&read(&dir.path().join(name).join("outcome.json"))).unwrap()
    };
    let (with, without) = (outcome("with", &[]), outcome("without", &["--no-pairs"]));
    assert_eq!(with["run_digest"], without["run_digest"]);
    for row in with["resilience"].as_array().unwrap() {
        assert_eq!(row["pair"]["without"][0], row["entry"]);
    }
    for row in without["resilience"].as_array().unwrap() {
        assert!(row["pair"].is_null() && row["during"].is_object());
    }
    outcome("threads", &["--threads", "1"]);
    for file in ["outcome.json", "report.html"] {
        assert_eq!(
            read(&dir.path().join("with").join(file)),
            read(&dir.path().join("threads").join(file)),
            "{file} follows the number of threads"
        );
    }
    let page = read(&dir.path().join("with/report.html"));
    assert!(page.contains("With and without") && page.contains("2\u{a0}further runs"));
}
