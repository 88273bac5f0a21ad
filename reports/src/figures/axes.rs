//! Axes: scales, ticks, grid, and the strip above a time axis that names the fault windows.

use super::canvas::{Anchor, Canvas, Point, SMALL, TEXT, WIDTH, fit, text_width};
use super::palette::{GRID, INK, MUTED, ORANGE, SHADE};
use crate::words;
use consim_check::results::Results;
use plotters::style::FontStyle;

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

/// What the page's script needs to tell where a pointer is on a time axis.
#[derive(Clone, Copy)]
pub(crate) struct TimeGeometry {
    /// The frame of the data.
    pub(crate) frame: Frame,
    /// Seconds at the right end.
    pub(crate) end_s: f64,
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
struct Window<'a> {
    name: &'a str,
    from: f64,
    to: f64,
    lane: Option<usize>,
}

/// Height of a lane with the names of windows.
const LANE: f64 = 18.0;
/// Lanes; windows that find no room are shaded without a name.
const LANES: usize = 4;

/// The named windows of the warm-up and the faults above a frame, and their shades in it.
pub(crate) struct Windows<'a> {
    faults: Vec<Window<'a>>,
    warmup: f64,
    lanes: usize,
}

impl<'a> Windows<'a> {
    /// Places the names in lanes over `left..right`.
    pub(crate) fn of(results: &'a Results, end_s: f64, left: f64, right: f64) -> Self {
        let scale = Scale::linear((0.0, end_s), (left, right));
        let warmup = results.warmup_s.clamp(0.0, end_s);
        let mut faults: Vec<Window<'_>> = results
            .outcome
            .faults
            .iter()
            .filter(|f| f.to_s > f.from_s && f.from_s < end_s)
            .map(|f| Window {
                name: &f.id,
                from: f.from_s,
                to: f.to_s.min(end_s),
                lane: None,
            })
            .collect();
        faults.sort_by(|a, b| a.from.total_cmp(&b.from).then(a.name.cmp(b.name)));
        let mut free = [left; LANES];
        if warmup > 0.0 {
            free = [left; LANES];
            if let Some(first) = free.first_mut() {
                *first = scale.px(warmup).max(left + text_width("warm-up", SMALL)) + 6.0;
            }
        }
        let mut lanes = usize::from(warmup > 0.0);
        for window in &mut faults {
            let start = label_start(window.name, scale.px(window.from), right);
            let end = (start + text_width(window.name, SMALL)).max(scale.px(window.to));
            let lane = free.iter().position(|&f| f <= start);
            if let Some(lane) = lane {
                if let Some(f) = free.get_mut(lane) {
                    *f = end + 8.0;
                }
                lanes = lanes.max(lane + 1);
            }
            window.lane = lane;
        }
        Self {
            faults,
            warmup,
            lanes,
        }
    }

    /// Height above the frame, pixels.
    pub(crate) fn height(&self) -> f64 {
        self.lanes as f64 * LANE + 4.0
    }

    /// Draws shades and names; before the data.
    pub(crate) fn draw(&self, canvas: &mut Canvas<'_>, frame: &Frame, scale: &Scale) {
        let lane_y = |lane: usize| frame.top - 12.0 - lane as f64 * LANE;
        if self.warmup > 0.0 {
            let x = scale.px(self.warmup);
            canvas.rect((frame.left, frame.top), (x, frame.bottom), SHADE, 0.22);
            canvas.text_as(
                (frame.left, lane_y(0)),
                "warm-up",
                Anchor::Start,
                MUTED,
                SMALL,
                FontStyle::Normal,
            );
        }
        for window in &self.faults {
            let (from, to) = (scale.px(window.from), scale.px(window.to));
            // A window of a moment is still seen.
            let to = to.max(from + 1.5);
            canvas.rect((from, frame.top), (to, frame.bottom), ORANGE, 0.2);
            canvas.rect((from, frame.top - 3.0), (to, frame.top), ORANGE, 1.0);
            let Some(lane) = window.lane else { continue };
            let start = label_start(window.name, from, frame.right);
            let name = fit(window.name, SMALL, frame.right - start + 2.0);
            canvas.text_as(
                (start, lane_y(lane)),
                &name,
                Anchor::Start,
                INK,
                SMALL,
                FontStyle::Normal,
            );
            if lane > 0 {
                let top = lane_y(lane) + 7.0;
                canvas.line(&[(from, top), (from, frame.top)], ORANGE, 1.0, 1.0);
            }
        }
    }
}

/// A name starts with its window, or further left if it would leave the frame.
fn label_start(name: &str, from: f64, right: f64) -> f64 {
    from.min(right - text_width(name, SMALL)).max(60.0)
}

/// A key of colours in a row; gives the x after it.
pub(crate) fn legend(canvas: &mut Canvas<'_>, at: Point, items: &[(&str, Key)]) -> f64 {
    let (mut x, y) = at;
    for (name, key) in items {
        match key {
            Key::Line(colour, width) => {
                canvas.line(&[(x, y), (x + 20.0, y)], *colour, *width, 1.0);
            }
            Key::Dashes(colour) => canvas.dashes((x, y), (x + 20.0, y), *colour, 1.5),
            Key::Box(colour) => canvas.rect((x + 6.0, y - 5.0), (x + 17.0, y + 6.0), *colour, 1.0),
            Key::Dot(colour) => canvas.circle((x + 12.0, y), 5.0, *colour, 1.0),
        }
        canvas.text((x + 26.0, y), name, Anchor::Start, INK);
        x += 26.0 + text_width(name, TEXT) + 16.0;
        if x > WIDTH {
            break;
        }
    }
    x
}

/// A mark in a key.
#[derive(Clone, Copy)]
pub(crate) enum Key {
    Line(plotters::style::RGBColor, f64),
    Dashes(plotters::style::RGBColor),
    Box(plotters::style::RGBColor),
    Dot(plotters::style::RGBColor),
}
