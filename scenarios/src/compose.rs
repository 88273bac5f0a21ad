//! Laying trees over each other: `base`, `remove`, `--set`.
//!
//! Maps merge key by key; everything else (values, lists, choices, kinds) is replaced whole.

use crate::schema::shape::{Choice, Entry, Record, Shape, suggestion};
use crate::tree::{Key, Node, Place, Problem, Value};

/// A path with the place of each of its parts.
pub(crate) type Path = Vec<(String, Place)>;

/// The short form made long; choices and lists of keys only, one level deep.
fn expand(shape: &Shape, node: Node) -> Node {
    let place = node.place.clone();
    let wrap = |key: &str, node: Node| {
        let key = Key {
            text: key.into(),
            place: node.place.clone(),
        };
        let place = node.place.clone();
        Node::map(vec![(key, node)], place)
    };
    match (shape, &node.value) {
        (Shape::Record(record), Value::Scalar(_) | Value::List(_)) => match record.main {
            Some(main) => wrap(main, node),
            None => node,
        },
        (Shape::Choice(choice), Value::Scalar(word)) => {
            if choice.variant(word).is_some() || choice.later.contains(&&**word) {
                let word = word.to_string();
                wrap(&word, Node::map(Vec::new(), place))
            } else if let Some(main) = choice.main {
                wrap(main, node)
            } else {
                node
            }
        }
        _ => node,
    }
}

/// The shape of the value under `key`.
fn child<'a>(shape: &'a Shape, key: &str) -> Option<&'a Shape> {
    match shape {
        Shape::Record(record) => record.field(key).map(|f| &f.shape),
        Shape::Named(inner) | Shape::List(inner) | Shape::Paths(inner) => Some(inner),
        Shape::Choice(choice) => choice.variant(key).map(|v| &v.shape),
        Shape::Entry(entry) => {
            let common = entry.common.field(key).map(|f| &f.shape);
            common.or_else(|| entry.kinds.variant(key).map(|v| &v.shape))
        }
        Shape::Scalar(_) | Shape::Any => None,
    }
}

/// `over` laid over `base`.
pub(crate) fn overlay(shape: &Shape, base: Node, over: Node) -> Node {
    let merges = matches!(
        shape,
        Shape::Record(_) | Shape::Named(_) | Shape::Entry(_) | Shape::Paths(_)
    );
    if !merges {
        return over;
    }
    let (base, over) = (expand(shape, base), expand(shape, over));
    let (Value::Map(mut entries), Value::Map(more)) = (base.value, over.value.clone()) else {
        return over;
    };
    for (key, node) in more {
        let kind = matches!(shape, Shape::Entry(e) if is_kind(e, &key.text));
        if kind && let Shape::Entry(entry) = shape {
            entries.retain(|(old, _)| !is_kind(entry, &old.text));
        }
        match entries.iter_mut().find(|(old, _)| old.text == key.text) {
            Some((old, value)) if !kind => {
                let before = std::mem::replace(&mut value.value, Value::Empty);
                let before = Node {
                    value: before,
                    place: value.place.clone(),
                };
                *value = match child(shape, &key.text) {
                    Some(inner) => overlay(inner, before, node),
                    None => node,
                };
                *old = key;
            }
            _ => entries.push((key, node)),
        }
    }
    Node::map(entries, over.place)
}

fn is_kind(entry: &Entry, key: &str) -> bool {
    entry.kinds.variant(key).is_some() || entry.kinds.later.contains(&key)
}

/// Lays `value` over what stands at `path`, expanding short forms and bare choices on the way.
pub(crate) fn set(
    shape: &Shape,
    node: &mut Node,
    path: &[(String, Place)],
    value: Node,
    so_far: &str,
) -> Result<(), Problem> {
    let Some(((key, place), rest)) = path.split_first() else {
        let under = Node {
            value: std::mem::replace(&mut node.value, Value::Empty),
            place: node.place.clone(),
        };
        *node = overlay(shape, under, value);
        return Ok(());
    };
    let old = std::mem::replace(&mut node.value, Value::Empty);
    *node = expand(
        shape,
        Node {
            value: old,
            place: node.place.clone(),
        },
    );
    let here = if so_far.is_empty() {
        key.clone()
    } else {
        format!("{so_far}.{key}")
    };
    let last = rest.is_empty();
    match shape {
        Shape::Scalar(form) => Err(unreachable_key(
            place,
            key,
            so_far,
            &format!("{}, not a map", form.name),
        )),
        Shape::Any => Err(unreachable_key(place, key, so_far, "no map")),
        Shape::Paths(_) => {
            let whole: Vec<&str> = path.iter().map(|(part, _)| part.as_str()).collect();
            put(node, &whole.join("."), place, value);
            Ok(())
        }
        Shape::Record(record) => {
            let (inner, default) = field(record, key, place, so_far)?;
            descend(node, key, place, default, |child| {
                set(inner, child, rest, value, &here)
            })
        }
        Shape::List(inner) => {
            let item = match &mut node.value {
                Value::List(items) => key.parse().ok().and_then(|i: usize| items.get_mut(i)),
                _ => None,
            };
            let Some(item) = item else {
                let help = "items are numbered from 0; or set the list itself";
                let what = format!("{so_far} has no item `{key}`");
                return Err(Problem::error("E301", place, what, help));
            };
            set(inner, item, rest, value, &here)
        }
        Shape::Named(inner) => {
            if !last && node.get(key).is_none() {
                let known: Vec<&str> = node.entries().iter().map(|(k, _)| &*k.text).collect();
                return Err(Problem::error(
                    "E301",
                    place,
                    format!("nothing is called `{key}` in {so_far}"),
                    if known.is_empty() {
                        format!("there are no {so_far}")
                    } else {
                        suggestion(key, &known)
                    },
                ));
            }
            descend(node, key, place, None, |child| {
                set(inner, child, rest, value, &here)
            })
        }
        Shape::Choice(choice) => {
            if node.get(key).is_none() {
                return Err(not_chosen(choice, node, place, key, so_far));
            }
            let Some(variant) = choice.variant(key) else {
                return Err(not_chosen(choice, node, place, key, so_far));
            };
            descend(node, key, place, None, |child| {
                set(&variant.shape, child, rest, value, &here)
            })
        }
        Shape::Entry(entry) => {
            if let Some(variant) = entry.kinds.variant(key) {
                let other = node
                    .entries()
                    .iter()
                    .find(|(k, _)| is_kind(entry, &k.text) && *k.text != **key);
                if let Some((other, _)) = other {
                    return Err(Problem::error(
                        "E601",
                        place,
                        format!(
                            "`{key}` is not reachable: {so_far} is of kind `{}`",
                            other.text
                        ),
                        format!("{so_far}.{}", other.text),
                    ));
                }
                return descend(node, key, place, None, |child| {
                    set(&variant.shape, child, rest, value, &here)
                });
            }
            let (inner, default) = field(&entry.common, key, place, so_far)?;
            descend(node, key, place, default, |child| {
                set(inner, child, rest, value, &here)
            })
        }
    }
}

fn field<'a>(
    record: &'a Record,
    key: &str,
    place: &Place,
    so_far: &str,
) -> Result<(&'a Shape, Option<&'static str>), Problem> {
    if let Some(field) = record.field(key) {
        return Ok((&field.shape, field.default));
    }
    if record.later.contains(&key) {
        return Err(Problem::error(
            "E208",
            place,
            format!("`{key}` is not yet in this version"),
            "leave it out, or wait for a later one",
        ));
    }
    let known: Vec<&str> = record.fields.iter().map(|f| f.name).collect();
    let whole = if so_far.is_empty() {
        String::new()
    } else {
        format!(" in {so_far}")
    };
    Err(Problem::error(
        "E201",
        place,
        format!("unknown key `{key}`{whole}"),
        suggestion(key, &known),
    ))
}

fn not_chosen(choice: &Choice, node: &Node, place: &Place, key: &str, so_far: &str) -> Problem {
    let chosen = node
        .entries()
        .first()
        .map(|(k, _)| format!(" and stands at `{}`", k.text))
        .unwrap_or_default();
    let help = if choice.variant(key).is_some() {
        format!("choose it first: {so_far}={key}")
    } else {
        let known: Vec<&str> = choice.variants.iter().map(|v| v.name).collect();
        format!(
            "set the choice itself, {so_far}=..., to one of: {}",
            known.join(", ")
        )
    };
    unreachable_key(place, key, so_far, &format!("a choice{chosen}")).with_help(help)
}

fn unreachable_key(place: &Place, key: &str, so_far: &str, what: &str) -> Problem {
    Problem::error(
        "E601",
        place,
        format!("`{key}` is not reachable: {so_far} is {what}"),
        format!("set {so_far} itself"),
    )
}

impl Problem {
    fn with_help(mut self, help: String) -> Self {
        self.help = help;
        self
    }
}

/// The child of a map, made if it is missing: out of the default's text if that is a bare word.
fn descend(
    node: &mut Node,
    key: &str,
    place: &Place,
    default: Option<&'static str>,
    f: impl FnOnce(&mut Node) -> Result<(), Problem>,
) -> Result<(), Problem> {
    if !matches!(node.value, Value::Map(_)) {
        node.value = Value::Map(Vec::new());
    }
    let Value::Map(entries) = &mut node.value else {
        return Ok(());
    };
    if !entries.iter().any(|(k, _)| &*k.text == key) {
        let value = match default {
            Some(word) if !word.contains(['{', '[']) => Value::Scalar(word.into()),
            _ => Value::Map(Vec::new()),
        };
        let key = Key {
            text: key.into(),
            place: place.clone(),
        };
        entries.push((
            key,
            Node {
                value,
                place: place.clone(),
            },
        ));
    }
    match entries.iter_mut().find(|(k, _)| &*k.text == key) {
        Some((_, child)) => f(child),
        None => Ok(()),
    }
}

fn put(node: &mut Node, key: &str, place: &Place, value: Node) {
    if !matches!(node.value, Value::Map(_)) {
        node.value = Value::Map(Vec::new());
    }
    if let Value::Map(entries) = &mut node.value {
        entries.retain(|(old, _)| &*old.text != key);
        let key = Key {
            text: key.into(),
            place: place.clone(),
        };
        entries.push((key, value));
    }
}

/// Takes what stands at `path` away from `whose` scenario (`the base`).
pub(crate) fn remove(
    shape: Option<&Shape>,
    node: &mut Node,
    path: &[(String, Place)],
    so_far: &str,
    whose: &str,
) -> Result<(), Problem> {
    let Some(((key, place), rest)) = path.split_first() else {
        return Ok(());
    };
    if let Some(shape) = shape {
        let old = std::mem::replace(&mut node.value, Value::Empty);
        *node = expand(
            shape,
            Node {
                value: old,
                place: node.place.clone(),
            },
        );
    }
    let whole = match shape {
        Some(Shape::Paths(_)) => {
            let parts: Vec<&str> = path.iter().map(|(part, _)| part.as_str()).collect();
            Some(parts.join("."))
        }
        _ => None,
    };
    let wanted = whole.as_deref().unwrap_or(key);
    let here = if so_far.is_empty() {
        wanted.to_owned()
    } else {
        format!("{so_far}.{wanted}")
    };
    let known: Vec<String> = node
        .entries()
        .iter()
        .map(|(k, _)| k.text.to_string())
        .collect();
    let missing = || {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        Problem::error(
            "E602",
            place,
            format!("{whose} has no `{here}`"),
            if known.is_empty() {
                "there is nothing to remove".to_owned()
            } else {
                format!(
                    "it has {}; {}",
                    known.join(", "),
                    suggestion(wanted, &known)
                )
            },
        )
    };
    let Value::Map(entries) = &mut node.value else {
        return Err(missing());
    };
    let Some(index) = entries.iter().position(|(k, _)| &*k.text == wanted) else {
        return Err(missing());
    };
    if rest.is_empty() || whole.is_some() {
        entries.remove(index);
        return Ok(());
    }
    let inner = shape.and_then(|s| child(s, key));
    match entries.get_mut(index) {
        Some((_, node)) => remove(inner, node, rest, &here, whose),
        None => Ok(()),
    }
}

/// Splits a dotted path; each part keeps its place.
pub(crate) fn split(text: &str, place: &Place) -> Path {
    let mut at = place.at.start;
    text.split('.')
        .map(|part| {
            let from = at;
            at += part.len() + 1;
            let place = Place {
                source: place.source,
                at: from..from + part.len(),
            };
            (part.to_owned(), place)
        })
        .collect()
}
