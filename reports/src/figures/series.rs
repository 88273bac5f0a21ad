//! Throughput and latency over time.

use super::Figure;
use super::axes::{Frame, Key, Scale, TimeGeometry, Windows, legend, log_ticks, ticks, time_ticks};
use super::canvas::{Canvas, Point, WIDTH, svg};
use super::palette::{BLUE, GRID, MUTED, RED, SHADE};
use crate::csv::bounds;
use crate::files::ReportError;
use crate::words;
use consim_check::results::{Bin, Results};
use plotters::style::RGBColor;

const LEFT: f64 = 72.0;
const RIGHT: f64 = WIDTH - 20.0;
/// Height of the data.
const PLOT: f64 = 200.0;
/// Room for the key above everything.
const KEY: f64 = 26.0;
/// Room for the time axis.
const AXIS: f64 = 48.0;

fn end_s(results: &Results) -> f64 {
    let bins = results.series.len();
    let last = bins.checked_sub(1).map_or(0.0, |i| bounds(results, i).1);
    results.outcome.virtual_seconds.max(last).max(1e-3)
}

/// The frame that both figures share, so that they line up.
pub(crate) fn geometry(results: &Results) -> TimeGeometry {
    let end_s = end_s(results);
    let top = KEY + Windows::of(results, end_s, LEFT, RIGHT).height();
    TimeGeometry {
        frame: Frame {
            left: LEFT,
            right: RIGHT,
            top,
            bottom: top + PLOT,
        },
        end_s,
    }
}

/// The largest latency of the series, milliseconds.
fn latency_top(results: &Results) -> f64 {
    latencies(results).fold(0.0, f64::max)
}

fn latencies(results: &Results) -> impl Iterator<Item = f64> + '_ {
    results
        .series
        .iter()
        .flat_map(|b| [b.p50_ms, b.p99_ms])
        .filter(|x| x.is_finite() && *x >= 0.0)
}

/// What is alike in both: windows behind, time axis below.
fn draw_time(canvas: &mut Canvas<'_>, results: &Results, geometry: &TimeGeometry, x: &Scale) {
    let TimeGeometry { frame, end_s } = geometry;
    Windows::of(results, *end_s, frame.left, frame.right).draw(canvas, frame, x);
    let (ticks, name) = time_ticks(*end_s);
    frame.x_axis(canvas, x, &ticks, false, name);
}

/// Transactions a second: submitted and committed; failed operations if there are any.
pub(crate) fn throughput(results: &Results) -> Result<Figure, ReportError> {
    let geometry = geometry(results);
    let frame = geometry.frame;
    let per_second = |value: fn(&Bin) -> u64| -> Vec<(f64, f64, f64)> {
        let rate = |(i, bin): (usize, &Bin)| {
            let (from, to) = bounds(results, i);
            (from, to, value(bin) as f64 / (to - from))
        };
        results.series.iter().enumerate().map(rate).collect()
    };
    let committed = per_second(|b| b.committed);
    let submitted = per_second(|b| b.submitted);
    let failed = per_second(|b| b.failed);
    let most = [&committed, &submitted, &failed]
        .into_iter()
        .flatten()
        .fold(0.0, |m: f64, r| m.max(r.2));
    let some_failed = results.series.iter().any(|b| b.failed > 0);
    let y_ticks = ticks(most, 5);
    let x = Scale::linear((0.0, geometry.end_s), (frame.left, frame.right));
    let y = Scale::linear(
        (0.0, y_ticks.last().copied().unwrap_or(1.0)),
        (frame.bottom, frame.top),
    );
    let labels: Vec<_> = y_ticks.iter().map(|&t| (t, words::short(t))).collect();
    let alt = "Transactions per second over time";
    let svg = svg(frame.bottom + AXIS, alt, |canvas| {
        let mut items = vec![
            ("submitted", Key::Line(SHADE, 1.5)),
            ("committed", Key::Line(BLUE, 2.0)),
        ];
        if some_failed {
            items.push(("operations given up", Key::Line(RED, 1.5)));
        }
        legend(canvas, (frame.left, 10.0), &items);
        frame.y_axis(canvas, &y, &labels, "transactions per second");
        draw_time(canvas, results, &geometry, &x);
        let outline = |rates: &[(f64, f64, f64)]| -> Vec<Point> {
            rates
                .iter()
                .flat_map(|&(from, to, rate)| {
                    let y = y.px(rate);
                    [(x.px(from), y), (x.px(to), y)]
                })
                .collect()
        };
        canvas.line(&outline(&submitted), SHADE, 1.5, 1.0);
        let line = outline(&committed);
        let mut area = line.clone();
        if let (Some(first), Some(last)) = (line.first(), line.last()) {
            area.extend([(last.0, frame.bottom), (first.0, frame.bottom)]);
        }
        canvas.polygon(&area, BLUE, 0.12);
        canvas.line(&line, BLUE, 2.0, 1.0);
        if some_failed {
            canvas.line(&outline(&failed), RED, 1.5, 1.0);
        }
    })?;
    Ok(Figure {
        name: "throughput",
        svg,
    })
}

/// Median and 99th percentile latency, with the limit of the expectation if there is one.
pub(crate) fn latency(results: &Results) -> Result<Figure, ReportError> {
    let geometry = geometry(results);
    let frame = geometry.frame;
    let limit = limit_ms(results);
    let most = latency_top(results);
    let least = latencies(results)
        .filter(|x| *x > 0.0)
        .fold(f64::INFINITY, f64::min);
    // Decades apart, a linear axis would hide the median.
    let log = least.is_finite() && most / least > 25.0;
    let top = limit
        .filter(|l| *l < most * 8.0)
        .map_or(most, |l| l.max(most));
    let (unit, name) = if top >= 2000.0 {
        (1e3, "latency, s")
    } else {
        (1.0, "latency, ms")
    };
    let ticks = if log {
        log_ticks(least / unit, top / unit)
    } else {
        ticks(top / unit, 5)
    };
    let ends = (
        ticks.first().copied().unwrap_or(0.0) * unit,
        ticks.last().copied().unwrap_or(1.0) * unit,
    );
    let px = (frame.bottom, frame.top);
    let y = if log {
        Scale::log(ends, px)
    } else {
        Scale::linear(ends, px)
    };
    let x = Scale::linear((0.0, geometry.end_s), (frame.left, frame.right));
    let labels: Vec<_> = ticks.iter().map(|&t| (t * unit, words::short(t))).collect();
    let alt = "Median and 99th percentile latency over time";
    let svg = svg(frame.bottom + AXIS, alt, |canvas| {
        let mut items = vec![
            ("median", Key::Line(BLUE, 2.0)),
            ("99th percentile", Key::Line(RED, 2.0)),
        ];
        let said = limit.map(|l| format!("limit of the 99th percentile, {}", words::millis(l)));
        if let Some(said) = &said
            && limit.is_some_and(|l| y.holds(l))
        {
            items.push((said, Key::Dashes(MUTED)));
        }
        legend(canvas, (frame.left, 10.0), &items);
        let name = if log {
            format!("{name} (logarithmic)")
        } else {
            name.into()
        };
        frame.y_axis(canvas, &y, &labels, &name);
        draw_time(canvas, results, &geometry, &x);
        if let Some(l) = limit.filter(|l| y.holds(*l)) {
            let y = y.px(l);
            canvas.dashes((frame.left, y), (frame.right, y), MUTED, 1.5);
        }
        for (value, colour) in [
            ((|b| b.p99_ms) as fn(&Bin) -> f64, RED),
            (|b| b.p50_ms, BLUE),
        ] {
            draw_with_gaps(canvas, results, &x, &y, value, colour);
        }
        if most <= 0.0 {
            canvas.line(
                &[(frame.left, frame.bottom), (frame.right, frame.bottom)],
                GRID,
                1.0,
                1.0,
            );
        }
    })?;
    Ok(Figure {
        name: "latency",
        svg,
    })
}

/// A line through the middles of the bins that have a value; a bin alone is a dot.
fn draw_with_gaps(
    canvas: &mut Canvas<'_>,
    results: &Results,
    x: &Scale,
    y: &Scale,
    value: fn(&Bin) -> f64,
    colour: RGBColor,
) {
    let mut run: Vec<Point> = Vec::new();
    let mut finish = |run: &mut Vec<Point>| {
        match run.as_slice() {
            [] => {}
            [alone] => canvas.circle(*alone, 2.0, colour, 1.0),
            points => canvas.line(points, colour, 2.0, 1.0),
        }
        run.clear();
    };
    for (i, bin) in results.series.iter().enumerate() {
        let v = value(bin);
        if v.is_finite() {
            let (from, to) = bounds(results, i);
            run.push((x.px(f64::midpoint(from, to)), y.px(v)));
        } else {
            finish(&mut run);
        }
    }
    finish(&mut run);
}

/// The upper limit that `expect.latency_p99` sets, milliseconds.
fn limit_ms(results: &Results) -> Option<f64> {
    let gate = results
        .outcome
        .expectations
        .iter()
        .find(|e| e.path == "latency_p99")?;
    let text = gate.limit.trim();
    let bound = text
        .strip_prefix("at most ")
        .or_else(|| text.strip_prefix("below "))?;
    let split = bound.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = bound.split_at(split);
    let factor = match unit.trim() {
        "us" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        "m" => 6e4,
        "h" => 3.6e6,
        _ => return None,
    };
    Some(number.trim().parse::<f64>().ok()? * factor)
}
