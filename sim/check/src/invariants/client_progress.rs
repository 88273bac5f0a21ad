//! L2: progress for every client, not only for the chain.

use super::recoverable::Recoverable;
use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use consim_core::{
    Calm, Finding, Heal, NodeId, Observer, OpEnd, OpId, Probe, Severity, Span, Time,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "client-progress",
    code: "L2",
    since: "0.1.0",
    severity: Severity::Liveness,
    says: "Every client that asks while nothing is disturbed has an answer to one of its questions within the bound, whatever the others get.",
    applies: any_chain,
    build: |subjects| Box::new(ClientProgress::new(subjects)),
};

/// Follows, for each client, how long it has been asking in vain. That a chain grows says nothing of
/// a client that everybody ignores.
pub struct ClientProgress {
    subjects: Arc<Subjects>,
    finding: Finding,
    calm: Calm,
    bound: Span,
    recoverable: Recoverable,
    /// Since when each client that has no answer asks.
    asking: BTreeMap<NodeId, Time>,
    /// The same in order of time.
    queue: BTreeSet<(Time, NodeId)>,
}

impl ClientProgress {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            bound: subjects.bound,
            subjects,
            finding: Finding::new(),
            calm: Calm::default(),
            recoverable: Recoverable::default(),
            asking: BTreeMap::new(),
            queue: BTreeSet::new(),
        }
    }

    /// Condemns what was due before `at`.
    fn expire(&mut self, at: Time) {
        while let Some(&(since, client)) = self.queue.first() {
            let due = self.calm.due(since, self.bound);
            if due.is_none_or(|due| due >= at) {
                return;
            }
            self.queue.pop_first();
            self.asking.remove(&client);
            let subjects = &self.subjects;
            let mut chains = subjects.chains.iter();
            if let Some(why) = chains.find_map(|c| self.recoverable.why_not(subjects, c.id)) {
                self.finding.excuse(why);
                continue;
            }
            let bound = self.bound;
            self.finding.judge(false, || {
                let name = subjects.name(client);
                format!("{name} asks since {since} and had no answer within {bound}")
            });
        }
    }

    fn answered(&mut self, client: NodeId, judged: bool) {
        if let Some(since) = self.asking.remove(&client) {
            self.queue.remove(&(since, client));
            if judged {
                self.finding.judge(true, String::new);
            }
        }
    }
}

/// The node whose operation it is: its number is part of the operation's.
fn client_of(op: OpId) -> NodeId {
    NodeId((op.0 >> 32) as u32)
}

impl Observer for ClientProgress {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        match probe {
            Probe::Asked { op, .. } if client_of(*op) == node && self.subjects.correct(node) => {
                self.expire(at);
                if !self.calm.broken(node) && !self.asking.contains_key(&node) {
                    self.asking.insert(node, at);
                    self.queue.insert((at, node));
                }
            }
            Probe::Ended { op, end, .. } if *end != OpEnd::GaveUp => {
                self.expire(at);
                self.answered(client_of(*op), true);
            }
            Probe::Applied(_) | Probe::Recovered { .. } if self.subjects.correct(node) => {
                self.recoverable.probe(node, probe);
            }
            _ => {}
        }
    }

    fn node_up(&mut self, at: Time, node: NodeId, up: bool) {
        self.expire(at);
        self.recoverable.node_up(node, up);
        // Who is down, or has forgotten what it asked, waits for nothing.
        self.answered(node, false);
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
        for &node in &heal.broken {
            self.answered(node, false);
        }
    }

    fn end(&mut self, at: Time) {
        self.expire(at);
    }
}

check_from_entry!(ClientProgress);
