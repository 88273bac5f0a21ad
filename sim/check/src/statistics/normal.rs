//! The normal distribution.

use super::bisect;

/// The share of a standard normal distribution below `x` (NIST DLMF 7.17, by the complementary
/// error function, which keeps the digits of both tails).
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

/// The value below which a share `p` of a standard normal distribution lies; infinite at 0 and 1,
/// NaN outside of them.
pub fn normal_quantile(p: f64) -> f64 {
    if p.is_nan() || !(0.0..=1.0).contains(&p) {
        f64::NAN
    } else if p <= 0.0 {
        f64::NEG_INFINITY
    } else if p >= 1.0 {
        f64::INFINITY
    } else if p > 0.5 {
        // The lower tail has the digits.
        -normal_quantile(1.0 - p)
    } else {
        // Below -39 the distribution function is 0 in a double.
        bisect(-39.0, 0.0, |x| normal_cdf(x) < p)
    }
}
