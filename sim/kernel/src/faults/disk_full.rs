//! `disk-full` (D6): the disk takes so many bytes more, and then refuses what does not fit, or, mounted
//! read-only upon the first error, everything. What is refused waits until the end.

use super::on_disks::OnDisks;
use super::target::Target;
use super::window::{Cx, Kind};
use crate::storage::Fault;

/// Disks are full.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiskFull {
    /// Whose disks.
    pub target: Target,
    /// So many bytes still fit.
    pub after: u64,
    /// And then?
    pub then: ThenFull,
}

impl Kind for DiskFull {
    const WORD: &'static str = "disk-full";
    const CODE: &'static str = "D6";
    const UNIT: &'static str = "writes refused";
    const DISKS: bool = true;
    type Open = OnDisks;

    fn open(&self, cx: &mut Cx<'_>) -> OnDisks {
        OnDisks::new(cx, &self.target, false, || Full {
            size: self.after,
            then: self.then,
            read_only: false,
        })
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// What a full disk does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ThenFull {
    /// It refuses what does not fit.
    Full,
    /// It refuses everything from the first write on that does not fit.
    ReadOnly,
}

#[derive(Debug)]
struct Full {
    /// Bytes that fit; until it begins, those that fit beside what is there.
    size: u64,
    then: ThenFull,
    read_only: bool,
}

impl Fault for Full {
    fn begin(&mut self, used: u64, _: u64) {
        self.size = used.saturating_add(self.size);
    }
    fn refuses(&mut self, bytes: u64) -> bool {
        let full = bytes > self.size;
        self.read_only |= full && self.then == ThenFull::ReadOnly;
        full || self.read_only
    }
}
