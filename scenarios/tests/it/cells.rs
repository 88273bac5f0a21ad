//! The runner of cells: order, threads, results on disk, resuming.

use consim_scenarios::run::Hooks;
use consim_scenarios::run::cells::{CellRecord, Matrix, Meter, Store, in_order};
use consim_scenarios::{LoadOptions, Study, study};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

const STUDY: &str = "consim: 1
duration: 40s
warmup: 5s
organisations:
  hospital: { count: 4, tier: tertiary }
chains:
  ledger: { members: hospital }
workloads:
  w: { visits: data-sharing, load: 1/s, day: flat }
faults:
  cut: { at: 10s, for: 10s, crash: 2 of hospital }
vary:
  faults.cut.enabled: [true, false]
  seed: 1..2
";

fn study_in(dir: &Path, text: &str) -> Study {
    let path = dir.join("scenario.yaml");
    std::fs::write(&path, text).unwrap();
    study(&path, &LoadOptions::default()).unwrap_or_else(|d| panic!("{}", d.render()))
}

fn run(study: &Study, dir: &Path, threads: usize) -> Vec<CellRecord> {
    let (store, hooks) = (Store::new(dir), Hooks::default());
    let matrix = Matrix {
        study,
        store: &store,
        threads,
        pairs: true,
        hooks: &hooks,
    };
    let mut cells = Vec::new();
    matrix.run(&|_| {}, |cell| cells.push(cell)).unwrap();
    assert_eq!(cells.len(), matrix.len());
    cells
}

fn text(cells: &[CellRecord]) -> String {
    let outcome = |cell: &CellRecord| serde_json::to_string(&cell.outcome).unwrap();
    cells.iter().map(outcome).collect::<Vec<_>>().join("\n")
}

/// The files of a folder, with what they hold.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().display().to_string();
                out.push((name, std::fs::read(path).unwrap()));
            }
        }
    }
    out.sort();
    out
}

#[test]
fn results_come_in_order_on_any_number_of_threads() {
    for threads in [1, 2, 7] {
        let mut seen = Vec::new();
        let running = AtomicUsize::new(0);
        let most = AtomicUsize::new(0);
        let work = |n: usize| {
            let now = running.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            // Later numbers are done sooner.
            std::thread::sleep(std::time::Duration::from_millis((20 - n as u64 % 20) / 4));
            running.fetch_sub(1, Ordering::SeqCst);
            n * n
        };
        in_order(50, threads, work, |n, square| {
            seen.push((n, square));
            true
        });
        assert_eq!(seen, (0..50).map(|n| (n, n * n)).collect::<Vec<_>>());
        assert!(most.load(Ordering::SeqCst) <= threads);
    }
    in_order(0, 4, |n| n, |_, _| panic!("there is nothing"));
}

#[test]
fn no_more_is_begun_when_nobody_takes_and_few_results_wait() {
    let begun = AtomicUsize::new(0);
    let work = |n: usize| {
        begun.fetch_add(1, Ordering::SeqCst);
        n
    };
    in_order(1_000, 2, work, |n, _| n < 3);
    assert!(begun.load(Ordering::SeqCst) < 30);
    // A slow first result holds the others back.
    let begun = AtomicUsize::new(0);
    let most = AtomicUsize::new(0);
    let work = |n: usize| {
        begun.fetch_add(1, Ordering::SeqCst);
        if n == 0 {
            std::thread::sleep(std::time::Duration::from_millis(100));
            most.store(begun.load(Ordering::SeqCst), Ordering::SeqCst);
        }
    };
    in_order(1_000, 2, work, |_, ()| true);
    assert!(most.load(Ordering::SeqCst) <= 8, "{most:?}");
}

#[test]
fn a_panic_in_a_run_is_passed_on_and_nobody_waits_for_ever() {
    let caught = std::panic::catch_unwind(|| {
        in_order(100, 3, |n| assert_ne!(n, 10, "a bug"), |_, ()| true);
    });
    assert!(caught.is_err());
}

#[test]
fn progress_is_the_share_of_all_runs() {
    let told = Mutex::new(Vec::new());
    let tell = |share: f64| told.lock().unwrap().push(share);
    let meter = Meter::new(2, &tell);
    let mut part = meter.part();
    part.tell(0.5);
    part.tell(0.25);
    drop(part);
    drop(meter.part());
    assert_eq!(*told.lock().unwrap(), [0.25, 0.5, 1.0]);
}

#[test]
fn threads_change_no_result_and_pairs_are_run_once() {
    let dir = tempfile::tempdir().unwrap();
    let study = study_in(dir.path(), STUDY);
    let (one, three) = (dir.path().join("one"), dir.path().join("three"));
    let cells = run(&study, &one, 1);
    assert_eq!(text(&cells), text(&run(&study, &three, 3)));
    assert_eq!(files(&one), files(&three));
    assert_eq!(cells[0].values, ["true", "1"]);
    assert_eq!(cells[3].values, ["false", "2"]);
    // Two cells with the fault, two without it, and the pairs of the first two.
    assert_eq!(files(&one).len(), 6);
    for seed in 0..2 {
        let row = &cells[seed].outcome.resilience[0];
        let pair = row.pair.as_ref().unwrap();
        assert!(row.downtime_s > 5.0, "2 of 4 are down: {}", row.downtime_s);
        assert!(pair.throughput_left < 0.7, "{}", pair.throughput_left);
        // The pair is the same run as the cell in which the fault is switched off.
        assert_eq!(pair.run_digest, cells[seed + 2].outcome.run_digest);
        assert_ne!(pair.run_digest, cells[seed].outcome.run_digest);
    }
}

#[test]
fn what_is_there_is_not_run_again_and_what_is_not_whole_is_never_believed() {
    let dir = tempfile::tempdir().unwrap();
    let study = study_in(dir.path(), STUDY);
    let out = dir.path().join("cells");
    let first = run(&study, &out, 2);
    assert!(first.iter().all(|cell| !cell.kept));
    let whole = files(&out);
    assert!(run(&study, &out, 2).iter().all(|cell| cell.kept));
    // Any part of any file: cut at its end, one byte changed, empty.
    for (name, bytes) in &whole {
        let path = out.join(name);
        let mut changed = bytes.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        for damaged in [&bytes[..bytes.len() - 1], &bytes[..20], &changed, b""] {
            std::fs::write(&path, damaged).unwrap();
            let store = Store::new(&out);
            let (folder, rest) = (&name[..2], &name[3..name.len() - 5]);
            let read: Option<serde_json::Value> = store.read(&format!("{folder}{rest}"));
            assert!(read.is_none(), "{name} of {} bytes", damaged.len());
        }
    }
    assert_eq!(text(&run(&study, &out, 2)), text(&first));
    assert_eq!(files(&out), whole);
}

/// Gates are no part of a run: other gates judge the results that are there.
#[test]
fn kept_results_are_judged_by_the_gates_of_now() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("cells");
    run(&study_in(dir.path(), STUDY), &out, 2);
    let gated = format!("{STUDY}expect:\n  throughput: at least 1000/s\n");
    let cells = run(&study_in(dir.path(), &gated), &out, 2);
    for cell in cells {
        assert!(cell.kept);
        assert_eq!(cell.outcome.expectations[0].met, Some(false));
    }
}

#[test]
fn threads_that_want_the_same_result_wait_for_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(dir.path());
    let made = AtomicU64::new(0);
    let make = || {
        std::thread::sleep(std::time::Duration::from_millis(20));
        Ok::<u64, consim_scenarios::run::cells::StoreError>(made.fetch_add(1, Ordering::SeqCst))
    };
    let work = |_| store.once("abcdef", make).unwrap().0;
    in_order(8, 4, work, |_, value| {
        assert_eq!(value, 0);
        true
    });
    assert_eq!(made.load(Ordering::SeqCst), 1);
}

#[test]
fn a_limit_relative_to_another_variant_is_judged_cell_by_cell() {
    let dir = tempfile::tempdir().unwrap();
    let text = STUDY.replace("  faults.cut.enabled: [true, false]\n", "")
        + "compare:
  slow: { chains.ledger.block.wait: 2s }
  fast: { chains.ledger.block.wait: 20ms }
expect:
  slow.latency_p50: at most 1x that of fast
";
    let study = study_in(dir.path(), &text);
    let cells = run(&study, &dir.path().join("cells"), 2);
    let labels: Vec<_> = cells.iter().map(|c| c.variant.clone().unwrap()).collect();
    assert_eq!(labels, ["fast", "slow", "fast", "slow"]);
    for pair in cells.chunks(2) {
        assert!(pair[0].outcome.expectations.is_empty());
        assert_eq!(pair[1].outcome.expectations[0].met, Some(false));
    }
}
