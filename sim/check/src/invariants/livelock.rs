//! No lasso: what is done over and over leads somewhere (FAULTS-AND-ATTACKS, 3e; A. Biere, C.
//! Artho and V. Schuppan, "Liveness Checking as Safety Checking", FMICS 2002: an infinite run of a
//! finite system repeats a state).

use super::recoverable::Recoverable;
use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use consim_core::{Calm, ChainId, Finding, Heal, NodeId, Observer, Probe, Severity, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "no-livelock",
    code: "L6",
    since: "0.1.0",
    severity: Severity::Liveness,
    says: "While nothing is disturbed and something waits, the views do not go round more than twice, each member leading in turn, without a block.",
    applies: any_chain,
    build: |subjects| Box::new(NoLivelock::new(subjects)),
};

/// How often the same abstract state may come back without a block in between. Timers double with
/// each view, so a second round gives every leader far more time than the first.
const ROUNDS: u32 = 2;

/// The state of a chain without what only ever grows: who leads the view, how far each member is
/// behind it, and that something waits.
type Abstract = (NodeId, Vec<(NodeId, u64)>);

#[derive(Debug, Default)]
struct Chain {
    height: u64,
    /// The latest view of each member, and who leads it.
    views: BTreeMap<NodeId, (u64, NodeId)>,
    /// Transactions that wait at each member, as far as it is known.
    waiting: BTreeSet<NodeId>,
    /// How often each state was seen since the last block, and in which view the last time: who says
    /// once more that it is in a view does not go round.
    seen: BTreeMap<Abstract, (u32, u64)>,
    /// It was said already.
    told: bool,
}

/// Looks for a state that comes back.
pub struct NoLivelock {
    subjects: Arc<Subjects>,
    finding: Finding,
    calm: Calm,
    recoverable: Recoverable,
    chains: BTreeMap<ChainId, Chain>,
}

impl NoLivelock {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            calm: Calm::default(),
            recoverable: Recoverable::default(),
            chains: BTreeMap::new(),
        }
    }

    /// What happened before a disturbance is no part of a lasso.
    fn forget(&mut self) {
        for chain in self.chains.values_mut() {
            chain.seen.clear();
            chain.told = false;
        }
    }

    fn entered(&mut self, at: Time, node: NodeId, id: ChainId, view: u64, leader: NodeId) {
        let calm = self.calm.since().is_some();
        let chain = self.chains.entry(id).or_default();
        chain.views.insert(node, (view, leader));
        if !calm || chain.told || chain.waiting.is_empty() {
            return;
        }
        let calm = &self.calm;
        let views = chain.views.iter().filter(|(n, _)| !calm.broken(**n));
        let Some(&(top, leads)) = views.clone().map(|(_, view)| view).max() else {
            return;
        };
        let behind = views.map(|(&n, &(view, _))| (n, top - view)).collect();
        let (times, last) = chain.seen.entry((leads, behind)).or_default();
        if *times > 0 && *last >= top {
            return;
        }
        (*times, *last) = (*times + 1, top);
        if *times <= ROUNDS {
            return;
        }
        chain.told = true;
        if let Some(why) = self.recoverable.why_not(&self.subjects, id) {
            return self.finding.excuse(why);
        }
        let (height, subjects) = (chain.height, &self.subjects);
        self.finding.judge(false, || {
            format!(
                "{}: at {at} view {top} is like {ROUNDS} views before it since block {height}, and transactions wait",
                subjects.chain_name(id)
            )
        });
    }
}

impl Observer for NoLivelock {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        if !self.subjects.correct(node) {
            return;
        }
        match probe {
            Probe::View {
                chain,
                view,
                leader,
            } => self.entered(at, node, *chain, *view, *leader),
            Probe::Admitted { chain, .. } => {
                let chain = self.chains.entry(*chain).or_default();
                chain.waiting.insert(node);
            }
            Probe::Waiting { chain, txs: 0 } => {
                let chain = self.chains.entry(*chain).or_default();
                chain.waiting.remove(&node);
            }
            Probe::Applied(block) => {
                self.recoverable.probe(node, probe);
                let chain = self.chains.entry(block.header.chain).or_default();
                if block.header.height > chain.height {
                    chain.height = block.header.height;
                    chain.seen.clear();
                    chain.told = false;
                    self.finding.judge(true, String::new);
                }
            }
            Probe::Configured(configured) if self.recoverable.is_news(configured) => {
                self.recoverable.probe(node, probe);
                let chain = self.chains.entry(configured.chain).or_default();
                chain.views.retain(|n, _| configured.contains(*n));
                chain.waiting.retain(|n| configured.contains(*n));
                self.forget();
            }
            Probe::Recovered { .. } | Probe::Abstains { .. } => self.recoverable.probe(node, probe),
            _ => {}
        }
    }

    fn node_up(&mut self, _at: Time, node: NodeId, up: bool) {
        self.recoverable.node_up(node, up);
        for chain in self.chains.values_mut() {
            chain.views.remove(&node);
            chain.waiting.remove(&node);
        }
        self.forget();
    }

    fn fault(&mut self, at: Time, _id: &str, open: bool) {
        self.calm.fault(at, open);
        self.forget();
    }

    fn healed(&mut self, at: Time, heal: &Heal) {
        self.calm.healed(at, heal);
        self.recoverable.healed(heal);
        self.forget();
    }
}

check_from_entry!(NoLivelock);
