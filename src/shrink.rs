//! `consim shrink`: a scenario that fails, made minimal.

use crate::cli::ShrinkArgs;
use crate::clock::{duration, started};
use crate::exit;
use crate::run::{Failure, other};
use consim_scenarios::shrink::{ShrinkError, Shrunk, shrink as minimal};
use std::path::PathBuf;

/// Runs the verb; returns the exit code: 0 if something was made smaller.
pub(crate) fn shrink(args: &ShrinkArgs) -> u8 {
    match run(args) {
        Ok(()) => exit::PASS,
        Err((code, message)) => {
            eprintln!("error: {message}");
            code
        }
    }
}

fn run(args: &ShrinkArgs) -> Result<(), Failure> {
    let bad = |message| (exit::BAD_INPUT, message);
    let time = duration("--for", &args.time).map_err(bad)?;
    let name = args.file.display();
    let text = consim_scenarios::read(&args.file)
        .map_err(|why| bad(format!("cannot read {name}: {why}")))?;
    let out = args.out.clone().unwrap_or_else(|| beside(&args.file));
    if out.exists() && !args.force {
        return Err(bad(format!(
            "{} is there already; --force replaces it, --out FILE writes elsewhere",
            out.display()
        )));
    }
    let clock = started();
    let shrunk = minimal(&args.file, &text, &args.seeded.hooks(), &mut || {
        clock() < time
    });
    let shrunk = shrunk.map_err(|error| match error {
        ShrinkError::Invalid(why) => bad(why),
        error @ ShrinkError::Passes => bad(format!("{name}: {error}")),
    })?;
    std::fs::write(&out, shrunk.scenario())
        .map_err(|error| other(format!("cannot write {}: {error}", out.display())))?;
    say_what(args, &shrunk, &out);
    Ok(())
}

fn say_what(args: &ShrinkArgs, shrunk: &Shrunk, out: &std::path::Path) {
    if args.json {
        let value = serde_json::json!({
            "check": shrunk.check, "facts": shrunk.facts, "file": out,
            "events_before": shrunk.events_before, "events": shrunk.kinds,
            "runs": shrunk.runs, "minimal": shrunk.minimal, "run_digest": shrunk.digest,
        });
        sayln!("{value:#}");
    } else if !args.quiet {
        say!("{}\n", shrunk.scenario());
        sayln!(
            "{} is still violated; {} of {} faults and attacks are left after {} runs{}: {}",
            shrunk.check,
            shrunk.kinds.len(),
            shrunk.events_before,
            shrunk.runs,
            if shrunk.minimal { "" } else { " (time was up)" },
            out.display()
        );
    }
}

fn beside(file: &std::path::Path) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!("{stem}-shrunk.yaml"))
}
