//! HdrHistogram's percentile text format, as its plotters and `hdr-plot` read it.
//!
//! Values in milliseconds. The ladder of percentiles has five ticks a half distance to 100 %, as
//! in HdrHistogram's `outputPercentileDistribution`, but is walked with integers: the library's
//! own iterator leans on the platform's logarithm.

use hdrhistogram::Histogram;
use std::fmt::Write;

/// Ticks of the ladder in each half of what is left to 100 %.
const TICKS: u64 = 5;

/// The whole file.
pub(crate) fn percentiles(h: &Histogram<u64>) -> String {
    let mut out = String::from("       Value     Percentile TotalCount 1/(1-Percentile)\n\n");
    let mut recorded = h
        .iter_recorded()
        .scan(0_u64, |sum, step| {
            *sum += step.count_at_value();
            Some((step.value_iterated_to(), *sum))
        })
        .peekable();
    let total = h.len();
    // Writing to a string cannot fail.
    'ladder: for halvings in 0..60_u32 {
        let whole = (2 * TICKS) << halvings;
        for tick in 0..TICKS {
            let missing = 2 * TICKS - tick;
            let rank = rank(total, whole - missing, whole).max(1);
            while recorded.next_if(|&(_, sum)| sum < rank).is_some() {}
            let Some(&(value, sum)) = recorded.peek() else {
                break 'ladder;
            };
            if rank == total {
                break 'ladder;
            }
            let q = (whole - missing) as f64 / whole as f64;
            let _ = writeln!(
                out,
                "{:12.3} {q:2.12} {sum:10} {:14.2}",
                ms(value),
                whole as f64 / missing as f64
            );
        }
    }
    if total > 0 {
        let _ = writeln!(out, "{:12.3} {:2.12} {total:10}", ms(h.max()), 1.0);
    }
    let (mean, dev) = if total > 0 {
        (h.mean() / 1e3, h.stdev() / 1e3)
    } else {
        (0.0, 0.0)
    };
    let _ = writeln!(out, "#[Mean    = {mean:12.3}, StdDeviation   = {dev:12.3}]");
    let _ = writeln!(
        out,
        "#[Max     = {:12.3}, Total count    = {total:12}]",
        ms(h.max())
    );
    // The histogram's layout: buckets that double, each of a fixed number of sub-buckets.
    let sub_buckets = sub_buckets(h.sigfig());
    let mut buckets = 1_u32;
    let mut reach = sub_buckets;
    while reach <= h.high() && buckets < 64 {
        reach = reach.saturating_mul(2);
        buckets += 1;
    }
    let _ = writeln!(
        out,
        "#[Buckets = {buckets:12}, SubBuckets     = {sub_buckets:12}]"
    );
    out
}

/// The least power of two that tells `2 * 10^digits` values apart.
fn sub_buckets(digits: u8) -> u64 {
    (2 * 10_u64.saturating_pow(u32::from(digits))).next_power_of_two()
}

/// The rank of a quantile `num / den`, rounded up.
fn rank(total: u64, num: u64, den: u64) -> u64 {
    let rank = (u128::from(total) * u128::from(num)).div_ceil(u128::from(den));
    u64::try_from(rank).unwrap_or(u64::MAX)
}

fn ms(micros: u64) -> f64 {
    micros as f64 / 1e3
}

/// A file name for an operation: letters, digits, `-`, `_` and inner dots stay.
pub(crate) fn file_name(operation: &str) -> String {
    let name: String = operation
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') {
                c
            } else {
                '-'
            }
        })
        .take(80)
        .collect();
    let name = name.trim_matches(['.', '-']);
    if name.is_empty() {
        "operation".into()
    } else {
        name.into()
    }
}
