//! Ways of making a scenario smaller, as edits of its tree. An edit may give a file that is no
//! scenario: then it is not taken.

use crate::tree::{Key, Node, Value};
use consim_check::minimise::Pass;
use std::ops::Range;
use std::sync::Arc;

/// Where a node is: the place in the map or list, level by level.
type Path = Vec<usize>;

/// Keys of the top that hold what happens.
const EVENTS: [&str; 2] = ["faults", "attacks"];
/// Keys that stay as they are: they say which run it is.
const FIXED: [&str; 2] = ["consim", "seed"];

/// Takes away whole faults and attacks.
pub(super) struct Events;

impl Pass<Node> for Events {
    fn parts(&self, tree: &Node) -> usize {
        events(tree).len()
    }
    fn simplify(&self, tree: &Node, parts: Range<usize>) -> Option<Node> {
        without(tree, events(tree).get(parts)?)
    }
}

/// The paths of all faults and attacks.
pub(super) fn events(tree: &Node) -> Vec<Path> {
    let tops = tree.entries().iter().enumerate();
    tops.filter(|(_, (key, _))| EVENTS.contains(&&*key.text))
        .flat_map(|(top, (_, entries))| {
            (0..entries.entries().len()).map(move |place| vec![top, place])
        })
        .collect()
}

/// Takes away keys and items of lists: what is left out has its default.
pub(super) struct Keys;

impl Pass<Node> for Keys {
    fn parts(&self, tree: &Node) -> usize {
        removable(tree).len()
    }
    fn simplify(&self, tree: &Node, parts: Range<usize>) -> Option<Node> {
        without(tree, removable(tree).get(parts)?)
    }
}

/// Keys without which a run would be as long, or as busy, as by default.
const BOUNDS: [&str; 2] = ["duration", "rate"];

fn removable(tree: &Node) -> Vec<Path> {
    let mut paths = Vec::new();
    walk(tree, &mut Vec::new(), &mut |path, _| {
        let bounds = key_at(tree, path).is_some_and(|key| BOUNDS.contains(&key));
        if !path.is_empty() && !bounds {
            paths.push(path.clone());
        }
    });
    paths
}

/// The key under which the node at `path` stands, if it is in a map.
fn key_at<'a>(tree: &'a Node, path: &[usize]) -> Option<&'a str> {
    let (&place, rest) = path.split_first()?;
    match &tree.value {
        Value::Map(entries) => {
            let (key, node) = entries.get(place)?;
            if rest.is_empty() {
                Some(&key.text)
            } else {
                key_at(node, rest)
            }
        }
        Value::List(items) => key_at(items.get(place)?, rest),
        Value::Empty | Value::Scalar(_) => None,
    }
}

/// Calls `visit` for every node below the top that may be changed, outer ones first.
fn walk(tree: &Node, path: &mut Path, visit: &mut dyn FnMut(&Path, &Node)) {
    visit(path, tree);
    let mut below = |place: usize, node: &Node| {
        path.push(place);
        walk(node, path, visit);
        path.pop();
    };
    match &tree.value {
        Value::Map(entries) => {
            for (place, (key, node)) in entries.iter().enumerate() {
                if !FIXED.contains(&&*key.text) {
                    below(place, node);
                }
            }
        }
        Value::List(items) => {
            for (place, node) in items.iter().enumerate() {
                below(place, node);
            }
        }
        Value::Empty | Value::Scalar(_) => {}
    }
}

/// The tree without what is at these paths, and without maps and lists that this leaves empty.
fn without(tree: &Node, paths: &[Path]) -> Option<Node> {
    let mut left = tree.clone();
    // Outer ones come first: from the back, no path moves under another.
    for path in paths.iter().rev() {
        remove(&mut left, path);
    }
    (!paths.is_empty()).then_some(left)
}

/// Removes what is at `path`; `true` if that leaves nothing of `tree`.
fn remove(tree: &mut Node, path: &[usize]) -> bool {
    let Some((&place, rest)) = path.split_first() else {
        return true;
    };
    match &mut tree.value {
        Value::Map(entries) => {
            let gone = entries
                .get_mut(place)
                .is_some_and(|(_, node)| remove(node, rest));
            if gone {
                entries.remove(place);
            }
            entries.is_empty()
        }
        Value::List(items) => {
            let gone = items.get_mut(place).is_some_and(|node| remove(node, rest));
            if gone {
                items.remove(place);
            }
            items.is_empty()
        }
        Value::Empty | Value::Scalar(_) => false,
    }
}

/// What a number is made into.
#[derive(Clone, Copy)]
pub(super) enum Numbers {
    /// Half of it.
    Half,
    /// Its first digits, the others being zeros.
    Round,
    /// Seconds instead of a thousand milliseconds.
    Units,
}

impl Pass<Node> for Numbers {
    fn parts(&self, tree: &Node) -> usize {
        numbers(tree).len()
    }
    fn simplify(&self, tree: &Node, parts: Range<usize>) -> Option<Node> {
        let mut left = tree.clone();
        let mut changed = false;
        for path in numbers(tree).get(parts)? {
            let Some(node) = at(&mut left, path) else {
                continue;
            };
            let simpler = node.scalar().and_then(|text| self.of(text));
            if let Some(simpler) = simpler {
                node.value = Value::Scalar(simpler.into());
                changed = true;
            }
        }
        changed.then_some(left)
    }
}

fn numbers(tree: &Node) -> Vec<Path> {
    let mut paths = Vec::new();
    walk(tree, &mut Vec::new(), &mut |path, node| {
        if node.scalar().is_some_and(|text| number(text).is_some()) {
            paths.push(path.clone());
        }
    });
    paths
}

/// A whole number and its unit.
fn number(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let plain = unit
        .chars()
        .all(|c| c.is_ascii_alphabetic() || "%/".contains(c));
    plain.then(|| Some((number.parse().ok()?, unit)))?
}

impl Numbers {
    fn of(self, text: &str) -> Option<String> {
        let (value, unit) = number(text)?;
        let simpler = match self {
            Self::Half => value / 2,
            Self::Round => {
                let digits = value.checked_ilog10()?;
                // Two digits, and then one.
                let two_digits = value.is_multiple_of(10u64.pow(digits.saturating_sub(1)));
                let step = 10u64.pow(digits.saturating_sub(u32::from(!two_digits)));
                value / step * step
            }
            Self::Units => {
                let whole = unit == "ms" && value > 0 && value.is_multiple_of(1_000);
                return whole.then(|| format!("{}s", value / 1_000));
            }
        };
        (simpler > 0 && simpler < value).then(|| format!("{simpler}{unit}"))
    }
}

fn at<'a>(tree: &'a mut Node, path: &[usize]) -> Option<&'a mut Node> {
    let Some((&place, rest)) = path.split_first() else {
        return Some(tree);
    };
    match &mut tree.value {
        Value::Map(entries) => at(&mut entries.get_mut(place)?.1, rest),
        Value::List(items) => at(items.get_mut(place)?, rest),
        Value::Empty | Value::Scalar(_) => None,
    }
}

/// Takes the last institution of a group away; what names it names the one before.
pub(super) struct Members;

impl Pass<Node> for Members {
    fn parts(&self, tree: &Node) -> usize {
        tree.get("organisations")
            .map_or(0, |groups| groups.entries().len())
    }
    fn simplify(&self, tree: &Node, parts: Range<usize>) -> Option<Node> {
        let (group, count) = {
            let groups = tree.get("organisations")?.entries();
            let (name, group) = groups.get(parts.start).filter(|_| parts.len() == 1)?;
            let count: u64 = group.get("count")?.scalar()?.parse().ok()?;
            (Arc::clone(&name.text), count)
        };
        let fewer = count.checked_sub(1).filter(|fewer| *fewer > 0)?;
        let (last, before) = (format!("{group}-{count}"), format!("{group}-{fewer}"));
        let mut left = tree.clone();
        rename(&mut left, &last, &before);
        let count = child(child(child(&mut left, "organisations")?, &group)?, "count")?;
        count.value = Value::Scalar(fewer.to_string().into());
        Some(left)
    }
}

fn child<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut Node> {
    let Value::Map(entries) = &mut node.value else {
        return None;
    };
    let found = entries.iter_mut().find(|(k, _)| &*k.text == key);
    found.map(|(_, node)| node)
}

/// Puts `new` in the place of the scalar `old`; in lists, once.
fn rename(tree: &mut Node, old: &str, new: &str) {
    match &mut tree.value {
        Value::Scalar(text) if **text == *old => *text = new.into(),
        Value::Map(entries) => entries
            .iter_mut()
            .for_each(|(_, node)| rename(node, old, new)),
        Value::List(items) => {
            for node in items.iter_mut() {
                rename(node, old, new);
            }
            let is_new = |node: &Node| node.scalar().is_some_and(|text| **text == *new);
            let first = items.iter().position(is_new);
            let mut place = 0;
            items.retain(|node| {
                place += 1;
                !is_new(node) || Some(place - 1) == first
            });
        }
        Value::Empty | Value::Scalar(_) => {}
    }
}

/// Puts the drop of the first messages, one by one, in the place of chance: `loss`, and a `filter`
/// with a share.
pub(super) struct Explicit;

/// So many messages.
const DROPPED: u64 = 24;

impl Pass<Node> for Explicit {
    fn parts(&self, tree: &Node) -> usize {
        events(tree).len()
    }
    fn simplify(&self, tree: &Node, parts: Range<usize>) -> Option<Node> {
        let mut left = tree.clone();
        let mut changed = false;
        for path in events(tree).get(parts)? {
            changed |= at(&mut left, path).is_some_and(explicit);
        }
        changed.then_some(left)
    }
}

fn explicit(event: &mut Node) -> bool {
    let place = event.place.clone();
    let Value::Map(entries) = &mut event.value else {
        return false;
    };
    let chance = |key: &Key| ["loss", "filter"].contains(&&*key.text);
    let Some((key, options)) = entries.iter_mut().find(|(key, _)| chance(key)) else {
        return false;
    };
    let scalar = |text: &str| Node {
        value: Value::Scalar(text.into()),
        place: place.clone(),
    };
    let named = |text: &str| Key {
        text: text.into(),
        place: place.clone(),
    };
    // Who is meant stays; the short form names the target alone.
    let mut kept = match &options.value {
        Value::Map(options) => options.clone(),
        _ => vec![(named("target"), options.clone())],
    };
    if kept.iter().any(|(key, _)| &*key.text == "drop") {
        return false;
    }
    kept.retain(|(key, _)| !["rate", "burst", "share"].contains(&&*key.text));
    let numbers = (1..=DROPPED).map(|number| scalar(&number.to_string()));
    let numbers = Node {
        value: Value::List(numbers.collect()),
        place: place.clone(),
    };
    kept.push((named("drop"), numbers));
    *key = named("filter");
    options.value = Value::Map(kept);
    true
}
