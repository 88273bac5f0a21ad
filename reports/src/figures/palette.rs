//! Colours: Okabe and Ito's palette (jfly.uni-koeln.de/color, 2008), told apart by people with any
//! kind of colour vision, and a few greys.
//!
//! A figure on its own is drawn on white. In the page, [`stylesheet`] gives every colour its value
//! for light and for dark.

use plotters::style::RGBColor;
use std::fmt::Write;

/// Text, axes.
pub(crate) const INK: RGBColor = RGBColor(0x1C, 0x21, 0x28);
/// Tick labels, notes.
pub(crate) const MUTED: RGBColor = RGBColor(0x59, 0x63, 0x6E);
/// Grid lines.
pub(crate) const GRID: RGBColor = RGBColor(0xE1, 0xE5, 0xEA);
/// Warm-up, places.
pub(crate) const SHADE: RGBColor = RGBColor(0x8B, 0x94, 0x9E);
/// Behind everything.
pub(crate) const PAPER: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);
pub(crate) const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
pub(crate) const SKY: RGBColor = RGBColor(0x56, 0xB4, 0xE9);
pub(crate) const GREEN: RGBColor = RGBColor(0x00, 0x9E, 0x73);
pub(crate) const ORANGE: RGBColor = RGBColor(0xE6, 0x9F, 0x00);
pub(crate) const RED: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
pub(crate) const PINK: RGBColor = RGBColor(0xCC, 0x79, 0xA7);
pub(crate) const YELLOW: RGBColor = RGBColor(0xC9, 0xB9, 0x00);

/// In the order in which lines and kinds take them.
pub(crate) const SERIES: [RGBColor; 7] = [BLUE, RED, GREEN, PINK, ORANGE, SKY, YELLOW];

/// The colour of the `i`-th line or kind; grey for those that have none of their own.
pub(crate) fn series(i: usize) -> RGBColor {
    SERIES.get(i).copied().unwrap_or(SHADE)
}

/// Every colour with its value on a dark page.
const DARK: [(RGBColor, &str); 12] = [
    (INK, "#e6edf3"),
    (MUTED, "#9aa5b1"),
    (GRID, "#2d343c"),
    (SHADE, "#6e7781"),
    (PAPER, "#161b22"),
    (BLUE, "#4ba3e3"),
    (SKY, "#8fd0f5"),
    (GREEN, "#2fbf93"),
    (ORANGE, "#f0b429"),
    (RED, "#f0813c"),
    (PINK, "#dd9abf"),
    (YELLOW, "#e5d84a"),
];

/// CSS that recolours inlined figures for a dark page.
pub(crate) fn stylesheet() -> String {
    let mut out = String::new();
    for (RGBColor(r, g, b), dark) in DARK {
        for key in ["fill", "stroke"] {
            // Writing to a string cannot fail.
            let _ = writeln!(
                out,
                "figure [{key}=\"#{r:02X}{g:02X}{b:02X}\"]{{{key}:{dark}}}"
            );
        }
    }
    out
}
