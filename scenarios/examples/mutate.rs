//! The mutation campaign: `cargo run --release -p consim-scenarios --example mutate -- --files 100000`.
//!
//! Options: `--files N` (10,000), `--seed N` (1), `--from N` (0), `--show N` prints file N.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "../tests/support/mutate.rs"]
mod mutate;

use mutate::{Corpus, Report, campaign};
use std::path::Path;
use std::process::ExitCode;

/// Files between two lines of progress.
const STEP: u64 = 10_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str, default: u64| -> u64 {
        let at = arguments.iter().position(|a| a == name);
        at.and_then(|i| arguments.get(i + 1)?.parse().ok())
            .unwrap_or(default)
    };
    let (seed, from) = (option("--seed", 1), option("--from", 0));
    let corpus = Corpus::new(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    if arguments.iter().any(|a| a == "--show") {
        let (path, bytes) = corpus.file(seed, option("--show", 0));
        println!("# after {}", path.display());
        print!("{}", String::from_utf8_lossy(&bytes));
        return ExitCode::SUCCESS;
    }
    let end = from + option("--files", 10_000);
    // The panic of one file is one line of the report.
    std::panic::set_hook(Box::new(|_| {}));
    let mut total = Report::default();
    let mut at = from;
    while at < end {
        let next = (at + STEP).min(end);
        let report = campaign(&corpus, seed, at..next);
        total.planned += report.planned;
        total.refused += report.refused;
        total.digest = total.digest.rotate_left(7) ^ report.digest;
        for (number, what) in report.failures {
            println!("file {number}: {what}");
            total.failures.push((number, what));
        }
        at = next;
        println!(
            "{} files: {} planned, {} refused, {} failures",
            at - from,
            total.planned,
            total.refused,
            total.failures.len()
        );
    }
    println!("seed {seed}, answers {:016x}", total.digest);
    if total.failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
