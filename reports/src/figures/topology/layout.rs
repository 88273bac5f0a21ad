//! Where places lie in the picture.

use super::super::canvas::{Point, WIDTH};
use consim_check::results::Region;

/// Places beyond which everything is drawn smaller.
const CROWD: usize = 30;
/// Dots of a place; of more, the count is in its label.
const DOTS: usize = 91;

/// How large things are drawn.
#[derive(Clone, Copy)]
pub(super) struct Size {
    /// Is it a crowd of places, whose names have room for nothing else?
    pub(super) crowd: bool,
    /// Radius of a node's dot.
    pub(super) dot: f64,
    /// Distance of neighbouring dots.
    pitch: f64,
    /// Room between two places, for a name.
    room: f64,
    /// The part of the figure that places lie in, before it is cut to them.
    map: (Point, Point),
}

impl Size {
    pub(super) fn of(places: usize) -> Self {
        if places <= CROWD {
            Self {
                crowd: false,
                dot: 5.0,
                pitch: 12.5,
                room: 26.0,
                map: ((60.0, 80.0), (WIDTH - 60.0, 460.0)),
            }
        } else {
            Self {
                crowd: true,
                dot: 3.0,
                pitch: 7.5,
                room: 22.0,
                map: ((40.0, 80.0), (WIDTH - 40.0, 660.0)),
            }
        }
    }
}

/// A place in the picture.
pub(super) struct Spot<'a> {
    pub(super) region: &'a Region,
    pub(super) centre: Point,
    /// Its nodes, from the centre.
    pub(super) dots: Vec<Point>,
    pub(super) radius: f64,
}

/// Do the regions say where they are?
pub(super) fn has_coordinates(regions: &[&Region]) -> bool {
    regions.iter().any(|r| r.lat != 0.0 || r.lon != 0.0)
        && regions
            .iter()
            .all(|r| r.lat.is_finite() && r.lon.is_finite())
}

/// The places, none over another as far as there is room, below a margin of `top`; and the lower
/// end of the lowest.
pub(super) fn spots<'a>(regions: &[&'a Region], size: &Size, top: f64) -> (Vec<Spot<'a>>, f64) {
    let centres = if has_coordinates(regions) {
        projected(regions, size.map)
    } else {
        circle(regions.len(), size.map)
    };
    let spot = |(&region, centre): (&&'a Region, Point)| {
        let dots = hexagon(region.nodes.len().min(DOTS), size.pitch);
        let reach = dots.iter().map(|&(x, y)| length(x, y));
        let radius = reach.fold(0.0, f64::max) + 2.0 * size.dot;
        Spot {
            region,
            centre,
            dots,
            radius,
        }
    };
    let mut spots: Vec<Spot<'_>> = regions.iter().zip(centres).map(spot).collect();
    separate(&mut spots, size);
    let highest = spots
        .iter()
        .map(|s| s.centre.1 - s.radius)
        .fold(f64::INFINITY, f64::min);
    for spot in &mut spots {
        spot.centre.1 += top - highest;
    }
    let bottom = spots
        .iter()
        .map(|s| s.centre.1 + s.radius)
        .fold(top, f64::max);
    (spots, bottom)
}

fn length(x: f64, y: f64) -> f64 {
    (x * x + y * y).sqrt()
}

/// Equirectangular, true at the middle latitude, scaled into the map.
fn projected(regions: &[&Region], map: (Point, Point)) -> Vec<Point> {
    let ends = |of: &dyn Fn(&Region) -> f64| {
        let values = regions.iter().map(|r| of(r));
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), v| {
            (f64::min(least, v), f64::max(most, v))
        })
    };
    let (south, north) = ends(&|r| r.lat);
    let shrink = libm::cos(f64::midpoint(south, north).to_radians()).max(0.1);
    let (west, east) = ends(&|r| r.lon * shrink);
    let ((left, top), (right, bottom)) = map;
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

fn circle(n: usize, ((left, top), (right, bottom)): (Point, Point)) -> Vec<Point> {
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
fn hexagon(n: usize, pitch: f64) -> Vec<Point> {
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
            (pitch * (q + r / 2.0), pitch * r * 0.866)
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
fn separate(spots: &mut [Spot<'_>], size: &Size) {
    /// Rounds; a full map never comes to rest.
    const ROUNDS: usize = 200;
    let ((left, top), (right, bottom)) = size.map;
    let held = |(x, y): Point| (x.clamp(left, right), y.clamp(top, bottom));
    for _ in 0..ROUNDS {
        let mut moved = false;
        for i in 0..spots.len() {
            let (before, after) = spots.split_at_mut(i);
            let Some(b) = after.first_mut() else { continue };
            for a in before {
                let (mut dx, mut dy) = (b.centre.0 - a.centre.0, b.centre.1 - a.centre.1);
                let mut distance = length(dx, dy);
                if distance < 1e-6 {
                    (dx, dy, distance) = (1.0, 0.3, 1.044);
                }
                let lack = a.radius + b.radius + size.room - distance;
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
