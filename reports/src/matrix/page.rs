//! `report.html` of a study, and its screen of text.

use super::design::Design;
use super::map;
use super::writer::MatrixReport;
use crate::files::ReportError;
use crate::headline::verdict as class;
use crate::{comparison, figures, words};
use askama::Template;
use consim_check::statistics::Interval;
use consim_check::verdict;
use std::fmt::Write as _;

/// Designs that the page has rows for; `matrix.json` has all.
const ROWS: usize = 500;
/// Designs on the screen.
const SCREEN: usize = 12;

struct Axis {
    name: String,
    values: u64,
}

struct Row {
    name: String,
    class: &'static str,
    verdict: String,
    safety: (String, String),
    cells: Vec<Estimate>,
}

/// The name of the first design; the headings; of every other design its name and the differences to the first.
type Against = (String, Vec<&'static str>, Vec<(String, Vec<Estimate>)>);

#[derive(Template)]
#[template(path = "matrix.html")]
struct Page<'a> {
    title: String,
    about: Option<String>,
    version: &'a str,
    cells: u64,
    designs: u64,
    seeds: usize,
    answer: (&'static str, String),
    axes: Vec<Axis>,
    figure: Option<(String, String)>,
    figure_css: String,
    heads: Vec<&'static str>,
    rows: Vec<Row>,
    rest: Option<String>,
    against: Option<Against>,
    disturbed: bool,
    paired: bool,
}

/// A figure of the tables: word, heading, how it is written.
type Column = (&'static str, &'static str, fn(f64) -> String);

const COLUMNS: [Column; 8] = [
    ("throughput_left", "Throughput left", words::percent),
    ("downtime_s", "Without progress", words::seconds),
    ("sensitivity", "Area between latencies", words::seconds),
    ("acknowledged_lost", "Acknowledged and lost", words::short),
    ("throughput", "Committed, tx/s", words::short),
    ("latency_p50", "Median latency", words::millis),
    ("latency_p99", "99th percentile", words::millis),
    ("availability", "Availability", words::percent),
];

/// The columns that a design has anything for.
fn columns(designs: &[Design]) -> Vec<Column> {
    let fed = |column: &&Column| designs.iter().any(|d| d.figure(column.0).is_some());
    COLUMNS.iter().filter(fed).copied().collect()
}

/// An estimate, and its interval if it has one.
type Estimate = (String, Option<String>);

/// The interval in words; none where all seeds agree, which says nothing of others.
pub(super) fn ends(figure: &Interval, render: impl Fn(f64) -> String + Copy) -> Option<String> {
    let wide = figure.is_bounded() && render(figure.low) != render(figure.high);
    wide.then(|| words::between(figure, render))
}

fn cell(figure: Option<Interval>, render: impl Fn(f64) -> String + Copy) -> Estimate {
    let Some(figure) = figure else {
        return ("–".into(), None);
    };
    (render(figure.estimate), ends(&figure, render))
}

/// How the cells of a design ended: colour and words, the worst first.
fn ended(design: &Design) -> (&'static str, String) {
    let n = design.cells.len() as u64;
    let kinds = [
        (verdict::EXIT_SAFETY, "fail", "safety violated"),
        (verdict::EXIT_LIVENESS, "fail", "no liveness"),
        (verdict::EXIT_EXPECTATION, "fail", "expectation missed"),
        (verdict::EXIT_UNKNOWN, "unknown", "unknown"),
        (verdict::EXIT_PASS, "pass", "pass"),
    ];
    let mut seen = kinds
        .iter()
        .map(|(code, class, said)| (*class, *said, design.ended(&[*code])))
        .filter(|(.., count)| *count > 0);
    let Some((class, said, count)) = seen.next() else {
        return ("unknown", "–".into());
    };
    if count == n {
        (class, said.into())
    } else {
        (class, format!("{said} {count} of {n}"))
    }
}

fn worst(designs: &[Design]) -> (&'static str, String) {
    let all: u64 = designs.iter().map(|d| d.cells.len() as u64).sum();
    let code = designs.iter().map(Design::exit_code);
    let code = code.min_by_key(|code| comparison::rank(*code));
    let code = code.unwrap_or(verdict::EXIT_PASS);
    let count: u64 = designs.iter().map(|d| d.ended(&[code])).sum();
    let of = if count == all {
        format!("in all {}", words::counted(all, "run", "runs"))
    } else {
        format!(
            "in {} of {}",
            words::count(count),
            words::counted(all, "run", "runs")
        )
    };
    match code {
        verdict::EXIT_SAFETY => (class("fail"), format!("Fail: safety was violated {of}.")),
        verdict::EXIT_LIVENESS => (class("fail"), format!("Fail: liveness was violated {of}.")),
        verdict::EXIT_EXPECTATION => (
            class("fail"),
            format!("Expectation missed {of}; no check was violated in any."),
        ),
        verdict::EXIT_UNKNOWN => (
            class("unknown"),
            format!("Unknown {of}; no check was violated in any."),
        ),
        _ => (class("pass"), format!("Pass {of}.")),
    }
}

fn row(design: &Design, columns: &[Column]) -> Row {
    let (class, verdict) = ended(design);
    let n = design.cells.len() as u64;
    Row {
        name: words::clip(&design.name(), 120),
        class,
        verdict,
        safety: words::counted_share(design.unsafe_cells(), n),
        cells: columns
            .iter()
            .map(|(word, _, render)| cell(design.figure(word), *render))
            .collect(),
    }
}

/// Differences of the other designs to the first, seed by seed.
fn against(designs: &[Design], columns: &[Column]) -> Option<Against> {
    let (first, others) = designs.split_first()?;
    if first.cells.len() < 2 || others.is_empty() {
        return None;
    }
    let columns = columns.iter();
    let columns: Vec<Column> = columns
        .filter(|c| first.figure(c.0).is_some())
        .copied()
        .collect();
    let rows = others.iter().take(ROWS).map(|design| {
        let cells = columns.iter().map(|(word, _, render)| {
            let signed = |value: f64| {
                let text = render(value.abs());
                match value {
                    v if v > 0.0 => format!("+{text}"),
                    v if v < 0.0 => format!("−{text}"),
                    _ => text,
                }
            };
            cell(design.against(first, word), signed)
        });
        (words::clip(&design.name(), 120), cells.collect())
    });
    let rows = rows.collect();
    let heads = columns.iter().map(|(_, head, _)| *head).collect();
    Some((words::clip(&first.name(), 120), heads, rows))
}

pub(super) fn page(
    study: &MatrixReport,
    designs: &[Design],
    version: &str,
    cells: u64,
) -> Result<String, ReportError> {
    let columns = columns(designs);
    let more = designs.len().saturating_sub(ROWS) as u64;
    let page = Page {
        title: words::clip(&study.scenario, 120),
        about: study.about.as_ref().map(|a| words::clip(a, 600)),
        version,
        cells,
        designs: designs.len() as u64,
        seeds: designs.iter().map(|d| d.cells.len()).max().unwrap_or(0),
        answer: worst(designs),
        axes: study
            .axes
            .iter()
            .map(|axis| Axis {
                name: axis.name.clone(),
                values: axis.values,
            })
            .collect(),
        figure: map::map(&study.axes, study.variants, designs)?,
        figure_css: figures::stylesheet(),
        heads: columns.iter().map(|(_, head, _)| *head).collect(),
        rows: designs
            .iter()
            .take(ROWS)
            .map(|d| row(d, &columns))
            .collect(),
        rest: (more > 0).then(|| format!("and {} more, in matrix.json.", words::count(more))),
        against: against(designs, &columns),
        disturbed: columns.iter().any(|(word, ..)| *word == "downtime_s"),
        paired: columns.iter().any(|(word, ..)| *word == "throughput_left"),
    };
    let mut html = page.render()?;
    html.push('\n');
    Ok(html)
}

/// A screen of text: the worst first, then the designs in order.
pub(super) fn summary(study: &MatrixReport, designs: &[Design], cells: u64) -> String {
    let mut out = format!(
        "{}: {} of {}\n{}\n\n",
        study.scenario,
        words::counted(cells, "cell", "cells"),
        words::counted(designs.len() as u64, "design", "designs"),
        worst(designs).1
    );
    for design in designs.iter().take(SCREEN) {
        let mut parts = vec![ended(design).1];
        for (word, name, render) in [
            ("throughput", "tx/s", words::short as fn(f64) -> String),
            ("latency_p99", "p99", words::millis),
            ("throughput_left", "left", words::percent),
            ("downtime_s", "without progress", words::seconds),
        ] {
            if let Some(figure) = design.figure(word) {
                parts.push(format!("{name} {}", words::estimate(&figure, render)));
            }
        }
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{}: {}", design.name(), parts.join("; "));
    }
    if designs.len() > SCREEN {
        let _ = writeln!(out, "and {} more designs", designs.len() - SCREEN);
    }
    out.replace(words::NBSP, " ")
}
