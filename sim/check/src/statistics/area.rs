//! The distance of two distributions.

use hdrhistogram::Histogram;

/// The area between the distribution functions of two weighted samples, in their unit: how far a
/// value of the one has to be moved in the mean to make the other (the Wasserstein distance of order
/// 1). Of latencies with and without faults it is the sensitivity of Stabl (V. Gramoli et al., "Stabl:
/// The Sensitivity of Blockchains to Failures", Middleware 2025), which subtracts the areas under
/// the two: the same, where one lies above the other everywhere. NaN if one is empty.
pub fn area_between(a: &[(f64, u64)], b: &[(f64, u64)]) -> f64 {
    let total = |steps: &[(f64, u64)]| steps.iter().map(|(_, n)| n).sum::<u64>() as f64;
    let (of_a, of_b) = (total(a), total(b));
    if of_a == 0.0 || of_b == 0.0 {
        return f64::NAN;
    }
    let mut steps: Vec<(f64, f64)> = Vec::with_capacity(a.len() + b.len());
    steps.extend(a.iter().map(|&(value, n)| (value, n as f64 / of_a)));
    steps.extend(b.iter().map(|&(value, n)| (value, -(n as f64) / of_b)));
    steps.sort_by(|x, y| x.0.total_cmp(&y.0));
    let (mut area, mut difference) = (0.0, 0.0_f64);
    let mut last = steps.first().map_or(0.0, |step| step.0);
    for (value, step) in steps {
        area += difference.abs() * (value - last);
        difference += step;
        last = value;
    }
    area
}

/// The values of a histogram, each the middle of its bucket, and how many fell there.
pub fn histogram_steps(histogram: &Histogram<u64>) -> Vec<(f64, u64)> {
    histogram
        .iter_recorded()
        .map(|step| {
            let middle = histogram.median_equivalent(step.value_iterated_to());
            (middle as f64, step.count_since_last_iteration())
        })
        .collect()
}
