//! `misdirect` (D4): a write lands at another record's place, which it overwrites, while its own keeps
//! what lay there before; or a read brings what lies at another place.

use super::bit_rot::During;
use super::on_disks::OnDisks;
use super::target::Target;
use super::window::{Cx, Kind};
use crate::storage::{Before, Draws, Fault, Harm};
use consim_core::Disk;
use consim_core::disk::{Place, mistaken, unwritten};

/// Records go to, or come from, the place of another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Misdirect {
    /// Whose disks.
    pub target: Target,
    /// When.
    pub during: During,
    /// The chance of each record, parts per billion.
    pub rate_ppb: u32,
    /// Is at least one good copy of each committed batch kept (D9)? Damage that would take it is
    /// left out, and counted.
    pub keep_one: bool,
}

impl Kind for Misdirect {
    const WORD: &'static str = "misdirect";
    const CODE: &'static str = "D4";
    const UNIT: &'static str = "records damaged";
    const DISKS: bool = true;
    const DAMAGES: bool = true;
    type Open = OnDisks;

    fn open(&self, cx: &mut Cx<'_>) -> OnDisks {
        OnDisks::new(cx, &self.target, self.keep_one, || Astray {
            during: self.during,
            rate_ppb: self.rate_ppb,
        })
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

#[derive(Debug)]
struct Astray {
    during: During,
    rate_ppb: u32,
}

impl Astray {
    /// The place of another record, if this one is misdirected and there is another.
    fn other(&self, draws: &mut Draws, disk: &Disk, place: Place) -> Option<Place> {
        if !draws.happens(self.rate_ppb) {
            return None;
        }
        let others = disk.records().checked_sub(1).filter(|&n| n > 0)?;
        let nth = draws.below(others) as usize;
        disk.places().filter(|&p| p != place).nth(nth)
    }
}

impl Fault for Astray {
    fn written(
        &mut self,
        draws: &mut Draws,
        disk: &Disk,
        place: Place,
        before: Before,
    ) -> Vec<Harm> {
        if self.during != During::Write {
            return Vec::new();
        }
        let Some(other) = self.other(draws, disk, place) else {
            return Vec::new();
        };
        let (Some(record), Some(hit)) = (disk.record(place), disk.record(other)) else {
            return Vec::new();
        };
        let here = unwritten(record, before.as_deref()).map(|d| (place, d));
        let there = mistaken(hit, &**record).map(|d| (other, d));
        here.into_iter().chain(there).collect()
    }
    fn read(&mut self, draws: &mut Draws, disk: &Disk, place: Place) -> Vec<Harm> {
        if self.during != During::Read {
            return Vec::new();
        }
        let Some(other) = self.other(draws, disk, place) else {
            return Vec::new();
        };
        let (Some(record), Some(brought)) = (disk.record(place), disk.record(other)) else {
            return Vec::new();
        };
        mistaken(record, &**brought)
            .map(|d| (place, d))
            .into_iter()
            .collect()
    }
}
