//! Variants of one scenario side by side: `comparison.json` and a joint `report.html`.

use crate::files::{File, ReportError, write_files};
use crate::headline::{answer, headline};
use crate::{figures, json, words};
use askama::Template;
use consim_check::metrics::{self, Unit};
use consim_check::outcome::ExpectationOutcome;
use consim_check::results::Results;
use consim_check::verdict;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The version of the schema of `comparison.json`.
const SCHEMA: u32 = 1;
/// What a run must have to be told apart at a glance, in the order of the first table.
const FIRST: [&str; 6] = [
    "throughput",
    "latency_p50",
    "latency_p99",
    "availability",
    "lost",
    "messages",
];

/// A run: its label, which is also its folder, and what it came to.
type Run = (String, Results);

#[derive(Serialize)]
struct Comparison<'a> {
    schema: u32,
    scenario: &'a str,
    version: &'a str,
    exit_code: u8,
    variants: Vec<Variant<'a>>,
    /// Metric path, label, value.
    metrics: BTreeMap<&'a str, BTreeMap<&'a str, f64>>,
}

#[derive(Serialize)]
struct Variant<'a> {
    label: &'a str,
    folder: &'a str,
    seed: u64,
    plan_digest: &'a str,
    run_digest: &'a str,
    verdict: &'a str,
    exit_code: u8,
    expectations: &'a [ExpectationOutcome],
}

/// Places of exit codes: the worst comes first.
pub(crate) fn rank(code: u8) -> usize {
    let order = [
        verdict::EXIT_SAFETY,
        verdict::EXIT_LIVENESS,
        verdict::EXIT_EXPECTATION,
        verdict::EXIT_UNKNOWN,
        verdict::EXIT_PASS,
    ];
    order.iter().position(|c| *c == code).unwrap_or(0)
}

/// The worst exit code of several runs, in the order 10, 11, 12, 13, 0.
fn worst(runs: &[Run]) -> u8 {
    runs.iter()
        .map(|(_, results)| verdict::exit_code(&results.outcome))
        .min_by_key(|code| rank(*code))
        .unwrap_or(verdict::EXIT_PASS)
}

fn comparison(runs: &[Run]) -> Comparison<'_> {
    let mut table: BTreeMap<&str, BTreeMap<&str, f64>> = BTreeMap::new();
    for (label, results) in runs {
        for (path, value) in &results.outcome.metrics {
            table.entry(path).or_default().insert(label, *value);
        }
    }
    let first = runs.first().map(|(_, results)| &results.outcome);
    Comparison {
        schema: SCHEMA,
        scenario: first.map_or("", |o| o.scenario.as_str()),
        version: first.map_or("", |o| o.version.as_str()),
        exit_code: worst(runs),
        variants: runs
            .iter()
            .map(|(label, results)| {
                let outcome = &results.outcome;
                Variant {
                    label,
                    folder: label,
                    seed: outcome.seed,
                    plan_digest: &outcome.plan_digest,
                    run_digest: &outcome.run_digest,
                    verdict: &outcome.verdict,
                    exit_code: verdict::exit_code(outcome),
                    expectations: &outcome.expectations,
                }
            })
            .collect(),
        metrics: table,
    }
}

/// The metrics of which something is expected in any of the runs, beside those that come first.
fn expected(runs: &[Run]) -> BTreeSet<&str> {
    let all = runs
        .iter()
        .flat_map(|(_, results)| &results.outcome.expectations);
    let paths = all.map(|expectation| expectation.path.as_str());
    paths.filter(|path| !FIRST.contains(path)).collect()
}

/// A metric and its value in each run.
struct Row {
    name: String,
    path: String,
    cells: Vec<String>,
}

struct Column<'a> {
    label: &'a str,
    class: &'static str,
    verdict: &'static str,
    headline: String,
}

struct Gate<'a> {
    label: &'a str,
    name: String,
    class: &'static str,
    verdict: &'static str,
    value: String,
    limit: String,
}

#[derive(Template)]
#[template(path = "comparison.html")]
struct Page<'a> {
    title: String,
    about: Option<String>,
    version: &'a str,
    columns: Vec<Column<'a>>,
    first: Vec<Row>,
    rest: Vec<Row>,
    gates: Vec<Gate<'a>>,
    figure: Option<(String, String)>,
    figure_css: String,
}

/// A value as people read it.
fn rendered(path: &str, value: f64) -> String {
    let unit = metrics::find(path).map_or(Unit::Count, |(entry, ..)| entry.unit);
    match unit {
        Unit::Milliseconds => words::millis(value),
        Unit::PerSecond => format!("{}/s", words::short(value)),
        Unit::Share => words::percent(value),
        Unit::Count => words::short(value),
        Unit::Bytes => words::bytes(value.max(0.0) as u64),
    }
}

fn row(path: &str, runs: &[Run]) -> Row {
    let cell = |(_, results): &Run| {
        let value = results.outcome.metrics.get(path);
        value.map_or_else(|| "–".to_owned(), |v| rendered(path, *v))
    };
    Row {
        name: words::upper_first(&words::metric(path)),
        path: path.to_owned(),
        cells: runs.iter().map(cell).collect(),
    }
}

fn gates(runs: &[Run]) -> Vec<Gate<'_>> {
    let gate = |label, e: &ExpectationOutcome| {
        let (class, verdict) = match e.met {
            Some(true) => ("pass", "met"),
            Some(false) => ("fail", "missed"),
            None => ("unknown", "open"),
        };
        Gate {
            label,
            name: words::upper_first(&words::metric(&e.path)),
            class,
            verdict,
            value: e.value.as_deref().map_or("–".into(), words::quantity),
            limit: words::limit(&e.limit),
        }
    };
    runs.iter()
        .flat_map(|(label, results)| {
            let list = &results.outcome.expectations;
            list.iter().map(move |e| gate(label.as_str(), e))
        })
        .collect()
}

/// `comparison.json` and `report.html`, which links to the report of each run in `LABEL/`.
pub fn comparison_files(runs: &[(String, Results)]) -> Result<Vec<File>, ReportError> {
    let comparison = comparison(runs);
    let paths: BTreeSet<&str> = comparison.metrics.keys().copied().collect();
    let drawn: Vec<(&str, &Results)> = runs.iter().map(|(l, r)| (l.as_str(), r)).collect();
    let about = runs.first().and_then(|(_, r)| r.about.clone());
    let page = Page {
        title: words::clip(comparison.scenario, 120),
        about: about.map(|a| words::clip(&a, 600)),
        version: comparison.version,
        columns: runs
            .iter()
            .map(|(label, results)| {
                let (class, verdict) = answer(&results.outcome);
                Column {
                    label,
                    class,
                    verdict,
                    headline: headline(results),
                }
            })
            .collect(),
        first: FIRST
            .iter()
            .filter(|path| paths.contains(*path))
            .map(|path| row(path, runs))
            .collect(),
        rest: paths
            .iter()
            .filter(|path| !FIRST.contains(path))
            .map(|path| row(path, runs))
            .collect(),
        gates: gates(runs),
        figure: figures::latency_of_runs(&drawn)?,
        figure_css: figures::stylesheet(),
    };
    let mut html = page.render()?;
    html.push('\n');
    Ok(vec![
        File {
            path: "report.html".into(),
            text: html,
        },
        File {
            path: "comparison.json".into(),
            text: json::pretty(&comparison)?,
        },
    ])
}

/// Writes the joint files of a comparison into a folder. The runs are written apart.
pub fn write_comparison(runs: &[(String, Results)], dir: &Path) -> Result<(), ReportError> {
    write_files(&comparison_files(runs)?, dir)
}

/// The comparison in one screen of text, and its exit code.
pub fn comparison_summary(runs: &[(String, Results)]) -> (String, u8) {
    let comparison = comparison(runs);
    let expected = expected(runs);
    let shown = FIRST.iter().copied().chain(expected.iter().copied());
    let rows: Vec<Row> = shown
        .filter(|path| comparison.metrics.contains_key(path))
        .map(|path| row(path, runs))
        .collect();
    let mut lines: Vec<Vec<String>> = vec![vec![String::new()], vec!["verdict".into()]];
    for (label, results) in runs {
        if let [head, verdicts, ..] = lines.as_mut_slice() {
            head.push(label.clone());
            verdicts.push(answer(&results.outcome).1.to_lowercase());
        }
    }
    lines.extend(rows.into_iter().map(|row| {
        let mut line = vec![row.path];
        line.extend(row.cells.into_iter().map(|c| c.replace(words::NBSP, " ")));
        line
    }));
    let columns = runs.len() + 1;
    let widths: Vec<usize> = (0..columns)
        .map(|i| {
            let cells = lines.iter().filter_map(|line| line.get(i));
            cells.map(|cell| words::columns(cell)).max().unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for line in lines {
        let mut text = String::new();
        for (i, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let pad = " ".repeat(width.saturating_sub(words::columns(cell)));
            let parts = if i == 0 {
                [cell.as_str(), &pad, ""]
            } else {
                ["  ", &pad, cell]
            };
            text.extend(parts);
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    (out, comparison.exit_code)
}
