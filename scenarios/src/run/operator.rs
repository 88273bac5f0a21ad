//! Mistakes of operators: which process a node with a wrong setting gets, and what came of it.

use crate::plan::{FaultPlan, Institution, Plan};
use consim_core::{
    Certificate, ChainId, KeyId, NodeId, Observer, Payload, Probe, SecretKey, Span, Time,
};
use consim_kernel::config::{
    DoubleChange, FaultKind, Invalid, Mistake, MixedVersions, Operator, Partition, Target,
};
use consim_models::node::membership::{IdentityCertificate, Refusal};
use consim_models::node::release::Release;
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
    /// Blocks that it keeps for others; `None`: all.
    pub(super) keep: Option<u64>,
    /// Its release, if the members of the run tell each other theirs.
    pub(super) release: Option<Release>,
}

/// Which settings are wrong now.
#[derive(Debug, Default)]
pub(super) struct Mistakes {
    /// By node and fault.
    of: BTreeMap<NodeId, BTreeMap<String, Mistake>>,
    /// The release that a node runs because of a fault, by fault.
    releases: BTreeMap<NodeId, BTreeMap<String, Release>>,
    /// Nodes whose certificate was renewed.
    renewed: BTreeSet<NodeId>,
}

impl Mistakes {
    /// The setting of `node` is wrong because of fault `id`, or right again.
    pub(super) fn set(&mut self, node: NodeId, id: &str, fault: &FaultKind, wrong: bool) {
        if let FaultKind::MixedVersions(MixedVersions { to, .. }) = fault {
            let of = self.releases.entry(node).or_default();
            if wrong {
                of.insert(id.to_owned(), Release(*to));
            } else {
                of.remove(id);
            }
        }
        let FaultKind::Operator(Operator { mistake, .. }) = fault else {
            return;
        };
        let of = self.of.entry(node).or_default();
        if wrong {
            of.insert(id.to_owned(), mistake.clone());
            return;
        }
        of.remove(id);
        if matches!(mistake, Mistake::Certificate(_)) {
            self.renewed.insert(node);
        }
    }
    /// Does `node` show its second certificate: renewed, or of a new authority?
    pub(super) fn is_renewed(&self, node: NodeId) -> bool {
        let of = self.of.get(&node).into_iter().flat_map(BTreeMap::values);
        let new = Mistake::Certificate(Invalid::NewAuthority);
        self.renewed.contains(&node) || of.clone().any(|mistake| *mistake == new)
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
                Mistake::EarlyPrune { keep } => {
                    let least = setting.keep.map_or(*keep, |other| other.min(*keep));
                    setting.keep = Some(least);
                }
                // The certificate itself, or who issued it, says when it is over.
                Mistake::Certificate(_) => {}
            }
        }
        // The last upgrade by name counts, where several overlap.
        let release = self
            .releases
            .get(&node)
            .and_then(|of| of.values().next_back());
        if let (Some(own), Some(release)) = (&mut setting.release, release) {
            *own = *release;
        }
    }
}

/// The nodes of a target that is known beforehand.
fn known(target: &Target) -> &[NodeId] {
    match target {
        Target::Nodes(nodes) => nodes,
        Target::LeaderOf(_) | Target::LeadersOf(_) => &[],
    }
}

/// Do the members of a run have to tell each other which release they run?
pub(super) fn releases_differ(plan: &Plan) -> bool {
    let mixed = |fault: &FaultPlan| matches!(fault.kind, FaultKind::MixedVersions(_));
    let other = |institution: &Institution| institution.release != Release::CURRENT;
    plan.faults.values().any(mixed) || plan.institutions.iter().any(other)
}

/// What becomes of the certificate of an institution's server before its usual end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loss {
    pub(super) why: Invalid,
    /// From when on it is no good.
    pub(super) from: Time,
    /// When there is a good one.
    pub(super) to: Time,
}

/// The first fault of the certificate of each institution. A second finds the certificate renewed.
pub(super) fn certificate_losses(plan: &Plan) -> BTreeMap<usize, Loss> {
    let mut out: BTreeMap<usize, Loss> = BTreeMap::new();
    for fault in plan.faults.values() {
        if let FaultKind::Operator(Operator {
            target,
            mistake: Mistake::Certificate(why),
        }) = &fault.kind
        {
            let loss = Loss {
                why: *why,
                from: fault.from,
                to: fault.to,
            };
            for institution in known(target) {
                let first = out.entry(institution.index()).or_insert(loss);
                if loss.from < first.from {
                    *first = loss;
                }
            }
        }
    }
    out
}

/// A change: its chain, and its number there.
type Numbered = (ChainId, u64);

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
    /// Messages of its nodes that are refused for one of these reasons.
    Refused(&'static [&'static str]),
    /// Messages that its nodes, or others of them, do not understand.
    Skewed,
    /// Transactions that its nodes have no memory for.
    Memory,
    /// Requests for blocks that its nodes do not have any more.
    Gone,
    /// Blocks put forward by its nodes whose time is off by so much, at least.
    Times(u64),
    /// What the kernel counts, if the change of this number is under way while it is open.
    During(Numbered),
    /// Times that one of these changes is asked for while the other is under way.
    Doubled([Numbered; 2]),
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
    /// Changes that were asked for and are not done.
    under_way: BTreeSet<Numbered>,
}

impl Watch {
    /// `windows` are the faults of the run with nodes in their targets; `quorum` is what a certificate takes on
    /// the chain of a node; `changes` are the names of the changes with their
    /// chains and numbers.
    pub(super) fn new(
        windows: &[consim_kernel::config::FaultWindow],
        quorum: &dyn Fn(NodeId) -> usize,
        start_ns: i64,
        changes: &[(ChainId, u64, String)],
    ) -> Self {
        let nobody = Target::Nodes(Vec::new());
        let number = |name: &String| {
            let called = changes.iter().find(|(.., change)| change == name)?;
            Some((called.0, called.1))
        };
        let list = windows.iter().filter_map(|window| {
            let (target, counts) = match &window.kind {
                FaultKind::Operator(Operator { target, mistake }) => (
                    target,
                    match mistake {
                        Mistake::WrongQuorum { .. } => {
                            let first = known(target).first().copied();
                            Counts::Votes(quorum(first.unwrap_or_default()))
                        }
                        Mistake::DuplicateKey { .. } => Counts::ForeignKeys,
                        Mistake::WrongGenesis => Counts::Missed,
                        Mistake::ShortTimeouts { .. } => {
                            Counts::Kinds(&["suspect", "view-change", "stop", "stop-data"])
                        }
                        Mistake::Certificate(Invalid::Expired) => Counts::Refused(&["expired"]),
                        Mistake::Certificate(Invalid::Revoked) => Counts::Refused(&["revoked"]),
                        // Who has shown a bad one is asked for a good one.
                        Mistake::Certificate(Invalid::NewAuthority) => {
                            Counts::Refused(&["unknown authority", "no certificate"])
                        }
                        Mistake::EarlyPrune { .. } => Counts::Gone,
                    },
                ),
                FaultKind::ExhaustMemory(memory) => (&memory.target, Counts::Memory),
                FaultKind::MixedVersions(mixed) => (&mixed.target, Counts::Skewed),
                FaultKind::WrongZone(zone) => {
                    (&zone.target, Counts::Times(zone.by_ns.unsigned_abs() / 2))
                }
                FaultKind::Partition(Partition {
                    target,
                    change: Some(change),
                    ..
                }) => (target, Counts::During(number(change)?)),
                FaultKind::DoubleChange(DoubleChange { first, second }) => {
                    let both = [number(first)?, number(second)?];
                    (&nobody, Counts::Doubled(both))
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
            under_way: BTreeSet::new(),
        }
    }
    /// What fault `id` did, of which the kernel counted `kernel`.
    pub(super) fn count(&self, id: &str, kernel: u64) -> u64 {
        let Some(watched) = self.list.iter().find(|watched| watched.id == id) else {
            return kernel;
        };
        let mut count = watched.count;
        if matches!(watched.counts, Counts::Missed) {
            let most = watched.executed.values().max().copied().unwrap_or(0);
            let own = |node| watched.executed.get(node).copied().unwrap_or(0);
            count = watched.nodes.iter().map(|node| most - own(node)).sum();
        }
        match watched.counts {
            // It takes the room of messages too, which the kernel sees.
            Counts::Memory => kernel + count,
            Counts::During(_) if count == 0 => 0,
            Counts::During(_) => kernel,
            _ => count,
        }
    }
}

impl Watch {
    /// A change is asked for, or done.
    fn change(&mut self, number: Numbered, done: bool) {
        if done {
            self.under_way.remove(&number);
            return;
        }
        for watched in self.list.iter_mut().filter(|watched| watched.open) {
            watched.count += u64::from(match watched.counts {
                Counts::During(change) => change == number,
                Counts::Doubled([a, b]) => {
                    let other = if number == a { b } else { a };
                    [a, b].contains(&number) && self.under_way.contains(&other)
                }
                _ => false,
            });
        }
        self.under_way.insert(number);
    }
}

fn votes(certificate: &Certificate) -> usize {
    certificate.signatures.len()
}

impl Observer for Watch {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        let start_ns = self.start_ns;
        if let Probe::Change {
            chain,
            number,
            done,
        } = probe
        {
            self.change((*chain, *number), *done);
        }
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
                    watched.nodes.contains(subject) && why.contains(reason)
                }
                (Counts::Skewed, Probe::Unauthenticated { subject, reason }) => {
                    let skewed = *reason == Refusal::VersionSkew.words();
                    skewed && (mine || watched.nodes.contains(subject))
                }
                (Counts::Memory, Probe::OutOfMemory { .. })
                | (Counts::Gone, Probe::BlocksGone { .. }) => mine,
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
                    payload.votes(&mut |_, vote| foreign += u64::from(vote.key != KeyId(from.0)));
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
            if let Counts::During(change) = watched.counts {
                watched.count += u64::from(open && self.under_way.contains(&change));
            }
        }
    }
}
