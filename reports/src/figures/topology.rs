//! The network as a map: places by their coordinates, nodes as dots, traffic as lines.

use super::Figure;
use super::axes::{Key, legend};
use super::canvas::{Anchor, Canvas, Point, SMALL, TEXT, WIDTH, fit, svg, text_width};
use super::palette::{GRID, INK, MUTED, SHADE, SKY, series};
use crate::files::ReportError;
use crate::words;
use consim_check::results::{Region, Results, Topology};
use petgraph::graphmap::UnGraphMap;
use plotters::style::FontStyle;
use std::collections::BTreeSet;

const HEIGHT: f64 = 520.0;
/// The part of the figure that places lie in.
const MAP: (Point, Point) = ((110.0, 78.0), (WIDTH - 110.0, HEIGHT - 62.0));
/// Radius of a node's dot.
const DOT: f64 = 5.0;
/// Distance of neighbouring dots.
const PITCH: f64 = 12.5;
/// Dots of a place; of more, the count is in its label.
const DOTS: usize = 91;

/// The traffic between places, both ways added up.
fn traffic(topology: &Topology) -> UnGraphMap<usize, u64> {
    let mut graph = UnGraphMap::new();
    let places = topology.regions.len();
    (0..places).for_each(|i| {
        graph.add_node(i);
    });
    for &(from, to, bytes) in &topology.flows {
        if from < places && to < places && from != to {
            let sum = graph.edge_weight(from, to).copied().unwrap_or(0);
            graph.add_edge(from, to, bytes.saturating_add(sum));
        }
    }
    graph
}

/// A place in the picture.
struct Spot<'a> {
    region: &'a Region,
    centre: Point,
    dots: Vec<Point>,
    radius: f64,
}

/// The picture; nothing without places.
pub(crate) fn topology(results: &Results) -> Result<Option<Figure>, ReportError> {
    let topology = &results.topology;
    if topology.regions.is_empty() {
        return Ok(None);
    }
    let graph = traffic(topology);
    let mut spots = spots(&topology.regions);
    let coordinates = has_coordinates(&topology.regions);
    separate(&mut spots);
    let tiers = tiers(&topology.regions);
    let alt = if coordinates {
        "Map of the places, their nodes and the traffic between them"
    } else {
        "The places, their nodes and the traffic between them"
    };
    let svg = svg(HEIGHT, alt, |canvas| {
        let items: Vec<(&str, Key)> = tiers
            .iter()
            .map(|(tier, i)| (*tier, Key::Dot(series(*i))))
            .collect();
        legend(canvas, (20.0, 14.0), &items);
        draw_traffic(canvas, &graph, &spots);
        for spot in &spots {
            draw_spot(canvas, spot, &tiers);
        }
        draw_labels(canvas, &graph, &spots);
        draw_note(canvas, &graph, coordinates);
    })?;
    Ok(Some(Figure {
        name: "topology",
        svg,
    }))
}

/// Tiers with their colour, in order of appearance.
fn tiers(regions: &[Region]) -> Vec<(&str, usize)> {
    let seen: BTreeSet<&str> = regions
        .iter()
        .flat_map(|r| &r.nodes)
        .map(|(_, tier)| tier.as_str())
        .collect();
    // The usual tiers from the largest institution to the smallest; others follow by name.
    let rank = |tier: &str| {
        ["tertiary", "secondary", "community", "regulator"]
            .iter()
            .position(|t| *t == tier)
            .unwrap_or(4)
    };
    let mut tiers: Vec<&str> = seen.into_iter().collect();
    tiers.sort_by_key(|t| (rank(t), *t));
    tiers.into_iter().enumerate().map(|(i, t)| (t, i)).collect()
}

fn has_coordinates(regions: &[Region]) -> bool {
    regions.iter().any(|r| r.lat != 0.0 || r.lon != 0.0)
        && regions
            .iter()
            .all(|r| r.lat.is_finite() && r.lon.is_finite())
}

/// Where the places lie before they make room for each other.
fn spots(regions: &[Region]) -> Vec<Spot<'_>> {
    let centres = if has_coordinates(regions) {
        projected(regions)
    } else {
        circle(regions.len())
    };
    regions
        .iter()
        .zip(centres)
        .map(|(region, centre)| {
            let dots = hexagon(region.nodes.len().min(DOTS));
            let reach = dots
                .iter()
                .map(|(x, y)| (x * x + y * y).sqrt())
                .fold(0.0, f64::max);
            Spot {
                region,
                centre,
                dots,
                radius: reach + DOT + 5.0,
            }
        })
        .collect()
}

/// Equirectangular, true at the middle latitude, scaled into the map.
fn projected(regions: &[Region]) -> Vec<Point> {
    let lats = || regions.iter().map(|r| r.lat);
    let (south, north) = (
        lats().fold(f64::INFINITY, f64::min),
        lats().fold(-90.0, f64::max),
    );
    let shrink = libm::cos(f64::midpoint(south, north).to_radians()).max(0.1);
    let xs = || regions.iter().map(|r| r.lon * shrink);
    let (west, east) = (
        xs().fold(f64::INFINITY, f64::min),
        xs().fold(f64::NEG_INFINITY, f64::max),
    );
    let ((left, top), (right, bottom)) = MAP;
    let scale = ((right - left) / (east - west).max(1e-9))
        .min((bottom - top) / (north - south).max(1e-9))
        // One place, or several at one point, are no map.
        .min(1e6);
    let (x0, y0) = (f64::midpoint(west, east), f64::midpoint(south, north));
    let (cx, cy) = (f64::midpoint(left, right), f64::midpoint(top, bottom));
    regions
        .iter()
        .map(|r| {
            (
                cx + (r.lon * shrink - x0) * scale,
                cy - (r.lat - y0) * scale,
            )
        })
        .collect()
}

fn circle(n: usize) -> Vec<Point> {
    let ((left, top), (right, bottom)) = MAP;
    let (cx, cy) = (f64::midpoint(left, right), f64::midpoint(top, bottom));
    if n == 1 {
        return vec![(cx, cy)];
    }
    (0..n)
        .map(|i| {
            let angle = i as f64 / n as f64 * std::f64::consts::TAU;
            (
                cx + libm::sin(angle) * (right - left) / 2.4,
                cy - libm::cos(angle) * (bottom - top) / 2.2,
            )
        })
        .collect()
}

/// `n` points of a hexagonal grid around the origin, nearest first.
fn hexagon(n: usize) -> Vec<Point> {
    let mut all: Vec<(i32, i32)> = (-6..=6)
        .flat_map(|q| (-6..=6).map(move |r| (q, r)))
        .collect();
    // Squared distance from the origin in axial coordinates, then a fixed order.
    all.sort_by_key(|&(q, r)| (q * q + r * r + q * r, r, q));
    let mut dots: Vec<Point> = all
        .into_iter()
        .take(n)
        .map(|(q, r)| {
            let (q, r) = (f64::from(q), f64::from(r));
            // sqrt(3)/2, the height of a row.
            (PITCH * (q + r / 2.0), PITCH * r * 0.866)
        })
        .collect();
    let n = dots.len().max(1) as f64;
    let mean = dots
        .iter()
        .fold((0.0, 0.0), |m, d| (m.0 + d.0 / n, m.1 + d.1 / n));
    for dot in &mut dots {
        *dot = (dot.0 - mean.0, dot.1 - mean.1);
    }
    dots
}

/// Pushes places apart until none covers another, and keeps them on the map.
fn separate(spots: &mut [Spot<'_>]) {
    /// Room between two places, for a label.
    const ROOM: f64 = 26.0;
    for _ in 0..200 {
        let mut moved = false;
        for i in 0..spots.len() {
            let (before, after) = spots.split_at_mut(i);
            let Some(b) = after.first_mut() else { continue };
            for a in before {
                let (mut dx, mut dy) = (b.centre.0 - a.centre.0, b.centre.1 - a.centre.1);
                let mut distance = (dx * dx + dy * dy).sqrt();
                if distance < 1e-6 {
                    (dx, dy, distance) = (1.0, 0.3, 1.044);
                }
                let lack = a.radius + b.radius + ROOM - distance;
                if lack > 0.5 {
                    let (ux, uy) = (dx / distance * lack / 2.0, dy / distance * lack / 2.0);
                    a.centre = held((a.centre.0 - ux, a.centre.1 - uy));
                    b.centre = held((b.centre.0 + ux, b.centre.1 + uy));
                    moved = true;
                }
            }
        }
        if !moved {
            break;
        }
    }
}

fn held((x, y): Point) -> Point {
    let ((left, top), (right, bottom)) = MAP;
    (
        x.clamp(left - 50.0, right + 50.0),
        y.clamp(top - 10.0, bottom + 10.0),
    )
}

fn draw_traffic(canvas: &mut Canvas<'_>, graph: &UnGraphMap<usize, u64>, spots: &[Spot<'_>]) {
    let most = graph
        .all_edges()
        .map(|(_, _, b)| *b)
        .max()
        .unwrap_or(0)
        .max(1) as f64;
    let mut edges: Vec<(usize, usize, u64)> = graph
        .all_edges()
        .map(|(a, b, bytes)| (a.min(b), a.max(b), *bytes))
        .collect();
    edges.sort_unstable_by_key(|&(a, b, bytes)| (bytes, a, b));
    for (a, b, bytes) in edges {
        let (Some(a), Some(b)) = (spots.get(a), spots.get(b)) else {
            continue;
        };
        if bytes == 0 {
            continue;
        }
        let share = bytes as f64 / most;
        canvas.line(
            &[a.centre, b.centre],
            SKY,
            0.6 + 7.4 * share,
            0.35 + 0.35 * share,
        );
    }
}

fn draw_spot(canvas: &mut Canvas<'_>, spot: &Spot<'_>, tiers: &[(&str, usize)]) {
    canvas.circle(spot.centre, spot.radius + 1.0, SHADE, 1.0);
    canvas.circle(spot.centre, spot.radius, GRID, 1.0);
    // The rarest tiers in the middle.
    let colour = |tier: &str| tiers.iter().find(|t| t.0 == tier).map_or(0, |t| t.1);
    let mut nodes: Vec<usize> = spot.region.nodes.iter().map(|(_, t)| colour(t)).collect();
    nodes.sort_unstable();
    for (&(dx, dy), tier) in spot.dots.iter().zip(nodes) {
        let at = (spot.centre.0 + dx, spot.centre.1 + dy);
        canvas.circle(at, DOT, series(tier), 1.0);
    }
}

/// A rectangle: left, top, right, bottom.
type Area = (f64, f64, f64, f64);

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

/// Names beside their places, where they cover nothing, or else least.
fn draw_labels(canvas: &mut Canvas<'_>, graph: &UnGraphMap<usize, u64>, spots: &[Spot<'_>]) {
    let square = |s: &Spot<'_>| {
        let (x, y) = s.centre;
        (x - s.radius, y - s.radius, x + s.radius, y + s.radius)
    };
    let mut taken: Vec<Area> = spots.iter().map(square).collect();
    for spot in spots {
        let name = fit(&spot.region.name, TEXT, 180.0);
        let nodes = words::counted(spot.region.nodes.len() as u64, "node", "nodes");
        let nodes = nodes.replace(words::NBSP, " ");
        let w = text_width(&name, TEXT).max(text_width(&nodes, SMALL));
        let (h, r) = (32.0, spot.radius + 5.0);
        let (x, y) = spot.centre;
        let diagonal = r * 0.75;
        let places = [
            (x - w / 2.0, y + r, Anchor::Middle),
            (x - w / 2.0, y - r - h, Anchor::Middle),
            (x + r, y - h / 2.0, Anchor::Start),
            (x - r - w, y - h / 2.0, Anchor::End),
            (x + diagonal, y + diagonal, Anchor::Start),
            (x - diagonal - w, y + diagonal, Anchor::End),
            (x + diagonal, y - diagonal - h, Anchor::Start),
            (x - diagonal - w, y - diagonal - h, Anchor::End),
        ];
        let cost = |&(left, top, _): &(f64, f64, Anchor)| {
            let area = (left, top, left + w, top + h);
            let covered: f64 = taken.iter().map(|t| overlap(area, *t)).sum();
            let outside = w * h - overlap(area, (2.0, 26.0, WIDTH - 2.0, HEIGHT - 26.0));
            let lines: f64 = graph
                .all_edges()
                .filter_map(|(a, b, _)| Some((spots.get(a)?.centre, spots.get(b)?.centre)))
                .map(|(from, to)| crossed(area, from, to))
                .sum();
            covered * 10.0 + outside * 50.0 + lines
        };
        let best = places.iter().min_by(|a, b| cost(a).total_cmp(&cost(b)));
        let Some(&(left, top, anchor)) = best else {
            continue;
        };
        taken.push((left, top, left + w, top + h));
        let at = match anchor {
            Anchor::Start => left,
            Anchor::Middle => left + w / 2.0,
            Anchor::End => left + w,
        };
        canvas.text_as((at, top + 9.0), &name, anchor, INK, TEXT, FontStyle::Bold);
        canvas.text_as(
            (at, top + 24.0),
            &nodes,
            anchor,
            MUTED,
            SMALL,
            FontStyle::Normal,
        );
    }
}

fn draw_note(canvas: &mut Canvas<'_>, graph: &UnGraphMap<usize, u64>, coordinates: bool) {
    let total: u64 = graph.all_edges().map(|(_, _, b)| *b).sum();
    let most = graph.all_edges().map(|(_, _, b)| *b).max().unwrap_or(0);
    let mut note = if coordinates {
        String::from("Places by latitude and longitude, moved apart where they would touch.")
    } else {
        String::from("The region table has no coordinates: places on a circle.")
    };
    if most > 0 {
        note = format!(
            "{note} Line width: bytes between places, the widest {}, all {}.",
            words::bytes(most),
            words::bytes(total)
        );
    }
    canvas.text_as(
        (20.0, HEIGHT - 14.0),
        &note.replace(words::NBSP, " "),
        Anchor::Start,
        MUTED,
        SMALL,
        FontStyle::Normal,
    );
}
