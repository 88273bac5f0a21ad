//! `lying-fsync` (D5): an fsync says that the data is durable while it is in the drive's cache, where it
//! stays until another is honest or the window ends; or it says that it failed, and what it was for is
//! written again.

use super::on_disks::OnDisks;
use super::target::Target;
use super::window::{Cx, Kind};
use crate::storage::{Draws, Fault, Fsync};

/// An fsync does not do what it says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LyingFsync {
    /// Whose disks.
    pub target: Target,
    /// What it says.
    pub how: Lie,
    /// The chance of each, parts per billion.
    pub rate_ppb: u32,
    /// Is at least one good copy of each committed batch kept (D9)? Damage that would take it is
    /// left out, and counted.
    pub keep_one: bool,
}

impl Kind for LyingFsync {
    const WORD: &'static str = "lying-fsync";
    const CODE: &'static str = "D5";
    const UNIT: &'static str = "synced writes lost, or fsyncs failed";
    const DISKS: bool = true;
    type Open = OnDisks;

    fn open(&self, cx: &mut Cx<'_>) -> OnDisks {
        OnDisks::new(cx, &self.target, self.keep_one, || Liar {
            how: self.how,
            rate_ppb: self.rate_ppb,
        })
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// What an fsync says that does not make durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lie {
    /// That it did.
    Silent,
    /// That it failed.
    Error,
}

#[derive(Debug)]
struct Liar {
    how: Lie,
    rate_ppb: u32,
}

impl Fault for Liar {
    fn fsync(&mut self, draws: &mut Draws) -> Fsync {
        match (draws.happens(self.rate_ppb), self.how) {
            (false, _) => Fsync::Honest,
            (true, Lie::Silent) => Fsync::Lies,
            (true, Lie::Error) => Fsync::Fails,
        }
    }
}
