//! L3: convergence.

use super::recoverable::Recoverable;
use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use consim_core::{
    Calm, ChainId, Digest, Finding, Heal, NodeId, Observer, Probe, Severity, Span, Time,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "convergence",
    code: "L3",
    since: "0.1.0",
    severity: Severity::Liveness,
    says: "At the end every correct node that is up and was undisturbed for the bound holds every block that was executed the bound before, and the same head as the others.",
    applies: any_chain,
    build: |subjects| Box::new(Convergence::new(subjects)),
};

/// A block that a chain reached: when, height, id.
type Step = (Time, u64, Digest);

/// Compares the heads at the end. A restart counts as a disturbance of its node.
pub struct Convergence {
    subjects: Arc<Subjects>,
    finding: Finding,
    calm: Calm,
    bound: Span,
    recoverable: Recoverable,
    /// Per node: is it up, and since when.
    up: BTreeMap<NodeId, (bool, Time)>,
    heads: BTreeMap<(NodeId, ChainId), (u64, Digest)>,
    /// The first report of each height, back to the last one that is older than the bound.
    recent: BTreeMap<ChainId, VecDeque<Step>>,
}

impl Convergence {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            bound: subjects.bound,
            subjects,
            finding: Finding::new(),
            calm: Calm::default(),
            recoverable: Recoverable::default(),
            up: BTreeMap::new(),
            heads: BTreeMap::new(),
            recent: BTreeMap::new(),
        }
    }

    fn reached(&mut self, at: Time, chain: ChainId, height: u64, id: Digest) {
        let bound = self.bound;
        let recent = self.recent.entry(chain).or_default();
        if recent.back().is_none_or(|&(_, top, _)| height > top) {
            recent.push_back((at, height, id));
        }
        while recent
            .get(1)
            .is_some_and(|&(second, ..)| second + bound <= at)
        {
            recent.pop_front();
        }
    }
}

impl Observer for Convergence {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        if !self.subjects.correct(node) {
            return;
        }
        if let Probe::Configured(configured) = probe
            && self.recoverable.is_news(configured)
        {
            // Who joins has from then on to catch up.
            for (list, _) in &configured.groups {
                for &member in list.iter() {
                    let (subjects, chain) = (&self.subjects, configured.chain);
                    if !self.recoverable.is_member(subjects, chain, member) {
                        let (_, since) = self.up.entry(member).or_insert((true, at));
                        *since = at;
                    }
                }
            }
        }
        self.recoverable.probe(node, probe);
        match probe {
            Probe::Applied(block) => {
                let (chain, height) = (block.header.chain, block.header.height);
                self.heads.insert((node, chain), (height, block.id));
                self.reached(at, chain, height, block.id);
            }
            Probe::Recovered {
                chain,
                height,
                head,
            } => {
                self.heads.insert((node, *chain), (*height, *head));
            }
            _ => {}
        }
    }

    fn node_up(&mut self, at: Time, node: NodeId, up: bool) {
        self.up.insert(node, (up, at));
        self.recoverable.node_up(node, up);
    }

    fn healed(&mut self, at: Time, heal: &Heal) {
        self.calm.healed(at, heal);
        self.recoverable.healed(heal);
        self.bound = heal.bound;
    }

    fn fault(&mut self, at: Time, _id: &str, open: bool) {
        self.calm.fault(at, open);
    }

    fn end(&mut self, at: Time) {
        let subjects = Arc::clone(&self.subjects);
        let bound = self.bound;
        for chain in &subjects.chains {
            let Some(recent) = self.recent.get(&chain.id) else {
                continue;
            };
            let due = recent
                .iter()
                .rev()
                .find(|&&(reached, ..)| reached + bound <= at)
                .map_or(0, |&(_, height, _)| height);
            for &node in chain.members.iter().filter(|&&n| subjects.correct(n)) {
                let (up, since) = self.up.get(&node).copied().unwrap_or((true, Time::ZERO));
                let ripe = self.calm.due(since, bound).is_some_and(|due| due <= at);
                let member = self.recoverable.is_member(&subjects, chain.id, node);
                if !up || !ripe || due == 0 || !member || self.calm.broken(node) {
                    continue;
                }
                let (height, head) = self
                    .heads
                    .get(&(node, chain.id))
                    .copied()
                    .unwrap_or_default();
                let same = recent
                    .iter()
                    .find(|&&(_, h, _)| h == height)
                    .is_none_or(|&(_, _, id)| id == head);
                if height < due
                    && let Some(why) = self.recoverable.why_not(&subjects, chain.id)
                {
                    self.finding.excuse(why);
                    continue;
                }
                self.finding.judge(height >= due && same, || {
                    let name = subjects.name(node);
                    if same {
                        format!(
                            "{}: {name} ends at height {height}, the chain had reached {due} {bound} before",
                            chain.name
                        )
                    } else {
                        format!("{}: {name} ends at height {height} with another head, {head}", chain.name)
                    }
                });
            }
        }
    }
}

check_from_entry!(Convergence);
