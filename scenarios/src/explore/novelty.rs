//! What states of the group a run went through, in so few words that runs can be compared: the more
//! of them a search sees, the more it has seen (Mallory, CCS 2023: states as the feedback).

use consim_core::{NodeId, Observer, Probe, Time, mix};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Distances in views and heights beyond this are all the same.
const FAR: u64 = 3;
/// A mempool with more than this is full of work.
const BUSY: u32 = 4;

/// The abstract states that a run went through: hashes.
pub(super) type States = Arc<Mutex<BTreeSet<u64>>>;

/// Takes an abstract state whenever a window opens or closes, and at the end.
#[derive(Debug, Default)]
pub(super) struct Novelty {
    nodes: BTreeMap<NodeId, Standing>,
    /// Windows that are open, by the kind in their names.
    open: BTreeMap<String, u32>,
    states: States,
}

#[derive(Clone, Copy, Default, Debug)]
struct Standing {
    view: u64,
    height: u64,
    waiting: u32,
    down: bool,
}

impl Novelty {
    /// A watcher, and where its states can be read afterwards.
    pub(super) fn new() -> (Self, States) {
        let states = States::default();
        let watcher = Self {
            states: Arc::clone(&states),
            ..Self::default()
        };
        (watcher, states)
    }

    /// Nodes are told apart by what they are in, not by who they are: the list is sorted.
    fn take(&mut self) {
        let up = || self.nodes.values().filter(|node| !node.down);
        let view = up().map(|node| node.view).max().unwrap_or(0);
        let height = up().map(|node| node.height).max().unwrap_or(0);
        let mut words: Vec<u64> = self
            .nodes
            .values()
            .map(|node| {
                let behind = (view.saturating_sub(node.view)).min(FAR);
                let lower = (height.saturating_sub(node.height)).min(FAR);
                let work = u64::from(node.waiting > 0) + u64::from(node.waiting > BUSY);
                behind | lower << 8 | work << 16 | u64::from(node.down) << 24
            })
            .collect();
        words.sort_unstable();
        words.push(view.min(FAR * 2));
        words.extend(self.open.iter().filter(|(_, n)| **n > 0).map(|(kind, _)| {
            kind.bytes()
                .fold(0, |hash, byte| mix(hash, u64::from(byte)))
        }));
        let state = words.into_iter().fold(0, mix);
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.insert(state);
    }
}

/// The kind in the name of a window: `crash` of `crash-3` and `crash-3#2`.
fn kind(id: &str) -> &str {
    let id = id.split('#').next().unwrap_or(id);
    id.rsplit_once('-').map_or(id, |(kind, _)| kind)
}

impl Observer for Novelty {
    fn probe(&mut self, _: Time, node: NodeId, probe: &Probe) {
        let standing = self.nodes.entry(node).or_default();
        match probe {
            Probe::View { view, .. } => standing.view = *view,
            Probe::Applied(block) => standing.height = block.header.height,
            Probe::Recovered { height, .. } => standing.height = *height,
            Probe::Waiting { txs, .. } => standing.waiting = *txs,
            _ => {}
        }
    }
    fn node_up(&mut self, _: Time, node: NodeId, up: bool) {
        self.nodes.entry(node).or_default().down = !up;
    }
    fn fault(&mut self, _: Time, id: &str, open: bool) {
        self.take();
        let count = self.open.entry(kind(id).to_owned()).or_default();
        *count = if open {
            *count + 1
        } else {
            count.saturating_sub(1)
        };
    }
    fn end(&mut self, _: Time) {
        self.take();
    }
}
