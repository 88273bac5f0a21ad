//! How each kind of operation ended.

use super::axes::{Frame, Key, Scale, legend};
use super::canvas::{Anchor, TEXT, WIDTH, fit, svg, text_width};
use super::palette::{BLUE, GREEN, INK, MUTED, RED, SHADE};
use super::{Drawn, largest, most_frequent};
use crate::availability;
use crate::words;
use consim_check::outcome::Operation;
use consim_check::results::Results;
use plotters::style::RGBColor;

const ROW: f64 = 30.0;
/// Rows; more are in the table.
const ROWS: usize = 16;

type Part = (&'static str, RGBColor, fn(&Operation) -> u64);
const PARTS: [Part; 4] = [
    ("done", BLUE, |op| op.committed),
    ("refused", GREEN, |op| op.refused),
    ("failed", RED, |op| op.failed),
    ("open at the end", SHADE, |op| op.open),
];

/// One bar a kind of operation: done, refused, failed, open; with its availability.
pub(crate) fn operations(results: &Results) -> Drawn {
    let rows: Vec<(&String, &Operation, u64)> = results
        .outcome
        .operations
        .iter()
        .map(|(name, op)| (name, op, PARTS.iter().map(|(_, _, of)| of(op)).sum()))
        .filter(|(_, _, total)| *total > 0)
        .collect();
    let all_kinds = rows.len();
    let rows = largest(rows, ROWS, |(_, _, total)| *total);
    if rows.is_empty() {
        return Ok(None);
    }
    let names = rows.iter().map(|(name, _, _)| text_width(name, TEXT));
    let left = names.fold(60.0, f64::max).min(220.0) + 24.0;
    let frame = Frame {
        left,
        right: WIDTH - 190.0,
        top: 30.0,
        bottom: 30.0 + rows.len() as f64 * ROW,
    };
    let x = Scale::linear((0.0, 1.0), (frame.left, frame.right));
    let ticks: Vec<_> = [0.0, 0.25, 0.5, 0.75, 1.0]
        .into_iter()
        .map(|s| (s, words::percent(s).replace(words::NBSP, " ")))
        .collect();
    let alt = "How operations of each kind ended";
    let svg = svg(frame.bottom + 48.0, alt, |canvas| {
        let present: Vec<(&str, Key)> = PARTS
            .iter()
            .filter(|(_, _, of)| rows.iter().any(|(_, op, _)| of(op) > 0))
            .map(|(name, colour, _)| (*name, Key::Box(*colour)))
            .collect();
        legend(canvas, (frame.left - 6.0, 10.0), &present);
        canvas.text(
            (frame.right + 14.0, 10.0),
            "availability, count",
            Anchor::Start,
            MUTED,
        );
        frame.x_axis(
            canvas,
            &x,
            &ticks,
            true,
            "share of the operations of a kind",
        );
        for (i, (name, op, total)) in rows.iter().enumerate() {
            let y = frame.top + (i as f64 + 0.5) * ROW;
            let name = fit(name, TEXT, left - 14.0);
            canvas.text((frame.left - 10.0, y), &name, Anchor::End, INK);
            let mut sum = 0;
            for (_, colour, of) in PARTS {
                let n = of(op);
                if n == 0 {
                    continue;
                }
                let from = x.px(sum as f64 / *total as f64);
                sum += n;
                // One failure among thousands is still seen.
                let to = x.px(sum as f64 / *total as f64);
                let from = from.min(to - 1.5);
                canvas.rect((from, y - 9.0), (to, y + 9.0), colour, 1.0);
            }
            let share = availability::of_operation(op).map_or("–".into(), words::percent);
            let note = format!("{share}, {}", words::count(*total));
            let at = (frame.right + 14.0, y);
            canvas.note(at, &note.replace(words::NBSP, " "), Anchor::Start, INK);
        }
    })?;
    let caption = format!(
        "How the operations of each kind ended{}.",
        most_frequent(rows.len(), all_kinds)
    );
    Ok(Some((caption, svg)))
}
