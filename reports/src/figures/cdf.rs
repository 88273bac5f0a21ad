//! The distribution of latency, all operations and each kind.

use super::axes::{Frame, Scale, log_ticks};
use super::canvas::{Anchor, Canvas, Point, TEXT, WIDTH, fit, svg};
use super::palette::{INK, SERIES, series};
use super::{Drawn, largest, most_frequent};
use crate::files::ReportError;
use crate::words;
use consim_check::results::Results;
use hdrhistogram::Histogram;
use plotters::style::RGBColor;

/// Lines besides `all`: more cannot be told apart.
const KINDS: usize = 7;

/// Lines of several runs: solid ones, then dashed ones.
const RUNS: usize = 2 * SERIES.len();

/// Share of operations answered within a latency; nothing if no operation was answered.
pub(crate) fn latency_cdf(results: &Results) -> Drawn {
    let kinds: Vec<(&str, &Histogram<u64>)> = results
        .latencies
        .iter()
        .filter(|(name, h)| name.as_str() != "all" && !h.is_empty())
        .map(|(name, h)| (name.as_str(), h))
        .collect();
    let all_kinds = kinds.len();
    let lines = largest(kinds, KINDS, |(_, h)| h.len());
    let all = results.latencies.get("all").filter(|h| !h.is_empty());
    let caption = format!(
        "Share of the operations answered within a latency, all and by kind{}.",
        most_frequent(lines.len(), all_kinds)
    );
    Ok(distributions(&lines, all)?.map(|svg| (caption, svg)))
}

/// The same for all operations of several runs, by label.
pub(crate) fn of_runs(runs: &[(&str, &Results)]) -> Drawn {
    let lines: Vec<(&str, &Histogram<u64>)> = runs
        .iter()
        .filter_map(|(label, results)| Some((*label, results.latencies.get("all")?)))
        .filter(|(_, h)| !h.is_empty())
        .take(RUNS)
        .collect();
    let caption = format!(
        "Share of all operations answered within a latency, by variant{}.",
        if lines.len() < runs.len() {
            " (the first that answered any)"
        } else {
            ""
        }
    );
    Ok(distributions(&lines, None)?.map(|svg| (caption, svg)))
}

fn distributions(
    lines: &[(&str, &Histogram<u64>)],
    all: Option<&Histogram<u64>>,
) -> Result<Option<String>, ReportError> {
    let histograms = || lines.iter().map(|(_, h)| *h).chain(all);
    let (Some(min), Some(max)) = (
        histograms().map(Histogram::min).min(),
        histograms().map(Histogram::max).max(),
    ) else {
        return Ok(None);
    };
    let (min, max) = (min.max(1) as f64 / 1e3, (max.max(2)) as f64 / 1e3);
    let frame = Frame {
        left: 72.0,
        right: WIDTH - 210.0,
        top: 16.0,
        bottom: 276.0,
    };
    let ticks = log_ticks(min, max);
    let ends = (
        ticks.first().copied().unwrap_or(1.0),
        ticks.last().copied().unwrap_or(10.0),
    );
    let x = Scale::log(ends, (frame.left, frame.right));
    let y = Scale::linear((0.0, 1.0), (frame.bottom, frame.top));
    let x_labels: Vec<_> = ticks
        .iter()
        .map(|&t| (t, words::tick_ms(t).replace(words::NBSP, " ")))
        .collect();
    let y_labels: Vec<_> = [0.0, 0.25, 0.5, 0.75, 0.9, 1.0]
        .into_iter()
        .map(|s| (s, words::percent(s).replace(words::NBSP, " ")))
        .collect();
    let alt = "Cumulative distribution of latency";
    let svg = svg(frame.bottom + 48.0, alt, |canvas| {
        frame.y_axis(canvas, &y, &y_labels, "share of operations answered within");
        frame.x_axis(canvas, &x, &x_labels, true, "latency, logarithmic");
        let mut key = (frame.right + 22.0, frame.top + 8.0);
        let mut entry = |canvas: &mut Canvas<'_>, name: &str, line: Line| {
            line.draw(canvas, &[key, (key.0 + 20.0, key.1)]);
            let name = fit(name, TEXT, WIDTH - key.0 - 28.0);
            canvas.text((key.0 + 26.0, key.1), &name, Anchor::Start, INK);
            key.1 += 20.0;
        };
        if all.is_some() {
            entry(canvas, "all operations", ALL);
        }
        for (i, (name, h)) in lines.iter().enumerate() {
            entry(canvas, name, Line::of(i));
            Line::of(i).draw(canvas, &curve(h, &x, &y));
        }
        if let Some(h) = all {
            ALL.draw(canvas, &curve(h, &x, &y));
        }
    })?;
    Ok(Some(svg))
}

/// How a line looks.
#[derive(Clone, Copy)]
struct Line {
    colour: RGBColor,
    width: f64,
    dashed: bool,
}

const ALL: Line = Line {
    colour: INK,
    width: 3.0,
    dashed: false,
};

impl Line {
    /// The `i`-th: once all colours are used, they come again, dashed.
    fn of(i: usize) -> Self {
        Self {
            colour: series(i % SERIES.len()),
            width: 2.0,
            dashed: i >= SERIES.len(),
        }
    }
    fn draw(self, canvas: &mut Canvas<'_>, points: &[Point]) {
        if self.dashed {
            canvas.dashed(points, self.colour, self.width);
        } else {
            canvas.line(points, self.colour, self.width, 1.0);
        }
    }
}

/// Steps of the distribution function, at most one a half pixel.
fn curve(h: &Histogram<u64>, x: &Scale, y: &Scale) -> Vec<Point> {
    let total = h.len() as f64;
    let mut sum = 0_u64;
    let mut points: Vec<Point> = Vec::new();
    let mut height = y.px(0.0);
    for step in h.iter_recorded() {
        sum += step.count_at_value();
        // The bucket's highest value may lie above the largest one recorded.
        let value = step.value_iterated_to().min(h.max()).max(1);
        let at = x.px(value as f64 / 1e3);
        let next = y.px(sum as f64 / total);
        match points.last_mut() {
            Some(last) if at - last.0 < 0.5 => last.1 = next,
            _ => points.extend([(at, height), (at, next)]),
        }
        height = next;
    }
    points
}

#[cfg(test)]
mod tests {
    use super::{Canvas, Line, RUNS, svg};

    fn drawn(draw: impl FnOnce(&mut Canvas<'_>)) -> Vec<String> {
        let svg = svg(40.0, "lines", draw);
        let svg = svg.unwrap_or_default();
        let lines = svg.lines().filter(|line| line.contains("<polyline"));
        lines.map(str::to_owned).collect()
    }

    #[test]
    fn every_run_has_a_line_of_its_own() {
        let points = [(0.0, 0.0), (20.0, 0.0), (20.0, 7.0)];
        let mut seen = Vec::new();
        for i in 0..RUNS {
            let lines = drawn(|canvas| Line::of(i).draw(canvas, &points));
            assert!(!seen.contains(&lines), "{i}");
            seen.push(lines);
        }
    }

    /// Along 27 pixels: dashes at 0 to 5, at 9 to 14 and, around the corner, at 18 to 23.
    #[test]
    fn dashes_go_around_corners() {
        let points = [(0.0, 0.0), (20.0, 0.0), (20.0, 7.0)];
        let lines = drawn(|canvas| Line::of(RUNS - 1).draw(canvas, &points));
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(
            lines[2].contains("points=\"180,0 200,0 200,30 \""),
            "{}",
            lines[2]
        );
    }
}
