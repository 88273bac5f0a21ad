//! `consim bless`: the golden digests of the repository. A list of runs with their digests is
//! committed; here they are run again, and compared or written anew.

use crate::cli::BlessArgs;
use crate::exit;
use consim_scenarios::{LoadOptions, load, run as runner};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The most runs of a list.
const MAX_RUNS: usize = 1_000;

/// A run of the list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    /// The scenario, relative to the working directory.
    scenario: String,
    /// Overrides, as with `--set`.
    #[serde(default)]
    set: Vec<String>,
    /// What must come of it.
    #[serde(default)]
    plan_digest: String,
    #[serde(default)]
    run_digest: String,
    /// BLAKE3 of `outcome.json`, which holds what the checks and metrics made of the run.
    #[serde(default)]
    outcome_digest: String,
}

/// Runs the verb; returns the exit code.
pub(crate) fn bless(args: &BlessArgs) -> u8 {
    match try_bless(args) {
        Ok(code) => code,
        Err((code, message)) => {
            eprintln!("error: {message}");
            code
        }
    }
}

fn try_bless(args: &BlessArgs) -> Result<u8, (u8, String)> {
    let file = &args.file;
    let bad = |why: String| (exit::BAD_INPUT, format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|e| bad(e.to_string()))?;
    let mut list: Vec<Golden> = serde_json::from_str(&text).map_err(|e| bad(e.to_string()))?;
    if list.len() > MAX_RUNS {
        return Err(bad(format!("{} runs; at most {MAX_RUNS}", list.len())));
    }
    let mut changed = 0;
    for golden in &mut list {
        let now = run(golden).map_err(|why| (exit::BAD_INPUT, why))?;
        let what = differences(golden, &now);
        let word = if what.is_empty() { "same" } else { "differs" };
        if !args.quiet {
            sayln!("{word:7} {} {}", golden.scenario, what.join(", "));
        }
        changed += usize::from(!what.is_empty());
        *golden = now;
    }
    if changed == 0 {
        return Ok(exit::PASS);
    }
    if args.check {
        let message = format!(
            "{changed} of {} runs differ from {}; if that is meant, `consim bless` and a line in CHANGELOG.md",
            list.len(),
            file.display()
        );
        return Err((exit::OTHER, message));
    }
    write(file, &list)
        .map_err(|e| (exit::OTHER, format!("cannot write {}: {e}", file.display())))?;
    Ok(exit::PASS)
}

/// Which digests are not those of the list.
fn differences(then: &Golden, now: &Golden) -> Vec<&'static str> {
    [
        ("plan", then.plan_digest == now.plan_digest),
        ("run", then.run_digest == now.run_digest),
        ("outcome", then.outcome_digest == now.outcome_digest),
    ]
    .into_iter()
    .filter(|(_, same)| !same)
    .map(|(what, _)| what)
    .collect()
}

fn run(golden: &Golden) -> Result<Golden, String> {
    let options = LoadOptions {
        sets: golden.set.clone(),
        cwd: std::env::current_dir().unwrap_or_default(),
        ..LoadOptions::default()
    };
    let loaded = load(Path::new(&golden.scenario), &options).map_err(|d| d.render())?;
    let run = runner::execute(&loaded.plan, &mut |_| {}).map_err(|e| e.to_string())?;
    let outcome = &run.results.outcome;
    let json = consim_reports::outcome_json(outcome).map_err(|e| e.to_string())?;
    Ok(Golden {
        plan_digest: outcome.plan_digest.clone(),
        run_digest: outcome.run_digest.clone(),
        outcome_digest: blake3::hash(json.as_bytes()).to_hex().to_string(),
        ..golden.clone()
    })
}

/// Writes the list whole or not at all.
fn write(file: &Path, list: &[Golden]) -> std::io::Result<()> {
    let mut text = serde_json::to_string_pretty(list)?;
    text.push('\n');
    let partial = file.with_extension("partial");
    std::fs::write(&partial, text)?;
    std::fs::rename(&partial, file)
}
