//! `bit-rot` (D3): a bit flips in a record that is written, or in one that is read. With the sector it
//! lies in, which its drive cannot read any more, go all records that share it.

use super::on_disks::OnDisks;
use super::target::Target;
use super::window::{Cx, Kind};
use crate::storage::{Before, Draws, Fault, Harm};
use consim_core::Disk;
use consim_core::disk::{Place, flipped};

/// Records rot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BitRot {
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

impl Kind for BitRot {
    const WORD: &'static str = "bit-rot";
    const CODE: &'static str = "D3";
    const UNIT: &'static str = "records damaged";
    const DISKS: bool = true;
    const DAMAGES: bool = true;
    type Open = OnDisks;

    fn open(&self, cx: &mut Cx<'_>) -> OnDisks {
        OnDisks::new(cx, &self.target, self.keep_one, || Rot {
            during: self.during,
            rate_ppb: self.rate_ppb,
            sector: 0,
        })
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// When a record is damaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum During {
    /// A node that comes back reads it.
    Read,
    /// It is written.
    Write,
}

#[derive(Debug)]
struct Rot {
    during: During,
    rate_ppb: u32,
    /// Bytes of a sector; 0 if records have sectors of their own.
    sector: u64,
}

impl Rot {
    fn rot(&self, draws: &mut Draws, disk: &Disk, place: Place) -> Vec<Harm> {
        if !draws.happens(self.rate_ppb) {
            return Vec::new();
        }
        let bit = draws.next();
        let flip = |place| Some((place, flipped(disk.record(place)?, bit)?));
        self.shared(disk, place, bit)
            .into_iter()
            .filter_map(flip)
            .collect()
    }

    /// The records that have bytes in the sector of the flipped bit. Entries of a log lie one behind
    /// the other; cells have sectors of their own.
    fn shared(&self, disk: &Disk, place: Place, bit: u64) -> Vec<Place> {
        let (Place::Entry(log, index), true) = (place, self.sector > 0) else {
            return vec![place];
        };
        let (mut offset, mut spans) = (0u64, Vec::new());
        for entry in disk.log(log) {
            let end = offset + entry.encoded_len() as u64;
            spans.push((offset, end));
            offset = end;
        }
        let Some(&(from, to)) = spans.get(index) else {
            return vec![place];
        };
        let byte = from + (bit / 8) % (to - from).max(1);
        let first = byte / self.sector * self.sector;
        let last = first + self.sector;
        let shares = |&(_, &(from, to)): &(usize, &(u64, u64))| from < last && first < to;
        let entries = spans.iter().enumerate().filter(shares);
        entries.map(|(i, _)| Place::Entry(log, i)).collect()
    }
}

impl Fault for Rot {
    fn begin(&mut self, _: u64, sector: u64) {
        self.sector = sector;
    }
    fn written(&mut self, draws: &mut Draws, disk: &Disk, place: Place, _: Before) -> Vec<Harm> {
        match self.during {
            During::Write => self.rot(draws, disk, place),
            During::Read => Vec::new(),
        }
    }
    fn read(&mut self, draws: &mut Draws, disk: &Disk, place: Place) -> Vec<Harm> {
        match self.during {
            During::Read => self.rot(draws, disk, place),
            During::Write => Vec::new(),
        }
    }
}
