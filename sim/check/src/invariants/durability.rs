//! I16: durability.

use super::recoverable::Recoverable;
use super::{CheckEntry, Subjects, check_from_entry};
use crate::number_set::NumberSet;
use consim_core::{
    Calm, ChainId, Committed, Digest, Disk, Finding, Heal, Holds, NodeId, Observer, OpEnd, OpId,
    Probe, Severity, Span, Time,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "durability",
    code: "I16",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "At the end each block of which an operation was acknowledged the bound before lies whole on the disks of a quorum, itself or in a state that stands for it.",
    applies: |subjects| (subjects.restarts || subjects.disks) && !subjects.chains.is_empty(),
    build: |subjects| Box::new(Durability::new(subjects)),
};

/// Operations in blocks that have not ended yet; of more, the oldest are not judged.
const MAX_OPEN: usize = 1 << 20;

/// A batch: its chain, its sequence number, its digest.
type Ordered = (ChainId, u64, Digest);

/// What one disk holds of what was acknowledged of one chain.
#[derive(Debug, Default)]
struct Held {
    blocks: NumberSet,
    up_to: u64,
}

/// Compares what was acknowledged with what lies on the disks.
pub struct Durability {
    subjects: Arc<Subjects>,
    finding: Finding,
    calm: Calm,
    recoverable: Recoverable,
    bound: Span,
    /// Where the transaction of an operation was executed, of so many at most.
    open: BTreeMap<OpId, Ordered>,
    most: usize,
    /// Acknowledged within the bound.
    recent: VecDeque<(Time, Ordered)>,
    /// Acknowledged before: the batch at each sequence number.
    acknowledged: BTreeMap<ChainId, BTreeMap<u64, Digest>>,
    held: BTreeMap<(ChainId, NodeId), Held>,
    stored: bool,
}

impl Durability {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            bound: subjects.bound,
            subjects,
            finding: Finding::new(),
            calm: Calm::default(),
            recoverable: Recoverable::default(),
            open: BTreeMap::new(),
            most: MAX_OPEN,
            recent: VecDeque::new(),
            acknowledged: BTreeMap::new(),
            held: BTreeMap::new(),
            stored: false,
        }
    }

    fn ripen(&mut self, at: Time) {
        while let Some(&(since, (chain, sequence, digest))) = self.recent.front()
            && since + self.subjects.bound <= at
        {
            self.recent.pop_front();
            // Another batch at that number would be a fork, which agreement tells.
            let batches = self.acknowledged.entry(chain).or_default();
            batches.entry(sequence).or_insert(digest);
        }
    }

    fn judge(&mut self) {
        let subjects = Arc::clone(&self.subjects);
        for chain in &subjects.chains {
            let Some(acknowledged) = self.acknowledged.get(&chain.id) else {
                continue;
            };
            // A group that cannot go on writes nothing anew either.
            let stopped = self.recoverable.why_not(&subjects, chain.id);
            // Who came later holds what was before, too: a new configuration takes a quorum that does.
            for (members, quorum) in self.recoverable.groups(&subjects, chain.id) {
                let disks = |n: &NodeId| self.held.get(&(chain.id, *n));
                let disks: Vec<&Held> = members.iter().filter_map(disks).collect();
                for &sequence in acknowledged.keys() {
                    let holds = |d: &&&Held| sequence <= d.up_to || d.blocks.contains(sequence);
                    let copies = disks.iter().filter(holds).count();
                    if let (true, Some(why)) = (copies < quorum, &stopped) {
                        self.finding.excuse(why.clone());
                        continue;
                    }
                    self.finding.judge(copies >= quorum, || {
                        format!(
                            "{}: what was ordered at {sequence} was acknowledged and lies on {copies} disks, a quorum is {quorum}",
                            chain.name
                        )
                    });
                }
            }
        }
    }
}

impl Observer for Durability {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        if self.subjects.correct(node) {
            self.recoverable.probe(node, probe);
        }
        match probe {
            Probe::Applied(block) if self.subjects.correct(node) => {
                let committed = &block.committed;
                for tx in committed.batch.txs().iter() {
                    let digest = committed.batch.digest();
                    let place = (committed.chain, committed.sequence, digest);
                    self.open.entry(tx.op()).or_insert(place);
                }
                while self.open.len() > self.most {
                    self.open.pop_first();
                }
            }
            Probe::Ended { op, end, .. } => {
                let place = self.open.remove(op);
                if let (OpEnd::Done, Some(place)) = (end, place) {
                    self.recent.push_back((at, place));
                }
                self.ripen(at);
            }
            _ => {}
        }
    }

    fn fault(&mut self, at: Time, _id: &str, open: bool) {
        self.calm.fault(at, open);
    }

    fn healed(&mut self, at: Time, heal: &Heal) {
        self.calm.healed(at, heal);
        self.recoverable.healed(heal);
        self.bound = heal.bound;
    }

    fn node_up(&mut self, _at: Time, node: NodeId, up: bool) {
        self.recoverable.node_up(node, up);
    }

    fn stored(&mut self, at: Time, node: NodeId, disk: &Disk) {
        self.stored = true;
        self.ripen(at);
        for record in disk.all() {
            if let Some(committed) = record.as_any().downcast_ref::<Committed>() {
                let (chain, sequence) = (committed.chain, committed.sequence);
                let batches = self.acknowledged.get(&chain);
                let meant = batches.and_then(|batches| batches.get(&sequence));
                if meant == Some(&committed.batch.digest()) {
                    let held = self.held.entry((chain, node)).or_default();
                    held.blocks.insert(sequence);
                }
            } else if let Some(Holds::UpTo(chain, sequence)) = record.holds() {
                let held = self.held.entry((chain, node)).or_default();
                held.up_to = sequence.max(held.up_to);
            }
        }
    }

    fn end(&mut self, at: Time) {
        // Whoever was disturbed needs its time to write what it lacks.
        let due = self.calm.due(Time::ZERO, self.bound);
        if self.stored && due.is_some_and(|due| due <= at) {
            self.judge();
        }
    }
}

check_from_entry!(Durability);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::tests::subjects;
    use super::*;
    use crate::testing::{World, applied, ended, s};

    #[test]
    fn of_very_many_open_operations_the_oldest_are_not_judged() {
        let mut world = World::new(4);
        let mut check = Durability {
            most: 2,
            ..Durability::new(Arc::new(subjects(&world, &[])))
        };
        let txs = (1..=5).map(|i| world.tx(0, i)).collect();
        check.probe(s(1), NodeId(0), &applied(&world.block(txs)));
        assert_eq!(check.open.len(), 2);
        for op in 1..=5 {
            check.probe(s(1), NodeId(0), &ended(op, 0, "write", s(1), OpEnd::Done));
        }
        assert_eq!(check.recent.len(), 2);
    }
}
