//! `consim run` of a scenario with `vary`: all its cells on all cores, one report.

use crate::cli::RunArgs;
use crate::exit;
use crate::run::{Failure, STEPS, junit, of_cell, other, output_folder, print_file, progress_bar};
use consim_reports::{Axis, MatrixReport, MatrixWriter, junit_suite};
use consim_scenarios::Study;
use consim_scenarios::run::cells::{Matrix, MatrixError, Store};
use std::path::Path;

/// The folder of the results of cells, in that of the study.
const CELLS: &str = "cells";

/// Runs every cell that is not there yet, and writes the report of all.
pub(crate) fn run(args: &RunArgs, study: &Study) -> Result<u8, Failure> {
    let Some(first) = study.runs.first() else {
        return Err((exit::BAD_INPUT, "there is nothing to run".into()));
    };
    #[cfg(feature = "seeded-bugs")]
    if args.seeded.bug.is_some() {
        let message = "`--bug` is for one run; of a study, name the cell with --set";
        return Err((exit::BAD_INPUT, message.into()));
    }
    if args.twice {
        let message = "`--twice` is for one run; of a study, name the cell with --set";
        return Err((exit::BAD_INPUT, message.into()));
    }
    let dir = output_folder(args, &first.loaded, &[])?;
    let store = Store::new(&dir.join(CELLS));
    if args.force {
        store.clear().map_err(other)?;
        for file in ["matrix.json", "report.html", "cells.csv"] {
            remove(&dir.join(file))?;
        }
    }
    let hooks = args.seeded.hooks();
    let matrix = Matrix {
        study,
        store: &store,
        threads: args.threads(),
        pairs: !args.no_pairs,
        hooks: &hooks,
    };
    let axes = study.axes.iter().map(|axis| Axis {
        name: axis.name.clone(),
        values: axis.len,
    });
    let report = MatrixReport {
        scenario: first.loaded.plan.name.clone(),
        about: first.loaded.plan.about.clone(),
        axes: axes.collect(),
        variants: first.label.is_some(),
    };
    let mut writer = MatrixWriter::new(report, &dir).map_err(other)?;
    let bar = progress_bar(args, format!("{} cells", matrix.len()));
    let mut kept = 0;
    let mut unwritten = None;
    let mut suites = Vec::new();
    let ran = matrix.run(
        &|done| bar.set_position((done * STEPS as f64) as u64),
        |cell| {
            kept += u64::from(cell.kept);
            if args.junit.is_some() {
                let mut suite = junit_suite(&cell.outcome);
                suite.name = format!("{}, {}", suite.name, cell.values.join(", "));
                suites.push(suite);
            }
            let added = writer.add(cell.variant.as_deref(), &cell.values, &cell.outcome);
            if let Err(error) = added {
                unwritten.get_or_insert(error);
            }
        },
    );
    bar.finish_and_clear();
    ran.map_err(|error| match error {
        MatrixError::Cell(error) => of_cell(error, "a cell"),
        error @ MatrixError::Store(_) => other(error),
    })?;
    if let Some(error) = unwritten {
        return Err(other(error));
    }
    junit(args.junit.as_deref(), &suites)?;
    let (summary, code) = writer.finish().map_err(other)?;
    if args.json {
        print_file(&dir.join("matrix.json"))?;
    } else if !args.quiet {
        say!("{summary}");
        if kept > 0 {
            sayln!("{kept} cells were there already");
        }
        sayln!("report: {}", dir.join("report.html").display());
    }
    Ok(code)
}

fn remove(path: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(other(format!("cannot remove {}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}
