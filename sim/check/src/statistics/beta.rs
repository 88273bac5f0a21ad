//! The beta distribution.

use super::bisect;

/// Terms of the continued fraction; it needs in the order of the root of the larger parameter.
const MAX_TERMS: u32 = 100_000;
/// Stands for zero where the fraction would divide by it (Lentz's method).
const TINY: f64 = 1e-300;

/// The regularised incomplete beta function I_x(a, b): the share of a beta distribution below `x`.
///
/// The continued fraction of NIST DLMF 8.17.22 by the modified method of Lentz (W. J. Lentz, Applied
/// Optics 15, 1976; I. J. Thompson and A. R. Barnett, J. Comput. Phys. 64, 1986), with the symmetry
/// DLMF 8.17.4 where it converges faster. NaN unless `a` and `b` are above 0 and `x` is a share.
pub fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x.is_nan() || !(0.0..=1.0).contains(&x) || !(a > 0.0 && b > 0.0) {
        return f64::NAN;
    }
    if x <= 0.0 || x >= 1.0 {
        return x;
    }
    let front = libm::exp(
        libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b)
            + a * libm::log(x)
            + b * libm::log1p(-x),
    );
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(x, a, b) / a
    } else {
        1.0 - front * fraction(1.0 - x, b, a) / b
    }
}

fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut sum = d;
    for m in 1..=MAX_TERMS {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut step = 1.0;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            step = c * d;
            sum *= step;
        }
        if (step - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    sum
}

/// The value below which a share `p` of a beta distribution lies; NaN for what is no share or no
/// distribution.
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    if p.is_nan() || !(0.0..=1.0).contains(&p) || !(a > 0.0 && b > 0.0) {
        return f64::NAN;
    }
    if p <= 0.0 || p >= 1.0 {
        return p;
    }
    bisect(0.0, 1.0, |x| incomplete_beta(x, a, b) < p)
}
