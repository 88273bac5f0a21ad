//! Throughput and latency over time.

use super::Drawn;
use super::axes::{Frame, Key, Scale, Windows, legend, log_ticks, ticks, time_ticks};
use super::canvas::{Canvas, Point, WIDTH, svg};
use super::palette::{BLUE, MUTED, RED, SHADE};
use crate::headline::bound;
use crate::series::{Interval, bounds, intervals, merged};
use crate::words;
use consim_check::results::Results;
use plotters::style::RGBColor;

const LEFT: f64 = 84.0;
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

/// The time axis that both figures share, so that they line up.
pub(crate) struct TimeAxis {
    /// The frame of the data.
    pub(crate) frame: Frame,
    /// Seconds at the right end.
    pub(crate) end_s: f64,
    windows: Windows,
}

impl TimeAxis {
    pub(crate) fn of(results: &Results) -> Self {
        let end_s = end_s(results);
        let windows = Windows::of(results, end_s, LEFT, RIGHT);
        let top = KEY + windows.height();
        Self {
            frame: Frame {
                left: LEFT,
                right: RIGHT,
                top,
                bottom: top + PLOT,
            },
            end_s,
            windows,
        }
    }

    fn scale(&self) -> Scale {
        Scale::linear((0.0, self.end_s), (self.frame.left, self.frame.right))
    }

    /// Windows behind the data, time below it.
    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.windows.draw(canvas, &self.frame);
        let (ticks, name) = time_ticks(self.end_s);
        self.frame
            .x_axis(canvas, &self.scale(), &ticks, false, name);
    }
}

/// The caption: what the lines are, what the shades mean, and how the intervals of `metrics.csv`
/// were put together.
fn caption(results: &Results, time: &TimeAxis, lines: String, together: &str) -> String {
    let mut said = vec![lines];
    if !results.outcome.faults.is_empty() {
        said.push("Orange: fault windows.".into());
    }
    match time.windows.unnamed() {
        0 => {}
        1 => said.push("The name of one found no room.".into()),
        n => said.push(format!("The names of {n} found no room.")),
    }
    if results.warmup_s > 0.0 {
        said.push("Grey: warm-up, left out of all statistics.".into());
    }
    if merged(results) > 1 {
        said.push(format!(
            "Each step stands for {} intervals of {}{together}.",
            merged(results),
            words::seconds(results.interval_s)
        ));
    }
    said.join(" ")
}

/// Transactions a second: submitted and committed; operations given up, if there are any.
pub(crate) fn throughput(results: &Results) -> Drawn {
    if results.series.is_empty() {
        return Ok(None);
    }
    let time = TimeAxis::of(results);
    let frame = time.frame;
    let series = intervals(results);
    let rates = |of: fn(&Interval) -> u64| series.iter().map(move |i| i.rate(of(i)));
    let most = rates(|i| i.committed)
        .chain(rates(|i| i.submitted))
        .chain(rates(|i| i.failed))
        .fold(0.0, f64::max);
    let some_failed = series.iter().any(|i| i.failed > 0);
    let y_ticks = ticks(most, 5);
    let x = time.scale();
    let y = Scale::linear(
        (0.0, y_ticks.last().copied().unwrap_or(1.0)),
        (frame.bottom, frame.top),
    );
    let labels: Vec<_> = y_ticks.iter().map(|&t| (t, words::tick(t))).collect();
    let alt = "Transactions per second over time";
    let svg = svg(frame.bottom + AXIS, alt, |canvas| {
        let mut items = vec![
            ("transactions submitted", Key::Line(SHADE, 1.5)),
            ("transactions committed", Key::Line(BLUE, 2.0)),
        ];
        if some_failed {
            items.push(("operations given up", Key::Box(RED)));
        }
        legend(canvas, (frame.left, 10.0), &items);
        frame.y_axis(canvas, &y, &labels, "per second");
        time.draw(canvas);
        let outline = |of: fn(&Interval) -> u64| -> Vec<Point> {
            let step = |i: &Interval| {
                let y = y.px(i.rate(of(i)));
                [(x.px(i.from), y), (x.px(i.to), y)]
            };
            series.iter().flat_map(step).collect()
        };
        canvas.line(&outline(|i| i.submitted), SHADE, 1.5, 1.0);
        let line = outline(|i| i.committed);
        let mut area = line.clone();
        if let (Some(first), Some(last)) = (line.first(), line.last()) {
            area.extend([(last.0, frame.bottom), (first.0, frame.bottom)]);
        }
        canvas.polygon(&area, BLUE, 0.12);
        canvas.line(&line, BLUE, 2.0, 1.0);
        for i in series.iter().filter(|i| i.failed > 0) {
            // One among many is still seen.
            let top = y.px(i.rate(i.failed)).min(frame.bottom - 2.0);
            let right = x.px(i.to).max(x.px(i.from) + 1.0);
            canvas.rect((x.px(i.from), top), (right, frame.bottom), RED, 0.85);
        }
    })?;
    let failed = if some_failed {
        ", and operations that their users gave up"
    } else {
        ""
    };
    let lines = format!("Transactions submitted and committed per second{failed}.");
    Ok(Some((caption(results, &time, lines, ""), svg)))
}

/// The axis of latencies.
struct LatencyAxis {
    scale: Scale,
    labels: Vec<(f64, String)>,
    name: &'static str,
}

impl LatencyAxis {
    /// Holds every latency, and the limit unless it lies far above.
    fn of(series: &[Interval], limit: Option<f64>, frame: &Frame) -> Self {
        let values = series.iter().flat_map(|i| [i.p50_ms, i.p99_ms]);
        let values = values.filter(|x| x.is_finite() && *x > 0.0);
        let (least, most) = values.fold((f64::INFINITY, 0.0), |(least, most), x| {
            (f64::min(least, x), f64::max(most, x))
        });
        // Decades apart, a linear axis would hide the median.
        let log = least.is_finite() && most / least > 25.0;
        let top = limit.filter(|l| *l < most * 8.0).unwrap_or(0.0).max(most);
        // Round seconds are not round milliseconds.
        let unit = if top >= 2000.0 { 1e3 } else { 1.0 };
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
        Self {
            scale: if log {
                Scale::log(ends, px)
            } else {
                Scale::linear(ends, px)
            },
            labels: ticks
                .iter()
                .map(|&t| (t * unit, words::tick_ms(t * unit)))
                .collect(),
            name: if log {
                "latency, logarithmic"
            } else {
                "latency"
            },
        }
    }
}

/// Median and 99th percentile latency, with the limit of the expectation if there is one.
pub(crate) fn latency(results: &Results) -> Drawn {
    if results.series.is_empty() {
        return Ok(None);
    }
    let time = TimeAxis::of(results);
    let frame = time.frame;
    let series = intervals(results);
    let limit = limit_ms(results);
    let axis = LatencyAxis::of(&series, limit, &frame);
    let y = axis.scale;
    let limit = limit.filter(|l| y.holds(*l));
    let x = time.scale();
    let alt = "Median and 99th percentile latency over time";
    let svg = svg(frame.bottom + AXIS, alt, |canvas| {
        let mut items = vec![
            ("median", Key::Line(BLUE, 2.0)),
            ("99th percentile", Key::Line(RED, 2.0)),
        ];
        let said = limit.map(|l| format!("limit of the 99th percentile, {}", words::millis(l)));
        if let Some(said) = &said {
            items.push((said, Key::Dashes(MUTED)));
        }
        legend(canvas, (frame.left, 10.0), &items);
        frame.y_axis(canvas, &y, &axis.labels, axis.name);
        time.draw(canvas);
        if let Some(l) = limit {
            let y = y.px(l);
            canvas.dashes((frame.left, y), (frame.right, y), MUTED, 1.5);
        }
        for (value, colour) in [
            ((|i| i.p99_ms) as fn(&Interval) -> f64, RED),
            (|i| i.p50_ms, BLUE),
        ] {
            draw_with_gaps(canvas, &series, &x, &y, value, colour);
        }
    })?;
    let lines = "Latency of the operations answered in each interval, end to end; a gap where \
                 nothing was answered.";
    let together = " and shows the largest of their values";
    Ok(Some((caption(results, &time, lines.into(), together), svg)))
}

/// A line through the middles of the intervals that have a value; an interval alone is a dot.
fn draw_with_gaps(
    canvas: &mut Canvas<'_>,
    series: &[Interval],
    x: &Scale,
    y: &Scale,
    value: fn(&Interval) -> f64,
    colour: RGBColor,
) {
    let has = |i: &Interval| value(i).is_finite();
    for run in series.chunk_by(|a, b| has(a) == has(b)) {
        let points: Vec<Point> = run
            .iter()
            .filter(|i| has(i))
            .map(|i| (x.px(f64::midpoint(i.from, i.to)), y.px(value(i))))
            .collect();
        match points.as_slice() {
            [] => {}
            [alone] => canvas.circle(*alone, 2.0, colour, 1.0),
            points => canvas.line(points, colour, 2.0, 1.0),
        }
    }
}

/// The upper limit that `expect.latency_p99` sets, milliseconds.
fn limit_ms(results: &Results) -> Option<f64> {
    let gate = results
        .outcome
        .expectations
        .iter()
        .find(|e| e.path == "latency_p99")?;
    let (_, bound) = bound(&gate.limit).filter(|(upper, _)| *upper)?;
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
