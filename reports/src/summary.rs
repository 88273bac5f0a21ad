//! One screen of text: at most 21 lines of 80 columns.

use crate::availability;
use crate::headline::{headline, tally, with};
use crate::words::{self, big, clip, columns, count};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use consim_check::outcome::{
    ChainOutcome, ChangeOutcome, CheckOutcome, FaultOutcome, Operation, Outcome,
};
use consim_check::results::Results;
use serde_json::Value;

/// Columns of a terminal since the VT100.
const COLUMNS: usize = 80;
/// Its 24 lines, less two for what the command itself says and one for the prompt that follows.
const LINES: usize = 21;
/// Lines of the first sentence.
const HEADLINE: usize = 6;
/// Lines of throughput, latency and availability.
const FACTS: usize = 5;
/// Rows of faults.
const FAULTS: usize = 4;
/// Lines of chains, where there are several.
const CHAINS: usize = 7;
/// Columns of what a fault did.
const EFFECT: usize = 28;
/// Checks that are named because they did not pass.
const CHECKS: usize = 5;
/// Columns that a name keeps however long the others are.
const NAME: usize = 12;

/// The answer of a run in one screen of text: at most 21 lines of 80 columns.
///
/// What the screen has no room for is counted, and stands in the report.
pub fn summary(results: &Results) -> String {
    let outcome = &results.outcome;
    let mut lines = wrap(&headline(results));
    lines.push(String::new());
    lines.extend(facts(results));
    lines.extend(checks(&outcome.checks));
    let mut faults = faults(outcome);
    faults.extend(attacks(outcome));
    faults.extend(changes(outcome));
    // The operations give way first: they are what grows.
    let chains = chains(outcome);
    let room = LINES.saturating_sub(lines.len() + chains.len() + faults.len() + 1);
    let operations = operations(outcome, room);
    for block in [chains, operations, faults] {
        if !block.is_empty() && lines.len() < LINES {
            lines.push(String::new());
            lines.extend(block);
        }
    }
    // An empty line is the first to go.
    while lines.len() > LINES {
        match lines.iter().rposition(String::is_empty) {
            Some(empty) => lines.remove(empty),
            None => lines.pop().unwrap_or_default(),
        };
    }
    lines
        .into_iter()
        .map(|line| clip(&line, COLUMNS).trim_end().to_string() + "\n")
        .collect()
}

/// A text as a terminal may show it: in one line, and with no say over colours or the cursor.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' | words::NBSP => ' ',
            c => words::visible(c),
        })
        .collect()
}

fn facts(results: &Results) -> Vec<String> {
    let outcome = &results.outcome;
    let t = &outcome.throughput;
    let l = &outcome.latency_ms;
    let measured_s = (outcome.virtual_seconds - results.warmup_s).max(0.0);
    let mut out = vec![format!(
        "throughput    {} tx/s in {}: {} committed, {} sent, {} rejected",
        words::short(t.tx_per_s),
        words::seconds(measured_s),
        big(t.committed),
        big(t.submitted),
        big(t.rejected)
    )];
    let mut answered = Vec::new();
    if l.count > 0 {
        answered.push(format!(
            "p50 {}, p99 {}, largest {}",
            words::millis(l.p50),
            words::millis(l.p99),
            words::millis(l.max)
        ));
    }
    if let Some(share) = availability::of(outcome) {
        answered.push(format!("availability {}", words::percent(share)));
    }
    if !answered.is_empty() {
        out.push(format!("latency       {}", answered.join("; ")));
    }
    for service in &outcome.services {
        if let Some(a_year) = &service.unavailable_min_per_year {
            let longest = match service.outages {
                0 => format!(
                    "on at most {} of days",
                    words::percent(service.days_with_outage_at_most)
                ),
                _ => format!("longest {}", words::seconds(service.longest_outage_s)),
            };
            out.push(format!(
                "unavailable   {} {} a year; {}, {longest}",
                clip(&service.id, NAME),
                words::estimate(a_year, words::minutes),
                words::counted(service.outages, "outage", "outages"),
            ));
        }
    }
    out.truncate(FACTS);
    out.iter().map(|line| plain(line)).collect()
}

/// A table in at most `room` lines, rows that find none counted; the first column is cut to what
/// the others leave.
fn table(head: &[&str], rows: Vec<Vec<String>>, room: usize, noun: &str) -> Vec<String> {
    /// Between two columns.
    const GAP: usize = 2;
    let total = rows.len();
    let shown = if total < room {
        total
    } else {
        room.saturating_sub(2)
    };
    if shown == 0 {
        return match total {
            0 => Vec::new(),
            _ if room == 0 => Vec::new(),
            _ => vec![format!("{} {noun}", count(total as u64))],
        };
    }
    let mut rows: Vec<Vec<String>> = rows
        .into_iter()
        .take(shown)
        .map(|row| row.iter().map(|cell| plain(cell)).collect())
        .collect();
    let widest = |i: usize| {
        let cells = rows.iter().filter_map(|row| row.get(i));
        cells.map(|cell| columns(cell)).max().unwrap_or(0)
    };
    let others = head.iter().enumerate().skip(1);
    let others: usize = others.map(|(i, h)| GAP + widest(i).max(columns(h))).sum();
    let name = COLUMNS.saturating_sub(others).max(NAME);
    for row in &mut rows {
        if let Some(first) = row.first_mut() {
            *first = clip(first, name);
        }
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(head.to_vec());
    table.add_rows(rows);
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, GAP as u16));
        if i > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut lines: Vec<String> = table.lines().map(|l| l.trim_end().to_string()).collect();
    if shown < total {
        lines.push(format!("and {} more {noun}", count((total - shown) as u64)));
    }
    lines
}

/// The chains beside each other, where there are several.
fn chains(outcome: &Outcome) -> Vec<String> {
    if outcome.chains.len() < 2 {
        return Vec::new();
    }
    let row = |chain: &ChainOutcome| {
        let latency = &chain.latency_ms;
        let of = |value: f64| match latency.count {
            0 => "-".to_owned(),
            _ => words::millis(value),
        };
        vec![
            chain.id.clone(),
            chain.protocol.clone(),
            count(chain.nodes),
            count(chain.height),
            words::short(chain.tx_per_s),
            of(latency.p50),
            of(latency.p99),
        ]
    };
    let head = [
        "chain", "protocol", "members", "height", "tx/s", "p50", "p99",
    ];
    let rows = outcome.chains.iter().map(row).collect();
    table(&head, rows, CHAINS, "chains")
}

fn operations(outcome: &Outcome, room: usize) -> Vec<String> {
    let row = |(name, op): (&String, &Operation)| {
        let l = &op.latency_ms;
        let measured = |ms: f64| match l.count {
            0 => "–".into(),
            _ => words::millis(ms),
        };
        vec![
            name.clone(),
            big(op.submitted),
            big(op.committed),
            big(op.refused),
            big(op.failed),
            availability::of_operation(op).map_or("–".into(), words::percent),
            measured(l.p50),
            measured(l.p99),
        ]
    };
    let head = [
        "operation",
        "asked",
        "done",
        "refused",
        "failed",
        "available",
        "p50",
        "p99",
    ];
    let rows = outcome.operations.iter().map(row).collect();
    table(&head, rows, room, "kinds of operation")
}

fn faults(outcome: &Outcome) -> Vec<String> {
    let row = |f: &FaultOutcome| {
        let r = outcome.resilience.iter().find(|r| r.id == f.id);
        let effect = match f.took_effect {
            0 => "no effect".into(),
            n => words::effect(n, &f.unit),
        };
        let dash = || "–".to_string();
        vec![
            f.id.clone(),
            clip(&plain(&effect), EFFECT),
            r.map_or_else(dash, |r| words::seconds(r.downtime_s)),
            r.and_then(|r| r.time_to_first_commit_s)
                .map_or_else(dash, words::seconds),
            r.map_or_else(dash, |r| big(r.lost)),
        ]
    };
    let head = ["fault", "took effect", "downtime", "next commit", "lost"];
    let rows = outcome.faults.iter().map(row).collect();
    table(&head, rows, FAULTS + 2, "faults")
}

/// One line a change of the members.
fn changes(outcome: &Outcome) -> Vec<String> {
    let row = |change: &ChangeOutcome| {
        let at = |s: Option<f64>| s.map_or_else(|| "–".to_string(), words::seconds);
        vec![
            change.id.clone(),
            at(change.asked_s),
            at(change.in_force_s),
            at(change.done_s),
            at(change.took_s()),
        ]
    };
    let head = ["change", "asked at", "in force", "done", "took"];
    let rows = outcome.changes.iter().map(row).collect();
    table(&head, rows, FAULTS + 2, "changes")
}

/// One line an attack, and one for those who are proven guilty.
fn attacks(outcome: &Outcome) -> Vec<String> {
    let text = |attack: &Value, key: &str| -> String {
        attack
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let row = |attack: &Value| {
        let id = text(attack, "id");
        let r = outcome.resilience.iter().find(|r| r.id == id);
        let dash = || "–".to_string();
        let effect = match attack.get("took_effect").and_then(Value::as_u64) {
            None => dash(),
            Some(0) => "no effect".into(),
            Some(n) => words::effect(n, &text(attack, "unit")),
        };
        let beyond = attack.get("beyond_the_bound").and_then(Value::as_bool);
        let held = match (text(attack, "verdict").as_str(), beyond) {
            ("pass", _) => "yes".into(),
            ("fail", Some(true)) => "no, beyond the bound".into(),
            ("fail", _) => "no".into(),
            _ => dash(),
        };
        vec![
            id,
            clip(&plain(&effect), EFFECT),
            r.map_or_else(dash, |r| words::seconds(r.downtime_s)),
            held,
        ]
    };
    let rows = outcome.attacks.iter().map(row).collect();
    let mut lines = table(
        &["attack", "took effect", "downtime", "safety held"],
        rows,
        FAULTS + 2,
        "attacks",
    );
    let named = |attack: &Value| -> Vec<String> {
        let list = attack.get("guilty").and_then(Value::as_array);
        let names = list.into_iter().flatten().filter_map(Value::as_str);
        names.map(str::to_owned).collect()
    };
    if let Some(guilty) = outcome.attacks.first().map(named).filter(|g| !g.is_empty()) {
        lines.push(plain(&format!("proven guilty {}", guilty.join(", "))));
    }
    lines
}

/// One line for all together, and one for each of the first that did not pass.
fn checks(checks: &[CheckOutcome]) -> Vec<String> {
    let facts: u64 = checks.iter().map(|c| c.evaluated).sum();
    let all = match checks {
        [] => "none applied".into(),
        _ => format!("{} ({} facts judged)", tally(checks).join(", "), big(facts)),
    };
    let mut out = vec![plain(&format!("checks        {all}"))];
    let others: Vec<&CheckOutcome> = with(checks, "fail")
        .chain(with(checks, "unknown"))
        .collect();
    for c in others.iter().take(CHECKS) {
        let said = match (c.violated, c.violations.first()) {
            (0, _) if !c.reasons.is_empty() => c.reasons.join("; "),
            (0, _) => format!("judged {}", words::counted(c.evaluated, "fact", "facts")),
            (n, Some(first)) => format!("{}, first {first}", words::counted(n, "time", "times")),
            (n, None) => words::counted(n, "time", "times"),
        };
        out.push(plain(&format!("  {} {}: {said}", c.verdict, c.name)));
    }
    if others.len() > CHECKS {
        out.push(format!("  and {} more", others.len() - CHECKS));
    }
    out
}

/// Breaks a text at spaces into at most [`HEADLINE`] lines.
fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    // A number stays with its unit: only the spaces that may break do.
    for word in text.split(' ') {
        let word = plain(word);
        let fits = |line: &String| line.is_empty() || columns(line) + 1 + columns(&word) <= COLUMNS;
        match lines.last_mut() {
            Some(line) if fits(line) => {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    if lines.len() > HEADLINE {
        lines.truncate(HEADLINE);
        if let Some(last) = lines.last_mut() {
            *last = clip(&format!("{last} …"), COLUMNS);
        }
    }
    lines
}
