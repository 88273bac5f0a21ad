//! `torn-write` (D2): a crash stops the drive in the middle of a write; what is there of it ends at the
//! end of a sector.

use super::on_disks::OnDisks;
use super::target::Target;
use super::window::{Cx, Kind};
use crate::storage::{Draws, Fault, Left};
use consim_core::{Disk, Slot, Write};

/// A crash stops the drive in the middle of a write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TornWrite {
    /// Whose disks.
    pub target: Target,
    /// Bytes that are written whole or not at all.
    pub sector: u64,
    /// The chance that a crash hits the drive while it writes, parts per billion.
    pub share_ppb: u32,
}

impl Kind for TornWrite {
    const WORD: &'static str = "torn-write";
    const CODE: &'static str = "D2";
    const UNIT: &'static str = "records that a crash left of a write, or tore";
    const DISKS: bool = true;
    const DAMAGES: bool = true;
    type Open = OnDisks;

    fn open(&self, cx: &mut Cx<'_>) -> OnDisks {
        OnDisks::new(cx, &self.target, false, || Tear {
            sector: self.sector.max(1),
            share_ppb: self.share_ppb,
        })
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

#[derive(Debug)]
struct Tear {
    /// Bytes that are written whole or not at all.
    sector: u64,
    /// The chance that a crash hits the drive while it writes.
    share_ppb: u32,
}

impl Fault for Tear {
    fn crash(&mut self, draws: &mut Draws, disk: &Disk, pending: &[Vec<Write>]) -> Option<Left> {
        if !draws.happens(self.share_ppb) {
            return None;
        }
        let writes = || pending.iter().flatten();
        let bytes: u64 = writes().map(Write::bytes).sum();
        // The write goes on where the log ends, which is in the middle of a sector.
        let log = writes().find_map(|write| match write.slot {
            Slot::Log(log) => Some(log),
            _ => None,
        });
        let entries = log.map_or(&[][..], |log| disk.log(log));
        let end: u64 = entries.iter().map(|entry| entry.encoded_len() as u64).sum();
        let offset = end % self.sector;
        let ends = (offset + bytes) / self.sector;
        let left = (draws.below(ends + 1) * self.sector).saturating_sub(offset);
        (left > 0).then_some(Left::Bytes(left as usize))
    }
}
