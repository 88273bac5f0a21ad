//! `fresh-decisions` (Q2).

use crate::sharing::command::Access;
use crate::sharing::ids::Reason;
use crate::sharing::probe::SharingProbe;
use consim_core::{Calm, Check, Finding, Heal, NodeId, Observer, Probe, Severity, Span, Time};
use std::collections::{BTreeMap, VecDeque};

/// What a lease may be overrun by, since clocks differ: offsets of tens of milliseconds, and 20 ppm of
/// drift over half a day (the default clocks of hardware profiles; assumed).
const CLOCKS: Span = Span::from_secs(1);
/// The most blocks whose first application is remembered; no lease spans more (assumed).
const MAX_FIRSTS: usize = 1 << 16;

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
    /// How old the state of a decision by consent may be, if the service says.
    lease: Option<Span>,
    /// When each of the latest blocks was first applied, where there is a lease.
    firsts: BTreeMap<u64, Time>,
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
            lease: None,
            firsts: BTreeMap::new(),
            finding: Finding::new(),
        }
    }

    /// The same, where a provider may decide by consent within this time of its last block alone.
    #[must_use]
    pub fn under_lease(mut self, lease: Option<Span>) -> Self {
        self.lease = lease;
        self
    }

    /// No decision by consent under a lease that is over, whatever is disturbed. The lease counts from
    /// the time that the block bears, which is no later than its first application, but for clocks.
    fn leased(&mut self, at: Time, node: NodeId, access: &Access) {
        let Some(lease) = self.lease else {
            return;
        };
        let by_consent = access.permit && access.reason == Reason::Granted;
        if let Some(first) = self.firsts.get(&access.height).filter(|_| by_consent) {
            let age = at.since(*first);
            self.finding.judge(age <= lease + CLOCKS, || {
                let height = access.height;
                format!("{node} decided at {at} by height {height}, which was first applied {age} before; its lease is {lease}")
            });
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
                if self.lease.is_some() {
                    self.firsts.insert(self.height, at);
                    if self.firsts.len() > MAX_FIRSTS {
                        self.firsts.pop_first();
                    }
                }
            }
        } else if let Some(SharingProbe::Decided { access, .. }) = SharingProbe::of(probe) {
            self.decided(at, node, access.height);
            self.leased(at, node, access);
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
