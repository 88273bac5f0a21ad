//! How busy the busiest nodes were.

use super::Drawn;
use super::axes::{Frame, Key, Scale, legend, ticks};
use super::canvas::{Anchor, TEXT, WIDTH, fit, svg, text_width};
use super::palette::{BLUE, GREEN, GRID, INK, ORANGE, PINK};
use crate::words;
use consim_check::results::{NodeUse, Results};
use plotters::style::RGBColor;

/// Nodes that are shown.
const BUSIEST: usize = 10;

type Part = (&'static str, RGBColor, fn(&NodeUse) -> f64);
const PARTS: [Part; 4] = [
    ("CPU", BLUE, |n| n.cpu),
    ("disk", ORANGE, |n| n.disk),
    ("network out", GREEN, |n| n.nic_out),
    ("network in", PINK, |n| n.nic_in),
];

/// The busiest share of a node; what is not a number counts as idle.
fn busiest_share(node: &NodeUse) -> f64 {
    PARTS
        .iter()
        .map(|(_, _, of)| of(node))
        .filter(|x| x.is_finite())
        .fold(0.0, f64::max)
}

/// All nodes, busiest first.
pub(crate) fn by_use(results: &Results) -> Vec<&NodeUse> {
    let mut nodes: Vec<&NodeUse> = results.resources.iter().collect();
    nodes.sort_by(|a, b| {
        busiest_share(b)
            .total_cmp(&busiest_share(a))
            .then_with(|| a.name.cmp(&b.name))
    });
    nodes
}

/// Four bars a node.
pub(crate) fn utilisation(results: &Results) -> Drawn {
    let mut nodes = by_use(results);
    nodes.truncate(BUSIEST);
    let Some(most) = nodes.first().map(|n| busiest_share(n)) else {
        return Ok(None);
    };
    let (bar, gap) = (5.0, 11.0);
    let row = bar * PARTS.len() as f64 + gap;
    let names = nodes.iter().map(|n| text_width(&n.name, TEXT));
    let left = names.fold(60.0, f64::max).min(240.0) + 24.0;
    let frame = Frame {
        left,
        right: WIDTH - 74.0,
        top: 30.0,
        bottom: 30.0 + row * nodes.len() as f64,
    };
    let ticks = if most > 0.5 {
        vec![0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    } else {
        ticks(most.max(1e-4), 5)
    };
    let top = ticks.last().copied().unwrap_or(1.0);
    let x = Scale::linear((0.0, top), (frame.left, frame.right));
    let labels: Vec<_> = ticks
        .iter()
        .map(|&t| (t, words::short(t * 100.0)))
        .collect();
    let alt = "Busy share of the busiest nodes";
    let svg = svg(frame.bottom + 48.0, alt, |canvas| {
        let items: Vec<_> = PARTS
            .iter()
            .map(|(name, c, _)| (*name, Key::Box(*c)))
            .collect();
        legend(canvas, (frame.left - 6.0, 10.0), &items);
        frame.x_axis(canvas, &x, &labels, true, "busy share of the run, %");
        for (i, node) in nodes.iter().enumerate() {
            let top = frame.top + i as f64 * row;
            if i > 0 {
                canvas.line(&[(10.0, top), (frame.right, top)], GRID, 1.0, 1.0);
            }
            let y = top + row / 2.0;
            let name = fit(&node.name, TEXT, left - 14.0);
            canvas.text((frame.left - 10.0, y), &name, Anchor::End, INK);
            for (k, (_, colour, of)) in PARTS.iter().enumerate() {
                let share = of(node);
                if !share.is_finite() || share <= 0.0 {
                    continue;
                }
                let y = top + gap / 2.0 + k as f64 * bar;
                canvas.rect(
                    (frame.left, y),
                    (x.px(share).max(frame.left + 1.0), y + bar - 1.0),
                    *colour,
                    1.0,
                );
            }
            let said = words::percent(busiest_share(node)).replace(words::NBSP, " ");
            canvas.text((frame.right + 8.0, y), &said, Anchor::Start, INK);
        }
    })?;
    let which = if results.resources.len() > BUSIEST {
        "The busiest nodes"
    } else {
        "All nodes"
    };
    let caption = format!(
        "{which}, each by the share of the run that its CPU, disk and network interface were busy; \
         the number is the largest of the four."
    );
    Ok(Some((caption, svg)))
}
