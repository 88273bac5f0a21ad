//! `experiment`: published rows, measured beside simulated.

use super::decode::{At, Cx, Decode};
use super::lists::{List, Words};
use super::macros::{record, words};
use super::shape::{Form, Lists, Shape, suggestion};
use super::studies::Overrides;
use crate::plan::measure;
use crate::tree::{Node, Place, Value};
use consim_check::experiment::{Class, kind};
use consim_check::metrics::{self, METRICS, Unit};
use consim_core::values::Count;

record! {
    /// A published experiment.
    pub struct Experiment {
        /// Its short name.
        id: At<String>,
        /// Where it was published.
        source: At<String>,
        /// What kind of system it is of; picks the tolerances out of the one table in code.
        class: At<ClassWord>,
        /// Seeds under which each row is run; its figures are means over them.
        seeds: At<Count> = "10",
        /// Metrics in whose order the rows stand, as measured.
        order: Option<Words>,
        /// The published rows.
        rows: List<ExperimentRow>,
    }
}

words! {
    /// The class of an experiment.
    pub enum ClassWord: "class of experiments" {
        /// Consensus over long lines.
        BftWan = "bft-wan",
        /// Consensus in one place.
        Lan = "lan",
        /// Protocols over a graph of batches.
        Dag = "dag",
        /// Protocols that spread by gossip.
        Gossip = "gossip",
    }
}

impl ClassWord {
    /// The class.
    pub(crate) fn class(self) -> Class {
        match self {
            Self::BftWan => Class::BftWan,
            Self::Lan => Class::Lan,
            Self::Dag => Class::Dag,
            Self::Gossip => Class::Gossip,
        }
    }
}

record! {
    /// A row of an experiment.
    pub struct ExperimentRow {
        /// What sets it apart: load, sizes, counts and faults, and nothing else.
        with: With = "{}",
        /// What was published: metrics and their values.
        measured: Measured,
        /// Are its figures scored? All, none, or those that are listed.
        scored: Scored = "true",
        /// Why they are not, or what else a reader should know.
        why: Option<At<String>>,
        /// Why the row is out of its tolerance. It is counted, and has to go when the row comes in.
        known_miss: Option<At<String>>,
    }
}

/// The overrides of a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct With(pub(crate) Overrides);

/// What a row may set of a group of organisations: how many there are.
const COUNTS: [&str; 3] = ["count", "nodes", "cohorts"];

impl Decode for With {
    fn shape() -> Shape {
        Overrides::shape()
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let overrides = Overrides::decode(cx, node)?;
        let mut whole = true;
        for path in &overrides.remove {
            let words: Vec<&str> = path.iter().map(|(part, _)| part.as_str()).collect();
            if let Some((_, place)) = path.first()
                && !may_set(&words)
            {
                refuse(cx, place, &words);
                whole = false;
            }
        }
        for (path, value) in &overrides.sets {
            let words: Vec<&str> = path.iter().map(|(part, _)| part.as_str()).collect();
            let place = path
                .first()
                .map_or_else(|| value.place.clone(), |(_, place)| place.clone());
            whole &= all_may(cx, &words, &place, value);
        }
        whole.then_some(Self(overrides))
    }
}

/// May everything that `value` sets at `path` be set by a row?
fn all_may(cx: &mut Cx, path: &[&str], place: &Place, value: &Node) -> bool {
    if may_set(path) {
        return true;
    }
    match &value.value {
        // What stands deeper may be allowed where the whole is not.
        Value::Map(entries) if path.len() < 3 && !entries.is_empty() => {
            let mut whole = true;
            for (key, value) in entries {
                let mut path = path.to_vec();
                path.push(&key.text);
                whole &= all_may(cx, &path, &key.place, value);
            }
            whole
        }
        _ => {
            refuse(cx, place, path);
            false
        }
    }
}

fn refuse(cx: &mut Cx, place: &Place, path: &[&str]) {
    cx.error(
        "E604",
        place,
        format!("a row of an experiment does not set `{}`", path.join(".")),
        "hardware, network and protocol are those of the testbed, the same for all rows; a row sets load and sizes (workloads), counts (organisations.NAME.count) and faults",
    );
}

/// Load, sizes, counts and faults.
fn may_set(path: &[&str]) -> bool {
    match path {
        ["workloads" | "faults", ..] | ["populations", _, "people"] => true,
        ["organisations", _, count] => COUNTS.contains(count),
        _ => false,
    }
}

/// What was published of a row.
#[derive(Clone, Debug)]
pub(crate) struct Measured(pub(crate) Vec<MeasuredAt>);

/// A published figure.
#[derive(Clone, Debug)]
pub(crate) struct MeasuredAt {
    pub(crate) metric: String,
    pub(crate) place: Place,
    pub(crate) unit: Unit,
    pub(crate) value: f64,
    pub(crate) sd: Option<f64>,
}

record! {
    /// A published figure.
    pub struct Figure {
        /// Its mean, in the unit of its metric.
        value: At<String>,
        /// Its standard deviation over the published runs.
        sd: Option<At<String>>,
    }
    main "value";
}

impl Decode for Measured {
    fn shape() -> Shape {
        Shape::Paths(Box::new(Figure::shape()))
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let entries = match &node.value {
            Value::Map(entries) if !entries.is_empty() => entries,
            Value::Empty => {
                cx.empty(node);
                return None;
            }
            _ => {
                let place = cx.place_of(node);
                let help =
                    "measured: { throughput: 583/s, latency_mean: { value: 1.6ms, sd: 0.1ms } }";
                cx.error(
                    "E211",
                    &place,
                    "`measured` is a map from metrics to values",
                    help,
                );
                return None;
            }
        };
        let mut out = Vec::new();
        let mut whole = true;
        for (key, value) in entries {
            let one = cx.within(&key.text, &key.place, |cx| {
                figure(cx, &key.text, &key.place, value)
            });
            match one {
                Some(one) => out.push(one),
                None => whole = false,
            }
        }
        out.sort_by(|a, b| a.metric.cmp(&b.metric));
        whole.then_some(Self(out))
    }
}

fn figure(cx: &mut Cx, metric: &str, place: &Place, node: &Node) -> Option<MeasuredAt> {
    let unit = scorable(cx, metric, place)?;
    let figure = Figure::decode(cx, node)?;
    let mut read = |at: &At<String>| match measure(unit).value(&at.value) {
        Ok(value) => Some((value, at.place.clone())),
        Err(error) => {
            cx.value_error(&at.place, error);
            None
        }
    };
    let (value, at) = read(&figure.value)?;
    let sd = match &figure.sd {
        Some(sd) => Some(read(sd)?.0),
        None => None,
    };
    if value <= 0.0 {
        cx.error(
            "E107",
            &at,
            "nothing was measured",
            "an error is a share of the measured value, which is above zero",
        );
        return None;
    }
    Some(MeasuredAt {
        metric: metric.to_owned(),
        place: place.clone(),
        unit,
        value,
        sd,
    })
}

/// The unit of a metric for which there is a tolerance.
fn scorable(cx: &mut Cx, metric: &str, place: &Place) -> Option<Unit> {
    let found = metrics::find(metric).map(|(entry, ..)| entry.unit);
    if found.is_some() && kind(metric).is_some() {
        return found;
    }
    let word = metric.rsplit('.').next().unwrap_or(metric);
    let known = METRICS.iter().map(|m| m.name);
    let known: Vec<&str> = known.filter(|name| kind(name).is_some()).collect();
    let message = match found {
        Some(_) => format!("there is no tolerance for `{metric}`"),
        None => format!("no metric is called `{metric}`"),
    };
    cx.error("E309", place, message, suggestion(word, &known));
    None
}

/// Which figures of a row are scored.
#[derive(Clone, Debug)]
pub(crate) enum Scored {
    /// All or none.
    All(bool),
    /// These.
    These(Vec<(String, Place)>),
}

impl Scored {
    /// Is the figure of this metric scored?
    pub(crate) fn has(&self, metric: &str) -> bool {
        match self {
            Self::All(all) => *all,
            Self::These(these) => these.iter().any(|(word, _)| word == metric),
        }
    }
}

impl Decode for Scored {
    fn shape() -> Shape {
        let form = Form::of::<String>();
        Shape::Scalar(form.several("`true`, `false` or a list of metrics", Lists::Also))
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        match &node.value {
            Value::List(_) => Words::decode(cx, node).map(|words| Self::These(words.list)),
            Value::Scalar(word) if &**word == "true" => Some(Self::All(true)),
            Value::Scalar(word) if &**word == "false" => Some(Self::All(false)),
            Value::Empty => {
                cx.empty(node);
                None
            }
            _ => {
                let place = cx.place_of(node);
                let help = "scored: true, scored: false, or scored: [throughput]";
                cx.error(
                    "E108",
                    &place,
                    "`scored` is true, false or a list of metrics",
                    help,
                );
                None
            }
        }
    }
}
