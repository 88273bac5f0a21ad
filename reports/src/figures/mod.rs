//! The figures: one SVG each, in one style, made to be read 900 pixels wide.

mod axes;
mod canvas;
mod cdf;
mod operations;
mod palette;
mod series;
mod topology;
mod utilisation;

use crate::files::ReportError;
use consim_check::results::Results;

pub(crate) use axes::TimeGeometry;
pub(crate) use canvas::WIDTH;
pub(crate) use palette::stylesheet;
pub(crate) use series::geometry;
pub(crate) use utilisation::by_use;

/// A figure as a file and as a part of the page.
pub(crate) struct Figure {
    /// Its name, also that of its file.
    pub(crate) name: &'static str,
    /// The drawing.
    pub(crate) svg: String,
}

/// Every figure that these results have something for.
pub(crate) fn all(results: &Results) -> Result<Vec<Figure>, ReportError> {
    let mut out = Vec::new();
    if !results.series.is_empty() {
        out.push(series::throughput(results)?);
        out.push(series::latency(results)?);
    }
    out.extend(cdf::latency_cdf(results)?);
    out.extend(operations::operations(results)?);
    out.extend(topology::topology(results)?);
    out.extend(utilisation::utilisation(results)?);
    Ok(out)
}
