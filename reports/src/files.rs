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
    #[error("cannot write {path}")]
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
}

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
    ];
    for (operation, histogram) in &results.latencies {
        let path = if operation == "all" {
            "latency.hgrm".into()
        } else {
            free_name(&files, &hgrm::file_name(operation))
        };
        files.push(File {
            path,
            text: hgrm::percentiles(histogram),
        });
    }
    files.extend(figures.into_iter().map(|figure| File {
        path: format!("figures/{}.svg", figure.name),
        text: figure.svg,
    }));
    files.push(File {
        path: "outcome.json".into(),
        text: json::outcome_json(&results.outcome)?,
    });
    Ok(files)
}

/// `histograms/NAME.hgrm`, numbered if two operations would share it.
fn free_name(files: &[File], name: &str) -> String {
    let taken = |path: &String| files.iter().any(|f| &f.path == path);
    let mut path = format!("histograms/{name}.hgrm");
    let mut n = 2;
    while taken(&path) {
        path = format!("histograms/{name}-{n}.hgrm");
        n += 1;
    }
    path
}

/// Writes the report into a folder, which is made if there is none.
///
/// Each file is written under another name beside its place and then renamed, so that no file is
/// ever half there. An `outcome.json` of an earlier run goes first and the new one comes last: a
/// folder with an `outcome.json` is complete. Figures and histograms of an earlier run that this
/// one does not have are removed; anything else in the folder stays.
pub fn write(results: &Results, dir: &Path) -> Result<(), ReportError> {
    let files = render(results)?;
    make_dir(dir)?;
    remove(&dir.join("outcome.json"))?;
    for (sub, extension) in [("figures", "svg"), ("histograms", "hgrm")] {
        remove_stale(dir, sub, extension, &files)?;
    }
    for file in &files {
        let path = dir.join(&file.path);
        if let Some(parent) = path.parent() {
            make_dir(parent)?;
        }
        replace(&path, file.text.as_bytes())?;
    }
    Ok(())
}

fn make_dir(dir: &Path) -> Result<(), ReportError> {
    fs::create_dir_all(dir).map_err(|source| failed(dir, source))
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".partial");
    let partial = path.with_file_name(name);
    let put = || -> io::Result<()> {
        let mut file = fs::File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&partial, path)
    };
    put().map_err(|source| {
        // Best effort: the first error is the one to tell.
        let _ = fs::remove_file(&partial);
        failed(path, source)
    })
}

fn remove(path: &Path) -> Result<(), ReportError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed(path, e)),
        _ => Ok(()),
    }
}

fn remove_stale(dir: &Path, sub: &str, extension: &str, files: &[File]) -> Result<(), ReportError> {
    let Ok(entries) = fs::read_dir(dir.join(sub)) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let path = format!("{sub}/{}", name.to_string_lossy());
        let ours = Path::new(&name).extension().is_some_and(|e| e == extension);
        if ours && !files.iter().any(|f| f.path == path) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn failed(path: &Path, source: io::Error) -> ReportError {
    ReportError::Write {
        path: path.into(),
        source,
    }
}
