//! Distributions of durations, and samplers compiled from them. Transcendental functions come
//! from `libm`, so draws are the same on every machine; results are integer nanoseconds.

use crate::Span;
use crate::rng::{below, unit};
use std::sync::Arc;

/// A distribution of durations. All parameters are nanoseconds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Distribution {
    /// Always the same.
    Constant(Span),
    /// Evenly between the two, both included.
    Uniform {
        /// Least.
        from: Span,
        /// Most.
        to: Span,
    },
    /// Normal, cut off at zero.
    Normal {
        /// Mean.
        mean: Span,
        /// Standard deviation.
        sd: Span,
    },
    /// Log-normal by median and 99th percentile: what people measure.
    LogNormal {
        /// Half of the draws are below.
        median: Span,
        /// 99 % of the draws are below.
        p99: Span,
    },
    /// Exponential.
    Exponential {
        /// Mean.
        mean: Span,
    },
    /// Pareto (type I): the chance of more than `x` is `(least / x)^shape`. Heavy tails; the mean
    /// is finite only for a shape above 1, the variance above 2.
    Pareto {
        /// Least.
        least: Span,
        /// The shape, parts per 1,000.
        shape_permille: u32,
    },
    /// What was measured: each draw is one of the samples.
    Empirical(Arc<Samples>),
}

/// Measured durations with their counts, sorted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Samples {
    values: Box<[u64]>,
    /// How many samples are at most the value of the same place.
    up_to: Box<[u64]>,
}

impl Samples {
    /// Measured durations, each with how often it was seen; `None` if none was seen at all.
    pub fn new(samples: impl IntoIterator<Item = (Span, u32)>) -> Option<Self> {
        let mut sorted: Vec<(u64, u64)> = samples
            .into_iter()
            .filter(|&(_, count)| count > 0)
            .map(|(span, count)| (span.nanos(), u64::from(count)))
            .collect();
        sorted.sort_unstable();
        sorted.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        let mut total = 0u64;
        let up_to = sorted
            .iter()
            .map(|&(_, count)| {
                total += count;
                total
            })
            .collect();
        (total > 0).then(|| Self {
            values: sorted.iter().map(|&(value, _)| value).collect(),
            up_to,
        })
    }
    /// How many samples there are.
    pub fn count(&self) -> u64 {
        self.up_to.last().copied().unwrap_or(0)
    }
    /// The sample of rank `rank`, from 0.
    fn ranked(&self, rank: u64) -> u64 {
        let place = self.up_to.partition_point(|&up_to| up_to <= rank);
        let last = self.values.last().copied().unwrap_or(0);
        self.values.get(place).copied().unwrap_or(last)
    }
    fn mean(&self) -> u64 {
        let mut before = 0;
        let sum = self.values.iter().zip(&*self.up_to).map(|(&v, &up_to)| {
            let count = up_to - before;
            before = up_to;
            u128::from(v) * u128::from(count)
        });
        (sum.sum::<u128>() / u128::from(self.count().max(1))) as u64
    }
}

/// The 99th percentile of the standard normal distribution.
const Z99: f64 = 2.326_347_874_040_841;
/// Bits of a draw that name a cell of a quantile table.
const CELL_BITS: u32 = 10;
/// Cells of a quantile table.
const TABLE: usize = 1 << CELL_BITS;

/// The inverse of the standard normal distribution function (Acklam's rational approximation,
/// relative error below 1.15e-9), with `libm` for the tails.
pub fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_690e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
    ];
    let poly = |c: &[f64], x: f64| c.iter().fold(0.0, |acc, &k| acc * x + k);
    let p = p.clamp(1e-12, 1.0 - 1e-12);
    let tail = |q: f64| poly(&C, q) / (poly(&D, q) * q + 1.0);
    if p < 0.024_25 {
        tail(libm::sqrt(-2.0 * libm::log(p)))
    } else if p > 1.0 - 0.024_25 {
        -tail(libm::sqrt(-2.0 * libm::log(1.0 - p)))
    } else {
        let q = p - 0.5;
        let r = q * q;
        poly(&A, r) * q / (poly(&B, r) * r + 1.0)
    }
}

impl Distribution {
    /// The duration below which a share `p` of the draws lies.
    pub fn quantile(&self, p: f64) -> Span {
        let ns = match *self {
            Self::Constant(span) => return span,
            Self::Empirical(ref samples) => {
                let rank = p.clamp(0.0, 1.0) * samples.count() as f64;
                return Span::from_nanos(samples.ranked(rank as u64));
            }
            Self::Pareto {
                least,
                shape_permille,
            } => {
                let shape = f64::from(shape_permille.max(1)) / 1_000.0;
                let above = (1.0 - p).max(1e-12);
                least.nanos() as f64 * libm::pow(above, -1.0 / shape)
            }
            Self::Uniform { from, to } => {
                let width = to.nanos().saturating_sub(from.nanos()) as f64;
                from.nanos() as f64 + width * p
            }
            Self::Normal { mean, sd } => {
                mean.nanos() as f64 + sd.nanos() as f64 * normal_quantile(p)
            }
            Self::LogNormal { median, p99 } => {
                let m = median.nanos().max(1) as f64;
                let sigma = libm::log(p99.nanos().max(1) as f64 / m) / Z99;
                m * libm::exp(sigma * normal_quantile(p))
            }
            Self::Exponential { mean } => -(mean.nanos() as f64) * libm::log1p(-p.min(1.0 - 1e-12)),
        };
        Span::from_nanos(libm::round(ns.max(0.0)) as u64)
    }
    /// The mean, for predictions and reports.
    pub fn mean(&self) -> Span {
        match *self {
            Self::Constant(span)
            | Self::Exponential { mean: span }
            | Self::Normal { mean: span, .. } => span,
            Self::Uniform { from, to } => Span::from_nanos(from.nanos() / 2 + to.nanos() / 2),
            Self::LogNormal { median, p99 } => {
                let m = median.nanos().max(1) as f64;
                let sigma = libm::log(p99.nanos().max(1) as f64 / m) / Z99;
                Span::from_nanos(libm::round(m * libm::exp(sigma * sigma / 2.0)) as u64)
            }
            // Infinite for a shape of at most 1.
            Self::Pareto { shape_permille, .. } if shape_permille <= 1_000 => Span::MAX,
            Self::Pareto {
                least,
                shape_permille,
            } => {
                let shape = f64::from(shape_permille) / 1_000.0;
                let mean = least.nanos() as f64 * shape / (shape - 1.0);
                Span::from_nanos(libm::round(mean) as u64)
            }
            Self::Empirical(ref samples) => Span::from_nanos(samples.mean()),
        }
    }
    /// Compiles a sampler.
    pub fn sampler(&self) -> Sampler {
        match *self {
            Self::Constant(span) => Sampler::Constant(span.nanos()),
            Self::Uniform { from, to } => Sampler::Uniform {
                from: from.nanos(),
                width: to.nanos().saturating_sub(from.nanos()).saturating_add(1),
            },
            Self::Exponential { .. } | Self::Pareto { .. } => {
                Sampler::Exact(Box::new(self.clone()))
            }
            Self::Empirical(ref samples) => Sampler::Samples(Arc::clone(samples)),
            Self::Normal { .. } | Self::LogNormal { .. } => {
                // Cell edges from 1/4096 to 1 - 1/4096: draws beyond are taken at the edge of the table,
                // which cuts a log-normal at its 99.98th percentile. Reports state the tables.
                let lo = 1.0 / 4096.0;
                let step = (1.0 - 2.0 * lo) / TABLE as f64;
                let edges = |i: usize| self.quantile(lo + step * i as f64).nanos();
                if (0..=TABLE).all(|i| u32::try_from(edges(i)).is_ok()) {
                    let edges = |i| edges(i) as u32;
                    Sampler::Table(Box::new(std::array::from_fn(edges)))
                } else {
                    Sampler::Long(Box::new(std::array::from_fn(edges)))
                }
            }
        }
    }
}

/// Turns 64 random bits into a duration. Equal bits give equal durations on every machine.
#[derive(Clone, Debug)]
pub enum Sampler {
    /// Always the same nanoseconds.
    Constant(u64),
    /// `from + 0..width`.
    Uniform {
        /// Least nanoseconds.
        from: u64,
        /// How many values.
        width: u64,
    },
    /// Quantile table with integer interpolation; of durations below 4.3 s, so that the tables of a
    /// region fit into the first-level cache.
    Table(Box<[u32; TABLE + 1]>),
    /// The same of longer ones.
    Long(Box<[u64; TABLE + 1]>),
    /// By the exact quantile function. Boxed: its size must not be that of all, nor its tag in the way.
    Exact(Box<Distribution>),
    /// One of what was measured.
    Samples(Arc<Samples>),
}

/// The value at `bits` of a quantile table with these edges around it.
#[inline]
fn between(low: u64, high: u64, bits: u64) -> Span {
    // Saturating: a 99th percentile below the median gives falling edges.
    let width = high.saturating_sub(low).saturating_add(1);
    Span::from_nanos(low + below(bits << CELL_BITS, width))
}

impl Sampler {
    /// The duration that `bits` stand for.
    #[inline]
    pub fn sample(&self, bits: u64) -> Span {
        self.sample_with(|| bits)
    }
    /// The same of bits that are made only if the duration varies.
    #[expect(
        clippy::inline_always,
        reason = "docs/performance.md: a fifth of a message"
    )]
    #[inline(always)]
    pub fn sample_with(&self, bits: impl FnOnce() -> u64) -> Span {
        match self {
            Self::Table(edges) => {
                let bits = bits();
                let cell = (bits >> (64 - CELL_BITS)) as usize;
                between(edges[cell].into(), edges[cell + 1].into(), bits)
            }
            Self::Constant(ns) => Span::from_nanos(*ns),
            other => other.sample_rarely(bits()),
        }
    }
    /// What is asked for less often, kept out of the way of what is.
    #[inline(never)]
    fn sample_rarely(&self, bits: u64) -> Span {
        match self {
            Self::Uniform { from, width } => Span::from_nanos(from + below(bits, *width)),
            Self::Long(edges) => {
                let cell = (bits >> (64 - CELL_BITS)) as usize;
                between(edges[cell], edges[cell + 1], bits)
            }
            Self::Exact(distribution) => distribution.quantile(unit(bits)),
            Self::Samples(samples) => {
                Span::from_nanos(samples.ranked(below(bits, samples.count())))
            }
            Self::Constant(_) | Self::Table(_) => self.sample(bits),
        }
    }
}

#[cfg(test)]
mod tests;
