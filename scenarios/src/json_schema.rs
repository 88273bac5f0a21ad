//! The JSON Schema of scenarios (draft 7, which editors read best), made from the schema itself.
//!
//! Choices are `anyOf` a word and an object with that word as its one key; entries demand exactly
//! one kind; short forms are `anyOf` the value of the main key and the whole map. A scenario on a
//! `base` may leave out what the base has, so what is required is said apart, for files without
//! one. Cross references (selectors, paths, names of chains) are beyond JSON Schema:
//! `consim check --format lsp` knows them.

use crate::library::LIBRARY;
use crate::schema::shape::{Choice, Entry, Field, Form, Lists, Record, Shape, Variant};
use crate::schema::whole;
use consim_core::values::{Bare, Name, RESERVED, Value as _};
use serde_json::{Map, Value, json};

/// A dotted path.
const PATH: &str = "^[a-z_][a-z0-9_-]*(\\.[A-Za-z0-9_@-]+)*$";

/// The schema as text, as it is committed.
pub fn text() -> String {
    let mut text = format!("{:#}", schema());
    text.push('\n');
    text
}

/// The schema.
pub fn schema() -> Value {
    let mut out = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "https://consim.dev/schema/consim-1.json",
        "title": "consim scenario, language version 1",
        "description": "Who takes part, where they are, what they run, what they do all day, what goes wrong, and what must hold.",
    });
    let whole = whole();
    let Shape::Record(record) = &whole else {
        return out;
    };
    let Value::Object(mut top) = of_record(record, false) else {
        return out;
    };
    if let Some(Value::Object(properties)) = top.get_mut("properties") {
        properties.insert(
            "consim".into(),
            json!({ "description": "Language version; the first key of a scenario.", "const": 1 }),
        );
        properties.insert("base".into(), base());
        properties.insert(
            "remove".into(),
            json!({
                "description": "What is taken away from the base first.",
                "type": "array",
                "items": { "type": "string", "pattern": PATH },
            }),
        );
    }
    top.insert("required".into(), json!(["consim"]));
    if let Some(demands) = demands(whole) {
        top.insert("if".into(), json!({ "not": { "required": ["base"] } }));
        top.insert("then".into(), demands);
    }
    if let Value::Object(map) = &mut out {
        map.extend(top);
    }
    out
}

fn base() -> Value {
    let presets: Vec<String> = LIBRARY
        .iter()
        .map(|entry| format!("preset:{}", entry.name))
        .collect();
    json!({
        "description": "The scenario under this one: maps merge key by key, everything else is replaced.",
        "anyOf": [
            { "title": "a preset", "enum": presets },
            { "title": "a file", "type": "string", "not": { "pattern": "^preset:" } },
        ],
    })
}

/// `strict`: what is required is demanded here, since it is replaced whole when laid over a base.
fn of(shape: &Shape, strict: bool) -> Value {
    match shape {
        Shape::Scalar(form) => of_form(form),
        Shape::Any => {
            json!({ "title": "a value of the key at this path", "not": { "type": "null" } })
        }
        Shape::Record(record) => of_record(record, strict),
        Shape::List(inner) => json!({ "type": "array", "items": of(inner, true) }),
        Shape::Named(inner) => json!({
            "type": "object",
            "propertyNames": { "pattern": whole_text(&Name::pattern()), "not": { "enum": RESERVED } },
            "additionalProperties": of(inner, strict),
        }),
        Shape::Paths(inner) => json!({
            "type": "object",
            "propertyNames": { "pattern": PATH },
            "additionalProperties": of(inner, true),
        }),
        Shape::Choice(choice) => of_choice(choice),
        Shape::Entry(entry) => of_entry(entry, strict),
    }
}

fn whole_text(pattern: &str) -> String {
    format!("^(?:{pattern})$")
}

fn of_form(form: &Form) -> Value {
    let mut one = Map::new();
    let title = form.name;
    if form.words.is_empty() {
        let kinds = match form.bare {
            Bare::Text => json!("string"),
            Bare::Whole => json!(["string", "integer"]),
            Bare::Number => json!(["string", "number"]),
            Bare::Switch => json!("boolean"),
            Bare::Any => json!(["string", "number", "boolean"]),
        };
        one.insert("type".into(), kinds);
        if !form.pattern.is_empty() {
            one.insert("pattern".into(), whole_text(&form.pattern).into());
        }
        if form.bare == Bare::Whole || form.bare == Bare::Number {
            // The number of a text that YAML took for one; signs are part of the text's form.
            if !form.pattern.starts_with('-') {
                one.insert("minimum".into(), 0.into());
            }
        }
        let examples = examples(form);
        if !examples.is_empty() && form.bare != Bare::Any {
            one.insert("examples".into(), examples.into());
        }
    } else if form.pattern.is_empty() {
        // A word that is a number is one for YAML.
        let numbers = form
            .words
            .iter()
            .filter_map(|word| word.parse::<u64>().ok());
        let numbers = numbers.map(Value::from);
        let words = form.words.iter().map(|&word| Value::from(word));
        one.insert("enum".into(), words.chain(numbers).collect());
    } else {
        let other = json!({ "type": "string", "pattern": whole_text(&form.pattern) });
        one.insert("anyOf".into(), json!([{ "enum": form.words }, other]));
    }
    let mut value = match form.list {
        Lists::No => Value::Object(one),
        Lists::Also => json!({
            "anyOf": [Value::Object(one.clone()), {
                "type": "array", "minItems": 1, "items": Value::Object(one),
            }],
        }),
        Lists::Only => json!({ "type": "array", "items": Value::Object(one) }),
        Lists::Pair => json!({
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "items": {
                "anyOf": [Value::Object(one.clone()), { "type": "array", "items": Value::Object(one) }],
            },
        }),
    };
    if let Value::Object(map) = &mut value {
        map.insert("title".into(), title.into());
    }
    value
}

/// The examples of a form, which are written as a sentence.
fn examples(form: &Form) -> Vec<String> {
    form.examples
        .split(", ")
        .flat_map(|part| part.split(" or "))
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .collect()
}

fn of_field(field: &Field, strict: bool) -> Value {
    let mut value = of(&field.shape, strict);
    if let Value::Object(map) = &mut value {
        map.insert("description".into(), described(field.help, field.since));
        if let Some(default) = field.default.and_then(default) {
            map.insert("default".into(), default);
        }
    }
    value
}

fn described(help: &str, since: &str) -> Value {
    format!("{} (since {since})", help.trim()).into()
}

/// A default's text as a value.
fn default(text: &str) -> Option<Value> {
    serde_yaml::from_str(text).ok()
}

fn of_record(record: &Record, strict: bool) -> Value {
    let properties: Map<String, Value> = record
        .fields
        .iter()
        .map(|field| (field.name.to_owned(), of_field(field, strict)))
        .collect();
    let mut object = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    let required = required(record);
    if let (Value::Object(map), true) = (&mut object, strict && !required.is_empty()) {
        map.insert("required".into(), required.into());
    }
    let Some(main) = record.main.and_then(|main| record.field(main)) else {
        return object;
    };
    // The main key alone is enough if nothing else is required.
    if record
        .fields
        .iter()
        .any(|f| f.required && f.name != main.name)
    {
        return object;
    }
    json!({ "anyOf": [short(&main.shape), object] })
}

fn required(record: &Record) -> Vec<&'static str> {
    record
        .fields
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name)
        .collect()
}

/// A value of the main key in place of the map: anything but a map.
fn short(shape: &Shape) -> Value {
    match shape {
        Shape::Scalar(form) => of_form(form),
        other => json!({ "not": { "type": "object" }, "allOf": [of(other, true)] }),
    }
}

/// May the name stand alone?
fn bare(variant: &Variant) -> bool {
    match &variant.shape {
        Shape::Record(record) => required(record).is_empty(),
        Shape::Named(_) | Shape::Paths(_) => true,
        _ => false,
    }
}

fn of_variant(variant: &Variant) -> Value {
    let mut value = of(&variant.shape, true);
    if let Value::Object(map) = &mut value {
        map.insert("description".into(), described(variant.help, variant.since));
    }
    value
}

fn of_choice(choice: &Choice) -> Value {
    let names: Vec<&str> = choice
        .variants
        .iter()
        .filter(|v| bare(v))
        .map(|v| v.name)
        .collect();
    let mut any = Vec::new();
    if !names.is_empty() {
        let explained: Vec<&str> = choice
            .variants
            .iter()
            .filter(|v| bare(v))
            .map(|v| v.help.trim())
            .collect();
        any.push(json!({ "title": "a name", "enum": names, "enumDescriptions": explained }));
    }
    any.extend(choice.variants.iter().map(|variant| {
        json!({
            "title": variant.name,
            "type": "object",
            "properties": { variant.name: of_variant(variant) },
            "required": [variant.name],
            "additionalProperties": false,
        })
    }));
    if let Some(main) = choice.main.and_then(|main| choice.variant(main)) {
        any.push(short(&main_value(&main.shape)));
    }
    json!({ "anyOf": any })
}

/// What a bare value of a choice stands for: the main key of its main variant, if that is a map.
fn main_value(shape: &Shape) -> Shape {
    match shape {
        Shape::Record(record) => match record.main.and_then(|main| record.field(main)) {
            Some(field) => main_value(&field.shape),
            None => Shape::Any,
        },
        Shape::Scalar(form) => Shape::Scalar(Form {
            pattern: form.pattern.clone(),
            words: form.words.clone(),
            ..*form
        }),
        _ => Shape::Any,
    }
}

fn of_entry(entry: &Entry, strict: bool) -> Value {
    let common = entry.common.fields.iter();
    let mut properties: Map<String, Value> = common
        .map(|field| (field.name.to_owned(), of_field(field, strict)))
        .collect();
    let kinds = &entry.kinds.variants;
    properties.extend(
        kinds
            .iter()
            .map(|kind| (kind.name.to_owned(), of_variant(kind))),
    );
    let each: Vec<Value> = kinds
        .iter()
        .map(|kind| json!({ "required": [kind.name] }))
        .collect();
    let mut one_of = each.clone();
    if !strict {
        one_of.push(json!({ "not": { "anyOf": each } }));
    }
    json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "oneOf": one_of,
        "defaultSnippets": snippets(entry),
    })
}

/// What an editor offers for an empty entry: each kind with the keys that it needs.
fn snippets(entry: &Entry) -> Vec<Value> {
    let snippet = |kind: &Variant| {
        let mut body = Map::new();
        // `at` and `for` of faults have no default either, though only one of two ends is needed.
        let wanted = |f: &&Field| f.required || (f.name == "for" && f.default.is_none());
        for field in entry.common.fields.iter().filter(wanted) {
            body.insert(field.name.into(), format!("${{{}}}", body.len() + 1).into());
        }
        body.insert(kind.name.into(), format!("${{{}}}", body.len() + 1).into());
        json!({ "label": kind.name, "description": kind.help.trim(), "body": body })
    };
    entry.kinds.variants.iter().map(snippet).collect()
}

/// What a file without a base must have, as far as a base could have it; `None` if nothing.
fn demands(shape: &Shape) -> Option<Value> {
    match shape {
        Shape::Record(record) => demands_of(record, Vec::new()),
        Shape::Named(inner) => Some(json!({ "additionalProperties": demands(inner)? })),
        Shape::Entry(entry) => {
            let kinds = entry.kinds.variants.iter();
            demands_of(
                &entry.common,
                kinds.map(|k| json!({ "required": [k.name] })).collect(),
            )
        }
        Shape::Scalar(_) | Shape::Any | Shape::List(_) | Shape::Paths(_) | Shape::Choice(_) => None,
    }
}

fn demands_of(record: &Record, kinds: Vec<Value>) -> Option<Value> {
    let mut out = Map::new();
    let required = required(record);
    if !required.is_empty() {
        out.insert("required".into(), required.into());
    }
    if !kinds.is_empty() {
        out.insert("oneOf".into(), kinds.into());
    }
    let inner: Map<String, Value> = record
        .fields
        .iter()
        .filter_map(|field| Some((field.name.to_owned(), demands(&field.shape)?)))
        .collect();
    if !inner.is_empty() {
        out.insert("properties".into(), inner.into());
    }
    if out.is_empty() {
        return None;
    }
    // Short forms are no maps and have what they need.
    Some(json!({ "if": { "type": "object" }, "then": out }))
}
