//! One screen of text: every figure in a line.

use super::sums;
use crate::words;
use consim_check::experiment::{Figure, Row, Scored, Standing};
use std::fmt::Write as _;

/// Columns of the name of a row.
const NAME: usize = 30;

/// A value of a figure in the unit of its metric, without it.
pub(super) fn value(x: Option<f64>) -> String {
    x.map_or_else(|| "–".into(), words::short)
        .replace(words::NBSP, " ")
}

/// A signed share with one digit after the point.
pub(super) fn signed(error: Option<f64>) -> String {
    error.map_or_else(
        || "–".into(),
        |error| format!("{:+.1} %", error * 100.0).replace('-', "−"),
    )
}

/// A share of one.
pub(super) fn share(x: f64) -> String {
    format!("{:.0} %", x * 100.0)
}

/// How a figure stands, as part of its row.
pub(super) fn stands(figure: &Figure, row: &Row) -> String {
    match (figure.standing, row.standing) {
        (Standing::Drawn, _) => format!("drawn ({})", figure.drawn.unwrap_or("not scored")),
        (Standing::Missed, Standing::KnownMiss) => "known miss".into(),
        (Standing::In, Standing::KnownMissGone) => "in tolerance, known miss has gone".into(),
        (standing, _) => standing.words().into(),
    }
}

/// How many are in tolerance, in words.
pub(super) fn tally(in_tolerance: u64, scored: u64, known: u64) -> String {
    let mut out = format!("in tolerance {in_tolerance} of {scored}");
    if known > 0 {
        let rows = words::counted(known, "row", "rows").replace(words::NBSP, " ");
        let _ = write!(out, ", {rows} out of it for a known reason");
    }
    out
}

/// Measured, simulated, error, tolerance and verdict of every figure of every row.
pub fn experiments_summary(experiments: &[Scored]) -> String {
    let mut out = String::new();
    for experiment in experiments {
        one(&mut out, experiment);
    }
    let (in_tolerance, scored, known) = sums(experiments);
    let _ = writeln!(out, "{}", tally(in_tolerance, scored, known));
    out
}

fn one(out: &mut String, experiment: &Scored) {
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "{} ({}, {} a row): {}\n",
        experiment.id,
        experiment.class,
        words::counted(experiment.seeds, "seed", "seeds").replace(words::NBSP, " "),
        experiment.source
    );
    let _ = writeln!(
        out,
        "  {:NAME$} {:14} {:>12} {:>12} {:>9} {:>6}  verdict",
        "row", "metric", "measured", "simulated", "error", "within"
    );
    for row in &experiment.rows {
        for figure in &row.figures {
            let unit = format!("{} {}", value(Some(figure.measured)), figure.unit);
            let _ = writeln!(
                out,
                "  {:NAME$} {:14} {:>12} {:>12} {:>9} {:>6}  {}",
                words::clip(&row.name, NAME),
                figure.metric,
                unit,
                value(figure.simulated),
                signed(figure.error),
                share(figure.tolerance),
                stands(figure, row)
            );
        }
        if row.failed_runs > 0 {
            let _ = writeln!(out, "    {} runs violated a check", row.failed_runs);
        }
        for note in row.known_miss.iter().chain(&row.why) {
            let _ = writeln!(out, "    {note}");
        }
    }
    for curve in &experiment.curves {
        let _ = writeln!(
            out,
            "  knee {}: measured {} /s, simulated {} /s, {}, {}",
            curve.name,
            value(Some(curve.measured)),
            value(curve.simulated),
            signed(curve.error),
            curve.standing.words()
        );
    }
    for order in &experiment.orders {
        let exchanged: Vec<String> = order
            .exchanged
            .iter()
            .map(|(a, b)| format!("{a} and {b} changed places"))
            .collect();
        let _ = writeln!(
            out,
            "  order by {}: {} {}",
            order.metric,
            order.standing.words(),
            exchanged.join(", ")
        );
    }
    let _ = writeln!(
        out,
        "  {}\n",
        tally(
            experiment.in_tolerance,
            experiment.scored,
            experiment.known_misses
        )
    );
}
