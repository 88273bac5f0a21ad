//! Maps whose missing keys come from a profile.

use super::decode::{At, Cx, Decode};
use super::hardware::HardwareKeys;
use super::network::LinkKeys;
use super::shape::{FIRST_VERSION, Field, Form, Record, Shape};
use crate::compose;
use crate::tree::{Key, Node, Place, Value};

/// A map whose missing keys come from a profile, named by its key `profile` or by a bare word.
#[derive(Clone, Debug)]
pub(crate) struct Profiled<T> {
    /// The profile, if one is named.
    pub(crate) profile: Option<At<String>>,
    /// The keys beside it.
    over: Node,
    /// Path and places of the keys down to here, for decoding later.
    path: Vec<(String, Place)>,
    keys: std::marker::PhantomData<T>,
}

/// A record that profiles can hold.
pub(crate) trait Profile: Decode {
    /// The folder of its profiles.
    const FOLDER: &'static str;
}
impl Profile for LinkKeys {
    const FOLDER: &'static str = "links";
}
impl Profile for HardwareKeys {
    const FOLDER: &'static str = "hardware";
}

/// Maps merge with those of the profile, so nothing in them is required.
fn relax(record: &mut Record) {
    for field in &mut record.fields {
        field.required = false;
        if let Shape::Record(inner) = &mut field.shape {
            relax(inner);
        }
    }
}

impl<T: Profile> Decode for Profiled<T> {
    fn shape() -> Shape {
        let Shape::Record(inner) = T::shape() else {
            return T::shape();
        };
        let profile = Field {
            name: "profile",
            help: "What the keys beside it override.",
            shape: Shape::Scalar(Form {
                name: "a profile",
                words: crate::profiles::names(T::FOLDER),
                pattern: "file:.+".into(),
                ..Form::of::<String>()
            }),
            default: None,
            required: false,
            since: FIRST_VERSION,
        };
        // What is missing comes from the profile.
        let mut inner = inner;
        relax(&mut inner);
        Shape::Record(Record {
            main: Some("profile"),
            fields: std::iter::once(profile).chain(inner.fields).collect(),
            later: inner.later,
        })
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let place = cx.place_of(node);
        let (word, rest) = match &node.value {
            Value::Empty => {
                cx.empty(node);
                return None;
            }
            Value::List(_) => {
                cx.error(
                    "E211",
                    &place,
                    "a profile or a map is expected here",
                    "a profile's name",
                );
                return None;
            }
            Value::Scalar(_) => (Some(node), Vec::new()),
            Value::Map(entries) => (
                node.get("profile"),
                entries
                    .iter()
                    .filter(|(key, _)| &*key.text != "profile")
                    .cloned()
                    .collect::<Vec<(Key, Node)>>(),
            ),
        };
        let profile = match word {
            Some(word) => {
                Some(cx.within("profile", &word.place, |cx| At::<String>::decode(cx, word))?)
            }
            None => None,
        };
        if let Some(profile) = &profile
            && let Some(leaf) = cx.leaves.get_mut(profile.leaf)
        {
            // What the profile holds counts, not its name.
            leaf.aside = true;
        }
        Some(Self {
            profile,
            over: Node::map(rest, node.place.clone()),
            path: cx.trail(),
            keys: std::marker::PhantomData,
        })
    }
}

impl<T: Profile> Profiled<T> {
    /// The profile alone.
    pub(crate) fn named(cx: &mut Cx, path: &[&str], profile: &'static str) -> Option<Self> {
        let node = cx.default_node(profile)?;
        cx.below(path, &node.place.clone(), |cx| Self::decode(cx, &node))
    }
    /// The keys, those that are missing taken from the profile (`fallback` if none is named).
    pub(crate) fn resolve(&self, cx: &mut Cx, fallback: &'static str) -> Option<T> {
        let word = self.profile.as_ref().map_or(fallback, |p| p.value.as_str());
        let place = self.profile.as_ref().map(|p| p.place.clone());
        if let Some(at) = &self.profile {
            crate::profiles::note_file(cx, at);
        }
        let profile = crate::profiles::load(cx, T::FOLDER, word, place.as_ref())?;
        let whole = compose::overlay(&T::shape(), profile, self.over.clone());
        cx.resume(&self.path, |cx| T::decode(cx, &whole))
    }
}
