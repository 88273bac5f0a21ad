//! `consim shrink`: a scenario that fails, made minimal.

use crate::cli::ShrinkArgs;
use crate::clock::{duration, started};
use crate::exit;
use crate::replay::{again, draw_beside};
use crate::run::{Failure, other};
use consim_scenarios::explore::planned;
use consim_scenarios::run::story::{Explanation, explain};
use consim_scenarios::shrink::{ShrinkError, Shrunk, shrink as minimal};
use std::path::{Path, PathBuf};

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
    let explanation = explained(args, &shrunk, &out)?;
    say_what(args, &shrunk, &out, explanation.as_ref());
    Ok(())
}

/// Why the minimal scenario fails; its picture is drawn beside it. What fails in another way than by
/// a check, as by a panic, explains itself.
fn explained(
    args: &ShrinkArgs,
    shrunk: &Shrunk,
    out: &Path,
) -> Result<Option<Explanation>, Failure> {
    if !shrunk.is_check() {
        return Ok(None);
    }
    let plan = planned(out, &shrunk.text).map_err(other)?;
    let explanation = explain(&plan, &args.seeded.hooks()).map_err(other)?;
    if let Some(explanation) = &explanation {
        draw_beside(explanation, out)?;
    }
    Ok(explanation)
}

fn say_what(args: &ShrinkArgs, shrunk: &Shrunk, out: &Path, explanation: Option<&Explanation>) {
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
        if let Some(explanation) = explanation {
            say!("\n{}", explanation.text(&again(out, &args.seeded.hooks())));
        }
    }
}

fn beside(file: &Path) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!("{stem}-shrunk.yaml"))
}
