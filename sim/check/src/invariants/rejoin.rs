//! L4: who comes back catches up.

use super::recoverable::Recoverable;
use super::{CheckEntry, Subjects, check_from_entry};
use consim_core::{Calm, ChainId, Finding, Heal, NodeId, Observer, Probe, Severity, Span, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "rejoin",
    code: "L4",
    since: "0.1.0",
    severity: Severity::Liveness,
    says: "A member that comes up again holds, within the bound, every block that there was when it came up.",
    applies: |subjects| subjects.restarts && !subjects.chains.is_empty(),
    build: |subjects| Box::new(Rejoin::new(subjects)),
};

/// Sets every member that comes up the height of that moment as its goal.
pub struct Rejoin {
    subjects: Arc<Subjects>,
    finding: Finding,
    calm: Calm,
    bound: Span,
    recoverable: Recoverable,
    /// Members that are behind: the block that they need, and since when.
    behind: BTreeMap<(NodeId, ChainId), (u64, Time)>,
}

impl Rejoin {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            bound: subjects.bound,
            subjects,
            finding: Finding::new(),
            calm: Calm::default(),
            recoverable: Recoverable::default(),
            behind: BTreeMap::new(),
        }
    }

    /// Condemns what was due before `at`.
    fn expire(&mut self, at: Time) {
        let (calm, bound) = (&self.calm, self.bound);
        let late = |&(_, since): &(u64, Time)| calm.due(since, bound).is_some_and(|due| due < at);
        if !self.behind.values().any(late) {
            return;
        }
        let (subjects, finding) = (&self.subjects, &mut self.finding);
        let recoverable = &self.recoverable;
        self.behind.retain(|&(node, chain), goal| {
            if !late(goal) {
                return true;
            }
            if let Some(why) = recoverable.why_not(subjects, chain) {
                finding.excuse(why);
                return false;
            }
            let (height, since) = *goal;
            finding.judge(false, || {
                format!(
                    "{}: {} came up at {since}, when there was block {height}, and was still at {} after {bound}",
                    subjects.chain_name(chain),
                    subjects.name(node),
                    recoverable.height(chain, node)
                )
            });
            false
        });
    }
}

impl Observer for Rejoin {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        let chain = match probe {
            Probe::Applied(block) => block.header.chain,
            Probe::Recovered { chain, .. } | Probe::Abstains { chain, .. } => *chain,
            Probe::Configured(configured) => configured.chain,
            _ => return,
        };
        if !self.subjects.correct(node) {
            return;
        }
        if !self.behind.is_empty() {
            self.expire(at);
        }
        self.recoverable.probe(node, probe);
        if let Probe::Configured(_) = probe {
            // Who left need not catch up.
            let (subjects, recoverable) = (&self.subjects, &self.recoverable);
            self.behind
                .retain(|&(n, c), _| recoverable.is_member(subjects, c, n));
            return;
        }
        if let Some(&(goal, _)) = self.behind.get(&(node, chain))
            && self.recoverable.height(chain, node) >= goal
        {
            self.behind.remove(&(node, chain));
            self.finding.judge(true, String::new);
        }
    }

    fn node_up(&mut self, at: Time, node: NodeId, up: bool) {
        self.expire(at);
        self.recoverable.node_up(node, up);
        self.behind.retain(|&(n, _), _| n != node);
        if !up || !self.subjects.correct(node) || self.calm.broken(node) {
            return;
        }
        for chain in &self.subjects.chains {
            let goal = self.recoverable.top(chain.id);
            let member = self.recoverable.is_member(&self.subjects, chain.id, node);
            if goal > 0 && member {
                self.behind.insert((node, chain.id), (goal, at));
            }
        }
    }

    fn fault(&mut self, at: Time, _id: &str, open: bool) {
        self.expire(at);
        self.calm.fault(at, open);
    }

    fn healed(&mut self, at: Time, heal: &Heal) {
        self.expire(at);
        self.calm.healed(at, heal);
        self.recoverable.healed(heal);
        self.bound = heal.bound;
        let calm = &self.calm;
        self.behind.retain(|&(node, _), _| !calm.broken(node));
    }

    fn end(&mut self, at: Time) {
        self.expire(at);
    }
}

check_from_entry!(Rejoin);
