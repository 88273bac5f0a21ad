//! What is wrong with a scenario: place, what is wrong, what would be right.

use serde::Serialize;
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr;

/// The most diagnostics that one command prints.
pub const MAX_DIAGNOSTICS: usize = 50;

/// Characters of a line that are shown.
const LINE: usize = 160;

/// Does it stop the run?
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Yes.
    Error,
    /// No; `check --strict` makes it one.
    Warning,
}

/// One mistake.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Diagnostic {
    /// The stable code (`E101`, `W403`).
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// The file as the user named it, or the option of the command line.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// How many characters are meant.
    pub length: usize,
    /// The key's path, if it has one (`faults.city-cut.for`).
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
    /// The text that would mend it in place of what is meant, where there is exactly one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit: Option<String>,
    /// The line itself.
    #[serde(skip)]
    pub text: String,
}

/// All mistakes of a command, sorted by place.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Diagnostics {
    /// The mistakes.
    pub list: Vec<Diagnostic>,
}

impl Diagnostic {
    /// The mistake with its line and a caret.
    pub fn render(&self) -> String {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut out = format!(
            "{word}[{}] {}:{}:{}\n",
            self.code, self.file, self.line, self.column
        );
        let gutter = self.line.to_string().len().max(2);
        let (shown, before, meant) = self.window();
        let carets = "^".repeat(meant.max(1));
        let _ = writeln!(out, "{:>gutter$} | {}", self.line, shown.trim_end());
        let _ = writeln!(
            out,
            "{:gutter$} | {:before$}{carets} {}: {}",
            "", "", self.code, self.message
        );
        if !self.help.is_empty() {
            let _ = writeln!(out, "{:gutter$} = help: {}", "", self.help);
        }
        out
    }
    /// The line as it is shown, the columns before what is meant, and its columns. Of a long line
    /// it is the part around the mistake; what would move the cursor is shown as a blank.
    fn window(&self) -> (String, usize, usize) {
        let visible = |c: char| if c.is_control() { ' ' } else { c };
        let from = match self.column - 1 {
            start if start + self.length.min(LINE / 2) <= LINE => 0,
            start => start.saturating_sub(LINE / 3),
        };
        let mut part = self.text.chars().skip(from).map(visible);
        let before: String = part.by_ref().take(self.column - 1 - from).collect();
        let meant: String = part.by_ref().take(self.length.min(LINE)).collect();
        let room = LINE.saturating_sub(before.chars().count() + meant.chars().count());
        let after: String = part.by_ref().take(room).collect();
        let head = if from > 0 { "..." } else { "" };
        let tail = if part.next().is_some() { "..." } else { "" };
        let columns = head.width() + before.width();
        (
            format!("{head}{before}{meant}{after}{tail}"),
            columns,
            meant.width(),
        )
    }
    /// The mistake as a diagnostic of the Language Server Protocol (3.17): positions count from 0,
    /// characters in UTF-16 units.
    pub fn lsp(&self) -> serde_json::Value {
        let units = |n: usize| {
            self.text
                .chars()
                .take(n)
                .map(char::len_utf16)
                .sum::<usize>()
        };
        let line = self.line - 1;
        let (from, to) = (self.column - 1, self.column - 1 + self.length);
        let severity = match self.severity {
            Severity::Error => 1,
            Severity::Warning => 2,
        };
        let message = if self.help.is_empty() {
            self.message.clone()
        } else {
            format!("{} (help: {})", self.message, self.help)
        };
        serde_json::json!({
            "range": {
                "start": { "line": line, "character": units(from) },
                "end": { "line": line, "character": units(to).max(units(from) + 1) },
            },
            "severity": severity,
            "code": self.code,
            "source": "consim",
            "message": message,
        })
    }
    /// The mistake as an object.
    pub fn json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Diagnostics {
    /// Drops repetitions, keeps the first [`MAX_DIAGNOSTICS`], errors before warnings, and sorts by
    /// place.
    pub(crate) fn new(mut list: Vec<Diagnostic>) -> Self {
        let place = |a: &Diagnostic, b: &Diagnostic| {
            let key = |d: &Diagnostic| (d.line, d.column, d.code);
            a.file.cmp(&b.file).then_with(|| key(a).cmp(&key(b)))
        };
        list.sort_by(|a, b| a.severity.cmp(&b.severity).then_with(|| place(a, b)));
        list.dedup();
        list.truncate(MAX_DIAGNOSTICS);
        list.sort_by(place);
        Self { list }
    }
    /// All of them with a count at the end.
    pub fn render(&self) -> String {
        let mut out: String = self.list.iter().map(Diagnostic::render).collect();
        let errors = self
            .list
            .iter()
            .filter(|d| d.severity == Severity::Error)
            .count();
        let _ = match errors {
            0 => Ok(()),
            1 => writeln!(out, "1 error"),
            n => writeln!(out, "{n} errors"),
        };
        out
    }
}
