//! The network as a map: places by their coordinates, nodes as dots, traffic as lines.

mod labels;
mod layout;

use super::axes::{Key, legend, legend_height};
use super::canvas::{Canvas, Point, svg};
use super::palette::{GRID, SERIES, SHADE, SKY, series};
use super::{Drawn, largest};
use crate::words;
use consim_check::results::{Region, Results, Topology};
use layout::{Size, Spot, has_coordinates, spots};
use petgraph::graphmap::UnGraphMap;
use std::collections::BTreeSet;

/// Room above and below the places, for their names.
const MARGIN: f64 = 44.0;
/// Left end of the key.
const LEFT: f64 = 20.0;
/// Places; more cannot be told apart.
const PLACES: usize = 100;
/// Lines of traffic, the widest ones.
const LINES: usize = 200;

/// The traffic between the places that are drawn, by their rank there, both ways added up.
fn traffic(topology: &Topology, places: &[usize]) -> UnGraphMap<usize, u64> {
    let mut graph = UnGraphMap::new();
    let rank = |place: usize| places.iter().position(|p| *p == place);
    for &(from, to, bytes) in &topology.flows {
        if let (Some(from), Some(to)) = (rank(from), rank(to))
            && from != to
        {
            let sum = graph.edge_weight(from, to).copied().unwrap_or(0);
            graph.add_edge(from, to, bytes.saturating_add(sum));
        }
    }
    graph
}

/// Lines between places by their number, with bytes.
struct Lines {
    drawn: Vec<(usize, usize, u64)>,
    all: usize,
    widest: u64,
    total: u64,
}

impl Lines {
    fn of(topology: &Topology, places: &[usize]) -> Self {
        let mut all: Vec<(usize, usize, u64)> = traffic(topology, places)
            .all_edges()
            .map(|(a, b, bytes)| (a.min(b), a.max(b), *bytes))
            .filter(|(_, _, bytes)| *bytes > 0)
            .collect();
        // The widest last, on top of the others.
        all.sort_unstable_by_key(|&(a, b, bytes)| (bytes, a, b));
        Self {
            widest: all.last().map_or(0, |l| l.2),
            total: all.iter().fold(0, |sum, l| sum.saturating_add(l.2)),
            drawn: all
                .get(all.len().saturating_sub(LINES)..)
                .unwrap_or_default()
                .to_vec(),
            all: all.len(),
        }
    }
}

/// The picture; nothing without places.
pub(crate) fn topology(results: &Results) -> Drawn {
    let all = &results.topology.regions;
    if all.is_empty() {
        return Ok(None);
    }
    let places = largest(all.iter().enumerate().collect(), PLACES, |(_, region)| {
        region.nodes.len() as u64
    });
    let (places, regions): (Vec<usize>, Vec<&Region>) = places.into_iter().unzip();
    let lines = Lines::of(&results.topology, &places);
    let size = Size::of(regions.len());
    let tiers = tiers(&regions);
    let mut key: Vec<(&str, Key)> = tiers
        .iter()
        .zip(SERIES)
        .map(|(tier, colour)| (*tier, Key::Dot(colour)))
        .collect();
    if tiers.len() > SERIES.len() {
        key.push(("others", Key::Dot(SHADE)));
    }
    let top = legend_height(&key, LEFT);
    let (spots, bottom) = spots(&regions, &size, top + MARGIN);
    let height = (bottom + MARGIN).ceil();
    let ends: Vec<(Point, Point)> = lines
        .drawn
        .iter()
        .filter_map(|&(a, b, _)| Some((spots.get(a)?.centre, spots.get(b)?.centre)))
        .collect();
    let labels = labels::place(&spots, &ends, &size, (top, height));
    let alt = "The places, their nodes and the traffic between them";
    let svg = svg(height, alt, |canvas| {
        legend(canvas, (LEFT, 14.0), &key);
        for ((from, to), (_, _, bytes)) in ends.iter().zip(&lines.drawn) {
            let share = *bytes as f64 / lines.widest as f64;
            // Many lines over each other would be one patch.
            let opacity = (0.35 + 0.35 * share) * (40.0 / ends.len() as f64).clamp(0.3, 1.0);
            canvas.line(&[*from, *to], SKY, 0.6 + 7.4 * share, opacity);
        }
        labels::clear(canvas, &labels);
        for spot in &spots {
            draw_spot(canvas, spot, &tiers, size.dot);
        }
        labels::draw(canvas, &labels);
    })?;
    let caption = caption(
        &lines,
        has_coordinates(&regions),
        all.len() - spots.len(),
        spots.len() - labels.len(),
    );
    Ok(Some((caption, svg)))
}

fn caption(lines: &Lines, coordinates: bool, hidden: usize, unnamed: usize) -> String {
    let mut said = vec![String::from(if coordinates {
        "Places by latitude and longitude, moved apart where they would touch; a dot is a node."
    } else {
        "Places on a circle, as the region table has no coordinates; a dot is a node."
    })];
    if hidden > 0 {
        said.push(format!("{hidden} places with fewer nodes are not drawn."));
    }
    if unnamed > 0 {
        said.push(format!("The names of {unnamed} found no room."));
    }
    if lines.all > 0 {
        said.push(format!(
            "Line width: bytes between two places over the whole run, both ways; {} on the widest, \
             {} on all.",
            words::bytes(lines.widest),
            words::bytes(lines.total)
        ));
    }
    if lines.drawn.len() < lines.all {
        said.push(format!(
            "Of {} lines the {} widest are drawn.",
            words::count(lines.all as u64),
            lines.drawn.len()
        ));
    }
    said.join(" ")
}

/// The tiers in the order of their colours.
fn tiers<'a>(regions: &[&'a Region]) -> Vec<&'a str> {
    let seen: BTreeSet<&'a str> = regions
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
    let mut tiers: Vec<&'a str> = seen.into_iter().collect();
    tiers.sort_by_key(|t| (rank(t), *t));
    tiers
}

fn draw_spot(canvas: &mut Canvas<'_>, spot: &Spot<'_>, tiers: &[&str], dot: f64) {
    canvas.circle(spot.centre, spot.radius + 1.0, SHADE, 1.0);
    canvas.circle(spot.centre, spot.radius, GRID, 1.0);
    // The first tiers in the middle.
    let colour = |tier: &str| tiers.iter().position(|t| *t == tier).unwrap_or_default();
    let mut nodes: Vec<usize> = spot.region.nodes.iter().map(|(_, t)| colour(t)).collect();
    nodes.sort_unstable();
    for (&(dx, dy), tier) in spot.dots.iter().zip(nodes) {
        let at = (spot.centre.0 + dx, spot.centre.1 + dy);
        canvas.circle(at, dot, series(tier), 1.0);
    }
}
