//! `consim explore --bugs`: which seeded bugs their directed scenarios notice, and which the search
//! finds, how soon.

use crate::cli::ExploreArgs;
use crate::clock::worked;
use crate::exit;
use crate::run::{Failure, other};
use consim_scenarios::bugs::{EXPECTED_VIOLATION, directed};
use consim_scenarios::explore::{Kill, Search};
use consim_scenarios::registries::{SeededBug, bugs};
use consim_scenarios::{LoadOptions, load};
use std::path::Path;
use std::time::Duration;

/// Processor time of the search for one bug, unless `--for` says another.
const TIME: Duration = Duration::from_secs(60);
/// Processor time for making the scenario minimal.
const SHRINK: Duration = Duration::from_secs(60);
/// Of the bugs that a search can notice, it has to notice so many percent.
const LEAST_PERCENT: usize = 90;

/// A line of the table.
struct Row {
    bug: &'static SeededBug,
    directed: bool,
    kill: Option<Kill>,
    seconds: f64,
    shrink_s: f64,
}

/// Runs it; returns the exit code: 0 if every directed scenario notices its bug, and the search
/// enough of them.
pub(crate) fn run(
    args: &ExploreArgs,
    search: &Search,
    time: Option<Duration>,
) -> Result<u8, Failure> {
    let time = time.unwrap_or(TIME);
    let mut rows = Vec::new();
    if !args.quiet {
        sayln!(
            "{:34} {:5} {:10} {:24} {:>9} {:>8} {:>7} {:>9}",
            "bug",
            "code",
            "directed",
            "found by",
            "scenarios",
            "CPU s",
            "events",
            "shrink s"
        );
    }
    let only = args.seeded.hooks().bug;
    let wanted = |bug: &SeededBug| only.is_none_or(|only| only.name == bug.name);
    for bug in bugs().into_iter().filter(|bug| wanted(bug)) {
        let row = one(search, bug, time)?;
        if !args.quiet {
            say!("{}", line(&row));
        }
        rows.push(row);
    }
    Ok(verdict(args, &rows))
}

fn one(search: &Search, bug: &'static SeededBug, time: Duration) -> Result<Row, Failure> {
    let file = Path::new("scenarios/bugs").join(format!("{}.yaml", bug.name));
    let plan = load(&file, &LoadOptions::default());
    let plan = plan
        .map_err(|found| (exit::BAD_INPUT, found.render()))?
        .plan;
    let directed = directed(bug, &plan).map_err(other)?.is_killed();
    // A bug of a check that only a group with too many traitors shows: none is drawn.
    if bug.killers.contains(&EXPECTED_VIOLATION) {
        return Ok(Row {
            bug,
            directed,
            kill: None,
            seconds: 0.0,
            shrink_s: 0.0,
        });
    }
    let clock = worked();
    let mut found_after = Duration::ZERO;
    let kill = search.kill(bug, &mut || clock() < time, &mut || {
        if found_after.is_zero() {
            found_after = clock();
        }
        clock().saturating_sub(found_after) < SHRINK
    });
    let all = clock();
    let seconds = if found_after.is_zero() {
        all
    } else {
        found_after
    };
    Ok(Row {
        bug,
        directed,
        kill: Some(kill.map_err(other)?),
        seconds: seconds.as_secs_f64(),
        shrink_s: all.saturating_sub(seconds).as_secs_f64(),
    })
}

fn line(row: &Row) -> String {
    let directed = if row.directed { "noticed" } else { "SURVIVES" };
    let Some(kill) = &row.kill else {
        return format!(
            "{:34} {:5} {directed:10} directed alone: it takes more traitors than are drawn\n",
            row.bug.name, row.bug.code
        );
    };
    let by = kill.by.as_deref().unwrap_or("SURVIVES");
    let events = kill
        .shrunk
        .as_ref()
        .map_or_else(String::new, |s| s.kinds.len().to_string());
    format!(
        "{:34} {:5} {directed:10} {by:24} {:>9} {:>8.1} {events:>7} {:>9.1}\n",
        row.bug.name, row.bug.code, kill.scenarios, row.seconds, row.shrink_s
    )
}

fn verdict(args: &ExploreArgs, rows: &[Row]) -> u8 {
    let searched: Vec<&Kill> = rows.iter().filter_map(|row| row.kill.as_ref()).collect();
    let found = searched.iter().filter(|kill| kill.by.is_some()).count();
    let directed = rows.iter().filter(|row| row.directed).count();
    let shrunk = searched.iter().filter_map(|kill| kill.shrunk.as_ref());
    let mut events: Vec<usize> = shrunk.clone().map(|shrunk| shrunk.kinds.len()).collect();
    events.sort_unstable();
    let minimal = shrunk.filter(|shrunk| shrunk.minimal).count();
    if !args.quiet {
        sayln!(
            "\n{directed} of {} noticed by their directed scenarios; the search found {found} of {}; {minimal} of {} made minimal in time, with {} faults and attacks at the median and {} at most",
            rows.len(),
            searched.len(),
            events.len(),
            events.get(events.len() / 2).copied().unwrap_or(0),
            events.last().copied().unwrap_or(0)
        );
    }
    let enough = found * 100 >= searched.len() * LEAST_PERCENT;
    if directed == rows.len() && enough {
        exit::PASS
    } else {
        exit::OTHER
    }
}
