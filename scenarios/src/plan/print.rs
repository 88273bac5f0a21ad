//! A plan for people: `plan.yaml`, and the lines of `consim check`.

use super::{Plan, digest};
use crate::schema::{Leaf, LeafKind};
use crate::tree::{Role, Sources, quoted};
use std::fmt::Write as _;

/// The order of the top-level keys: who, where, what they do, what goes wrong, what must hold.
const ORDER: &[&str] = &[
    "consim",
    "name",
    "about",
    "seed",
    "start",
    "duration",
    "warmup",
    "network",
    "hardware",
    "organisations",
    "populations",
    "chains",
    "services",
    "workloads",
    "faults",
    "heal",
    "checks",
    "expect",
    "output",
    "sources",
];

/// A line of `consim check`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explained {
    /// The dotted path.
    pub path: String,
    /// The value; nothing for a name.
    pub value: String,
    /// Where it comes from.
    pub origin: String,
    default: bool,
}

impl Explained {
    /// Is it something else than the default of its key?
    pub fn changed(&self) -> bool {
        !self.default
    }
}

fn rank(leaf: &Leaf) -> usize {
    let top = leaf.path.first().map_or("", String::as_str);
    ORDER
        .iter()
        .position(|key| *key == top)
        .unwrap_or(ORDER.len())
}

/// Leaves in the order in which they are printed: by top-level key, then by path, with the numbers
/// in names as numbers.
fn ordered(leaves: &[Leaf]) -> Vec<&Leaf> {
    let mut list: Vec<&Leaf> = leaves.iter().collect();
    let parts = |leaf: &Leaf| -> Vec<(Option<u64>, String)> {
        leaf.path.iter().map(|p| (item(p), p.clone())).collect()
    };
    list.sort_by_cached_key(|leaf| (rank(leaf), parts(leaf), leaf.kind));
    list
}

/// The number of an item of a list; names never begin with a digit.
fn item(part: &str) -> Option<u64> {
    part.parse().ok()
}

/// The lines of `consim check`.
pub(crate) fn explain(leaves: &[Leaf], sources: &Sources) -> Vec<Explained> {
    let list = ordered(leaves);
    let has_children = |i: usize, leaf: &Leaf| {
        list.get(i + 1)
            .is_some_and(|next| next.path.starts_with(&leaf.path))
    };
    list.iter()
        .enumerate()
        .filter(|(_, leaf)| leaf.kind != LeafKind::Silent)
        // The name of a thing that has values needs no line of its own.
        .filter(|(i, leaf)| !(leaf.kind == LeafKind::Head && has_children(*i, leaf)))
        .map(|(_, leaf)| Explained {
            path: leaf.path.join("."),
            value: leaf.shown.clone().unwrap_or_else(|| leaf.text.clone()),
            origin: origin(leaf, sources),
            default: leaf.default,
        })
        .collect()
}

fn origin(leaf: &Leaf, sources: &Sources) -> String {
    if leaf.kind == LeafKind::Derived {
        return "derived".into();
    }
    let place = sources
        .get(leaf.place.source)
        .map_or_else(String::new, |source| match source.role {
            Role::File => sources.name_of(&leaf.place),
            Role::Base => format!("base {}", sources.name_of(&leaf.place)),
            Role::Profile | Role::Set => source.name.clone(),
            Role::Default => "default".into(),
        });
    match &leaf.origin {
        Some(words) if words.starts_with("default") => words.clone(),
        Some(words) => format!("{words} ({place})"),
        None => place,
    }
}

/// Fills the digests and the text of a plan.
pub(crate) fn yaml(plan: &mut Plan, leaves: &[Leaf]) {
    (plan.digest, plan.design_digest) = digest::digests(leaves);
    plan.yaml = text(plan, leaves);
}

/// `plan.yaml`: a scenario without a base that resolves to the same digest.
fn text(plan: &Plan, leaves: &[Leaf]) -> String {
    let mut out = String::from("consim: 1\n");
    let _ = writeln!(
        out,
        "# The resolved plan of `{}`, digest {}.",
        plan.name, plan.digest
    );
    let printed = |leaf: &&&Leaf| {
        matches!(leaf.kind, LeafKind::Value | LeafKind::Head)
            && leaf.path.first().is_some_and(|top| top != "consim")
    };
    let list = ordered(leaves);
    let list: Vec<&Leaf> = list.iter().filter(printed).copied().collect();
    let mut open: Vec<String> = Vec::new();
    if list
        .iter()
        .all(|leaf| leaf.path.first().map(String::as_str) != Some("name"))
    {
        let _ = writeln!(out, "name: {}", plan.name);
    }
    for (i, leaf) in list.iter().enumerate() {
        let Some((key, parents)) = leaf.path.split_last() else {
            continue;
        };
        let next = list.get(i + 1);
        let parent = next.is_some_and(|n| n.path.starts_with(&leaf.path));
        if parent && leaf.kind == LeafKind::Head {
            continue;
        }
        let shared = open.iter().zip(parents).take_while(|(a, b)| a == b).count();
        for (depth, part) in parents.iter().enumerate().skip(shared) {
            let indent = depth * 2;
            let _ = match item(part) {
                Some(_) => writeln!(out, "{:indent$}-", ""),
                None => writeln!(out, "{:indent$}{}:", "", quoted(part)),
            };
        }
        open = parents.to_vec();
        let value = match leaf.kind {
            LeafKind::Head => "{}".to_owned(),
            // Lists were written in flow style already.
            _ if leaf.text.starts_with('[') && leaf.text.ends_with(']') => leaf.text.clone(),
            _ => quoted(&leaf.text),
        };
        let indent = parents.len() * 2;
        let _ = writeln!(out, "{:indent$}{}: {value}", "", quoted(key));
    }
    out
}
