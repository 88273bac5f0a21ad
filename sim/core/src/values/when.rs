//! Instants, date-times and ranges.

use super::quantity::Name;
use super::{Bare, Value, ValueError};
use crate::Span;

/// A range, both ends included; a single value is a range of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range<T> {
    /// The least.
    pub low: T,
    /// The most.
    pub high: T,
}

impl<T: Value + PartialOrd + Clone> Value for Range<T> {
    const FORM: &'static str = T::FORM;
    const EXAMPLES: &'static str = T::EXAMPLES;
    const WORDS: &'static [&'static str] = T::WORDS;
    const BARE: Bare = T::BARE;
    fn pattern() -> String {
        match T::pattern().as_str() {
            "" => String::new(),
            one => format!("(?:{one})(?:\\.\\.(?:{one}))?"),
        }
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        let Some((low, high)) = text.split_once("..") else {
            let value = T::parse(text)?;
            return Ok(Self {
                low: value.clone(),
                high: value,
            });
        };
        let range = Self {
            low: T::parse(low).map_err(|e| e.at(0..low.len()))?,
            high: T::parse(high).map_err(|e| e.at(low.len() + 2..text.len()))?,
        };
        if range.low > range.high {
            return Err(ValueError::new(
                "E110",
                "a range begins with its smaller end",
                format!("{high}..{low}"),
            ));
        }
        Ok(range)
    }
    fn text(&self) -> String {
        if self.low == self.high {
            self.low.text()
        } else {
            format!("{}..{}", self.low.text(), self.high.text())
        }
    }
}

/// A calendar instant with its zone (RFC 3339).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DateTime {
    /// Nanoseconds after the Unix epoch.
    pub ns: i64,
    /// The zone, seconds east of UTC.
    pub zone_s: i32,
}

/// The pattern of a date-time with its zone.
const DATE_TIME: &str = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})";

const DAY_S: i64 = 86_400;

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar (Howard Hinnant,
/// "chrono-compatible low-level date algorithms", days_from_civil).
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date `days` after 1970-01-01: year, month, day (the same source, civil_from_days).
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// The digits of `text` at `range` as a number.
fn digits(text: &str, range: std::ops::Range<usize>) -> Option<i64> {
    let part = text.get(range)?;
    part.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| part.parse().ok())?
}

fn days_of(year: i64, month: i64) -> i64 {
    let next = if month == 12 {
        (year + 1, 1)
    } else {
        (year, month + 1)
    };
    days_from_civil(next.0, next.1, 1) - days_from_civil(year, month, 1)
}

impl DateTime {
    fn read(text: &str) -> Option<Self> {
        let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if !text.is_ascii()
            || separators
                .iter()
                .any(|&(at, c)| text.as_bytes().get(at) != Some(&c))
        {
            return None;
        }
        let [year, month, day] = [
            digits(text, 0..4)?,
            digits(text, 5..7)?,
            digits(text, 8..10)?,
        ];
        let [hour, minute, second] = [
            digits(text, 11..13)?,
            digits(text, 14..16)?,
            digits(text, 17..19)?,
        ];
        let date = (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
        if !date || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let zone_s = match text.get(19..)? {
            "Z" => 0,
            zone => {
                let sign = match zone.as_bytes().first()? {
                    b'+' => 1,
                    b'-' => -1,
                    _ => return None,
                };
                let (hours, minutes) = (digits(zone, 1..3)?, digits(zone, 4..6)?);
                let form = zone.len() == 6 && zone.as_bytes().get(3) == Some(&b':');
                if !form || hours > 14 || minutes > 59 {
                    return None;
                }
                sign * (hours * 3_600 + minutes * 60)
            }
        };
        let days = days_from_civil(year, month, day);
        let seconds = days * DAY_S + hour * 3_600 + minute * 60 + second - zone_s;
        Some(Self {
            ns: seconds.checked_mul(1_000_000_000)?,
            zone_s: zone_s as i32,
        })
    }
}

impl Value for DateTime {
    const FORM: &'static str = "a date-time with its zone";
    const EXAMPLES: &'static str = "2026-03-02T08:00:00+08:00";
    fn pattern() -> String {
        DATE_TIME.to_owned()
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        Self::read(text).ok_or_else(|| ValueError::form::<Self>(text))
    }
    fn text(&self) -> String {
        self.written("")
    }
}

impl DateTime {
    /// The text with all nine digits of its fraction of a second.
    pub fn to_the_nanosecond(&self) -> String {
        self.written(&format!(".{:09}", self.ns.rem_euclid(1_000_000_000)))
    }
    /// The text; `fraction` stands behind the second.
    fn written(&self, fraction: &str) -> String {
        let local = self.ns.div_euclid(1_000_000_000) + i64::from(self.zone_s);
        let (days, rest) = (local.div_euclid(DAY_S), local.rem_euclid(DAY_S));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
        let zone = match self.zone_s {
            0 => "Z".to_owned(),
            s => {
                let (sign, s) = (if s < 0 { '-' } else { '+' }, s.abs());
                format!("{sign}{:02}:{:02}", s / 3_600, s / 60 % 60)
            }
        };
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}")
    }
}

/// An instant of a run, as a scenario writes it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Debug)]
pub enum Instant {
    /// So long after the start of the run.
    After(Span),
    /// On the calendar.
    Calendar(DateTime),
    /// Relative to a fault or a change.
    Relative {
        /// Its name.
        name: Name,
        /// Its end instead of its start.
        end: bool,
        /// Later by this.
        plus: Span,
        /// Earlier by this.
        minus: Span,
    },
}

impl Value for Instant {
    const FORM: &'static str = "an instant";
    const EXAMPLES: &'static str =
        "10m, 2026-03-02T10:00:00+08:00, city-cut + 10s or end of city-cut";
    fn pattern() -> String {
        let (span, name) = (Span::pattern(), Name::pattern());
        let shift = format!("\\s+[+-]\\s+(?:{span})");
        format!("(?:{span})|{DATE_TIME}|(?:end\\s+of\\s+)?(?:{name})(?:{shift})?")
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        if text.as_bytes().get(4) == Some(&b'-') && text.contains('T') {
            return DateTime::parse(text).map(Self::Calendar);
        }
        if text.bytes().next().is_some_and(|b| b.is_ascii_digit()) {
            return Span::parse(text).map(Self::After);
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        let (end, rest) = match words.as_slice() {
            ["end", "of", rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let (name, plus, minus) = match rest {
            [name] => (name, Span::ZERO, Span::ZERO),
            [name, "+", length] => (name, Span::parse(length)?, Span::ZERO),
            [name, "-", length] => (name, Span::ZERO, Span::parse(length)?),
            _ => return Err(ValueError::form::<Self>(text)),
        };
        let Ok(name) = Name::parse(name) else {
            return Err(ValueError::form::<Self>(text));
        };
        Ok(Self::Relative {
            name,
            end,
            plus,
            minus,
        })
    }
    fn text(&self) -> String {
        match self {
            Self::After(span) => span.text(),
            Self::Calendar(at) => at.text(),
            Self::Relative {
                name,
                end,
                plus,
                minus,
            } => {
                let of = if *end { "end of " } else { "" };
                let shift = match (plus.is_zero(), minus.is_zero()) {
                    (false, _) => format!(" + {plus}"),
                    (true, false) => format!(" - {minus}"),
                    (true, true) => String::new(),
                };
                format!("{of}{}{shift}", name.0)
            }
        }
    }
}
