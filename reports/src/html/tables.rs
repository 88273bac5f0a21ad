//! The tables of the page, one function each.

use super::table::{Cell, Table};
use crate::availability;
use crate::figures;
use crate::headline::{margin, verdict, with};
use crate::words::{self, NBSP, count};
use consim_check::outcome::{
    ChainOutcome, ChangeOutcome, CheckOutcome, ExpectationOutcome, FaultOutcome, Input, Latency,
    Operation, Outcome,
};
use consim_check::results::{NodeUse, Results};
use serde_json::Value;

/// Names of nodes that a fault hit; of more the table gives the number.
const HIT: usize = 6;
/// Violations in words; of more the table gives the number.
const VIOLATIONS: usize = 20;
/// Figures of an attack.
const FIGURES: usize = 20;

fn number(text: impl Into<String>) -> Cell {
    Cell::Number(text.into())
}

/// A number, or a dash where there is none.
fn number_or_dash(text: Option<String>) -> Cell {
    Cell::Number(text.unwrap_or_else(|| "–".into()))
}

/// A verdict with its colour.
fn badge(word: &str) -> Cell {
    Cell::Badge(verdict(word), word.into())
}

pub(super) fn expectations(outcome: &Outcome) -> Option<Table> {
    let row = |e: &ExpectationOutcome| {
        let (class, verdict) = match e.met {
            Some(true) => ("pass", "met"),
            Some(false) => ("fail", "missed"),
            None => ("unknown", "open"),
        };
        let name = words::upper_first(&words::metric(&e.path));
        let margin = match (margin(e), e.met) {
            (Some(margin), _) => format!("{margin} the limit"),
            (None, None) => "nothing was measured".into(),
            (None, Some(_)) => "–".into(),
        };
        vec![
            Cell::Name(name, String::new(), e.path.clone()),
            Cell::Badge(class, verdict.into()),
            number_or_dash(e.value.as_deref().map(words::quantity)),
            Cell::Text(words::limit(&e.limit)),
            Cell::Text(margin),
        ]
    };
    Table::of(
        &["Expectation", "Verdict", "Measured", "Limit", "Margin"],
        outcome.expectations.iter().map(row),
    )
}

fn operation(name: &str, op: &Operation, availability: Option<f64>) -> Vec<Cell> {
    let counts = [op.submitted, op.committed, op.refused, op.failed, op.open];
    let Latency {
        p50, p95, p99, max, ..
    } = op.latency_ms;
    let measured = |ms: f64| (op.latency_ms.count > 0).then(|| words::millis(ms));
    let mut row = vec![Cell::name(name)];
    row.extend(counts.map(|n| number(count(n))));
    row.push(number_or_dash(availability.map(words::percent)));
    row.extend([p50, p95, p99, max].map(|ms| number_or_dash(measured(ms))));
    row
}

/// The columns of a table of operations by `what`.
const fn columns(what: &'static str) -> [&'static str; 11] {
    [
        what,
        "Asked",
        "Done",
        "Refused",
        "Failed",
        "Open",
        "Availability",
        "p50",
        "p95",
        "p99",
        "Largest",
    ]
}

static OPERATION: [&str; 11] = columns("Operation");
static GROUP: [&str; 11] = columns("Group");
static INSTITUTION: [&str; 11] = columns("Institution");

/// The operations by groups of organisations, and by institutions.
pub(super) fn organisations(results: &Results) -> [Option<Table>; 2] {
    let row =
        |(name, op): &(String, Operation)| operation(name, op, availability::of_operation(op));
    [
        Table::of(&GROUP, results.groups.iter().map(row)),
        Table::of(&INSTITUTION, results.institutions.iter().map(row)),
    ]
}

pub(super) fn operations(outcome: &Outcome) -> Option<Table> {
    let all = outcome.operations.values();
    let total = Operation {
        submitted: all.clone().map(|op| op.submitted).sum(),
        committed: all.clone().map(|op| op.committed).sum(),
        refused: all.clone().map(|op| op.refused).sum(),
        failed: all.clone().map(|op| op.failed).sum(),
        open: all.map(|op| op.open).sum(),
        availability: f64::NAN,
        latency_ms: outcome.latency_ms,
    };
    let row =
        |(name, op): (&String, &Operation)| operation(name, op, availability::of_operation(op));
    let table = Table::of(&OPERATION, outcome.operations.iter().map(row))?;
    let total = operation("All", &total, availability::of(outcome));
    Some(if outcome.operations.len() > 1 {
        table.with_total(total)
    } else {
        table
    })
}

/// What a fault or attack did to the service: time without progress and its longest piece, first
/// commit after it, given up.
fn resilience(outcome: &Outcome, id: &str) -> [Cell; 4] {
    let r = outcome.resilience.iter().find(|r| r.id == id);
    [
        number_or_dash(r.map(|r| words::seconds(r.downtime_s))),
        number_or_dash(r.map(|r| words::seconds(r.longest_gap_s))),
        number_or_dash(r.and_then(|r| r.time_to_first_commit_s).map(words::seconds)),
        number_or_dash(r.map(|r| count(r.lost))),
    ]
}

pub(super) fn faults(outcome: &Outcome) -> Option<Table> {
    let row = |f: &FaultOutcome| {
        let effect = if f.took_effect == 0 {
            Cell::Badge("unknown", "no effect".into())
        } else {
            Cell::Text(words::effect(f.took_effect, &f.unit))
        };
        let mut row = vec![
            Cell::Name(f.id.clone(), f.code.clone(), f.kind.clone()),
            Cell::Text(words::window(f, outcome.virtual_seconds)),
            effect,
            Cell::Text(some_of(&f.hit, HIT)),
        ];
        row.extend(resilience(outcome, &f.id));
        row
    };
    Table::of(
        &[
            "Fault",
            "Window",
            "Took effect",
            "Hit",
            "Without progress",
            "Longest gap",
            "First commit after",
            "Given up",
        ],
        outcome.faults.iter().map(row),
    )
}

pub(super) fn changes(outcome: &Outcome) -> Option<Table> {
    let row = |change: &ChangeOutcome| {
        let at = |s: Option<f64>| number_or_dash(s.map(words::seconds));
        vec![
            Cell::Text(change.id.clone()),
            Cell::Text(change.kind.clone()),
            Cell::Text(some_of(&change.nodes, HIT)),
            at(change.asked_s),
            at(change.in_force_s),
            at(change.done_s),
            at(change.took_s()),
        ]
    };
    Table::of(
        &[
            "Change", "Kind", "Who", "Asked at", "In force", "Done", "Took",
        ],
        outcome.changes.iter().map(row),
    )
}

/// The first names, and how many more.
fn some_of(names: &[String], max: usize) -> String {
    let shown = names.iter().take(max).map(String::as_str);
    let shown: Vec<&str> = shown.collect();
    match names.len().saturating_sub(max) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

pub(super) fn attacks(outcome: &Outcome) -> Option<Table> {
    let row = |attack: &Value| {
        let text = |key: &str| attack.get(key).and_then(Value::as_str).unwrap_or_default();
        let figures = attack.get("metrics").and_then(Value::as_object);
        let figures = figures.into_iter().flatten().take(FIGURES);
        let figures = figures
            .map(|(name, value)| {
                let name = name.replace('_', " ");
                format!("{name} {}", value.as_f64().map_or("–".into(), words::short))
            })
            .collect();
        let id = text("id");
        let names = |key: &str| {
            let list = attack.get(key).and_then(Value::as_array);
            let names: Vec<&str> = list
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            names.join(", ")
        };
        let mut said = match (text("by"), names("nodes")) {
            ("", _) => String::new(),
            (by, nodes) => format!("by {by}: {nodes}"),
        };
        if attack.get("beyond_the_bound").and_then(Value::as_bool) == Some(true) {
            said.push_str(" (beyond the bound)");
        }
        let guilty = names("guilty");
        if !guilty.is_empty() {
            said.push_str("; proven guilty: ");
            said.push_str(&guilty);
        }
        let mut row = vec![
            Cell::Name(id.into(), text("code").into(), text("kind").into()),
            badge(text("verdict")),
            Cell::List(said, "", figures),
        ];
        row.extend(resilience(outcome, id));
        row
    };
    Table::of(
        &[
            "Attack",
            "Verdict",
            "Figures",
            "Without progress",
            "Longest gap",
            "First commit after",
            "Given up",
        ],
        outcome.attacks.iter().map(row),
    )
}

/// What a check says, and of how much if it judged a sample.
fn said(check: &CheckOutcome) -> String {
    let share = check.sampled.filter(|share| *share > 0.0);
    share.map_or_else(
        || check.says.clone(),
        |share| {
            let share = words::percent(share);
            format!(
                "{} A sample: {share} of the operations, which travelled alone.",
                check.says
            )
        },
    )
}

pub(super) fn checks(outcome: &Outcome) -> Option<Table> {
    // What needs attention first; within that, the order of the outcome.
    let all = ["fail", "unknown", "pass"]
        .into_iter()
        .flat_map(|word| with(&outcome.checks, word));
    let row = |c: &CheckOutcome| {
        let mut violations: Vec<String> = c.violations.iter().take(VIOLATIONS).cloned().collect();
        let more = c.violated.saturating_sub(violations.len() as u64);
        if more > 0 {
            violations.push(match violations.len() {
                0 => words::counted(more, "violation", "violations"),
                _ => format!("and {} more", count(more)),
            });
        }
        violations.extend(c.reasons.iter().cloned());
        vec![
            Cell::Name(c.name.clone(), c.code.clone(), String::new()),
            badge(&c.verdict),
            Cell::List(said(c), "fail", violations),
            number(count(c.evaluated)),
        ]
    };
    Table::of(
        &["Check", "Verdict", "What it says", "Facts judged"],
        all.map(row),
    )
}

pub(super) fn chains(outcome: &Outcome) -> Option<Table> {
    let row = |c: &ChainOutcome| {
        let name = c
            .instance
            .as_ref()
            .map_or_else(|| c.id.clone(), |i| format!("{} ({i})", c.id));
        let measured = |ms: f64| (c.latency_ms.count > 0).then(|| words::millis(ms));
        vec![
            Cell::name(&name),
            Cell::Text(c.protocol.clone()),
            number(count(c.nodes)),
            number(count(c.f)),
            number(count(c.quorum)),
            number(count(c.height)),
            number(format!("{}{NBSP}tx/s", words::short(c.tx_per_s))),
            number_or_dash(measured(c.latency_ms.p50)),
            number_or_dash(measured(c.latency_ms.p99)),
            number(count(c.views)),
            number(words::bytes(c.ledger_bytes)),
        ]
    };
    Table::of(
        &[
            "Chain",
            "Protocol",
            "Validators",
            "f",
            "Quorum",
            "Height",
            "Throughput",
            "p50",
            "p99",
            "View changes",
            "Ledger",
        ],
        outcome.chains.iter().map(row),
    )
}

/// The ways between chains: what the metrics say of each.
pub(super) fn relays(outcome: &Outcome) -> Option<Table> {
    const PREFIX: &str = "relays.";
    let all = outcome.metrics.keys();
    let mut names: Vec<&str> = all
        .filter_map(|path| path.strip_prefix(PREFIX)?.rsplit_once('.'))
        .map(|(name, _)| name)
        .collect();
    names.dedup();
    let row = |name: &str| {
        let of = |word: &str| outcome.metrics.get(&format!("{PREFIX}{name}.{word}"));
        let counted = |word: &str| of(word).map(|&n| count(n as u64));
        let latency = |word: &str| of(word).map(|&ms| words::millis(ms));
        vec![
            Cell::name(name),
            number_or_dash(counted("sent")),
            number_or_dash(of("delivered").map(|&share| words::percent(share))),
            number_or_dash(counted("late")),
            number_or_dash(counted("duplicated")),
            number_or_dash(counted("brought_again")),
            number_or_dash(latency("latency_p50")),
            number_or_dash(latency("latency_p99")),
            number_or_dash(latency("latency_max")),
        ]
    };
    Table::of(
        &[
            "Relays",
            "Packets",
            "Delivered",
            "Late",
            "Twice",
            "Brought again",
            "p50",
            "p99",
            "Largest",
        ],
        names.into_iter().map(row),
    )
}

pub(super) fn nodes(results: &Results) -> Option<Table> {
    let row = |n: &NodeUse| {
        let mut row = vec![
            Cell::name(&n.name),
            Cell::Text(n.tier.clone()),
            Cell::Text(n.region.clone()),
        ];
        row.extend([n.cpu, n.disk, n.nic_out, n.nic_in].map(|share| number(words::percent(share))));
        row.extend([
            number(count(n.messages)),
            number(words::bytes(n.bytes_out)),
            number_or_dash((n.down_s > 0.0).then(|| words::seconds(n.down_s))),
        ]);
        row
    };
    Table::of(
        &[
            "Node",
            "Tier",
            "Place",
            "CPU",
            "Disk",
            "Network out",
            "Network in",
            "Messages in",
            "Bytes out",
            "Down",
        ],
        figures::by_use(results).into_iter().map(row),
    )
}

pub(super) fn inputs(outcome: &Outcome) -> Option<Table> {
    let row = |i: &Input| {
        vec![
            Cell::name(&i.path),
            number(count(i.taken)),
            number(count(i.skipped)),
            Cell::List(String::new(), "", i.notes.clone()),
        ]
    };
    Table::of(
        &["Source", "Taken", "Skipped", "Why"],
        outcome.inputs.iter().map(row),
    )
}
