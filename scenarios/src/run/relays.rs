//! Relays between the chains of a run: who is whose neighbour, what a chain knows of it, and the processes.

use super::chains::{Hosted, Identities};
use super::layout::Layout;
use crate::plan::{Plan, ServicePlan};
use consim_core::{
    ChainId, Check, NodeId, Observer, Probe, Process, SecretKey, StateMachine, Time,
};
use consim_models::consensus;
use consim_models::node::membership::IdentityCertificate;
use consim_models::relay::{
    self, Application, Neighbour, PassingOn, Relay, RelayConfig, RelayMachine, Side, Summary, Ways,
};
use consim_models::sharing::network::{LabelsKept, SharingNetwork};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// What relays need to know of a chain.
pub(super) struct Joined {
    neighbour: Neighbour,
    side: Side,
    /// By node.
    secrets: Vec<Arc<SecretKey>>,
    certificates: Vec<IdentityCertificate>,
}

/// The ways between the chains of a run.
pub(super) struct Relays {
    ways: Arc<Ways>,
    /// By the chain's number.
    joined: Vec<Joined>,
    /// The relays of each name: the machines, and the ways that they serve as chain numbers.
    served: Vec<Served>,
}

/// The machines of a relay, and the ways that they serve as chain numbers.
type Served = (Vec<NodeId>, Vec<(usize, usize)>);

/// Chain numbers that each relay of the plan joins, one way after the other: there and back.
fn served(plan: &Plan, layout: &Layout) -> Vec<Served> {
    let place = |name: &String| layout.chain(name).map(|chain| usize::from(chain.0));
    let of = plan.relays.values().map(|relay| {
        let join: Vec<usize> = relay.join.iter().filter_map(place).collect();
        let through = relay.through.as_ref().and_then(place);
        let mut ways = Vec::new();
        for (i, &one) in join.iter().enumerate() {
            for &other in join.iter().skip(i + 1) {
                if through.is_none_or(|hub| hub == one || hub == other) {
                    ways.extend([(one, other), (other, one)]);
                }
            }
        }
        let nodes = relay.nodes.iter().filter_map(|&i| layout.relay(i));
        (nodes.collect(), ways)
    });
    of.collect()
}

/// The first hop of a shortest way from each chain to each other; of several the lowest number.
fn next_hops(chains: usize, served: &[Served]) -> BTreeMap<(ChainId, ChainId), ChainId> {
    let mut beside: Vec<Vec<usize>> = vec![Vec::new(); chains];
    for &(from, to) in served.iter().flat_map(|(_, ways)| ways) {
        if let Some(list) = beside.get_mut(from).filter(|list| !list.contains(&to)) {
            list.push(to);
        }
    }
    for list in &mut beside {
        list.sort_unstable();
    }
    let id = |chain: usize| ChainId(chain as u16);
    let mut next = BTreeMap::new();
    for from in 0..chains {
        let mut first: BTreeMap<usize, usize> = BTreeMap::new();
        let mut queue: VecDeque<(usize, Option<usize>)> = VecDeque::from([(from, None)]);
        while let Some((at, hop)) = queue.pop_front() {
            for &to in beside.get(at).into_iter().flatten() {
                if to != from && !first.contains_key(&to) {
                    let hop = hop.unwrap_or(to);
                    first.insert(to, hop);
                    queue.push_back((to, Some(hop)));
                }
            }
        }
        next.extend(
            first
                .into_iter()
                .map(|(to, hop)| ((id(from), id(to)), id(hop))),
        );
    }
    next
}

/// The ways of a run, for those who judge them; `None` if there are no relays.
pub(super) fn ways(plan: &Plan, layout: &Layout, corrupt: &[NodeId]) -> Option<Arc<Ways>> {
    if plan.relays.is_empty() {
        return None;
    }
    let served = served(plan, layout);
    let mut by = BTreeMap::new();
    for (place, (_, ways)) in served.iter().enumerate() {
        for &(from, to) in ways {
            by.entry((ChainId(from as u16), ChainId(to as u16)))
                .or_insert(place);
        }
    }
    Some(Arc::new(Ways {
        next: next_hops(plan.chains.len(), &served),
        corrupt: corrupt.to_vec(),
        served: by,
        start_ns: plan.start_ns,
    }))
}

/// The labels of a service that is on several chains, with the option `emergency`.
fn labels(plan: &Plan) -> Option<LabelsKept> {
    plan.services.values().find_map(|service| match service {
        ServicePlan::DataSharing {
            more,
            labels,
            options,
            ..
        } if !more.is_empty() => Some(LabelsKept::new(*labels, options.emergency)),
        _ => None,
    })
}

/// The checks of what goes from chain to chain.
pub(super) fn checks(plan: &Plan, ways: Option<&Arc<Ways>>) -> Vec<Box<dyn Check>> {
    let mut checks = ways.map_or_else(Vec::new, |ways| relay::checks(ways, plan.heal_bound));
    checks.extend(labels(plan).map(|check| -> Box<dyn Check> { Box::new(check) }));
    checks
}

impl Relays {
    /// Those of a plan; `None` if it has none.
    pub(super) fn of<'a>(
        plan: &Plan,
        layout: &Layout,
        ways: Option<Arc<Ways>>,
        chains: impl Iterator<Item = (&'a Hosted<'a>, &'a Identities)>,
    ) -> Option<Self> {
        let ways = ways?;
        let joined = chains.map(|(hosted, identities)| {
            let entry = consensus::entry(&hosted.plan.protocol);
            let usual: fn(usize) -> usize = consensus::byzantine_quorum;
            let quorum = entry.map_or(usual, |entry| entry.quorum);
            let (members, keys) = (Arc::clone(&hosted.members), identities.keys.clone());
            let certificates = identities.trust.certificates.clone();
            Some(Joined {
                neighbour: Neighbour::new(
                    hosted.id,
                    keys.clone(),
                    quorum,
                    Arc::clone(&members),
                    plan.start_ns,
                ),
                side: Side {
                    chain: hosted.id,
                    members,
                    quorum: hosted.plan.quorum,
                    keys,
                    key: Arc::clone(identities.secrets.first()?),
                    certificate: *certificates.first()?,
                    patience: hosted.plan.relay_patience(),
                },
                secrets: identities.secrets.clone(),
                certificates,
            })
        });
        let joined: Option<Vec<Joined>> = joined.collect();
        Some(Self {
            ways,
            joined: joined?,
            served: served(plan, layout),
        })
    }

    /// The neighbours of a chain, ascending.
    pub(super) fn neighbours(&self, chain: ChainId) -> Arc<[ChainId]> {
        let hops = self.ways.next.iter();
        let hops = hops.filter(|((from, to), hop)| *from == chain && to == *hop);
        hops.map(|(_, hop)| *hop).collect()
    }

    /// What a chain executes that relays join; the same as before if none does.
    pub(super) fn machine(
        &self,
        hosted: &Hosted<'_>,
        inner: Arc<dyn StateMachine>,
    ) -> Arc<dyn StateMachine> {
        let neighbours = self.neighbours(hosted.id);
        if neighbours.is_empty() {
            return inner;
        }
        let application: Arc<dyn Application> = if hosted.service.chains().len() > 1 {
            Arc::new(SharingNetwork)
        } else {
            Arc::new(PassingOn)
        };
        let of = |chain: &ChainId| {
            let joined = self.joined.get(usize::from(chain.0))?;
            Some((*chain, joined.neighbour.clone()))
        };
        let next = self.ways.next.iter();
        let next = next.filter(|((from, _), _)| *from == hosted.id);
        Arc::new(RelayMachine {
            inner,
            application,
            chain: hosted.id,
            members: Arc::clone(&hosted.members),
            neighbours: neighbours.iter().filter_map(of).collect(),
            next: next.map(|((_, to), hop)| (*to, *hop)).collect(),
        })
    }

    /// The process of a relay.
    pub(super) fn relay(&self, node: NodeId) -> Option<Box<dyn Process>> {
        let mut all = self.served.iter();
        let (place, (nodes, ways)) = all.find_map(|served| {
            let place = served.0.iter().position(|n| *n == node)?;
            Some((place, served))
        })?;
        let mut chains: Vec<usize> = ways.iter().map(|(from, _)| *from).collect();
        chains.sort_unstable();
        chains.dedup();
        let side = |&chain: &usize| {
            let joined = self.joined.get(chain)?;
            Some(Side {
                key: Arc::clone(joined.secrets.get(node.index())?),
                certificate: *joined.certificates.get(node.index())?,
                ..joined.side.clone()
            })
        };
        let sides = chains.iter().map(side).collect::<Option<Vec<Side>>>()?;
        let at = |chain: usize| chains.binary_search(&chain).ok();
        let ways = ways.iter();
        Some(Box::new(Relay::new(RelayConfig {
            sides,
            ways: ways
                .filter_map(|&(from, to)| Some((at(from)?, at(to)?)))
                .collect(),
            place,
            count: nodes.len(),
        })))
    }

    /// What a relay signs with, on each chain.
    pub(super) fn keys(&self, node: NodeId) -> BTreeMap<ChainId, Arc<SecretKey>> {
        let of = self.joined.iter().filter_map(|joined| {
            let key = joined.secrets.get(node.index())?;
            Some((joined.side.chain, Arc::clone(key)))
        });
        of.collect()
    }
}

/// The figures of relays.
pub(super) struct Told(Option<Summary>);

impl Told {
    pub(super) fn new(plan: &Plan, ways: Option<&Arc<Ways>>) -> Self {
        let summary = |ways: &Arc<Ways>| Summary::new(Arc::clone(ways), Time::ZERO + plan.warmup);
        Self(ways.map(summary))
    }
    /// The metrics of each of the plan's relays, by path.
    pub(super) fn metrics(&self, plan: &Plan) -> BTreeMap<String, f64> {
        let mut out = BTreeMap::new();
        for (place, name) in plan.relays.keys().enumerate() {
            let figures = self.0.as_ref().map(|summary| summary.figures(place));
            for (word, value) in figures.into_iter().flat_map(|f| f.metrics) {
                out.insert(format!("relays.{name}.{word}"), value);
            }
        }
        out
    }
}

impl Observer for Told {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        if let Some(summary) = &mut self.0 {
            summary.probe(at, node, probe);
        }
    }
}
