//! What a scenario may hold, as data: for laying over, overrides, suggestions, lists and the JSON
//! Schema.

use consim_core::values::{Bare, Value};

/// The version that has what names no other.
pub(crate) const FIRST_VERSION: &str = "0.1.0";

/// The shape of a value.
pub(crate) enum Shape {
    /// A scalar, or a list of scalars.
    Scalar(Form),
    /// Whatever stands at the path that the key names.
    Any,
    /// A map with fixed keys.
    Record(Record),
    /// A map from names that the user chose.
    Named(Box<Self>),
    /// A list of such.
    List(Box<Self>),
    /// One name out of a registry, with its options under it.
    Choice(Choice),
    /// Common keys and one kind.
    Entry(Entry),
    /// A map whose keys are dotted paths, and what their values are.
    Paths(Box<Self>),
}

/// What is known of the texts of a scalar.
pub(crate) struct Form {
    /// `a duration`.
    pub(crate) name: &'static str,
    /// Some texts.
    pub(crate) examples: &'static str,
    /// A regular expression that all texts match, or all that are not among `words`; empty if
    /// there is none of use.
    pub(crate) pattern: String,
    /// All texts, of a closed list, or those that have a name.
    pub(crate) words: Vec<&'static str>,
    /// Texts that YAML takes for something else.
    pub(crate) bare: Bare,
    /// Several of them.
    pub(crate) list: Lists,
}

/// May the scalar be several?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lists {
    /// One.
    No,
    /// One or a list.
    Also,
    /// A list.
    Only,
    /// A list of two.
    Pair,
}

impl Form {
    /// The form of a value type.
    pub(crate) fn of<T: Value>() -> Self {
        Self {
            name: T::FORM,
            examples: T::EXAMPLES,
            pattern: T::pattern(),
            words: T::WORDS.to_vec(),
            bare: T::BARE,
            list: Lists::No,
        }
    }
    /// The same under another name, several of them.
    pub(crate) fn several(mut self, name: &'static str, list: Lists) -> Self {
        self.name = name;
        self.list = list;
        self
    }
}

/// A map with fixed keys.
pub(crate) struct Record {
    /// The key that a bare value stands for.
    pub(crate) main: Option<&'static str>,
    pub(crate) fields: Vec<Field>,
    /// Keys of the language that this version does not have yet.
    pub(crate) later: &'static [&'static str],
}

/// A key of a record.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) shape: Shape,
    pub(crate) default: Option<&'static str>,
    /// Is it an error to leave it out?
    pub(crate) required: bool,
    /// The first version that has it.
    pub(crate) since: &'static str,
}

/// One name out of several.
pub(crate) struct Choice {
    /// The name that a bare value stands for which is no name itself.
    pub(crate) main: Option<&'static str>,
    pub(crate) variants: Vec<Variant>,
    pub(crate) later: &'static [&'static str],
}

/// A name that can be chosen.
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) code: &'static str,
    pub(crate) help: &'static str,
    pub(crate) shape: Shape,
    /// The first version that has it.
    pub(crate) since: &'static str,
}

/// Common keys and one kind.
pub(crate) struct Entry {
    pub(crate) common: Record,
    pub(crate) kinds: Choice,
}

impl Record {
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }
}

impl Choice {
    pub(crate) fn variant(&self, name: &str) -> Option<&Variant> {
        self.variants.iter().find(|v| v.name == name)
    }
}

/// The nearest of `known` to `word`, at most two edits away (Damerau-Levenshtein, optimal string
/// alignment).
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|&(d, candidate)| d <= 2 && d < candidate.chars().count())
        .min()
        .map(|(_, candidate)| candidate)
}

fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // Words that differ much in length are never near; this bounds the table.
    if a.len().abs_diff(b.len()) > 2 {
        return usize::MAX;
    }
    let mut rows: [Vec<usize>; 3] = [Vec::new(), (0..=b.len()).collect(), vec![0; b.len() + 1]];
    let at = |row: &Vec<usize>, i: usize| row.get(i).copied().unwrap_or(usize::MAX / 2);
    for (i, x) in a.iter().enumerate() {
        let [before, previous, current] = &mut rows;
        current.clear();
        current.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let mut best = (at(previous, j) + usize::from(x != y))
                .min(at(previous, j + 1) + 1)
                .min(at(current, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(at(before, j - 1) + 1);
            }
            current.push(best);
        }
        rows.rotate_left(1);
    }
    let [_, last, _] = &rows;
    last.last().copied().unwrap_or(usize::MAX)
}

/// `did you mean X?`, and what is allowed: at most eight words.
pub(crate) fn suggestion(word: &str, allowed: &[&str]) -> String {
    let mut out = String::new();
    if let Some(near) = nearest(word, allowed.iter().copied()) {
        out = format!("did you mean `{near}`? ");
    }
    let shown: Vec<&str> = allowed.iter().take(8).copied().collect();
    out.push_str("allowed: ");
    out.push_str(&shown.join(", "));
    if allowed.len() > shown.len() {
        out.push_str(", ...");
    }
    out
}
