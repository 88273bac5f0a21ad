//! The files of an output folder: made in memory, written one by one, each whole or not at all.

use crate::{csv, figures, hgrm, html, json};
use consim_check::results::Results;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A file of the output folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its place in the folder, with `/`.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// Why a report could not be made or written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file or folder could not be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The outcome has no JSON form.
    #[error("cannot express the outcome as JSON")]
    Json(#[from] serde_json::Error),
    /// The template failed.
    #[error("cannot fill in the report's template")]
    Html(#[from] askama::Error),
    /// A figure failed.
    #[error("cannot draw a figure: {0}")]
    Figure(String),
    /// A folder holds no results that can be read.
    #[error("cannot read {path}: {why}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// What a report can be made from again.
const RESULTS: &str = "results.json";
/// The longest such file that is read, bytes.
const MAX_RESULTS: u64 = 1 << 30;

/// Every file of the output folder that depends on the results alone, `outcome.json` last.
pub fn render(results: &Results) -> Result<Vec<File>, ReportError> {
    let figures = figures::all(results)?;
    let mut files = vec![
        File {
            path: "report.html".into(),
            text: html::report(results, &figures)?,
        },
        File {
            path: "plan.yaml".into(),
            text: results.plan_yaml.clone(),
        },
        File {
            path: "metrics.csv".into(),
            text: csv::metrics(results),
        },
        File {
            path: RESULTS.into(),
            text: json::results_json(results)?,
        },
    ];
    let paths = histogram_paths(results.latencies.keys());
    for (path, histogram) in paths.into_iter().zip(results.latencies.values()) {
        files.push(File {
            path,
            text: hgrm::percentiles(histogram),
        });
    }
    files.extend(figures.into_iter().map(|figure| File {
        path: figure_path(figure.name),
        text: figure.svg,
    }));
    files.push(File {
        path: "outcome.json".into(),
        text: json::outcome_json(&results.outcome)?,
    });
    Ok(files)
}

/// The file of each histogram: `latency.hgrm` for `all`, `histograms/NAME.hgrm` for an operation,
/// numbered if two would share it.
fn histogram_paths<'a>(operations: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for operation in operations {
        let name = hgrm::file_name(operation);
        let mut path = match operation.as_str() {
            "all" => "latency.hgrm".into(),
            _ => format!("histograms/{name}.hgrm"),
        };
        let mut n = 2;
        // Some file systems take no notice of case.
        while paths.iter().any(|p| p.eq_ignore_ascii_case(&path)) {
            path = format!("histograms/{name}-{n}.hgrm");
            n += 1;
        }
        paths.push(path);
    }
    paths
}

/// Writes the report into a folder, which is made if there is none.
///
/// Every file is first written whole under another name beside its place. Only when all of them
/// are on disk does the old report go, its `outcome.json` first, and the new one takes its place,
/// `outcome.json` last: an error before that leaves the folder as it was, and a folder with an
/// `outcome.json` is complete. Figures and histograms that the old report has and the new one
/// lacks are removed; files of anybody else stay.
pub fn write(results: &Results, dir: &Path) -> Result<(), ReportError> {
    write_with_plan(results, &results.plan_yaml, dir)
}

/// [`write()`] with another text for `plan.yaml`: one that names its files from where it stands.
pub fn write_with_plan(results: &Results, plan: &str, dir: &Path) -> Result<(), ReportError> {
    let mut files = render(results)?;
    if let Some(file) = files.iter_mut().find(|file| file.path == "plan.yaml") {
        plan.clone_into(&mut file.text);
    }
    let mut staging = Staging::default();
    for file in &files {
        staging.add(&dir.join(&file.path), file.text.as_bytes())?;
    }
    let stale = own_files(dir)
        .into_iter()
        .filter(|path| files.iter().all(|f| f.path != *path));
    remove(&dir.join("outcome.json"))?;
    for path in stale {
        remove(&dir.join(path))?;
    }
    staging.finish()
}

/// The results that [`write()`] left in a folder, to make its report again.
pub fn read(dir: &Path) -> Result<Results, ReportError> {
    let path = dir.join(RESULTS);
    let error = |why: String| ReportError::Read {
        path: path.clone(),
        why,
    };
    let size = fs::metadata(&path).map_err(|e| error(e.to_string()))?.len();
    if size > MAX_RESULTS {
        return Err(error(format!("{size} bytes are too many")));
    }
    let text = fs::read_to_string(&path).map_err(|e| error(e.to_string()))?;
    json::results(&text).map_err(|e| error(e.to_string()))
}

/// Writes files that stand alone, each whole or not at all.
pub(crate) fn write_files(files: &[File], dir: &Path) -> Result<(), ReportError> {
    let mut staging = Staging::default();
    for file in files {
        staging.add(&dir.join(&file.path), file.text.as_bytes())?;
    }
    staging.finish()
}

/// The figures and histograms of the report that is in a folder.
fn own_files(dir: &Path) -> Vec<String> {
    let outcome = fs::read_to_string(dir.join("outcome.json")).unwrap_or_default();
    let outcome: serde_json::Value = serde_json::from_str(&outcome).unwrap_or_default();
    let Some(operations) = outcome.get("operations").and_then(|o| o.as_object()) else {
        return Vec::new();
    };
    let mut own = histogram_paths(operations.keys());
    own.push("latency.hgrm".into());
    own.extend(figures::names().map(figure_path));
    own
}

fn figure_path(name: &str) -> String {
    format!("figures/{name}.svg")
}

/// Files that are written but not yet in their places. Dropped unfinished, it takes them away
/// again, and the folders that it made for them.
#[derive(Default)]
struct Staging {
    /// Where a file is, where it belongs.
    files: Vec<(PathBuf, PathBuf)>,
    /// Folders made, outer ones first.
    folders: Vec<PathBuf>,
}

impl Staging {
    fn add(&mut self, path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
        if let Some(parent) = path.parent() {
            self.make_dir(parent)?;
        }
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(".partial");
        let partial = path.with_file_name(name);
        self.files.push((partial.clone(), path.into()));
        let put = || -> io::Result<()> {
            if path.is_dir() {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            let mut file = fs::File::create(&partial)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        put().map_err(|source| failed(path, source))
    }

    fn make_dir(&mut self, dir: &Path) -> Result<(), ReportError> {
        let missing = dir
            .ancestors()
            .take_while(|d| !d.as_os_str().is_empty() && !d.exists());
        let missing: Vec<PathBuf> = missing.map(Path::to_path_buf).collect();
        self.folders.extend(missing.into_iter().rev());
        fs::create_dir_all(dir).map_err(|source| failed(dir, source))
    }

    /// Puts every file in its place, in the order in which they were added.
    fn finish(mut self) -> Result<(), ReportError> {
        for (partial, path) in &self.files {
            fs::rename(partial, path).map_err(|source| failed(path, source))?;
        }
        self.files.clear();
        self.folders.clear();
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Best effort: the error that led here is the one to tell. A folder that holds anything
        // is not removed.
        for (partial, _) in &self.files {
            let _ = fs::remove_file(partial);
        }
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

fn remove(path: &Path) -> Result<(), ReportError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed(path, e)),
        _ => Ok(()),
    }
}

fn failed(path: &Path, source: io::Error) -> ReportError {
    ReportError::Write {
        path: path.into(),
        source,
    }
}
