//! Regions and their delays, and the line between institutions.

use super::Planner;
use super::ways::{OneWay, RoundTrip};
use crate::csv;
use crate::plan::{NetworkPlan, RegionPlan};
use crate::profiles;
use crate::schema::{Decode, LeafKind, LinkKeys, OneWay as Way, Place2, Profiled, TableKeys};
use crate::tree::Place;
use crate::tree::Role;
use consim_core::values::Degrees;
use consim_core::values::{Name, Value};
use consim_core::{Distribution, Span};
use consim_kernel::config::LineGroups;
use std::sync::Arc;

/// Mean radius of the earth, kilometres (IUGG, R1).
const EARTH_KM: f64 = 6_371.008_8;
/// Light in fibre, kilometres per millisecond: about two thirds of that in vacuum.
const FIBRE_KM_PER_MS: f64 = 200.0;
/// The most regions of a table.
pub const MAX_REGIONS: usize = 4_096;

/// A table of regions.
pub(super) struct Table {
    /// Its name.
    pub(super) name: String,
    /// Its regions by name.
    pub(super) names: Vec<String>,
    delays: Delays,
}

enum Delays {
    /// By coordinates: per region its place; detour, and the range of access.
    Geographic {
        places: Vec<(Degrees, Degrees)>,
        detour_permille: u32,
        access: (Span, Span),
    },
    /// Measured, `[from][to]`.
    Matrix(Vec<Vec<OneWay>>),
}

impl Planner<'_> {
    /// The table of regions, restricted to those that the scenario uses.
    pub(super) fn regions(&mut self) -> Option<Table> {
        let regions = &self.scenario.network.regions;
        let keys = self.table_keys()?;
        let name = regions
            .table
            .as_ref()
            .map_or_else(|| "places".to_owned(), |at| at.value.clone());
        let mut table = match &keys.table {
            Some(file) => self.matrix(&name, file, keys.is.as_ref().map(|at| at.value))?,
            None => Self::geographic(&name, &keys),
        };
        if table.names.is_empty() || table.names.len() > MAX_REGIONS {
            let place = regions
                .table
                .as_ref()
                .map_or_else(|| self.scenario.consim.place.clone(), |at| at.place.clone());
            self.cx.error(
                "E107",
                &place,
                format!("a table of {} regions", table.names.len()),
                format!("1 to {MAX_REGIONS}"),
            );
            return None;
        }
        if let Some(only) = &regions.r#use {
            let mut keep = Vec::new();
            for (word, place) in &only.list {
                keep.push(self.region(word, place, &table)?);
            }
            keep.sort_unstable();
            keep.dedup();
            table.restrict(&keep);
        }
        self.region_names.clone_from(&table.names);
        self.regions_used.clone_from(&table.names);
        Some(table)
    }

    /// What the profile, the file or the scenario itself says of the regions.
    fn table_keys(&mut self) -> Option<TableKeys> {
        let regions = &self.scenario.network.regions;
        let Some(table) = &regions.table else {
            if regions.places.is_empty() {
                let place = self.scenario.consim.place.clone();
                self.cx.error(
                    "E210",
                    &place,
                    "network.regions has neither a table nor places",
                    "regions: guangdong",
                );
                return None;
            }
            let over = self.own_table_keys();
            return over;
        };
        if let Some((first, _)) = regions.places.first() {
            let place = first.place.clone();
            self.cx.error(
                "E504",
                &place,
                "`places` stand in place of a table, not beside it",
                "leave `table` out",
            );
            return None;
        }
        if table.value.starts_with("file:") {
            if regions.is.is_none() {
                let place = table.place.clone();
                self.cx.error(
                    "E210",
                    &place,
                    "one way or round trip?",
                    "is: one-way or is: round-trip, beside the table",
                );
                return None;
            }
            return self.own_table_keys();
        }
        let place = table.place.clone();
        let profile = profiles::load(self.cx, "regions", &table.value, Some(&place))?;
        let from = self.cx.leaves.len();
        let mut keys = self.cx.below(&["network", "regions"], &place, |cx| {
            TableKeys::decode(cx, &profile)
        })?;
        // The name of the table says it all; its numbers count in the digest.
        for leaf in self.cx.leaves.iter_mut().skip(from) {
            let shown = matches!(
                leaf.path.last().map(String::as_str),
                Some("detour" | "access")
            );
            leaf.default = false;
            if !shown || keys.table.is_some() {
                leaf.kind = LeafKind::Silent;
            }
        }
        self.override_table(&mut keys, from);
        Some(keys)
    }

    /// `detour` and `access` beside a table go before those of the table.
    fn override_table(&mut self, keys: &mut TableKeys, from: usize) {
        let regions = &self.scenario.network.regions;
        let mut hide = |key: &str| {
            self.cx
                .leaves
                .iter_mut()
                .skip(from)
                .filter(|leaf| leaf.path.last().is_some_and(|last| last == key))
                .for_each(|leaf| {
                    leaf.kind = LeafKind::Silent;
                    leaf.aside = true;
                });
        };
        if let Some(detour) = &regions.detour {
            keys.detour = detour.clone();
            hide("detour");
        }
        if let Some(access) = &regions.access {
            keys.access = access.clone();
            hide("access");
        }
    }

    /// The keys of `network.regions` itself as those of a table.
    fn own_table_keys(&mut self) -> Option<TableKeys> {
        let regions = &self.scenario.network.regions;
        let node = self.cx.default_node("{}")?;
        let place = self.scenario.consim.place.clone();
        let before = self.cx.leaves.len();
        let mut keys = self.cx.below(&["network", "regions"], &place, |cx| {
            TableKeys::decode(cx, &node)
        })?;
        keys.table = regions.table.as_deref().cloned();
        keys.is.clone_from(&regions.is);
        keys.places.clone_from(&regions.places);
        // The keys have no default of their own: with a table they are the table's.
        for leaf in self.cx.leaves.iter_mut().skip(before) {
            leaf.default = false;
        }
        self.override_table(&mut keys, before);
        if keys.table.is_some() {
            self.cx.leaves.truncate(before);
        }
        Some(keys)
    }

    fn geographic(name: &str, keys: &TableKeys) -> Table {
        let degrees = |place: &Place2| (place.lat.value, place.lon.value);
        Table {
            name: name.to_owned(),
            names: keys.places.iter().map(|(n, _)| n.value.0.clone()).collect(),
            delays: Delays::Geographic {
                places: keys.places.iter().map(|(_, p)| degrees(p)).collect(),
                detour_permille: keys.detour.value.0,
                access: (keys.access.low, keys.access.high),
            },
        }
    }

    /// A table of measured delays: a header with the names, then one row a region, milliseconds.
    fn matrix(
        &mut self,
        name: &str,
        file: &crate::schema::At<String>,
        is: Option<Way>,
    ) -> Option<Table> {
        let source = profiles::table(self.cx, &file.value, &file.place)?;
        let text = Arc::clone(&self.cx.sources.get(source)?.text);
        let hash = blake3::hash(text.as_bytes()).to_hex().to_string();
        let own = self.cx.role(&file.place) != Some(&Role::Profile);
        if let Some(leaf) = self.cx.leaves.get_mut(file.leaf).filter(|_| own) {
            leaf.digest = Some(hash);
            profiles::note_file(self.cx, file);
        } else {
            let place = file.place.clone();
            self.cx
                .below(&["network", "regions", "content"], &place, |cx| {
                    cx.leaf(LeafKind::Silent, hash, &place)
                });
        }
        let rows = csv::table(self.cx, source)?;
        let rows = self.rows(&rows, &csv::start(source))?;
        let one_way = |ms: f64| match is {
            Some(Way::RoundTrip) => RoundTrip(ms).half(),
            _ => OneWay(ms),
        };
        let names: Vec<String> = rows.iter().map(|(name, _)| name.clone()).collect();
        let delays = rows
            .into_iter()
            .map(|(_, row)| row.into_iter().map(one_way).collect())
            .collect();
        let mut table = Table {
            name: name.to_owned(),
            names,
            delays: Delays::Matrix(delays),
        };
        table.sort();
        Some(table)
    }

    fn rows(&mut self, rows: &[Vec<csv::Cell>], start: &Place) -> Option<Vec<(String, Vec<f64>)>> {
        let mut wrong = |place: &Place, what: String| {
            let help = "a header `from/to,NAME,...`, then one row `NAME,ms,...` for each name";
            self.cx.error("E106", place, what, help);
        };
        let Some((header, rows)) = rows.split_first() else {
            wrong(start, "the table is empty".into());
            return None;
        };
        let names = header.get(1..).unwrap_or_default();
        for cell in names {
            if let Err(error) = <Name as Value>::parse(&cell.text) {
                wrong(&cell.place, error.message);
                return None;
            }
        }
        let mut out = Vec::new();
        for row in rows {
            let Some((name, cells)) = row.split_first() else {
                continue;
            };
            if names.get(out.len()).map(|cell| &cell.text) != Some(&name.text) {
                let what = format!("`{}` is not the next name of the header", name.text);
                wrong(&name.place, what);
                return None;
            }
            let mut delays = Vec::new();
            for cell in cells {
                let ms = cell.text.parse::<f64>().ok();
                let Some(ms) = ms.filter(|ms| (0.0..1e7).contains(ms)) else {
                    let what = format!("`{}` is no number of milliseconds", cell.text);
                    wrong(&cell.place, what);
                    return None;
                };
                delays.push(ms);
            }
            if delays.len() != names.len() {
                let place = row.last().map_or(start, |cell| &cell.place);
                let (found, wanted) = (delays.len(), names.len());
                wrong(
                    place,
                    format!("{found} delays in this row, {wanted} names in the header"),
                );
                return None;
            }
            out.push((name.text.clone(), delays));
        }
        if let Some(missing) = names.get(out.len()) {
            wrong(
                &missing.place,
                format!("there is no row of `{}`", missing.text),
            );
            return None;
        }
        Some(out)
    }

    /// The network of the regions that an institution is in; the institutions then count regions
    /// among these.
    pub(super) fn network(&mut self, table: &Table) -> Option<NetworkPlan> {
        let mut used: Vec<usize> = self.institutions.iter().map(|i| i.region).collect();
        used.sort_unstable();
        used.dedup();
        for institution in &mut self.institutions {
            institution.region = used.binary_search(&institution.region).unwrap_or_default();
        }
        let names = used.iter().filter_map(|&i| table.names.get(i).cloned());
        self.regions_used = names.collect();
        let delays = used
            .iter()
            .map(|&a| {
                used.iter()
                    .map(|&b| Distribution::Constant(self.delay(table, a, b)))
                    .collect()
            })
            .collect();
        let regions = used
            .iter()
            .filter_map(|&i| {
                let (lat, lon) = match &table.delays {
                    Delays::Geographic { places, .. } => *places.get(i)?,
                    Delays::Matrix(_) => (Degrees(0), Degrees(0)),
                };
                Some(RegionPlan {
                    name: table.names.get(i)?.clone(),
                    lat_udeg: lat.0,
                    lon_udeg: lon.0,
                })
            })
            .collect();
        let fallback = if table.name == "one-place" {
            "lan"
        } else {
            "metro"
        };
        let links = match &self.scenario.network.links {
            Some(links) => links.clone(),
            None => Profiled::named(self.cx, &["network", "links"], fallback)?,
        };
        let line = links.resolve(self.cx, fallback)?;
        let site: Profiled<LinkKeys> = {
            // The line inside a site is no key of the language: its values stay out of the plan.
            let before = self.cx.leaves.len();
            let site = Profiled::named(self.cx, &["network", "links"], "lan")?;
            self.cx.leaves.truncate(before);
            site
        };
        let before = self.cx.leaves.len();
        let site = site.resolve(self.cx, "lan")?;
        self.cx.leaves.truncate(before);
        let link_profile = links
            .profile
            .as_ref()
            .map_or_else(|| fallback.to_owned(), |at| at.value.clone());
        let link = self.link(&line);
        Some(NetworkPlan {
            table: table.name.clone(),
            regions,
            delays,
            link_profile,
            link,
            site_link: self.link(&site),
            groups: LineGroups::default(),
            sites: std::collections::BTreeMap::new(),
        })
    }

    /// One way, between two regions or inside one.
    fn delay(&self, table: &Table, a: usize, b: usize) -> Span {
        match &table.delays {
            Delays::Matrix(rows) => rows
                .get(a)
                .and_then(|row| row.get(b))
                .map_or(Span::ZERO, |one_way| one_way.span()),
            Delays::Geographic {
                places,
                detour_permille,
                access,
            } => {
                let (Some(&from), Some(&to)) = (places.get(a), places.get(b)) else {
                    return Span::ZERO;
                };
                let detour = f64::from(*detour_permille) / 1_000.0;
                let name = |i: usize| table.names.get(i).map_or("", String::as_str);
                // Both directions of a pair share their access lines.
                let (low, high) = if name(a) <= name(b) { (a, b) } else { (b, a) };
                let path = format!("network.regions.access/{}/{}", name(low), name(high));
                let access = self.draw(access.0.nanos(), access.1.nanos(), &path, 0) as f64 / 1e6;
                let way = 2.0 * distance_km(from, to) / FIBRE_KM_PER_MS * detour;
                RoundTrip(way + access).half().span()
            }
        }
    }
}

impl Table {
    fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.names.len()).collect();
        order.sort_by(|&a, &b| self.names.get(a).cmp(&self.names.get(b)));
        self.restrict(&order);
    }
    /// The region nearest to a place, and how far it is, kilometres; `None` without coordinates.
    pub(super) fn nearest(&self, place: (Degrees, Degrees)) -> Option<(usize, f64)> {
        let Delays::Geographic { places, .. } = &self.delays else {
            return None;
        };
        let away = places.iter().map(|p| distance_km(*p, place));
        away.enumerate().min_by(|a, b| a.1.total_cmp(&b.1))
    }
    /// Keeps these, in this order.
    fn restrict(&mut self, keep: &[usize]) {
        self.names = keep
            .iter()
            .filter_map(|&i| self.names.get(i).cloned())
            .collect();
        match &mut self.delays {
            Delays::Geographic { places, .. } => {
                *places = keep
                    .iter()
                    .filter_map(|&i| places.get(i).copied())
                    .collect();
            }
            Delays::Matrix(rows) => {
                let row =
                    |row: &Vec<OneWay>| keep.iter().filter_map(|&i| row.get(i).copied()).collect();
                *rows = keep.iter().filter_map(|&i| rows.get(i).map(row)).collect();
            }
        }
    }
}

/// Great-circle distance (haversine formula).
fn distance_km(a: (Degrees, Degrees), b: (Degrees, Degrees)) -> f64 {
    let radians = |d: Degrees| (f64::from(d.0) / 1e6).to_radians();
    let (lat_a, lat_b) = (radians(a.0), radians(b.0));
    let half = |x: f64| libm::sin(x / 2.0) * libm::sin(x / 2.0);
    let h = half(lat_b - lat_a)
        + libm::cos(lat_a) * libm::cos(lat_b) * half(radians(b.1) - radians(a.1));
    2.0 * EARTH_KM * libm::asin(libm::sqrt(h.min(1.0)))
}
