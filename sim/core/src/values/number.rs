//! Decimal numbers and their units, exactly.

use super::{Value, ValueError};

/// The most digits that a number may have; 10^18 fits every unit.
const MAX_DIGITS: usize = 18;

/// A decimal number without a sign: `mantissa / 10^decimals`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Decimal {
    mantissa: u128,
    decimals: u32,
}

impl Decimal {
    /// Reads digits with at most one point between them. Underscores, exponents, other bases,
    /// signs and leading zeros are not part of the language.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = match text.split_once('.') {
            Some((_, "")) => return None,
            Some((whole, fraction)) => (whole, fraction),
            None => (text, ""),
        };
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty()
            || !digits(whole)
            || !digits(fraction)
            || leading_zero
            || whole.len() + fraction.len() > MAX_DIGITS
        {
            return None;
        }
        Some(Self {
            mantissa: format!("{whole}{fraction}").parse().ok()?,
            decimals: fraction.len() as u32,
        })
    }
    /// This number of units of size `unit`; `None` if that is no whole number.
    pub(super) fn times(self, unit: u128) -> Option<u128> {
        let scale = 10u128.checked_pow(self.decimals)?;
        let product = self.mantissa.checked_mul(unit)?;
        product.is_multiple_of(scale).then_some(product / scale)
    }
    /// This number of units of size `unit / by`, rounded to the nearest whole.
    pub(super) fn times_rounded(self, unit: u128, by: u128) -> Option<u128> {
        let scale = 10u128.checked_pow(self.decimals)?.checked_mul(by)?;
        let product = self.mantissa.checked_mul(unit)?;
        product.checked_add(scale / 2).map(|sum| sum / scale)
    }
    pub(super) fn value(self) -> f64 {
        // Two exactly representable numbers and one correctly rounded division.
        let scale = (0..self.decimals).fold(1u64, |scale, _| scale.saturating_mul(10));
        self.mantissa as f64 / scale as f64
    }
}

/// Splits a text into its leading number and the rest.
pub(super) fn split(text: &str) -> (&str, &str) {
    let end = text
        .bytes()
        .position(|b| !(b.is_ascii_digit() || b == b'.'))
        .unwrap_or(text.len());
    // A range's dots do not belong to its first number.
    let end = text.find("..").map_or(end, |dots| dots.min(end));
    text.split_at(end)
}

/// Reads `NUMBER UNIT` (without a space) with one of `units`; `None` where the form is another.
pub(super) fn with_unit<'a>(text: &str, units: &'a [(&'a str, u128)]) -> Option<(Decimal, u128)> {
    let (number, rest) = split(text);
    let (_, size) = units.iter().find(|(unit, _)| *unit == rest)?;
    Some((Decimal::parse(number)?, *size))
}

/// A number that its unit cannot hold exactly.
pub(super) fn too_fine<T: Value>(text: &str, unit: &str) -> ValueError {
    ValueError::new(
        "E107",
        format!("`{text}` is finer than {unit} or out of range"),
        format!("{} is a whole number of {unit}s", T::FORM),
    )
}
