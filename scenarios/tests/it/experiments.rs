//! Published experiments: what a file may say, and how rows that hit and rows that miss end.

use consim_check::experiment::{Standing, exit_code};
use consim_scenarios::diagnostic::Diagnostic;
use consim_scenarios::run::Hooks;
use consim_scenarios::run::cells::reproduce;
use consim_scenarios::{LoadOptions, Study, study_bytes};
use std::path::Path;

/// Four hospitals that are offered 20 transactions a second; `ROWS` is where the rows go.
const BASE: &str = "consim: 1
duration: 6s
warmup: 1s
seed: 1
organisations: { hospital: { count: 4, hardware: hospital-server } }
chains: { ledger: { members: hospital, block: { wait: 50ms } } }
workloads:
  writes: { transactions: { service: key-value, size: 64B }, load: { open: { rate: 20/s, arrivals: even } } }
experiment:
  id: X
  source: made up
  class: lan
  seeds: 2
";

fn read(text: &str) -> Result<Study, Vec<Diagnostic>> {
    let options = LoadOptions::default();
    study_bytes(Path::new("x.yaml"), text.as_bytes(), &options).map_err(|found| found.list)
}

fn scored(rows: &str) -> consim_check::experiment::Scored {
    let study = read(&format!("{BASE}  rows:\n{rows}")).unwrap();
    let experiment = study.experiment.unwrap();
    reproduce(&experiment, experiment.seeds, 2, &Hooks::default(), &|_| {}).unwrap()
}

/// Twenty a second are offered and done; forty are too, and not sixty.
#[test]
fn a_row_that_hits_and_one_that_misses() {
    let rows = "    - { with: {}, measured: { throughput: 20/s } }
    - { with: { workloads.writes.load: 40/s }, measured: { throughput: 60/s } }
";
    let scored = scored(rows);
    assert_eq!(scored.rows[0].standing, Standing::In);
    assert_eq!(scored.rows[0].name, "as written");
    assert_eq!(scored.rows[1].standing, Standing::Missed);
    let error = scored.rows[1].figures[0].error.unwrap();
    assert!((-0.4..-0.25).contains(&error), "{error}");
    assert_eq!(
        (scored.in_tolerance, scored.scored, scored.seeds),
        (1, 2, 2)
    );
    assert_eq!(exit_code(&[scored]), 12);
}

#[test]
fn a_known_miss_is_counted_and_has_to_go_when_the_row_comes_in() {
    let known = "    - { with: { workloads.writes.load: 40/s }, measured: { throughput: 60/s }, known_miss: less than that is offered }
";
    let known = scored(known);
    assert_eq!(known.rows[0].standing, Standing::KnownMiss);
    assert_eq!(known.known_misses, 1);
    assert_eq!(exit_code(&[known]), 0);
    let gone = "    - { measured: { throughput: 20/s }, known_miss: it was worse once }
";
    let gone = scored(gone);
    assert_eq!(gone.rows[0].standing, Standing::KnownMissGone);
    assert_eq!(exit_code(&[gone]), 12);
}

#[test]
fn what_is_not_scored_and_what_lies_past_the_knee_is_drawn() {
    let rows = "    - { measured: { throughput: 20/s, latency_mean: 1h }, scored: [throughput], why: nobody knows }
    - { with: { workloads.writes.load: 40/s }, measured: { throughput: 20/s } }
    - { measured: { throughput: { value: 99/s, sd: 30/s } } }
";
    let scored = scored(rows);
    let standing = |row: usize, k: usize| scored.rows[row].figures[k].standing;
    assert_eq!(scored.rows[0].figures[0].metric, "latency_mean");
    assert_eq!(standing(0, 0), Standing::Drawn);
    assert_eq!(standing(0, 1), Standing::In);
    // Half of what was offered.
    assert_eq!(scored.rows[1].figures[0].drawn, Some("past the knee"));
    assert_eq!(
        scored.rows[2].figures[0].drawn,
        Some("published runs spread too much")
    );
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let rows = "  rows: [{ measured: { throughput: 20/s } }, { with: { workloads.writes.load: 7/s }, measured: { throughput: 7/s } }]\n";
    let experiment = read(&format!("{BASE}{rows}")).unwrap().experiment.unwrap();
    let run = |threads| reproduce(&experiment, 2, threads, &Hooks::default(), &|_| {}).unwrap();
    assert_eq!(run(1), run(2));
}

/// Exactly one mistake, on this line of the rows.
fn refused(rows: &str, code: &str, line: usize, help: &str) {
    let text = format!("{BASE}{rows}");
    let found = read(&text).unwrap_err();
    let told: Vec<String> = found
        .iter()
        .map(|d| {
            format!(
                "{} {}:{} {} ({})",
                d.code, d.line, d.column, d.message, d.help
            )
        })
        .collect();
    assert_eq!(found.len(), 1, "{rows}: {told:#?}");
    let first = BASE.lines().count() + line;
    assert_eq!((found[0].code, found[0].line), (code, first), "{told:#?}");
    assert!(found[0].help.contains(help), "{told:#?}");
}

#[test]
fn a_row_sets_load_sizes_counts_and_faults_and_nothing_else() {
    let with = |with: &str| {
        format!("  rows:\n    - {{ with: {{ {with} }}, measured: {{ throughput: 20/s }} }}\n")
    };
    for bad in [
        "chains.ledger.block.wait: 10ms",
        "chains.ledger.consensus: raft",
        "hardware.big: { profile: hospital-server }",
        "organisations.hospital.hardware: clinic-box",
        "organisations: { hospital: { count: 5, hardware: clinic-box } }",
        "network.links: metro",
        "network: { links: metro }",
        "duration: 9s",
        "seed: 4",
        "heal.bound: 3s",
        "checks.except: [agreement]",
        "remove: [chains.ledger.block]",
    ] {
        refused(&with(bad), "E604", 2, "organisations.NAME.count");
    }
    for good in [
        "workloads.writes.load: 7/s",
        "workloads: { writes: { load: 7/s } }",
        "workloads.writes.transactions.size: 99B",
        "organisations.hospital.count: 5",
        "organisations: { hospital: { count: 5 } }",
        "faults: { halt: { at: 2s, for: 1s, crash: 1 of hospital } }",
    ] {
        let study = read(&format!("{BASE}{}", with(good)));
        assert!(study.is_ok(), "{good}: {study:?}");
    }
}

#[test]
fn what_else_is_wrong_with_an_experiment() {
    let rows = |row: &str| format!("  rows:\n    - {row}\n");
    refused(
        &rows("{ measured: { throughputt: 1/s } }"),
        "E309",
        2,
        "throughput",
    );
    refused(
        &rows("{ measured: { messages: 100 } }"),
        "E309",
        2,
        "allowed: throughput",
    );
    refused(
        &rows("{ measured: { throughput: 100 } }"),
        "E101",
        2,
        "100/s",
    );
    refused(
        &rows("{ measured: { latency_mean: 0ms } }"),
        "E107",
        2,
        "above zero",
    );
    refused(&rows("{ measured: {} }"), "E211", 2, "583/s");
    refused(&rows("{ with: {} }"), "E210", 2, "measured");
    refused(
        &rows("{ measured: { throughput: 1/s }, scored: false }"),
        "E210",
        2,
        "why",
    );
    refused(
        &rows("{ measured: { throughput: 1/s }, scored: [latency_mean], why: x }"),
        "E309",
        2,
        "throughput",
    );
    refused(
        &rows("{ measured: { throughput: 1/s }, scored: false, why: x, known_miss: y }"),
        "E504",
        2,
        "score the row",
    );
    refused(
        &rows("{ measured: { chains.legder.throughput: 1/s } }"),
        "E301",
        2,
        "ledger",
    );
    refused(
        &rows("{ with: { workloads.write.load: 1/s }, measured: { throughput: 1/s } }"),
        "E301",
        2,
        "writes",
    );
    refused(
        "  order: [latency_mean]\n  rows: [{ measured: { throughput: 1/s } }]\n",
        "E309",
        1,
        "throughput",
    );
    let class = BASE.replace("class: lan", "class: wan");
    let found = read(&format!(
        "{class}  rows: [{{ measured: {{ throughput: 1/s }} }}]\n"
    ));
    assert_eq!(found.unwrap_err()[0].code, "E202");
    let vary =
        format!("{BASE}  rows: [{{ measured: {{ throughput: 1/s }} }}]\nvary: {{ seed: 1..3 }}\n");
    assert_eq!(read(&vary).unwrap_err()[0].code, "E504");
}
