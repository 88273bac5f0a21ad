//! Distributions of durations.

use super::decode::{At, Cx, Decode};
use super::macros::{choice, record};
use super::shape::Shape;
use crate::csv;
use crate::profiles;
use crate::tree::Node;
use consim_core::values::Ratio;
use consim_core::{Distribution, Samples, Span};
use std::sync::Arc;

choice! {
    /// A distribution of durations.
    pub enum Delay: "distribution" {
        /// Always the same.
        Constant(Constant) = "constant",
        /// Evenly between two.
        Uniform(UniformDelay) = "uniform",
        /// Normal, cut off at zero.
        Normal(NormalDelay) = "normal",
        /// Log-normal by median and 99th percentile.
        LogNormal(LogNormalDelay) = "log-normal",
        /// Exponential.
        Exponential(ExponentialDelay) = "exponential",
        /// Pareto: heavy tails.
        Pareto(ParetoDelay) = "pareto",
        /// What was measured: each draw is a line of a file.
        Table(TableDelay) = "table",
    }
    main "constant";
}

/// A constant duration; a range is refused, since it would be drawn once.
#[derive(Clone, Debug)]
pub(crate) struct Constant(At<Span>);

impl Decode for Constant {
    fn shape() -> Shape {
        At::<Span>::shape()
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        if let Some((from, to)) = node.scalar().and_then(|text| text.split_once("..")) {
            cx.error(
                "E112",
                &node.place,
                "a distribution is no range: it is drawn for every message",
                format!("{{ uniform: {{ from: {from}, to: {to} }} }}"),
            );
            return None;
        }
        At::decode(cx, node).map(Self)
    }
}

record! {
    /// `uniform`.
    pub struct UniformDelay {
        /// Least.
        from: At<Span>,
        /// Most.
        to: At<Span>,
    }
}

record! {
    /// `normal`.
    pub struct NormalDelay {
        /// Mean.
        mean: At<Span>,
        /// Standard deviation.
        sd: At<Span>,
    }
}

record! {
    /// `log-normal`.
    pub struct LogNormalDelay {
        /// Half of the draws are below.
        median: At<Span>,
        /// 99 % of the draws are below.
        p99: At<Span>,
    }
}

record! {
    /// `exponential`.
    pub struct ExponentialDelay {
        /// Mean.
        mean: At<Span>,
    }
    main "mean";
}

record! {
    /// `pareto`.
    pub struct ParetoDelay {
        /// Least.
        least: At<Span>,
        /// The chance of more than x is (least / x) to the power of this.
        shape: At<Ratio>,
    }
}

record! {
    /// `table`.
    pub struct TableDelay {
        /// A file: `ms` (or `ns`, `us`, `s`) in its first line, then a measured number a line,
        /// which may be followed by a comma and how often it was seen.
        file: At<String>,
    }
    main "file";
}

impl Delay {
    /// As the vocabulary has it; complains where the parameters make no sense.
    pub(crate) fn distribution(&self, cx: &mut Cx) -> Distribution {
        let mut order = |low: &At<Span>, high: &At<Span>, what: &str| {
            if low.value > high.value {
                cx.error(
                    "E113",
                    &high.place,
                    format!("{what}: {} is below {}", high.value, low.value),
                    "exchange the two",
                );
            }
        };
        match self {
            Self::Constant(Constant(span)) => Distribution::Constant(span.value),
            Self::Uniform(u) => {
                order(&u.from, &u.to, "the end of a uniform distribution");
                Distribution::Uniform {
                    from: u.from.value,
                    to: u.to.value,
                }
            }
            Self::Normal(n) => Distribution::Normal {
                mean: n.mean.value,
                sd: n.sd.value,
            },
            Self::LogNormal(l) => {
                order(&l.median, &l.p99, "the 99th percentile");
                Distribution::LogNormal {
                    median: l.median.value,
                    p99: l.p99.value,
                }
            }
            Self::Exponential(e) => Distribution::Exponential { mean: e.mean.value },
            Self::Pareto(p) => {
                if p.shape.value.0 <= 1_000 {
                    let what = "the mean of a Pareto distribution of shape 1 or less is infinite";
                    cx.error("E107", &p.shape.place, what, "above 1, for example 2.5");
                    return Distribution::Constant(p.least.value);
                }
                Distribution::Pareto {
                    least: p.least.value,
                    shape_permille: p.shape.value.0,
                }
            }
            Self::Table(table) => match measured(cx, &table.file) {
                Some(samples) => Distribution::Empirical(Arc::new(samples)),
                None => Distribution::Constant(Span::ZERO),
            },
        }
    }
}

/// The samples of a file.
fn measured(cx: &mut Cx, file: &At<String>) -> Option<Samples> {
    let help = "`ms` (or ns, us, s) in the first line, then one number a line, or `NUMBER,COUNT`";
    let source = profiles::table(cx, &file.value, &file.place)?;
    let text = Arc::clone(&cx.sources.get(source)?.text);
    if let Some(leaf) = cx.leaves.get_mut(file.leaf) {
        leaf.digest = Some(blake3::hash(text.as_bytes()).to_hex().to_string());
    }
    let question = "in which unit are these numbers?";
    let (unit, rows) = csv::times(cx, source, question, help)?;
    let mut samples = Vec::new();
    for row in rows {
        let (value, count) = match row.as_slice() {
            [value] => (value, Some(1)),
            [value, count] => match count.text.parse::<u32>() {
                Ok(count) => (value, Some(count)),
                Err(_) => (count, None),
            },
            more => {
                let place = more
                    .last()
                    .map_or_else(|| csv::start(source), |c| c.place.clone());
                cx.error(
                    "E106",
                    &place,
                    "a line holds a number and perhaps a count",
                    help,
                );
                return None;
            }
        };
        let (Some(span), Some(count)) = (unit.span(value, 1.0), count) else {
            let what = format!("`{}` is no number of these", value.text);
            cx.error("E106", &value.place, what, help);
            return None;
        };
        samples.push((span, count));
    }
    let samples = Samples::new(samples);
    if samples.is_none() {
        cx.error("E106", &csv::start(source), "nothing was measured", help);
    }
    samples
}
