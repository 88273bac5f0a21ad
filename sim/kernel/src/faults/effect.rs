//! What a fault came to.

use super::FaultWindow;
use consim_core::{NodeId, Time};

/// What a fault came to.
#[derive(Clone, Debug)]
pub struct FaultEffect {
    /// Its name in the scenario.
    pub id: String,
    /// When it opened.
    pub from: Time,
    /// When it closed (or the run ended).
    pub to: Time,
    /// The nodes that it hit, run-time targets resolved.
    pub hit: Vec<NodeId>,
    /// A measured difference: nodes taken down, messages dropped or delayed, transmissions lost.
    pub took_effect: u64,
    /// Damage that the budget of disks forbade.
    pub skipped: u64,
    /// What `took_effect` counts.
    pub unit: &'static str,
    /// Its kind's word.
    pub kind: &'static str,
    /// Its catalogue code.
    pub code: &'static str,
}

impl FaultEffect {
    pub(super) fn new(window: &FaultWindow) -> Self {
        Self {
            id: window.id.clone(),
            from: window.from,
            to: window.to,
            hit: Vec::new(),
            took_effect: 0,
            skipped: 0,
            unit: window.kind.unit(),
            kind: window.kind.word(),
            code: window.kind.code(),
        }
    }
    /// These nodes are hit, too.
    pub(super) fn hit(&mut self, nodes: &[NodeId]) {
        self.hit.extend_from_slice(nodes);
        self.hit.sort_unstable();
        self.hit.dedup();
    }
}
