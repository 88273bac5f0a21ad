//! Reading JSON with the path of what is wrong, and bodies as they came.
//!
//! Typed decoding by serde names a line and a column; whoever mends a bundle of 400 KB looks for
//! the JSON path. So the few fields that matter are read by small functions over
//! `serde_json::Value`, and a defect collects its path on the way out.

use serde_json::Value;

/// What is wrong, and where below the value that was read (`.subject.reference`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Defect {
    /// The path, beginning with `.` or `[` unless it is empty.
    pub(super) path: String,
    /// What is wrong there.
    pub(super) reason: String,
}

/// What was read, or what is wrong with it.
pub(super) type Reading<T> = Result<T, Defect>;

impl Defect {
    /// A defect of the value that is being read.
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            reason: reason.into(),
        }
    }
    /// The same, seen from a value that holds this one at `step`.
    pub(super) fn below(mut self, step: &str) -> Self {
        self.path.insert_str(0, step);
        self
    }
}

/// The field of an object, if it is there (in FHIR `null` stands for nothing).
pub(super) fn field<'v, T>(
    object: &'v Value,
    name: &str,
    read: impl FnOnce(&'v Value) -> Reading<T>,
) -> Reading<Option<T>> {
    match object.as_object() {
        None => Err(Defect::new("not an object")),
        Some(map) => match map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(value)
                .map(Some)
                .map_err(|defect| defect.below(&format!(".{name}"))),
        },
    }
}

/// The elements of the list in a field; none if the field is absent.
pub(super) fn list<'v, T>(
    object: &'v Value,
    name: &str,
    read: impl Fn(&'v Value) -> Reading<T>,
) -> Reading<Vec<T>> {
    let elements = |value: &'v Value| {
        let elements = value.as_array().ok_or_else(|| Defect::new("not a list"))?;
        let numbered = elements.iter().enumerate();
        numbered
            .map(|(i, element)| read(element).map_err(|defect| defect.below(&format!("[{i}]"))))
            .collect()
    };
    Ok(field(object, name, elements)?.unwrap_or_default())
}

/// Text.
pub(super) fn text(value: &Value) -> Reading<&str> {
    value.as_str().ok_or_else(|| Defect::new("not text"))
}

/// The text in a field that may hold other things in other kinds of resources.
pub(super) fn text_at<'v>(object: &'v Value, name: &str) -> Option<&'v str> {
    object.get(name).and_then(Value::as_str)
}

/// The codes of a `CodeableConcept` that are of the system, or of none.
pub(super) fn codes<'v>(concept: &'v Value, system: &str) -> Reading<Vec<&'v str>> {
    let codings = list(concept, "coding", |coding| {
        Ok((field(coding, "system", text)?, field(coding, "code", text)?))
    })?;
    let of_system = codings
        .into_iter()
        .filter(|(its, _)| its.is_none_or(|its| its == system));
    Ok(of_system.filter_map(|(_, code)| code).collect())
}

/// Valid JSON without the white space between its tokens. Keys keep their order, and numbers and
/// strings their very text: FHIR makes `1.0` and `1.00` different decimals, and a signature or a
/// digest over a resource must not depend on who read it.
pub(super) fn compact(json: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for &byte in json.as_bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte == b'"' {
            in_string = true;
        } else if byte.is_ascii_whitespace() {
            continue;
        }
        out.push(byte);
    }
    out
}
