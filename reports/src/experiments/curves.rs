//! Both curves of an experiment: what was measured, with two standard deviations, and what is simulated.

use crate::figures::{
    Anchor, BLUE, Canvas, Frame, INK, MUTED, RED, SMALL, Scale, WIDTH, fit, svg, ticks,
};
use crate::files::ReportError;
use crate::words;
use consim_check::experiment::{DEVIATIONS, Figure, Scored};
use plotters::style::RGBColor;

/// Height of the frame of one metric, pixels.
const HEIGHT: f64 = 220.0;
/// From one frame to the next.
const STEP: f64 = HEIGHT + 70.0;
/// Metrics that are drawn: more make no page.
const METRICS: usize = 4;

/// A figure of an experiment.
pub(super) struct Curves {
    /// The name of its file.
    pub(super) name: String,
    /// Which experiment.
    pub(super) experiment: usize,
    pub(super) svg: String,
}

/// One figure for each experiment.
pub(super) fn all(experiments: &[Scored]) -> Result<Vec<Curves>, ReportError> {
    let mut out: Vec<Curves> = Vec::new();
    for (number, experiment) in experiments.iter().enumerate() {
        let Some(svg) = one(experiment)? else {
            continue;
        };
        let name: String = experiment
            .id
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let taken = out.iter().any(|f| f.name.eq_ignore_ascii_case(&name));
        let name = if taken || name.is_empty() {
            format!("{name}-{}", number + 1)
        } else {
            name
        };
        out.push(Curves {
            name,
            experiment: number,
            svg,
        });
    }
    Ok(out)
}

/// The metrics of an experiment, in order of their names.
fn metrics(experiment: &Scored) -> Vec<&str> {
    let figures = experiment.rows.iter().flat_map(|row| &row.figures);
    let mut names: Vec<&str> = figures.map(|f| f.metric.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    // Throughput first: it is what the others are read against.
    names.sort_by_key(|name| *name != "throughput");
    names.truncate(METRICS);
    names
}

fn one(experiment: &Scored) -> Result<Option<String>, ReportError> {
    let metrics = metrics(experiment);
    if metrics.is_empty() {
        return Ok(None);
    }
    let height = 40.0 + STEP * metrics.len() as f64;
    let alt = "Measured and simulated values of each row";
    svg(height, alt, |canvas| {
        key(canvas);
        for (place, metric) in metrics.iter().enumerate() {
            let top = 40.0 + STEP * place as f64;
            panel(canvas, experiment, metric, top);
        }
    })
    .map(Some)
}

fn key(canvas: &mut Canvas<'_>) {
    let y = 14.0;
    measured_mark(canvas, (80.0, y), BLUE);
    canvas.text((94.0, y), "measured, two deviations", Anchor::Start, INK);
    simulated_mark(canvas, (330.0, y), RED);
    canvas.text((344.0, y), "simulated, mean over seeds", Anchor::Start, INK);
}

fn measured_mark(canvas: &mut Canvas<'_>, at: (f64, f64), colour: RGBColor) {
    canvas.circle(at, 5.0, colour, 1.0);
}

fn simulated_mark(canvas: &mut Canvas<'_>, (x, y): (f64, f64), colour: RGBColor) {
    let r = 6.0;
    let points = [(x, y - r), (x + r, y), (x, y + r), (x - r, y)];
    canvas.polygon(&points, colour, 1.0);
}

fn panel(canvas: &mut Canvas<'_>, experiment: &Scored, metric: &str, top: f64) {
    let rows: Vec<(&str, &Figure)> = experiment
        .rows
        .iter()
        .filter_map(|row| {
            let figure = row.figures.iter().find(|f| f.metric == metric)?;
            Some((row.name.as_str(), figure))
        })
        .collect();
    let spread = |f: &Figure| DEVIATIONS * f.measured_sd.unwrap_or(0.0);
    let highest = |f: &Figure| f64::max(f.measured + spread(f), f.simulated.unwrap_or(0.0));
    let most = rows.iter().map(|(_, f)| highest(f)).fold(0.0, f64::max);
    let frame = Frame {
        left: 80.0,
        right: WIDTH - 20.0,
        top,
        bottom: top + HEIGHT,
    };
    let steps = ticks(most, 5);
    let end = steps.last().copied().unwrap_or(1.0);
    let y = Scale::linear((0.0, end), (frame.bottom, frame.top));
    let labels: Vec<(f64, String)> = steps
        .iter()
        .map(|&t| (t, plain(&words::short(t))))
        .collect();
    let unit = rows.first().map_or("", |(_, f)| f.unit);
    frame.y_axis(canvas, &y, &labels, &format!("{metric}, {unit}"));
    let width = (frame.right - frame.left) / rows.len().max(1) as f64;
    let x = |i: usize| frame.left + width * (i as f64 + 0.5);
    let bottom = [(frame.left, frame.bottom), (frame.right, frame.bottom)];
    canvas.line(&bottom, MUTED, 1.0, 1.0);
    let points = |of: &dyn Fn(&Figure) -> Option<f64>| -> Vec<(f64, f64)> {
        let points = rows.iter().enumerate();
        points
            .filter_map(|(i, (_, f))| Some((x(i), y.px(of(f)?))))
            .collect()
    };
    let measured = points(&|f| Some(f.measured));
    let simulated = points(&|f| f.simulated);
    canvas.line(&measured, BLUE, 1.5, 0.6);
    canvas.line(&simulated, RED, 1.5, 0.6);
    for (i, (name, figure)) in rows.iter().enumerate() {
        let spread = spread(figure);
        if spread > 0.0 {
            let (low, high) = (figure.measured - spread, figure.measured + spread);
            canvas.line(&[(x(i), y.px(low)), (x(i), y.px(high))], BLUE, 1.5, 1.0);
        }
        let name = fit(name, SMALL, width - 4.0);
        canvas.note((x(i), frame.bottom + 14.0), &name, Anchor::Middle, MUTED);
    }
    for at in measured {
        measured_mark(canvas, at, BLUE);
    }
    for at in simulated {
        simulated_mark(canvas, at, RED);
    }
}

fn plain(text: &str) -> String {
    text.replace(words::NBSP, " ")
}
