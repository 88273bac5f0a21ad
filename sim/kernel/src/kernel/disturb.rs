//! Fault windows open and close; nodes go down and come up.

use super::Kernel;
use crate::config::Target;
use crate::digest::Mark;
use crate::node::Node;
use consim_core::{ChainId, NodeId, Observer};
use std::collections::BTreeMap;

impl<O: Observer> Kernel<O> {
    pub(super) fn open_fault(&mut self, index: usize) {
        let nodes = &self.nodes;
        let views = &self.views;
        let resolve = |target: &Target| match target {
            Target::Nodes(list) => list.clone(),
            Target::LeaderOf(chain) => leader(views, nodes, *chain).into_iter().collect(),
        };
        let down = self.faults.open(index, resolve, |n| {
            nodes.get(n.index()).map_or(0, |n| n.config.site)
        });
        let id = self.fault_id(index);
        self.observer.fault(self.now, &id, true);
        for node in down {
            if self.take_down(node) {
                self.faults.count(index, 1);
            }
        }
    }

    pub(super) fn close_fault(&mut self, index: usize) {
        for node in self.faults.close(index) {
            self.bring_up(node);
        }
        let id = self.fault_id(index);
        self.observer.fault(self.now, &id, false);
    }

    fn fault_id(&self, index: usize) -> String {
        self.faults
            .windows
            .get(index)
            .map(|w| w.id.clone())
            .unwrap_or_default()
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

/// Who leads `chain` now: the leader of the highest view that an up node is in. While it is down,
/// nobody leads and the next to lead is not known before somebody enters the next view, so the
/// leader of the highest view stands for it.
fn leader(
    views: &BTreeMap<ChainId, BTreeMap<NodeId, (u64, NodeId)>>,
    nodes: &[Node],
    chain: ChainId,
) -> Option<NodeId> {
    let up = |n: &NodeId| nodes.get(n.index()).is_some_and(|n| n.process.is_some());
    views
        .get(&chain)?
        .iter()
        .filter(|(n, _)| up(n))
        .map(|(_, v)| v)
        .max_by_key(|(view, _)| *view)
        .map(|&(_, leader)| leader)
}
