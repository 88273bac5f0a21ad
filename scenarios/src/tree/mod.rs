//! The spanned tree: what a file holds, with the place of every value. It knows no schema.
//!
//! Scenarios, profiles, `--set` values and the texts of defaults all become trees, so that one
//! decoder, one way of laying over and one notion of origin serve them all.

mod parse;
mod write;

pub(crate) use parse::parse;
pub(crate) use write::written;

use crate::diagnostic::{Diagnostic, MAX_DIAGNOSTICS, Severity};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

/// The longest file, in bytes.
pub const MAX_FILE: u64 = 8 << 20;
/// The most entries of a map.
pub const MAX_ENTRIES: usize = 10_000;
/// The deepest nesting.
pub const MAX_DEPTH: usize = 32;

/// The number of a source in [`Sources`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct SourceId(pub(crate) u32);

/// A part of a source, in bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) source: SourceId,
    pub(crate) at: Range<usize>,
}

impl Place {
    /// A part of this place, counted from its start.
    pub(crate) fn part(&self, part: Option<Range<usize>>) -> Self {
        let Some(part) = part else {
            return self.clone();
        };
        let from = (self.at.start + part.start).min(self.at.end);
        let to = (self.at.start + part.end).min(self.at.end);
        Self {
            source: self.source,
            at: from..to,
        }
    }
}

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// The scenario that the user named.
    File,
    /// A scenario that it is based on.
    Base,
    /// A profile: `links/metro`.
    Profile,
    /// An override of the command line.
    Set,
    /// The default of a key.
    Default,
    /// A table that a scenario names.
    Data,
}

/// A text that a tree was read from.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// As the user named it, or what stands for it.
    pub(crate) name: String,
    pub(crate) text: Arc<str>,
    pub(crate) role: Role,
    /// The folder that relative paths in it start from.
    pub(crate) folder: PathBuf,
}

/// All texts of a command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    list: Vec<Source>,
}

impl Sources {
    pub(crate) fn add(&mut self, source: Source) -> SourceId {
        self.list.push(source);
        SourceId((self.list.len() - 1) as u32)
    }
    pub(crate) fn get(&self, id: SourceId) -> Option<&Source> {
        self.list.get(id.0 as usize)
    }
    /// Line and column (in characters) of a byte of a source, from 1, and the line.
    fn line_of(&self, place: &Place) -> (usize, usize, usize, String) {
        let text = self.get(place.source).map_or("", |s| &s.text);
        let start = floor(text, place.at.start);
        let end = floor(text, place.at.end).max(start);
        let head = text.get(..start).unwrap_or_default();
        let line = head.matches('\n').count() + 1;
        let begin = head.rfind('\n').map_or(0, |i| i + 1);
        let rest = text.get(begin..).unwrap_or_default();
        let full = rest.lines().next().unwrap_or_default().to_owned();
        let column = head.get(begin..).unwrap_or_default().chars().count() + 1;
        let meant = text.get(start..end).unwrap_or_default();
        let length = meant.lines().next().unwrap_or_default().chars().count();
        (line, column, length.max(1), full)
    }
    /// Line and column (in characters) of a place, from 1.
    pub(crate) fn position(&self, place: &Place) -> (usize, usize) {
        let (line, column, ..) = self.line_of(place);
        (line, column)
    }
    /// `FILE:LINE:COLUMN`.
    pub(crate) fn name_of(&self, place: &Place) -> String {
        let (line, column, ..) = self.line_of(place);
        let name = self.get(place.source).map_or("?", |s| s.name.as_str());
        format!("{name}:{line}:{column}")
    }
    /// The first mistakes by place, errors before warnings, as many as can be told: a line is
    /// looked up by counting.
    pub(crate) fn diagnostics(&self, problems: &[Problem]) -> Vec<Diagnostic> {
        let name = |p: &Problem| self.get(p.place.source).map(|s| s.name.as_str());
        let mut list: Vec<&Problem> = problems.iter().collect();
        list.sort_by(|a, b| {
            let place = |p: &&Problem| (p.place.at.start, p.code);
            (a.severity, name(a))
                .cmp(&(b.severity, name(b)))
                .then_with(|| place(a).cmp(&place(b)))
        });
        list.dedup_by(|a, b| a.place == b.place && a.code == b.code && a.message == b.message);
        let told = list.into_iter().take(MAX_DIAGNOSTICS);
        told.map(|problem| self.diagnostic(problem)).collect()
    }
    pub(crate) fn diagnostic(&self, problem: &Problem) -> Diagnostic {
        let (line, column, length, text) = self.line_of(&problem.place);
        let file = self
            .get(problem.place.source)
            .map_or_else(String::new, |s| s.name.clone());
        Diagnostic {
            code: problem.code,
            severity: problem.severity,
            file,
            line,
            column,
            length,
            path: problem.path.clone(),
            message: problem.message.clone(),
            help: problem.help.clone(),
            edit: mended(&problem.help),
            text,
        }
    }
}

/// What would mend a mistake, if the help says exactly one word.
fn mended(help: &str) -> Option<String> {
    let (word, _) = help.strip_prefix("did you mean `")?.split_once('`')?;
    Some(word.to_owned())
}

/// The last boundary of a character at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at)
        .rev()
        .find(|&i| text.is_char_boundary(i))
        .unwrap_or(0)
}

/// A mistake at a place, before its line is looked up.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) code: &'static str,
    pub(crate) severity: Severity,
    pub(crate) place: Place,
    pub(crate) path: String,
    pub(crate) message: String,
    pub(crate) help: String,
}

impl Problem {
    pub(crate) fn error(
        code: &'static str,
        place: &Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity: Severity::Error,
            place: place.clone(),
            path: String::new(),
            message: message.into(),
            help: help.into(),
        }
    }
}

/// Trees of texts that are part of the program, each read once: a search plans many scenarios, and
/// all of them have the same defaults and profiles.
static BUILT_IN: RwLock<BTreeMap<&'static str, Node>> = RwLock::new(BTreeMap::new());

/// The tree of a text that is part of the program, as if it was read from `source`.
pub(crate) fn parse_built_in(
    text: &'static str,
    source: SourceId,
    problems: &mut Vec<Problem>,
) -> Option<Node> {
    let known = BUILT_IN.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(node) = known.get(text) {
        return Some(node.in_source(source));
    }
    drop(known);
    let node = parse(text, source, problems)?;
    let mut known = BUILT_IN.write().unwrap_or_else(PoisonError::into_inner);
    known.insert(text, node.clone());
    Some(node)
}

/// A key with its place.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) text: Arc<str>,
    pub(crate) place: Place,
}

/// A value with its place; that of a map or list is where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Nothing after the colon, or `null`.
    Empty,
    /// A scalar as written, quotes taken off.
    Scalar(Arc<str>),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file, keys unique.
    Map(Vec<(Key, Node)>),
}

impl Node {
    pub(crate) fn map(entries: Vec<(Key, Node)>, place: Place) -> Self {
        Self {
            value: Value::Map(entries),
            place,
        }
    }
    /// The entries of a map.
    pub(crate) fn entries(&self) -> &[(Key, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .find(|(k, _)| &*k.text == key)
            .map(|(_, node)| node)
    }
    pub(crate) fn scalar(&self) -> Option<&Arc<str>> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }
    /// The same, read from another source with the same text.
    fn in_source(&self, source: SourceId) -> Self {
        let place = |place: &Place| Place {
            source,
            at: place.at.clone(),
        };
        let value = match &self.value {
            Value::Empty => Value::Empty,
            Value::Scalar(text) => Value::Scalar(Arc::clone(text)),
            Value::List(items) => Value::List(items.iter().map(|n| n.in_source(source)).collect()),
            Value::Map(entries) => {
                let moved = entries.iter().map(|(key, node)| {
                    let key = Key {
                        text: Arc::clone(&key.text),
                        place: place(&key.place),
                    };
                    (key, node.in_source(source))
                });
                Value::Map(moved.collect())
            }
        };
        Self {
            value,
            place: place(&self.place),
        }
    }
    /// What kind of value it is, with its article.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Empty => "nothing",
            Value::Scalar(_) => "a value",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
    /// The value in one line of YAML flow style.
    pub(crate) fn flow(&self) -> String {
        match &self.value {
            Value::Empty => String::new(),
            Value::Scalar(text) => quoted(text),
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(Self::flow).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Map(entries) => {
                let mut out = String::from("{");
                for (i, (key, node)) in entries.iter().enumerate() {
                    let comma = if i == 0 { " " } else { ", " };
                    let _ = write!(out, "{comma}{}: {}", key.text, node.flow());
                }
                out.push_str(if entries.is_empty() { "}" } else { " }" });
                out
            }
        }
    }
}

/// A scalar as YAML needs it in flow style: plain where that is read back as it is.
pub(crate) fn quoted(text: &str) -> String {
    let special = |c: char| c.is_control() || "{}[],\"'#&*!|>%@`\\".contains(c);
    let plain = !text.is_empty()
        && text.trim() == text
        && !text.contains(special)
        && !text.contains(": ")
        && !text.ends_with(':')
        && !text.starts_with("- ")
        && !text.starts_with("? ")
        && !["-", "?", ":", "---", "...", "~", "null", "Null", "NULL"].contains(&text);
    // `%` and `>` matter only at the beginning of a scalar.
    let shares = text.ends_with('%') && !text.starts_with('%') && {
        let rest = text.trim_end_matches('%');
        !rest.contains(special) && !rest.contains(": ")
    };
    if plain || shares {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
