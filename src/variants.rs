//! `consim run` of a scenario with `compare`: a folder for each variant, and one comparison.

use crate::cli::RunArgs;
use crate::exit;
use crate::run::{Failure, junit, other, output_folder, print_file, simulate, write};
use crate::timing::Timing;
use consim_check::results::Results;
use consim_reports::junit_suite;
use consim_scenarios::Variant;
use std::collections::BTreeMap;

/// Runs all variants, judges what is relative to another one, and writes everything.
pub(crate) fn run(args: &RunArgs, runs: &[Variant]) -> Result<u8, Failure> {
    let label = |run: &Variant| run.label.clone().unwrap_or_default();
    let labels: Vec<String> = runs.iter().map(label).collect();
    let words: Vec<&str> = labels.iter().map(String::as_str).collect();
    let Some(first) = runs.first() else {
        return Err((exit::BAD_INPUT, "there is nothing to run".into()));
    };
    let dir = output_folder(args, &first.loaded, &words)?;
    let mut done: Vec<(String, Results)> = Vec::new();
    let mut timings: Vec<Timing> = Vec::new();
    for (run, label) in runs.iter().zip(&labels) {
        let (results, timing) = simulate(args, &run.loaded, Some(label))?;
        done.push((label.clone(), results));
        timings.push(timing);
    }
    let values: BTreeMap<String, BTreeMap<String, f64>> = done
        .iter()
        .map(|(label, results)| (label.clone(), results.outcome.metrics.clone()))
        .collect();
    for ((_, results), run) in done.iter_mut().zip(runs) {
        consim_check::assemble::settle(&mut results.outcome, &run.loaded.plan.expect, &values);
    }
    for (((label, results), run), timing) in done.iter().zip(runs).zip(&timings) {
        write(&run.loaded, results, timing, &dir.join(label))?;
    }
    let suites = done
        .iter()
        .map(|(_, results)| junit_suite(&results.outcome));
    junit(args.junit.as_deref(), &suites.collect::<Vec<_>>())?;
    consim_reports::write_comparison(&done, &dir).map_err(other)?;
    let (summary, code) = consim_reports::comparison_summary(&done);
    if args.json {
        print_file(&dir.join("comparison.json"))?;
    } else if !args.quiet {
        say!("{summary}");
        sayln!("report: {}", dir.join("report.html").display());
    }
    Ok(code)
}
