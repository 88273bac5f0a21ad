//! Value types of scenarios, and the one parser of their texts. No YAML here.
//!
//! Integers inside: nanoseconds, bytes, bits per second, events per 10^9 seconds, parts per 10^9.
//! [`Value::text`] writes the shortest exact form that [`Value::parse`] reads back.

mod limit;
mod number;
mod quantity;
mod selector;
mod when;

pub use limit::{Expectation, Limit, LimitText, Measure};
pub use quantity::{
    BitRate, Bytes, Count, Degrees, Drift, Factor, MAX_NAME, Name, Offset, RESERVED, Rate, Ratio,
    Share, Switch,
};
pub use selector::{Counted, Pick, Quantity, Selector, Set, Word};
pub use when::{DateTime, Instant, Range};

use std::fmt;

/// The longest text of a value, in bytes.
pub const MAX_VALUE: usize = 256;

/// What is wrong with the text of a value, and what would be right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ValueError {
    /// The stable code of the mistake (`E101`).
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
    /// Which part of the text, in bytes; the whole if `None`.
    pub part: Option<std::ops::Range<usize>>,
}

impl ValueError {
    pub(crate) fn new(
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            code,
            message: message.into(),
            help: help.into(),
            part: None,
        }
    }
    pub(crate) fn at(mut self, part: std::ops::Range<usize>) -> Self {
        self.part = Some(part);
        self
    }
    /// The text is not of its form at all.
    pub fn form<T: Value>(text: &str) -> Self {
        Self::new(
            "E106",
            format!("`{text}` is not {}", T::FORM),
            format!("for example {}", T::EXAMPLES),
        )
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for ValueError {}

/// What a scalar can be taken for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bare {
    /// Always a text.
    Text,
    /// A text or a whole number.
    Whole,
    /// A text or a number.
    Number,
    /// A truth value.
    Switch,
    /// Anything: free text.
    Any,
}

/// A value that a scenario writes as one scalar.
pub trait Value: Sized {
    /// What it is, with its article (`a duration`).
    const FORM: &'static str;
    /// Some texts of it.
    const EXAMPLES: &'static str;
    /// All texts, of a closed list.
    const WORDS: &'static [&'static str] = &[];
    /// What readers of YAML without a schema take some texts for.
    const BARE: Bare = Bare::Text;
    /// A regular expression (ECMA-262) that every text matches as a whole; empty if there is none
    /// of use. It may let more pass than [`Self::parse`].
    fn pattern() -> String {
        String::new()
    }
    /// Reads it.
    fn parse(text: &str) -> Result<Self, ValueError>;
    /// Writes it in its one canonical form.
    fn text(&self) -> String;
}

impl Value for String {
    const FORM: &'static str = "a text";
    const EXAMPLES: &'static str = "a sentence";
    const BARE: Bare = Bare::Any;
    fn parse(text: &str) -> Result<Self, ValueError> {
        Ok(text.to_owned())
    }
    fn text(&self) -> String {
        self.clone()
    }
}

#[cfg(test)]
mod tests;
