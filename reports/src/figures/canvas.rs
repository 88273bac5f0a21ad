//! A drawing area in pixels with fractions, over plotters' SVG backend.
//!
//! The backend works in whole units; drawing in tenths of a pixel and giving the picture a view box
//! of that size keeps curves smooth. It knows no fonts, so the width of a text is an estimate on
//! the safe side ([`text_width`]).

use crate::files::ReportError;
use crate::words;
use plotters::coord::Shift;
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::prelude::{DrawingArea, IntoDrawingArea, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontFamily, FontStyle, FontTransform, IntoFont, RGBColor, ShapeStyle, TextStyle,
};

/// Width of every figure, pixels.
pub(crate) const WIDTH: f64 = 900.0;
/// What marks a file as SVG; inside a page it says nothing.
pub(crate) const XMLNS: &str = " xmlns=\"http://www.w3.org/2000/svg\"";
/// Size of all text but notes, pixels.
pub(crate) const TEXT: f64 = 13.0;
/// Size of notes.
pub(crate) const SMALL: f64 = 12.0;

/// Units of the backend in a pixel.
const UNITS: f64 = 10.0;
const FONT: &str =
    "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif";
/// plotters divides font sizes by this before it writes them.
const FONT_FACTOR: f64 = 1.24;

/// Where a text lies relative to its point.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A point, pixels from the upper left corner.
pub(crate) type Point = (f64, f64);

/// What is being drawn. The first error is kept and told by [`svg`].
pub(crate) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    error: Option<String>,
}

/// Draws a figure of [`WIDTH`] by `height` pixels.
///
/// The title is read out in place of the picture.
pub(crate) fn svg(
    height: f64,
    title: &'static str,
    draw: impl FnOnce(&mut Canvas<'_>),
) -> Result<String, ReportError> {
    let mut out = String::new();
    {
        let area = SVGBackend::with_string(&mut out, (unit(WIDTH) as u32, unit(height) as u32))
            .into_drawing_area();
        let mut canvas = Canvas { area, error: None };
        draw(&mut canvas);
        let presented = canvas.area.present();
        canvas.keep(presented);
        if let Some(error) = canvas.error {
            return Err(ReportError::Figure(error));
        }
    }
    // The backend's first line states units as pixels.
    let body = out.split_once('\n').map_or("", |(_, body)| body);
    Ok(format!(
        "<svg{XMLNS} width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{title}\">\n{}",
        unit(WIDTH),
        unit(height),
        body.replace("opacity=\"1\" ", "")
    ))
}

/// Width of a text, pixels; on the safe side for the usual sans-serif faces.
pub(crate) fn text_width(text: &str, size: f64) -> f64 {
    text.chars()
        .map(|c| match c {
            'i' | 'l' | 'j' | '.' | ',' | ':' | ';' | '\'' | '|' | 'I' | '!' => 0.34,
            'f' | 't' | 'r' | ' ' | '-' | '(' | ')' | '/' => 0.42,
            'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.96,
            c if c.is_ascii_uppercase() => 0.72,
            c if c.is_ascii() => 0.62,
            c if c < '\u{1100}' => 0.7,
            _ => 1.05,
        })
        .sum::<f64>()
        * size
}

/// A text cut to a width.
pub(crate) fn fit(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.into();
    }
    let mut out = String::new();
    for c in text.chars() {
        out.push(c);
        if text_width(&out, size) + size > width {
            break;
        }
    }
    out.push('…');
    out
}

fn unit(px: f64) -> i32 {
    (px * UNITS).round() as i32
}

fn at((x, y): Point) -> (i32, i32) {
    (unit(x), unit(y))
}

fn filled(colour: RGBColor, opacity: f64) -> ShapeStyle {
    colour.mix(opacity).filled()
}

impl Canvas<'_> {
    fn keep<E: std::fmt::Display>(&mut self, result: Result<(), E>) {
        if let Err(e) = result {
            self.error.get_or_insert_with(|| e.to_string());
        }
    }

    /// A line through points.
    pub(crate) fn line(&mut self, points: &[Point], colour: RGBColor, width: f64, opacity: f64) {
        let style = ShapeStyle {
            color: colour.mix(opacity),
            filled: false,
            stroke_width: unit(width).max(1) as u32,
        };
        let points: Vec<_> = points.iter().copied().map(at).collect();
        let drawn = self.area.draw(&PathElement::new(points, style));
        self.keep(drawn);
    }

    /// A line of dashes.
    pub(crate) fn dashes(&mut self, from: Point, to: Point, colour: RGBColor, width: f64) {
        self.dashed(&[from, to], colour, width);
    }

    /// A line of dashes through points.
    pub(crate) fn dashed(&mut self, points: &[Point], colour: RGBColor, width: f64) {
        let (on, step) = (5.0, 9.0);
        // How far along the present dash and the gap after it, and what of the dash is drawn so far.
        let (mut along, mut dash) = (0.0, Vec::from_iter(points.first().copied()));
        for pair in points.windows(2) {
            let [from, to] = [pair[0], pair[1]];
            let (dx, dy) = (to.0 - from.0, to.1 - from.1);
            let length = (dx * dx + dy * dy).sqrt();
            let mut done = 0.0;
            while done < length {
                let draws = along < on;
                let until = if draws { on } else { step };
                let part = f64::min(until - along, length - done);
                done += part;
                along += part;
                let point = (from.0 + dx * done / length, from.1 + dy * done / length);
                if draws {
                    dash.push(point);
                }
                if along >= until && draws {
                    self.line(&std::mem::take(&mut dash), colour, width, 1.0);
                } else if along >= until {
                    (along, dash) = (0.0, vec![point]);
                }
            }
        }
        if along < on && dash.len() > 1 {
            self.line(&dash, colour, width, 1.0);
        }
    }

    /// A filled polygon.
    pub(crate) fn polygon(&mut self, points: &[Point], colour: RGBColor, opacity: f64) {
        let points: Vec<_> = points.iter().copied().map(at).collect();
        let drawn = self
            .area
            .draw(&Polygon::new(points, filled(colour, opacity)));
        self.keep(drawn);
    }

    /// A filled rectangle between two corners.
    pub(crate) fn rect(&mut self, from: Point, to: Point, colour: RGBColor, opacity: f64) {
        let drawn = self
            .area
            .draw(&Rectangle::new([at(from), at(to)], filled(colour, opacity)));
        self.keep(drawn);
    }

    /// A filled circle.
    pub(crate) fn circle(&mut self, centre: Point, radius: f64, colour: RGBColor, opacity: f64) {
        let drawn = self.area.draw(&Circle::new(
            at(centre),
            unit(radius),
            filled(colour, opacity),
        ));
        self.keep(drawn);
    }

    /// A text whose middle line is at the point's height.
    pub(crate) fn text(&mut self, point: Point, text: &str, anchor: Anchor, colour: RGBColor) {
        let style = text_style(anchor, colour, TEXT, FontStyle::Normal);
        self.write(point, text, style);
    }

    /// A text in the size of notes.
    pub(crate) fn note(&mut self, point: Point, text: &str, anchor: Anchor, colour: RGBColor) {
        let style = text_style(anchor, colour, SMALL, FontStyle::Normal);
        self.write(point, text, style);
    }

    /// A text in bold.
    pub(crate) fn bold(&mut self, point: Point, text: &str, anchor: Anchor, colour: RGBColor) {
        let style = text_style(anchor, colour, TEXT, FontStyle::Bold);
        self.write(point, text, style);
    }

    /// A text that reads upwards.
    pub(crate) fn text_up(&mut self, point: Point, text: &str, colour: RGBColor) {
        let mut style = text_style(Anchor::Middle, colour, TEXT, FontStyle::Normal);
        style.font = style.font.transform(FontTransform::Rotate270);
        self.write(point, text, style);
    }

    fn write(&mut self, point: Point, text: &str, style: TextStyle<'_>) {
        // The backend escapes what is markup, not what XML forbids.
        let text: String = text.chars().map(words::visible).collect();
        let drawn = self.area.draw(&Text::new(text, at(point), style));
        self.keep(drawn);
    }
}

fn text_style(
    anchor: Anchor,
    colour: RGBColor,
    size: f64,
    weight: FontStyle,
) -> TextStyle<'static> {
    let h = match anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let font = (FontFamily::Name(FONT), size * UNITS * FONT_FACTOR, weight).into_font();
    TextStyle {
        font,
        color: colour.to_backend_color(),
        pos: Pos::new(h, VPos::Center),
    }
}
