//! Tests of the reports as their readers see them: the files of an output folder, and the screen.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod data;
mod drawing;
mod extremes;
mod figures;
mod files;
mod headline;
mod hostile;
mod markup;
mod page;
mod summary;

use consim_check::results::Results;

/// The text of a file of the report.
fn file(results: &Results, path: &str) -> String {
    let files = consim_reports::render(results).unwrap();
    let found = files.into_iter().find(|f| f.path == path);
    found.unwrap_or_else(|| panic!("no file {path}")).text
}

/// Rows of fields of a comma-separated text, strictly by RFC 4180 with LF line ends.
fn parse_csv(text: &str) -> Result<Vec<Vec<String>>, String> {
    let mut rows = vec![vec![String::new()]];
    let mut chars = text.chars().peekable();
    let mut quoted = false;
    // Where a quote may open a field, and whether one was just closed.
    let (mut start, mut closed) = (true, false);
    while let Some(c) = chars.next() {
        let row = rows.last_mut().unwrap();
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                row.last_mut().unwrap().push('"');
            }
            '"' if quoted => (quoted, closed) = (false, true),
            c if quoted => row.last_mut().unwrap().push(c),
            '"' if start => (quoted, start) = (true, false),
            ',' => {
                row.push(String::new());
                (start, closed) = (true, false);
            }
            '\n' => {
                rows.push(vec![String::new()]);
                (start, closed) = (true, false);
            }
            c if closed || c == '"' || c == '\r' => return Err(format!("a stray {c:?}")),
            c => {
                row.last_mut().unwrap().push(c);
                start = false;
            }
        }
    }
    if quoted || rows.pop() != Some(vec![String::new()]) {
        return Err("the last line does not end".into());
    }
    match rows.iter().find(|r| r.len() != rows[0].len()) {
        Some(row) => Err(format!("{} fields in {row:?}", row.len())),
        None => Ok(rows),
    }
}
