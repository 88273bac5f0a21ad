//! `consim reproduce`: published experiments, measured beside simulated.

use crate::cli::ReproduceArgs;
use crate::exit;
use crate::run::{Failure, STEPS, campaign_folder, of_cell, other, print_file};
use consim_check::experiment::{Scored, exit_code};
use consim_scenarios::diagnostic::Diagnostics;
use consim_scenarios::library::{LIBRARY, LibraryEntry, experiments};
use consim_scenarios::run::cells;
use consim_scenarios::{Experiment, LoadOptions, Study, study, study_bytes};
use std::path::Path;

/// What the folder of results holds last.
const LAST: &str = "experiments.json";

/// Runs the verb; returns the exit code.
pub(crate) fn reproduce(args: &ReproduceArgs) -> u8 {
    run(args).unwrap_or_else(|(code, message)| {
        eprintln!("error: {message}");
        code
    })
}

fn run(args: &ReproduceArgs) -> Result<u8, Failure> {
    let dir = campaign_folder(&args.campaign, "results/reproduce", LAST)?;
    let mut chosen = Vec::new();
    for (name, study) in named(&args.names)? {
        let study = study.map_err(|found| (exit::BAD_INPUT, format!("\n{}", found.render())))?;
        let Some(experiment) = study.experiment else {
            let message = format!("{name} holds no `experiment`");
            return Err((exit::BAD_INPUT, message));
        };
        chosen.push(experiment);
    }
    let scored = all(args, &chosen)?;
    let version = env!("CARGO_PKG_VERSION");
    consim_reports::write_experiments(&scored, version, &dir).map_err(other)?;
    if args.campaign.json {
        print_file(&dir.join(LAST))?;
    } else if !args.campaign.quiet {
        say!("{}", consim_reports::experiments_summary(&scored));
        sayln!("report: {}", dir.join("report.html").display());
    }
    Ok(exit_code(&scored))
}

type Named = (String, Result<Study, Diagnostics>);

/// The studies of the names: of the library, or files.
fn named(names: &[String]) -> Result<Vec<Named>, Failure> {
    let options = LoadOptions {
        cwd: std::env::current_dir().unwrap_or_default(),
        ..LoadOptions::default()
    };
    let of_library = |entry: &LibraryEntry| {
        let study = study_bytes(Path::new(entry.path), entry.text().as_bytes(), &options);
        (entry.name.to_owned(), study)
    };
    if names.is_empty() {
        return Ok(experiments().map(of_library).collect());
    }
    let one = |name: &String| {
        if let Some(entry) = LIBRARY.iter().find(|entry| entry.name == name) {
            return Ok(of_library(entry));
        }
        if !Path::new(name).exists() {
            let known: Vec<&str> = experiments().map(|entry| entry.name).collect();
            let message = format!(
                "no experiment is called `{name}`, and no file; there are {}",
                known.join(", ")
            );
            return Err((exit::BAD_INPUT, message));
        }
        Ok((name.clone(), study(Path::new(name), &options)))
    };
    names.iter().map(one).collect()
}

/// Runs them one after the other, each on all cores.
fn all(args: &ReproduceArgs, chosen: &[Experiment]) -> Result<Vec<Scored>, Failure> {
    let threads = args.campaign.threads();
    let hooks = args.campaign.seeded.hooks();
    let mut scored = Vec::new();
    for experiment in chosen {
        let seeds = args.campaign.seeds.unwrap_or(experiment.seeds);
        let message = format!(
            "{}, {} rows",
            experiment.spec.id,
            experiment.spec.rows.len()
        );
        let bar = crate::run::bar(args.campaign.quiet, message);
        let progress = |done: f64| bar.set_position((done * STEPS as f64) as u64);
        let ran = cells::reproduce(experiment, seeds, threads, &hooks, &progress);
        bar.finish_and_clear();
        scored.push(ran.map_err(|error| of_cell(error, "a row"))?);
    }
    Ok(scored)
}
