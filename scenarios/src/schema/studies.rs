//! `compare` and `vary`: named overrides and axes. They are taken off the tree before the rest of
//! it is read, since they change what the rest is.

use super::claims::Claim;
use super::decode::{Cx, Decode, Named};
use super::experiment::Experiment;
use super::macros::record;
use super::shape::{Shape, suggestion};
use super::{Scenario, whole};
use crate::compose::{Path, split};
use crate::tree::{Key, Node, Place, Value};
use consim_check::metrics::METRICS;
use consim_core::values::{Count, Name, Range, Value as _};

/// Keys that no override changes.
const FIXED: [&str; 8] = [
    "consim",
    "base",
    "remove",
    "compare",
    "vary",
    "sweep",
    "experiment",
    "claims",
];

record! {
    /// Studies.
    pub struct Studies {
        /// Named sets of overrides, run side by side under the same seed and load.
        compare: Compare,
        /// Axes of a matrix: paths and their values, or words and named sets of overrides.
        vary: Vary,
        /// A published experiment: its rows beside what is simulated.
        experiment: Option<Experiment>,
        /// What is claimed of the system, to be judged by many runs.
        claims: Named<Claim>,
    }
}

/// What is laid over a scenario: paths that are taken away, then paths and their values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) remove: Vec<Path>,
    /// Sorted by path, so that what lies deeper comes later.
    pub(crate) sets: Vec<(Path, Node)>,
}

/// `compare`: labels and their overrides, by label.
#[derive(Clone, Debug, Default)]
pub(crate) struct Compare(pub(crate) Vec<(Key, Overrides)>);

/// `vary`: axes by path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vary(pub(crate) Vec<Axis>);

/// An axis.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    /// The path, or the word of a linked axis.
    pub(crate) key: Key,
    pub(crate) values: AxisValues,
}

/// The values of an axis.
#[derive(Clone, Debug)]
pub(crate) enum AxisValues {
    /// Labels, and what is laid over the scenario.
    Listed(Vec<(String, Overrides)>),
    /// The whole numbers between two, both included.
    Range {
        path: Path,
        low: u64,
        high: u64,
        place: Place,
    },
}

impl AxisValues {
    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Listed(list) => list.len() as u64,
            Self::Range { low, high, .. } => (high - low).saturating_add(1),
        }
    }
    /// The value at `index`.
    pub(crate) fn get(&self, index: u64) -> Option<(String, Overrides)> {
        match self {
            Self::Listed(list) => list.get(index as usize).cloned(),
            Self::Range {
                path,
                low,
                high,
                place,
            } => {
                let value = low.checked_add(index).filter(|v| v <= high)?.to_string();
                let node = Node {
                    value: Value::Scalar(value.as_str().into()),
                    place: place.clone(),
                };
                let overrides = Overrides {
                    remove: Vec::new(),
                    sets: vec![(path.clone(), node)],
                };
                Some((value, overrides))
            }
        }
    }
}

impl Decode for Overrides {
    fn shape() -> Shape {
        Shape::Paths(Box::new(Shape::Any))
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            if matches!(node.value, Value::Empty) {
                cx.empty(node);
            } else {
                let place = cx.place_of(node);
                let message = format!("overrides are a map from paths, not {}", node.kind());
                cx.error(
                    "E605",
                    &place,
                    message,
                    "{ chains.alliance.block.wait: 250ms }",
                );
            }
            return None;
        };
        let mut out = Self::default();
        let mut whole = true;
        for (key, value) in entries {
            if &*key.text == "remove" {
                match paths(cx, value) {
                    Some(paths) => out.remove = paths,
                    None => whole = false,
                }
                continue;
            }
            match cx.within(&key.text, &key.place, |cx| override_value(cx, key, value)) {
                Some(set) => out.sets.push(set),
                None => whole = false,
            }
        }
        out.sets.sort_by(|a, b| {
            let parts = |path: &Path| path.iter().map(|(p, _)| p.clone()).collect::<Vec<_>>();
            parts(&a.0).cmp(&parts(&b.0))
        });
        whole.then_some(out)
    }
}

/// A path and its value, if it can be overridden and there is one.
fn override_value(cx: &mut Cx, key: &Key, value: &Node) -> Option<(Path, Node)> {
    let path = split(&key.text, &key.place);
    let (first, place) = path.first()?;
    if FIXED.contains(&first.as_str()) {
        cx.error(
            "E605",
            place,
            format!("`{first}` stands in the file"),
            "an override changes values",
        );
        return None;
    }
    if matches!(value.value, Value::Empty) {
        cx.empty(value);
        return None;
    }
    Some((path, value.clone()))
}

/// A list of paths.
fn paths(cx: &mut Cx, node: &Node) -> Option<Vec<Path>> {
    let Value::List(items) = &node.value else {
        let place = cx.place_of(node);
        cx.error(
            "E211",
            &place,
            "`remove` is a list of paths",
            "remove: [faults.city-cut]",
        );
        return None;
    };
    let path = |item: &Node| Some(split(item.scalar()?, &item.place));
    items.iter().map(path).collect()
}

impl Decode for Compare {
    fn shape() -> Shape {
        Shape::Named(Box::new(Overrides::shape()))
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let entries = labels(cx, node, "compare")?;
        let mut out = Vec::new();
        for (key, value) in entries {
            let overrides = cx.within(&key.text, &key.place, |cx| {
                label(cx, key)?;
                Overrides::decode(cx, value)
            });
            out.extend(overrides.map(|o| (key.clone(), o)));
        }
        out.sort_by(|a, b| a.0.text.cmp(&b.0.text));
        Some(Self(out))
    }
    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

/// The entries of a map from labels.
fn labels<'a>(cx: &mut Cx, node: &'a Node, what: &str) -> Option<&'a [(Key, Node)]> {
    match &node.value {
        Value::Map(entries) if !entries.is_empty() => Some(entries),
        Value::Empty => {
            cx.empty(node);
            None
        }
        _ => {
            let place = cx.place_of(node);
            cx.error(
                "E211",
                &place,
                format!("`{what}` is a map from labels to overrides"),
                format!(
                    "{what}: {{ fast: {{ chains.alliance.block.wait: 50ms }}, as-written: {{}} }}"
                ),
            );
            None
        }
    }
}

/// A label stands in front of metric paths, so it must not begin one.
fn label(cx: &mut Cx, key: &Key) -> Option<()> {
    if let Err(error) = Name::parse(&key.text) {
        cx.value_error(&key.place, error);
        return None;
    }
    let word = &*key.text;
    let what = if is_top_key(word) {
        "a key of the language"
    } else if METRICS.iter().any(|m| m.name == word) {
        "a metric"
    } else {
        return Some(());
    };
    cx.error(
        "E305",
        &key.place,
        format!("`{word}` is {what} and now a label too"),
        format!("paths of `expect` could not tell them apart; for example {word}-1"),
    );
    None
}

fn is_top_key(word: &str) -> bool {
    let keys = &Scenario::KEYS;
    let matches_top = match whole() {
        Shape::Record(record) => record.field(word).is_some(),
        _ => false,
    };
    matches_top || keys.beside.contains(&word) || keys.later.contains(&word)
}

impl Decode for Vary {
    fn shape() -> Shape {
        Shape::Paths(Box::new(Shape::Any))
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let entries = labels(cx, node, "vary")?;
        let mut out = Vec::new();
        for (key, value) in entries {
            let values = cx.within(&key.text, &key.place, |cx| axis(cx, key, value));
            out.extend(values.map(|values| Axis {
                key: key.clone(),
                values,
            }));
        }
        out.sort_by(|a, b| a.key.text.cmp(&b.key.text));
        Some(Self(out))
    }
    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

/// The values of an axis: of a path a list or a range, of a word labels with overrides.
fn axis(cx: &mut Cx, key: &Key, node: &Node) -> Option<AxisValues> {
    let word = &*key.text;
    let linked = !word.contains('.') && !is_top_key(word);
    if linked {
        return linked_axis(cx, key, node);
    }
    match &node.value {
        Value::List(items) if !items.is_empty() => {
            let mut list = Vec::new();
            for item in items {
                let (path, value) = override_value(cx, key, item)?;
                let overrides = Overrides {
                    remove: Vec::new(),
                    sets: vec![(path, value)],
                };
                list.push((item.flow(), overrides));
            }
            Some(AxisValues::Listed(list))
        }
        Value::Scalar(text) if text.contains("..") => match Range::<Count>::parse(text) {
            Ok(range) => {
                let (path, _) = override_value(cx, key, node)?;
                Some(AxisValues::Range {
                    path,
                    low: range.low.0,
                    high: range.high.0,
                    place: node.place.clone(),
                })
            }
            // An interval of another measure has no steps: a design has to say which points.
            Err(error) if error.code == "E106" && !is_whole(text) => {
                cx.later(
                    &node.place,
                    "an interval as an axis, for designs of `sweep`",
                );
                None
            }
            Err(error) => {
                cx.value_error(&node.place, error);
                None
            }
        },
        Value::Empty => {
            cx.empty(node);
            None
        }
        _ => {
            let place = cx.place_of(node);
            cx.error(
                "E606",
                &place,
                format!("the axis `{word}` has no values"),
                format!("{word}: [one, another], or a range of whole numbers such as 1..30"),
            );
            None
        }
    }
}

/// Is it a range of digits, however many?
fn is_whole(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.split("..").all(digits)
}

fn linked_axis(cx: &mut Cx, key: &Key, node: &Node) -> Option<AxisValues> {
    let word = &*key.text;
    if let Err(error) = Name::parse(word) {
        cx.value_error(&key.place, error);
        return None;
    }
    let Value::Map(entries) = &node.value else {
        let keys: Vec<&str> = Scenario::KEYS.known.to_vec();
        let place = cx.place_of(node);
        cx.error(
            "E606",
            &place,
            format!("`{word}` is no key, and as an axis of its own it needs labels"),
            format!(
                "{word}: {{ small: {{ PATH: VALUE }}, large: {{ PATH: VALUE }} }}; or a path ({})",
                suggestion(word, &keys)
            ),
        );
        return None;
    };
    let mut list = Vec::new();
    for (label, value) in entries {
        let overrides = cx.within(&label.text, &label.place, |cx| {
            if let Err(error) = Name::parse(&label.text) {
                cx.value_error(&label.place, error);
                return None;
            }
            Overrides::decode(cx, value)
        });
        list.push((label.text.to_string(), overrides?));
    }
    if list.is_empty() {
        let place = cx.place_of(node);
        cx.error(
            "E606",
            &place,
            format!("the axis `{word}` has no values"),
            format!("{word}: {{ small: {{ PATH: VALUE }} }}"),
        );
        return None;
    }
    Some(AxisValues::Listed(list))
}
