//! A space-time diagram: a line for each node, time downwards, an arrow for each message.

mod clock;

#[cfg(test)]
mod tests;

use super::axes::{Key, legend, legend_height};
use super::canvas::{Anchor, Canvas, Point, SMALL, TEXT, WIDTH, fit, svg, text_width};
use super::palette::{BLUE, GREEN, GRID, INK, MUTED, ORANGE, PAPER, PINK, RED, SHADE, SKY, YELLOW};
use crate::files::ReportError;
use crate::words;
use clock::Clock;
use consim_check::diagram::{Arrow, Diagram, Mark, MarkKind};
use consim_core::Time;
use plotters::style::RGBColor;
use std::collections::BTreeMap;

/// Colours of kinds of messages, the most frequent first. Red is for what is lost or broken, orange
/// for windows.
const KINDS: [RGBColor; 5] = [BLUE, SKY, GREEN, PINK, YELLOW];
/// Left of everything, pixels.
const MARGIN: f64 = 16.0;
/// Where the times end.
const TIMES: f64 = 104.0;
/// Width of the column of a window.
const WINDOW: f64 = 22.0;
/// Between the columns and the first node.
const GAP: f64 = 48.0;
/// Right of the last node.
const RIGHT: f64 = 96.0;
/// Pixels between two times.
const TICK: f64 = 64.0;

/// Draws `diagram` as an SVG file: the same bytes for the same diagram.
pub fn space_time(diagram: &Diagram) -> Result<String, ReportError> {
    let kinds = Kinds::of(diagram);
    let key = kinds.key(diagram);
    let key: Vec<(&str, Key)> = key
        .iter()
        .map(|(name, key)| (name.as_str(), *key))
        .collect();
    let names = 54.0 + legend_height(&key, MARGIN);
    let top = names + 46.0;
    let clock = Clock::new(instants(diagram), top);
    let bottom = clock.bottom();
    let sheet = Sheet::new(diagram, &kinds, &clock, names, top);
    svg(
        bottom + 84.0,
        "Messages between nodes over time",
        |canvas| {
            canvas.rect((0.0, 0.0), (WIDTH, bottom + 84.0), PAPER, 1.0);
            let title = fit(&diagram.title, TEXT, WIDTH - 2.0 * MARGIN);
            canvas.bold((MARGIN, 22.0), &title, Anchor::Start, INK);
            legend(canvas, (MARGIN, 50.0), &key);
            sheet.windows(canvas);
            sheet.times(canvas);
            sheet.lanes(canvas);
            for arrow in &diagram.arrows {
                sheet.arrow(canvas, arrow);
            }
            sheet.marks(canvas);
            sheet.violation(canvas);
            sheet.notes(canvas);
        },
    )
}

/// All instants of a diagram.
fn instants(diagram: &Diagram) -> Vec<Time> {
    let inside = |at: Time| at.later(diagram.from).min(diagram.until);
    let mut all = vec![diagram.until];
    for arrow in &diagram.arrows {
        all.extend([inside(arrow.left), inside(arrow.ended)]);
    }
    all.extend(diagram.marks.iter().map(|mark| inside(mark.at)));
    let edges = diagram
        .bands
        .iter()
        .flat_map(|band| [band.from, band.until]);
    all.extend(edges.map(inside));
    all.extend(diagram.violation.iter().map(|broken| inside(broken.at)));
    all
}

/// The kinds of messages, the most frequent first.
struct Kinds<'a>(Vec<&'a str>);

impl<'a> Kinds<'a> {
    fn of(diagram: &'a Diagram) -> Self {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for arrow in &diagram.arrows {
            *counts.entry(&arrow.kind).or_default() += 1;
        }
        let mut kinds: Vec<(&str, u64)> = counts.into_iter().collect();
        kinds.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        Self(kinds.into_iter().map(|(kind, _)| kind).collect())
    }
    fn colour(&self, kind: &str) -> RGBColor {
        let place = self.0.iter().position(|known| *known == kind);
        let colour = place.and_then(|place| KINDS.get(place));
        colour.copied().unwrap_or(SHADE)
    }
    fn key(&self, diagram: &Diagram) -> Vec<(String, Key)> {
        let coloured = self.0.iter().take(KINDS.len());
        let mut key: Vec<(String, Key)> = coloured
            .map(|kind| ((*kind).to_owned(), Key::Line(self.colour(kind), 2.0)))
            .collect();
        let mut add = |name: &str, wanted: bool, mark: Key| {
            if wanted {
                key.push((name.to_owned(), mark));
            }
        };
        let marked = |kind: MarkKind| diagram.marks.iter().any(|mark| mark.kind == kind);
        add(
            "other messages",
            self.0.len() > KINDS.len(),
            Key::Line(SHADE, 2.0),
        );
        let lost = diagram.arrows.iter().any(|arrow| !arrow.arrived);
        add("lost", lost, Key::Dashes(RED));
        add("proposes", marked(MarkKind::Proposed), Key::Box(INK));
        add("commits", marked(MarkKind::Committed), Key::Dot(GREEN));
        add("executes", marked(MarkKind::Applied), Key::Dot(INK));
        add(
            "enters a view",
            marked(MarkKind::View),
            Key::Diamond(ORANGE),
        );
        add(
            "gives a view up",
            marked(MarkKind::GaveUp),
            Key::Diamond(RED),
        );
        let down = diagram.bands.iter().any(|band| band.lane.is_some());
        add("down", down, Key::Box(SHADE));
        key
    }
}

/// Where everything is.
struct Sheet<'a> {
    diagram: &'a Diagram,
    kinds: &'a Kinds<'a>,
    clock: &'a Clock,
    /// The height of the nodes' names.
    names: f64,
    top: f64,
    /// The first node.
    left: f64,
    /// Between two nodes.
    step: f64,
}

impl<'a> Sheet<'a> {
    fn new(
        diagram: &'a Diagram,
        kinds: &'a Kinds<'a>,
        clock: &'a Clock,
        names: f64,
        top: f64,
    ) -> Self {
        let windows = diagram.bands.iter().filter(|band| band.lane.is_none());
        let left = TIMES + windows.count() as f64 * WINDOW + GAP;
        let gaps = diagram.lanes.len().saturating_sub(1).max(1) as f64;
        Self {
            diagram,
            kinds,
            clock,
            names,
            top,
            left,
            step: (WIDTH - RIGHT - left) / gaps,
        }
    }

    fn x(&self, lane: usize) -> f64 {
        self.left + lane as f64 * self.step
    }
    fn y(&self, at: Time) -> f64 {
        let at = at.later(self.diagram.from).min(self.diagram.until);
        self.clock.px(at)
    }

    /// A column for each window of a fault or an attack.
    fn windows(&self, canvas: &mut Canvas<'_>) {
        let windows = self.diagram.bands.iter().filter(|band| band.lane.is_none());
        for (i, band) in windows.enumerate() {
            let x = TIMES + 10.0 + i as f64 * WINDOW;
            let (from, to) = (
                self.y(band.from),
                self.y(band.until).max(self.y(band.from) + 2.0),
            );
            canvas.rect((x, from), (x + WINDOW - 4.0, to), ORANGE, 0.3);
            canvas.line(&[(x, from), (x, to)], ORANGE, 1.5, 1.0);
            let text = fit(&band.label, TEXT, (to - from - 8.0).max(0.0));
            if text.chars().count() > 3 {
                canvas.text_up(
                    (x + (WINDOW - 4.0) / 2.0, f64::midpoint(from, to)),
                    &text,
                    INK,
                );
            }
        }
    }

    /// Times on the left, and what is cut out of them.
    fn times(&self, canvas: &mut Canvas<'_>) {
        let right = WIDTH - RIGHT + 80.0;
        for (y, at) in self.clock.ticks(TICK) {
            canvas.line(&[(TIMES, y), (right, y)], GRID, 1.0, 1.0);
            let us = at.nanos() / 1_000;
            let text = format!("{}.{:06} s", us / 1_000_000, us % 1_000_000);
            canvas.note((TIMES - 6.0, y), &text, Anchor::End, MUTED);
        }
        for (y, span) in &self.clock.gaps {
            let text = format!("+ {}", words::seconds(span.seconds()));
            let text = text.replace(words::NBSP, " ");
            canvas.note((right + 4.0, *y), &text, Anchor::End, SHADE);
        }
    }

    /// The nodes, and when they are down.
    fn lanes(&self, canvas: &mut Canvas<'_>) {
        let wide = |name: &String| text_width(name, SMALL) > self.step - 10.0;
        let two_rows = self.diagram.lanes.iter().any(wide);
        let room = if two_rows { 2.0 * self.step } else { self.step } - 10.0;
        for (lane, name) in self.diagram.lanes.iter().enumerate() {
            let x = self.x(lane);
            let lower = two_rows && lane % 2 == 1;
            let y = self.names + if lower { 18.0 } else { 2.0 };
            let name = fit(name, SMALL, room.max(30.0));
            canvas.note((x, y), &name, Anchor::Middle, INK);
            let from = self.top - 14.0;
            let end = self.clock.bottom() + 14.0;
            canvas.line(&[(x, from), (x, end)], MUTED, 1.2, 1.0);
        }
        for band in &self.diagram.bands {
            if let Some(lane) = band.lane {
                let (x, from, to) = (self.x(lane), self.y(band.from), self.y(band.until));
                canvas.rect((x - 6.0, from), (x + 6.0, to.max(from + 2.0)), SHADE, 0.6);
            }
        }
    }

    fn arrow(&self, canvas: &mut Canvas<'_>, arrow: &Arrow) {
        let colour = self.kinds.colour(&arrow.kind);
        let from = (self.x(arrow.from), self.y(arrow.left));
        let to = (self.x(arrow.to), self.y(arrow.ended));
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let part = |share: f64| (from.0 + dx * share, from.1 + dy * share);
        if !arrow.arrived {
            // What left and was lost at once is drawn a part of its way.
            let share = if arrow.ended > arrow.left { 0.92 } else { 0.35 };
            let end = part(share);
            canvas.dashes(from, end, RED, 1.2);
            cross(canvas, end);
            return;
        }
        if arrow.ended > self.diagram.until {
            // Still on its way where the picture ends.
            let whole = (arrow.ended.nanos() - arrow.left.nanos()).max(1) as f64;
            let seen = self
                .diagram
                .until
                .nanos()
                .saturating_sub(arrow.left.nanos()) as f64;
            let end = (from.0 + dx * seen / whole, to.1);
            canvas.line(&[from, end], colour, 1.1, 0.6);
            return;
        }
        canvas.line(&[from, to], colour, 1.1, 0.75);
        head(canvas, (dx, dy), to, colour);
    }

    fn marks(&self, canvas: &mut Canvas<'_>) {
        let mut lowest: BTreeMap<usize, f64> = BTreeMap::new();
        for mark in &self.diagram.marks {
            let at = (self.x(mark.lane), self.y(mark.at));
            dot(canvas, at, mark);
            let labelled = matches!(
                mark.kind,
                MarkKind::Committed | MarkKind::View | MarkKind::Proposed
            );
            let last = lowest.get(&mark.lane).copied().unwrap_or(f64::MIN);
            if labelled && at.1 - last >= 12.0 {
                let x = at.0 + 9.0;
                let width = text_width(&mark.label, SMALL);
                canvas.rect((x - 1.0, at.1 - 6.0), (x + width, at.1 + 6.0), PAPER, 0.75);
                canvas.note((x, at.1), &mark.label, Anchor::Start, INK);
                lowest.insert(mark.lane, at.1);
            }
        }
    }

    fn violation(&self, canvas: &mut Canvas<'_>) {
        let Some(broken) = &self.diagram.violation else {
            return;
        };
        let y = self.y(broken.at);
        canvas.line(&[(TIMES, y), (WIDTH - RIGHT + 40.0, y)], RED, 2.0, 1.0);
        if let Some(lane) = broken.lane {
            let at = (self.x(lane), y);
            canvas.circle(at, 8.0, RED, 1.0);
            cross_of(canvas, at, PAPER, 3.5);
        }
        let text = format!("{} is violated", broken.check);
        canvas.bold((WIDTH - RIGHT + 40.0, y + 24.0), &text, Anchor::End, RED);
    }

    fn notes(&self, canvas: &mut Canvas<'_>) {
        let y = self.clock.bottom() + 52.0;
        let text = "Time runs down, a gap as high as the logarithm of its length; a number beside a mark \
                    is that of a batch or a view.";
        canvas.note((MARGIN, y), text, Anchor::Start, MUTED);
        if self.diagram.left_out > 0 {
            let text = format!(
                "{} more messages went between other nodes.",
                words::count(self.diagram.left_out)
            );
            let text = text.replace(words::NBSP, " ");
            canvas.note((MARGIN, y + 17.0), &text, Anchor::Start, MUTED);
        }
    }
}

/// The head of an arrow that comes from the direction of `way`.
fn head(canvas: &mut Canvas<'_>, way: Point, to: Point, colour: RGBColor) {
    let (dx, dy) = way;
    let length = (dx * dx + dy * dy).sqrt().max(1e-9);
    let (ux, uy) = (dx / length, dy / length);
    let back = (to.0 - 7.0 * ux, to.1 - 7.0 * uy);
    let side = (-uy * 2.8, ux * 2.8);
    canvas.polygon(
        &[
            to,
            (back.0 + side.0, back.1 + side.1),
            (back.0 - side.0, back.1 - side.1),
        ],
        colour,
        0.9,
    );
}

fn cross(canvas: &mut Canvas<'_>, at: Point) {
    cross_of(canvas, at, RED, 3.5);
}

fn cross_of(canvas: &mut Canvas<'_>, (x, y): Point, colour: RGBColor, r: f64) {
    canvas.line(&[(x - r, y - r), (x + r, y + r)], colour, 1.8, 1.0);
    canvas.line(&[(x - r, y + r), (x + r, y - r)], colour, 1.8, 1.0);
}

fn dot(canvas: &mut Canvas<'_>, (x, y): Point, mark: &Mark) {
    let diamond = |r: f64| [(x, y - r), (x + r, y), (x, y + r), (x - r, y)];
    match mark.kind {
        MarkKind::Proposed => canvas.rect((x - 4.0, y - 4.0), (x + 4.0, y + 4.0), INK, 1.0),
        MarkKind::Committed => canvas.circle((x, y), 5.0, GREEN, 1.0),
        MarkKind::Applied => canvas.circle((x, y), 2.5, INK, 1.0),
        MarkKind::View => canvas.polygon(&diamond(6.0), ORANGE, 1.0),
        MarkKind::GaveUp => canvas.polygon(&diamond(5.0), RED, 1.0),
    }
}
