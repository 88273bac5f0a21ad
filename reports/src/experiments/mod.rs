//! Published experiments: measured beside simulated, as a page, a table and data.

mod curves;
mod page;
mod screen;

pub use screen::experiments_summary;

use crate::files::{File, ReportError, write_files};
use crate::{csv, json};
use consim_check::experiment::{Scored, exit_code};
use serde::Serialize;
use std::path::Path;

/// The version of the schema of `experiments.json`.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Reproduced<'a> {
    schema: u32,
    version: &'a str,
    exit_code: u8,
    in_tolerance: u64,
    scored: u64,
    known_misses: u64,
    experiments: &'a [Scored],
}

/// Figures in their tolerance, all that are scored, and rows that miss it for a known reason.
fn sums(experiments: &[Scored]) -> (u64, u64, u64) {
    let sum = |of: fn(&Scored) -> u64| experiments.iter().map(of).sum();
    (
        sum(|e| e.in_tolerance),
        sum(|e| e.scored),
        sum(|e| e.known_misses),
    )
}

/// All files of the reproduction of some experiments: the page, its figures, rows and data.
pub fn experiment_files(experiments: &[Scored], version: &str) -> Result<Vec<File>, ReportError> {
    let (in_tolerance, scored, known_misses) = sums(experiments);
    let drawn = curves::all(experiments)?;
    let mut files = vec![File {
        path: "report.html".into(),
        text: page::page(experiments, &drawn, version)?,
    }];
    files.extend(drawn.iter().map(|figure| File {
        path: format!("figures/{}.svg", figure.name),
        text: figure.svg.clone(),
    }));
    files.push(File {
        path: "rows.csv".into(),
        text: rows(experiments),
    });
    files.push(File {
        path: "experiments.json".into(),
        text: json::pretty(&Reproduced {
            schema: SCHEMA,
            version,
            exit_code: exit_code(experiments),
            in_tolerance,
            scored,
            known_misses,
            experiments,
        })?,
    });
    Ok(files)
}

/// Writes them into a folder, which is made if there is none; `experiments.json` last.
pub fn write_experiments(
    experiments: &[Scored],
    version: &str,
    dir: &Path,
) -> Result<(), ReportError> {
    write_files(&experiment_files(experiments, version)?, dir)
}

/// A line for each figure.
fn rows(experiments: &[Scored]) -> String {
    let head = [
        "experiment",
        "row",
        "metric",
        "unit",
        "measured",
        "measured_sd",
        "simulated",
        "simulated_sd",
        "error",
        "tolerance",
        "standing",
        "row_standing",
        "note",
    ];
    let mut out = csv::line(&head.map(str::to_owned));
    let number = |x: Option<f64>| x.map_or_else(String::new, csv::number);
    let word = |standing: consim_check::experiment::Standing| standing.words().to_owned();
    for experiment in experiments {
        for row in &experiment.rows {
            for figure in &row.figures {
                let note = row.known_miss.as_ref().or(row.why.as_ref());
                out += &csv::line(&[
                    experiment.id.clone(),
                    row.name.clone(),
                    figure.metric.clone(),
                    figure.unit.to_owned(),
                    csv::number(figure.measured),
                    number(figure.measured_sd),
                    number(figure.simulated),
                    number(figure.simulated_sd),
                    number(figure.error),
                    csv::number(figure.tolerance),
                    word(figure.standing),
                    word(row.standing),
                    note.cloned().unwrap_or_default(),
                ]);
            }
        }
    }
    out
}
