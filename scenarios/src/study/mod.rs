//! Several runs out of one file: the variants of `compare`, the cells of `vary`, the rows of an `experiment`, the seeds of
//! `claims`.

mod claims;
mod experiment;

pub use experiment::{Experiment, MAX_ROWS, MAX_SEEDS};

use crate::compose;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::load::{Composed, LoadOptions, Loaded, compose as compose_file, plan_tree};
use crate::plan::Head;
use crate::schema::shape::suggestion;
use crate::schema::{Cx, Overrides, Studies};
use crate::tree::{Key, Node, Place, Problem, Value};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// The most variants of `compare`: each is a run of its own in one report.
pub const MAX_VARIANTS: usize = 64;
/// The most cells of a study.
pub const MAX_CELLS: u64 = 1_000_000;
/// The most cells that are planned before the first run. Of a larger study every value of every
/// axis is planned once, the other axes at their first.
const MAX_PLANNED: u64 = 100;
/// The most values of one axis that are planned: the first and the last, and between them evenly.
const MAX_ALONG_AXIS: u64 = 64;
/// Values of an axis that are shown.
const SHOWN: u64 = 12;

/// What a file comes to.
#[derive(Clone, Debug)]
pub struct Study {
    /// The runs: one without a label, or one a label of `compare`, sorted by label.
    pub runs: Vec<Variant>,
    /// The axes of `vary`, by path; the runs are then those of the first cell.
    pub axes: Vec<Axis>,
    /// How many cells `vary` makes of each run; 1 without axes.
    pub cells: u64,
    /// How many cells of each run were planned to find mistakes.
    pub planned: u64,
    /// How many of the planned cells, of all runs, have a fault or attack.
    pub disturbed: u64,
    /// The published experiment that the file holds.
    pub experiment: Option<Experiment>,
    /// What is claimed of the variants.
    pub claims: Vec<consim_check::claims::Claim>,
    /// What further cells are planned from.
    expander: Arc<Expander>,
}

impl Study {
    /// The scenario of cell `number` of the run at place `run` of [`Study::runs`].
    pub fn cell(&self, run: usize, number: u64) -> Result<Loaded, Diagnostics> {
        let label = self.runs.get(run).and_then(|run| run.label.as_deref());
        let (loaded, found) = self.expander.cell(label, &self.expander.place(number));
        loaded.ok_or_else(|| Diagnostics::new(found))
    }

    /// The values of cell `number`, one an axis.
    pub fn values(&self, number: u64) -> Vec<String> {
        let axes = self.expander.studies.vary.0.iter();
        let place = self.expander.place(number);
        axes.zip(place)
            .map(|(axis, index)| axis.values.get(index).map_or_else(String::new, |v| v.0))
            .collect()
    }

    /// Does the file say anything to vary?
    pub fn is_matrix(&self) -> bool {
        !self.axes.is_empty()
    }
}

/// A run of a study.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its label under `compare`.
    pub label: Option<String>,
    /// The scenario.
    pub loaded: Loaded,
}

/// An axis of `vary`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Axis {
    /// The path, or the word of a linked axis.
    pub name: String,
    /// The number of its values.
    pub len: u64,
    /// The first of them as written, at most a dozen.
    pub values: Vec<String>,
}

/// Reads a scenario with its studies; everything that is wrong with it comes at once.
pub fn study(file: &Path, options: &LoadOptions) -> Result<Study, Diagnostics> {
    planned(compose_file(file, None, options), options)
}

/// The same for `bytes` in place of what the file holds: an editor's buffer.
pub fn study_bytes(file: &Path, bytes: &[u8], options: &LoadOptions) -> Result<Study, Diagnostics> {
    planned(compose_file(file, Some(bytes), options), options)
}

fn planned(mut composed: Composed, options: &LoadOptions) -> Result<Study, Diagnostics> {
    let studies = composed.tree.as_mut().map(take_studies);
    let mut cx = Cx::new(composed.sources.clone());
    let studies = studies.and_then(|node| Studies::decode_fields(&mut cx, &node));
    let sound = cx.problems.is_empty();
    let mut found = cx.sources.diagnostics(&cx.problems);
    let mut studies = studies.unwrap_or(Studies {
        compare: crate::schema::Compare::default(),
        vary: crate::schema::Vary::default(),
        experiment: None,
        claims: Vec::new(),
    });
    let claims = std::mem::take(&mut studies.claims);
    let published = studies.experiment.take();
    let expander = Expander {
        labels: studies
            .compare
            .0
            .iter()
            .map(|(key, _)| key.text.to_string())
            .collect(),
        composed: Arc::new(composed),
        studies,
        drawn_seed: options.drawn_seed,
        damaged: !sound,
    };
    let studies = &expander.studies;
    let too_many = |place: &Place, what: String, help: String| {
        let problem = Problem::error("E107", place, what, help);
        expander.composed.sources.diagnostic(&problem)
    };
    if studies.compare.0.len() > MAX_VARIANTS
        && let Some((key, _)) = studies.compare.0.first()
    {
        let n = studies.compare.0.len();
        let help = format!("at most {MAX_VARIANTS}; `vary` makes series");
        found.push(too_many(&key.place, format!("{n} variants"), help));
        return Err(Diagnostics::new(found));
    }
    let cells = count(studies);
    if cells > MAX_CELLS
        && let Some(axis) = studies.vary.0.first()
    {
        let help = format!("at most {MAX_CELLS}; shorter axes");
        found.push(too_many(&axis.key.place, format!("{cells} cells"), help));
        return Err(Diagnostics::new(found));
    }
    let (runs, planned, disturbed) = expander.all(cells, &mut found);
    let experiment =
        published.and_then(|published| experiment::planned(&expander, &published, &mut found));
    let claims = claims::planned(&expander, &runs, &claims, experiment.is_some(), &mut found);
    let wrong = found.iter().any(|d| d.severity == Severity::Error);
    if wrong || runs.is_empty() {
        return Err(Diagnostics::new(found));
    }
    Ok(Study {
        runs,
        axes: studies.vary.0.iter().map(shown_axis).collect(),
        cells,
        planned,
        disturbed,
        experiment,
        claims,
        expander: Arc::new(expander),
    })
}

/// `compare`, `vary`, `experiment` and `claims` off the tree, as a map of their own.
fn take_studies(tree: &mut Node) -> Node {
    let mut taken = Vec::new();
    if let Value::Map(entries) = &mut tree.value {
        entries.retain(|(key, node)| {
            let study = ["compare", "vary", "experiment", "claims"].contains(&&*key.text);
            if study {
                taken.push((key.clone(), node.clone()));
            }
            !study
        });
    }
    Node::map(taken, tree.place.clone())
}

/// The cells of each run: the product of the lengths of the axes.
fn count(studies: &Studies) -> u64 {
    let lengths = studies.vary.0.iter().map(|axis| axis.values.len());
    lengths.fold(1, u64::saturating_mul)
}

fn shown_axis(axis: &crate::schema::Axis) -> Axis {
    let len = axis.values.len();
    Axis {
        name: axis.key.text.to_string(),
        len,
        values: (0..len.min(SHOWN))
            .filter_map(|i| Some(axis.values.get(i)?.0))
            .collect(),
    }
}

/// Plans the cells of all variants.
#[derive(Clone)]
struct Expander {
    composed: Arc<Composed>,
    studies: Studies,
    labels: Vec<String>,
    drawn_seed: u64,
    damaged: bool,
}

impl fmt::Debug for Expander {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expander")
            .field("labels", &self.labels)
            .finish_non_exhaustive()
    }
}

impl Expander {
    /// The same, crossed with seeds.
    fn over_seeds(&self, seeds: u64) -> Self {
        let mut out = self.clone();
        let Some(place) = self.composed.tree.as_ref().map(|tree| tree.place.clone()) else {
            return out;
        };
        out.studies.vary.0.push(crate::schema::Axis {
            key: Key {
                text: "seed".into(),
                place: place.clone(),
            },
            values: crate::schema::AxisValues::Range {
                path: vec![("seed".into(), place.clone())],
                low: 1,
                high: seeds.max(1),
                place,
            },
        });
        out
    }

    /// The first cell of each variant, how many cells of each were planned, and how many of all of
    /// these have a fault or attack; what is wrong with them comes into `found`.
    fn all(&self, cells: u64, found: &mut Vec<Diagnostic>) -> (Vec<Variant>, u64, u64) {
        let compare = &self.studies.compare.0;
        let variants: Vec<Option<String>> = if compare.is_empty() {
            vec![None]
        } else {
            let entries = compare.iter();
            entries.map(|(key, _)| Some(key.text.to_string())).collect()
        };
        let chosen = chosen_cells(&self.studies, cells);
        let mut runs = Vec::new();
        let mut disturbed = 0;
        for label in variants {
            for (number, cell) in chosen.iter().enumerate() {
                let (loaded, of_cell) = self.cell(label.as_deref(), cell);
                // The same mistake of another cell is one mistake; another's warnings are its own
                // matter.
                for diagnostic in of_cell {
                    if !found.contains(&diagnostic) {
                        found.push(diagnostic);
                    }
                }
                let wrong = found.iter().any(|d| d.severity == Severity::Error);
                let plan = loaded.as_ref().map(|loaded| &loaded.plan);
                disturbed += u64::from(plan.is_some_and(|p| !p.disturbances().is_empty()));
                match loaded {
                    Some(loaded) if number == 0 => runs.push(Variant {
                        label: label.clone(),
                        loaded,
                    }),
                    _ => {}
                }
                // What is wrong with the scenario itself is wrong in every cell.
                if wrong && number == 0 && !self.damaged {
                    break;
                }
            }
        }
        (runs, chosen.len() as u64, disturbed)
    }

    /// The indexes of the values of a cell.
    fn place(&self, number: u64) -> Vec<u64> {
        let axes = self.studies.vary.0.iter();
        let lengths: Vec<u64> = axes.map(|axis| axis.values.len()).collect();
        cell(number, &lengths)
    }

    /// One cell of the variant with this label, and what is wrong or odd with it.
    fn cell(&self, label: Option<&str>, cell: &[u64]) -> (Option<Loaded>, Vec<Diagnostic>) {
        let mut problems = self.composed.problems.clone();
        let mut tree = self.composed.tree.clone();
        let mut overridden: Vec<(String, Vec<Place>)> = Vec::new();
        let as_written = Overrides::default();
        let of_label = self.studies.compare.0.iter();
        let variant = of_label
            .filter(|(key, _)| label == Some(&*key.text))
            .map(|(_, overrides)| overrides)
            .next()
            .unwrap_or(&as_written);
        if let Some(tree) = &mut tree {
            let name = label.map_or_else(String::new, |label| format!("compare {label}"));
            self.lay(tree, &name, variant, &mut overridden, &mut problems);
            for (axis, &index) in self.studies.vary.0.iter().zip(cell) {
                if let Some((value, overrides)) = axis.values.get(index) {
                    let name = format!("vary {}={value}", axis.key.text);
                    self.lay(tree, &name, &overrides, &mut overridden, &mut problems);
                }
            }
            split_expectations(tree, label, &self.labels);
        }
        let mut cx = Cx::new(self.composed.sources.clone());
        cx.damaged = self.damaged || !problems.is_empty();
        cx.problems = problems;
        let head = Head {
            file_name: &self.composed.file_name,
            drawn_seed: self.drawn_seed,
            variant: label,
            labels: &self.labels,
            overridden: &overridden,
        };
        plan_tree(cx, tree.as_ref(), &head)
    }

    fn lay(
        &self,
        tree: &mut Node,
        name: &str,
        overrides: &Overrides,
        overridden: &mut Vec<(String, Vec<Place>)>,
        problems: &mut Vec<Problem>,
    ) {
        let shape = self.composed.shape;
        for path in &overrides.remove {
            if let Err(problem) = compose::remove(Some(shape), tree, path, "", "the scenario") {
                problems.push(problem);
            }
        }
        let mut places = Vec::new();
        for (path, value) in &overrides.sets {
            places_of(value, &mut places);
            if let Err(problem) = compose::set(shape, tree, path, value.clone(), "") {
                problems.push(problem);
            }
        }
        overridden.push((name.to_owned(), places));
    }
}

/// The places of all values in `node`.
fn places_of(node: &Node, out: &mut Vec<Place>) {
    out.push(node.place.clone());
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| places_of(item, out)),
        Value::Map(entries) => {
            for (key, value) in entries {
                out.push(key.place.clone());
                places_of(value, out);
            }
        }
        Value::Empty | Value::Scalar(_) => {}
    }
}

/// The cells that are planned, each the indexes of its values: all of a small study, of a large
/// one every value of every axis beside the first values of the others.
fn chosen_cells(studies: &Studies, cells: u64) -> Vec<Vec<u64>> {
    let lengths: Vec<u64> = studies.vary.0.iter().map(|a| a.values.len()).collect();
    if cells <= MAX_PLANNED {
        return (0..cells).map(|number| cell(number, &lengths)).collect();
    }
    let first = vec![0; lengths.len()];
    let mut out = vec![first.clone()];
    for (axis, &length) in lengths.iter().enumerate() {
        let steps = length.min(MAX_ALONG_AXIS);
        for step in 1..steps {
            let index = step * (length - 1) / (steps - 1).max(1);
            let mut cell = first.clone();
            if let Some(place) = cell.get_mut(axis) {
                *place = index;
            }
            out.push(cell);
        }
    }
    out
}

/// The indexes of a cell; the last axis turns fastest.
fn cell(mut number: u64, lengths: &[u64]) -> Vec<u64> {
    let mut out: Vec<u64> = lengths
        .iter()
        .rev()
        .map(|&length| {
            let index = number % length.max(1);
            number /= length.max(1);
            index
        })
        .collect();
    out.reverse();
    out
}

/// An `expect` path that begins with a label holds for that run alone, beside those without one.
fn split_expectations(tree: &mut Node, label: Option<&str>, labels: &[String]) {
    let Value::Map(entries) = &mut tree.value else {
        return;
    };
    let Some((_, expect)) = entries.iter_mut().find(|(key, _)| &*key.text == "expect") else {
        return;
    };
    let Value::Map(gates) = &mut expect.value else {
        return;
    };
    let (mut own, mut shared) = (Vec::new(), Vec::new());
    for (key, node) in gates.drain(..) {
        match key.text.split_once('.') {
            Some((first, rest)) if labels.iter().any(|l| l == first) => {
                if label == Some(first) {
                    let key = Key {
                        text: rest.into(),
                        place: key.place.part(Some(first.len() + 1..key.text.len())),
                    };
                    own.push((key, node));
                }
            }
            _ => shared.push((key, node)),
        }
    }
    own.extend(shared);
    *gates = own;
}

/// What a limit relative to another variant says of it, if there is no such variant.
pub(crate) fn no_variant(word: &str, labels: &[String]) -> (String, String) {
    let known: Vec<&str> = labels.iter().map(String::as_str).collect();
    let help = if known.is_empty() {
        "such a limit needs `compare`".to_owned()
    } else {
        suggestion(word, &known)
    };
    (format!("no variant is called `{word}`"), help)
}
