//! Student's distribution, and the intervals of means that follow from it.

use super::{Interval, beta_quantile, incomplete_beta};

/// The share of Student's distribution with `freedom` degrees of freedom below `t` (NIST DLMF
/// 8.17 and Abramowitz and Stegun 26.7.1).
pub fn student_cdf(t: f64, freedom: f64) -> f64 {
    let tail = 0.5 * incomplete_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5);
    if t > 0.0 { 1.0 - tail } else { tail }
}

/// The value below which a share `p` of Student's distribution with `freedom` degrees of freedom
/// lies; NaN for what is no share or no distribution.
pub fn student_quantile(p: f64, freedom: f64) -> f64 {
    if p < 0.5 {
        return -student_quantile(1.0 - p, freedom);
    }
    // y = t^2 / (freedom + t^2): where it is small, it has the digits; where it is large, 1 - y has.
    let inside = 2.0 * p - 1.0;
    if inside < 0.5 {
        let y = beta_quantile(inside, 0.5, freedom / 2.0);
        (freedom * y / (1.0 - y)).sqrt()
    } else {
        let x = beta_quantile(2.0 * (1.0 - p), freedom / 2.0, 0.5);
        (freedom * (1.0 - x) / x).sqrt()
    }
}

/// The mean of independent values and its interval by Student's distribution: mean plus and minus
/// t(n-1) s / sqrt(n). One value has a mean without ends, none has nothing.
///
/// It covers what it says if the values are normal, and nearly so if they are many (Law, "Simulation
/// Modeling and Analysis", 5th edition, 4.5 and 9.4.1: independent replications).
pub fn mean(values: &[f64], confidence: f64) -> Option<Interval> {
    let n = values.len();
    if n == 0 {
        return None;
    }
    let of = n as f64;
    let mean = values.iter().sum::<f64>() / of;
    if n == 1 {
        return Some(Interval::bare(mean, 1));
    }
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    let error = (squares / (of - 1.0) / of).sqrt();
    let half = student_quantile(0.5 + confidence / 2.0, of - 1.0) * error;
    Some(Interval {
        estimate: mean,
        low: mean - half,
        high: mean + half,
        n: n as u64,
    })
}

/// The mean difference `b - a` of values that belong together, one pair a seed, and its interval.
///
/// Runs of one seed share their random numbers, so most of what makes seeds differ cancels (common
/// random numbers: Law, 11.2). `None` without pairs or for lists of different lengths.
pub fn paired(a: &[f64], b: &[f64], confidence: f64) -> Option<Interval> {
    if a.len() != b.len() {
        return None;
    }
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - a).collect();
    mean(&differences, confidence)
}
