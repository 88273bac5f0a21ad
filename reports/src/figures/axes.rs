//! Axes: scales, ticks, grid, and the strip above a time axis that names the fault windows.

use super::canvas::{Anchor, Canvas, Point, SMALL, TEXT, WIDTH, fit, text_width};
use super::palette::{GRID, INK, MUTED, ORANGE, PAPER, SHADE};
use crate::words;
use consim_check::results::Results;

#[cfg(test)]
mod tests;

/// A linear or logarithmic scale from values to pixels.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    from: f64,
    to: f64,
    px_from: f64,
    px_to: f64,
    log: bool,
}

impl Scale {
    /// A linear scale.
    pub(crate) fn linear((from, to): (f64, f64), (px_from, px_to): (f64, f64)) -> Self {
        Self {
            from,
            to,
            px_from,
            px_to,
            log: false,
        }
    }

    /// A logarithmic scale; both ends are positive.
    pub(crate) fn log((from, to): (f64, f64), (px_from, px_to): (f64, f64)) -> Self {
        Self {
            from: libm::log10(from),
            to: libm::log10(to),
            px_from,
            px_to,
            log: true,
        }
    }

    /// Where a value lies, held to the ends.
    pub(crate) fn px(&self, value: f64) -> f64 {
        let v = if self.log {
            libm::log10(value.max(f64::MIN_POSITIVE))
        } else {
            value
        };
        let span = self.to - self.from;
        let share = if span > 0.0 {
            ((v - self.from) / span).clamp(0.0, 1.0)
        } else {
            0.5
        };
        self.px_from + share * (self.px_to - self.px_from)
    }

    /// Is the value between the ends?
    pub(crate) fn holds(&self, value: f64) -> bool {
        let v = if self.log {
            libm::log10(value.max(f64::MIN_POSITIVE))
        } else {
            value
        };
        v >= self.from && v <= self.to
    }
}

/// Round steps from zero to at least `max`, about `n` of them.
pub(crate) fn ticks(max: f64, n: usize) -> Vec<f64> {
    if !(max.is_finite() && max > 0.0) {
        return vec![0.0, 1.0];
    }
    let rough = max / n.max(1) as f64;
    let mut power = 1.0;
    while power > rough {
        power /= 10.0;
    }
    while power * 10.0 <= rough {
        power *= 10.0;
    }
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|&s| s >= rough * 0.999)
        .unwrap_or(power * 10.0);
    let count = (max / step * 0.999_999).ceil().max(1.0) as usize;
    (0..=count).map(|i| i as f64 * step).collect()
}

/// `1 2 5` times powers of ten that enclose `min..max`; only powers over three decades and more.
pub(crate) fn log_ticks(min: f64, max: f64) -> Vec<f64> {
    let steps: &[f64] = if max / min > 3e3 {
        &[1.0]
    } else {
        &[1.0, 2.0, 5.0]
    };
    let mut all = Vec::new();
    for exponent in -9..12_i32 {
        // A decimal literal is the nearest double on every platform; `powi` need not be.
        let power: f64 = format!("1e{exponent}").parse().unwrap_or(1.0);
        all.extend(steps.iter().map(|s| s * power));
    }
    let first = all.iter().rposition(|&t| t <= min).unwrap_or(0);
    let last = all.iter().position(|&t| t >= max).unwrap_or(all.len() - 1);
    let last = last.max(first + 1);
    all.get(first..=last).unwrap_or_default().to_vec()
}

/// The rectangle that data is drawn in, pixels.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
}

impl Frame {
    /// Horizontal grid lines with labels and the axis' name.
    pub(crate) fn y_axis(
        &self,
        canvas: &mut Canvas<'_>,
        scale: &Scale,
        ticks: &[(f64, String)],
        name: &str,
    ) {
        for (value, label) in ticks {
            let y = scale.px(*value);
            canvas.line(&[(self.left, y), (self.right, y)], GRID, 1.0, 1.0);
            canvas.text((self.left - 8.0, y), label, Anchor::End, MUTED);
        }
        let middle = f64::midpoint(self.top, self.bottom);
        canvas.text_up((16.0, middle), name, INK);
    }

    /// Ticks with labels below, and the axis' name.
    pub(crate) fn x_axis(
        &self,
        canvas: &mut Canvas<'_>,
        scale: &Scale,
        ticks: &[(f64, String)],
        grid: bool,
        name: &str,
    ) {
        for (value, label) in ticks {
            let x = scale.px(*value);
            if grid {
                canvas.line(&[(x, self.top), (x, self.bottom)], GRID, 1.0, 1.0);
            }
            canvas.line(&[(x, self.bottom), (x, self.bottom + 5.0)], MUTED, 1.0, 1.0);
            canvas.text((x, self.bottom + 15.0), label, Anchor::Middle, MUTED);
        }
        canvas.line(
            &[(self.left, self.bottom), (self.right, self.bottom)],
            MUTED,
            1.0,
            1.0,
        );
        let middle = f64::midpoint(self.left, self.right);
        canvas.text((middle, self.bottom + 35.0), name, Anchor::Middle, INK);
    }
}

/// Ticks of a time axis: round steps of the clock.
pub(crate) fn time_ticks(end_s: f64) -> (Vec<(f64, String)>, &'static str) {
    const STEPS: [f64; 19] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0,
        10_800.0, 14_400.0, 21_600.0, 43_200.0, 86_400.0,
    ];
    let step = STEPS
        .into_iter()
        .find(|s| end_s / s <= 12.0)
        .unwrap_or_else(|| 86_400.0 * (end_s / 86_400.0 / 12.0).ceil());
    let (unit, name) = if end_s >= 4.0 * 86_400.0 {
        (86_400.0, "virtual time, d")
    } else if end_s >= 3.0 * 3600.0 {
        (3600.0, "virtual time, h")
    } else if end_s >= 180.0 {
        (60.0, "virtual time, min")
    } else {
        (1.0, "virtual time, s")
    };
    let count = (end_s / step + 1e-9) as usize;
    let ticks = (0..=count)
        .map(|i| i as f64 * step)
        .map(|t| (t, words::short(t / unit)))
        .collect();
    (ticks, name)
}

/// A window on the time axis.
struct Window {
    name: String,
    from: f64,
    to: f64,
    lane: Option<usize>,
}

/// Height of a lane with the names of windows.
const LANE: f64 = 18.0;
/// Lanes; windows that find no room are shaded without a name.
const LANES: usize = 4;
/// Width of a name, pixels; longer ones are cut.
const NAME: f64 = 240.0;

/// The named windows of the warm-up and the faults above a frame, and their shades in it.
pub(crate) struct Windows {
    faults: Vec<Window>,
    scale: Scale,
    warmup: f64,
    lanes: usize,
}

impl Windows {
    /// Places the names in lanes over `left..right`.
    pub(crate) fn of(results: &Results, end_s: f64, left: f64, right: f64) -> Self {
        let scale = Scale::linear((0.0, end_s), (left, right));
        let warmup = results.warmup_s.clamp(0.0, end_s);
        let mut faults: Vec<Window> = results
            .outcome
            .faults
            .iter()
            .filter(|f| f.from_s < end_s)
            .map(|f| Window {
                name: fit(&f.id, SMALL, NAME),
                from: f.from_s.max(0.0),
                to: f.to_s.min(end_s),
                lane: None,
            })
            .collect();
        let changes = results.outcome.changes.iter();
        faults.extend(changes.filter_map(|change| {
            let from = change.asked_s.filter(|from| *from < end_s)?;
            Some(Window {
                name: fit(&change.id, SMALL, NAME),
                from,
                to: change.done_s.map_or(end_s, |to| to.min(end_s)),
                lane: None,
            })
        }));
        faults.sort_by(|a, b| a.from.total_cmp(&b.from).then(a.name.cmp(&b.name)));
        let mut free = [left; LANES];
        if warmup > 0.0
            && let Some(first) = free.first_mut()
        {
            *first = scale.px(warmup).max(left + text_width("warm-up", SMALL)) + 6.0;
        }
        let mut lanes = usize::from(warmup > 0.0);
        for window in &mut faults {
            let start = label_start(&window.name, scale.px(window.from), right);
            let end = (start + text_width(&window.name, SMALL)).max(scale.px(window.to));
            let lane = free.iter_mut().enumerate().find(|(_, f)| **f <= start);
            if let Some((lane, free)) = lane {
                *free = end + 8.0;
                lanes = lanes.max(lane + 1);
                window.lane = Some(lane);
            }
        }
        Self {
            faults,
            scale,
            warmup,
            lanes,
        }
    }

    /// Height above the frame, pixels.
    pub(crate) fn height(&self) -> f64 {
        self.lanes as f64 * LANE + 4.0
    }

    /// Faults whose name found no room.
    pub(crate) fn unnamed(&self) -> usize {
        self.faults.iter().filter(|w| w.lane.is_none()).count()
    }

    /// Windows in pixels, those that touch made one: shades over shades would hide the data.
    fn shades(&self) -> Vec<(f64, f64)> {
        let mut out: Vec<(f64, f64)> = Vec::new();
        for window in &self.faults {
            let (from, to) = (self.scale.px(window.from), self.scale.px(window.to));
            // A window of a moment is still seen.
            let to = to.max(from + 1.5);
            match out.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => out.push((from, to)),
            }
        }
        out
    }

    /// Draws shades and names; before the data.
    pub(crate) fn draw(&self, canvas: &mut Canvas<'_>, frame: &Frame) {
        let lane_y = |lane: usize| frame.top - 12.0 - lane as f64 * LANE;
        if self.warmup > 0.0 {
            let x = self.scale.px(self.warmup);
            canvas.rect((frame.left, frame.top), (x, frame.bottom), SHADE, 0.22);
            canvas.note((frame.left, lane_y(0)), "warm-up", Anchor::Start, MUTED);
        }
        for (from, to) in self.shades() {
            canvas.rect((from, frame.top), (to, frame.bottom), ORANGE, 0.2);
            canvas.rect((from, frame.top - 3.0), (to, frame.top), ORANGE, 1.0);
        }
        let named = self.faults.iter().filter_map(|w| Some((w, w.lane?)));
        for (window, lane) in named.clone().filter(|(_, lane)| *lane > 0) {
            let (x, top) = (self.scale.px(window.from), lane_y(lane) + 7.0);
            canvas.line(&[(x, top), (x, frame.top)], ORANGE, 1.0, 1.0);
        }
        for (window, lane) in named {
            let y = lane_y(lane);
            let x = label_start(&window.name, self.scale.px(window.from), frame.right);
            // The lines of the lanes above pass behind the names.
            let end = x + text_width(&window.name, SMALL);
            canvas.rect((x, y - 8.0), (end, y + 7.0), PAPER, 0.75);
            canvas.note((x, y), &window.name, Anchor::Start, INK);
        }
    }
}

/// A name starts with its window, or further left if it would leave the frame.
fn label_start(name: &str, from: f64, right: f64) -> f64 {
    from.min(right - text_width(name, SMALL))
}

/// Distance of the rows of a key.
const KEY_ROW: f64 = 20.0;
/// Width of a name in a key, pixels; longer ones are cut.
const KEY_NAME: f64 = 300.0;

/// Height of a key from the top of the figure.
pub(crate) fn legend_height(items: &[(&str, Key)], left: f64) -> f64 {
    let rows = legend_places((left, 0.0), items)
        .last()
        .map_or(0.0, |p| p.0.1);
    rows + 24.0
}

/// Where each item of a key lies, in rows, and its name as far as it fits.
fn legend_places(at: Point, items: &[(&str, Key)]) -> Vec<(Point, String)> {
    let (mut x, mut y) = at;
    let mut out = Vec::new();
    for (name, _) in items {
        let name = fit(name, TEXT, KEY_NAME);
        let width = 26.0 + text_width(&name, TEXT) + 16.0;
        if x > at.0 && x + width > WIDTH {
            (x, y) = (at.0, y + KEY_ROW);
        }
        out.push(((x, y), name));
        x += width;
    }
    out
}

/// A key of colours in rows.
pub(crate) fn legend(canvas: &mut Canvas<'_>, at: Point, items: &[(&str, Key)]) {
    for ((_, key), ((x, y), name)) in items.iter().zip(legend_places(at, items)) {
        match key {
            Key::Line(colour, width) => {
                canvas.line(&[(x, y), (x + 20.0, y)], *colour, *width, 1.0);
            }
            Key::Dashes(colour) => canvas.dashes((x, y), (x + 20.0, y), *colour, 1.5),
            Key::Box(colour) => canvas.rect((x + 6.0, y - 5.0), (x + 17.0, y + 6.0), *colour, 1.0),
            Key::Dot(colour) => canvas.circle((x + 12.0, y), 5.0, *colour, 1.0),
            Key::Diamond(colour) => {
                let (x, r) = (x + 12.0, 6.0);
                let points = [(x, y - r), (x + r, y), (x, y + r), (x - r, y)];
                canvas.polygon(&points, *colour, 1.0);
            }
        }
        canvas.text((x + 26.0, y), &name, Anchor::Start, INK);
    }
}

/// A mark in a key.
#[derive(Clone, Copy)]
pub(crate) enum Key {
    Line(plotters::style::RGBColor, f64),
    Dashes(plotters::style::RGBColor),
    Box(plotters::style::RGBColor),
    Dot(plotters::style::RGBColor),
    Diamond(plotters::style::RGBColor),
}
