//! `consim run`: replays a scenario and writes its results.

use crate::cli::RunArgs;
use crate::exit;
use crate::overrides::{draw_seed, load_options};
use crate::timing::Timing;
use consim_check::results::Results;
use consim_scenarios::run::{Divergence, Hooks};
use consim_scenarios::{Loaded, load, run as runner};
use std::path::{Path, PathBuf};

/// How many folders `results/NAME-SEED-K` are tried before giving up.
const MAX_DEFAULT_FOLDERS: u32 = 10_000;

/// Runs the verb; returns the exit code.
pub(crate) fn run(args: &RunArgs) -> u8 {
    let drawn = draw_seed();
    let loaded = match load(&args.file, &load_options(&args.overrides, drawn)) {
        Ok(loaded) => loaded,
        Err(diagnostics) => {
            eprint!("{}", diagnostics.render());
            return exit::BAD_INPUT;
        }
    };
    for warning in &loaded.warnings {
        eprint!("{}", warning.render());
    }
    if loaded.seed_drawn && !args.quiet {
        eprintln!("seed {drawn} (drawn: the scenario names none)");
    }
    let dir = match output_folder(args, &loaded) {
        Ok(dir) => dir,
        Err((code, message)) => {
            eprintln!("error: {message}");
            return code;
        }
    };
    let (results, timing) = match simulate(args, &loaded) {
        Ok(done) => done,
        Err(message) => {
            eprintln!("error: {message}");
            return exit::OTHER;
        }
    };
    if let Err(error) = consim_reports::write(&results, &dir) {
        eprintln!("error: {error}");
        return exit::OTHER;
    }
    if let Err(error) = timing.write(&dir) {
        eprintln!(
            "error: cannot write {}: {error}",
            dir.join("timing.json").display()
        );
        return exit::OTHER;
    }
    if args.json {
        match std::fs::read_to_string(dir.join("outcome.json")) {
            Ok(text) => print!("{text}"),
            Err(error) => {
                eprintln!("error: cannot read back outcome.json: {error}");
                return exit::OTHER;
            }
        }
    } else if !args.quiet {
        print!("{}", consim_reports::summary(&results));
        println!(
            "{:.1} virtual seconds in {:.1} s ({:.0} x), {:.1} M messages/s, {} MB; report: {}",
            results.outcome.virtual_seconds,
            timing.wall_s,
            results.outcome.virtual_seconds / timing.wall_s.max(1e-9),
            results.outcome.messages as f64 / timing.wall_s.max(1e-9) / 1e6,
            timing.peak_memory_kib / 1024,
            dir.join("report.html").display()
        );
    }
    consim_check::verdict::exit_code(&results.outcome)
}

/// Where results go, and that they may.
fn output_folder(args: &RunArgs, loaded: &Loaded) -> Result<PathBuf, (u8, String)> {
    let taken = |dir: &Path| dir.join("outcome.json").exists() || dir.join("report.html").exists();
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

fn simulate(args: &RunArgs, loaded: &Loaded) -> Result<(Results, Timing), String> {
    // Wall time is shown to the user and never reaches the outcome.
    #[allow(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        reason = "the command measures real time"
    )]
    let now = std::time::Instant::now;
    let begun = now();
    let bar = if args.quiet {
        indicatif::ProgressBar::hidden()
    } else {
        indicatif::ProgressBar::new(1_000)
    };
    if let Ok(style) =
        indicatif::ProgressStyle::with_template("{bar:40} {percent:>3} % of {msg}, {eta} left")
    {
        bar.set_style(style);
    }
    bar.set_message(loaded.plan.duration.to_string());
    let mut progress = |done| bar.set_position((done * 1_000.0) as u64);
    let run = if args.twice {
        runner::twice(&loaded.plan, &Hooks::default(), &mut progress)
            .map(|run| run.map_err(|parted| divergence(&parted)))
    } else {
        runner::execute(&loaded.plan, &mut progress).map(Ok)
    };
    bar.finish_and_clear();
    let run = run.map_err(|e| e.to_string())??;
    let wall_s = begun.elapsed().as_secs_f64();
    let timing = Timing::new(wall_s, &run.results.outcome, run.memory);
    Ok((run.results, timing))
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
