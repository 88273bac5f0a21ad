//! Fault windows open, go on and close; what they ask for is done.

use super::Kernel;
use super::odd::arrival;
use crate::digest::Mark;
use crate::faults::{Act, Copy, Flooded, Hop, Lose, Point, Verdict, World};
use crate::node::Pending;
use crate::queue::Item;
use consim_core::{Disk, Effect, NodeId, Observer, Probe, Span, Time};
use std::collections::BTreeMap;

/// What a window is woken with that wants disks to be copied before it opens.
pub(super) const BACKUP: u32 = u32::MAX;

/// Does it tell of a block that was executed?
pub(super) fn is_applied(probe: &Probe) -> bool {
    matches!(probe, Probe::Applied(_))
}

/// Copies of disks, by window and node.
pub(super) type Backups = BTreeMap<(usize, NodeId), Disk>;

impl<O: Observer> Kernel<O> {
    pub(super) fn open_fault(&mut self, index: usize) {
        let world = World {
            nodes: &self.nodes,
            places: &self.places,
            views: &self.views,
        };
        self.faults.open(index, self.now, world);
        let id = self.fault_id(index);
        self.observer.fault(self.now, &id, true);
        self.act(index);
    }

    pub(super) fn close_fault(&mut self, index: usize) {
        let world = World {
            nodes: &self.nodes,
            places: &self.places,
            views: &self.views,
        };
        self.faults.close(index, self.now, world);
        self.act(index);
        self.backups.retain(|(window, _), _| *window != index);
        let id = self.fault_id(index);
        self.observer.fault(self.now, &id, false);
    }

    pub(super) fn wake_fault(&mut self, index: usize, what: u32) {
        let world = World {
            nodes: &self.nodes,
            places: &self.places,
            views: &self.views,
        };
        if what == BACKUP {
            let target = self.faults.backup(index).map(|(_, target)| target);
            // Who will lead is not known yet: everybody is copied.
            let nodes = match target {
                Some(crate::config::Target::Nodes(nodes)) => nodes.clone(),
                _ => self.nodes.iter().map(|node| node.id).collect(),
            };
            for id in nodes {
                if let Some(node) = self.nodes.get(id.index()) {
                    self.backups.insert((index, id), node.disk.clone());
                }
            }
            return;
        }
        self.faults.woken(index, what, self.now, world);
        self.act(index);
    }

    fn fault_id(&self, index: usize) -> String {
        self.faults
            .windows
            .get(index)
            .map(|w| w.id.clone())
            .unwrap_or_default()
    }

    /// Does what faults asked for; what counts goes to window `index`.
    fn act(&mut self, index: usize) {
        for act in self.faults.acts() {
            match act {
                Act::Down(node, lose) => {
                    let down = self.take_down(node, lose);
                    self.faults.count(index, u64::from(down));
                }
                Act::Stop(node, lose) => {
                    self.take_down(node, lose);
                }
                Act::Up(node) => self.bring_up(node),
                Act::Bounce(node) => {
                    if self.take_down(node, Lose::Unsynced) {
                        self.bring_up(node);
                    } else if let Some(node) = self.nodes.get_mut(node.index()) {
                        node.downs -= 1;
                    }
                }
                Act::Restore { node, counts } => {
                    let backup = self.backups.get(&(index, node)).cloned();
                    self.exchange_disk(index, node, backup, counts);
                }
                Act::Wipe { node, counts } => {
                    self.exchange_disk(index, node, Some(Disk::default()), counts);
                }
                Act::CopyDisk { to, from } => {
                    let disk = self.nodes.get(from.index()).map(|node| node.disk.clone());
                    self.exchange_disk(index, to, disk, false);
                }
                Act::RollBack { node, keep_one } => {
                    if let Some(kept) = self.backups.get(&(index, node)).cloned() {
                        match self.roll_back(node.index(), kept, keep_one) {
                            Some(lost) => self.faults.count(index, lost),
                            None => self.faults.skip(index, 1),
                        }
                    }
                }
                Act::Ail {
                    node,
                    fault,
                    key,
                    keep_one,
                } => self.disk_ails(node, index, fault, key, keep_one),
                Act::Heal(node) => self.disk_heals(node, index),
                Act::Mislead { node, fault } => self.clock_fails(node, index, fault),
                Act::SetClock(node) => self.clock_heals(node, index),
                Act::Machine(id) => {
                    if let Some(node) = self.nodes.get_mut(id.index()) {
                        let mut hardware = (*node.config.hardware).clone();
                        self.faults.machine(id, &mut hardware);
                        node.set_machine(hardware);
                    }
                }
                Act::Pause { node: id, until } => {
                    if let Some(node) = self.nodes.get_mut(id.index()) {
                        node.stand_still(until);
                        self.observer.stands_still(self.now, id, until);
                    }
                }
                Act::CountWaiting(node) => {
                    let waiting = self.nodes.get(node.index()).map_or(0, |n| n.inbox.len());
                    self.faults.count(index, waiting as u64);
                }
                Act::Measure(node) => self.measure(node),
                Act::Clock { node, by_ns } => {
                    if let Some(node) = self.nodes.get_mut(node.index()) {
                        node.move_clock(by_ns);
                    }
                }
                Act::Configure { node, wrong } => {
                    if let Some(window) = self.faults.windows.get(index) {
                        self.spawner
                            .configure(node, &window.id, &window.kind, wrong);
                    }
                }
                Act::Arrive { at, copy } => self.queue.push(at, arrival(copy)),
                Act::Flood {
                    from,
                    to,
                    what,
                    number,
                } => self.flood(index, (from, to), what, number),
                Act::Wake { at, what } => {
                    let window = index as u32;
                    self.queue.push(at, Item::Woken { window, what });
                }
            }
        }
    }

    /// A machine that is up sends what nobody asked for.
    fn flood(&mut self, index: usize, (from, to): (NodeId, NodeId), what: Flooded, number: u64) {
        let up = |node: NodeId| {
            let node = self.nodes.get(node.index());
            node.is_some_and(|node| node.process.is_some())
        };
        if !up(from) {
            return;
        }
        let payload = match what {
            Flooded::Junk(bytes) => Some(self.junk(index, number, bytes)),
            _ => self.spawner.forge(what, from, to, number),
        };
        if let Some(payload) = payload {
            if !matches!(what, Flooded::Junk(_)) {
                self.faults.count(index, 1);
            }
            self.send(from.index(), self.now, &[to], payload);
        }
    }

    /// Another disk for a node that is down.
    fn exchange_disk(&mut self, index: usize, node: NodeId, disk: Option<Disk>, counts: bool) {
        if let (Some(disk), Some(node)) = (disk, self.nodes.get_mut(node.index())) {
            let lacks = node.disk.bytes().saturating_sub(disk.bytes());
            node.disk = disk;
            if let Some(ailing) = &mut node.ailing {
                ailing.replaced(&node.disk);
            }
            if counts {
                self.faults.count(index, lacks);
            }
        }
    }

    // ---- messages ------------------------------------------------------------------------------

    /// Do open windows let a message arrive that left, at a node that is up? What they do not is
    /// seen to.
    #[cold]
    pub(super) fn lets_arrive(&mut self, send: u32, to: u32, queued: bool) -> bool {
        let Some(record) = self.sends.get(send) else {
            return true;
        };
        let copy = Copy {
            send,
            from: record.from.0,
            counter: record.counter,
            to,
        };
        let (Some(sender), Some(receiver), Some(&from), Some(&place)) = (
            self.nodes.get(record.from.index()),
            self.nodes.get(to as usize),
            self.places.get(record.from.index()),
            self.places.get(to as usize),
        ) else {
            return true;
        };
        let left = !sender.epoch_ended_by(record.epoch, record.finish);
        if !left || receiver.process.is_none() {
            return true;
        }
        let hop = Hop {
            now: self.now,
            from,
            to: place,
            kind: record.payload.kind(),
        };
        let on_its_way = queued || self.network.is_through(self.now, send, to);
        match self.faults.arriving(&hop, copy, on_its_way) {
            Verdict::Pass => true,
            Verdict::Hold => false,
            Verdict::Drop => {
                if let Some(node) = self.nodes.get_mut(to as usize).filter(|_| queued) {
                    node.card_done(send);
                }
                self.sends.release(send);
                false
            }
        }
    }

    // ---- points --------------------------------------------------------------------------------

    /// A handler of node `i` whose effects leave at `finish` passes the points on its way; where it
    /// goes down, the rest of its effects do not happen.
    #[cold]
    pub(super) fn pass_points(&mut self, i: usize, finish: Time, applied: bool) {
        let mut kept = self.effects.list.len();
        // A crash at an instant undoes what leaves at it: it comes right after.
        let after = finish + Span::from_nanos(1);
        let mut down = false;
        if applied && self.stops_at(i, Point::BeforeApply, after) {
            down = true;
            kept = 0;
        }
        for place in 0..kept {
            let (before, points): (_, &[Point]) = match self.effects.list.get(place) {
                Some(Effect::Persist { .. }) => (Some(Point::BeforePersist), &[]),
                Some(Effect::Send { payload, .. } | Effect::Multicast { payload, .. }) => {
                    let mut votes = false;
                    payload.votes(&mut |_, _| votes = true);
                    let points: &[Point] = if votes {
                        &[Point::AfterSend, Point::VoteSent]
                    } else {
                        &[Point::AfterSend]
                    };
                    (Some(Point::BeforeSend), points)
                }
                _ => (None, &[]),
            };
            if before.is_some_and(|point| self.stops_at(i, point, after)) {
                down = true;
                kept = place;
                break;
            }
            if points.iter().any(|&point| self.stops_at(i, point, after)) {
                down = true;
                kept = place + 1;
                break;
            }
        }
        if applied && !down {
            down = self.stops_at(i, Point::AfterApply, after);
        }
        self.effects.list.truncate(kept);
        if down && let Some(node) = self.nodes.get_mut(i) {
            node.stand_still(after);
        }
    }

    /// Node `i` is at a point. If it goes down there, it does so at `at`.
    pub(super) fn stops_at(&mut self, i: usize, point: Point, at: Time) -> bool {
        let node = i as u32;
        let Some(window) = self.faults.at_point(NodeId(node), point) else {
            return false;
        };
        self.queue.push(at, Item::Woken { window, what: node });
        true
    }

    // ---- what waits ----------------------------------------------------------------------------

    /// From now on it is known how many bytes wait for the server of a node.
    fn measure(&mut self, id: NodeId) {
        let sends = &self.sends;
        let room = self.faults.cap(id);
        if let Some(node) = self.nodes.get_mut(id.index()) {
            let bytes = |pending: &Pending| match pending {
                Pending::Message { send } => sends.get(*send).map_or(0, |r| u64::from(r.bytes)),
                _ => 0,
            };
            node.set_room(room);
            node.waiting_bytes = node.inbox.iter().map(bytes).sum();
        }
    }

    fn bytes_of(&self, pending: &Pending) -> u64 {
        match pending {
            Pending::Message { send } => self.sends.get(*send).map_or(0, |r| u64::from(r.bytes)),
            _ => 0,
        }
    }

    /// Is there room for what is to wait? A message that has none is gone.
    #[cold]
    pub(super) fn has_room(&mut self, i: usize, pending: &Pending) -> bool {
        let bytes = self.bytes_of(pending);
        let Some(node) = self.nodes.get_mut(i).filter(|_| bytes > 0) else {
            return true;
        };
        let with = node.waiting_bytes + bytes;
        let room = self.faults.room(node.id, with);
        if room {
            node.waiting_bytes = with;
        } else if let Pending::Message { send } = pending {
            self.sends.release(*send);
        }
        room
    }

    /// Something waits no longer.
    #[cold]
    pub(super) fn makes_room(&mut self, i: usize, pending: &Pending) {
        let bytes = self.bytes_of(pending);
        if let Some(node) = self.nodes.get_mut(i) {
            node.waiting_bytes = node.waiting_bytes.saturating_sub(bytes);
        }
    }

    // ---- down and up ---------------------------------------------------------------------------

    fn take_down(&mut self, id: NodeId, lose: Lose) -> bool {
        let Some(node) = self.nodes.get_mut(id.index()) else {
            return false;
        };
        node.downs += 1;
        if node.downs > 1 {
            return false;
        }
        if node.ailing.is_some() {
            self.disk_crashes(id.index(), lose);
        }
        let Some(node) = self.nodes.get_mut(id.index()) else {
            return false;
        };
        match lose {
            Lose::Unsynced => {}
            Lose::Nothing => node.sync(),
            Lose::All => node.disk = Disk::default(),
        }
        if let Some(ailing) = &mut node.ailing {
            ailing.replaced(&node.disk);
        }
        self.crashed = true;
        for send in node.crash(self.now) {
            self.sends.release(send);
        }
        for send in self.network.reset(id.0) {
            self.sends.release(send);
        }
        for views in self.views.values_mut() {
            views.remove(&id);
        }
        self.digest.mark(self.now, Mark::Down, id.0, 0);
        self.observer.node_up(self.now, id, false);
        true
    }

    fn bring_up(&mut self, id: NodeId) {
        let Some(node) = self.nodes.get_mut(id.index()) else {
            return;
        };
        node.downs = node.downs.saturating_sub(1);
        if node.downs == 0 {
            node.usage.down += self.now - node.down_since;
            self.digest.mark(self.now, Mark::Up, id.0, 0);
            if node.ailing.is_some() || node.clock.is_some() {
                self.comes_back(id.index());
            }
            self.start_node(id.index(), true);
        }
    }
}
