//! I10: configurations of a chain change one way, and any two that follow each other share a decision maker (L. Lamport, D. Malkhi and L. Zhou,
//! "Reconfiguring a State Machine", SIGACT News 41(1), 2010; D. Ongaro and J. Ousterhout, "In Search of an
//! Understandable Consensus Algorithm", ATC 2014, section 6, figure 10).

use super::{CheckEntry, Subjects, check_from_entry};
use consim_core::{ChainId, Configured, Finding, NodeId, Observer, Probe, Severity, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "quorum-intersection",
    code: "I10",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "Configurations of a chain change one way: all correct nodes name the same ones, in order, from the same block on if the chain is handed over with one; otherwise none is left out, and every quorum of one meets every quorum of the next.",
    applies: |subjects| subjects.chains.iter().any(|chain| chain.first.is_some()),
    build: |subjects| Box::new(QuorumIntersection::new(subjects)),
};

/// Compares each configuration with the one before it.
pub struct QuorumIntersection {
    subjects: Arc<Subjects>,
    finding: Finding,
    /// Configurations that came into force, by their version.
    seen: BTreeMap<ChainId, BTreeMap<u64, (Arc<Configured>, NodeId)>>,
    /// The last version that each node named since it was started.
    named: BTreeMap<(NodeId, ChainId), u64>,
}

impl QuorumIntersection {
    /// A check that knows the configurations of the beginning.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        let mut seen: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for chain in &subjects.chains {
            let Some(first) = &chain.first else {
                continue;
            };
            let configured = Configured {
                chain: chain.id,
                change: 0,
                joint: false,
                handed_over_at: None,
                groups: vec![(first.as_slice().into(), chain.quorum)],
                renewed: Arc::default(),
            };
            let of_all = (Arc::new(configured), NodeId::default());
            seen.entry(chain.id).or_default().insert(0, of_all);
        }
        Self {
            subjects,
            finding: Finding::new(),
            seen,
            named: BTreeMap::new(),
        }
    }

    /// Who is in a configuration, in words.
    fn words(&self, configured: &Configured) -> String {
        let list = |(list, quorum): &(Arc<[NodeId]>, usize)| {
            let names: Vec<String> = list.iter().map(|n| self.subjects.name(*n)).collect();
            format!("{quorum} of {{{}}}", names.join(", "))
        };
        let lists: Vec<String> = configured.groups.iter().map(list).collect();
        lists.join(" and ")
    }
}

/// Does every quorum of one share a member with every quorum of the other? A quorum has so many of each list of
/// a configuration. It is enough, and where both have one list it is needed, that a list of each leaves no room
/// for two quorums apart: together they are more than there are nodes in both.
fn meet(a: &Configured, b: &Configured) -> bool {
    let pairs = a
        .groups
        .iter()
        .flat_map(|x| b.groups.iter().map(move |y| (x, y)));
    pairs.into_iter().any(|((x, p), (y, q))| {
        let both: BTreeSet<NodeId> = x.iter().chain(y.iter()).copied().collect();
        p + q > both.len()
    })
}

impl Observer for QuorumIntersection {
    fn node_up(&mut self, _at: Time, node: NodeId, _up: bool) {
        self.named.retain(|(of, _), _| *of != node);
    }

    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        let Probe::Configured(configured) = probe else {
            return;
        };
        if !self.subjects.correct(node) {
            return;
        }
        let (chain, version) = (configured.chain, configured.version());
        let last = self.named.insert((node, chain), version);
        let subjects = Arc::clone(&self.subjects);
        self.finding
            .judge(last.is_none_or(|last| last <= version), || {
                format!(
                    "{}: {} went back to change {}",
                    subjects.chain_name(chain),
                    subjects.name(node),
                    configured.change
                )
            });
        let seen = self.seen.entry(chain).or_default();
        if let Some((known, by)) = seen.get(&version) {
            if known == configured {
                return;
            }
            let (known, by) = (Arc::clone(known), *by);
            let (one, other) = (self.words(&known), self.words(configured));
            self.finding.judge(false, || {
                format!(
                    "{}, change {}: {} decide at {}, {} at {}",
                    subjects.chain_name(chain),
                    configured.change,
                    one,
                    subjects.name(by),
                    other,
                    subjects.name(node)
                )
            });
            return;
        }
        let chain_of = self.subjects.chain(chain);
        let few = chain_of.is_some_and(|subject| {
            let needed = subject.quorum_of;
            let groups = configured.groups.iter();
            groups
                .into_iter()
                .any(|(list, quorum)| *quorum < needed(list.len()))
        });
        let before = seen.range(..version).next_back();
        let before = before.map(|(_, (before, _))| Arc::clone(before));
        seen.insert(version, (Arc::clone(configured), node));
        let words = self.words(configured);
        self.finding.judge(!few, || {
            format!(
                "{}, change {}: {words} decide, fewer than the protocol needs",
                subjects.chain_name(chain),
                configured.change
            )
        });
        if let Some(before) = before.filter(|_| configured.handed_over_at.is_none()) {
            let over = !configured.joint || before.version() + 1 == version;
            self.finding.judge(over, || {
                format!(
                    "{}, change {}: it began before change {} was over",
                    subjects.chain_name(chain),
                    configured.change,
                    configured.change.saturating_sub(1)
                )
            });
            let words = (self.words(&before), self.words(configured));
            self.finding.judge(meet(&before, configured), || {
                format!(
                    "{}, change {}: {} may decide without any of {}, which follow",
                    subjects.chain_name(chain),
                    configured.change,
                    words.0,
                    words.1
                )
            });
        }
    }
}

check_from_entry!(QuorumIntersection);
