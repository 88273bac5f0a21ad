//! `consim explore`: random scenarios with all checks on; failures are made minimal and saved.

use crate::cli::ExploreArgs;
use crate::clock::{duration, started};
use crate::exit;
use crate::overrides::draw_seed;
use crate::regressions::Regressions;
use crate::replay::{again, draw_beside};
use crate::run::{Failure, junit, other};
use consim_core::Severity;
use consim_reports::{JunitCase, JunitEnd, JunitSuite};
use consim_scenarios::explore::{
    Failing, Focus, MEMBERS, MODELS, Search, Shape, TWICE, Tally, planned,
};
use consim_scenarios::registries;
use consim_scenarios::run::story::{Explanation, explain};
use consim_scenarios::run::{Hooks, cells};
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
    let budget = Budget::new(args.max_wall.as_deref()).map_err(bad)?;
    let protocols = protocols(&args.protocol).map_err(bad)?;
    let focus = focus(args).map_err(bad)?;
    let regressions = if args.no_regressions || args.file.is_some() {
        Regressions::none()
    } else {
        Regressions::run(args.regressions.as_deref(), &|| budget.is_left())
    };
    if !args.quiet && !args.json {
        say!("{}", regressions.summary());
    }
    let mut tallies: Vec<serde_json::Value> = Vec::new();
    let mut codes = vec![regressions.code()];
    let mut suites: Vec<JunitSuite> = regressions.junit().into_iter().collect();
    let share = time.map(|time| time / protocols.len().max(1) as u32);
    for protocol in protocols {
        let search = Search {
            protocol,
            focus: focus.clone(),
            file: args.file.clone(),
            only: shape(args),
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
        let (code, suite) = one(args, &search, share, &budget, &mut tallies)?;
        codes.push(code);
        suites.push(suite);
        if args.file.is_some() || !budget.is_left() {
            break;
        }
    }
    if args.json {
        let text = serde_json::to_string_pretty(&tallies).map_err(other)?;
        sayln!("{text}");
    }
    junit(args.junit.as_deref(), &suites)?;
    if !args.quiet && !budget.is_left() {
        eprintln!("the search was cut: its time was up (--max-wall)");
    }
    Ok(worst(codes))
}

/// The only shape of scenarios that is asked for.
fn shape(args: &ExploreArgs) -> Option<Shape> {
    let hidden = args.hidden.then_some(Shape::Hidden);
    args.twins.then_some(Shape::Twins).or(hidden)
}

/// The worst exit code: safety, liveness, what was missed, anything else.
fn worst(codes: Vec<u8>) -> u8 {
    let failed = codes.into_iter().filter(|code| *code != exit::PASS);
    let rank = |code: &u8| if *code == exit::OTHER { u8::MAX } else { *code };
    failed.min_by_key(rank).unwrap_or(exit::PASS)
}

/// The wall time of the whole command.
struct Budget {
    clock: Box<dyn Fn() -> Duration>,
    most: Option<Duration>,
}

impl Budget {
    fn new(most: Option<&str>) -> Result<Self, String> {
        let most = most.map(|text| duration("--max-wall", text)).transpose()?;
        Ok(Self {
            clock: Box::new(started()),
            most,
        })
    }
    fn is_left(&self) -> bool {
        self.most.is_none_or(|most| (self.clock)() < most)
    }
}

/// Searches one protocol.
fn one(
    args: &ExploreArgs,
    search: &Search,
    time: Option<Duration>,
    budget: &Budget,
    tallies: &mut Vec<serde_json::Value>,
) -> Result<(u8, JunitSuite), Failure> {
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
        budget.is_left() && time.is_none_or(|time| clock() < time)
    });
    bar.finish_and_clear();
    let wall = clock();
    let tally = tally.map_err(|message| (exit::BAD_INPUT, message))?;
    let (mut current, mut since) = (None, clock());
    let failing = search.reduce(&tally, &mut |number| {
        if current != Some(number) {
            (current, since) = (Some(number), clock());
        }
        budget.is_left() && clock().saturating_sub(since) < SHRINK
    });
    let dir = args.out.clone();
    let dir = dir.unwrap_or_else(|| PathBuf::from(format!("results/explore-{}", search.seed)));
    let saved = save(search, &dir, &failing)?;
    let explanations = failing.iter().zip(&saved);
    let explanations = explanations.map(|(failing, file)| explained(search, failing, file));
    let explanations: Result<Vec<_>, Failure> = explanations.collect();
    let mut explanations = explanations?.into_iter();
    let code = code(&tally);
    if args.json {
        let mut tally = serde_json::to_value(&tally).map_err(other)?;
        if let Some(fields) = tally.as_object_mut() {
            fields.insert("protocol".into(), search.protocol.clone().into());
        }
        tallies.push(tally);
    } else if !args.quiet {
        say!("{}", summary(search, &tally, wall));
        for (failing, file) in failing.iter().zip(&saved) {
            let explanation = explanations.next().flatten();
            say!(
                "{}",
                story(failing, file, explanation.as_ref(), &search.hooks)
            );
        }
    }
    Ok((code, suite(search, &tally, &failing, &saved)))
}

/// Why a minimal scenario fails; its picture is drawn beside it.
fn explained(
    search: &Search,
    failing: &Failing,
    file: &Path,
) -> Result<Option<Explanation>, Failure> {
    if !failing.shrunk.is_check() {
        return Ok(None);
    }
    let plan = planned(&search.place(), &failing.shrunk.text).map_err(other)?;
    let explanation = explain(&plan, &search.hooks).map_err(other)?;
    if let Some(explanation) = &explanation {
        draw_beside(explanation, file)?;
    }
    Ok(explanation)
}

/// A case for each check, and one for each failure.
fn suite(search: &Search, tally: &Tally, failing: &[Failing], saved: &[PathBuf]) -> JunitSuite {
    let case = |class: &str, name: &str, end| JunitCase {
        class: class.to_owned(),
        name: name.to_owned(),
        end,
    };
    let checks = tally.checks.iter().map(|(name, count)| {
        let end = match (count.failed, count.passed) {
            (0, 0) => JunitEnd::Skipped("unknown in all scenarios".into()),
            (0, _) => JunitEnd::Passed,
            (failed, _) => {
                let message = format!("violated in {failed} of {} scenarios", tally.cases);
                JunitEnd::Failed {
                    text: message.clone(),
                    message,
                }
            }
        };
        case("check", name, end)
    });
    let failures = failing.iter().zip(saved).map(|(failing, file)| {
        let fact = failing.shrunk.facts.first().map_or("", String::as_str);
        let end = JunitEnd::Failed {
            message: format!("{} is violated: {fact}", failing.shrunk.check),
            text: format!(
                "again: {}\n\n{}",
                again(file, &search.hooks),
                failing.shrunk.scenario()
            ),
        };
        case("failure", &failing.file_name(), end)
    });
    JunitSuite {
        name: format!("explore {}, seed {}", search.protocol, search.seed),
        cases: checks.chain(failures).collect(),
    }
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
    if let Some(range) = &args.members {
        focus.members = members(range)?;
    }
    Ok(focus)
}

/// How many members, of `A..B` or `A`.
fn members(range: &str) -> Result<(u8, u8), String> {
    let (least, most) = range.split_once("..").unwrap_or((range, range));
    let number = |text: &str| text.trim().parse().ok();
    let (first, last) = MEMBERS;
    match (number(least), number(most)) {
        (Some(least), Some(most)) if first <= least && least <= most && most <= last => {
            Ok((least, most))
        }
        _ => Err(format!(
            "--members {range}: two numbers from {first} to {last} are needed, like {first}..7"
        )),
    }
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
fn save(search: &Search, dir: &Path, failing: &[Failing]) -> Result<Vec<PathBuf>, Failure> {
    let mut saved = Vec::new();
    for failing in failing {
        std::fs::create_dir_all(dir)
            .map_err(|error| other(format!("cannot make {}: {error}", dir.display())))?;
        let file = dir.join(failing.file_name());
        std::fs::write(&file, search.scenario_in(failing, dir))
            .map_err(|error| other(format!("cannot write {}: {error}", file.display())))?;
        saved.push(file);
    }
    Ok(saved)
}

/// The exit code: the worst of what failed.
fn code(tally: &Tally) -> u8 {
    let failed = tally.failures.iter();
    let codes = failed.map(|found| match registries::severity(&found.failure.check) {
        Some(Severity::Safety) => 10,
        Some(Severity::Liveness) => 11,
        None => exit::OTHER,
    });
    worst(codes.collect())
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
fn story(
    failing: &Failing,
    file: &Path,
    explanation: Option<&Explanation>,
    hooks: &Hooks,
) -> String {
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
    let again = again(file, hooks);
    if let Some(explanation) = explanation {
        let _ = writeln!(out, "{}", explanation.text(&again));
        return out;
    }
    for fact in shrunk.facts.iter().take(2) {
        let _ = writeln!(out, "  {fact}");
    }
    let _ = writeln!(out, "  again: {again}");
    out
}
