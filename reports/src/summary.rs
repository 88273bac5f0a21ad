//! One screen of text: at most 24 lines of 100 columns.

use crate::availability;
use crate::headline::headline;
use crate::words::{self, NBSP, clip, count};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use consim_check::outcome::Outcome;
use consim_check::results::Results;

/// Columns.
const COLUMNS: usize = 100;
/// Lines.
const LINES: usize = 24;

/// The answer of a run in one screen of text: at most 24 lines of 100 columns.
///
/// What the screen has no room for is counted, and stands in the report.
pub fn summary(results: &Results) -> String {
    let outcome = &results.outcome;
    let mut head: Vec<String> = wrap(&headline(results), COLUMNS);
    head.truncate(5);
    let facts = facts(outcome);
    let checks = checks(outcome);
    let faults = faults(outcome);
    // Rows of operations give way first: they are what grows.
    let fixed = head.len() + facts.len() + checks.len() + faults.len() + 3;
    head.push(String::new());
    head.extend(facts);
    let table = operations(outcome, LINES.saturating_sub(fixed));
    if !table.is_empty() {
        head.push(String::new());
        head.extend(table);
    }
    head.extend(faults);
    head.extend(checks);
    head.truncate(LINES);
    let lines: Vec<String> = head
        .into_iter()
        .map(|l| clip(&l.replace(NBSP, " "), COLUMNS).trim_end().to_string())
        .collect();
    lines.join("\n") + "\n"
}

fn facts(outcome: &Outcome) -> Vec<String> {
    let t = &outcome.throughput;
    let l = &outcome.latency_ms;
    let mut out = vec![format!(
        "throughput    {} tx/s: {} submitted, {} committed, {} rejected in {}",
        words::short(t.tx_per_s),
        count(t.submitted),
        count(t.committed),
        count(t.rejected),
        words::seconds(outcome.virtual_seconds)
    )];
    if l.count > 0 {
        out.push(format!(
            "latency       p50 {}, p95 {}, p99 {}, largest {}",
            words::millis(l.p50),
            words::millis(l.p95),
            words::millis(l.p99),
            words::millis(l.max)
        ));
    }
    if let Some(share) = availability::of(outcome) {
        out.push(format!("availability  {}", words::percent(share)));
    }
    out
}

/// The table of operations in at most `room` lines.
fn operations(outcome: &Outcome, room: usize) -> Vec<String> {
    if outcome.operations.is_empty() || room < 2 {
        return Vec::new();
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header([
            "operation",
            "asked",
            "done",
            "refused",
            "failed",
            "available",
            "p50",
            "p99",
        ]);
    let total = outcome.operations.len();
    let shown = if total < room {
        total
    } else {
        room.saturating_sub(2)
    };
    for (name, op) in outcome.operations.iter().take(shown) {
        let l = &op.latency_ms;
        let ms = |x: f64| {
            if l.count == 0 {
                "–".into()
            } else {
                words::millis(x)
            }
        };
        table.add_row([
            clip(name, 28),
            count(op.submitted),
            count(op.committed),
            count(op.refused),
            count(op.failed),
            availability::of_operation(op).map_or("–".into(), words::percent),
            ms(op.latency_ms.p50),
            ms(op.latency_ms.p99),
        ]);
    }
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if i > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut lines: Vec<String> = table.lines().map(|l| l.trim_end().to_string()).collect();
    if shown < total {
        lines.push(format!("and {} more kinds of operation", total - shown));
    }
    lines
}

fn faults(outcome: &Outcome) -> Vec<String> {
    /// Faults that are named.
    const SHOWN: usize = 4;
    let mut out: Vec<String> = outcome
        .faults
        .iter()
        .take(SHOWN)
        .map(|f| {
            let first = outcome
                .resilience
                .iter()
                .find(|r| r.id == f.id)
                .and_then(|r| r.time_to_first_commit_s);
            let first = first.map_or(String::new(), |s| {
                format!(", first commit {} after it", words::seconds(s))
            });
            let effect = if f.took_effect == 0 {
                "took no effect".into()
            } else {
                format!("{} {}", count(f.took_effect), f.unit)
            };
            format!(
                "fault {} ({}): {effect}{first}",
                clip(&f.id, 32),
                words::window(f)
            )
        })
        .collect();
    if outcome.faults.len() > SHOWN {
        out.push(format!("and {} more faults", outcome.faults.len() - SHOWN));
    }
    out
}

/// One line for all that passed; one each for the others.
fn checks(outcome: &Outcome) -> Vec<String> {
    /// Checks that are named.
    const SHOWN: usize = 6;
    let passed: Vec<_> = outcome
        .checks
        .iter()
        .filter(|c| c.verdict == "pass")
        .collect();
    let facts: u64 = passed.iter().map(|c| c.evaluated).sum();
    let mut out = Vec::new();
    let mut others: Vec<_> = outcome
        .checks
        .iter()
        .filter(|c| c.verdict != "pass")
        .collect();
    others.sort_by_key(|c| c.verdict != "fail");
    for c in others.iter().take(SHOWN) {
        let said = match (c.verdict.as_str(), c.violations.first()) {
            ("fail", Some(first)) => format!("{first} ({} in all)", count(c.violated)),
            ("fail", None) => words::counted(c.violated, "violation", "violations"),
            _ => "judged nothing".into(),
        };
        out.push(format!("{:8}{} ({}): {said}", c.verdict, c.name, c.code));
    }
    if others.len() > SHOWN {
        out.push(format!(
            "and {} more checks did not pass",
            others.len() - SHOWN
        ));
    }
    if !passed.is_empty() {
        let noun = if passed.len() == 1 { "check" } else { "checks" };
        out.push(format!(
            "{} {noun} passed ({} facts)",
            passed.len(),
            words::big(facts)
        ));
    }
    out
}

/// Breaks a text at spaces.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        let long = lines.last().map_or(0, |l| l.chars().count());
        if long > 0 && long + 1 + word.chars().count() > columns {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
