//! Names beside places, where they cover nothing, or else least.

use super::super::canvas::{Anchor, Canvas, Point, SMALL, TEXT, WIDTH, fit, text_width};
use super::super::palette::{INK, MUTED, PAPER};
use super::layout::{Size, Spot};
use crate::words;

/// A rectangle: left, top, right, bottom.
type Area = (f64, f64, f64, f64);

/// A name in its place.
pub(super) struct Label {
    area: Area,
    anchor: Anchor,
    name: String,
    /// The count of nodes, on a second line.
    nodes: Option<String>,
}

/// Width of a name, pixels; longer ones are cut.
const NAME: f64 = 180.0;

/// A label for each place that has room for one, within the height of the figure. `lines` are
/// better not written over.
pub(super) fn place(
    spots: &[Spot<'_>],
    lines: &[(Point, Point)],
    size: &Size,
    (top, height): (f64, f64),
) -> Vec<Label> {
    let mut taken: Vec<Area> = spots
        .iter()
        .map(|s| {
            let ((x, y), r) = (s.centre, s.radius);
            (x - r, y - r, x + r, y + r)
        })
        .collect();
    let mut labels = Vec::new();
    for spot in spots {
        let name = fit(&spot.region.name, TEXT, NAME);
        let nodes = (!size.crowd).then(|| {
            let n = words::counted(spot.region.nodes.len() as u64, "node", "nodes");
            n.replace(words::NBSP, " ")
        });
        let second = nodes.as_ref().map_or(0.0, |n| text_width(n, SMALL));
        let w = text_width(&name, TEXT).max(second);
        let h = if nodes.is_some() { 32.0 } else { 17.0 };
        let covered = |area: Area| -> f64 { taken.iter().map(|t| overlap(area, *t)).sum() };
        let cost = |area: Area| {
            let outside = w * h - overlap(area, (2.0, top, WIDTH - 2.0, height - 2.0));
            let crossed: f64 = lines.iter().map(|(a, b)| crossed(area, *a, *b)).sum();
            (covered(area) + outside * 5.0) * 10.0 + crossed
        };
        let best = beside(spot, w, h)
            .into_iter()
            .map(|(area, anchor)| (cost(area), area, anchor))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let Some((_, area, anchor)) = best else {
            continue;
        };
        // A name over another is worse than none.
        if size.crowd && covered(area) > 0.0 {
            continue;
        }
        taken.push(area);
        labels.push(Label {
            area,
            anchor,
            name,
            nodes,
        });
    }
    labels
}

/// The eight areas around a place that a label of a size could lie in, best first.
fn beside(spot: &Spot<'_>, w: f64, h: f64) -> [(Area, Anchor); 8] {
    let (x, y) = spot.centre;
    let r = spot.radius + 5.0;
    let d = r * 0.75;
    [
        (x - w / 2.0, y + r, Anchor::Middle),
        (x - w / 2.0, y - r - h, Anchor::Middle),
        (x + r, y - h / 2.0, Anchor::Start),
        (x - r - w, y - h / 2.0, Anchor::End),
        (x + d, y + d, Anchor::Start),
        (x - d - w, y + d, Anchor::End),
        (x + d, y - d - h, Anchor::Start),
        (x - d - w, y - d - h, Anchor::End),
    ]
    .map(|(left, top, anchor)| ((left, top, left + w, top + h), anchor))
}

/// Pales the lines behind the names, which would make them hard to read; before the places.
pub(super) fn clear(canvas: &mut Canvas<'_>, labels: &[Label]) {
    for label in labels {
        let (left, top, right, bottom) = label.area;
        canvas.rect((left - 2.0, top), (right + 2.0, bottom), PAPER, 0.75);
    }
}

pub(super) fn draw(canvas: &mut Canvas<'_>, labels: &[Label]) {
    for label in labels {
        let (left, top, right, _) = label.area;
        let x = match label.anchor {
            Anchor::Start => left,
            Anchor::Middle => f64::midpoint(left, right),
            Anchor::End => right,
        };
        canvas.bold((x, top + 9.0), &label.name, label.anchor, INK);
        if let Some(nodes) = &label.nodes {
            canvas.note((x, top + 24.0), nodes, label.anchor, MUTED);
        }
    }
}

fn overlap(a: Area, b: Area) -> f64 {
    let w = a.2.min(b.2) - a.0.max(b.0);
    let h = a.3.min(b.3) - a.1.max(b.1);
    if w > 0.0 && h > 0.0 { w * h } else { 0.0 }
}

/// Length of the part of a line inside a rectangle, roughly.
fn crossed(area: Area, from: Point, to: Point) -> f64 {
    const SAMPLES: usize = 60;
    let inside = (0..=SAMPLES).filter(|i| {
        let s = *i as f64 / SAMPLES as f64;
        let (x, y) = (from.0 + (to.0 - from.0) * s, from.1 + (to.1 - from.1) * s);
        x > area.0 && x < area.2 && y > area.1 && y < area.3
    });
    inside.count() as f64
}
