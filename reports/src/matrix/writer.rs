//! Takes cells one by one; writes `cells.csv`, `matrix.json` and `report.html` at the end.

use super::design::{Axis, Cell, Design, DesignJson, resilience};
use super::{SCHEMA, SEED, page};
use crate::files::{File, ReportError, write_files};
use crate::{comparison, csv, json};
use consim_check::outcome::Outcome;
use consim_check::statistics::CONFIDENCE;
use consim_check::verdict;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// What a study is.
#[derive(Clone, Debug)]
pub struct MatrixReport {
    /// The scenario's name.
    pub scenario: String,
    /// One or two sentences of it.
    pub about: Option<String>,
    /// Its axes.
    pub axes: Vec<Axis>,
    /// Has it variants (`compare`)?
    pub variants: bool,
}

/// Gathers cells in order. Rows of the table of cells go to the disk at once, as the columns are
/// known only at the end; what stays in memory is a few numbers a cell.
pub struct MatrixWriter {
    study: MatrixReport,
    dir: PathBuf,
    rows: Rows,
    /// Metric paths of all cells.
    paths: BTreeSet<String>,
    designs: Vec<Design>,
    places: BTreeMap<(Option<String>, Vec<String>), usize>,
    version: String,
    cells: u64,
}

/// The rows that wait, in a file that goes when it is dropped.
struct Rows {
    path: PathBuf,
    file: Option<BufWriter<fs::File>>,
}

impl Drop for Rows {
    fn drop(&mut self) {
        // Best effort: what remains is named as what it is, and the next study replaces it.
        self.file = None;
        let _ = fs::remove_file(&self.path);
    }
}

/// A row that waits: what every cell has, then its metrics.
type Row = (Vec<String>, BTreeMap<String, f64>);

#[derive(Serialize)]
struct Matrix<'a> {
    schema: u32,
    scenario: &'a str,
    version: &'a str,
    exit_code: u8,
    cells: u64,
    confidence: f64,
    axes: &'a [Axis],
    designs: Vec<DesignJson>,
}

/// Columns that every row has after the axes.
const COLUMNS: [&str; 9] = [
    "plan_digest",
    "run_digest",
    "verdict",
    "exit_code",
    "throughput_left",
    "downtime_s",
    "sensitivity",
    "acknowledged_lost",
    "took_effect",
];

fn failed(path: &Path) -> impl FnOnce(io::Error) -> ReportError {
    let path = path.to_path_buf();
    move |source| ReportError::Write { path, source }
}

impl MatrixWriter {
    /// Writes into `dir`, which is made if there is none.
    pub fn new(study: MatrixReport, dir: &Path) -> Result<Self, ReportError> {
        let path = dir.join("cells.csv.rows.partial");
        fs::create_dir_all(dir).map_err(failed(dir))?;
        let file = fs::File::create(&path).map_err(failed(&path))?;
        Ok(Self {
            study,
            dir: dir.to_path_buf(),
            rows: Rows {
                path,
                file: Some(BufWriter::new(file)),
            },
            paths: BTreeSet::new(),
            designs: Vec::new(),
            places: BTreeMap::new(),
            version: String::new(),
            cells: 0,
        })
    }

    /// Takes the next cell: its label under `compare`, its values, what it came to.
    pub fn add(
        &mut self,
        variant: Option<&str>,
        values: &[String],
        outcome: &Outcome,
    ) -> Result<(), ReportError> {
        self.row(variant, values, outcome)?;
        let axes = self.study.axes.iter().zip(values);
        let is_seed = |axis: &Axis| axis.name == SEED;
        let seed = axes.clone().find(|(axis, _)| is_seed(axis));
        let seed = seed.map_or_else(String::new, |(_, seed)| seed.clone());
        let others = axes.filter(|(axis, _)| !is_seed(axis));
        let values: Vec<String> = others.map(|(_, value)| value.clone()).collect();
        let key = (variant.map(str::to_owned), values);
        let place = *self.places.entry(key.clone()).or_insert_with(|| {
            self.designs.push(Design {
                variant: key.0,
                values: key.1,
                cells: Vec::new(),
            });
            self.designs.len() - 1
        });
        if let Some(design) = self.designs.get_mut(place) {
            design.cells.push(Cell::of(outcome, seed));
        }
        self.version.clone_from(&outcome.version);
        self.cells += 1;
        Ok(())
    }

    fn row(
        &mut self,
        variant: Option<&str>,
        values: &[String],
        outcome: &Outcome,
    ) -> Result<(), ReportError> {
        let figures = resilience(&outcome.resilience);
        let figure = |word: &str| {
            figures
                .get(word)
                .map_or_else(String::new, |v| csv::number(*v))
        };
        let effective = outcome.resilience.iter().filter(|r| r.took_effect > 0);
        let took_effect = if outcome.resilience.is_empty() {
            String::new()
        } else {
            effective.count().to_string()
        };
        let mut head: Vec<String> = variant.map(str::to_owned).into_iter().collect();
        head.extend(values.iter().cloned());
        head.extend([
            outcome.plan_digest.clone(),
            outcome.run_digest.clone(),
            outcome.verdict.clone(),
            verdict::exit_code(outcome).to_string(),
            figure("throughput_left"),
            figure("downtime_s"),
            figure("sensitivity"),
            figure("acknowledged_lost"),
            took_effect,
        ]);
        let new = outcome.metrics.keys().filter(|p| !self.paths.contains(*p));
        let new: Vec<String> = new.cloned().collect();
        self.paths.extend(new);
        let row: (Vec<String>, &BTreeMap<String, f64>) = (head, &outcome.metrics);
        let mut line = serde_json::to_vec(&row)?;
        line.push(b'\n');
        let path = self.rows.path.clone();
        match &mut self.rows.file {
            Some(file) => file.write_all(&line).map_err(failed(&path)),
            None => Ok(()),
        }
    }

    /// Writes `cells.csv`, then `report.html` and `matrix.json`, whose presence says that all is
    /// there. Returns a screen of text and the exit code of the study: the worst of its cells.
    pub fn finish(mut self) -> Result<(String, u8), ReportError> {
        self.cells_csv()?;
        let code = self
            .designs
            .iter()
            .map(Design::exit_code)
            .min_by_key(|code| comparison::rank(*code))
            .unwrap_or(verdict::EXIT_PASS);
        let matrix = Matrix {
            schema: SCHEMA,
            scenario: &self.study.scenario,
            version: &self.version,
            exit_code: code,
            cells: self.cells,
            confidence: CONFIDENCE,
            axes: &self.study.axes,
            designs: self
                .designs
                .iter()
                .map(|design| design.json(&self.study.axes))
                .collect(),
        };
        let html = page::page(&self.study, &self.designs, &self.version, self.cells)?;
        let files = [
            File {
                path: "report.html".into(),
                text: html,
            },
            File {
                path: "matrix.json".into(),
                text: json::pretty(&matrix)?,
            },
        ];
        write_files(&files, &self.dir)?;
        Ok((page::summary(&self.study, &self.designs, self.cells), code))
    }

    /// The rows that wait, now with all columns.
    fn cells_csv(&mut self) -> Result<(), ReportError> {
        let rows = self.rows.path.clone();
        if let Some(mut file) = self.rows.file.take() {
            file.flush().map_err(failed(&rows))?;
        }
        let path = self.dir.join("cells.csv");
        let partial = self.dir.join("cells.csv.partial");
        let mut out = BufWriter::new(fs::File::create(&partial).map_err(failed(&path))?);
        let mut head: Vec<String> = Vec::new();
        if self.study.variants {
            head.push("variant".into());
        }
        head.extend(self.study.axes.iter().map(|axis| axis.name.clone()));
        head.extend(COLUMNS.map(str::to_owned));
        head.extend(self.paths.iter().cloned());
        out.write_all(csv::line(&head).as_bytes())
            .map_err(failed(&path))?;
        let lines = BufReader::new(fs::File::open(&rows).map_err(failed(&rows))?).lines();
        for line in lines {
            let (mut cells, metrics): Row = serde_json::from_str(&line.map_err(failed(&rows))?)?;
            let value = |path: &String| {
                metrics
                    .get(path)
                    .map_or_else(String::new, |v| csv::number(*v))
            };
            cells.extend(self.paths.iter().map(value));
            out.write_all(csv::line(&cells).as_bytes())
                .map_err(failed(&path))?;
        }
        let file = out
            .into_inner()
            .map_err(|e| failed(&path)(e.into_error()))?;
        file.sync_all().map_err(failed(&path))?;
        fs::rename(&partial, &path).map_err(failed(&path))
    }
}
