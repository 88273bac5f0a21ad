//! Limits: what an expectation demands of a metric.

use super::{Bytes, Count, Factor, Rate, Share, Value, ValueError};
use crate::Span;

/// What a metric counts: in which unit its limits are written and its values stand in
/// `outcome.metrics`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measure {
    /// Durations, in milliseconds.
    Millis,
    /// Durations, in seconds.
    Seconds,
    /// Events per second.
    PerSecond,
    /// Shares of one.
    Share,
    /// Whole numbers.
    Count,
    /// Sizes in bytes.
    Bytes,
}

impl Measure {
    /// Reads a value of this measure.
    pub fn value(self, text: &str) -> Result<f64, ValueError> {
        Ok(match self {
            Self::Millis => Span::parse(text)?.millis(),
            Self::Seconds => Span::parse(text)?.seconds(),
            Self::PerSecond => Rate::parse(text)?.0 as f64 / 1e9,
            Self::Share => f64::from(Share::parse(text)?.0) / 1e9,
            Self::Count => Count::parse(text)?.0 as f64,
            Self::Bytes => Bytes::parse(text)?.0 as f64,
        })
    }
    /// The canonical text of a value of this measure.
    fn canonical(self, text: &str) -> Result<String, ValueError> {
        Ok(match self {
            Self::Millis | Self::Seconds => Span::parse(text)?.text(),
            Self::PerSecond => Rate::parse(text)?.text(),
            Self::Share => Share::parse(text)?.text(),
            Self::Count => Count::parse(text)?.text(),
            Self::Bytes => Bytes::parse(text)?.text(),
        })
    }
}

/// A limit as written, before the measure of its metric is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LimitText(String);

/// Between a factor and the variant whose value it multiplies.
const THAT_OF: &str = " that of ";

/// The words that begin a limit, longest first.
const RELATIONS: [&str; 7] = [
    "at most ",
    "at least ",
    "below ",
    "above ",
    "exactly ",
    "between ",
    "within ",
];

impl Value for LimitText {
    const FORM: &'static str = "a limit";
    const EXAMPLES: &'static str =
        "at most 5s, at least 99%, between 1s and 2s or within 5% of 96.9k/s";
    fn pattern() -> String {
        let relations: Vec<&str> = RELATIONS.iter().map(|r| r.trim_end()).collect();
        format!("(?:{}) .+", relations.join("|"))
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        if RELATIONS.iter().any(|relation| text.starts_with(relation)) {
            let words: Vec<&str> = text.split_whitespace().collect();
            return Ok(Self(words.join(" ")));
        }
        let value = text.trim_start_matches(['<', '>', '=', ' ']);
        let help = match text.as_bytes() {
            [b'>', ..] => format!("at least {value} (or: above {value})"),
            [b'<', ..] => format!("at most {value} (or: below {value})"),
            [b'=', ..] => format!("exactly {value}"),
            _ => format!(
                "at most {value}, at least {value}, below, above, exactly, between A and B, or within 5% of {value}"
            ),
        };
        Err(ValueError::new("E105", "a limit is written in words", help))
    }
    fn text(&self) -> String {
        self.0.clone()
    }
}

impl LimitText {
    /// The variant that the limit is relative to (`at most 2x that of quiet-day`), and where its
    /// name stands in the text.
    pub fn variant(&self) -> Option<(&str, std::ops::Range<usize>)> {
        let at = self.0.find(THAT_OF)? + THAT_OF.len();
        Some((self.0.get(at..)?, at..self.0.len()))
    }

    /// The limit in the measure of its metric, and its canonical text. One relative to another
    /// variant holds factors of that variant's value.
    pub fn limit(&self, measure: Measure) -> Result<(Limit, String), ValueError> {
        let text = self.0.as_str();
        let one = |relation: &str| text.strip_prefix(relation);
        let value = |rest: &str| value_part(measure, text, rest);
        let simple = [
            ("at most ", Limit::AtMost as fn(f64) -> Limit),
            ("at least ", Limit::AtLeast),
            ("below ", Limit::Below),
            ("above ", Limit::Above),
            ("exactly ", Limit::Exactly),
        ];
        for (relation, limit) in simple {
            if let Some(rest) = one(relation) {
                let (value, canonical) = value(rest)?;
                return Ok((limit(value), format!("{relation}{canonical}")));
            }
        }
        if let Some((low, high)) = one("between ").and_then(|rest| rest.split_once(" and ")) {
            let ((a, low), (b, high)) = (
                measure_part(measure, text, low)?,
                measure_part(measure, text, high)?,
            );
            return Ok((Limit::Between(a, b), format!("between {low} and {high}")));
        }
        if let Some((share, of)) = one("within ").and_then(|rest| rest.split_once(" of ")) {
            let (within, share) = measure_part(Measure::Share, text, share)?;
            let (value, of) = value_part(measure, text, of)?;
            return Ok((
                Limit::Within(within, value),
                format!("within {share} of {of}"),
            ));
        }
        Err(ValueError::form::<Self>(text))
    }
}

/// A value, or a factor and the variant whose value it multiplies.
fn value_part(measure: Measure, text: &str, part: &str) -> Result<(f64, String), ValueError> {
    let Some((factor, variant)) = part.split_once(THAT_OF) else {
        return measure_part(measure, text, part);
    };
    let from = factor.as_ptr().addr() - text.as_ptr().addr();
    let factor = Factor::parse(factor).map_err(|e| e.at(from..from + factor.len()))?;
    let canonical = format!("{}{THAT_OF}{variant}", factor.text());
    Ok((f64::from(factor.0) / 1e3, canonical))
}

/// A value inside the text of a limit.
fn measure_part(measure: Measure, text: &str, part: &str) -> Result<(f64, String), ValueError> {
    let from = part.as_ptr().addr() - text.as_ptr().addr();
    let at = from..from + part.len();
    let canonical = measure.canonical(part).map_err(|e| e.at(at.clone()))?;
    Ok((measure.value(part).map_err(|e| e.at(at))?, canonical))
}

/// A limit. Values are in the unit of the metric in `outcome.metrics`: milliseconds, per second,
/// shares 0..1, counts.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Limit {
    /// `at most V`.
    AtMost(f64),
    /// `at least V`.
    AtLeast(f64),
    /// `below V`.
    Below(f64),
    /// `above V`.
    Above(f64),
    /// `exactly V`.
    Exactly(f64),
    /// `between A and B`, both included.
    Between(f64, f64),
    /// `within P of V`: share, value.
    Within(f64, f64),
}

impl Limit {
    /// Is it met by `value`?
    pub fn holds(&self, value: f64) -> bool {
        match *self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
            Self::Below(bound) => value < bound,
            Self::Above(bound) => value > bound,
            // The text of the limit and the metric are decimal numbers: compared as such.
            Self::Exactly(wanted) => (value - wanted).abs() <= wanted.abs() * 1e-12,
            Self::Between(least, most) => (least..=most).contains(&value),
            Self::Within(share, of) => (value - of).abs() <= share * of.abs(),
        }
    }
    /// A limit of factors in the measure of the value that they multiply.
    #[must_use]
    pub fn times(self, value: f64) -> Self {
        match self {
            Self::AtMost(x) => Self::AtMost(x * value),
            Self::AtLeast(x) => Self::AtLeast(x * value),
            Self::Below(x) => Self::Below(x * value),
            Self::Above(x) => Self::Above(x * value),
            Self::Exactly(x) => Self::Exactly(x * value),
            Self::Between(a, b) => Self::Between(a * value, b * value),
            Self::Within(share, x) => Self::Within(share, x * value),
        }
    }
    /// How far `value` is from the limit, as a share of the limit: positive on the good side. A
    /// limit of zero is measured in the metric's own unit.
    pub fn margin(&self, value: f64) -> f64 {
        let share = |distance: f64, of: f64| {
            if of == 0.0 {
                distance
            } else {
                distance / of.abs()
            }
        };
        match *self {
            Self::AtMost(most) | Self::Below(most) => share(most - value, most),
            Self::AtLeast(least) | Self::Above(least) => share(value - least, least),
            Self::Exactly(wanted) => -share((value - wanted).abs(), wanted),
            Self::Between(least, most) => {
                share(value - least, least).min(share(most - value, most))
            }
            Self::Within(within, of) => within - share((value - of).abs(), of),
        }
    }
}

/// A gate: a metric and what is expected of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Expectation {
    /// The metric's path.
    pub path: String,
    /// The limit as written.
    pub text: String,
    /// The limit.
    pub limit: Limit,
    /// The variant whose value of the same metric `limit` holds factors of.
    pub of: Option<String>,
}
