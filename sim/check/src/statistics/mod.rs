//! Statistics over the seeds of a study: intervals, paired differences, limits of counts, the
//! distance of two distributions.
//!
//! The unit is a run: an interval is over one value a seed, never over the samples inside a run,
//! which depend on each other. All numerics are here, on `libm` alone: `ln` and `exp` of the
//! platform differ in their last bit between machines, and results must not.

mod area;
mod batches;
mod beta;
mod bootstrap;
mod counts;
mod interval;
mod normal;
mod student;

#[cfg(test)]
mod tests;

pub use area::{area_between, histogram_steps};
pub use batches::{MIN_BATCHES, ratio_over_batches};
pub use beta::{beta_quantile, incomplete_beta};
pub use bootstrap::{RESAMPLES, bca, percentile, stream};
pub use counts::count_limits;
pub use interval::Interval;
pub use normal::{normal_cdf, normal_quantile};
pub use student::{mean, paired, student_cdf, student_quantile};

/// The confidence of intervals, if nothing else is said.
pub const CONFIDENCE: f64 = 0.95;

/// The root of a function that grows from `low` to `high`, to the last bit: halves until no number
/// lies between. A double has 2,098 halvings at most, all of which end.
fn bisect(mut low: f64, mut high: f64, below: impl Fn(f64) -> bool) -> f64 {
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return middle;
        }
        if below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
}
