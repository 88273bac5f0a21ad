//! The rows of an `experiment`: a linked axis, crossed with seeds, over the scenario as written.

use super::{Expander, Study, Variant};
use crate::compose::Path;
use crate::diagnostic::{Diagnostic, Severity};
use crate::plan::{Load, Plan};
use crate::schema::shape::suggestion;
use crate::schema::{
    Axis, AxisValues, Experiment as Published, ExperimentRow, Overrides, Studies, Vary,
};
use crate::tree::{Key, Node, Place, Problem, Value};
use consim_check::experiment::{FigureSpec, RowSpec, Spec};
use consim_check::metrics::{self, Scope};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// The most rows of an experiment (assumed: nobody publishes more of one set-up).
pub const MAX_ROWS: usize = 1_000;
/// The most seeds of a row.
pub const MAX_SEEDS: u64 = 10_000;
/// The longest name of a row that is made of what it sets.
const MAX_NAME: usize = 60;

/// A published experiment.
#[derive(Clone)]
pub struct Experiment {
    /// What was published.
    pub spec: Spec,
    /// Under how many seeds each row is run.
    pub seeds: u64,
    expander: Arc<Expander>,
    first: Variant,
}

impl fmt::Debug for Experiment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Experiment")
            .field("spec", &self.spec)
            .field("seeds", &self.seeds)
            .finish_non_exhaustive()
    }
}

impl Experiment {
    /// Its runs as a study: cell `row * seeds + seed`.
    pub fn runs(&self, seeds: u64) -> Study {
        let expander = self.expander.over_seeds(seeds);
        let axes = expander.studies.vary.0.iter();
        Study {
            runs: vec![self.first.clone()],
            axes: axes.map(super::shown_axis).collect(),
            cells: super::count(&expander.studies),
            planned: 0,
            disturbed: 0,
            experiment: None,
            claims: Vec::new(),
            expander: Arc::new(expander),
        }
    }
}

/// Plans every row under one seed, and reads what was published of it.
pub(super) fn planned(
    expander: &Expander,
    published: &Published,
    found: &mut Vec<Diagnostic>,
) -> Option<Experiment> {
    let mut tell = |code, place: &Place, message: String, help: &str| {
        let problem = Problem::error(code, place, message, help);
        found.push(expander.composed.sources.diagnostic(&problem));
    };
    let place = published.id.place.clone();
    if !(expander.studies.compare.0.is_empty() && expander.studies.vary.0.is_empty()) {
        let text = "an experiment beside `compare` or `vary`".to_owned();
        tell(
            "E504",
            &place,
            text,
            "its rows are its axis; take the others out",
        );
        return None;
    }
    let (rows, seeds) = (published.rows.items.len(), published.seeds.value.0);
    if rows == 0 || rows > MAX_ROWS {
        let help = format!("1 to {MAX_ROWS}");
        tell("E107", &place, format!("{rows} rows"), &help);
        return None;
    }
    if seeds == 0 || seeds > MAX_SEEDS {
        let place = published.seeds.place.clone();
        let help = format!("1 to {MAX_SEEDS}");
        tell("E107", &place, format!("{seeds} seeds"), &help);
        return None;
    }
    let mut plain = expander.clone();
    plain.studies = Studies {
        vary: Vary(vec![row_axis(published, &place)]),
        ..plain.studies
    };
    let loaded = plan_rows(&plain, found)?;
    let plans: Vec<&Plan> = loaded.iter().map(|v| &v.loaded.plan).collect();
    let spec = spec(expander, published, &plans, found)?;
    Some(Experiment {
        spec,
        seeds,
        expander: Arc::new(plain),
        first: loaded.into_iter().next()?,
    })
}

/// The rows as values of a linked axis.
fn row_axis(published: &Published, place: &Place) -> Axis {
    let rows = published.rows.items.iter().enumerate();
    Axis {
        key: Key {
            text: "row".into(),
            place: place.clone(),
        },
        values: AxisValues::Listed(
            rows.map(|(number, (row, _))| (number.to_string(), row.with.0.clone()))
                .collect(),
        ),
    }
}

fn plan_rows(expander: &Expander, found: &mut Vec<Diagnostic>) -> Option<Vec<Variant>> {
    let rows = expander.studies.vary.0.first()?.values.len();
    let mut out = Vec::new();
    for row in 0..rows {
        let (loaded, of_row) = expander.cell(None, &[row]);
        for diagnostic in of_row {
            if !found.contains(&diagnostic) {
                found.push(diagnostic);
            }
        }
        out.extend(loaded.map(|loaded| Variant {
            label: None,
            loaded,
        }));
    }
    let wrong = found.iter().any(|d| d.severity == Severity::Error);
    (!wrong).then_some(out)
}

/// What was published, with the names of its metrics looked up in the plans.
fn spec(
    expander: &Expander,
    published: &Published,
    plans: &[&Plan],
    found: &mut Vec<Diagnostic>,
) -> Option<Spec> {
    let before = found.len();
    let mut tell = |code, place: &Place, message: String, help: String| {
        let problem = Problem::error(code, place, message, help);
        found.push(expander.composed.sources.diagnostic(&problem));
    };
    let mut measured: BTreeSet<&str> = BTreeSet::new();
    let mut rows = Vec::new();
    let names = Names::of(published);
    for ((row, place), plan) in published.rows.items.iter().zip(plans) {
        for figure in &row.measured.0 {
            measured.insert(&figure.metric);
            if let Some((message, help)) = stranger(&figure.metric, plan) {
                tell("E301", &figure.place, message, help);
            }
        }
        let own: Vec<&str> = row.measured.0.iter().map(|f| f.metric.as_str()).collect();
        if let crate::schema::Scored::These(these) = &row.scored {
            for (word, place) in these.iter().filter(|(w, _)| !own.contains(&w.as_str())) {
                let text = format!("`{word}` was not measured in this row");
                tell("E309", place, text, suggestion(word, &own));
            }
        }
        let scored = own.iter().any(|metric| row.scored.has(metric));
        if let Some(miss) = row.known_miss.as_ref().filter(|_| !scored) {
            let text = "a known miss of a row that is not scored".to_owned();
            tell(
                "E504",
                &miss.place,
                text,
                "leave it out, or score the row".into(),
            );
        }
        if !scored && row.why.is_none() {
            let text = "why is this row not scored?".to_owned();
            tell("E210", place, text, "why: what sets it apart".into());
        }
        rows.push(row_spec(row, plan, &names));
    }
    let order = published.order.iter().flat_map(|words| &words.list);
    for (word, place) in order
        .clone()
        .filter(|(w, _)| !measured.contains(w.as_str()))
    {
        let known: Vec<&str> = measured.iter().copied().collect();
        let text = format!("no row measured `{word}`");
        tell("E309", place, text, suggestion(word, &known));
    }
    if found.len() > before {
        return None;
    }
    Some(Spec {
        id: published.id.value.clone(),
        about: plans.first().and_then(|plan| plan.about.clone()),
        source: published.source.value.clone(),
        class: published.class.value.class(),
        order: order.map(|(word, _)| word.clone()).collect(),
        rows,
    })
}

fn row_spec(row: &ExperimentRow, plan: &Plan, names: &Names) -> RowSpec {
    let text = |at: &Option<crate::schema::At<String>>| at.as_ref().map(|at| at.value.clone());
    let figures = row.measured.0.iter().map(|figure| FigureSpec {
        metric: figure.metric.clone(),
        unit: figure.unit.word(),
        measured: figure.value,
        sd: figure.sd,
        scored: row.scored.has(&figure.metric),
    });
    RowSpec {
        name: names.name(&row.with.0),
        offered: offered(plan),
        curve: Names::curve(&row.with.0),
        figures: figures.collect(),
        why: text(&row.why),
        known_miss: text(&row.known_miss),
    }
}

/// What all workloads together offer, per second, if all of them come at steady rates.
fn offered(plan: &Plan) -> Option<f64> {
    let rates = plan.workloads.values().map(|w| match &w.load {
        Load::Rates { rates, .. } if w.course.is_empty() => {
            Some(rates.values().map(|&rate| rate as f64 / 1e9).sum::<f64>())
        }
        _ => None,
    });
    rates.sum::<Option<f64>>().filter(|offered| *offered > 0.0)
}

/// What is wrong with the name that `metric` is of.
pub(super) fn stranger(metric: &str, plan: &Plan) -> Option<(String, String)> {
    let (_, scope, name) = metrics::find(metric)?;
    let keys = |keys: Vec<&String>| keys.into_iter().cloned().collect::<BTreeSet<String>>();
    let known: BTreeSet<String> = match scope {
        Scope::Run => return None,
        Scope::Chain => keys(plan.chains.keys().collect()),
        Scope::Workload => keys(plan.workloads.keys().collect()),
        Scope::Service => keys(plan.services.keys().collect()),
        Scope::Attack => keys(plan.attacks.keys().collect()),
        Scope::Change => {
            let all = plan.chains.values().flat_map(|chain| &chain.changes);
            keys(all.map(|change| &change.name).collect())
        }
        Scope::Relay => keys(plan.relays.keys().collect()),
        Scope::Organisation => keys(plan.institutions.iter().map(|i| &i.group).collect()),
    };
    if known.contains(name) {
        return None;
    }
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    Some((
        format!("nothing is called `{name}` here"),
        suggestion(name, &known),
    ))
}

/// The names of rows: what they set, without the paths if all set the same ones.
struct Names {
    bare: bool,
}

/// Is it a path that says how much comes?
fn is_load(path: &Path) -> bool {
    let parts: Vec<&str> = path.iter().map(|(part, _)| part.as_str()).collect();
    matches!(parts.as_slice(), ["workloads", _, "load", ..])
}

fn dotted(path: &Path) -> String {
    let parts: Vec<&str> = path.iter().map(|(part, _)| part.as_str()).collect();
    parts.join(".")
}

/// A value as a reader says it: without braces and colons.
fn plain(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || "{}:,".contains(c));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

fn flow(node: &Node) -> String {
    match &node.value {
        Value::Scalar(text) => text.to_string(),
        _ => node.flow(),
    }
}

impl Names {
    fn of(published: &Published) -> Self {
        let paths = |row: &ExperimentRow| {
            let sets = row.with.0.sets.iter();
            sets.map(|(path, _)| dotted(path)).collect::<Vec<_>>()
        };
        let mut rows = published.rows.items.iter().map(|(row, _)| paths(row));
        let first = rows.next().unwrap_or_default();
        Self {
            bare: first.len() == 1 && rows.all(|row| row == first),
        }
    }
    fn name(&self, with: &Overrides) -> String {
        let one = |(path, node): &(Path, Node)| {
            if self.bare {
                return plain(&flow(node));
            }
            let last = path.last().map_or("", |(part, _)| part.as_str());
            format!("{last} {}", plain(&flow(node)))
        };
        let parts: Vec<String> = with.sets.iter().map(one).collect();
        let mut name = if parts.is_empty() {
            "as written".to_owned()
        } else {
            parts.join(", ")
        };
        if name.chars().count() > MAX_NAME {
            name = name.chars().take(MAX_NAME - 1).collect();
            name.push('…');
        }
        name
    }
    /// What a row has besides its load.
    fn curve(with: &Overrides) -> String {
        let others = with.sets.iter().filter(|(path, _)| !is_load(path));
        let others = others.map(|(path, node)| format!("{} {}", dotted(path), flow(node)));
        others.collect::<Vec<_>>().join(", ")
    }
}
