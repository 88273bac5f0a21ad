//! `fresh-decisions` (Q2).

use crate::sharing::probe::SharingProbe;
use consim_core::{Calm, Check, Finding, Heal, NodeId, Observer, Probe, Severity, Span, Time};
use std::collections::{BTreeMap, VecDeque};

/// Nobody decides by a state that the chain left the bound before. With `freshness: local` a server
/// reads its own state, which may be behind; how far is what this check bounds.
#[derive(Debug)]
pub struct FreshDecisions {
    bound: Span,
    calm: Calm,
    /// When each node came up last.
    up: BTreeMap<NodeId, Time>,
    height: u64,
    /// When each block was first applied; older than the bound, the last one only.
    reached: VecDeque<(Time, u64)>,
    finding: Finding,
}

impl FreshDecisions {
    /// The check.
    pub fn new(bound: Span) -> Self {
        Self {
            bound,
            calm: Calm::default(),
            up: BTreeMap::new(),
            height: 0,
            reached: VecDeque::new(),
            finding: Finding::new(),
        }
    }

    fn decided(&mut self, at: Time, node: NodeId, height: u64) {
        let up = self.up.get(&node).copied().unwrap_or_default();
        let due = |&(reached, _): &(Time, u64)| {
            let due = self.calm.due(reached.later(up), self.bound);
            due.is_some_and(|due| due < at)
        };
        let known = self.reached.iter().rev().find(|&step| due(step));
        let known = known.map_or(0, |&(_, height)| height);
        let bound = self.bound;
        self.finding.judge(height >= known, || {
            format!("{node} decided at {at} by height {height}; the chain had reached {known} {bound} before")
        });
    }
}

impl Observer for FreshDecisions {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        if let Probe::Applied(block) = probe {
            if block.header.height > self.height {
                self.height = block.header.height;
                self.reached.push_back((at, self.height));
                let old = |step: &(Time, u64)| step.0 + self.bound < at;
                while self.reached.get(1).is_some_and(old) {
                    self.reached.pop_front();
                }
            }
        } else if let Some(SharingProbe::Decided { access, .. }) = SharingProbe::of(probe) {
            self.decided(at, node, access.height);
        }
    }

    fn node_up(&mut self, at: Time, node: NodeId, up: bool) {
        if up {
            self.up.insert(node, at);
        }
    }

    fn fault(&mut self, at: Time, _id: &str, open: bool) {
        self.calm.fault(at, open);
    }

    fn healed(&mut self, at: Time, heal: &Heal) {
        self.calm.healed(at, heal);
        self.bound = heal.bound;
    }
}

impl Check for FreshDecisions {
    fn name(&self) -> &'static str {
        "fresh-decisions"
    }
    fn code(&self) -> &'static str {
        "Q2"
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "While nothing is disturbed no provider decides by a state that the chain had left the bound before."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
    fn hears_sends(&self) -> bool {
        false
    }
}
