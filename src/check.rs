//! `consim check`: validates scenarios and prints the resolved plan.

use crate::cli::{CheckArgs, Format};
use crate::exit;
use crate::overrides::{draw_seed, load_options};
use consim_scenarios::diagnostic::{Diagnostic, Diagnostics, Severity};
use consim_scenarios::run::pairs;
use consim_scenarios::{Loaded, Study, Variant, codes, plan::Explained, study};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Runs the verb; returns the exit code.
pub(crate) fn check(args: &CheckArgs) -> u8 {
    if let Some(code) = &args.explain {
        let done = explain_code(code);
        if done != exit::PASS || args.files.is_empty() {
            return done;
        }
    }
    let mut all: Vec<Diagnostic> = Vec::new();
    for file in &args.files {
        let found = match study(file, &load_options(&args.overrides, draw_seed())) {
            Ok(study) => {
                let mut list = warnings(&study);
                if args.strict {
                    for warning in &mut list {
                        warning.severity = Severity::Error;
                    }
                }
                // Of a file that is wrong only the mistakes are shown.
                if list.iter().all(|d| d.severity == Severity::Warning) && !args.quiet {
                    show(args, &study);
                }
                Diagnostics { list }
            }
            Err(diagnostics) => diagnostics,
        };
        if args.format == Format::Text {
            eprint!("{}", found.render());
        }
        all.extend(found.list);
    }
    match args.format {
        Format::Text => {}
        Format::Json => {
            let rows: Vec<serde_json::Value> = all.iter().map(Diagnostic::json).collect();
            sayln!("{:#}", serde_json::Value::Array(rows));
        }
        Format::Lsp => sayln!("{:#}", lsp(&args.files, &all)),
    }
    if all.iter().any(|d| d.severity == Severity::Error) {
        exit::BAD_INPUT
    } else {
        exit::PASS
    }
}

/// `--explain CODE`.
fn explain_code(code: &str) -> u8 {
    if let Some(code) = codes::find(code) {
        say!("{}", code.render());
        return exit::PASS;
    }
    let known: Vec<&str> = codes::CODES.iter().map(|c| c.code).collect();
    eprintln!(
        "error: no diagnostic has the code `{code}`; there are {}",
        known.join(", ")
    );
    exit::BAD_INPUT
}

/// The warnings of all runs, each once.
fn warnings(study: &Study) -> Vec<Diagnostic> {
    let mut list: Vec<Diagnostic> = Vec::new();
    for warning in study.runs.iter().flat_map(|run| &run.loaded.warnings) {
        if !list.contains(warning) {
            list.push(warning.clone());
        }
    }
    list
}

/// What `textDocument/publishDiagnostics` takes, one object a file, also for those without
/// mistakes: an editor then forgets the old ones.
fn lsp(files: &[std::path::PathBuf], all: &[Diagnostic]) -> serde_json::Value {
    let mut by_file: BTreeMap<String, Vec<serde_json::Value>> = BTreeMap::new();
    for file in files {
        by_file.entry(uri(&file.display().to_string())).or_default();
    }
    for diagnostic in all {
        let list = by_file.entry(uri(&diagnostic.file)).or_default();
        list.push(diagnostic.lsp());
    }
    by_file
        .into_iter()
        .map(|(uri, diagnostics)| serde_json::json!({ "uri": uri, "diagnostics": diagnostics }))
        .collect()
}

/// A `file:` URI (RFC 8089). Options of the command line, which are no files, keep their name.
fn uri(file: &str) -> String {
    if file.starts_with("--") {
        return format!("consim:{file}");
    }
    let path = std::path::absolute(Path::new(file)).unwrap_or_else(|_| file.into());
    let mut out = String::from("file://");
    for byte in path.to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Prints what a file comes to: the plan of its first run, how the others differ, the axes.
fn show(args: &CheckArgs, study: &Study) {
    if args.origin.is_some() {
        sayln!("{:#}", origins(study));
        return;
    }
    if args.format != Format::Text {
        return;
    }
    let Some((first, others)) = study.runs.split_first() else {
        return;
    };
    heading(first, study);
    let rows: Vec<&Explained> = first
        .loaded
        .explain
        .iter()
        .filter(|row| !args.changed || row.changed())
        .collect();
    table(&rows);
    first
        .loaded
        .plan
        .notes
        .iter()
        .for_each(|note| sayln!("note: {note}"));
    for run in others {
        sayln!("");
        heading(run, study);
        difference(&first.loaded, &run.loaded);
    }
    if !study.axes.is_empty() {
        axes(study);
    }
    sayln!("{}", runs(study));
}

/// How many runs `consim run` makes of the file.
fn runs(study: &Study) -> String {
    let own = study.cells * study.runs.len() as u64;
    let said = |own: u64, most: bool, pairs: u64| {
        let word = if own == 1 { "run" } else { "runs" };
        let most = if most { "at most " } else { "" };
        match pairs {
            0 => format!("{own} {word}"),
            n => format!(
                "{own} {word}, and {most}{n} without faults or attacks to compare with (--no-pairs \
                 leaves them out)"
            ),
        }
    };
    if study.is_matrix() {
        // Of a large study not every cell was planned; one cell may have what another lacks.
        let whole = study.planned == study.cells;
        let any = if study.disturbed > 0 { own } else { 0 };
        return said(own, true, if whole { study.disturbed } else { any });
    }
    let pairs = study.runs.iter().map(|run| pairs(&run.loaded.plan).len());
    said(own, false, pairs.sum::<usize>() as u64)
}

fn heading(run: &Variant, study: &Study) {
    let plan = &run.loaded.plan;
    let label = run
        .label
        .as_ref()
        .map_or_else(String::new, |l| format!(" {l}"));
    let first = if study.axes.is_empty() {
        ""
    } else {
        " (the first cell)"
    };
    sayln!(
        "{}{label}  plan {}{first}",
        plan.name,
        plan.digest.get(..16).unwrap_or(&plan.digest)
    );
}

fn table(rows: &[&Explained]) {
    let width = |f: fn(&Explained) -> usize, most: usize| {
        rows.iter().map(|r| f(r)).max().unwrap_or(0).min(most)
    };
    let (path, value) = (
        width(|r| r.path.chars().count(), 56),
        width(|r| r.value.chars().count(), 40),
    );
    for row in rows {
        sayln!("{:path$}  {:value$}  {}", row.path, row.value, row.origin);
    }
}

/// The values of a run that differ from those of the first, and those that it lacks.
fn difference(first: &Loaded, run: &Loaded) {
    let same = |a: &Explained, b: &Explained| a.path == b.path && a.value == b.value;
    let rows: Vec<&Explained> = run
        .explain
        .iter()
        .filter(|row| !first.explain.iter().any(|other| same(other, row)))
        .collect();
    table(&rows);
    for gone in first
        .explain
        .iter()
        .filter(|row| !run.explain.iter().any(|other| other.path == row.path))
    {
        sayln!("without {}", gone.path);
    }
    for note in run
        .plan
        .notes
        .iter()
        .filter(|note| !first.plan.notes.contains(note))
    {
        sayln!("note: {note}");
    }
}

fn axes(study: &Study) {
    sayln!("");
    for axis in &study.axes {
        let more = if axis.len > axis.values.len() as u64 {
            ", ..."
        } else {
            ""
        };
        sayln!(
            "vary {}: {}{more} ({})",
            axis.name,
            axis.values.join(", "),
            axis.len
        );
    }
    let runs = study.runs.len() as u64;
    let variants = if runs > 1 {
        format!(" of each of {runs} variants")
    } else {
        String::new()
    };
    let planned = if study.planned < study.cells {
        format!(
            "; {} of them planned: every value of every axis",
            study.planned
        )
    } else {
        String::new()
    };
    sayln!("{} cells{variants}{planned}", study.cells);
}

/// Path to value and origin; by label where runs are compared.
fn origins(study: &Study) -> serde_json::Value {
    let one = |loaded: &Loaded| -> serde_json::Value {
        let rows = loaded.explain.iter().map(|row| {
            let value = serde_json::json!({
                "value": row.value,
                "origin": row.from,
                "changed": row.changed(),
            });
            (row.path.clone(), value)
        });
        serde_json::Value::Object(rows.collect())
    };
    match study.runs.as_slice() {
        [only] if only.label.is_none() => one(&only.loaded),
        runs => {
            let labelled = runs.iter().map(|run| {
                let label = run.label.clone().unwrap_or_default();
                (label, one(&run.loaded))
            });
            serde_json::Value::Object(labelled.collect())
        }
    }
}
