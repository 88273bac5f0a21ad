//! The command as its user meets it.

use std::path::Path;
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
fn a_reader_that_goes_away_is_no_panic() {
    let mut check = Command::new(env!("CARGO_BIN_EXE_consim"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["list"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(check.stdout.take());
    let done = check.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    assert_eq!(stderr(&done), "");
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

fn stdout(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned()
}
/// The command in a folder of its own.
fn consim_in(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_consim"))
        .current_dir(dir)
        .args(args)
        .output()
        .unwrap()
}

#[test]
fn new_writes_a_scenario_that_checks_and_runs_and_replaces_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for (name, args) in [
        ("my-city", &["--from", "alliance-sharing"][..]),
        ("plain", &[]),
        ("outside", &["--from", "alliance-outsider"]),
    ] {
        let done = consim_in(dir.path(), &[&["new", name], args].concat());
        assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
        let file = format!("{name}.yaml");
        let text = std::fs::read_to_string(dir.path().join(&file)).unwrap();
        assert!(
            text.lines()
                .filter(|l| l.trim_start().starts_with('#'))
                .count()
                > 5
        );
        let checked = consim_in(dir.path(), &["check", "--strict", &file]);
        assert_eq!(checked.status.code(), Some(0), "{}", stderr(&checked));
        let again = consim_in(dir.path(), &[&["new", name], args].concat());
        assert_eq!(again.status.code(), Some(2));
        assert!(stderr(&again).contains("already there"));
        assert_eq!(
            std::fs::read_to_string(dir.path().join(&file)).unwrap(),
            text
        );
    }
    let ran = consim_in(
        dir.path(),
        &["run", "plain.yaml", "--quiet", "--duration", "6m"],
    );
    assert!(
        [0, 12, 13].contains(&ran.status.code().unwrap()),
        "{}",
        stderr(&ran)
    );
    assert_eq!(
        outcome(&dir.path().join("results/plain-7"))["scenario"],
        "plain"
    );
    for (args, word) in [
        (&["new", "My_City"][..], "name"),
        (
            &["new", "x", "--from", "aliance-sharing"],
            "alliance-sharing",
        ),
    ] {
        let done = consim_in(dir.path(), args);
        assert_eq!(done.status.code(), Some(2));
        assert!(stderr(&done).contains(word), "{}", stderr(&done));
    }
}

#[test]
fn schema_and_completions_are_printed() {
    let schema = consim(&["schema"]);
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/schema/consim-1.json");
    assert_eq!(stdout(&schema), std::fs::read_to_string(committed).unwrap());
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let done = consim(&["completions", shell]);
        assert_eq!(done.status.code(), Some(0));
        let text = stdout(&done);
        assert!(
            text.contains("--explain") || text.contains("explain"),
            "{shell}"
        );
        assert!(text.contains("completions"), "{shell}");
    }
    assert_eq!(consim(&["completions", "cmd"]).status.code(), Some(2));
}

/// `plan.yaml` is found to name its files from the output folder, wherever that is.
#[test]
fn the_plan_of_a_run_on_recorded_data_runs_again() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let scenario = "scenarios/paper/alliance-sharing-fhir.yaml";
    let inner = first.path().join("deep/er");
    run(scenario, &inner, &["--duration", "5m"]);
    let again = consim_in(
        &inner,
        &[
            "run",
            "plan.yaml",
            "--quiet",
            "--out",
            second.path().to_str().unwrap(),
        ],
    );
    assert_ne!(again.status.code(), Some(2), "{}", stderr(&again));
    let (a, b) = (outcome(&inner), outcome(second.path()));
    assert_eq!(a["plan_digest"], b["plan_digest"]);
    assert_eq!(a["run_digest"], b["run_digest"]);
    assert_ne!(a["inputs"][0]["taken"], 0);
}

const VARIANTS: &str = "consim: 1
seed: 7
duration: 3m
warmup: 10s
organisations:
  hospital: { count: 4, tier: tertiary }
chains:
  ledger: { members: hospital }
workloads:
  w: { visits: data-sharing, load: 1/s, day: flat }
compare:
  slow: { chains.ledger.block.wait: 2s }
  fast: { chains.ledger.block.wait: 20ms }
";

#[test]
fn variants_run_side_by_side_into_folders_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, expect: &str| {
        std::fs::write(dir.path().join(name), format!("{VARIANTS}{expect}")).unwrap();
    };
    write(
        "met.yaml",
        "expect:\n  latency_p50: at most 5s\n  fast.latency_p50: below 0.9x that of slow\n  slow.latency_p50: above 1x that of fast\n",
    );
    let out = |name: &str| dir.path().join(name);
    let done = consim_in(dir.path(), &["run", "met.yaml", "--quiet", "--out", "met"]);
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    for label in ["slow", "fast"] {
        for file in [
            "outcome.json",
            "report.html",
            "plan.yaml",
            "metrics.csv",
            "timing.json",
        ] {
            assert!(out("met").join(label).join(file).exists(), "{label}/{file}");
        }
        let outcome = outcome(&out("met").join(label));
        assert_eq!(outcome["variant"], label);
        let gates = outcome["expectations"].as_array().unwrap();
        assert_eq!(gates.len(), 2);
        assert!(gates.iter().all(|g| g["met"] == true), "{gates:?}");
    }
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let comparison: serde_json::Value =
        serde_json::from_str(&read(&out("met/comparison.json"))).unwrap();
    assert_eq!(
        (&comparison["schema"], &comparison["exit_code"]),
        (&1.into(), &0.into())
    );
    let p50 = &comparison["metrics"]["latency_p50"];
    assert!(p50["slow"].as_f64().unwrap() > p50["fast"].as_f64().unwrap());
    assert_eq!(comparison["variants"][0]["label"], "fast");
    let page = read(&out("met/report.html"));
    assert!(page.contains("slow/report.html") && page.contains("fast/report.html"));
    // The worst exit code of all is that of the comparison.
    write(
        "missed.yaml",
        "expect:\n  slow.latency_p50: at most 1x that of fast\n",
    );
    let missed = consim_in(
        dir.path(),
        &["run", "missed.yaml", "--quiet", "--out", "missed"],
    );
    assert_eq!(missed.status.code(), Some(12), "{}", stderr(&missed));
    let slow = outcome(&out("missed").join("slow"));
    assert_eq!(slow["expectations"][0]["met"], false);
    assert!(slow["expectations"][0]["margin"].as_f64().unwrap() < 0.0);
    // Nothing is overwritten, and the same comes out again.
    let refused = consim_in(dir.path(), &["run", "met.yaml", "--quiet", "--out", "met"]);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    consim_in(
        dir.path(),
        &["run", "met.yaml", "--quiet", "--out", "again"],
    );
    for file in [
        "comparison.json",
        "report.html",
        "slow/outcome.json",
        "slow/report.html",
    ] {
        assert_eq!(
            read(&out("met").join(file)),
            read(&out("again").join(file)),
            "{file}"
        );
    }
}

#[test]
fn a_study_that_varies_is_expanded_by_check() {
    let study = "scenarios/studies/alliance-size.yaml";
    let checked = consim(&["check", study]);
    assert_eq!(checked.status.code(), Some(0), "{}", stderr(&checked));
    let text = stdout(&checked);
    assert!(
        text.contains("vary organisations.community.count: 3, 15, 40 (3)"),
        "{text}"
    );
    assert!(text.contains("60 cells"), "{text}");
    assert!(text.trim_end().ends_with("60 runs"), "{text}");
}

#[test]
fn check_shows_the_origin_of_every_value() {
    let json = consim(&[
        "check",
        "--origin",
        "json",
        "--set",
        "chains.alliance.block.wait=250ms",
        "scenarios/paper/alliance-outsider.yaml",
    ]);
    let all: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let origin = |path: &str| &all[path]["origin"];
    assert_eq!(origin("chains.alliance.block.wait")["kind"], "set");
    assert_eq!(all["chains.alliance.block.wait"]["value"], "250ms");
    assert_eq!(origin("chains.alliance.members")["kind"], "file");
    assert_eq!(origin("chains.alliance.members")["line"], 10);
    assert_eq!(origin("duration")["kind"], "base");
    assert_eq!(origin("chains.alliance.block.bytes")["kind"], "default");
    let line = origin("network.links.rate");
    assert_eq!(
        (&line["kind"], &line["source"]),
        (&"profile".into(), &"profile links/metro".into())
    );
    assert!(
        line["note"].as_str().unwrap().starts_with("assumed"),
        "{line}"
    );
    let changed = stdout(&consim(&["check", "--changed", ALLIANCE]));
    let whole = stdout(&consim(&["check", ALLIANCE]));
    assert!(
        !changed.contains("chains.alliance.block.bytes"),
        "{changed}"
    );
    assert!(whole.contains("chains.alliance.block.bytes"));
    assert!(changed.contains("workloads.outpatients.load.each.tertiary"));
    assert!(changed.contains("profile links/metro (assumed)"));
    let compared = stdout(&consim(&["check", "scenarios/studies/block-wait.yaml"]));
    assert!(
        compared.contains("compare hasty (scenarios/studies/block-wait.yaml:"),
        "{compared}"
    );
}

/// What cannot be written is said, with exit code 1; what is in the way, with 2.
#[test]
fn an_output_folder_that_cannot_be_is_said_plainly() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let short = ["--duration", "1m", "--set", "warmup=0s"];
    let taken = run(ALLIANCE, &file, &short);
    assert_eq!(taken.status.code(), Some(2), "{}", stderr(&taken));
    assert!(stderr(&taken).contains("not a folder"));
    let below = run(ALLIANCE, &file.join("out"), &short);
    assert_eq!(below.status.code(), Some(1), "{}", stderr(&below));
    assert!(
        stderr(&below).contains("cannot write"),
        "{}",
        stderr(&below)
    );
}

#[test]
fn explore_says_what_it_searched_and_leaves_nothing_where_nothing_failed() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("found");
    let out = out.to_str().unwrap();
    let args = [
        "explore",
        "--seeds",
        "24",
        "--seed",
        "9",
        "--model",
        "key-value",
    ];
    let done = consim(&[&args[..], &["--out", out]].concat());
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    let text = String::from_utf8_lossy(&done.stdout);
    for said in [
        "24 scenarios of pbft",
        "agreement",
        "took effect",
        "nothing failed",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!Path::new(out).exists());
    // The same numbers, whatever the number of threads.
    let json = |threads| {
        let done = consim(&[&args[..], &["--json", "--threads", threads]].concat());
        done.stdout
    };
    let one = json("1");
    assert_eq!(one, json("2"));
    let tally: serde_json::Value = serde_json::from_slice(&one).unwrap();
    let protocols = tally.as_array().unwrap();
    assert!(protocols.len() >= 3);
    for tally in protocols {
        assert_eq!(tally["cases"], 24, "{}", tally["protocol"]);
    }
    for (args, said) in [
        (vec!["--protocol", "paxos"], "no protocol is called `paxos`"),
        (vec!["--model", "drugs"], "no model is called `drugs`"),
        (vec!["--members", "3..7"], "two numbers from 4 to 12"),
        (vec!["--for", "ten"], "`ten` is no duration"),
        (vec!["nowhere.yaml"], "nowhere.yaml"),
    ] {
        let done = consim(&[&["explore", "--seed", "1"], &args[..]].concat());
        assert_eq!(done.status.code(), Some(2), "{args:?}");
        assert!(stderr(&done).contains(said), "{said}: {}", stderr(&done));
    }
}

#[test]
fn topology_says_what_distance_allows() {
    let file = "scenarios/paper/alliance-sharing.yaml";
    let done = consim(&["topology", file, "--floors"]);
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    let text = String::from_utf8_lossy(&done.stdout);
    for said in ["alliance: 21 members", "pbft *", "best", "worst"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let done = consim(&["topology", file, "--json"]);
    let chains: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let leaders = chains[0]["protocols"][0]["leaders"].as_array().unwrap();
    assert_eq!(leaders.len(), 21);
    for leader in leaders {
        let ns = |key: &str| leader[key].as_u64().unwrap();
        assert!(ns("first_ns") <= ns("quorum_ns") && ns("quorum_ns") <= ns("last_ns"));
        // Three one-way delays at most.
        assert!(
            ns("first_ns") > 0 && ns("last_ns") <= 3 * chains[0]["diameter_ns"].as_u64().unwrap()
        );
    }
    assert_eq!(consim(&["topology", "nowhere.yaml"]).status.code(), Some(2));
}

#[test]
fn shrink_keeps_what_fails_and_replaces_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("fork.yaml");
    let text = std::fs::read_to_string("scenarios/attacks/pbft-f-plus-1.yaml").unwrap();
    std::fs::write(&file, text).unwrap();
    let name = file.to_str().unwrap();
    let done = consim(&["shrink", name, "--for", "20s"]);
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    let small = dir.path().join("fork-shrunk.yaml");
    let shrunk = std::fs::read_to_string(&small).unwrap();
    assert!(
        shrunk.contains("violation:") && shrunk.lines().count() < 25,
        "{shrunk}"
    );
    let again = consim(&["shrink", name]);
    assert_eq!(again.status.code(), Some(2));
    assert!(
        stderr(&again).contains("is there already"),
        "{}",
        stderr(&again)
    );
    let out = dir.path().join("again");
    let run = run(small.to_str().unwrap(), &out, &["--no-pairs"]);
    assert_eq!(run.status.code(), Some(10));
    // What passes cannot be made to fail.
    let calm = consim(&[
        "shrink",
        "scenarios/protocols/pbft-wan.yaml",
        "--out",
        name,
        "--force",
    ]);
    assert_eq!(calm.status.code(), Some(2));
    assert!(
        stderr(&calm).contains("no check is violated"),
        "{}",
        stderr(&calm)
    );
}
