//! `report.html`: one file that opens anywhere, prints, and needs neither network nor script.

mod beside;
pub(crate) mod table;
mod tables;

use crate::figures::{self, Figure, TimeAxis, WIDTH, XMLNS};
use crate::files::ReportError;
use crate::headline::{answer, headline, tally, with};
use crate::words::{self, NBSP, count, counted};
use crate::{availability, json, series};
use askama::Template;
use askama::filters::{Escaper, Html};
use consim_check::outcome::Outcome;
use consim_check::results::Results;
use serde::Serialize;
use std::fmt::{self, Write};
use table::{Rows, Table};

/// Characters of the plan in the page; the whole is in `plan.yaml`.
const PLAN: usize = 200_000;

/// What a text in the templates goes through (`askama.toml`).
#[derive(Clone, Copy)]
pub(crate) struct Escape;

impl Escaper for Escape {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        for c in text.chars() {
            Html.write_escaped_char(&mut dest, words::visible(c))?;
        }
        Ok(())
    }
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    title: String,
    class: &'static str,
    verdict: &'static str,
    headline: String,
    explanation: Vec<&'static str>,
    about: Option<String>,
    run_line: String,
    tiles: Vec<Tile>,
    figures: &'a [Figure],
    figure_css: String,
    expectations: Option<Table>,
    operations: Option<Table>,
    groups: Option<Table>,
    institutions: Option<Table>,
    domain: Rows<&'a (String, String)>,
    changes: Option<Table>,
    faults: Option<Table>,
    attacks: Option<Table>,
    beside: Option<String>,
    with_and_without: [Option<Table>; 3],
    services: Option<Table>,
    checks: Option<Table>,
    checks_sentence: String,
    chains: Option<Table>,
    relays: Option<Table>,
    bottleneck: String,
    nodes: Option<Table>,
    inputs: Option<Table>,
    notes: Rows<&'a String>,
    sources: Rows<&'a (String, String)>,
    plan: String,
    plan_cut: bool,
    outcome: &'a Outcome,
    series_json: String,
}

struct Tile {
    name: &'static str,
    value: String,
    note: String,
}

impl Page<'_> {
    /// A figure with its caption, or nothing; the backend escapes every text in it.
    fn figure(&self, name: &str) -> Option<(String, &str)> {
        let figure = self.figures.iter().find(|f| f.name == name)?;
        Some((figure.svg.replacen(XMLNS, "", 1), &figure.caption))
    }

    fn has_time(&self) -> bool {
        self.figures.iter().any(|f| f.name == "throughput")
    }
}

/// The page.
pub(crate) fn report(results: &Results, figures: &[Figure]) -> Result<String, ReportError> {
    let outcome = &results.outcome;
    let title = outcome.variant.as_ref().map_or_else(
        || outcome.scenario.clone(),
        |variant| format!("{}, {variant}", outcome.scenario),
    );
    // The answer below it must not leave the screen.
    let title = words::clip(&title, table::NAME);
    let (class, verdict) = answer(outcome);
    let plan: String = results.plan_yaml.chars().take(PLAN).collect();
    let [groups, institutions] = tables::organisations(results);
    let page = Page {
        title,
        class,
        verdict,
        headline: headline(results),
        explanation: explanation(outcome),
        about: results.about.as_ref().map(|a| words::clip(a, table::TEXT)),
        run_line: run_line(results),
        tiles: tiles(results),
        figures,
        figure_css: figures::stylesheet(),
        expectations: tables::expectations(outcome),
        operations: tables::operations(outcome),
        groups,
        institutions,
        domain: Rows::of(results.domain.iter()),
        changes: tables::changes(outcome),
        faults: tables::faults(outcome),
        attacks: tables::attacks(outcome),
        beside: beside::sentence(outcome),
        with_and_without: [
            beside::throughput(outcome),
            beside::latencies(outcome),
            beside::safety(outcome),
        ],
        services: beside::services(outcome),
        checks: tables::checks(outcome),
        checks_sentence: checks_sentence(outcome),
        chains: tables::chains(outcome),
        relays: tables::relays(outcome),
        bottleneck: words::clip(results.bottleneck.trim(), table::TEXT),
        nodes: tables::nodes(results),
        inputs: tables::inputs(outcome),
        notes: Rows::of(results.notes.iter()),
        sources: Rows::of(results.sources.iter()),
        plan_cut: plan.len() < results.plan_yaml.len(),
        plan,
        outcome,
        series_json: series_json(results)?,
    };
    let mut html = page.render()?;
    html.push('\n');
    Ok(html)
}

/// What a reader must know to read the verdict.
fn explanation(outcome: &Outcome) -> Vec<&'static str> {
    let mut out = Vec::new();
    if outcome.partial {
        out.push(
            "The run ended before its planned length: all figures cover the part that was \
             simulated.",
        );
    }
    if with(&outcome.checks, "unknown").next().is_some() {
        out.push(
            "A check is unknown if its subject occurs in the plan and yet nothing came up in this \
             run that it could judge. Nothing speaks against the property, and nothing for it: a \
             longer run or another load would tell.",
        );
    }
    if outcome.expectations.iter().any(|e| e.met.is_none()) {
        out.push("An expectation is open if nothing in this run was measured that it speaks of.");
    }
    out
}

fn tiles(results: &Results) -> Vec<Tile> {
    let o = &results.outcome;
    let t = &o.throughput;
    let mut tiles = vec![Tile {
        name: "Throughput",
        value: format!("{}{NBSP}tx/s", words::short(t.tx_per_s)),
        note: format!(
            "{} transactions committed, {} submitted",
            words::big(t.committed),
            words::big(t.submitted)
        ),
    }];
    if o.latency_ms.count > 0 {
        let l = &o.latency_ms;
        tiles.push(Tile {
            name: "99th percentile latency",
            value: words::millis(l.p99),
            note: format!(
                "median {}, largest {}",
                words::millis(l.p50),
                words::millis(l.max)
            ),
        });
    }
    if let Some(share) = availability::of(o) {
        let failed: u64 = o.operations.values().map(|op| op.failed).sum();
        tiles.push(Tile {
            name: "Availability",
            value: words::percent(share),
            note: counted(failed, "operation failed", "operations failed"),
        });
    }
    let passed = with(&o.checks, "pass").count();
    let facts: u64 = o.checks.iter().map(|c| c.evaluated).sum();
    tiles.push(Tile {
        name: "Checks passed",
        value: format!("{passed} of {}", o.checks.len()),
        note: format!("{} facts judged", words::big(facts)),
    });
    let nodes: usize = results.topology.regions.iter().map(|r| r.nodes.len()).sum();
    tiles.push(Tile {
        name: "Traffic",
        value: words::bytes(o.bytes),
        note: format!(
            "{} messages, {}",
            words::big(o.messages),
            counted(nodes as u64, "node", "nodes")
        ),
    });
    tiles
}

fn checks_sentence(outcome: &Outcome) -> String {
    let facts: u64 = outcome.checks.iter().map(|c| c.evaluated).sum();
    format!(
        "Of {}, {}; together they judged {}.",
        counted(outcome.checks.len() as u64, "check", "checks"),
        words::list(&tally(&outcome.checks)),
        counted(facts, "fact", "facts")
    )
}

fn run_line(results: &Results) -> String {
    let o = &results.outcome;
    let warmup = if results.warmup_s > 0.0 {
        format!(
            ", statistics leave out the first {}",
            words::seconds(results.warmup_s)
        )
    } else {
        String::new()
    };
    format!(
        "{} of virtual time{warmup}; {} events, seed {}.",
        words::seconds(o.virtual_seconds),
        count(o.events),
        o.seed
    )
}

/// What the page's script needs: where the time axis lies, and the intervals.
#[derive(Serialize)]
struct Series {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    width: f64,
    end_s: f64,
    rows: Vec<Row>,
}

/// An interval: from, to, transactions committed a second, operations given up, p50 and p99 in
/// milliseconds.
type Row = (f64, f64, f64, u64, Option<f64>, Option<f64>);

fn series_json(results: &Results) -> Result<String, ReportError> {
    let TimeAxis { frame, end_s, .. } = TimeAxis::of(results);
    let finite = |x: f64| x.is_finite().then_some(x);
    let rows = series::intervals(results)
        .iter()
        .map(|i| {
            (
                i.from,
                i.to,
                i.rate(i.committed),
                i.failed,
                finite(i.p50_ms),
                finite(i.p99_ms),
            )
        })
        .collect();
    // Numbers only: nothing in it can end the script element that holds it.
    json::compact(&Series {
        left: frame.left,
        right: frame.right,
        top: frame.top,
        bottom: frame.bottom,
        width: WIDTH,
        end_s,
        rows,
    })
}
