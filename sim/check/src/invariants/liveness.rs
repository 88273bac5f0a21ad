//! L1: liveness.

use super::recoverable::Recoverable;
use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use crate::number_set::{NumberSet, TxSet};
use consim_core::{
    Calm, ChainId, Finding, Heal, NodeId, Observer, Probe, Severity, Span, Time, TxId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "liveness",
    code: "L1",
    since: "0.1.0",
    severity: Severity::Liveness,
    says: "Every transaction that a correct node took in, and that stayed up, is executed within the bound, counted from the end of the last fault where that is later.",
    applies: any_chain,
    build: |subjects| Box::new(Liveness::new(subjects)),
};

type Key = (TxId, ChainId);

/// Follows every transaction from its admission to its first execution, and keeps one bit of it
/// afterwards.
pub struct Liveness {
    subjects: Arc<Subjects>,
    finding: Finding,
    calm: Calm,
    bound: Span,
    recoverable: Recoverable,
    /// By chain: heights that were seen, and executed transactions.
    executed: BTreeMap<ChainId, (NumberSet, TxSet)>,
    /// Who took it in and is still up, in order of time.
    pending: BTreeMap<Key, Vec<(Time, NodeId)>>,
    /// The first admission of every pending transaction.
    queue: BTreeSet<(Time, Key)>,
}

impl Liveness {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            bound: subjects.bound,
            subjects,
            finding: Finding::new(),
            calm: Calm::default(),
            recoverable: Recoverable::default(),
            executed: BTreeMap::new(),
            pending: BTreeMap::new(),
            queue: BTreeSet::new(),
        }
    }

    /// Condemns what was due before `at`. Called before anything that changes what is due.
    fn expire(&mut self, at: Time) {
        while let Some(&(first, key)) = self.queue.first() {
            let bound = self.bound;
            if self.calm.due(first, bound).is_none_or(|due| due >= at) {
                return;
            }
            self.queue.pop_first();
            self.pending.remove(&key);
            let subjects = &self.subjects;
            let (tx, chain) = key;
            if let Some(why) = self.recoverable.why_not(subjects, chain) {
                self.finding.excuse(why);
                continue;
            }
            self.finding.judge(false, || {
                format!(
                    "{}: transaction {} of {}, taken in at {first}, was not executed within {bound}",
                    subjects.chain_name(chain),
                    tx.number,
                    subjects.name(tx.origin)
                )
            });
        }
    }

    fn admitted(&mut self, at: Time, node: NodeId, key: Key) {
        if self.calm.broken(node) {
            return;
        }
        let (tx, chain) = key;
        let executed = self.executed.get(&chain);
        if executed.is_some_and(|(_, executed)| executed.contains(tx)) {
            return;
        }
        let waiting = self.pending.entry(key).or_default();
        if waiting.is_empty() {
            self.queue.insert((at, key));
        }
        waiting.push((at, node));
    }

    /// What only this node had taken in may be lost with it.
    fn forget(&mut self, node: NodeId) {
        let queue = &mut self.queue;
        self.pending.retain(|&key, waiting| {
            let before = waiting.first().map(|&(first, _)| first);
            waiting.retain(|&(_, n)| n != node);
            let after = waiting.first().map(|&(first, _)| first);
            if before != after {
                if let Some(first) = before {
                    queue.remove(&(first, key));
                }
                if let Some(first) = after {
                    queue.insert((first, key));
                }
            }
            after.is_some()
        });
    }

    fn execute(&mut self, key: Key) {
        let Some(waiting) = self.pending.remove(&key) else {
            return;
        };
        if let Some(&(first, _)) = waiting.first() {
            self.queue.remove(&(first, key));
            self.finding.judge(true, String::new);
        }
    }
}

impl Observer for Liveness {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        match probe {
            Probe::Admitted { chain, tx, .. } if self.subjects.correct(node) => {
                self.expire(at);
                self.admitted(at, node, (*tx, *chain));
            }
            Probe::Recovered { .. } | Probe::Abstains { .. } if self.subjects.correct(node) => {
                self.recoverable.probe(node, probe);
            }
            Probe::Configured(configured)
                if self.subjects.correct(node) && self.recoverable.is_news(configured) =>
            {
                self.expire(at);
                self.recoverable.probe(node, probe);
                // Who left owes its clients nothing more.
                let subjects = Arc::clone(&self.subjects);
                let members = subjects.chain(configured.chain).map(|c| c.members.iter());
                for &member in members.into_iter().flatten() {
                    if !configured.contains(member) {
                        self.forget(member);
                    }
                }
            }
            Probe::Applied(block) if self.subjects.correct(node) => {
                self.recoverable.probe(node, probe);
                let chain = block.header.chain;
                let (heights, executed) = self.executed.entry(chain).or_default();
                if !heights.insert(block.header.height) {
                    return;
                }
                let txs = block.committed.batch.txs();
                for tx in txs.iter() {
                    executed.insert(tx.id());
                }
                self.expire(at);
                for tx in txs.iter() {
                    self.execute((tx.id(), chain));
                }
            }
            _ => {}
        }
    }

    fn node_up(&mut self, at: Time, node: NodeId, up: bool) {
        self.expire(at);
        self.recoverable.node_up(node, up);
        if !up {
            self.forget(node);
        }
    }

    fn healed(&mut self, at: Time, heal: &Heal) {
        self.expire(at);
        self.calm.healed(at, heal);
        self.recoverable.healed(heal);
        self.bound = heal.bound;
        for &node in &heal.broken {
            self.forget(node);
        }
    }

    fn fault(&mut self, at: Time, _id: &str, open: bool) {
        self.expire(at);
        self.calm.fault(at, open);
    }

    fn end(&mut self, at: Time) {
        self.expire(at);
    }
}

check_from_entry!(Liveness);
