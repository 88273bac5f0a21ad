//! Choices and kinds: which of the known names a node names.

use super::decode::{Cx, Keys, LeafKind};
use super::shape::{Choice, Shape, Variant, nearest, suggestion};
use crate::tree::{Key, Node, Value};
use std::sync::Arc;

/// Names that can be chosen.
pub(crate) struct Names {
    /// What they are (`consensus protocol`).
    pub(crate) noun: &'static str,
    /// The one that a bare value stands for.
    pub(crate) main: Option<&'static str>,
    pub(crate) known: &'static [&'static str],
    pub(crate) later: &'static [&'static str],
}

impl Names {
    fn has(&self, word: &str) -> bool {
        self.known.contains(&word) || self.later.contains(&word)
    }
}

impl Cx {
    /// Which name `node` chooses, and its options.
    pub(crate) fn choose(&mut self, node: &Node, names: &Names) -> Option<(Key, Node)> {
        let key = |text: &str| Key {
            text: text.into(),
            place: node.place.clone(),
        };
        match &node.value {
            Value::Empty => {
                self.empty(node);
                None
            }
            Value::Scalar(word) if names.has(word) || names.main.is_none() => {
                let key = key(word);
                self.chosen_name(&key, names)
                    .then(|| (key, Node::map(Vec::new(), node.place.clone())))
            }
            Value::Scalar(_) => Some((key(names.main.unwrap_or_default()), node.clone())),
            Value::Map(entries) => match entries.as_slice() {
                [(key, options)] if names.has(&key.text) => {
                    let key = key.clone();
                    self.chosen_name(&key, names)
                        .then(|| (key, options.clone()))
                }
                [] => {
                    let place = self.place_of(node);
                    self.no_choice(&place, names);
                    None
                }
                entries => {
                    self.wrong_choice(entries, names);
                    None
                }
            },
            Value::List(_) => {
                let place = self.place_of(node);
                self.no_choice(&place, names);
                None
            }
        }
    }

    fn no_choice(&mut self, place: &crate::tree::Place, names: &Names) {
        self.error(
            "E203",
            place,
            format!("a {} is its name, with its options under it", names.noun),
            format!("one of: {}", names.known.join(", ")),
        );
    }

    /// `{ protocol: pbft, batch: 200 }`, or one key that is no name.
    fn wrong_choice(&mut self, entries: &[(Key, Node)], names: &Names) {
        let Some((first, _)) = entries.first() else {
            return;
        };
        let named = entries
            .iter()
            .find_map(|(_, node)| node.scalar().filter(|word| names.has(word)));
        let field = self
            .path()
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .to_owned();
        if let Some(word) = named {
            let rest: Vec<String> = entries
                .iter()
                .filter(|(_, node)| node.scalar() != Some(word))
                .map(|(key, node)| format!("{}: {}", key.text, node.flow()))
                .collect();
            let beside = if rest.is_empty() {
                String::new()
            } else {
                format!(
                    ", or {field}: {{ {word}: {{ {} }} }} if it has such options",
                    rest.join(", ")
                )
            };
            self.error(
                "E203",
                &first.place,
                "a choice is its name, with its options under it",
                format!("{field}: {word}{beside}"),
            );
        } else if let Some((second, _)) = entries.get(1) {
            self.error(
                "E203",
                &second.place,
                format!("one {} is chosen, with its options under it", names.noun),
                format!("one of: {}", names.known.join(", ")),
            );
        } else {
            self.chosen_name(first, names);
        }
    }

    /// Is `key` a name of this version?
    fn chosen_name(&mut self, key: &Key, names: &Names) -> bool {
        let word = &*key.text;
        if names.known.contains(&word) {
            return true;
        }
        if names.later.contains(&word) {
            self.later(&key.place, word);
            return false;
        }
        let all: Vec<&str> = names.known.iter().chain(names.later).copied().collect();
        self.error(
            "E202",
            &key.place,
            format!("no {} is called `{word}`", names.noun),
            suggestion(word, &all),
        );
        false
    }

    /// Goes under the chosen name, which gets its line among the resolved values. `choice` are all
    /// names that could have been chosen.
    pub(crate) fn chosen<T>(
        &mut self,
        key: &Key,
        choice: fn() -> Choice,
        f: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        self.within(&key.text, &key.place, |cx| {
            cx.leaf(LeafKind::Head, String::new(), &key.place);
            let outer = cx.siblings.replace((cx.depth(), choice));
            let value = f(cx);
            cx.siblings = outer;
            value
        })
    }

    /// The kind of an entry, its only key that is not common, and its options.
    pub(crate) fn kind(
        &mut self,
        node: &Node,
        common: &Keys,
        names: &Names,
        kinds: fn() -> Choice,
    ) -> Option<(Key, Node)> {
        let noun = names.noun;
        if !matches!(node.value, Value::Map(_)) {
            if matches!(node.value, Value::Empty) {
                self.empty(node);
            } else {
                let place = self.place_of(node);
                let help = format!("its kind is one of: {}", names.known.join(", "));
                self.error("E211", &place, format!("a {noun} is a map"), help);
            }
            return None;
        }
        let mut kind: Option<(Key, Node)> = None;
        let mut strange = None;
        let chosen = node
            .entries()
            .iter()
            .map(|(key, _)| Arc::clone(&key.text))
            .find(|word| names.has(word));
        for (key, options) in node.entries() {
            let word = &*key.text;
            if names.known.contains(&word) {
                if let Some((first, _)) = &kind {
                    let first = first.clone();
                    self.second_kind(&first, key);
                } else {
                    kind = Some((key.clone(), options.clone()));
                }
            } else if names.later.contains(&word) || common.later.contains(&word) {
                self.later(&key.place, word);
                strange = strange.or(Some(false));
            } else if !common.known.contains(&word) {
                strange = Some(true);
                self.strange(key, common, names, &kinds(), chosen.as_deref());
            }
        }
        if kind.is_none() && strange.is_none() {
            let place = self.key_place(node);
            let example = names.known.first().copied().unwrap_or_default();
            self.error(
                "E207",
                &place,
                format!("this {noun} has no kind"),
                format!("for example {example}; one of: {}", names.known.join(", ")),
            );
        }
        kind
    }

    fn second_kind(&mut self, first: &Key, second: &Key) {
        let at = self.sources.name_of(&first.place);
        let (_, column) = at.rsplit_once(':').unwrap_or(("", "1"));
        self.error(
            "E206",
            &second.place,
            format!(
                "one entry does one thing: `{}` is already here (column {column})",
                first.text
            ),
            "make a second entry beside this one",
        );
    }

    /// A key of an entry that is neither common nor a kind. `chosen` is the entry's kind.
    fn strange(
        &mut self,
        key: &Key,
        common: &Keys,
        names: &Names,
        kinds: &Choice,
        chosen: Option<&str>,
    ) {
        let word = &*key.text;
        let noun = names.noun;
        let all: Vec<&str> = common
            .known
            .iter()
            .chain(names.known)
            .chain(names.later)
            .copied()
            .collect();
        let takes = |variant: &&Variant| match &variant.shape {
            Shape::Record(record) => record.field(word).is_some(),
            _ => false,
        };
        let own = kinds
            .variants
            .iter()
            .find(|v| Some(v.name) == chosen && takes(v));
        let option_of = own.or_else(|| kinds.variants.iter().find(takes));
        let (code, message, help) = match (option_of, chosen) {
            _ if nearest(word, all.iter().copied()).is_some() => (
                "E201",
                format!("unknown key `{word}` in {}", self.path()),
                suggestion(word, &all),
            ),
            (Some(variant), None) => (
                "E207",
                format!("this {noun} has no kind; `{word}` belongs under one"),
                format!(
                    "for example {}: {{ {word}: ... }}; kinds: {}",
                    variant.name,
                    names.known.join(", ")
                ),
            ),
            (Some(variant), Some(kind)) if variant.name == kind => (
                "E207",
                format!("`{word}` is an option of `{kind}` and stands under it"),
                format!("{kind}: {{ {word}: ... }}"),
            ),
            (Some(variant), Some(kind)) => (
                "E204",
                format!(
                    "`{word}` is an option of `{}`, not of `{kind}`",
                    variant.name
                ),
                format!("leave it out, or make a {noun} of kind `{}`", variant.name),
            ),
            (None, _) => (
                "E201",
                format!("unknown key `{word}` in {}", self.path()),
                suggestion(word, &all),
            ),
        };
        self.error(code, &key.place, message, help);
    }
}
