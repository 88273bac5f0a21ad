//! Published experiments: what was measured beside what is simulated.
//!
//! A row of an experiment is one set-up with the figures that were published for it. It is run under several
//! seeds; the mean over the seeds stands beside the published value with a signed error.
//!
//! - A figure is *in tolerance* if the error is at most the tolerance of its class, or two published
//!   standard deviations, whichever is larger.
//! - A figure is *drawn*, not scored, if its file says so; if its published deviation is above a fifth of its
//!   mean; or if the row lies past the knee of its curve, where real runs spread by 20 to 80 %.
//! - The *knee* of a curve is the highest offered load of which all but the tolerance of throughput is
//!   committed; of simulated curves, before the first load that falls short. Where rows measured one, the
//!   simulated one may lie a fifth beside it.
//! - Where the file says so, the rows stand in the measured *order* of a metric, exactly.
//! - A row that is out of its tolerance with a known reason is a *known miss*: printed and counted; so is a knee that was
//!   measured at such a row. Any other miss, and a known miss that has gone, is a missed expectation (exit code 12).

mod score;
#[cfg(test)]
mod tests;
mod tolerances;

pub use score::{
    Curve, Figure, FigureSpec, Order, Ran, Row, RowSpec, Scored, Spec, Standing, exit_code, score,
};
pub use tolerances::{
    Class, DEVIATIONS, KNEE, Kind, SPREAD, TOLERANCES, Tolerances, kind, tolerances,
};
