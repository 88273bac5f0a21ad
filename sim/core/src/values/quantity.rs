//! Durations, sizes, rates, shares and the other plain quantities.

use super::number::{Decimal, split, too_fine, with_unit};
use super::{Bare, Value, ValueError};
use crate::Span;

/// The pattern of a decimal number.
const NUMBER: &str = r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?";

/// A size in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Bytes(pub u64);

/// A bit rate in bits per second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct BitRate(pub u64);

/// A rate in events per 10^9 seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Rate(pub u64);

/// A whole number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Count(pub u64);

/// A share of one, in parts per 10^9.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Share(pub u32);

/// A factor, in parts per 1,000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Factor(pub u32);

/// A plain number, in parts per 1,000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ratio(pub u32);

/// An angle in millionths of a degree, with a sign.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Degrees(pub i32);

/// `true` or `false`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Switch(pub bool);

/// A duration with a sign, in nanoseconds: the offset of a clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Offset(pub i64);

/// A relative speed with a sign, in parts per 10^9: the drift of a clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Drift(pub i64);

/// A name that somebody gave to something: `[a-z][a-z0-9-]*`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Name(pub String);

/// The longest name.
pub const MAX_NAME: usize = 40;
/// Words of the selector grammar, which are no names.
pub const RESERVED: &[&str] = &[
    "all", "none", "any", "of", "in", "except", "random", "leader", "leaders", "f", "minority",
    "majority", "quorum", "tier", "region", "chain", "relay", "role", "site", "rest", "end",
];

/// Nanoseconds of a unit of time.
const TIME_UNITS: &[(&str, u128)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
    ("y", 31_536_000_000_000_000),
];
/// Bytes of a unit of size: decimal and binary, as IEC 80000-13 names them.
const SIZE_UNITS: &[(&str, u128)] = &[
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];
/// Bits per second of a unit of bit rate.
const BIT_RATE_UNITS: &[(&str, u128)] = &[
    ("bit/s", 1),
    ("kbit/s", 1_000),
    ("Mbit/s", 1_000_000),
    ("Gbit/s", 1_000_000_000),
];
/// Seconds of the period of a rate.
const PERIODS: &[(&str, u128)] = &[("/s", 1), ("/min", 60), ("/h", 3_600), ("/day", 86_400)];

fn narrow<T: Value>(text: &str, value: Option<u128>, unit: &str) -> Result<u64, ValueError> {
    value
        .and_then(|v| u64::try_from(v).ok())
        .ok_or_else(|| too_fine::<T>(text, unit))
}

impl Value for Span {
    const FORM: &'static str = "a duration";
    const EXAMPLES: &'static str = "500ms, 30s, 1h30m or 2d";
    fn pattern() -> String {
        format!("(?:{NUMBER}(?:ns|us|ms|s|m|h|d|w|y))+")
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        if Decimal::parse(text).is_some() {
            let help = if text == "0" {
                "0s".to_owned()
            } else {
                format!("{text}s, {text}m or {text}h?")
            };
            return Err(ValueError::new("E101", "a duration needs a unit", help));
        }
        let (mut rest, mut sum) = (text, 0u128);
        while !rest.is_empty() {
            let (number, tail) = split(rest);
            let end = tail
                .bytes()
                .position(|b| !b.is_ascii_alphabetic())
                .unwrap_or(tail.len());
            let (unit, next) = tail.split_at(end);
            let Some(decimal) = Decimal::parse(number).filter(|_| !unit.is_empty()) else {
                return Err(ValueError::form::<Self>(text));
            };
            let Some((_, size)) = TIME_UNITS.iter().find(|(name, _)| *name == unit) else {
                return Err(unknown_time_unit(number, unit));
            };
            let part = decimal.times(*size);
            sum += u128::from(narrow::<Self>(text, part, "nanosecond")?);
            rest = next;
        }
        if text.is_empty() {
            return Err(ValueError::form::<Self>(text));
        }
        narrow::<Self>(text, Some(sum), "nanosecond").map(Self::from_nanos)
    }
    fn text(&self) -> String {
        self.to_string()
    }
}

fn unknown_time_unit(number: &str, unit: &str) -> ValueError {
    let help = match unit {
        "M" | "min" | "mins" | "minute" | "minutes" => format!("minutes are `m`: {number}m"),
        "sec" | "secs" | "second" | "seconds" | "S" => format!("seconds are `s`: {number}s"),
        "H" | "hr" | "hrs" | "hour" | "hours" => format!("hours are `h`: {number}h"),
        "D" | "day" | "days" => format!("days are `d`: {number}d"),
        "msec" | "millis" | "MS" => format!("milliseconds are `ms`: {number}ms"),
        _ => "the units are ns, us, ms, s, m, h, d, w and y".to_owned(),
    };
    ValueError::new("E102", format!("`{unit}` is no unit of time"), help)
}

impl Value for Bytes {
    const FORM: &'static str = "a size";
    const EXAMPLES: &'static str = "512B, 2MB or 64KiB";
    fn pattern() -> String {
        format!("{NUMBER}(?:B|[kMGT]B|[KMGT]iB)")
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        if Decimal::parse(text).is_some() {
            let help = format!("{text}B, {text}kB or {text}MB?");
            return Err(ValueError::new("E101", "a size needs a unit", help));
        }
        let Some((number, unit)) = with_unit(text, SIZE_UNITS) else {
            return Err(bits_or_bytes(text, "B").unwrap_or_else(|| ValueError::form::<Self>(text)));
        };
        narrow::<Self>(text, number.times(unit), "byte").map(Self)
    }
    fn text(&self) -> String {
        coarsest(u128::from(self.0), SIZE_UNITS)
    }
}

impl Value for BitRate {
    const FORM: &'static str = "a bit rate";
    const EXAMPLES: &'static str = "10Mbit/s or 1.2GB/s";
    fn pattern() -> String {
        format!("{NUMBER}[kMGT]?bit/s|(?:{})/s", Bytes::pattern())
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        if let Some((number, unit)) = with_unit(text, BIT_RATE_UNITS) {
            return narrow::<Self>(text, number.times(unit), "bit per second").map(Self);
        }
        let bytes = text
            .strip_suffix("/s")
            .and_then(|size| with_unit(size, SIZE_UNITS));
        if let Some((number, unit)) = bytes {
            return narrow::<Self>(text, number.times(unit * 8), "bit per second").map(Self);
        }
        Err(bits_or_bytes(text, "B/s").unwrap_or_else(|| ValueError::form::<Self>(text)))
    }
    fn text(&self) -> String {
        coarsest(u128::from(self.0), BIT_RATE_UNITS)
    }
}

/// `10Mb`, `10Mbps` and the like: nobody can tell what is meant.
fn bits_or_bytes(text: &str, bytes: &str) -> Option<ValueError> {
    let (number, unit) = split(text);
    Decimal::parse(number)?;
    let prefix = ["k", "K", "M", "G", "T", ""].iter().find(|p| {
        ["b", "b/s", "bps", "Bps", "bit", "bits", "bit/sec"]
            .contains(&unit.strip_prefix(**p).unwrap_or("-"))
    })?;
    let prefix = if *prefix == "K" { "k" } else { prefix };
    Some(ValueError::new(
        "E103",
        "bits or bytes?",
        format!("{number}{prefix}bit/s for bits, {number}{prefix}{bytes} for bytes"),
    ))
}

/// The largest unit that leaves a whole number.
fn coarsest(value: u128, units: &[(&str, u128)]) -> String {
    let fits = |&&(_, size): &&(&str, u128)| value != 0 && value.is_multiple_of(size);
    // Of those that fit, the one with the shortest number; decimal before binary.
    let best = units.iter().filter(fits).max_by_key(|(_, size)| *size);
    match best.or_else(|| units.first()) {
        Some((unit, size)) => format!("{}{unit}", value / size),
        None => value.to_string(),
    }
}

impl Value for Rate {
    const FORM: &'static str = "a rate";
    const EXAMPLES: &'static str = "200/s, 2000/day or 100k/s";
    fn pattern() -> String {
        format!("{NUMBER}[kM]?/(?:s|min|h|day)")
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        let Some(slash) = text.find('/') else {
            if Decimal::parse(split(text).0).is_some() {
                let help = format!("{text}/s, {text}/h or {text}/day?");
                return Err(ValueError::new("E101", "a rate needs a period", help));
            }
            return Err(ValueError::form::<Self>(text));
        };
        let (number, period) = text.split_at(slash);
        let Some((_, seconds)) = PERIODS.iter().find(|(name, _)| *name == period) else {
            return Err(ValueError::new(
                "E102",
                format!("`{period}` is no period of a rate"),
                "the periods are /s, /min, /h and /day",
            ));
        };
        let (digits, suffix) = split(number);
        let scale = match suffix {
            "" => 1,
            "k" => 1_000,
            "M" => 1_000_000,
            _ => return Err(ValueError::form::<Self>(text)),
        };
        let Some(decimal) = Decimal::parse(digits) else {
            return Err(ValueError::form::<Self>(text));
        };
        let per_gs = decimal.times_rounded(scale * 1_000_000_000, *seconds);
        narrow::<Self>(text, per_gs, "event per 10^9 second").map(Self)
    }
    fn text(&self) -> String {
        // The whole number of a period that stands for this rate after rounding.
        let whole = PERIODS.iter().find_map(|(period, seconds)| {
            let n = (u128::from(self.0) * seconds + 500_000_000) / 1_000_000_000;
            let back = (n * 1_000_000_000 + seconds / 2) / seconds;
            (back == u128::from(self.0)).then(|| format!("{n}{period}"))
        });
        whole.unwrap_or_else(|| format!("{}/s", pointed(self.0, 9)))
    }
}

impl Value for Count {
    const FORM: &'static str = "a whole number";
    const EXAMPLES: &'static str = "8, 8k or 2M";
    const BARE: Bare = Bare::Whole;
    fn pattern() -> String {
        format!("{NUMBER}[kM]?")
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        let (number, suffix) = split(text);
        let unit = match suffix {
            "" => 1,
            "k" => 1_000,
            "M" => 1_000_000,
            _ => return Err(ValueError::form::<Self>(text)),
        };
        let Some(decimal) = Decimal::parse(number) else {
            return Err(ValueError::form::<Self>(text));
        };
        narrow::<Self>(text, decimal.times(unit), "whole number").map(Self)
    }
    fn text(&self) -> String {
        self.0.to_string()
    }
}

impl Value for Share {
    const FORM: &'static str = "a share";
    const EXAMPLES: &'static str = "5%, 0.1% or 40ppm";
    fn pattern() -> String {
        format!("{NUMBER}(?:%|ppm)")
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        if let Some(number) = Decimal::parse(text) {
            let percent = number.value() * 100.0;
            let help = if number.value() <= 1.0 {
                format!("{text} of all is {percent}%; {text}% is a hundredth of that")
            } else {
                format!("{text}%?")
            };
            return Err(ValueError::new("E104", "a share needs `%` or `ppm`", help));
        }
        let units = [("%", 10_000_000), ("ppm", 1_000)];
        let Some((number, unit)) = with_unit(text, &units) else {
            return Err(ValueError::form::<Self>(text));
        };
        let ppb = narrow::<Self>(text, number.times(unit), "part per 10^9")?;
        if ppb > 1_000_000_000 {
            return Err(ValueError::new(
                "E107",
                format!("{text} is more than all"),
                "a share is between 0% and 100%",
            ));
        }
        Ok(Self(ppb as u32))
    }
    fn text(&self) -> String {
        format!("{}%", pointed(u64::from(self.0), 7))
    }
}

impl Value for Factor {
    const FORM: &'static str = "a factor";
    const EXAMPLES: &'static str = "3x or 0.5x";
    fn pattern() -> String {
        format!("{NUMBER}x")
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        if Decimal::parse(text).is_some() {
            let help = format!("{text}x");
            return Err(ValueError::new("E101", "a factor needs its `x`", help));
        }
        let Some((number, unit)) = with_unit(text, &[("x", 1_000)]) else {
            return Err(ValueError::form::<Self>(text));
        };
        let permille = narrow::<Self>(text, number.times(unit), "thousandth")?;
        u32::try_from(permille)
            .map(Self)
            .map_err(|_| too_fine::<Self>(text, "thousandth"))
    }
    fn text(&self) -> String {
        format!("{}x", pointed(u64::from(self.0), 3))
    }
}

impl Value for Ratio {
    const FORM: &'static str = "a plain number";
    const EXAMPLES: &'static str = "1.6";
    const BARE: Bare = Bare::Number;
    fn pattern() -> String {
        NUMBER.to_owned()
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        let Some(number) = Decimal::parse(text) else {
            return Err(ValueError::form::<Self>(text));
        };
        let permille = narrow::<Self>(text, number.times(1_000), "thousandth")?;
        u32::try_from(permille)
            .map(Self)
            .map_err(|_| too_fine::<Self>(text, "thousandth"))
    }
    fn text(&self) -> String {
        pointed(u64::from(self.0), 3)
    }
}

impl Value for Degrees {
    const FORM: &'static str = "an angle in degrees";
    const EXAMPLES: &'static str = "23.12911 or -0.5";
    const BARE: Bare = Bare::Number;
    fn pattern() -> String {
        format!("-?{NUMBER}")
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        let (sign, size) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        let Some(number) = Decimal::parse(size) else {
            return Err(ValueError::form::<Self>(text));
        };
        let micro = narrow::<Self>(text, number.times(1_000_000), "millionth of a degree")?;
        if micro > 180_000_000 {
            return Err(ValueError::new(
                "E107",
                format!("{text} is more than half a turn"),
                "an angle is between -180 and 180 degrees",
            ));
        }
        Ok(Self(sign * micro as i32))
    }
    fn text(&self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        format!("{sign}{}", pointed(u64::from(self.0.unsigned_abs()), 6))
    }
}

/// `value / 10^digits` as a decimal number without trailing zeros.
fn pointed(value: u64, digits: u32) -> String {
    let scale = 10u64.pow(digits);
    let (whole, rest) = (value / scale, value % scale);
    if rest == 0 {
        return whole.to_string();
    }
    let rest = format!("{rest:0width$}", width = digits as usize);
    format!("{whole}.{}", rest.trim_end_matches('0'))
}

impl Value for Switch {
    const FORM: &'static str = "a switch";
    const EXAMPLES: &'static str = "true or false";
    const BARE: Bare = Bare::Switch;
    fn parse(text: &str) -> Result<Self, ValueError> {
        match text {
            "true" => Ok(Self(true)),
            "false" => Ok(Self(false)),
            _ => Err(ValueError::new(
                "E108",
                format!("`{text}` is no switch"),
                "a switch is `true` or `false`",
            )),
        }
    }
    fn text(&self) -> String {
        self.0.to_string()
    }
}

impl Value for Offset {
    const FORM: &'static str = "a duration with a sign";
    const EXAMPLES: &'static str = "10ms or -10ms";
    fn pattern() -> String {
        format!("-?(?:{})", Span::pattern())
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        let (sign, length) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        let span = Span::parse(length)?;
        i64::try_from(span.nanos())
            .map(|ns| Self(sign * ns))
            .map_err(|_| too_fine::<Self>(text, "nanosecond"))
    }
    fn text(&self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        format!("{sign}{}", Span::from_nanos(self.0.unsigned_abs()))
    }
}

impl Value for Drift {
    const FORM: &'static str = "a drift";
    const EXAMPLES: &'static str = "20ppm or -20ppm";
    fn pattern() -> String {
        format!("-?{NUMBER}(?:%|ppm)")
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        let (sign, size) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        Share::parse(size).map(|share| Self(sign * i64::from(share.0)))
    }
    fn text(&self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        format!("{sign}{}ppm", pointed(self.0.unsigned_abs(), 3))
    }
}

impl Value for Name {
    const FORM: &'static str = "a name";
    const EXAMPLES: &'static str = "city-cut or hospital2";
    fn pattern() -> String {
        format!("[a-z][a-z0-9-]{{0,{}}}", MAX_NAME - 1)
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        let form = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let wrong = |message: String, help: &str| Err(ValueError::new("E109", message, help));
        if !form {
            return wrong(
                format!("`{text}` is no name"),
                "a name is lower-case letters, digits and hyphens, a letter first",
            );
        }
        if text.len() > MAX_NAME {
            return wrong(
                format!("a name of {} characters", text.len()),
                "a name has at most 40 characters",
            );
        }
        if RESERVED.contains(&text) {
            return wrong(
                format!("`{text}` is a word of the selector grammar"),
                "another name, for example with a hyphen and a number",
            );
        }
        Ok(Self(text.to_owned()))
    }
    fn text(&self) -> String {
        self.0.clone()
    }
}
