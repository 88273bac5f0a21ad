//! Limits: what an expectation demands of a metric.

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
}

#[cfg(test)]
mod tests {
    use super::Limit;

    #[test]
    fn limits_hold_on_their_good_side() {
        let cases = [
            (Limit::AtMost(5.0), 5.0, 5.1, 0.0),
            (Limit::AtLeast(0.95), 0.95, 0.94, 0.0),
            (Limit::Below(5.0), 4.0, 5.0, 0.2),
            (Limit::Above(4.0), 5.0, 4.0, 0.25),
            (Limit::Exactly(3.0), 3.0, 3.1, 0.0),
            (Limit::Exactly(0.0), 0.0, 1.0, 0.0),
            (Limit::Between(2.0, 4.0), 4.0, 4.1, 0.0),
            (Limit::Within(0.05, 100.0), 104.0, 106.0, 0.01),
        ];
        for (limit, good, bad, margin) in cases {
            assert!(limit.holds(good), "{limit:?} {good}");
            assert!(!limit.holds(bad), "{limit:?} {bad}");
            assert!((limit.margin(good) - margin).abs() < 1e-9, "{limit:?}");
            assert!(limit.margin(bad) <= 0.0, "{limit:?} {bad}");
        }
    }
}
