//! An estimate with its interval.

use serde::{Deserialize, Serialize};

/// An estimate out of several values, and the interval around it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Interval {
    /// The estimate.
    pub estimate: f64,
    /// The lower end; NaN (`null` in a file) if the values are too few for one.
    #[serde(deserialize_with = "crate::outcome::nan_if_null")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub low: f64,
    /// The upper end, likewise.
    #[serde(deserialize_with = "crate::outcome::nan_if_null")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub high: f64,
    /// How many values it is of.
    pub n: u64,
}

impl Interval {
    /// One without ends: a single value says nothing of how far others may lie.
    pub(super) const fn bare(estimate: f64, n: u64) -> Self {
        Self {
            estimate,
            low: f64::NAN,
            high: f64::NAN,
            n,
        }
    }
    /// Has it ends?
    pub fn is_bounded(&self) -> bool {
        self.low.is_finite() && self.high.is_finite()
    }
    /// Does the interval hold `value`? Not without ends.
    pub fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}
