//! I3: finality.

use super::by_height::ByHeight;
use super::{CheckEntry, Subjects, check_from_entry};
use consim_core::{
    Calm, ChainId, Digest, Finding, Heal, NodeId, Observer, Probe, Severity, Span, Time,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "finality",
    code: "I3",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "A node that restarts comes back with a block of the chain, has kept all that it executed more than the bound before, time in which it stood still left out (unless the plan takes it from disks), and nothing that was committed vanishes.",
    applies: |subjects| subjects.restarts && !subjects.chains.is_empty(),
    build: |subjects| Box::new(Finality::new(subjects)),
};

/// How far a node has executed, now and at least the bound ago.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    height: u64,
    executed: Time,
    /// The height at `turned`.
    young: u64,
    turned: Time,
    /// A height that was reached at least the bound before `turned`.
    old: u64,
}

impl Progress {
    /// The height that must be on disk at `at`: one that was reached `bound` or more ago.
    fn durable(&self, at: Time, bound: Span) -> u64 {
        if at - self.executed >= bound {
            self.height
        } else if at - self.turned >= bound {
            self.young
        } else {
            self.old
        }
    }
    fn execute(&mut self, at: Time, height: u64, bound: Span) {
        if at - self.turned >= bound {
            self.old = self.durable(at, bound);
            self.young = self.height;
            self.turned = at;
        }
        self.height = height;
        self.executed = at;
    }
    /// The node does nothing for so long, and writes nothing to its disk.
    fn stand_still(&mut self, span: Span) {
        self.executed += span;
        self.turned += span;
    }
}

/// Compares what nodes come back with against what was executed.
pub struct Finality {
    subjects: Arc<Subjects>,
    finding: Finding,
    calm: Calm,
    ids: ByHeight<Digest>,
    /// Heads that came from a disk before any node reported the block.
    claims: BTreeMap<(ChainId, u64), (Digest, NodeId)>,
    progress: BTreeMap<(NodeId, ChainId), Progress>,
    /// The height that a node must have kept, taken when it went down.
    kept: BTreeMap<(NodeId, ChainId), u64>,
    /// Who has come back since its process began: what it says later, it took over from others.
    back: BTreeSet<(NodeId, ChainId)>,
    /// Who has been down: the others began with nothing, and took over from others whatever they come back with.
    was_down: BTreeSet<NodeId>,
    /// The greatest height of a chain, and whether a node of it came back.
    top: BTreeMap<ChainId, (u64, bool)>,
}

impl Finality {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            calm: Calm::default(),
            ids: ByHeight::new(),
            claims: BTreeMap::new(),
            progress: BTreeMap::new(),
            kept: BTreeMap::new(),
            back: BTreeSet::new(),
            was_down: BTreeSet::new(),
            top: BTreeMap::new(),
        }
    }

    fn recovered(&mut self, at: Time, node: NodeId, chain: ChainId, height: u64, head: Digest) {
        let subjects = &self.subjects;
        let back = || {
            format!(
                "{}: {} came back at height {height}",
                subjects.chain_name(chain),
                subjects.name(node)
            )
        };
        let kept = self.kept.remove(&(node, chain)).unwrap_or(0);
        if !subjects.disks {
            self.finding.judge(height >= kept, || {
                format!("{}, it had executed height {kept} long before", back())
            });
        }
        match self.ids.get(chain, height) {
            Some(&id) => self.finding.judge(id == head, || {
                format!("{} with head {head}, the chain's block is {id}", back())
            }),
            None if height > 0 => match self.claims.get(&(chain, height)) {
                Some(&(claim, first)) => self.finding.judge(claim == head, || {
                    let first = subjects.name(first);
                    format!("{} with head {head}, {first} with {claim}", back())
                }),
                None => {
                    self.claims.insert((chain, height), (head, node));
                }
            },
            None => {}
        }
        self.top.entry(chain).or_default().1 = true;
        if !self.was_down.contains(&node) || !self.back.insert((node, chain)) {
            // Like what it executes, it is on disk only after a while.
            let bound = self.subjects.bound;
            let progress = self.progress.entry((node, chain)).or_default();
            return progress.execute(at, height, bound);
        }
        let progress = Progress {
            height,
            executed: at,
            young: height,
            turned: at,
            old: height,
        };
        self.progress.insert((node, chain), progress);
    }

    fn applied(&mut self, at: Time, node: NodeId, chain: ChainId, height: u64, id: Digest) {
        self.progress
            .entry((node, chain))
            .or_default()
            .execute(at, height, self.subjects.bound);
        let top = self.top.entry(chain).or_default();
        top.0 = top.0.max(height);
        if self.ids.get(chain, height).is_none() {
            self.ids.insert(chain, height, id);
            if let Some((head, from)) = self.claims.remove(&(chain, height)) {
                let subjects = &self.subjects;
                self.finding.judge(head == id, || {
                    format!(
                        "{}, height {height}: {} came back with {head}, the chain's block is {id}",
                        subjects.chain_name(chain),
                        subjects.name(from)
                    )
                });
            }
        }
    }
}

impl Observer for Finality {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        match probe {
            Probe::Recovered {
                chain,
                height,
                head,
            } if self.subjects.correct(node) => self.recovered(at, node, *chain, *height, *head),
            Probe::Applied(block) if self.subjects.correct(node) => {
                self.applied(at, node, block.header.chain, block.header.height, block.id);
            }
            _ => {}
        }
    }

    fn node_up(&mut self, at: Time, node: NodeId, up: bool) {
        if up {
            self.back.retain(|(back, _)| *back != node);
            return;
        }
        self.was_down.insert(node);
        let bound = self.subjects.bound;
        for (&(n, chain), progress) in &self.progress {
            if n == node {
                // One that goes down before it is back has executed nothing in between.
                let kept = self.kept.entry((n, chain));
                kept.or_insert_with(|| progress.durable(at, bound));
            }
        }
    }

    fn stands_still(&mut self, at: Time, node: NodeId, until: Time) {
        for (_, progress) in self.progress.iter_mut().filter(|((n, _), _)| *n == node) {
            progress.stand_still(until - at);
        }
    }

    fn fault(&mut self, at: Time, _id: &str, open: bool) {
        self.calm.fault(at, open);
    }

    fn healed(&mut self, at: Time, heal: &Heal) {
        self.calm.healed(at, heal);
    }

    fn end(&mut self, at: Time) {
        // A block that only restarted nodes had executed is committed again by their votes, so it
        // is missed only when there was time for that.
        if self
            .calm
            .due(Time::ZERO, self.subjects.bound)
            .is_none_or(|due| at < due)
        {
            return;
        }
        for (&chain, &(top, restarted)) in &self.top {
            if !restarted {
                continue;
            }
            let held = self
                .progress
                .iter()
                .filter(|&(&(_, c), _)| c == chain)
                .map(|(_, progress)| progress.height)
                .max()
                .unwrap_or(0);
            let subjects = &self.subjects;
            self.finding.judge(held >= top, || {
                format!(
                    "{}: height {top} was executed, after the restarts no node is above {held}",
                    subjects.chain_name(chain)
                )
            });
        }
    }
}

check_from_entry!(Finality);
