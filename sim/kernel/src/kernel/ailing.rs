//! Disks and clocks that faults make ail, and what that means when a node goes down, comes back, or is
//! read through.

use super::Kernel;
use super::disk::with_others;
use crate::clock;
use crate::faults::Lose;
use crate::node::Pending;
use crate::storage::{self, Ailing, Draws};
use consim_core::{Disk, NodeId, Observer, Write};

impl<O: Observer> Kernel<O> {
    /// Window `window` opens on the disk of a node.
    pub(super) fn disk_ails(
        &mut self,
        id: NodeId,
        window: usize,
        fault: Box<dyn storage::Fault>,
        key: u64,
        keep_one: bool,
    ) {
        let Some(node) = self.nodes.get_mut(id.index()) else {
            return;
        };
        let sector = node.hardware.disk_sector;
        let disk = &node.disk;
        let well = || Box::new(Ailing::new(u64::MAX, disk));
        let ailing = node.ailing.get_or_insert_with(well);
        ailing.open(window, fault, Draws::new(key, id), sector, keep_one);
    }

    /// It closes: the disk takes what it refused, and is read through, so that what is damaged can
    /// be written again.
    pub(super) fn disk_heals(&mut self, id: NodeId, window: usize) {
        let i = id.index();
        let Some(node) = self.nodes.get_mut(i) else {
            return;
        };
        let Some(ailing) = &mut node.ailing else {
            return;
        };
        ailing.close(window, &mut node.disk);
        let damaged = node.disk.damaged() > 0;
        let up = node.process.is_some();
        self.try_held(i);
        if damaged && up {
            self.enter(i, Pending::Scrubbed);
        }
        self.forget_if_well(i);
    }

    fn forget_if_well(&mut self, i: usize) {
        if let Some(node) = self.nodes.get_mut(i)
            && node.ailing.as_ref().is_some_and(|ailing| ailing.is_well())
        {
            node.ailing = None;
        }
    }

    /// What faults of the disk came to, for the outcome.
    #[cold]
    pub(super) fn fetch_tolls(&mut self, i: usize) {
        let ailing = self.nodes.get_mut(i).and_then(|node| node.ailing.as_mut());
        let tolls = ailing.map(|a| std::mem::take(&mut a.tolls));
        for (window, toll) in tolls.unwrap_or_default() {
            self.faults.count(window, toll.took_effect);
            self.faults.skip(window, toll.skipped);
        }
    }

    /// The node is about to go down. If what was not synced is lost, it may be there in part, and what
    /// was said to be synced may be not.
    pub(super) fn disk_crashes(&mut self, i: usize, lose: Lose) {
        let Some((node, others)) = with_others(&mut self.nodes, i) else {
            return;
        };
        let Some(ailing) = &mut node.ailing else {
            return;
        };
        if lose != Lose::Unsynced {
            return ailing.is_stopped(&mut node.disk);
        }
        let groups = node.writes.values();
        let pending = groups.flat_map(|group| &group.list);
        let pending: Vec<Vec<Write>> = pending.map(|(_, writes)| writes.clone()).collect();
        ailing.crash(&mut node.disk, pending, &others);
        self.fetch_tolls(i);
    }

    /// The node is about to come back: it reads its disk, and its clock may have gone back.
    pub(super) fn comes_back(&mut self, i: usize) {
        let Some((node, others)) = with_others(&mut self.nodes, i) else {
            return;
        };
        if let Some(clock) = &mut node.clock {
            clock.restarted();
        }
        let Some(ailing) = &mut node.ailing else {
            return;
        };
        ailing.read(&mut node.disk, &others);
        self.fetch_tolls(i);
    }

    /// The volume of a node that is down becomes what it was in `snapshot`. Returns how many of its
    /// records are other ones than before, or `None` if the last copy of a batch would go.
    pub(super) fn roll_back(&mut self, i: usize, snapshot: Disk, keep_one: bool) -> Option<u64> {
        let (node, others) = with_others(&mut self.nodes, i)?;
        let held: Vec<_> = snapshot.holds().collect();
        let kept = |lost: &consim_core::Holds| held.contains(lost);
        let mut lost = node.disk.holds().filter(|lost| !kept(lost));
        if keep_one && !lost.all(|lost| others.have([lost])) {
            return None;
        }
        drop(lost);
        let differs = node.disk.differs_from(&snapshot);
        node.disk.restore(snapshot);
        if let Some(ailing) = &mut node.ailing {
            ailing.replaced(&node.disk);
        }
        Some(differs)
    }

    /// Window `window` opens on the clock of a node.
    pub(super) fn clock_fails(&mut self, id: NodeId, window: usize, fault: Box<dyn clock::Fault>) {
        if let Some(node) = self.nodes.get_mut(id.index()) {
            node.clock_goes_wrong(window, fault);
        }
    }
    /// It closes.
    pub(super) fn clock_heals(&mut self, id: NodeId, window: usize) {
        if let Some(node) = self.nodes.get_mut(id.index()) {
            node.clock_is_set(window);
        }
    }
}
