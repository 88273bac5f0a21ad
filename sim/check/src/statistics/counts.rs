//! Limits of a share that is known by counting.

use super::{Interval, beta_quantile};

/// The share `seen / of` and its exact two-sided limits (C. J. Clopper and E. S. Pearson, Biometrika
/// 26, 1934; by beta quantiles as in Brown, Cai and DasGupta, Statistical Science 16, 2001, section
/// 4.2.1). `None` for nothing, or more seen than there are.
///
/// What was never seen in 30 runs happens in at most 11.6 % of them: its limit is never 0.
pub fn count_limits(seen: u64, of: u64, confidence: f64) -> Option<Interval> {
    if of == 0 || seen > of {
        return None;
    }
    let tail = (1.0 - confidence) / 2.0;
    let (k, n) = (seen as f64, of as f64);
    let low = if seen == 0 {
        0.0
    } else {
        beta_quantile(tail, k, n - k + 1.0)
    };
    let high = if seen == of {
        1.0
    } else {
        beta_quantile(1.0 - tail, k + 1.0, n - k)
    };
    Some(Interval {
        estimate: k / n,
        low,
        high,
        n: of,
    })
}
