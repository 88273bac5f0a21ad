//! Tables of comma-separated values (RFC 4180) whose cells know where they stand, so that a mistake
//! can be shown in the file.

use crate::schema::Cx;
use crate::tree::{Place, SourceId};
use consim_core::Span;
use std::ops::Range;

/// A cell: its text without quotes, and its place in the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Cell {
    /// The text, spaces around it taken off.
    pub(crate) text: String,
    /// Where it stands; an empty one, where it should be filled in.
    pub(crate) place: Place,
}

/// The bytes of a quoted cell that never ends, or goes on after its quotes.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Unclosed(Range<usize>);

/// The table `source`; a quote that does not close is told.
pub(crate) fn table(cx: &mut Cx, source: SourceId) -> Option<Vec<Vec<Cell>>> {
    let text = cx.sources.get(source)?.text.clone();
    match rows(source, &text) {
        Ok(rows) => Some(rows),
        Err(Unclosed(at)) => {
            cx.error(
                "E106",
                &Place { source, at },
                "this quote does not close its cell",
                "a quote inside of a quoted cell is written twice",
            );
            None
        }
    }
}

/// The unit of a table of times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit(f64);

impl Unit {
    /// The time in a cell, at `speed` times the pace; none if it is no number, or more than a hundred years,
    /// which are more than any run.
    pub(crate) fn span(self, cell: &Cell, speed: f64) -> Option<Span> {
        let ns = cell.text.parse::<f64>().ok()? * self.0 / speed;
        let possible = (0.0..=3.2e18).contains(&ns);
        possible.then(|| Span::from_nanos(libm::round(ns) as u64))
    }
}

/// A table of times, whose first line says their unit, and its other lines. Where it does not, `question` is
/// asked.
pub(crate) fn times(
    cx: &mut Cx,
    source: SourceId,
    question: &str,
    help: &str,
) -> Option<(Unit, Vec<Vec<Cell>>)> {
    let mut rows = table(cx, source)?;
    let head = rows.first().and_then(|row| row.first());
    let unit = match head.map(|cell| cell.text.as_str()) {
        Some("ns") => 1.0,
        Some("us") => 1e3,
        Some("ms") => 1e6,
        Some("s") => 1e9,
        _ => {
            let place = head.map_or_else(|| start(source), |cell| cell.place.clone());
            cx.error("E106", &place, question, help);
            return None;
        }
    };
    rows.remove(0);
    Some((Unit(unit), rows))
}

/// The first place of a table, for mistakes of the whole.
pub(crate) fn start(source: SourceId) -> Place {
    Place { source, at: 0..0 }
}

/// The lines of a table that hold anything; a quoted cell may run over several. Lines that begin
/// with `#` are comments.
fn rows(source: SourceId, text: &str) -> Result<Vec<Vec<Cell>>, Unclosed> {
    let mut rows = Vec::new();
    let mut at = text
        .strip_prefix('\u{feff}')
        .map_or(0, |_| '\u{feff}'.len_utf8());
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        if rest.trim_start_matches([' ', '\t']).starts_with('#') {
            at += rest.find('\n').map_or(rest.len(), |i| i + 1);
            continue;
        }
        let (row, next) = row(source, text, at)?;
        if row.len() > 1 || row.iter().any(|cell| !cell.text.is_empty()) {
            rows.push(row);
        }
        at = next;
    }
    Ok(rows)
}

/// The cells of the line that begins at `at`, and where the next line begins.
fn row(source: SourceId, text: &str, mut at: usize) -> Result<(Vec<Cell>, usize), Unclosed> {
    let mut cells = Vec::new();
    loop {
        let (cell, end) = cell(source, text, at)?;
        cells.push(cell);
        match text.as_bytes().get(end) {
            Some(b',') => at = end + 1,
            Some(_) => return Ok((cells, end + 1)),
            None => return Ok((cells, end)),
        }
    }
}

/// The cell that begins at `at`, and where it ends: at a comma, a line end or the end of the file.
fn cell(source: SourceId, text: &str, at: usize) -> Result<(Cell, usize), Unclosed> {
    let cell = |text: &str, at| Cell {
        text: text.to_owned(),
        place: Place { source, at },
    };
    let rest = text.get(at..).unwrap_or_default();
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let from = at + blanks;
    let rest = text.get(from..).unwrap_or_default();
    let Some(quoted) = rest.strip_prefix('"') else {
        let length = rest.find([',', '\n']).unwrap_or(rest.len());
        let raw = rest.get(..length).unwrap_or_default().trim_end();
        return Ok((cell(raw, from..from + raw.len()), from + length));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((i, c)) = chars.next() {
        if c != '"' {
            value.push(c);
            continue;
        }
        if chars.next_if(|(_, next)| *next == '"').is_some() {
            value.push('"');
            continue;
        }
        let end = from + 1 + i + 1;
        let tail = text.get(end..).unwrap_or_default();
        let blanks = tail.len() - tail.trim_start_matches([' ', '\t', '\r']).len();
        let stop = end + blanks;
        if !matches!(text.as_bytes().get(stop), None | Some(b',' | b'\n')) {
            return Err(Unclosed(from..end));
        }
        return Ok((cell(value.trim(), from..end), stop));
    }
    Err(Unclosed(from..from + 1))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<Vec<String>> {
        let cells = |row: Vec<Cell>| row.into_iter().map(|c| c.text).collect();
        rows(SourceId(0), text)
            .unwrap()
            .into_iter()
            .map(cells)
            .collect()
    }

    #[test]
    fn cells_are_told_apart_and_know_their_place() {
        assert_eq!(
            texts("a,b\n1, 2 \r\n\n# note\n  # another, \"one\n,x"),
            [["a", "b"], ["1", "2"], ["", "x"]]
        );
        assert_eq!(texts("\u{feff}a\n"), [["a"]]);
        assert_eq!(
            texts("\"a, \"\"b\"\"\",\"c\nd\" ,e"),
            [["a, \"b\"", "c\nd", "e"]]
        );
        let text = "医院, \"x\"\ny,z\n";
        for cell in rows(SourceId(0), text).unwrap().iter().flatten() {
            assert_eq!(text[cell.place.at.clone()].trim_matches('"'), cell.text);
        }
        assert!(texts("").is_empty());
    }

    #[test]
    fn a_quote_that_does_not_close_is_a_mistake() {
        let unclosed = |text| rows(SourceId(0), text).unwrap_err().0;
        assert_eq!(unclosed("a,\"b\nc"), 2..3);
        assert_eq!(unclosed("\"a\"b,c\n"), 0..3);
    }
}
