//! Comma-separated tables with the place of every cell, so that a mistake points into the file.

use crate::tree::{Place, SourceId};

/// A cell without the blanks around it.
#[derive(Clone, Debug)]
pub(crate) struct Cell<'a> {
    pub(crate) text: &'a str,
    pub(crate) place: Place,
}

/// The lines of a table; empty ones and those that begin with `#` are left out.
pub(crate) fn rows(source: SourceId, text: &str) -> Vec<Vec<Cell<'_>>> {
    let mut at = 0;
    let mut rows = Vec::new();
    for line in text.split_inclusive('\n') {
        let from = at;
        at += line.len();
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let mut start = from;
        let row = line.split(',').map(|raw| {
            let begin = start + (raw.len() - raw.trim_start().len());
            start += raw.len() + 1;
            let text = raw.trim();
            // An empty cell stands where it should be filled in.
            let begin = if text.is_empty() {
                start - raw.len() - 1
            } else {
                begin
            };
            Cell {
                text,
                place: Place {
                    source,
                    at: begin..begin + text.len(),
                },
            }
        });
        rows.push(row.collect());
    }
    rows
}

/// The first line of a table, for mistakes of the whole.
pub(crate) fn start(source: SourceId) -> Place {
    Place { source, at: 0..0 }
}
