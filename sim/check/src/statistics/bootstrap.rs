//! The bootstrap: intervals of any figure, out of the values alone.

use super::{Interval, normal_cdf, normal_quantile};
use consim_core::Streams;
use consim_core::rng::below;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng as _;

/// Resamples of an interval. With 2,000 its ends move by less than a tenth of its width from one
/// stream to another (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 14.5:
/// at least 1,000).
pub const RESAMPLES: usize = 2_000;

/// The random stream of an interval, by the name of its figure. It shares nothing with those of
/// runs: a further interval changes no run and no other interval.
pub fn stream(figure: &str) -> ChaCha12Rng {
    Streams::new(0).stream(&format!("statistics/{figure}"))
}

/// The figure of each resample of `values`, sorted. Draws are with replacement.
fn resampled<T: Copy>(
    values: &[T],
    figure: &impl Fn(&[T]) -> f64,
    rng: &mut ChaCha12Rng,
) -> Vec<f64> {
    let mut resample = values.to_vec();
    let mut figures: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            for slot in &mut resample {
                let i = below(rng.next_u64(), values.len() as u64) as usize;
                if let Some(value) = values.get(i) {
                    *slot = *value;
                }
            }
            figure(&resample)
        })
        .filter(|figure| figure.is_finite())
        .collect();
    figures.sort_by(f64::total_cmp);
    figures
}

/// The `share` quantile of sorted figures, between neighbours by proportion.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share.clamp(0.0, 1.0) * (sorted.len().saturating_sub(1)) as f64;
    let (below, part) = (place.floor(), place.fract());
    let at = |i: usize| sorted.get(i).copied().unwrap_or(f64::NAN);
    let low = at(below as usize);
    if part > 0.0 {
        low + part * (at(below as usize + 1) - low)
    } else {
        low
    }
}

/// The figure of `values` with an interval whose ends are `ends` of the figure and its sorted
/// resamples. `None` for no values; without ends for one.
fn interval<T: Copy, F: Fn(&[T]) -> f64>(
    values: &[T],
    figure: &F,
    rng: &mut ChaCha12Rng,
    ends: impl FnOnce(f64, &[f64]) -> (f64, f64),
) -> Option<Interval> {
    let n = values.len() as u64;
    let estimate = figure(values);
    match n {
        0 => return None,
        1 => return Some(Interval::bare(estimate, 1)),
        _ => {}
    }
    let (low, high) = ends(estimate, &resampled(values, figure, rng));
    Some(Interval {
        estimate,
        low,
        high,
        n,
    })
}

/// The figure of `values` with its percentile interval (Efron and Tibshirani, section 13.3).
/// `None` for no values; without ends for one.
pub fn percentile<T: Copy>(
    values: &[T],
    figure: impl Fn(&[T]) -> f64,
    confidence: f64,
    rng: &mut ChaCha12Rng,
) -> Option<Interval> {
    interval(values, &figure, rng, |_, figures| {
        let tail = (1.0 - confidence) / 2.0;
        (quantile(figures, tail), quantile(figures, 1.0 - tail))
    })
}

/// The same, corrected for bias and skew: BCa (B. Efron, "Better bootstrap confidence intervals",
/// JASA 82, 1987; Efron and Tibshirani, section 14.3, equations 14.9 to 14.15). Resamples that
/// equal the estimate count half to either side. Where all agree, there is nothing to correct, and
/// the ends are the percentiles.
pub fn bca<T: Copy>(
    values: &[T],
    figure: impl Fn(&[T]) -> f64,
    confidence: f64,
    rng: &mut ChaCha12Rng,
) -> Option<Interval> {
    interval(values, &figure, rng, |estimate, figures| {
        let of = figures.len() as f64;
        let under = figures.iter().filter(|f| **f < estimate).count() as f64;
        let over = figures.iter().filter(|f| **f > estimate).count() as f64;
        // Not quite 0 or 1, at which the correction would be infinite.
        let share = ((under + (of - under - over) / 2.0) / of).clamp(1.0 / of, 1.0 - 1.0 / of);
        let bias = normal_quantile(share);
        let skew = acceleration(values, &figure);
        let end = |p: f64| {
            let z = bias + normal_quantile(p);
            quantile(figures, normal_cdf(bias + z / (1.0 - skew * z)))
        };
        let tail = (1.0 - confidence) / 2.0;
        (end(tail), end(1.0 - tail))
    })
}

/// How the spread of the figure grows with it, by leaving out one value at a time (equation
/// 14.15); 0 if that changes nothing.
fn acceleration<T: Copy>(values: &[T], figure: &impl Fn(&[T]) -> f64) -> f64 {
    let mut rest: Vec<T> = Vec::with_capacity(values.len());
    let without: Vec<f64> = (0..values.len())
        .map(|left_out| {
            rest.clear();
            let others = values.iter().enumerate().filter(|(i, _)| *i != left_out);
            rest.extend(others.map(|(_, value)| *value));
            figure(&rest)
        })
        .collect();
    let mean = without.iter().sum::<f64>() / without.len() as f64;
    let (mut squares, mut cubes) = (0.0, 0.0);
    for figure in &without {
        let difference = mean - figure;
        squares += difference * difference;
        cubes += difference * difference * difference;
    }
    if squares > 0.0 {
        cubes / (6.0 * squares * squares.sqrt())
    } else {
        0.0
    }
}
