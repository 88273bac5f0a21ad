//! Reads a figure back: frame, scales and marks, from nothing but its SVG.

use crate::markup::{Node, xml};

/// Units of the view box in a pixel of the figure.
const UNITS: f64 = 10.0;

/// A figure, read.
pub(crate) struct Drawing {
    root: Node,
}

/// A text with its anchor point and colour.
pub(crate) struct Label {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) anchor: String,
    pub(crate) size: f64,
    pub(crate) text: String,
    pub(crate) turned: bool,
}

/// A linear map from pixels to values, or to their decimal logarithms.
#[derive(Clone, Copy)]
pub(crate) struct Axis {
    at: (f64, f64),
    slope: f64,
    log: bool,
}

impl Axis {
    fn through(a: (f64, f64), b: (f64, f64), log: bool) -> Self {
        let of = |v: f64| if log { libm::log10(v) } else { v };
        Self {
            at: (a.0, of(a.1)),
            slope: (of(b.1) - of(a.1)) / (b.0 - a.0),
            log,
        }
    }

    /// The value at a pixel.
    pub(crate) fn value(&self, px: f64) -> f64 {
        let v = self.at.1 + (px - self.at.0) * self.slope;
        if self.log { libm::pow(10.0, v) } else { v }
    }

    /// The pixel of a value.
    pub(crate) fn px(&self, value: f64) -> f64 {
        let v = if self.log { libm::log10(value) } else { value };
        self.at.0 + (v - self.at.1) / self.slope
    }
}

impl Drawing {
    pub(crate) fn of(svg: &str) -> Result<Self, String> {
        let root = xml(svg)?;
        if root.name != "svg" || root.attribute("xmlns") != Some("http://www.w3.org/2000/svg") {
            return Err("not an SVG".into());
        }
        Ok(Self { root })
    }

    pub(crate) fn size(&self) -> (f64, f64) {
        (self.root.number("width"), self.root.number("height"))
    }

    /// Filled rectangles of a colour: left, top, right, bottom, opacity.
    pub(crate) fn boxes(&self, colour: &str) -> Vec<[f64; 5]> {
        let rects = self.root.all("rect");
        let rects = rects
            .into_iter()
            .filter(|r| r.attribute("fill") == Some(colour));
        rects
            .map(|r| {
                let [x, y, w, h] = ["x", "y", "width", "height"].map(|n| r.number(n) / UNITS);
                // An opacity of 1 is not written.
                let opacity = r.attribute("opacity").map_or(1.0, |o| o.parse().unwrap());
                [x, y, x + w, y + h, opacity]
            })
            .collect()
    }

    /// Lines of a colour, or of any, as points.
    pub(crate) fn lines(&self, colour: Option<&str>) -> Vec<Vec<(f64, f64)>> {
        let lines = self.root.all("polyline");
        lines
            .into_iter()
            .filter(|l| colour.is_none() || l.attribute("stroke") == colour)
            .map(|l| points(l.attribute("points").unwrap()))
            .collect()
    }

    pub(crate) fn circles(&self) -> usize {
        self.root.all("circle").len()
    }

    pub(crate) fn labels(&self) -> Vec<Label> {
        let texts = self.root.all("text");
        texts
            .into_iter()
            .map(|t| Label {
                x: t.number("x") / UNITS,
                y: t.number("y") / UNITS,
                anchor: t.attribute("text-anchor").unwrap().into(),
                size: t.number("font-size") / UNITS,
                text: t.text().trim().replace('\u{a0}', " "),
                turned: t.attribute("transform").is_some(),
            })
            .collect()
    }

    /// Every point of every mark, with what it is part of.
    pub(crate) fn points(&self) -> Vec<(String, f64, f64)> {
        let mut out = Vec::new();
        for node in self.root.walk() {
            let name = &node.name;
            let mut put = |x: f64, y: f64| out.push((name.clone(), x / UNITS, y / UNITS));
            match name.as_str() {
                "rect" => {
                    let [x, y, w, h] = ["x", "y", "width", "height"].map(|n| node.number(n));
                    put(x, y);
                    put(x + w, y + h);
                    assert!(w >= 0.0 && h >= 0.0, "a rectangle of {w} by {h}");
                }
                "circle" => {
                    let [x, y, r] = ["cx", "cy", "r"].map(|n| node.number(n));
                    put(x - r, y - r);
                    put(x + r, y + r);
                }
                "line" => {
                    put(node.number("x1"), node.number("y1"));
                    put(node.number("x2"), node.number("y2"));
                }
                "polyline" | "polygon" => {
                    for (x, y) in points(node.attribute("points").unwrap()) {
                        put(x * UNITS, y * UNITS);
                    }
                }
                "text" => put(node.number("x"), node.number("y")),
                _ => {}
            }
        }
        out
    }

    /// The axis below the frame, from the labels of its ticks.
    pub(crate) fn x_axis(&self, value: fn(&str) -> Option<f64>, log: bool) -> Axis {
        let ticks = self.ticks_below(value);
        let (first, last) = (ticks[0], ticks[ticks.len() - 1]);
        Axis::through(first, last, log)
    }

    /// The ticks below the frame: x, value.
    fn ticks_below(&self, value: fn(&str) -> Option<f64>) -> Vec<(f64, f64)> {
        // The name of the axis is the lowest text, its ticks are in the row above.
        let labels = self.labels();
        let upright = || labels.iter().filter(|l| !l.turned && l.anchor == "middle");
        let lowest = upright().map(|l| l.y).fold(0.0, f64::max);
        let row = upright()
            .map(|l| l.y)
            .filter(|y| *y < lowest - 1.0)
            .fold(0.0, f64::max);
        upright()
            .filter(|l| (l.y - row).abs() < 1.0)
            .map(|l| {
                (
                    l.x,
                    value(&l.text).unwrap_or_else(|| panic!("the tick {}", l.text)),
                )
            })
            .collect()
    }

    /// The axis beside the frame.
    pub(crate) fn y_axis(&self, value: fn(&str) -> Option<f64>, log: bool) -> Axis {
        let labels = self.labels();
        let ticks = labels.iter().filter(|l| l.anchor == "end");
        let ticks: Vec<_> = ticks.map(|l| (l.y, value(&l.text).unwrap())).collect();
        Axis::through(ticks[0], ticks[ticks.len() - 1], log)
    }
}

fn points(text: &str) -> Vec<(f64, f64)> {
    text.split_whitespace()
        .map(|p| {
            let (x, y) = p.split_once(',').unwrap();
            (
                x.parse::<f64>().unwrap() / UNITS,
                y.parse::<f64>().unwrap() / UNITS,
            )
        })
        .collect()
}

/// `1,000`.
pub(crate) fn plain(text: &str) -> Option<f64> {
    text.replace(',', "").parse().ok()
}

/// `25 %` as a share.
pub(crate) fn percent(text: &str) -> Option<f64> {
    Some(plain(text.strip_suffix(" %")?)? / 100.0)
}

/// `20 ms`, `1 s`, in milliseconds.
pub(crate) fn millis(text: &str) -> Option<f64> {
    if text == "0" {
        return Some(0.0);
    }
    let (number, unit) = text.split_once(' ')?;
    let factor = match unit {
        "µs" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        _ => return None,
    };
    Some(plain(number)? * factor)
}
