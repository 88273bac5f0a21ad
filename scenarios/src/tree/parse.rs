//! YAML to tree, and the mistakes that YAML itself hides.
//!
//! The parser resolves scalars (`no` becomes false, `007` a number), ignores tags and knows no
//! places of keys that it merges. So scalars are taken from the source by their place, tags are
//! looked for in front of every value, and duplicate keys are found here.

use super::{Key, MAX_DEPTH, MAX_ENTRIES, Node, Place, Problem, SourceId, Value};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_yaml::{Location, Options, Spanned};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What the YAML parser hands over.
enum Raw {
    /// `null`, or nothing at all.
    Null,
    /// Something that the parser took for a number or a truth value.
    Resolved,
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list or a map")
    }
    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Resolved)
    }
    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Resolved)
    }
    fn visit_i128<E: de::Error>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Resolved)
    }
    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Resolved)
    }
    fn visit_u128<E: de::Error>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Resolved)
    }
    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Resolved)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }
    fn visit_unit<E: de::Error>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }
    fn visit_none<E: de::Error>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Raw, D::Error> {
        Raw::deserialize(d)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key()? {
            entries.push((key, map.next_value()?));
        }
        Ok(Raw::Map(entries))
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(RawVisitor)
    }
}

fn options() -> Options {
    serde_yaml::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
        budget: serde_yaml::budget! { max_anchors: 0, max_aliases: 0, max_depth: MAX_DEPTH },
    }
}

/// Reads a text. An empty one is an empty map. Where something is wrong the problems say what,
/// and the tree, if there is one, holds the rest.
pub(crate) fn parse(text: &str, source: SourceId, problems: &mut Vec<Problem>) -> Option<Node> {
    let raw = match serde_yaml::from_str_with_options::<Spanned<Raw>>(text, options()) {
        Ok(raw) => raw,
        Err(error) => {
            problems.push(yaml_problem(text, source, &error));
            return None;
        }
    };
    let mut builder = Builder {
        text,
        source,
        problems,
    };
    builder.node(raw)
}

struct Builder<'a> {
    text: &'a str,
    source: SourceId,
    problems: &'a mut Vec<Problem>,
}

impl Builder<'_> {
    fn place(&self, location: &Location) -> Place {
        let span = location.span();
        let start = span.byte_offset().unwrap_or(0) as usize;
        let length = span.byte_len().unwrap_or(0) as usize;
        Place {
            source: self.source,
            at: start..start + length,
        }
    }

    fn node(&mut self, raw: Spanned<Raw>) -> Option<Node> {
        let mut place = self.place(&raw.referenced);
        self.refuse_tag(&place)?;
        let value = match raw.value {
            Raw::Null => Value::Empty,
            Raw::Resolved => Value::Scalar(self.text.get(place.at.clone())?.into()),
            Raw::Text(text) => {
                place = self.unquoted(place, &text);
                Value::Scalar(text.into())
            }
            Raw::List(items) => Value::List(
                items
                    .into_iter()
                    .filter_map(|item| self.node(item))
                    .collect(),
            ),
            Raw::Map(entries) => Value::Map(self.entries(entries, &place)),
        };
        Some(Node { value, place })
    }

    /// The place inside the quotes, so that parts of the text have places of their own.
    fn unquoted(&self, place: Place, text: &str) -> Place {
        let (from, to) = (place.at.start + 1, place.at.end.saturating_sub(1));
        match self.text.get(from..to) {
            Some(inner) if inner == text && !text.is_empty() => Place {
                source: place.source,
                at: from..to,
            },
            _ => place,
        }
    }

    fn entries(
        &mut self,
        entries: Vec<(Spanned<Raw>, Spanned<Raw>)>,
        place: &Place,
    ) -> Vec<(Key, Node)> {
        if entries.len() > MAX_ENTRIES {
            self.problems.push(Problem::error(
                "E008",
                place,
                format!("a map of {} entries", entries.len()),
                format!("a map has at most {MAX_ENTRIES}"),
            ));
            return Vec::new();
        }
        let mut seen: BTreeMap<Arc<str>, Place> = BTreeMap::new();
        let mut out = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let Some(key) = self.key(key) else { continue };
            let node = self.node(value);
            if let Some(first) = seen.get(&key.text) {
                let head = self.text.get(..first.at.start).unwrap_or_default();
                let line = head.matches('\n').count() + 1;
                self.problems.push(Problem::error(
                    "E002",
                    &key.place,
                    format!("`{}` is already defined at line {line}", key.text),
                    "names in a map are unique; rename one of them",
                ));
                continue;
            }
            seen.insert(Arc::clone(&key.text), key.place.clone());
            if let Some(node) = node {
                out.push((key, node));
            }
        }
        out
    }

    fn key(&mut self, key: Spanned<Raw>) -> Option<Key> {
        let node = self.node(key)?;
        match &node.value {
            Value::Scalar(text) if &**text == "<<" => {
                self.problems.push(Problem::error(
                    "E003",
                    &node.place,
                    "merge keys are not part of the language",
                    "use `count`, `base` or a profile; `consim check --explain E003` shows each",
                ));
                None
            }
            Value::Scalar(text) => Some(Key {
                text: Arc::clone(text),
                place: node.place.clone(),
            }),
            _ => {
                self.problems.push(Problem::error(
                    "E005",
                    &node.place,
                    format!("a key is a word, not {}", node.kind()),
                    "name: value",
                ));
                None
            }
        }
    }

    /// Tags change nothing in the parser and are not part of the language.
    fn refuse_tag(&mut self, place: &Place) -> Option<()> {
        let head = self.text.get(..place.at.start)?.trim_end();
        // Only the word before is looked at: a line may be as long as the file.
        let from = head
            .rfind([' ', '\t', '\n', '[', '{', ','])
            .map_or(0, |at| at + 1);
        let word = head.get(from..)?;
        if !word.starts_with('!') {
            return Some(());
        }
        let line = head.get(..from)?.rsplit('\n').next().unwrap_or_default();
        if line.starts_with('#') || line.contains(" #") || line.contains("\t#") {
            return Some(());
        }
        let tag = Place {
            source: self.source,
            at: from..head.len(),
        };
        self.problems.push(Problem::error(
            "E004",
            &tag,
            format!("tags like `{word}` are not part of the language"),
            "write the value alone",
        ));
        None
    }
}

/// A mistake that the YAML parser itself found: it stops there, so it is the only one.
fn yaml_problem(text: &str, source: SourceId, error: &serde_yaml::Error) -> Problem {
    let location = error.location();
    let (line, column) = location.map_or((1, 1), |l| (l.line() as usize, l.column() as usize));
    let start = offset(text, line, column);
    let rest = text.get(start..).unwrap_or_default();
    let word = rest
        .find(|c: char| c.is_whitespace() || ",]}".contains(c))
        .unwrap_or(rest.len());
    let place = Place {
        source,
        at: start..start + word.max(1),
    };
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    if words.starts_with("budget breached") || words.contains("recursion limit") {
        if words.contains("nchor") || words.contains("lias") {
            // The parser points behind the anchor.
            let head = text.get(..start).unwrap_or_default();
            let mark = head
                .rfind(['&', '*'])
                .filter(|_| !rest.starts_with(['&', '*']));
            let from = mark.unwrap_or(start);
            let length = text
                .get(from..)
                .map_or(1, |t| t.find(char::is_whitespace).unwrap_or(1));
            let place = Place {
                source,
                at: from..from + length,
            };
            return Problem::error(
                "E003",
                &place,
                "anchors and aliases are not part of the language",
                "use `count`, `base` or a profile; `consim check --explain E003` shows each",
            );
        }
        return Problem::error(
            "E008",
            &place,
            "the file is too deep or too large",
            format!("at most {MAX_DEPTH} levels"),
        );
    }
    let line_text = text.lines().nth(line - 1).unwrap_or_default();
    if words.contains("block scalar")
        && let Some((_, value)) = line_text.split_once(": ")
        && value.trim_start().starts_with('>')
    {
        let value = value.split(" #").next().unwrap_or_default().trim();
        let bare = value.trim_start_matches(['>', '=', ' ']);
        let place = Place {
            source,
            at: start..start + value.len(),
        };
        return Problem::error(
            "E105",
            &place,
            "a limit is written in words",
            format!("at least {bare} (or: above {bare})"),
        );
    }
    let help = if words.contains("multiple YAML documents") {
        "one file holds one scenario: no `---` after the beginning"
    } else if rest.starts_with('\t') || line_text.starts_with('\t') {
        "indent with spaces; YAML does not allow tabs"
    } else if rest.starts_with(['@', '`', '%', '!']) {
        "put the value in quotes"
    } else {
        "look at the brackets, quotes and indentation of this line and the one before"
    };
    Problem::error("E005", &place, format!("this is not YAML: {words}"), help)
}

/// The byte of a line and column (in characters, from 1).
fn offset(text: &str, line: usize, column: usize) -> usize {
    let begin: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = text.get(begin..).unwrap_or_default();
    begin
        + rest
            .char_indices()
            .nth(column.saturating_sub(1))
            .map_or(rest.len(), |(i, _)| i)
}
