//! `outcome.json`: the outcome with its keys in their order and its numbers rounded.

use crate::files::ReportError;
use consim_check::outcome::Outcome;
use consim_check::results::Results;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};
use std::io;

/// `outcome.json` as text: two spaces of indent, keys in the order of the schema, numbers with
/// six significant digits (digits before the point always stay; what is not a number is `null`),
/// a newline at the end.
pub fn outcome_json(outcome: &Outcome) -> Result<String, ReportError> {
    pretty(outcome)
}

/// Any value in the same form.
pub(crate) fn pretty<T: Serialize>(value: &T) -> Result<String, ReportError> {
    let mut out = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut out, Rounded(PrettyFormatter::new()));
    value.serialize(&mut serializer)?;
    out.push(b'\n');
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// `results.json`: everything that the report is made of, numbers in full, in one line.
pub(crate) fn results_json(results: &Results) -> Result<String, ReportError> {
    Ok(serde_json::to_string(results)? + "\n")
}

/// What [`results_json`] wrote.
pub(crate) fn results(text: &str) -> Result<Results, serde_json::Error> {
    serde_json::from_str(text)
}

/// Any value in one line with the same rounding.
pub(crate) fn compact<T: Serialize>(value: &T) -> Result<String, ReportError> {
    let mut out = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut out, Rounded(CompactFormatter));
    value.serialize(&mut serializer)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Six significant digits; digits before the point always stay, and there is no minus zero.
pub(crate) fn round(x: f64) -> f64 {
    if !x.is_finite() || x == 0.0 {
        return if x == 0.0 { 0.0 } else { x };
    }
    let text = if x.abs() >= 1e5 {
        format!("{x:.0}")
    } else {
        format!("{x:.5e}")
    };
    text.parse().unwrap_or(x)
}

/// Another formatter whose floats are rounded.
struct Rounded<F>(F);

macro_rules! pass_on {
    ($($name:ident($($arg:ident: $type:ty),*);)*) => {$(
        fn $name<W: ?Sized + io::Write>(&mut self, writer: &mut W, $($arg: $type),*) -> io::Result<()> {
            self.0.$name(writer, $($arg),*)
        }
    )*};
}

impl<F: Formatter> Formatter for Rounded<F> {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        self.0.write_f64(writer, round(value))
    }

    pass_on! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        begin_object_value();
        end_object_value();
    }
}
