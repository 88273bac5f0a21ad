//! `report.html`: one file that opens anywhere, prints, and needs neither network nor script.

use crate::figures::{self, Figure, TimeGeometry, WIDTH};
use crate::files::ReportError;
use crate::headline::{answer, headline, relation};
use crate::words::{self, count, counted};
use crate::{availability, csv, json};
use askama::Template;
use consim_check::outcome::{CheckOutcome, FaultOutcome, Operation, Outcome};
use consim_check::results::Results;
use serde::Serialize;

/// Rows of the table of nodes.
const NODES: usize = 200;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    title: String,
    outcome: &'a Outcome,
    about: Option<&'a str>,
    class: &'static str,
    headline: String,
    explanation: Vec<String>,
    tiles: Vec<Tile>,
    gates: Vec<Gate>,
    figures: &'a [Figure],
    figure_css: String,
    operations: Vec<OperationRow>,
    faults: Vec<FaultRow>,
    chains: Vec<ChainRow>,
    checks: Vec<CheckRow<'a>>,
    checks_sentence: String,
    bottleneck: &'a str,
    nodes: Vec<NodeRow>,
    more_nodes: usize,
    domain: &'a [(String, String)],
    inputs: Vec<InputRow<'a>>,
    notes: &'a [String],
    sources: &'a [(String, String)],
    plan: &'a str,
    run_line: String,
    series_json: String,
}

struct Tile {
    name: &'static str,
    value: String,
    note: String,
}

struct Gate {
    name: String,
    path: String,
    limit: String,
    value: String,
    relation: String,
    class: &'static str,
    verdict: &'static str,
}

struct OperationRow {
    name: String,
    submitted: String,
    done: String,
    refused: String,
    failed: String,
    open: String,
    availability: String,
    latency: [String; 4],
}

struct FaultRow {
    name: String,
    kind: String,
    code: String,
    window: String,
    effect: String,
    idle: bool,
    hit: String,
    downtime: String,
    first_commit: String,
    sensitivity: String,
    lost: String,
}

struct ChainRow {
    name: String,
    protocol: String,
    members: String,
    height: String,
    rate: String,
    latency: [String; 2],
    views: String,
    ledger: String,
}

struct CheckRow<'a> {
    check: &'a CheckOutcome,
    class: &'static str,
    evaluated: String,
    more: u64,
}

struct NodeRow {
    name: String,
    tier: String,
    region: String,
    shares: [String; 4],
    messages: String,
    bytes_out: String,
    down: String,
}

struct InputRow<'a> {
    path: &'a str,
    taken: String,
    skipped: String,
    notes: &'a [String],
}

impl Page<'_> {
    /// A figure by name, as SVG; the backend escapes every text in it.
    fn svg(&self, name: &str) -> &str {
        self.figures
            .iter()
            .find(|f| f.name == name)
            .map_or("", |f| f.svg.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.figures.iter().any(|f| f.name == name)
    }
}

/// The page.
pub(crate) fn report(results: &Results, figures: &[Figure]) -> Result<String, ReportError> {
    let outcome = &results.outcome;
    let title = outcome.variant.as_ref().map_or_else(
        || outcome.scenario.clone(),
        |variant| format!("{}, {variant}", outcome.scenario),
    );
    let nodes = figures::by_use(results);
    let page = Page {
        title,
        outcome,
        about: results.about.as_deref(),
        class: answer(outcome).0,
        headline: headline(results),
        explanation: explanation(outcome),
        tiles: tiles(results),
        gates: gates(outcome),
        figures,
        figure_css: figures::stylesheet(),
        operations: operations(outcome),
        faults: outcome.faults.iter().map(|f| fault(f, outcome)).collect(),
        chains: chains(outcome),
        checks: checks(outcome),
        checks_sentence: checks_sentence(outcome),
        bottleneck: results.bottleneck.trim(),
        more_nodes: nodes.len().saturating_sub(NODES),
        nodes: nodes.into_iter().take(NODES).map(node).collect(),
        domain: &results.domain,
        inputs: inputs(outcome),
        notes: &results.notes,
        sources: &results.sources,
        plan: &results.plan_yaml,
        run_line: run_line(results),
        series_json: series_json(results)?,
    };
    let mut html = page.render()?;
    html.push('\n');
    Ok(html)
}

/// What a reader must know to read the verdict.
fn explanation(outcome: &Outcome) -> Vec<String> {
    let mut out = Vec::new();
    if outcome.partial {
        out.push(
            "The run ended before its planned length: all figures cover the part that was \
             simulated, and operations still open count neither as done nor as failed."
                .into(),
        );
    }
    let unknown = outcome.checks.iter().filter(|c| c.verdict == "unknown");
    if unknown.count() > 0 {
        out.push(
            "A check is unknown if its subject occurs in the plan and yet it judged nothing in this \
             run. Nothing speaks against the property, and nothing for it: a longer run or another \
             load would tell."
                .into(),
        );
    }
    if outcome.expectations.iter().any(|e| e.met.is_none()) {
        out.push("An expectation is open if nothing in this run fed its metric.".into());
    }
    out
}

fn tiles(results: &Results) -> Vec<Tile> {
    let o = &results.outcome;
    let t = &o.throughput;
    let mut tiles = vec![Tile {
        name: "Throughput",
        value: format!("{}{}tx/s", words::short(t.tx_per_s), words::NBSP),
        note: format!(
            "{} committed of {} submitted",
            count(t.committed),
            count(t.submitted)
        ),
    }];
    if o.latency_ms.count > 0 {
        let l = &o.latency_ms;
        tiles.push(Tile {
            name: "Median latency",
            value: words::millis(l.p50),
            note: format!("mean {}", words::millis(l.mean)),
        });
        tiles.push(Tile {
            name: "99th percentile latency",
            value: words::millis(l.p99),
            note: format!("largest {}", words::millis(l.max)),
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
    let passed = o.checks.iter().filter(|c| c.verdict == "pass").count();
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

fn gates(outcome: &Outcome) -> Vec<Gate> {
    let gate = |e: &consim_check::outcome::ExpectationOutcome| {
        let (class, verdict) = match e.met {
            Some(true) => ("pass", "met"),
            Some(false) => ("fail", "missed"),
            None => ("unknown", "open"),
        };
        Gate {
            name: words::upper_first(&words::metric(&e.path)),
            path: e.path.clone(),
            limit: words::limit(&e.limit),
            value: e.value.as_deref().map_or("–".into(), words::quantity),
            relation: if e.met.is_some() && e.value.is_some() {
                relation(e)
            } else {
                "nothing fed this metric".into()
            },
            class,
            verdict,
        }
    };
    outcome.expectations.iter().map(gate).collect()
}

fn operations(outcome: &Outcome) -> Vec<OperationRow> {
    let row = |(name, op): (&String, &Operation)| {
        let l = &op.latency_ms;
        let ms = |x: f64| {
            if l.count == 0 {
                "–".into()
            } else {
                words::millis(x)
            }
        };
        OperationRow {
            name: name.clone(),
            submitted: count(op.submitted),
            done: count(op.committed),
            refused: count(op.refused),
            failed: count(op.failed),
            open: count(op.open),
            availability: availability::of_operation(op).map_or("–".into(), words::percent),
            latency: [ms(l.p50), ms(l.p95), ms(l.p99), ms(l.max)],
        }
    };
    outcome.operations.iter().map(row).collect()
}

fn fault(f: &FaultOutcome, outcome: &Outcome) -> FaultRow {
    let r = outcome.resilience.iter().find(|r| r.id == f.id);
    FaultRow {
        name: f.id.clone(),
        kind: f.kind.clone(),
        code: f.code.clone(),
        window: words::window(f),
        effect: format!("{} {}", count(f.took_effect), f.unit),
        idle: f.took_effect == 0,
        hit: some_of(&f.hit, 6),
        downtime: r.map_or("–".into(), |r| words::seconds(r.downtime_s)),
        first_commit: r
            .and_then(|r| r.time_to_first_commit_s)
            .map_or("–".into(), words::seconds),
        sensitivity: r.map_or("–".into(), |r| words::seconds(r.sensitivity)),
        lost: r.map_or("–".into(), |r| count(r.lost)),
    }
}

/// The first names, and how many more.
fn some_of(names: &[String], max: usize) -> String {
    if names.len() <= max {
        return names.join(", ");
    }
    let shown = names.get(..max).unwrap_or_default();
    format!("{} and {} more", shown.join(", "), names.len() - max)
}

fn chains(outcome: &Outcome) -> Vec<ChainRow> {
    let row = |c: &consim_check::outcome::ChainOutcome| ChainRow {
        name: c
            .instance
            .as_ref()
            .map_or_else(|| c.id.clone(), |i| format!("{} ({i})", c.id)),
        protocol: c.protocol.clone(),
        members: format!("{}, f = {}, quorum {}", c.nodes, c.f, c.quorum),
        height: count(c.height),
        rate: format!("{}{}tx/s", words::short(c.tx_per_s), words::NBSP),
        latency: [
            words::millis(c.latency_ms.p50),
            words::millis(c.latency_ms.p99),
        ],
        views: count(c.views),
        ledger: words::bytes(c.ledger_bytes),
    };
    outcome.chains.iter().map(row).collect()
}

fn checks(outcome: &Outcome) -> Vec<CheckRow<'_>> {
    let class = |c: &CheckOutcome| match c.verdict.as_str() {
        "pass" => "pass",
        "unknown" => "unknown",
        _ => "fail",
    };
    let mut rows: Vec<CheckRow<'_>> = outcome
        .checks
        .iter()
        .map(|check| CheckRow {
            check,
            class: class(check),
            evaluated: count(check.evaluated),
            more: check.violated.saturating_sub(check.violations.len() as u64),
        })
        .collect();
    // What needs attention first; within that, the order of the outcome.
    rows.sort_by_key(|r| match r.class {
        "fail" => 0,
        "unknown" => 1,
        _ => 2,
    });
    rows
}

fn checks_sentence(outcome: &Outcome) -> String {
    let of = |v: &str| outcome.checks.iter().filter(|c| c.verdict == v).count();
    let (pass, unknown, fail) = (of("pass"), of("unknown"), of("fail"));
    let facts: u64 = outcome.checks.iter().map(|c| c.evaluated).sum();
    let mut parts = vec![format!("{pass} passed")];
    if unknown > 0 {
        parts.push(format!("{unknown} judged nothing"));
    }
    if fail > 0 {
        parts.push(format!("{fail} failed"));
    }
    format!(
        "Of {}, {}; together they judged {}.",
        counted(outcome.checks.len() as u64, "check", "checks"),
        words::list(&parts),
        counted(facts, "fact", "facts")
    )
}

fn node(n: &consim_check::results::NodeUse) -> NodeRow {
    NodeRow {
        name: n.name.clone(),
        tier: n.tier.clone(),
        region: n.region.clone(),
        shares: [n.cpu, n.disk, n.nic_out, n.nic_in].map(words::percent),
        messages: count(n.messages),
        bytes_out: words::bytes(n.bytes_out),
        down: if n.down_s > 0.0 {
            words::seconds(n.down_s)
        } else {
            "–".into()
        },
    }
}

fn inputs(outcome: &Outcome) -> Vec<InputRow<'_>> {
    let mut rows = Vec::new();
    for input in &outcome.inputs {
        rows.push(InputRow {
            path: &input.path,
            taken: count(input.taken),
            skipped: count(input.skipped),
            notes: &input.notes,
        });
    }
    rows
}

fn run_line(results: &Results) -> String {
    let o = &results.outcome;
    let warmup = if results.warmup_s > 0.0 {
        format!(
            ", of which the first {} are left out of statistics",
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

/// What the page's script needs: where the time axis lies, and the bins.
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

/// A bin: from, to, transactions a second, operations given up, p50 and p99 in milliseconds.
type Row = (f64, f64, f64, u64, Option<f64>, Option<f64>);

fn series_json(results: &Results) -> Result<String, ReportError> {
    let TimeGeometry { frame, end_s } = figures::geometry(results);
    let finite = |x: f64| x.is_finite().then_some(x);
    let rows = results
        .series
        .iter()
        .enumerate()
        .map(|(i, bin)| {
            let (from, to) = csv::bounds(results, i);
            let rate = bin.committed as f64 / (to - from);
            (
                from,
                to,
                rate,
                bin.failed,
                finite(bin.p50_ms),
                finite(bin.p99_ms),
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
