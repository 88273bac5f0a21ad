//! From trees to typed values: every mistake is collected, every value remembers its place.

use super::shape::{Choice, Form, Shape, suggestion};
use crate::diagnostic::Severity;
use crate::profiles::Profiles;
use crate::tree::{Key, Node, Place, Problem, Role, Source, Sources, Value, parse_built_in};
use consim_core::values::{self, Name, ValueError};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a type of the schema can do.
pub(crate) trait Decode: Sized {
    /// What it looks like.
    fn shape() -> Shape;
    /// Reads it; `None` if something was wrong, which the context then knows.
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self>;
    /// What a missing key without a default stands for.
    fn absent() -> Option<Self> {
        None
    }
}

/// A value with its place and its line in the list of resolved values.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
    /// Index into [`Cx::leaves`].
    pub(crate) leaf: usize,
}

impl<T> Deref for At<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// A map from names, sorted by name.
pub(crate) type Named<T> = Vec<(At<Name>, T)>;

/// What a line of the resolved plan is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum LeafKind {
    /// A name that the user chose, or the one that was chosen of several; its values follow.
    Head,
    /// Follows from other values; no key of the language, only shown.
    Derived,
    /// A value.
    Value,
    /// Part of a profile that is known by its name: only counts in the digests.
    Silent,
}

/// What a line has to do with entries that were drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Drawn {
    /// Nothing.
    No,
    /// They were drawn by it: they stand in the plan in its place; the design has it.
    From,
    /// It is one of them: the design does not have it.
    Entry,
}

/// A resolved value: a line of `consim check`, `plan.yaml` and the plan digest.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    pub(crate) path: Vec<String>,
    pub(crate) kind: LeafKind,
    /// The canonical text; `plan.yaml` holds it.
    pub(crate) text: String,
    /// For people, where it differs from the text (the nodes of a selector).
    pub(crate) shown: Option<String>,
    /// For the plan digest, where it differs (a hash of the data that was read).
    pub(crate) digest: Option<String>,
    /// For the design digest, where it differs from that (the range of a drawn value).
    pub(crate) design: Option<String>,
    pub(crate) place: Place,
    /// Equal to the default of its key: left out of the digests, so that new keys change none.
    pub(crate) default: bool,
    /// Cannot change an event: left out of the digests.
    pub(crate) aside: bool,
    /// Decided when the run comes to it, or drawn at planning, in words.
    pub(crate) origin: Option<String>,
    /// Has it to do with what `random` draws?
    pub(crate) drawn: Drawn,
    /// The text names a file or folder, which is here: `plan.yaml` names it from where that stands.
    pub(crate) file: Option<PathBuf>,
}

/// Keys of a record.
pub(crate) struct Keys {
    pub(crate) main: Option<&'static str>,
    pub(crate) known: &'static [&'static str],
    /// Known, but read elsewhere.
    pub(crate) beside: &'static [&'static str],
    pub(crate) later: &'static [&'static str],
}

/// What decoding needs and leaves behind.
pub(crate) struct Cx {
    pub(crate) sources: Sources,
    pub(crate) problems: Vec<Problem>,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) profiles: Profiles,
    /// Names of entries that something was wrong with: they are left out, and what refers to them
    /// is not blamed.
    pub(crate) broken: BTreeSet<String>,
    /// Parts of the file could not be read at all.
    pub(crate) damaged: bool,
    /// Depth of the path of the innermost chosen name, and what else could have been chosen.
    pub(crate) siblings: Option<(usize, fn() -> Choice)>,
    path: Vec<String>,
    /// The places of the keys on the way.
    keys: Vec<Place>,
    defaults: BTreeMap<&'static str, Node>,
}

impl Cx {
    pub(crate) fn new(sources: Sources) -> Self {
        Self {
            sources,
            problems: Vec::new(),
            leaves: Vec::new(),
            profiles: Profiles::default(),
            broken: BTreeSet::new(),
            damaged: false,
            siblings: None,
            path: Vec::new(),
            keys: Vec::new(),
            defaults: BTreeMap::new(),
        }
    }
    /// Notes an error at `place`.
    pub(crate) fn error(
        &mut self,
        code: &'static str,
        place: &Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.note(Problem::error(code, place, message, help));
    }
    /// Notes a warning at `place`.
    pub(crate) fn warning(
        &mut self,
        code: &'static str,
        place: &Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let mut problem = Problem::error(code, place, message, help);
        problem.severity = Severity::Warning;
        self.note(problem);
    }
    fn note(&mut self, mut problem: Problem) {
        problem.path = self.path.join(".");
        self.problems.push(problem);
    }
    /// A key of the language that this version does not have.
    pub(crate) fn later(&mut self, place: &Place, what: &str) {
        self.error(
            "E208",
            place,
            format!("`{what}` is not yet in this version"),
            format!(
                "this is consim {}; leave it out, or wait for a later one",
                env!("CARGO_PKG_VERSION")
            ),
        );
    }
    pub(crate) fn path(&self) -> String {
        self.path.join(".")
    }
    pub(crate) fn depth(&self) -> usize {
        self.path.len()
    }
    /// Where the key of the present value stands (the value itself at the top).
    pub(crate) fn key_place(&self, node: &Node) -> Place {
        self.keys.last().unwrap_or(&node.place).clone()
    }
    /// Goes one level down.
    pub(crate) fn within<R>(
        &mut self,
        key: &str,
        place: &Place,
        f: impl FnOnce(&mut Self) -> R,
    ) -> R {
        self.path.push(key.to_owned());
        self.keys.push(place.clone());
        let result = f(self);
        self.path.pop();
        self.keys.pop();
        result
    }
    /// The way down to here, for [`Self::resume`].
    pub(crate) fn trail(&self) -> Vec<(String, Place)> {
        self.path
            .iter()
            .cloned()
            .zip(self.keys.iter().cloned())
            .collect()
    }
    /// Goes where `trail` says, whatever the present path is.
    pub(crate) fn resume<R>(
        &mut self,
        trail: &[(String, Place)],
        f: impl FnOnce(&mut Self) -> R,
    ) -> R {
        let (path, keys) = trail.iter().cloned().unzip();
        let path = std::mem::replace(&mut self.path, path);
        let keys = std::mem::replace(&mut self.keys, keys);
        let result = f(self);
        self.path = path;
        self.keys = keys;
        result
    }
    /// Goes to `path`, all of whose keys stand at `place`.
    pub(crate) fn below<R>(
        &mut self,
        path: &[&str],
        place: &Place,
        f: impl FnOnce(&mut Self) -> R,
    ) -> R {
        let trail: Vec<(String, Place)> = path
            .iter()
            .map(|key| ((*key).to_owned(), place.clone()))
            .collect();
        self.resume(&trail, f)
    }
    /// Adds a line to the resolved values; returns its index.
    pub(crate) fn leaf(&mut self, kind: LeafKind, text: String, place: &Place) -> usize {
        self.leaves.push(Leaf {
            path: self.path.clone(),
            kind,
            text,
            shown: None,
            digest: None,
            design: None,
            place: place.clone(),
            default: false,
            aside: false,
            origin: None,
            drawn: Drawn::No,
            file: None,
        });
        self.leaves.len() - 1
    }
    /// Is this the name of an entry that something was wrong with?
    pub(crate) fn is_broken(&self, name: &str) -> bool {
        self.broken.contains(name)
    }
    /// The value of `leaf` names the file or folder at `path`.
    pub(crate) fn names_file(&mut self, leaf: usize, path: &Path) {
        if let Some(leaf) = self.leaves.get_mut(leaf) {
            leaf.file = Some(path.to_path_buf());
        }
    }
    /// The value of `leaf` names the built-in data set `name`, wherever it is read.
    pub(crate) fn names_data(&mut self, leaf: usize, name: &str) {
        if let Some(leaf) = self.leaves.get_mut(leaf) {
            leaf.text = format!("dataset:{name}");
        }
    }
    pub(crate) fn role(&self, place: &Place) -> Option<&Role> {
        self.sources.get(place.source).map(|s| &s.role)
    }
    /// The tree of a default's text.
    pub(crate) fn default_node(&mut self, text: &'static str) -> Option<Node> {
        if let Some(node) = self.defaults.get(text) {
            return Some(node.clone());
        }
        let source = self.sources.add(Source {
            name: "default".into(),
            text: text.into(),
            role: Role::Default,
            folder: PathBuf::new(),
        });
        let node = parse_built_in(text, source, &mut self.problems)?;
        self.defaults.insert(text, node.clone());
        Some(node)
    }

    /// The entries of a record: short form made long, unknown keys refused.
    pub(crate) fn open(&mut self, node: &Node, keys: &Keys) -> Option<Node> {
        let long = match &node.value {
            Value::Map(_) => node.clone(),
            Value::Empty => {
                self.empty(node);
                return None;
            }
            Value::Scalar(_) | Value::List(_) => {
                let Some(main) = keys.main else {
                    let allowed: Vec<&str> = keys.known.to_vec();
                    let place = self.place_of(node);
                    self.error(
                        "E211",
                        &place,
                        format!("a map is expected here, not {}", node.kind()),
                        format!("its keys: {}", allowed.join(", ")),
                    );
                    return None;
                };
                let key = Key {
                    text: main.into(),
                    place: node.place.clone(),
                };
                Node::map(vec![(key, node.clone())], node.place.clone())
            }
        };
        for (key, _) in long.entries() {
            self.known(key, keys);
        }
        Some(long)
    }

    fn known(&mut self, key: &Key, keys: &Keys) {
        let word = &*key.text;
        if keys.known.contains(&word) || keys.beside.contains(&word) {
            return;
        }
        if keys.later.contains(&word) {
            return self.later(&key.place, word);
        }
        if let Some((other, own)) = self.option_of_sibling(word) {
            let known = keys.known.join(", ");
            let help = match known.as_str() {
                "" => format!("{own} takes no options"),
                known => format!("{own} takes: {known}"),
            };
            return self.error(
                "E204",
                &key.place,
                format!("`{word}` is an option of `{other}`, not of `{own}`"),
                help,
            );
        }
        let path = self.path();
        let whole = if path.is_empty() {
            String::new()
        } else {
            format!(" in {path}")
        };
        let all = [keys.known, keys.beside, keys.later].concat();
        self.error(
            "E201",
            &key.place,
            format!("unknown key `{word}`{whole}"),
            suggestion(word, &all),
        );
    }

    /// The other name that could have been chosen here and has the option `word`, and the one that
    /// was chosen.
    fn option_of_sibling(&self, word: &str) -> Option<(&'static str, String)> {
        let (_, choice) = self.siblings.filter(|(depth, _)| *depth == self.depth())?;
        let own = self.path.last()?;
        let takes = |shape: &Shape| match shape {
            Shape::Record(record) => record.field(word).is_some(),
            _ => false,
        };
        let choice = choice();
        let other = choice.variants.iter().find(|v| takes(&v.shape))?;
        Some((other.name, own.clone()))
    }

    /// A value that is not there.
    pub(crate) fn empty(&mut self, node: &Node) {
        let key = self.key_place(node);
        let name = self.path.last().cloned().unwrap_or_default();
        self.error(
            "E209",
            &key,
            format!("nothing stands after `{name}:`"),
            "give it a value, or leave the key out",
        );
    }

    /// A place to point at: a block map or list has none of its own, so its key stands for it.
    pub(crate) fn place_of(&self, node: &Node) -> Place {
        if node.place.at.is_empty() {
            self.key_place(node)
        } else {
            node.place.clone()
        }
    }

    /// The field `key` of the record `map`.
    pub(crate) fn field<T: Decode>(
        &mut self,
        map: &Node,
        key: &'static str,
        default: Option<&'static str>,
    ) -> Option<T> {
        let entry = map.entries().iter().find(|(k, _)| &*k.text == key);
        if let Some((k, node)) = entry {
            let from = self.leaves.len();
            let value = self.within(key, &k.place, |cx| T::decode(cx, node));
            if let Some(text) = default {
                self.mark_defaults::<T>(key, from, text);
            }
            if value.is_some() {
                return value;
            }
            // What is wrong has been said; the rest of the file is still to be looked at.
            if default.is_none() {
                return T::absent();
            }
        }
        if let Some(text) = default {
            let node = self.default_node(text)?;
            let place = self.key_place(map);
            let from = self.leaves.len();
            let value = self.within(key, &place, |cx| T::decode(cx, &node));
            self.leaves
                .iter_mut()
                .skip(from)
                .filter(|leaf| leaf.kind != LeafKind::Derived)
                .for_each(|leaf| leaf.default = true);
            return value;
        }
        T::absent().or_else(|| {
            let place = self.key_place(map);
            self.error(
                "E210",
                &place,
                format!("`{key}` is missing here"),
                format!("add `{key}:`"),
            );
            None
        })
    }

    /// Marks the leaves from `from` on that are as they would be without the key.
    fn mark_defaults<T: Decode>(&mut self, key: &'static str, from: usize, text: &'static str) {
        let Some(node) = self.default_node(text) else {
            return;
        };
        let mine = self.leaves.split_off(from);
        let problems = self.problems.len();
        self.within(key, &node.place.clone(), |cx| T::decode(cx, &node));
        self.problems.truncate(problems);
        let theirs = self.leaves.split_off(from);
        self.leaves.extend(mine.into_iter().map(|mut leaf| {
            leaf.default |= theirs
                .iter()
                .any(|other| other.path == leaf.path && other.text == leaf.text);
            leaf
        }));
    }

    /// Notes what is wrong with the text of a value.
    pub(crate) fn value_error(&mut self, place: &Place, error: ValueError) {
        let place = place.part(error.part);
        self.error(error.code, &place, error.message, error.help);
    }
}

impl<T: values::Value> Decode for At<T> {
    fn shape() -> Shape {
        Shape::Scalar(Form::of::<T>())
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let text: Arc<str> = match &node.value {
            Value::Scalar(text) => Arc::clone(text),
            Value::Empty => {
                cx.empty(node);
                return None;
            }
            Value::List(_) | Value::Map(_) => {
                let place = cx.place_of(node);
                cx.error(
                    "E211",
                    &place,
                    format!("{} is expected here, not {}", T::FORM, node.kind()),
                    format!("for example {}", T::EXAMPLES),
                );
                return None;
            }
        };
        match T::parse(&text) {
            Ok(value) => {
                let leaf = cx.leaf(LeafKind::Value, value.text(), &node.place);
                Some(Self {
                    value,
                    place: node.place.clone(),
                    leaf,
                })
            }
            Err(error) => {
                cx.value_error(&node.place, error);
                None
            }
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn shape() -> Shape {
        T::shape()
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        T::decode(cx, node).map(Some)
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Decode> Decode for Named<T> {
    fn shape() -> Shape {
        Shape::Named(Box::new(T::shape()))
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let what = cx.path.last().cloned().unwrap_or_default();
        match &node.value {
            Value::Map(_) => {}
            Value::List(items) => {
                let place = items
                    .first()
                    .map_or_else(|| cx.place_of(node), |i| i.place.clone());
                let example = items
                    .first()
                    .and_then(named_example)
                    .unwrap_or_else(|| format!("{what}: {{ NAME: ... }}"));
                cx.error(
                    "E205",
                    &place,
                    format!("{what} are named, not listed"),
                    example,
                );
                return None;
            }
            Value::Empty => {
                cx.empty(node);
                return None;
            }
            Value::Scalar(_) => {
                cx.error(
                    "E211",
                    &node.place,
                    format!("{what} are a map from names"),
                    format!("{what}: {{ NAME: ... }}"),
                );
                return None;
            }
        }
        let mut out = Self::new();
        let mut entries: Vec<&(Key, Node)> = node.entries().iter().collect();
        entries.sort_by(|a, b| a.0.text.cmp(&b.0.text));
        for (key, node) in entries {
            let before = cx.problems.len();
            let entry = cx.within(&key.text, &key.place, |cx| {
                let name = match <Name as values::Value>::parse(&key.text) {
                    Ok(name) => name,
                    Err(error) => {
                        cx.value_error(&key.place, error);
                        return None;
                    }
                };
                let leaf = cx.leaf(LeafKind::Head, String::new(), &key.place);
                let place = key.place.clone();
                let value = T::decode(cx, node)?;
                let name = At {
                    value: name,
                    place,
                    leaf,
                };
                Some((name, value))
            });
            match entry {
                Some(entry) if cx.problems.len() == before => out.push(entry),
                _ => {
                    cx.broken.insert(key.text.to_string());
                }
            }
        }
        Some(out)
    }
    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// What `- { id: x, at: 1m }` should have been: `x: { at: 1m }`.
fn named_example(item: &Node) -> Option<String> {
    let is_name = |key: &Key| ["id", "name"].contains(&&*key.text);
    let (_, name) = item.entries().iter().find(|(key, _)| is_name(key))?;
    let rest: Vec<(Key, Node)> = item
        .entries()
        .iter()
        .filter(|(key, _)| !is_name(key))
        .cloned()
        .collect();
    let rest = Node::map(rest, item.place.clone());
    Some(format!("{}: {}", name.scalar()?, rest.flow()))
}
