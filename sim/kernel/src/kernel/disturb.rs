//! Fault windows open, go on and close; what they ask for is done.

use super::Kernel;
use crate::digest::Mark;
use crate::faults::{Act, World};
use crate::queue::Item;
use consim_core::{Disk, NodeId, Observer};
use std::collections::BTreeMap;

/// What a window is woken with that wants disks to be copied before it opens.
pub(super) const BACKUP: u32 = u32::MAX;

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
                Act::Down(node) => {
                    if self.take_down(node) {
                        self.faults.count(index, 1);
                    }
                }
                Act::Up(node) => self.bring_up(node),
                Act::Restore(node) => {
                    if let (Some(kept), Some(node)) = (
                        self.backups.get(&(index, node)),
                        self.nodes.get_mut(node.index()),
                    ) {
                        node.disk = kept.clone();
                    }
                }
                Act::Machine(id) => {
                    if let Some(node) = self.nodes.get_mut(id.index()) {
                        let mut hardware = (*node.config.hardware).clone();
                        self.faults.machine(id, &mut hardware);
                        node.set_machine(hardware);
                    }
                }
                Act::Wake { at, what } => {
                    let window = index as u32;
                    self.queue.push(at, Item::Woken { window, what });
                }
            }
        }
    }

    fn take_down(&mut self, id: NodeId) -> bool {
        let Some(node) = self.nodes.get_mut(id.index()) else {
            return false;
        };
        node.downs += 1;
        if node.downs > 1 {
            return false;
        }
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
            self.start_node(id.index(), true);
        }
    }
}
