//! `consim explore`: random scenarios with all checks on; failures are made minimal and saved.

use crate::cli::ExploreArgs;
use crate::clock::{duration, started};
use crate::exit;
use crate::overrides::draw_seed;
use crate::run::{Failure, other};
use consim_core::Severity;
use consim_scenarios::explore::{Failing, Focus, MODELS, Search, TWICE, Tally};
use consim_scenarios::registries;
use consim_scenarios::run::cells;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Scenarios of a search without `--seeds` and `--for`.
const SEEDS: u64 = 1_000;
/// The most time that making one failure minimal takes.
const SHRINK: Duration = Duration::from_secs(60);

/// Runs the verb; returns the exit code.
pub(crate) fn explore(args: &ExploreArgs) -> u8 {
    run(args).unwrap_or_else(|(code, message)| {
        eprintln!("error: {message}");
        code
    })
}

fn run(args: &ExploreArgs) -> Result<u8, Failure> {
    let bad = |message| (exit::BAD_INPUT, message);
    let time = args.time.as_deref().map(|text| duration("--for", text));
    let time = time.transpose().map_err(bad)?;
    let seed = args.seed.unwrap_or_else(draw_seed);
    if args.seed.is_none() && !args.quiet {
        eprintln!("seed {seed} (drawn)");
    }
    let mut all = Vec::new();
    let protocols = protocols(&args.protocol).map_err(bad)?;
    let share = time.map(|time| time / protocols.len().max(1) as u32);
    for protocol in protocols {
        let search = Search {
            protocol,
            focus: focus(args).map_err(bad)?,
            file: args.file.clone(),
            twins: args.twins,
            seed,
            most: args.seeds.or((time.is_none()).then_some(SEEDS)),
            twice: TWICE,
            threads: args.threads.map_or_else(cells::threads, usize::from),
            hooks: args.seeded.hooks(),
        };
        #[cfg(feature = "seeded-bugs")]
        if args.bugs {
            return crate::kill_table::run(args, &search, time);
        }
        all.push(one(args, &search, share)?);
        if args.file.is_some() {
            break;
        }
    }
    Ok(all
        .into_iter()
        .find(|code| *code != exit::PASS)
        .unwrap_or(exit::PASS))
}

/// Searches one protocol.
fn one(args: &ExploreArgs, search: &Search, time: Option<Duration>) -> Result<u8, Failure> {
    let clock = started();
    let bar = bar(args, search.most);
    let tally = search.run(&mut |tally| {
        bar.set_position(tally.cases);
        bar.set_message(format!(
            "{:.0}/s, {} states, {} failed",
            tally.cases as f64 / clock().as_secs_f64().max(1e-9),
            tally.states,
            tally.failed
        ));
        time.is_none_or(|time| clock() < time)
    });
    bar.finish_and_clear();
    let wall = clock();
    let tally = tally.map_err(|message| (exit::BAD_INPUT, message))?;
    let (mut current, mut since) = (None, clock());
    let failing = search.reduce(&tally, &mut |number| {
        if current != Some(number) {
            (current, since) = (Some(number), clock());
        }
        clock() - since < SHRINK
    });
    let dir = args.out.clone();
    let dir = dir.unwrap_or_else(|| PathBuf::from(format!("results/explore-{}", search.seed)));
    let saved = save(&dir, &failing)?;
    if args.json {
        let text = serde_json::to_string_pretty(&tally).map_err(other)?;
        sayln!("{text}");
    } else if !args.quiet {
        say!("{}", summary(search, &tally, wall));
        for (failing, file) in failing.iter().zip(&saved) {
            say!("{}", story(failing, file));
        }
    }
    Ok(code(&tally))
}

/// The protocols that `word` means.
fn protocols(word: &str) -> Result<Vec<String>, String> {
    let known = registries::list("protocols")
        .into_iter()
        .map(|entry| entry.name);
    let known: Vec<String> = known.collect();
    match word {
        "all" => Ok(known),
        word if known.iter().any(|name| name == word) => Ok(vec![word.to_owned()]),
        _ => Err(format!(
            "no protocol is called `{word}`; there are: all, {}",
            known.join(", ")
        )),
    }
}

fn focus(args: &ExploreArgs) -> Result<Focus, String> {
    let mut focus = Focus::default();
    if let Some(word) = &args.model {
        let place = MODELS.iter().position(|model| model.name == word);
        let names: Vec<&str> = MODELS.iter().map(|model| model.name).collect();
        let place = place.ok_or_else(|| {
            format!(
                "no model is called `{word}`; there are: {}",
                names.join(", ")
            )
        })?;
        focus.models = vec![place as u8];
    }
    Ok(focus)
}

pub(crate) fn bar(args: &ExploreArgs, most: Option<u64>) -> indicatif::ProgressBar {
    if args.quiet {
        return indicatif::ProgressBar::hidden();
    }
    let bar = most.map_or_else(
        indicatif::ProgressBar::no_length,
        indicatif::ProgressBar::new,
    );
    let shape = if most.is_some() {
        "{bar:40} {pos} of {len} scenarios, {msg}"
    } else {
        "{elapsed_precise} {pos} scenarios, {msg}"
    };
    if let Ok(style) = indicatif::ProgressStyle::with_template(shape) {
        bar.set_style(style);
    }
    bar
}

/// Writes the minimal scenarios; their names hang on their contents.
fn save(dir: &Path, failing: &[Failing]) -> Result<Vec<PathBuf>, Failure> {
    let mut saved = Vec::new();
    for failing in failing {
        std::fs::create_dir_all(dir)
            .map_err(|error| other(format!("cannot make {}: {error}", dir.display())))?;
        let file = dir.join(failing.file_name());
        std::fs::write(&file, failing.shrunk.scenario())
            .map_err(|error| other(format!("cannot write {}: {error}", file.display())))?;
        saved.push(file);
    }
    Ok(saved)
}

/// The exit code: the worst of what failed.
fn code(tally: &Tally) -> u8 {
    let severity = |name: &str| registries::severity(name);
    let failed = tally
        .failures
        .iter()
        .map(|found| found.failure.check.as_str());
    failed
        .map(|check| match severity(check) {
            Some(Severity::Safety) => 10,
            Some(Severity::Liveness) => 11,
            None => exit::OTHER,
        })
        .min_by_key(|code| match code {
            10 => 0,
            11 => 1,
            _ => 2,
        })
        .unwrap_or(exit::PASS)
}

/// What was searched, kind by kind and check by check.
fn summary(search: &Search, tally: &Tally, wall: Duration) -> String {
    let mut out = String::new();
    let wall = wall.as_secs_f64().max(1e-9);
    let _ = writeln!(
        out,
        "{} scenarios of {} in {wall:.1} s ({:.0} a minute), {:.0} virtual hours, {:.1} M events; seed {}",
        tally.cases,
        search.protocol,
        tally.cases as f64 / wall * 60.0,
        tally.seconds / 3_600.0,
        tally.events as f64 / 1e6,
        search.seed
    );
    let _ = writeln!(
        out,
        "{} states of the group; {} scenarios run twice, to the same end\n",
        tally.states, tally.twice
    );
    let _ = writeln!(
        out,
        "{:24} {:>9} {:>12}",
        "what happened", "windows", "took effect"
    );
    for (kind, count) in &tally.kinds {
        let _ = writeln!(
            out,
            "{kind:24} {:>9} {:>12}",
            count.windows, count.effective
        );
    }
    let _ = writeln!(
        out,
        "\n{:24} {:>9} {:>9} {:>9} {:>12}",
        "check", "held", "unknown", "violated", "facts"
    );
    for (check, count) in &tally.checks {
        let _ = writeln!(
            out,
            "{check:24} {:>9} {:>9} {:>9} {:>12}",
            count.passed, count.unknown, count.failed, count.evaluated
        );
    }
    let unmet: Vec<&str> = tally.unmet().collect();
    let _ = writeln!(
        out,
        "\n{} of {} situations were met{}{}",
        tally.marks.len() - unmet.len(),
        tally.marks.len(),
        if unmet.is_empty() { "" } else { ", but not: " },
        unmet.join(", ")
    );
    let failed = match tally.failed {
        0 => "nothing failed".to_owned(),
        1 => "1 scenario failed".to_owned(),
        n => format!("{n} scenarios failed"),
    };
    let _ = writeln!(out, "\n{failed}");
    out
}

/// A failure, in few lines.
fn story(failing: &Failing, file: &Path) -> String {
    let mut out = String::new();
    let shrunk = &failing.shrunk;
    let _ = writeln!(
        out,
        "\n{} is violated in {} scenarios, first in number {}: {} of {} faults and attacks are left after {} runs{}",
        shrunk.check,
        failing.scenarios,
        failing.number,
        shrunk.kinds.len(),
        shrunk.events_before,
        shrunk.runs,
        if shrunk.minimal { "" } else { " (time was up)" }
    );
    for fact in shrunk.facts.iter().take(2) {
        let _ = writeln!(out, "  {fact}");
    }
    let _ = writeln!(out, "  again: consim run {}", file.display());
    out
}
