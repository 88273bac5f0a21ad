//! Mistakes of operators: which process a node with a wrong setting gets, and what came of it.

use crate::plan::Plan;
use consim_core::{
    Certificate, ChainId, KeyId, NodeId, Observer, Payload, Probe, SecretKey, Span, Time,
};
use consim_kernel::config::{FaultKind, Mistake, Operator, Target};
use consim_models::node::membership::IdentityCertificate;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Chains of a run are numbered from the start; a wrong genesis counts from the end.
const OTHER_CHAIN: u16 = u16::MAX;

/// What a node's process is set up with.
#[derive(Clone)]
pub(super) struct Setting {
    /// As whom it takes part.
    pub(super) me: NodeId,
    pub(super) key: Arc<SecretKey>,
    pub(super) certificate: IdentityCertificate,
    pub(super) chain: ChainId,
    pub(super) quorum: usize,
    pub(super) timeout: Span,
}

/// Which settings are wrong now.
#[derive(Debug, Default)]
pub(super) struct Mistakes {
    /// By node and fault.
    of: BTreeMap<NodeId, BTreeMap<String, Mistake>>,
    /// Nodes whose certificate was renewed.
    renewed: BTreeSet<NodeId>,
}

impl Mistakes {
    /// The setting of `node` is wrong because of fault `id`, or right again.
    pub(super) fn set(&mut self, node: NodeId, id: &str, fault: &FaultKind, wrong: bool) {
        let FaultKind::Operator(Operator { mistake, .. }) = fault else {
            return;
        };
        let of = self.of.entry(node).or_default();
        if wrong {
            of.insert(id.to_owned(), mistake.clone());
            return;
        }
        of.remove(id);
        if *mistake == Mistake::ExpiredCertificate {
            self.renewed.insert(node);
        }
    }
    /// Has the certificate of `node` been renewed?
    pub(super) fn is_renewed(&self, node: NodeId) -> bool {
        self.renewed.contains(&node)
    }
    /// Makes the setting of `node` as wrong as it is. `identity` is what another node signs and
    /// shows.
    pub(super) fn spoil(
        &self,
        node: NodeId,
        setting: &mut Setting,
        identity: impl Fn(NodeId) -> Option<(Arc<SecretKey>, IdentityCertificate)>,
    ) {
        for mistake in self.of.get(&node).into_iter().flat_map(BTreeMap::values) {
            match mistake {
                Mistake::WrongQuorum { by } => {
                    let quorum = i64::try_from(setting.quorum).unwrap_or(i64::MAX);
                    let wrong = quorum.saturating_add(i64::from(*by)).max(1);
                    setting.quorum = usize::try_from(wrong).unwrap_or(usize::MAX);
                }
                Mistake::DuplicateKey { with } => {
                    if let Some(other) = known(with).first()
                        && let Some((key, certificate)) = identity(*other)
                    {
                        setting.me = *other;
                        setting.key = key;
                        setting.certificate = certificate;
                    }
                }
                Mistake::WrongGenesis => setting.chain = ChainId(OTHER_CHAIN - setting.chain.0),
                Mistake::ShortTimeouts { to } => setting.timeout = *to,
                // The certificate itself says when it is over.
                Mistake::ExpiredCertificate => {}
            }
        }
    }
}

/// The nodes of a target that is known beforehand.
fn known(target: &Target) -> &[NodeId] {
    match target {
        Target::Nodes(nodes) => nodes,
        Target::LeaderOf(_) => &[],
    }
}

/// When certificates of institutions are over because of a fault, if before their usual end.
pub(super) fn expiries(plan: &Plan) -> BTreeMap<usize, Time> {
    let mut out: BTreeMap<usize, Time> = BTreeMap::new();
    for fault in plan.faults.values() {
        if let FaultKind::Operator(Operator {
            target,
            mistake: Mistake::ExpiredCertificate,
        }) = &fault.kind
        {
            for institution in known(target) {
                let at = out.entry(institution.index()).or_insert(fault.from);
                *at = (*at).min(fault.from);
            }
        }
    }
    out
}

/// What is counted of a mistake.
#[derive(Debug)]
enum Counts {
    /// Blocks of its nodes whose certificate has another number of votes than this.
    Votes(usize),
    /// Votes that its nodes sign with a key that is not theirs.
    ForeignKeys,
    /// Blocks that others executed and its nodes did not.
    Missed,
    /// Messages of these kinds that its nodes send.
    Kinds(&'static [&'static str]),
    /// Messages of its nodes that are refused for this reason.
    Refused(&'static str),
    /// Blocks put forward by its nodes whose time is off by so much, at least.
    Times(u64),
}

#[derive(Debug)]
struct Watched {
    id: String,
    nodes: BTreeSet<NodeId>,
    counts: Counts,
    open: bool,
    count: u64,
    /// Blocks executed by each node, for [`Counts::Missed`].
    executed: BTreeMap<NodeId, u64>,
}

/// Counts what came of mistakes, which only who knows the processes can tell.
#[derive(Debug, Default)]
pub(super) struct Watch {
    list: Vec<Watched>,
    start_ns: i64,
}

impl Watch {
    /// `windows` are the faults of the run with nodes in their targets.
    pub(super) fn new(
        windows: &[consim_kernel::config::FaultWindow],
        quorum: usize,
        start_ns: i64,
    ) -> Self {
        let list = windows.iter().filter_map(|window| {
            let (target, counts) = match &window.kind {
                FaultKind::Operator(Operator { target, mistake }) => (
                    target,
                    match mistake {
                        Mistake::WrongQuorum { .. } => Counts::Votes(quorum),
                        Mistake::DuplicateKey { .. } => Counts::ForeignKeys,
                        Mistake::WrongGenesis => Counts::Missed,
                        Mistake::ShortTimeouts { .. } => Counts::Kinds(&["suspect", "view-change"]),
                        Mistake::ExpiredCertificate => Counts::Refused("expired"),
                    },
                ),
                FaultKind::WrongZone(zone) => {
                    (&zone.target, Counts::Times(zone.by_ns.unsigned_abs() / 2))
                }
                _ => return None,
            };
            Some(Watched {
                id: window.id.clone(),
                nodes: known(target).iter().copied().collect(),
                counts,
                open: false,
                count: 0,
                executed: BTreeMap::new(),
            })
        });
        Self {
            list: list.collect(),
            start_ns,
        }
    }
    /// What was counted of fault `id`, if something was to be.
    pub(super) fn count(&self, id: &str) -> Option<u64> {
        let watched = self.list.iter().find(|watched| watched.id == id)?;
        let mut count = watched.count;
        if matches!(watched.counts, Counts::Missed) {
            let most = watched.executed.values().max().copied().unwrap_or(0);
            let own = |node| watched.executed.get(node).copied().unwrap_or(0);
            count = watched.nodes.iter().map(|node| most - own(node)).sum();
        }
        Some(count)
    }
}

fn votes(certificate: &Certificate) -> usize {
    certificate.signatures.len()
}

impl Observer for Watch {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        let start_ns = self.start_ns;
        for watched in self.list.iter_mut().filter(|watched| watched.open) {
            let mine = watched.nodes.contains(&node);
            let counted = match (&watched.counts, probe) {
                (Counts::Votes(quorum), Probe::Applied(block)) => {
                    mine && votes(&block.committed.certificate) != *quorum
                }
                (Counts::Missed, Probe::Applied(_)) => {
                    *watched.executed.entry(node).or_default() += 1;
                    false
                }
                (Counts::Refused(why), Probe::Unauthenticated { subject, reason }) => {
                    watched.nodes.contains(subject) && reason == why
                }
                (Counts::Times(least), Probe::Applied(block)) => {
                    let batch = &block.committed.batch;
                    let now = start_ns.saturating_add_unsigned(at.nanos());
                    let off = batch.time_ns().abs_diff(now) >= *least;
                    mine && batch.proposer() == node && off
                }
                _ => false,
            };
            watched.count += u64::from(counted);
        }
    }
    fn sent(&mut self, _at: Time, from: NodeId, payload: &dyn Payload, receivers: usize) {
        for watched in self.list.iter_mut().filter(|watched| watched.open) {
            if !watched.nodes.contains(&from) {
                continue;
            }
            match watched.counts {
                Counts::ForeignKeys => {
                    let mut foreign = 0;
                    payload.votes(&mut |vote| foreign += u64::from(vote.key != KeyId(from.0)));
                    watched.count += foreign;
                }
                Counts::Kinds(kinds) if kinds.contains(&payload.kind()) => {
                    watched.count += receivers as u64;
                }
                _ => {}
            }
        }
    }
    fn fault(&mut self, _at: Time, id: &str, open: bool) {
        for watched in self.list.iter_mut().filter(|watched| watched.id == id) {
            watched.open = open;
        }
    }
}
