//! The heat map of a study.

use super::SEED;
use super::design::{Axis, Design};
use super::page::ends;
use crate::figures::{
    Anchor, BLUE, Canvas, INK, MUTED, RED, SMALL, TEXT, WIDTH, fit, svg, text_width,
};
use crate::files::ReportError;
use crate::words;
use consim_check::statistics::Interval;
use consim_check::verdict;

/// Columns that are drawn.
const COLUMNS: usize = 10;
/// Rows that are drawn.
const ROWS: usize = 40;
/// Height of a field, pixels.
const FIELD: f64 = 62.0;
/// Width of a field at most.
const WIDE: f64 = 190.0;
/// The faintest and the fullest colour of a field: text stays readable on both.
const TINT: (f64, f64) = (0.06, 0.55);

/// What the colour stands for.
struct Measure {
    word: &'static str,
    name: &'static str,
    /// What stands in a field that has none.
    without: &'static str,
    render: fn(f64) -> String,
}

const LEFT: Measure = Measure {
    word: "throughput_left",
    name: "Throughput left in the windows of faults and attacks, as a share of the same run without them",
    without: "undisturbed",
    render: words::percent,
};
const THROUGHPUT: Measure = Measure {
    word: "throughput",
    name: "Transactions committed per second",
    without: "not measured",
    render: words::short,
};

/// The dimensions of designs: the label if there are variants, and every axis but the seed.
fn dimensions(axes: &[Axis], variants: bool) -> Vec<String> {
    let names = axes.iter().filter(|axis| axis.name != SEED);
    variants
        .then(|| "variant".to_owned())
        .into_iter()
        .chain(names.map(|axis| axis.name.clone()))
        .collect()
}

/// A design's place in each dimension.
fn place(design: &Design) -> Vec<&str> {
    let label = design.variant.iter().map(String::as_str);
    label
        .chain(design.values.iter().map(String::as_str))
        .collect()
}

fn position<'a>(list: &mut Vec<Vec<&'a str>>, item: Vec<&'a str>) -> usize {
    let known = list.iter().position(|other| *other == item);
    known.unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}

/// Caption and drawing; nothing if there is but one design, or nothing was measured.
pub(super) fn map(
    axes: &[Axis],
    variants: bool,
    designs: &[Design],
) -> Result<Option<(String, String)>, ReportError> {
    let names = dimensions(axes, variants);
    let Some((across, down)) = names.split_last() else {
        return Ok(None);
    };
    let fed = |word| designs.iter().any(|design| design.figure(word).is_some());
    let measure = if fed(LEFT.word) { LEFT } else { THROUGHPUT };
    if designs.len() < 2 || !fed(measure.word) {
        return Ok(None);
    }
    let (mut columns, mut rows): (Vec<Vec<&str>>, Vec<Vec<&str>>) = (Vec::new(), Vec::new());
    let mut fields: Vec<(usize, usize, &Design)> = Vec::new();
    for design in designs {
        let place = place(design);
        let (column, row) = match place.split_last() {
            Some((last, rest)) => (vec![*last], rest.to_vec()),
            None => continue,
        };
        let at = (position(&mut columns, column), position(&mut rows, row));
        fields.push((at.0, at.1, design));
    }
    let (n, m) = (columns.len().min(COLUMNS), rows.len().min(ROWS));
    fields.retain(|(column, row, _)| *column < n && *row < m);
    let drawing = draw(&measure, across, down, (&columns, n), (&rows, m), &fields)?;
    let seeds = designs.iter().map(|d| d.cells.len()).max().unwrap_or(1);
    let cut = if n < columns.len() || m < rows.len() {
        format!(
            " The first {n} of {} columns and {m} of {} rows are drawn.",
            columns.len(),
            rows.len()
        )
    } else {
        String::new()
    };
    let interval = if seeds > 1 {
        format!(" Mean over {seeds} seeds, below it the 95 % interval.")
    } else {
        " One seed: there is no interval.".into()
    };
    let caption = format!(
        "{}: the fuller the colour, the more.{interval} The last line counts the runs in which no \
         check was violated; red where one was.{cut}",
        measure.name
    );
    Ok(Some((caption, drawing)))
}

fn draw(
    measure: &Measure,
    across: &str,
    down: &[String],
    (columns, n): (&[Vec<&str>], usize),
    (rows, m): (&[Vec<&str>], usize),
    fields: &[(usize, usize, &Design)],
) -> Result<String, ReportError> {
    let names: Vec<String> = rows.iter().take(m).map(|row| row.join(", ")).collect();
    let longest = names.iter().map(|name| text_width(name, TEXT));
    let heading = down.join(", ");
    let left = longest
        .chain([text_width(&heading, SMALL)])
        .fold(0.0, f64::max)
        .clamp(40.0, 300.0)
        + 16.0;
    let (top, wide) = (46.0, ((WIDTH - left - 4.0) / n.max(1) as f64).min(WIDE));
    let values = || fields.iter().filter_map(|(_, _, d)| d.figure(measure.word));
    let most = values()
        .map(|v| v.estimate)
        .fold(f64::NEG_INFINITY, f64::max);
    let least = values().map(|v| v.estimate).fold(f64::INFINITY, f64::min);
    let tint = |value: f64| {
        let share = if most > least {
            (value - least) / (most - least)
        } else {
            0.5
        };
        TINT.0 + share * (TINT.1 - TINT.0)
    };
    svg(
        top + m as f64 * FIELD + 8.0,
        "Heat map of the study",
        |canvas| {
            canvas.note(
                (left, 12.0),
                &fit(across, SMALL, WIDTH - left),
                Anchor::Start,
                MUTED,
            );
            canvas.note(
                (8.0, 34.0),
                &fit(&heading, SMALL, left - 12.0),
                Anchor::Start,
                MUTED,
            );
            for (i, column) in columns.iter().take(n).enumerate() {
                let x = left + (i as f64 + 0.5) * wide;
                let name = fit(&column.join(", "), TEXT, wide - 6.0);
                canvas.bold((x, 34.0), &name, Anchor::Middle, INK);
            }
            for (i, name) in names.iter().enumerate() {
                let y = top + (i as f64 + 0.5) * FIELD;
                canvas.text((8.0, y), &fit(name, TEXT, left - 12.0), Anchor::Start, INK);
            }
            for (column, row, design) in fields {
                let at = (left + *column as f64 * wide, top + *row as f64 * FIELD);
                let figure = design.figure(measure.word);
                field(canvas, at, wide, measure, design, figure, tint);
            }
        },
    )
}

fn field(
    canvas: &mut Canvas<'_>,
    (x, y): (f64, f64),
    wide: f64,
    measure: &Measure,
    design: &Design,
    figure: Option<Interval>,
    tint: impl Fn(f64) -> f64,
) {
    let (middle, right, bottom) = (x + wide / 2.0, x + wide - 3.0, y + FIELD - 3.0);
    if let Some(figure) = figure {
        canvas.rect((x, y), (right, bottom), BLUE, tint(figure.estimate));
    }
    let plain = |text: String| text.replace(words::NBSP, " ");
    let value = figure.map_or_else(
        || measure.without.into(),
        |f| plain((measure.render)(f.estimate)),
    );
    canvas.bold((middle, y + 15.0), &value, Anchor::Middle, INK);
    if let Some(ends) = figure.and_then(|figure| ends(&figure, measure.render)) {
        let ends = fit(&plain(ends), SMALL, wide - 6.0);
        canvas.note((middle, y + 31.0), &ends, Anchor::Middle, MUTED);
    }
    let n = design.cells.len() as u64;
    let violated = design.ended(&[verdict::EXIT_SAFETY, verdict::EXIT_LIVENESS]);
    let kept = format!("{} of {n} kept", n - violated);
    let colour = if violated > 0 { RED } else { MUTED };
    if violated > 0 {
        for (from, to) in [((x, y), (right, y)), ((x, bottom), (right, bottom))] {
            canvas.line(&[from, to], RED, 2.0, 1.0);
        }
    }
    canvas.note((middle, y + 48.0), &kept, Anchor::Middle, colour);
}
