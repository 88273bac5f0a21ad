//! What is wrong with a node's disk. A node whose disk is well has none of it; the faults themselves
//! stand with the others, one file each.
//!
//! A fault sees the disk at four moments: when a write is asked for, when it has been synced, when
//! the node crashes, and when a node that comes back reads what was kept. Each open window draws from
//! a counter of its own, so that one that is taken out of a plan shifts no other's draws.

use consim_core::disk::Place;
use consim_core::rng::below;
use consim_core::{Damaged, Disk, Holds, NodeId, Payload, Span, Write, WriteToken, mix};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// A billion: rates are parts of it.
const BILLION: u64 = 1_000_000_000;

/// The draws of one window on one node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draws {
    key: u64,
    drawn: u64,
}

impl Draws {
    pub(crate) fn new(key: u64, node: NodeId) -> Self {
        Self {
            key: mix(key, u64::from(node.0)),
            drawn: 0,
        }
    }
    /// The next draw.
    pub(crate) fn next(&mut self) -> u64 {
        self.drawn += 1;
        mix(self.key, self.drawn)
    }
    /// Evenly from 0 to `limit`, which is left out.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        below(self.next(), limit)
    }
    /// Does something of this chance happen?
    pub(crate) fn happens(&mut self, ppb: u32) -> bool {
        self.below(BILLION) < u64::from(ppb)
    }
}

/// What comes of an fsync.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fsync {
    /// The data is durable.
    Honest,
    /// It is said to be, and is not.
    Lies,
    /// It says that it failed.
    Fails,
}

/// A record that is to be damaged, and what would lie there instead.
pub(crate) type Harm = (Place, Damaged);

/// A fault of a disk. The defaults are those of a disk that is well.
pub(crate) trait Fault: Send + std::fmt::Debug {
    /// The window opens on a disk that holds `used` bytes and has sectors of `sector` bytes; 0 if
    /// each record has its own.
    fn begin(&mut self, _used: u64, _sector: u64) {}
    /// What a write takes on top.
    fn delay(&mut self, _draws: &mut Draws) -> Span {
        Span::ZERO
    }
    /// Does the disk refuse a write by which it would come to hold `bytes`?
    fn refuses(&mut self, _bytes: u64) -> bool {
        false
    }
    /// What comes of an fsync.
    fn fsync(&mut self, _draws: &mut Draws) -> Fsync {
        Fsync::Honest
    }
    /// `place` of `disk` was written; `before` is what lay there before. What is damaged by it?
    fn written(&mut self, _: &mut Draws, _: &Disk, _place: Place, _before: Before) -> Vec<Harm> {
        Vec::new()
    }
    /// `place` of `disk` is read. What is damaged?
    fn read(&mut self, _draws: &mut Draws, _disk: &Disk, _place: Place) -> Vec<Harm> {
        Vec::new()
    }
    /// The node crashes while `pending` is not synced, one list for each time that the process
    /// asked: what of it is on the disk all the same? `None` leaves it to the other faults.
    fn crash(&mut self, _: &mut Draws, _disk: &Disk, _pending: &[Vec<Write>]) -> Option<Left> {
        None
    }
}

/// What lay at a place before it was written to.
pub(crate) type Before = Option<Arc<dyn Payload>>;

/// What a crash leaves of writes that were not synced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Left {
    /// These lists: the store logs each ahead, so that it is there whole or not at all.
    These(Vec<usize>),
    /// So many bytes of all, from the first on.
    Bytes(usize),
}

/// The disks of all nodes but one: what may be lost on that one is what these hold too.
pub(crate) struct Others<'a> {
    disks: Vec<&'a Disk>,
    held: OnceCell<BTreeSet<Holds>>,
}

impl<'a> Others<'a> {
    pub(crate) fn new(disks: Vec<&'a Disk>) -> Self {
        let held = OnceCell::new();
        Self { disks, held }
    }
    /// Would a good copy of each batch of `lost` be left?
    pub(crate) fn have(&self, lost: impl IntoIterator<Item = Holds>) -> bool {
        let held = || self.disks.iter().flat_map(|disk| disk.holds()).collect();
        lost.into_iter().all(|lost| {
            let held = self.held.get_or_init(held);
            let states = |chain| {
                let of = |h: &Holds| match h {
                    Holds::UpTo(c, s) if *c == chain => Some(*s),
                    _ => None,
                };
                held.iter().filter_map(of).max().unwrap_or(0)
            };
            let block = |chain, s| held.contains(&Holds::Block(chain, s));
            match lost {
                Holds::Block(chain, s) => block(chain, s) || s <= states(chain),
                Holds::UpTo(chain, last) => (states(chain) + 1..=last).all(|s| block(chain, s)),
            }
        })
    }
}

/// A window that is open on a node's disk.
#[derive(Debug)]
struct Open {
    window: usize,
    fault: Box<dyn Fault>,
    draws: Draws,
    /// Is at least one good copy of each committed batch kept?
    keep_one: bool,
}

/// What came of a fault, by window: a measured difference, or damage that the budget forbade.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Toll {
    pub(crate) took_effect: u64,
    pub(crate) skipped: u64,
}

/// Tolls that the kernel has not fetched yet.
pub(crate) type Tolls = BTreeMap<usize, Toll>;

fn took(tolls: &mut Tolls, window: usize, by: u64) {
    tolls.entry(window).or_default().took_effect += by;
}
fn skipped(tolls: &mut Tolls, window: usize, by: u64) {
    tolls.entry(window).or_default().skipped += by;
}

/// What an fsync came to, for the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Synced {
    /// The writes are said to be durable.
    Yes,
    /// They are to be written again.
    Again,
}

/// What a drive has in its cache and says that it does not.
#[derive(Debug)]
struct Cached {
    /// The window of the fsync that lied.
    window: usize,
    keep_one: bool,
    writes: Vec<Write>,
}

/// All that is wrong with one node's disk.
#[derive(Debug)]
pub(crate) struct Ailing {
    open: Vec<Open>,
    /// Bytes that fit on the disk, and those that lie on it.
    size: u64,
    used: u64,
    /// Said to be durable, not there: with the window of the fsync that lied.
    cached: Vec<Cached>,
    /// What the disk refused, in order.
    held: VecDeque<(WriteToken, Vec<Write>)>,
    pub(crate) tolls: Tolls,
}

impl Ailing {
    /// A disk of `size` bytes that is well otherwise.
    pub(crate) fn new(size: u64, disk: &Disk) -> Self {
        Self {
            open: Vec::new(),
            size,
            used: disk.bytes(),
            cached: Vec::new(),
            held: VecDeque::new(),
            tolls: Tolls::new(),
        }
    }
    /// Is nothing wrong any more, and has the disk no end?
    pub(crate) fn is_well(&self) -> bool {
        let empty = self.open.is_empty() && self.cached.is_empty() && self.held.is_empty();
        empty && self.size == u64::MAX && self.tolls.is_empty()
    }
    pub(crate) fn open(
        &mut self,
        window: usize,
        mut fault: Box<dyn Fault>,
        draws: Draws,
        sector: u64,
        keep_one: bool,
    ) {
        fault.begin(self.used, sector);
        self.open.push(Open {
            window,
            fault,
            draws,
            keep_one,
        });
    }
    /// The window closes: an fsync that lied in it has come true by now.
    pub(crate) fn close(&mut self, window: usize, disk: &mut Disk) {
        self.open.retain(|open| open.window != window);
        if self.cached.iter().any(|cached| cached.window == window) {
            self.settle(disk);
        }
    }
    fn settle(&mut self, disk: &mut Disk) {
        for cached in self.cached.drain(..) {
            for write in cached.writes {
                put(&mut self.used, disk, write);
            }
        }
    }

    // ---- writing ---------------------------------------------------------------------------------

    /// What a write takes on top.
    pub(crate) fn delay(&mut self) -> Span {
        let mut sum = Span::ZERO;
        for open in &mut self.open {
            let delay = open.fault.delay(&mut open.draws);
            if delay > Span::ZERO {
                sum += delay;
                took(&mut self.tolls, open.window, 1);
            }
        }
        sum
    }
    /// Does the disk refuse `writes`, with `on_their_way` bytes before them? `again` if it did so
    /// before.
    pub(crate) fn refuses(
        &mut self,
        on_their_way: u64,
        disk: &Disk,
        writes: &[Write],
        again: bool,
    ) -> bool {
        let growth: i64 = writes.iter().map(|write| disk.growth(write)).sum();
        let bytes = self.used.saturating_add(on_their_way);
        let bytes = bytes.saturating_add_signed(growth);
        let mut refused = bytes > self.size && growth > 0;
        for open in &mut self.open {
            if open.fault.refuses(bytes) {
                refused = true;
                took(&mut self.tolls, open.window, u64::from(!again));
            }
        }
        refused
    }
    pub(crate) fn hold(&mut self, token: WriteToken, writes: Vec<Write>) {
        self.held.push_back((token, writes));
    }
    /// What was refused, to be tried again.
    pub(crate) fn take_held(&mut self) -> VecDeque<(WriteToken, Vec<Write>)> {
        std::mem::take(&mut self.held)
    }
    pub(crate) fn holds_back(&self) -> bool {
        !self.held.is_empty()
    }

    /// An fsync of `writes`, all of which are taken out unless they are to be written again.
    pub(crate) fn sync(
        &mut self,
        disk: &mut Disk,
        writes: &mut Vec<Write>,
        others: &Others<'_>,
    ) -> Synced {
        let mut lies = None;
        for open in &mut self.open {
            match open.fault.fsync(&mut open.draws) {
                Fsync::Honest => {}
                Fsync::Lies => lies = Some((open.window, open.keep_one)),
                Fsync::Fails => {
                    took(&mut self.tolls, open.window, 1);
                    return Synced::Again;
                }
            }
        }
        let writes = std::mem::take(writes);
        if let Some((window, keep_one)) = lies {
            self.cached.push(Cached {
                window,
                keep_one,
                writes,
            });
            return Synced::Yes;
        }
        // What is synced takes what was written before along.
        self.settle(disk);
        for write in writes {
            self.land(disk, write, others);
        }
        Synced::Yes
    }
    fn land(&mut self, disk: &mut Disk, write: Write, others: &Others<'_>) {
        use consim_core::Slot;
        let (slot, has_value) = (write.slot, write.value.is_some());
        let before = match slot {
            Slot::Cell(table, key) => disk.cell(table, key).cloned(),
            _ => None,
        };
        put(&mut self.used, disk, write);
        let place = match slot {
            Slot::Log(log) if has_value => Place::Entry(log, disk.log(log).len() - 1),
            Slot::Cell(table, key) if has_value => Place::Cell(table, key),
            _ => return,
        };
        for open in &mut self.open {
            let before = before.clone();
            let harms = open.fault.written(&mut open.draws, disk, place, before);
            inflict(&mut self.tolls, open, disk, harms, others);
        }
    }

    // ---- coming back -----------------------------------------------------------------------------

    /// The node is stopped in an orderly way: what waits is dropped, what is in a cache is written.
    pub(crate) fn is_stopped(&mut self, disk: &mut Disk) {
        self.held.clear();
        self.settle(disk);
    }
    /// The volume was replaced by another.
    pub(crate) fn replaced(&mut self, disk: &Disk) {
        self.used = disk.bytes();
    }
    /// A node that comes back reads all of its disk.
    pub(crate) fn read(&mut self, disk: &mut Disk, others: &Others<'_>) {
        let places: Vec<Place> = disk.places().collect();
        for open in &mut self.open {
            for &place in &places {
                let harms = open.fault.read(&mut open.draws, disk, place);
                inflict(&mut self.tolls, open, disk, harms, others);
            }
        }
    }
    /// The node crashes while `pending` is not synced.
    pub(crate) fn crash(&mut self, disk: &mut Disk, pending: Vec<Vec<Write>>, others: &Others<'_>) {
        self.held.clear();
        // What an fsync lied about is gone, unless it is the last copy of a block.
        for cached in std::mem::take(&mut self.cached) {
            let window = cached.window;
            for write in cached.writes {
                let held = write.value.as_ref().and_then(|value| value.holds());
                if !cached.keep_one || others.have(held) {
                    took(&mut self.tolls, window, 1);
                } else {
                    skipped(&mut self.tolls, window, 1);
                    put(&mut self.used, disk, write);
                }
            }
        }
        if !pending.is_empty() {
            self.leave(disk, pending);
            self.used = disk.bytes();
        }
    }
    /// What the crash leaves of writes that were not synced.
    fn leave(&mut self, disk: &mut Disk, pending: Vec<Vec<Write>>) {
        for open in &mut self.open {
            match open.fault.crash(&mut open.draws, disk, &pending) {
                None => {}
                Some(Left::These(kept)) => {
                    let kept = kept.into_iter().filter_map(|i| pending.get(i)).flatten();
                    for write in kept {
                        took(&mut self.tolls, open.window, 1);
                        disk.apply(write.clone());
                    }
                    return;
                }
                Some(Left::Bytes(bytes)) => {
                    let before = disk.records();
                    disk.apply_torn(pending.into_iter().flatten().collect(), bytes);
                    let left = disk.records().saturating_sub(before);
                    took(&mut self.tolls, open.window, left.max(1));
                    return;
                }
            }
        }
    }
}

/// Writes to a disk that holds `used` bytes.
fn put(used: &mut u64, disk: &mut Disk, write: Write) {
    *used = used.saturating_add_signed(disk.growth(&write));
    disk.apply(write);
}

/// Damages what the budget allows.
fn inflict(tolls: &mut Tolls, open: &Open, disk: &mut Disk, harms: Vec<Harm>, others: &Others<'_>) {
    for (place, damaged) in harms {
        if !open.keep_one || others.have(damaged.held()) {
            disk.damage(place, damaged);
            took(tolls, open.window, 1);
        } else {
            skipped(tolls, open.window, 1);
        }
    }
}
