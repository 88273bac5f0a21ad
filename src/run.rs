//! `consim run`: replays a scenario and writes its results.

use crate::cli::{CampaignArgs, RunArgs};
use crate::exit;
use crate::matrix;
use crate::overrides::{draw_seed, load_options};
use crate::timing::Timing;
use crate::variants;
use consim_check::results::Results;
use consim_reports::{JunitSuite, junit_suite};
use consim_scenarios::run::Divergence;
use consim_scenarios::run::cells::CellError;
use consim_scenarios::{Loaded, run as runner, study};
use std::path::{Path, PathBuf};

/// How many folders `results/NAME-SEED-K` are tried before giving up.
const MAX_DEFAULT_FOLDERS: u32 = 10_000;

/// Runs the verb; returns the exit code.
pub(crate) fn run(args: &RunArgs) -> u8 {
    let drawn = draw_seed();
    let study = match study(&args.file, &load_options(&args.overrides, drawn)) {
        Ok(study) => study,
        Err(diagnostics) => {
            eprint!("{}", diagnostics.render());
            return exit::BAD_INPUT;
        }
    };
    for warning in study.runs.iter().flat_map(|run| &run.loaded.warnings) {
        eprint!("{}", warning.render());
    }
    if study.runs.iter().any(|run| run.loaded.seed_drawn) && !args.quiet {
        eprintln!("seed {drawn} (drawn: the scenario names none)");
    }
    match study.runs.as_slice() {
        _ if study.is_matrix() => matrix::run(args, &study),
        [only] if only.label.is_none() => one(args, &only.loaded),
        runs => variants::run(args, runs),
    }
    .unwrap_or_else(|(code, message)| {
        eprintln!("error: {message}");
        code
    })
}

/// Runs one scenario into one folder.
fn one(args: &RunArgs, loaded: &Loaded) -> Result<u8, Failure> {
    let dir = output_folder(args, loaded, &[])?;
    let (results, timing) = simulate(args, loaded, None)?;
    write(loaded, &results, &timing, &dir)?;
    junit(args.junit.as_deref(), &[junit_suite(&results.outcome)])?;
    if args.json {
        print_file(&dir.join("outcome.json"))?;
    } else if !args.quiet {
        say!("{}", consim_reports::summary(&results));
        sayln!(
            "{:.1} virtual seconds in {:.1} s ({:.0} x), {:.1} M messages/s, {} MB; report: {}",
            results.outcome.virtual_seconds,
            timing.wall_s,
            results.outcome.virtual_seconds / timing.wall_s.max(1e-9),
            results.outcome.messages as f64 / timing.wall_s.max(1e-9) / 1e6,
            timing.peak_memory_kib / 1024,
            dir.join("report.html").display()
        );
    }
    Ok(consim_check::verdict::exit_code(&results.outcome))
}

/// Why a run ended without results: exit code, words.
pub(crate) type Failure = (u8, String);

pub(crate) fn other(error: impl std::fmt::Display) -> Failure {
    (exit::OTHER, error.to_string())
}

/// Writes the whole folder of a run.
pub(crate) fn write(
    loaded: &Loaded,
    results: &Results,
    timing: &Timing,
    dir: &Path,
) -> Result<(), Failure> {
    // What the plan names by a path is found from the folder in which it then stands.
    let plan = loaded.plan.yaml_in(dir);
    consim_reports::write_with_plan(results, &plan, dir).map_err(other)?;
    if loaded.plan.junit {
        let file = dir.join("junit.xml");
        junit(Some(&file), &[junit_suite(&results.outcome)])?;
    }
    timing.write(dir).map_err(|error| {
        other(format!(
            "cannot write {}: {error}",
            dir.join("timing.json").display()
        ))
    })
}

/// Writes the suites to the file of `--junit`, if there is one.
pub(crate) fn junit(file: Option<&Path>, suites: &[JunitSuite]) -> Result<(), Failure> {
    let Some(file) = file else {
        return Ok(());
    };
    std::fs::write(file, consim_reports::junit(suites))
        .map_err(|error| other(format!("cannot write {}: {error}", file.display())))
}

pub(crate) fn print_file(path: &Path) -> Result<(), Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| other(format!("cannot read back {}: {error}", path.display())))?;
    say!("{text}");
    Ok(())
}

/// Files of which one shows that a folder holds results.
const RESULTS: [&str; 4] = [
    "outcome.json",
    "report.html",
    "comparison.json",
    "matrix.json",
];

/// Where results go, and that they may: the folder itself, or those of the `labels` in it.
pub(crate) fn output_folder(
    args: &RunArgs,
    loaded: &Loaded,
    labels: &[&str],
) -> Result<PathBuf, Failure> {
    let results = |dir: &Path| RESULTS.iter().any(|file| dir.join(file).exists());
    let taken = |dir: &Path| results(dir) || labels.iter().any(|label| results(&dir.join(label)));
    if let Some(dir) = &args.out {
        if taken(dir) && !args.force {
            let message = format!(
                "results are already in {}; --force replaces them, --out DIR writes elsewhere",
                dir.display()
            );
            return Err((exit::BAD_INPUT, message));
        }
        if dir.exists() && !dir.is_dir() {
            return Err((
                exit::BAD_INPUT,
                format!("{} is not a folder", dir.display()),
            ));
        }
        return Ok(dir.clone());
    }
    let base = format!("{}-{}", loaded.plan.name, loaded.plan.seed);
    let first = Path::new("results").join(&base);
    if args.force || !taken(&first) {
        return Ok(first);
    }
    (2..MAX_DEFAULT_FOLDERS)
        .map(|k| Path::new("results").join(format!("{base}-{k}")))
        .find(|dir| !taken(dir))
        .ok_or_else(|| {
            (
                exit::BAD_INPUT,
                format!("results/{base} and its successors are all taken; name one with --out"),
            )
        })
}

/// Runs a plan; the progress bar names the `label`.
pub(crate) fn simulate(
    args: &RunArgs,
    loaded: &Loaded,
    label: Option<&str>,
) -> Result<(Results, Timing), Failure> {
    // Wall time is shown to the user and never reaches the outcome.
    #[allow(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        reason = "the command measures real time"
    )]
    let now = std::time::Instant::now;
    let begun = now();
    let of = label.map_or_else(String::new, |label| format!(" of {label}"));
    let pairs = if args.no_pairs || args.twice {
        Vec::new()
    } else {
        runner::pairs(&loaded.plan)
    };
    let beside = match pairs.len() {
        0 => String::new(),
        n => format!(", and {n} without some of it"),
    };
    let bar = progress_bar(args, format!("{}{of}{beside}", loaded.plan.duration));
    let progress = |done: f64| bar.set_position((done * STEPS as f64) as u64);
    let hooks = args.seeded.hooks();
    let run = if args.twice {
        runner::twice(&loaded.plan, &hooks, &mut |done| progress(done))
            .map(|run| run.map_err(|parted| divergence(&parted)))
    } else {
        runner::execute_paired(&loaded.plan, &pairs, &hooks, args.threads(), &progress).map(Ok)
    };
    bar.finish_and_clear();
    let run = run.map_err(other)?.map_err(other)?;
    let wall_s = begun.elapsed().as_secs_f64();
    let timing = Timing::new(wall_s, &run.results.outcome, run.memory);
    Ok((run.results, timing))
}

/// The failure of a command one of whose runs, called `what`, came to nothing.
pub(crate) fn of_cell(error: CellError, what: &str) -> Failure {
    match error {
        CellError::Plan(found) => (
            exit::BAD_INPUT,
            format!("{what} is no scenario\n{}", found.render()),
        ),
        error @ CellError::Run(_) => other(error),
    }
}

/// The output folder of a campaign, which holds `last` once it is done: replaced only on request.
pub(crate) fn campaign_folder(
    args: &CampaignArgs,
    default: &str,
    last: &str,
) -> Result<PathBuf, Failure> {
    let dir = args.out.clone().unwrap_or_else(|| PathBuf::from(default));
    if dir.join(last).exists() && !args.force {
        let message = format!(
            "results are already in {}; --force replaces them, --out DIR writes elsewhere",
            dir.display()
        );
        return Err((exit::BAD_INPUT, message));
    }
    Ok(dir)
}

/// Steps of a progress bar.
pub(crate) const STEPS: u64 = 1_000;

/// A progress bar over `message`; hidden if nothing is to be seen.
pub(crate) fn progress_bar(args: &RunArgs, message: String) -> indicatif::ProgressBar {
    bar(args.quiet, message)
}

/// The same, hidden on request.
pub(crate) fn bar(hidden: bool, message: String) -> indicatif::ProgressBar {
    let bar = if hidden {
        indicatif::ProgressBar::hidden()
    } else {
        indicatif::ProgressBar::new(STEPS)
    };
    if let Ok(style) =
        indicatif::ProgressStyle::with_template("{bar:40} {percent:>3} % of {msg}, {eta} left")
    {
        bar.set_style(style);
    }
    bar.set_message(message);
    bar
}

/// Two runs of one plan that are not the same: always a bug.
fn divergence(parted: &Divergence) -> String {
    let event = |event: &Option<String>| event.clone().unwrap_or_else(|| "no more events".into());
    format!(
        "two runs of this plan part after {} equal events\n  first:  {}\n  second: {}",
        parted.same,
        event(&parted.first),
        event(&parted.second)
    )
}
