//! Times of FHIR R4: `date`, `dateTime` and `instant`, of any precision
//! (hl7.org/fhir/R4/datatypes.html).

#[cfg(test)]
mod tests;

const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

/// What a text means: from its first instant to the one after its last, nanoseconds after the Unix
/// epoch. A time of day is one instant. Times beyond 1677 and 2262 are cut to what 64 bits hold:
/// `9999-12-31` is written where no end is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Moment {
    /// The first instant.
    pub(super) first_ns: i64,
    /// The first instant after it; the same for a time of day.
    pub(super) after_ns: i64,
}

impl Moment {
    fn new(first: i128, length: i128) -> Self {
        let cut = |ns: i128| ns.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        Self {
            first_ns: cut(first),
            after_ns: cut(first + length),
        }
    }
}

/// Reads a time. A date without a zone is taken in UTC: it says no zone, and only the order and
/// the distance of dates matter here.
pub(super) fn moment(text: &str) -> Result<Moment, &'static str> {
    let mut scan = Scan(text.as_bytes());
    let year = scan.number(4, 1..=9999, "no year")?;
    let start_of = |year, month| days(year, month, 1) * DAY;
    if scan.end() {
        let first = start_of(year, 1);
        return Ok(Moment::new(first, start_of(year + 1, 1) - first));
    }
    scan.expect(b'-')?;
    let month = scan.number(2, 1..=12, "no month of the year")?;
    if scan.end() {
        let length = length_of_month(year, month);
        return Ok(Moment::new(start_of(year, month), i128::from(length) * DAY));
    }
    scan.expect(b'-')?;
    let last = length_of_month(year, month);
    let day = scan.number(2, 1..=last, "no day of the month")?;
    let date = days(year, month, day) * DAY;
    if scan.end() {
        return Ok(Moment::new(date, DAY));
    }
    scan.expect(b'T')?;
    let time = scan.time_of_day()?;
    if scan.end() {
        return Err("a time of day without its zone");
    }
    let east = scan.zone()?;
    if scan.end() {
        Ok(Moment::new(date + time - east, 0))
    } else {
        Err("more than a time")
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn length_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar. Years begin in March here, so that the
/// leap day is the last one (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days(year: i64, month: i64, day: i64) -> i128 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    i128::from(365 * year + leaps + of_year - 719_468)
}

/// What is left of a text.
struct Scan<'a>(&'a [u8]);

impl Scan<'_> {
    fn end(&self) -> bool {
        self.0.is_empty()
    }
    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }
    fn expect(&mut self, wanted: u8) -> Result<(), &'static str> {
        if self.next() == Some(wanted) {
            Ok(())
        } else {
            Err("not of the form YYYY-MM-DDThh:mm:ss+zz:zz")
        }
    }
    fn digit(&mut self) -> Option<i64> {
        let digit = self.0.first().filter(|b| b.is_ascii_digit())?;
        let value = i64::from(digit - b'0');
        self.next();
        Some(value)
    }
    fn number(
        &mut self,
        digits: usize,
        range: std::ops::RangeInclusive<i64>,
        otherwise: &'static str,
    ) -> Result<i64, &'static str> {
        (0..digits)
            .try_fold(0, |sum, _| Some(sum * 10 + self.digit()?))
            .filter(|n| range.contains(n))
            .ok_or(otherwise)
    }
    /// `hh:mm:ss` with a fraction or without. 60 is a leap second; 24:00 is not allowed (R4).
    /// What a fraction has beyond nanoseconds is dropped.
    fn time_of_day(&mut self) -> Result<i128, &'static str> {
        let hour = self.number(2, 0..=23, "no hour of the day")?;
        self.expect(b':')?;
        let minute = self.number(2, 0..=59, "no minute of the hour")?;
        self.expect(b':')?;
        let second = self.number(2, 0..=60, "no second of the minute")?;
        let mut fraction = 0;
        if self.0.first() == Some(&b'.') {
            self.next();
            let mut worth = SECOND / 10;
            fraction = i128::from(self.digit().ok_or("no digit after the point")?) * worth;
            while let Some(digit) = self.digit() {
                worth /= 10;
                fraction += i128::from(digit) * worth;
            }
        }
        Ok(i128::from((hour * 60 + minute) * 60 + second) * SECOND + fraction)
    }
    /// How far the zone is ahead of UTC.
    fn zone(&mut self) -> Result<i128, &'static str> {
        let sign = match self.next() {
            Some(b'Z') => return Ok(0),
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return Err("no zone"),
        };
        let hours = self.number(2, 0..=14, "no zone")?;
        self.expect(b':')?;
        let minutes = self.number(2, 0..=if hours == 14 { 0 } else { 59 }, "no zone")?;
        Ok(i128::from(sign * (hours * 60 + minutes) * 60) * SECOND)
    }
}
