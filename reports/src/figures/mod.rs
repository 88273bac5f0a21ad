//! The figures: one SVG each, in one style, made to be read 900 pixels wide.

mod axes;
mod canvas;
mod cdf;
mod operations;
mod palette;
mod spacetime;
mod time;
mod topology;
mod utilisation;

use crate::files::ReportError;
use consim_check::results::Results;

pub(crate) use axes::{Frame, Scale, ticks};
pub(crate) use canvas::{Anchor, Canvas, SMALL, TEXT, WIDTH, XMLNS, fit, svg, text_width};
pub(crate) use cdf::of_runs as latency_of_runs;
pub(crate) use palette::{BLUE, INK, MUTED, RED, stylesheet};
pub use spacetime::space_time;
pub(crate) use time::TimeAxis;
pub(crate) use utilisation::by_use;

/// A figure as a file and as a part of the page.
pub(crate) struct Figure {
    /// Its name, also that of its file.
    pub(crate) name: &'static str,
    /// What it shows, in a sentence or two.
    pub(crate) caption: String,
    /// The drawing.
    pub(crate) svg: String,
}

/// Caption and drawing; nothing if the results hold nothing to draw.
type Drawn = Result<Option<(String, String)>, ReportError>;

type Draw = fn(&Results) -> Drawn;

const FIGURES: [(&str, Draw); 6] = [
    ("throughput", time::throughput),
    ("latency", time::latency),
    ("latency-cdf", cdf::latency_cdf),
    ("operations", operations::operations),
    ("topology", topology::topology),
    ("utilisation", utilisation::utilisation),
];

/// The names of all figures there are.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FIGURES.iter().map(|(name, _)| *name)
}

/// Every figure that these results have something for.
pub(crate) fn all(results: &Results) -> Result<Vec<Figure>, ReportError> {
    let mut out = Vec::new();
    for (name, draw) in FIGURES {
        if let Some((caption, svg)) = draw(results)? {
            out.push(Figure { name, caption, svg });
        }
    }
    Ok(out)
}

/// The `n` largest items, in the order that they had.
fn largest<T>(items: Vec<T>, n: usize, size: impl Fn(&T) -> u64) -> Vec<T> {
    let mut ranks: Vec<(u64, usize)> = items.iter().map(&size).zip(0..).collect();
    ranks.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    ranks.truncate(n);
    let keep: std::collections::BTreeSet<usize> = ranks.into_iter().map(|(_, i)| i).collect();
    let kept = |(i, item): (usize, T)| keep.contains(&i).then_some(item);
    items.into_iter().enumerate().filter_map(kept).collect()
}

/// Says so if not every kind is drawn.
fn most_frequent(drawn: usize, all: usize) -> String {
    if drawn < all {
        format!(" (the {drawn} most frequent of {all})")
    } else {
        String::new()
    }
}
