//! A table of the page: cells by what they hold, so that all tables look and behave alike.

use crate::words;
use askama::Template;

/// Rows of a table or list; of more the page gives the number.
const ROWS: usize = 500;
/// Columns of a name, a number or a verdict.
pub(super) const NAME: usize = 120;
/// Columns of any other text.
pub(super) const TEXT: usize = 600;
/// Characters up to which a text stays in one line.
const LINE: usize = 22;

/// The first items of a table or list.
pub(crate) struct Rows<T> {
    pub(crate) shown: Vec<T>,
    /// How many there are besides, in words.
    pub(crate) rest: Option<String>,
}

impl<T> Rows<T> {
    pub(crate) fn of(items: impl Iterator<Item = T>) -> Self {
        let mut items = items;
        let shown = items.by_ref().take(ROWS).collect();
        let more = items.count() as u64;
        Self {
            shown,
            rest: (more > 0).then(|| format!("and {} more.", words::count(more))),
        }
    }
}

/// What a cell holds.
pub(crate) enum Cell {
    /// The heading of the row: a name, its code in a catalogue, a line below.
    Name(String, String, String),
    Text(String),
    /// Right-aligned and never broken.
    Number(String),
    /// A verdict: its colour class, its word.
    Badge(&'static str, String),
    /// A text and a list below; the colour class of the list.
    List(String, &'static str, Vec<String>),
}

impl Cell {
    pub(crate) fn name(name: &str) -> Self {
        Self::Name(name.into(), String::new(), String::new())
    }

    /// With its texts cut to a length that a table can bear.
    fn cut(self) -> Self {
        let name = |text: String| words::clip(&text, NAME);
        let text = |text: String| words::clip(&text, TEXT);
        match self {
            Self::Name(main, code, below) => Self::Name(name(main), name(code), name(below)),
            Self::Text(it) => Self::Text(text(it)),
            Self::Number(it) => Self::Number(name(it)),
            Self::Badge(class, word) => Self::Badge(class, name(word)),
            Self::List(it, class, items) => {
                Self::List(text(it), class, items.into_iter().map(text).collect())
            }
        }
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Number(_))
    }
}

/// A table with a heading.
#[derive(Template)]
#[template(path = "table.html")]
pub(crate) struct Table {
    head: &'static [&'static str],
    rows: Rows<Vec<Cell>>,
    total: Option<Vec<Cell>>,
}

impl Table {
    /// A table, unless there are no rows.
    pub(crate) fn of(
        head: &'static [&'static str],
        rows: impl Iterator<Item = Vec<Cell>>,
    ) -> Option<Self> {
        let rows = Rows::of(rows.map(|row| row.into_iter().map(Cell::cut).collect()));
        (!rows.shown.is_empty()).then_some(Self {
            head,
            rows,
            total: None,
        })
    }

    /// The same with a last row that sums up.
    pub(crate) fn with_total(self, total: Vec<Cell>) -> Self {
        Self {
            total: Some(total),
            ..self
        }
    }

    /// The headings, and whether numbers stand below.
    fn heads(&self) -> impl Iterator<Item = (&'static str, bool)> {
        let first = self.rows.shown.first().map_or(&[][..], Vec::as_slice);
        self.head
            .iter()
            .zip(first)
            .map(|(name, cell)| (*name, cell.is_number()))
    }
}

/// Must this text be allowed to break?
fn long(text: &str) -> bool {
    words::columns(text) > LINE
}
