//! The interval of a share of time in one long run.

use super::{Interval, bca, stream};

/// The fewest batches of an interval. Fewer say too little of how batches differ (Law, 9.5.3,
/// advises 10 to 30 for batch means).
pub const MIN_BATCHES: usize = 10;

/// The share `sum of parts / sum of wholes` over batches of one run, such as days, with its BCa
/// interval by resampling whole batches. Within a batch anything may depend on anything; batches are
/// taken as independent, which days that begin in calm nearly are. Batches with nothing in their
/// whole say nothing and are left out. Without ends for fewer than [`MIN_BATCHES`]; `None` if no
/// batch says anything.
pub fn ratio_over_batches(
    batches: &[(f64, f64)],
    figure: &str,
    confidence: f64,
) -> Option<Interval> {
    let told: Vec<(f64, f64)> = batches.iter().copied().filter(|b| b.1 > 0.0).collect();
    let ratio = |batches: &[(f64, f64)]| {
        let part: f64 = batches.iter().map(|b| b.0).sum();
        let whole: f64 = batches.iter().map(|b| b.1).sum();
        part / whole
    };
    if told.is_empty() {
        return None;
    }
    if told.len() < MIN_BATCHES {
        return Some(Interval::bare(ratio(&told), told.len() as u64));
    }
    bca(&told, ratio, confidence, &mut stream(figure))
}
