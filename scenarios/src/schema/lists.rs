//! Lists of words, and selectors.

use super::decode::{At, Cx, Decode, LeafKind};
use super::shape::{Form, Lists, Shape};
use crate::tree::{Node, Place, Value as Tree};
use consim_core::values::{Name, Selector, Value};

/// A list of words.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub(crate) list: Vec<(String, Place)>,
}

impl Decode for Words {
    fn shape() -> Shape {
        Shape::Scalar(Form::of::<String>().several("a list of words", Lists::Only))
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let Tree::List(items) = &node.value else {
            let place = cx.place_of(node);
            let example = node
                .scalar()
                .map_or("[...]".into(), |word| format!("[{word}]"));
            cx.error(
                "E211",
                &place,
                format!("a list is expected here, not {}", node.kind()),
                example,
            );
            return None;
        };
        let mut list = Vec::new();
        for item in items {
            let Some(text) = item.scalar() else {
                let place = cx.place_of(item);
                cx.error(
                    "E211",
                    &place,
                    format!("a word is expected here, not {}", item.kind()),
                    "[one, two]",
                );
                return None;
            };
            list.push((text.to_string(), item.place.clone()));
        }
        cx.leaf(LeafKind::Value, node.flow(), &cx.place_of(node));
        Some(Self { list })
    }
}

/// A word, or several that stand for one after the other in turn.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    pub(crate) list: Vec<(String, Place)>,
}

impl Decode for Turns {
    fn shape() -> Shape {
        Shape::Scalar(Form::of::<Name>().several(Name::FORM, Lists::Also))
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let items = match &node.value {
            Tree::List(items) if !items.is_empty() => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        // The names are decoded for their mistakes; the line of all of them comes after.
        let before = cx.leaves.len();
        let mut list = Vec::new();
        let mut whole = true;
        for item in items {
            match At::<Name>::decode(cx, item) {
                Some(at) => list.push((at.value.0, at.place)),
                None => whole = false,
            }
        }
        cx.leaves.truncate(before);
        if !whole {
            return None;
        }
        let names: Vec<&str> = list.iter().map(|(name, _)| name.as_str()).collect();
        let text = match names.as_slice() {
            [one] => (*one).to_owned(),
            several => format!("[{}]", several.join(", ")),
        };
        cx.leaf(LeafKind::Value, text, &cx.place_of(node));
        Some(Self { list })
    }
}

/// A list of maps; its items are known by their numbers, from 0.
#[derive(Clone, Debug)]
pub(crate) struct List<T> {
    /// Each with its place.
    pub(crate) items: Vec<(T, Place)>,
}

impl<T: Decode> Decode for List<T> {
    fn shape() -> Shape {
        Shape::List(Box::new(T::shape()))
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let Tree::List(nodes) = &node.value else {
            let place = cx.place_of(node);
            let what = format!("a list is expected here, not {}", node.kind());
            let name = cx.path().rsplit('.').next().unwrap_or_default().to_owned();
            cx.error("E211", &place, what, format!("{name}: [{{ ... }}]"));
            return None;
        };
        let mut items = Vec::new();
        let mut whole = true;
        for (number, item) in nodes.iter().enumerate() {
            // The first key of a block map stands where its item begins.
            let begins = item.entries().first().map(|(key, _)| key.place.clone());
            let place = match begins {
                Some(place) if item.place.at.is_empty() => place,
                _ => item.place.clone(),
            };
            match cx.within(&number.to_string(), &place, |cx| T::decode(cx, item)) {
                Some(value) => items.push((value, place)),
                None => whole = false,
            }
        }
        whole.then_some(Self { items })
    }
}

/// One selector, or the union of several.
#[derive(Clone, Debug)]
pub(crate) struct Targets {
    pub(crate) list: Vec<(Selector, Place)>,
    /// Where the whole stands.
    pub(crate) place: Place,
    pub(crate) leaf: usize,
    /// The path of the key, which names the stream of its draws.
    pub(crate) path: String,
}

impl Decode for Targets {
    fn shape() -> Shape {
        Shape::Scalar(Form::of::<Selector>().several(Selector::FORM, Lists::Also))
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let items = match &node.value {
            Tree::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        // The selectors are decoded for their mistakes; the line of all of them comes after.
        let before = cx.leaves.len();
        let mut list = Vec::new();
        let mut whole = true;
        for item in items {
            match At::<Selector>::decode(cx, item) {
                Some(at) => list.push((at.value, at.place)),
                None => whole = false,
            }
        }
        cx.leaves.truncate(before);
        if !whole {
            return None;
        }
        let texts: Vec<String> = list.iter().map(|(s, _)| s.text()).collect();
        let text = match texts.as_slice() {
            [one] => one.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        let place = cx.place_of(node);
        let leaf = cx.leaf(LeafKind::Value, text, &place);
        Some(Self {
            list,
            place,
            leaf,
            path: cx.path(),
        })
    }
}
