//! Institutions out of a file: `hospitals: { from: file:hospitals.csv }`.
//!
//! The first line names the columns: `name`; `city` or `lat` and `lon`; and, where they are known,
//! `tier`, `visits_per_day`, `access_rate`, `hardware`. An empty cell stands for what the group
//! says. Mistakes are shown in the file itself.

use super::network::Table;
use super::{MAX_NODES, Planner, Told};
use crate::csv::{self, Cell};
use crate::data::{self, Contents, Where};
use crate::profiles::read;
use crate::schema::shape::suggestion;
use crate::schema::{At, LeafKind, Organisation, TableRef, Tier};

use crate::tree::{Place, Role, Source};
use consim_core::values::{BitRate, Count, Degrees, Name, Value};
use std::path::{Path, PathBuf};

/// The columns that a file of institutions can have.
const COLUMNS: [&str; 8] = [
    "name",
    "tier",
    "city",
    "lat",
    "lon",
    "visits_per_day",
    "access_rate",
    "hardware",
];
/// Beyond this the nearest city is probably in another table, kilometres (assumed: more than any
/// place of a Chinese province is from the nearest seat of a prefecture).
const FAR_KM: f64 = 300.0;

/// An institution as its line describes it.
pub(super) struct Row {
    pub(super) name: (String, Place),
    pub(super) tier: Option<Tier>,
    /// Index of the table.
    pub(super) region: usize,
    /// Visits on a mean day.
    pub(super) visits: Option<u64>,
    /// Bits per second of its access line.
    pub(super) access: Option<u64>,
    pub(super) hardware: Option<At<String>>,
}

/// A file whose columns are known.
struct Roster<'a> {
    table: &'a Table,
    columns: Vec<usize>,
}

impl Planner<'_> {
    /// The institutions of a group that has them in a file.
    pub(super) fn roster(
        &mut self,
        name: &At<Name>,
        organisation: &Organisation,
        table: &Table,
    ) -> Option<Vec<Row>> {
        let from = organisation.from.as_ref()?;
        self.alone(name, organisation)?;
        let place = match &from.value {
            TableRef::DataSet(word) => {
                Where::BuiltIn(data::named(self.cx, from, word, "dataset:".len())?)
            }
            TableRef::File(path) => data::locate(self.cx, from, path)?,
        };
        let (path, text) = match place {
            Where::BuiltIn(set) => {
                let Contents::File(text) = set.contents else {
                    let text = format!("`{}` is no file of institutions", set.name);
                    self.cx
                        .error("E106", &from.place, text, "dataset:hospitals, for example");
                    return None;
                };
                (PathBuf::from(set.path), text.to_owned())
            }
            Where::Disk(path) => match read(&path) {
                Ok(text) => (path, text),
                Err(why) => {
                    let place = from.place.clone();
                    self.cx.error(
                        "E603",
                        &place,
                        format!("cannot read {}: {why}", path.display()),
                        "paths are relative to this file",
                    );
                    return None;
                }
            },
        };
        if let Some(leaf) = self.cx.leaves.get_mut(from.leaf) {
            leaf.digest = Some(blake3::hash(text.as_bytes()).to_hex().to_string());
        }
        let rows = self.lines(&path, &text, table)?;
        let derived = format!("{} institutions in {}", rows.len(), from.value.text());
        self.derived(
            &["organisations", &name.value.0],
            derived,
            &name.place.clone(),
        );
        Some(rows)
    }

    /// The file says how many there are and where: `count` and `region` do not.
    fn alone(&mut self, name: &At<Name>, organisation: &Organisation) -> Option<()> {
        let key = name.value.0.as_str();
        let given = |word: &str| {
            let path = ["organisations", key, word];
            let leaf = self.cx.leaves.iter().find(|leaf| leaf.path == path)?;
            (self.cx.role(&leaf.place) != Some(&Role::Default)).then(|| leaf.place.clone())
        };
        let from = organisation.from.as_ref()?.value.text();
        if let Some((word, place)) = ["count", "region"]
            .into_iter()
            .find_map(|word| Some((word, given(word)?)))
        {
            self.cx.error(
                "E504",
                &place,
                format!("`{word}` stands in {from}, not beside it"),
                "leave one of the two out",
            );
            return None;
        }
        // What only stands for the file's contents is no value of its own.
        for leaf in &mut self.cx.leaves {
            if leaf.path == ["organisations", key, "count"]
                || leaf.path == ["organisations", key, "region"]
            {
                leaf.kind = LeafKind::Silent;
                leaf.aside = true;
            }
        }
        Some(())
    }

    fn lines(&mut self, path: &Path, text: &str, table: &Table) -> Option<Vec<Row>> {
        let source = self.cx.sources.add(Source {
            name: path.display().to_string(),
            text: text.into(),
            role: Role::Data,
            folder: path.parent().map(Path::to_path_buf).unwrap_or_default(),
        });
        let rows = csv::table(self.cx, source)?;
        let start = csv::start(source);
        let Some((header, rows)) = rows.split_first().filter(|(_, rows)| !rows.is_empty()) else {
            self.cx.error(
                "E009",
                &start,
                "there are no institutions in this file",
                "a line of columns (name, city, tier, ...), then one line an institution",
            );
            return None;
        };
        if rows.len() > MAX_NODES {
            self.cx.error(
                "E107",
                &start,
                format!("{} institutions", rows.len()),
                format!("at most {MAX_NODES}"),
            );
            return None;
        }
        let columns = self.columns(header, &start)?;
        let roster = Roster { table, columns };
        let read: Vec<Option<Row>> = rows.iter().map(|row| self.line(&roster, row)).collect();
        read.into_iter().collect()
    }

    /// Which column each cell of a line belongs to.
    fn columns(&mut self, header: &[Cell], start: &Place) -> Option<Vec<usize>> {
        let mut columns = Vec::new();
        let mut whole = true;
        for cell in header {
            let place = cell.place.clone();
            let found = COLUMNS.iter().position(|column| *column == cell.text);
            match found {
                Some(column) if columns.contains(&column) => {
                    let text = format!("the column `{}` is already there", cell.text);
                    self.cx.error("E002", &place, text, "each column once");
                    whole = false;
                }
                Some(column) => columns.push(column),
                None => {
                    let text = format!("no column is called `{}`", cell.text);
                    self.cx
                        .error("E201", &place, text, suggestion(&cell.text, &COLUMNS));
                    whole = false;
                }
            }
        }
        let has = |word: &str| columns.iter().any(|&c| COLUMNS.get(c) == Some(&word));
        let missing = if !has("name") {
            "name"
        } else if !(has("city") || has("lat") && has("lon")) {
            "city"
        } else {
            return whole.then_some(columns);
        };
        if whole {
            let place = header.first().map_or(start, |cell| &cell.place);
            self.cx.error(
                "E210",
                place,
                format!("the column `{missing}` is missing"),
                "name, and city or lat and lon",
            );
        }
        None
    }

    fn line(&mut self, roster: &Roster<'_>, row: &[Cell]) -> Option<Row> {
        let first = row.first()?.place.clone();
        if row.len() != roster.columns.len() {
            let end = row.last().map_or(first.at.end, |cell| cell.place.at.end);
            let place = Place {
                at: first.at.start..end,
                ..first
            };
            self.cx.error(
                "E106",
                &place,
                format!(
                    "{} cells, the first line has {}",
                    row.len(),
                    roster.columns.len()
                ),
                "an empty cell still has its comma",
            );
            return None;
        }
        let cell = |word: &str| {
            let column = COLUMNS.iter().position(|c| *c == word)?;
            let index = roster.columns.iter().position(|c| *c == column)?;
            row.get(index).filter(|cell| !cell.text.is_empty())
        };
        let Some(name) = cell("name") else {
            let place = Place {
                at: first.at.start..first.at.start,
                ..first
            };
            self.cx
                .error("E210", &place, "an institution without a name", "a name");
            return None;
        };
        // All cells are looked at, so that all mistakes of a line are told.
        let place = name.place.clone();
        let word = self.cell::<Name>(Some(name));
        let tier = self.cell::<Tier>(cell("tier"));
        let visits = self.cell::<Count>(cell("visits_per_day"));
        let access = self.cell::<BitRate>(cell("access_rate"));
        let access = self.some_rate(cell("access_rate"), access);
        let region = self.place_of(roster, &cell, &place);
        let hardware = cell("hardware").map(|cell| At {
            value: cell.text.clone(),
            place: cell.place.clone(),
            leaf: usize::MAX,
        });
        Some(Row {
            name: (word.ok()?.map(|n| n.0)?, place),
            tier: tier.ok()?,
            region: region?,
            visits: visits.ok()?.map(|n| n.0),
            access: access.ok()?,
            hardware,
        })
    }

    /// The value of a cell, if there is one.
    fn cell<T: Value>(&mut self, cell: Option<&Cell>) -> Result<Option<T>, Told> {
        let Some(cell) = cell else { return Ok(None) };
        match T::parse(&cell.text) {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                self.cx.value_error(&cell.place, error);
                Err(Told)
            }
        }
    }

    fn some_rate(
        &mut self,
        cell: Option<&Cell>,
        rate: Result<Option<BitRate>, Told>,
    ) -> Result<Option<u64>, Told> {
        let rate = rate?;
        if let (Some(BitRate(0)), Some(cell)) = (rate, cell) {
            self.cx.error(
                "E107",
                &cell.place,
                "a line that carries nothing",
                "100Mbit/s",
            );
            return Err(Told);
        }
        Ok(rate.map(|rate| rate.0))
    }

    /// The region of a line: its city, or the nearest one of the table.
    fn place_of<'c>(
        &mut self,
        roster: &Roster<'_>,
        cell: &impl Fn(&str) -> Option<&'c Cell>,
        name: &Place,
    ) -> Option<usize> {
        if let Some(city) = cell("city") {
            return self.region(&city.text, &city.place, roster.table);
        }
        let (Some(lat), Some(lon)) = (cell("lat"), cell("lon")) else {
            let text = "neither a city nor coordinates";
            self.cx.error(
                "E210",
                name,
                text,
                "fill in city, or lat and lon in degrees",
            );
            return None;
        };
        let degrees = (
            self.cell::<Degrees>(Some(lat)),
            self.cell::<Degrees>(Some(lon)),
        );
        let (lat_deg, lon_deg) = (degrees.0.ok()??, degrees.1.ok()??);
        let Some((region, km)) = roster.table.nearest((lat_deg, lon_deg)) else {
            let text = format!("the regions of {} have no coordinates", roster.table.name);
            let help = "name the city, or take a table with coordinates such as guangdong";
            self.cx.error("E504", &lat.place, text, help);
            return None;
        };
        if km > FAR_KM {
            let city = roster.table.names.get(region).cloned().unwrap_or_default();
            let text = format!("the nearest city, {city}, is {km:.0} km away");
            let help = "another table of regions, or latitude and longitude the other way round";
            self.cx.warning("W508", &lat.place, text, help);
        }
        Some(region)
    }
}
