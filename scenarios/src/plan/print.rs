//! A plan for people: `plan.yaml`, and the lines of `consim check`.

use super::{Head, Plan, digest, paths};
use crate::schema::decode::Drawn;
use crate::schema::{Cx, Leaf, LeafKind};
use crate::tree::{Role, SourceId, quoted};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

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
    "adversaries",
    "attacks",
    "heal",
    "checks",
    "expect",
    "output",
    "limits",
    "sources",
];

/// A line of `consim check`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explained {
    /// The dotted path.
    pub path: String,
    /// The value; nothing for a name.
    pub value: String,
    /// Where it comes from, in words.
    pub origin: String,
    /// The same, taken apart.
    pub from: Origin,
    default: bool,
}

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Origin {
    /// What kind of source.
    pub kind: OriginKind,
    /// The file, profile or option.
    pub source: String,
    /// Line in it, from 1; 0 where there is none.
    pub line: usize,
    /// Column in characters, from 1; 0 where there is none.
    pub column: usize,
    /// What is said of it: drawn, decided at run time, the source of a profile's number.
    pub note: String,
}

/// Kinds of sources.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OriginKind {
    /// The scenario itself.
    File,
    /// A scenario under it.
    Base,
    /// A profile.
    Profile,
    /// An override of `compare` or `vary`.
    Override,
    /// An option of the command line.
    Set,
    /// The default of the key.
    Default,
    /// Follows from other values.
    Derived,
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
pub(crate) fn explain(cx: &Cx, head: &Head<'_>) -> Vec<Explained> {
    let list = ordered(&cx.leaves);
    let has_children = |i: usize, leaf: &Leaf| {
        list.get(i + 1)
            .is_some_and(|next| next.path.starts_with(&leaf.path))
    };
    let overridden: BTreeMap<(SourceId, usize), &str> = head
        .overridden
        .iter()
        .flat_map(|(name, places)| places.iter().map(move |p| (name, p)))
        .map(|(name, p)| ((p.source, p.at.start), name.as_str()))
        .collect();
    list.iter()
        .enumerate()
        .filter(|(_, leaf)| leaf.kind != LeafKind::Silent)
        // The name of a thing that has values needs no line of its own.
        .filter(|(i, leaf)| !(leaf.kind == LeafKind::Head && has_children(*i, leaf)))
        .map(|(_, leaf)| {
            let label = overridden.get(&(leaf.place.source, leaf.place.at.start));
            let from = origin(cx, leaf, label.copied());
            Explained {
                path: leaf.path.join("."),
                value: leaf.shown.clone().unwrap_or_else(|| leaf.text.clone()),
                origin: words(&from),
                from,
                default: leaf.default,
            }
        })
        .collect()
}

fn origin(cx: &Cx, leaf: &Leaf, label: Option<&str>) -> Origin {
    let note = leaf.origin.clone().unwrap_or_default();
    let bare = |kind, note| Origin {
        kind,
        source: String::new(),
        line: 0,
        column: 0,
        note,
    };
    let source = cx.sources.get(leaf.place.source);
    let Some(source) = source.filter(|_| leaf.kind != LeafKind::Derived) else {
        return bare(OriginKind::Derived, String::new());
    };
    // What a default depends on is said, not where that stands.
    if note.starts_with("default") || (note.is_empty() && source.role == Role::Default) {
        return bare(OriginKind::Default, note);
    }
    let (line, column) = cx.sources.position(&leaf.place);
    let at = |kind, source: &str, note| Origin {
        kind,
        source: source.to_owned(),
        line,
        column,
        note,
    };
    match (&source.role, label) {
        (_, Some(label)) => {
            let more = if note.is_empty() { "" } else { ", " };
            let note = format!("{label}{more}{note}");
            at(OriginKind::Override, &source.name, note)
        }
        (Role::File | Role::Data, None) => at(OriginKind::File, &source.name, note),
        (Role::Base, None) => at(OriginKind::Base, &source.name, note),
        (Role::Profile, None) => {
            let note = match profile_source(cx, &source.name, &leaf.path) {
                Some(says) if note.is_empty() => says,
                _ => note,
            };
            at(OriginKind::Profile, &source.name, note)
        }
        (Role::Set, None) => at(OriginKind::Set, &source.name, note),
        (Role::Default, None) => bare(OriginKind::Default, note),
    }
}

/// What a profile says of the value at `path`: its longest key of `sources` that leads there.
fn profile_source(cx: &Cx, profile: &str, path: &[String]) -> Option<String> {
    let label = profile.strip_prefix("profile ").unwrap_or(profile);
    let head = format!("profile {label}: ");
    let tails: Vec<String> = (0..path.len())
        .filter_map(|from| Some(path.get(from..)?.join(".")))
        .collect();
    let leads = |key: &str| {
        key == "all"
            || tails.iter().any(|tail| {
                tail == key
                    || tail
                        .strip_prefix(key)
                        .is_some_and(|rest| rest.starts_with('.'))
            })
    };
    cx.profiles
        .sources
        .iter()
        .filter_map(|(path, says)| Some((path.strip_prefix(&head)?, says)))
        .filter(|(key, _)| leads(key))
        .max_by_key(|(key, _)| key.len())
        .map(|(_, says)| says.clone())
}

/// The longest that the source of a number is in the words of an origin, characters.
const SOURCE_WORDS: usize = 48;

fn words(from: &Origin) -> String {
    let place = format!("{}:{}:{}", from.source, from.line, from.column);
    let noted = |what: String| match from.note.as_str() {
        "" => what,
        note => format!("{note} ({what})"),
    };
    match from.kind {
        OriginKind::Derived => "derived".into(),
        OriginKind::Default if from.note.is_empty() => "default".into(),
        OriginKind::Default if from.note.starts_with("default") => from.note.clone(),
        OriginKind::Default => format!("{} (default)", from.note),
        OriginKind::File => noted(place),
        OriginKind::Base => noted(format!("base {place}")),
        OriginKind::Set => noted(from.source.clone()),
        OriginKind::Override => format!("{} ({place})", from.note),
        OriginKind::Profile => match from.note.as_str() {
            "" => from.source.clone(),
            note if note.starts_with("assumed") => format!("{} (assumed)", from.source),
            note => {
                let cut: String = note.chars().take(SOURCE_WORDS).collect();
                let more = if cut.len() < note.len() { "..." } else { "" };
                format!("{} (source: {}{more})", from.source, cut.trim_end())
            }
        },
    }
}

/// A piece of `plan.yaml`.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// As it is.
    Text(String),
    /// A value that names a file or folder: its form (`fhir:`), the path as written, the file.
    File {
        form: String,
        written: String,
        path: PathBuf,
    },
}

impl Plan {
    /// [`Plan::yaml`] for a file in `folder`: what it names is reached from there.
    pub fn yaml_in(&self, folder: &Path) -> String {
        joined(&self.pieces, |path, _| {
            let path = paths::relative(folder, path);
            path.to_string_lossy().into_owned()
        })
    }
    /// `text`, of which this is the plan, for a file in `folder`: what it names is reached from there.
    pub(crate) fn text_in(&self, text: &str, folder: &Path) -> String {
        let mut out = text.to_owned();
        for piece in &self.pieces {
            if let Piece::File {
                form,
                written,
                path,
            } = piece
            {
                let moved = paths::relative(folder, path);
                let moved = format!("{form}{}", moved.to_string_lossy());
                out = out.replace(&format!("{form}{written}"), &moved);
            }
        }
        out
    }
}

fn joined(pieces: &[Piece], name: impl Fn(&Path, &str) -> String) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::File {
                form,
                written,
                path,
            } => out.push_str(&quoted(&format!("{form}{}", name(path, written)))),
        }
    }
    out
}

/// Fills the digests and the text of a plan.
pub(crate) fn yaml(plan: &mut Plan, leaves: &[Leaf]) {
    (plan.digest, plan.design_digest) = digest::digests(leaves);
    plan.lines = digest::plan_lines(leaves).into();
    plan.pieces = pieces(plan, leaves);
    plan.yaml = joined(&plan.pieces, |_, written| written.to_owned());
}

/// `plan.yaml`: a scenario without a base that resolves to the same digest.
fn pieces(plan: &Plan, leaves: &[Leaf]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut out = String::from("consim: 1\n");
    let _ = writeln!(
        out,
        "# The resolved plan of `{}`, digest {}.",
        plan.name, plan.digest
    );
    let printed = |leaf: &&&Leaf| {
        matches!(leaf.kind, LeafKind::Value | LeafKind::Head)
            && leaf.drawn != Drawn::From
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
            // The keys of `sources` are free, also to be numbers.
            let free = depth == 1 && parents.first().is_some_and(|top| top == "sources");
            let _ = match item(part).filter(|_| !free) {
                Some(_) => writeln!(out, "{:indent$}-", ""),
                None => writeln!(out, "{:indent$}{}:", "", quoted(part)),
            };
        }
        open = parents.to_vec();
        let indent = parents.len() * 2;
        let _ = write!(out, "{:indent$}{}: ", "", quoted(key));
        match (&leaf.file, leaf.kind) {
            (Some(path), _) => {
                pieces.push(Piece::Text(std::mem::take(&mut out)));
                pieces.push(file_piece(&leaf.text, path));
            }
            (None, LeafKind::Head) => out.push_str("{}"),
            // Lists were written in flow style already.
            _ if leaf.text.starts_with('[') && leaf.text.ends_with(']') => out.push_str(&leaf.text),
            _ => out.push_str(&quoted(&leaf.text)),
        }
        out.push('\n');
    }
    pieces.push(Piece::Text(out));
    pieces
}

fn file_piece(text: &str, path: &Path) -> Piece {
    let (form, written) = match text.split_once(':') {
        Some((form, written)) => (format!("{form}:"), written.to_owned()),
        None => (String::new(), text.to_owned()),
    };
    Piece::File {
        form,
        written,
        path: path.to_path_buf(),
    }
}
