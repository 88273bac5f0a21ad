//! `consim replay`: a scenario again, told step by step.

use crate::cli::ReplayArgs;
use crate::clock::instant;
use crate::exit;
use crate::overrides::{draw_seed, load_options};
use crate::run::{Failure, other};
use consim_check::verdict::{self, EXIT_EXPECTATION};
use consim_core::Time;
use consim_scenarios::plan::Plan;
use consim_scenarios::registries::suggest;
use consim_scenarios::run::Hooks;
use consim_scenarios::run::story::{Explanation, Part, Told, node_names, replay as tell};
use consim_scenarios::study;
use std::path::Path;

/// Runs the verb; returns the exit code.
pub(crate) fn replay(args: &ReplayArgs) -> u8 {
    run(args).unwrap_or_else(|(code, message)| {
        eprintln!("error: {message}");
        code
    })
}

fn run(args: &ReplayArgs) -> Result<u8, Failure> {
    let bad = |message: String| (exit::BAD_INPUT, message);
    let plan = planned(args)?;
    let part = part(args, &plan).map_err(bad)?;
    if let Some(svg) = &args.svg
        && svg.exists()
        && !args.force
    {
        return Err(bad(format!(
            "{} is there already; --force replaces it",
            svg.display()
        )));
    }
    let hooks = args.seeded.hooks();
    let told = tell(&plan, &hooks, &part, &mut |_| {}).map_err(other)?;
    if let Some(svg) = &args.svg {
        draw(&told.diagram, svg)?;
    }
    let code = code(&plan, &hooks, &told);
    let ends = ending(&plan, &hooks, &told);
    if args.json {
        let broken = told
            .broken
            .iter()
            .map(|(check, at)| serde_json::json!({ "check": check, "at_ns": at.nanos() }));
        let value = serde_json::json!({
            "lines": told.lines, "broken": broken.collect::<Vec<_>>(),
            "verdict": told.run.results.outcome.verdict, "says": ends, "exit_code": code,
            "run_digest": told.run.results.outcome.run_digest,
        });
        sayln!("{value:#}");
    } else if !args.quiet {
        for line in &told.lines {
            sayln!("{line}");
        }
        if let Some(explanation) = &told.explanation {
            say!("\n{}", explanation.text(&again(&args.file, &hooks)));
        }
        sayln!("\n{ends}");
    }
    Ok(code)
}

/// The plan of a scenario of one run.
fn planned(args: &ReplayArgs) -> Result<Plan, Failure> {
    let drawn = draw_seed();
    let study = study(&args.file, &load_options(&args.overrides, drawn));
    let mut runs = study
        .map_err(|found| (exit::BAD_INPUT, found.render().trim_end().to_owned()))?
        .runs;
    match runs.pop() {
        Some(run) if runs.is_empty() && run.label.is_none() => {
            if run.loaded.seed_drawn && !args.quiet {
                eprintln!("seed {drawn} (drawn: the scenario names none)");
            }
            Ok(run.loaded.plan)
        }
        _ => Err((
            exit::BAD_INPUT,
            "a scenario with `compare` or `vary` has many stories; name one run with --set".into(),
        )),
    }
}

fn part(args: &ReplayArgs, plan: &Plan) -> Result<Part, String> {
    let at = |option: &str, text: &Option<String>| {
        let text = text.as_deref();
        text.map(|text| instant(option, text)).transpose()
    };
    let (from, until) = (at("--from", &args.from)?, at("--until", &args.until)?);
    if let (Some(from), Some(until)) = (from, until)
        && from > until
    {
        return Err(format!("--from {from} is after --until {until}"));
    }
    let end = Time::ZERO + plan.duration;
    if let Some(from) = from.filter(|from| *from > end) {
        return Err(format!("--from {from} is after the end of the run, {end}"));
    }
    let known = node_names(plan);
    for name in &args.nodes {
        if !known.contains(name) {
            let all: Vec<&str> = known.iter().map(String::as_str).collect();
            return Err(format!(
                "no node is called `{name}`; {}",
                suggest(name, &all)
            ));
        }
    }
    Ok(Part {
        from,
        until,
        nodes: args.nodes.clone(),
    })
}

/// 0 if what is meant to break does, and nothing before it; else that of the run.
fn code(plan: &Plan, hooks: &Hooks, told: &Told) -> u8 {
    match plan.demanded(hooks.bug) {
        Some(meant) if told.violates_first(meant) => exit::PASS,
        Some(_) => EXIT_EXPECTATION,
        None => verdict::exit_code(&told.run.results.outcome),
    }
}

/// The verdict, in a sentence.
fn ending(plan: &Plan, hooks: &Hooks, told: &Told) -> String {
    let broken: Vec<&str> = told.broken.iter().map(|(check, _)| *check).collect();
    let broken = broken.join(", ");
    match plan.demanded(hooks.bug) {
        Some(meant) if told.violates_first(meant) => {
            format!("as meant: {meant} is violated, and nothing before it (violated: {broken})")
        }
        Some(meant) if broken.is_empty() => {
            format!("not as meant: {meant} is not violated, nor is any other check")
        }
        Some(meant) => {
            format!("not as meant: first of all {meant} had to be violated, it was {broken}")
        }
        None => {
            let outcome = &told.run.results.outcome;
            let of = if broken.is_empty() {
                "no check is violated".to_owned()
            } else {
                format!("violated: {broken}")
            };
            format!("verdict {}; {of}", outcome.verdict)
        }
    }
}

/// The command that tells the story of `file` again.
pub(crate) fn again(file: &Path, hooks: &Hooks) -> String {
    let bug = hooks
        .bug
        .map_or_else(String::new, |bug| format!(" --bug {}", bug.name));
    format!("consim replay {}{bug}", file.display())
}

/// Writes a space-time diagram.
pub(crate) fn draw(diagram: &consim_check::diagram::Diagram, file: &Path) -> Result<(), Failure> {
    let svg = consim_reports::space_time(diagram).map_err(other)?;
    std::fs::write(file, svg)
        .map_err(|error| other(format!("cannot write {}: {error}", file.display())))
}

/// Writes the diagram of an explanation beside the scenario that it explains: NAME.svg.
pub(crate) fn draw_beside(explanation: &Explanation, scenario: &Path) -> Result<(), Failure> {
    draw(&explanation.diagram, &scenario.with_extension("svg"))
}
