//! What a reader has to say about its source: where, what, and how often.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The most different notes that are kept; beyond it only their number grows.
const MAX_KEPT: usize = 10_000;
/// The longest piece of foreign text in a note, characters.
const MAX_QUOTE: usize = 40;

/// A place in a source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// The file, relative to the source's folder.
    pub(super) file: Arc<str>,
    /// The line in a file of one document a line, from 1; 0 in a file that is one document.
    pub(super) line: usize,
    /// The JSON path (`$.entry[3].resource`); empty for the file as a whole.
    pub(super) path: String,
}

impl Place {
    /// A file as a whole.
    pub(super) fn file(file: &Arc<str>) -> Self {
        Self {
            file: Arc::clone(file),
            line: 0,
            path: String::new(),
        }
    }
    /// A place below this one; `path` begins with `.` or `[`, or is empty.
    pub(super) fn below(&self, path: &str) -> Self {
        Self {
            file: Arc::clone(&self.file),
            line: self.line,
            path: format!("{}{path}", self.path),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", plain(&self.file, usize::MAX))?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        Ok(())
    }
}

/// Foreign text on one line, cut to `limit` characters.
fn plain(text: &str, limit: usize) -> String {
    let mut out: String = text
        .chars()
        .take(limit)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(limit).is_some() {
        out.push_str("...");
    }
    out
}

/// Foreign text as a note may show it: on one line, short, between backquotes.
pub(super) fn quoted(text: &str) -> String {
    format!("`{}`", plain(text, MAX_QUOTE))
}

/// What a note speaks of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Extent {
    /// One line for each file in which it happens.
    File,
    /// One line for the whole source.
    Source,
}

#[derive(Debug)]
struct Note {
    place: Place,
    extent: Extent,
    reason: String,
    count: u64,
}

/// What makes two notes one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Sameness {
    /// The file, the path without its numbers, the reason.
    InFile(Arc<str>, String, String),
    /// The reason.
    InSource(String),
}

/// The notes of a source, in the order in which they came up. Notes of the same reason are one
/// with a number, so that a folder of a thousand foreign files does not drown the one that matters.
#[derive(Debug, Default)]
pub(super) struct Notes {
    kept: Vec<Note>,
    index: BTreeMap<Sameness, usize>,
    dropped: u64,
    skipped: u64,
}

impl Notes {
    /// Something is used, but not as it stands.
    pub(super) fn remark(&mut self, place: &Place, extent: Extent, reason: String) {
        let key = match extent {
            Extent::File => {
                let path = place.path.chars().filter(|c| !c.is_ascii_digit()).collect();
                Sameness::InFile(Arc::clone(&place.file), path, reason.clone())
            }
            Extent::Source => Sameness::InSource(reason.clone()),
        };
        if let Some(note) = self.index.get(&key).and_then(|&at| self.kept.get_mut(at)) {
            note.count += 1;
        } else if self.kept.len() < MAX_KEPT {
            self.index.insert(key, self.kept.len());
            self.kept.push(Note {
                place: place.clone(),
                extent,
                reason,
                count: 1,
            });
        } else {
            self.dropped += 1;
        }
    }
    /// Something is left out.
    pub(super) fn skip(&mut self, place: &Place, extent: Extent, reason: String) {
        self.skipped += 1;
        self.remark(place, extent, reason);
    }
    /// How much was left out.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// At most `limit` lines: defects of files first, then what holds for the whole source (which
    /// keeps up to a third of the lines, the most frequent first), then how many more there are.
    pub(super) fn lines(&self, limit: usize) -> Vec<String> {
        let of = |extent| self.kept.iter().filter(move |note| note.extent == extent);
        let files: Vec<&Note> = of(Extent::File).collect();
        let mut whole: Vec<&Note> = of(Extent::Source).collect();
        whole.sort_by_key(|note| std::cmp::Reverse(note.count));
        let all = files.len() + whole.len();
        if all <= limit && self.dropped == 0 {
            return files.into_iter().chain(whole).map(Note::line).collect();
        }
        let room = limit.saturating_sub(1);
        let for_whole = whole
            .len()
            .min((room / 3).max(room.saturating_sub(files.len())));
        let for_files = files.len().min(room - for_whole);
        let shown = files
            .iter()
            .take(for_files)
            .chain(whole.iter().take(for_whole));
        let mut lines: Vec<String> = shown.map(|note| note.line()).collect();
        let more = (all - lines.len()) as u64 + self.dropped;
        lines.push(format!("and {more} more notes"));
        lines.truncate(limit);
        lines
    }
}

impl Note {
    fn line(&self) -> String {
        let Self { place, reason, .. } = self;
        match (self.count, self.extent) {
            (1, _) => format!("{place}: {reason}"),
            (n, Extent::File) => format!("{place}: {reason} ({n} times in this file)"),
            (n, Extent::Source) => format!("{place}: {reason} ({n} times in all)"),
        }
    }
}
