//! The reference of the language, written from the schema itself.

use crate::schema::shape::{Choice, Field, Record, Shape};
use crate::schema::whole;
use std::fmt::Write as _;

/// `docs/scenario-reference.md`: every key with its form, default and meaning.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Scenario reference\n\n\
         Every key of language version 1 that this version has, written from the schema; a test \
         compares. `NAME` stands for a name of your own. A key in bold may be left out together \
         with its braces: `crash: tertiary` is `crash: { target: tertiary }`. Where a word is \
         chosen, its options stand under it. Keys and words of the language that come with a later \
         version are listed as such; using one is an error.\n\n\
         `consim check FILE` prints every value of a scenario with its origin.\n\n",
    );
    out.push_str("| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
    let Shape::Record(top) = whole() else {
        return out;
    };
    out.push_str("| `base` | a file or `preset:NAME` | none | The scenario under this one: maps merge, everything else is replaced. |\n");
    out.push_str(
        "| `remove` | a list of paths | none | What is taken away from the base first. |\n",
    );
    let mut later = Vec::new();
    record(&mut out, &mut later, "", top);
    out.push_str("\n## Later\n\n");
    for (path, words) in later {
        let words: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
        let place = if path.is_empty() {
            "At the top".to_owned()
        } else {
            format!("`{path}`")
        };
        let _ = writeln!(out, "- {place}: {}", words.join(", "));
    }
    out
}

type Later = Vec<(String, &'static [&'static str])>;

fn record(out: &mut String, later: &mut Later, path: &str, record: &Record) {
    for field in &record.fields {
        let main = record.main == Some(field.name);
        row(out, later, path, field, main);
    }
    note_later(later, path, record.later);
}

fn note_later(later: &mut Later, path: &str, words: &'static [&'static str]) {
    if !words.is_empty() {
        later.push((path.to_owned(), words));
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn row(out: &mut String, later: &mut Later, path: &str, field: &Field, main: bool) {
    let here = join(path, field.name);
    let key = if main {
        format!("**`{here}`**")
    } else {
        format!("`{here}`")
    };
    let default = match field.default {
        Some("{}") => "as below".to_owned(),
        Some(text) => format!("`{text}`"),
        None => String::new(),
    };
    let help = field.help.trim();
    let _ = writeln!(
        out,
        "| {key} | {} | {default} | {help} |",
        form(&field.shape)
    );
    below(out, later, &here, &field.shape);
}

fn form(shape: &Shape) -> String {
    match shape {
        Shape::Scalar(form) => form.name.to_owned(),
        Shape::Any => "anything".into(),
        Shape::Record(_) => "a map".into(),
        Shape::Named(_) => "a map of names".into(),
        Shape::List(_) => "a list".into(),
        Shape::Paths(_) => "a map of paths".into(),
        Shape::Entry(_) => "common keys and one kind".into(),
        Shape::Choice(choice) => {
            let words: Vec<String> = choice
                .variants
                .iter()
                .map(|v| format!("`{}`", v.name))
                .collect();
            words.join(", ")
        }
    }
}

fn below(out: &mut String, later: &mut Later, path: &str, shape: &Shape) {
    match shape {
        Shape::Scalar(_) | Shape::Any | Shape::Paths(_) => {}
        Shape::Record(inner) => record(out, later, path, inner),
        Shape::Named(inner) => below(out, later, &join(path, "NAME"), inner),
        Shape::List(inner) => below(out, later, &join(path, "NUMBER"), inner),
        Shape::Choice(inner) => choice(out, later, path, inner),
        Shape::Entry(entry) => {
            record(out, later, path, &entry.common);
            choice(out, later, path, &entry.kinds);
        }
    }
}

fn choice(out: &mut String, later: &mut Later, path: &str, choice: &Choice) {
    for variant in &choice.variants {
        let here = join(path, variant.name);
        let main = choice.main == Some(variant.name);
        let key = if main {
            format!("**`{here}`**")
        } else {
            format!("`{here}`")
        };
        let code = if variant.code.is_empty() {
            String::new()
        } else {
            format!(" ({})", variant.code)
        };
        let _ = writeln!(
            out,
            "| {key} | {} | | {}{code} |",
            form(&variant.shape),
            variant.help.trim()
        );
        below(out, later, &here, &variant.shape);
    }
    note_later(later, path, choice.later);
}
