//! The tables that put a run beside the same plan and seed without a fault or attack, and those of
//! services.

use super::table::{Cell, Table};
use crate::headline::verdict;
use crate::words::{self, NBSP, count};
use consim_check::outcome::{Outcome, Pair, Phase, Resilience, ServiceOutcome};

fn number(text: Option<String>) -> Cell {
    Cell::Number(text.unwrap_or_else(|| "–".into()))
}

fn share(value: f64) -> Option<String> {
    value.is_finite().then(|| words::percent(value))
}

/// The window, and what its pair lacks if that is more than its entry.
fn name(row: &Resilience) -> Cell {
    let window = format!(
        "{} to {}",
        words::seconds(row.from_s),
        words::seconds(row.to_s)
    );
    let without = row.pair.as_ref().map(|pair| pair.without.as_slice());
    let below = match without {
        Some(entries) if entries.len() > 1 => {
            format!("{window}; beside the run without all {}", entries.len())
        }
        _ => window,
    };
    Cell::Name(row.id.clone(), String::new(), below)
}

fn rate(phase: Option<Phase>) -> Cell {
    number(phase.map(|phase| words::short(phase.tx_per_s)))
}

fn latency(phase: Option<Phase>) -> Cell {
    let answered = phase.filter(|phase| phase.latency_ms.count > 0);
    number(answered.map(|phase| {
        let latency = phase.latency_ms;
        format!(
            "{} / {}",
            words::millis(latency.p50),
            words::millis(latency.p99)
        )
    }))
}

fn badge(word: Option<&str>) -> Cell {
    match word.filter(|word| !word.is_empty()) {
        Some(word) => Cell::Badge(verdict(word), word.into()),
        None => Cell::Text("–".into()),
    }
}

/// Rows of windows that have any of it.
fn rows(outcome: &Outcome) -> impl Iterator<Item = &Resilience> {
    outcome.resilience.iter().filter(|row| row.during.is_some())
}

fn during(pair: Option<&Pair>) -> Option<Phase> {
    pair.and_then(|pair| pair.during)
}

/// Committed transactions per second.
pub(super) fn throughput(outcome: &Outcome) -> Option<Table> {
    let row = |row: &Resilience| {
        let pair = row.pair.as_ref();
        vec![
            name(row),
            rate(row.before),
            rate(row.during),
            rate(during(pair)),
            number(pair.and_then(|pair| share(pair.throughput_left))),
            rate(row.after),
        ]
    };
    Table::of(
        &["Window", "Before", "During", "Without it", "Left", "After"],
        rows(outcome).map(row),
    )
}

/// Median and 99th percentile latency.
pub(super) fn latencies(outcome: &Outcome) -> Option<Table> {
    let row = |row: &Resilience| {
        let pair = row.pair.as_ref();
        vec![
            name(row),
            latency(row.before),
            latency(row.during),
            latency(during(pair)),
            latency(row.after),
            number(pair.map(|pair| words::seconds(pair.sensitivity))),
        ]
    };
    Table::of(
        &[
            "Window",
            "Before",
            "During",
            "Without it",
            "After",
            "Whole run",
        ],
        rows(outcome).map(row),
    )
}

/// Progress and safety, with and without.
pub(super) fn safety(outcome: &Outcome) -> Option<Table> {
    let row = |row: &Resilience| {
        let pair = row.pair.as_ref();
        vec![
            name(row),
            number(Some(words::seconds(row.downtime_s))),
            number(pair.map(|pair| words::seconds(pair.downtime_s))),
            number(Some(count(row.acknowledged_lost))),
            number(pair.map(|pair| count(pair.acknowledged_lost))),
            badge(Some(&row.safety)),
            badge(pair.map(|pair| pair.safety.as_str())),
        ]
    };
    Table::of(
        &[
            "Window",
            "Without progress",
            "Without it",
            "Acknowledged and lost",
            "Without it",
            "Safety",
            "Without it",
        ],
        rows(outcome).map(row),
    )
}

/// Which runs the windows stand beside, in a sentence; nothing without windows.
pub(super) fn sentence(outcome: &Outcome) -> Option<String> {
    let paired: Vec<&Pair> = rows(outcome).filter_map(|row| row.pair.as_ref()).collect();
    let runs: std::collections::BTreeSet<&str> =
        paired.iter().map(|pair| pair.run_digest.as_str()).collect();
    rows(outcome).next()?;
    Some(match paired.iter().map(|pair| pair.without.len()).max() {
        None => "Nothing stands beside these windows: the run was made without its pairs.".into(),
        Some(0 | 1) => format!(
            "\u{201c}Without it\u{201d} is another run of the same plan and seed from which this fault or \
             attack alone was taken away ({}). All random draws are shared, so what differs is what it \
             did.",
            words::counted(runs.len() as u64, "further run", "further runs")
        ),
        Some(n) => format!(
            "\u{201c}Without it\u{201d} is one further run of the same plan and seed from which all {n} faults and \
             attacks were taken away. All random draws are shared, so what differs is what they did \
             together."
        ),
    })
}

/// When services were there for their users.
pub(super) fn services(outcome: &Outcome) -> Option<Table> {
    let row = |service: &ServiceOutcome| {
        let a_year = service.unavailable_min_per_year.as_ref();
        vec![
            Cell::name(&service.id),
            number(Some(words::seconds(service.unavailable_s))),
            number(Some(count(service.outages))),
            number((service.outages > 0).then(|| words::seconds(service.longest_outage_s))),
            number(a_year.map(|a_year| words::minutes(a_year.estimate))),
            number(a_year.map(|a_year| words::between(a_year, words::minutes))),
            number(Some(format!(
                "{} of {}{}",
                count(service.days_with_outage),
                count(service.days),
                if service.days_with_outage == 0 {
                    format!(
                        "; at most{NBSP}{}",
                        words::percent(service.days_with_outage_at_most)
                    )
                } else {
                    String::new()
                }
            ))),
            number(Some(words::seconds(service.unknown_s))),
        ]
    };
    Table::of(
        &[
            "Service",
            "Unavailable",
            "Outages",
            "Longest",
            "A year",
            "95 % interval",
            "Days with an outage",
            "Not known",
        ],
        outcome.services.iter().map(row),
    )
}
