//! `heal`, `checks`, `expect`, `output`, `sources`.

use super::chains::Auto;
use super::decode::{At, Cx, Decode};
use super::lists::{Targets, Words};
use super::macros::{choice, record, words};
use super::registered::CheckList;
use super::shape::{Form, Shape};
use crate::tree::{Key, Node, Value};
use consim_core::Span;
use consim_core::values::{Instant, LimitText, Switch};

record! {
    /// `heal`.
    pub struct Heal {
        /// How long liveness may take after the last fault.
        bound: At<Auto> = "auto",
        /// When the faults stop: those that are open are cut, later ones left out. The end of the
        /// last fault if left out.
        at: Option<At<Instant>>,
        /// Who heals then. What faults do to others stays for good, and nothing is asked of them.
        core: Core = "all",
    }
}

choice! {
    /// `heal.core`.
    pub enum Core: "core" {
        /// As many members as a certificate needs.
        Quorum(At<Drawn>) = "quorum",
        /// These.
        Nodes(Targets) = "nodes",
    }
    main "nodes";
}

words! {
    /// How they are found.
    pub enum Drawn: "way to choose" {
        /// Drawn from a stream of its own.
        Random = "random",
    }
}

record! {
    /// `checks`.
    pub struct Checks {
        /// Only these.
        only: Option<CheckList>,
        /// All but these.
        except: Option<CheckList>,
    }
    later "options";
}

record! {
    /// `output`.
    pub struct Output {
        /// Length of a bin of the time series; 1/200 of the duration if left out.
        interval: Option<At<Span>>,
        /// Is `junit.xml` among the results: checks and expectations as a suite of JUnit?
        junit: At<Switch> = "false",
    }
    later "trace" "operations";
}

/// `expect`: metric paths and their limits, and the check that the run is meant to violate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expect {
    pub(crate) limits: Vec<(Key, At<LimitText>)>,
    pub(crate) violation: Option<At<String>>,
}

/// The key whose value is the word of a check.
const VIOLATION: &str = "violation";

impl Decode for Expect {
    fn shape() -> Shape {
        let mut form = Form::of::<LimitText>();
        form.words.extend(crate::registries::check_names());
        Shape::Paths(Box::new(Shape::Scalar(form)))
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let mut out = Vec::new();
        let mut violation = None;
        for (key, value) in paths(cx, node)? {
            if &*key.text == VIOLATION {
                violation = cx.within(&key.text, &key.place, |cx| {
                    let word = At::<String>::decode(cx, value)?;
                    if let Some(leaf) = cx.leaves.get_mut(word.leaf) {
                        leaf.aside = true;
                    }
                    Some(word)
                });
                continue;
            }
            let limit = cx.within(&key.text, &key.place, |cx| {
                let limit = At::<LimitText>::decode(cx, value)?;
                if let Some(leaf) = cx.leaves.get_mut(limit.leaf) {
                    leaf.aside = true;
                }
                Some(limit)
            });
            if let Some(limit) = limit {
                out.push((key.clone(), limit));
            }
        }
        Some(Self {
            limits: out,
            violation,
        })
    }
}

/// `sources`: paths and where their values come from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sourced(pub(crate) Vec<(Key, SourceNote)>);

record! {
    /// Where a value comes from.
    pub struct SourceNote {
        /// In words.
        source: At<String>,
        /// Is it an assumption?
        assumed: At<Switch> = "false",
        /// The experiments that it was fitted to.
        fitted_to: Option<Words>,
    }
    main "source";
}

impl Decode for Sourced {
    fn shape() -> Shape {
        Shape::Paths(Box::new(SourceNote::shape()))
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let mut out = Vec::new();
        for (key, value) in paths(cx, node)? {
            let from = cx.leaves.len();
            let note = cx.within(&key.text, &key.place, |cx| SourceNote::decode(cx, value));
            cx.leaves
                .iter_mut()
                .skip(from)
                .for_each(|leaf| leaf.aside = true);
            if let Some(note) = note {
                out.push((key.clone(), note));
            }
        }
        Some(Self(out))
    }
}

/// The entries of a map from paths.
pub(super) fn paths<'a>(cx: &mut Cx, node: &'a Node) -> Option<&'a [(Key, Node)]> {
    match &node.value {
        Value::Map(entries) => Some(entries),
        Value::Empty => {
            cx.empty(node);
            None
        }
        _ => {
            let place = cx.place_of(node);
            cx.error(
                "E211",
                &place,
                "a map from paths is expected here",
                "latency_p99: at most 5s",
            );
            None
        }
    }
}
