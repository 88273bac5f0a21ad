//! What the checks, the figures and the results are told of a run.

use super::chains::Hosted;
use super::layout::Layout;
use super::{changes, dates};
use crate::plan::{FaultPlan, InputPlan, Institution, Plan};
use consim_check::assemble::{ChainIdentity, Identity};
use consim_check::invariants::{self, ChainSubject, Subjects};
use consim_check::keys::Keys;
use consim_check::metrics::{MetricsConfig, WorkloadSubject};
use consim_check::outcome::Input;
use consim_check::results::Region;
use consim_core::{Check, NodeId, Time};
use consim_kernel::config::{FaultKind, Target};
use consim_models::consensus;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Institutions that a report has a row for; of more it has their groups alone.
const MAX_ROWS: usize = 200;

/// The checks that the plan asks for. They judge by the protocol's quorum, whatever a fault or a
/// hook makes the replicas use.
pub(super) fn checks(
    plan: &Plan,
    layout: &Layout,
    chains: &[Hosted<'_>],
    keys: Keys,
    corrupt: &[NodeId],
) -> Vec<Box<dyn Check>> {
    // What happens to light clients and relays alone is no matter of the chain's.
    let faults = plan.faults.values().filter(|f| !of_light_clients(plan, f));
    let faults: Vec<&FaultPlan> = faults.collect();
    let any = |does: fn(&FaultKind) -> bool| faults.iter().any(|f| does(&f.kind));
    let subjects = Arc::new(Subjects {
        chains: chains
            .iter()
            .map(|chain| subject(plan, layout, chain, corrupt))
            .collect(),
        keys,
        names: names(plan, layout),
        corrupt: corrupt.to_vec(),
        at_mercy: layout.desks_at(plan, corrupt),
        entries: changes::entries(plan, layout),
        light: layout.light_clients(),
        recorded: !corrupt.is_empty(),
        restarts: any(FaultKind::restarts),
        disks: any(FaultKind::disks),
        damages: any(FaultKind::damages),
        revokes: changes::takes_back(plan),
        bound: plan.heal_bound,
    });
    invariants::build(&subjects, &plan.checks_only, &plan.checks_except)
}

/// Does a fault hit light clients and relays and nobody else?
fn of_light_clients(plan: &Plan, fault: &FaultPlan) -> bool {
    let light = plan.chains.values().filter_map(|c| c.light.as_ref());
    let relays = plan.relays.values().flat_map(|r| r.nodes.iter().copied());
    let light = light.flat_map(|l| l.clients.iter().copied());
    let light: Vec<usize> = light.chain(relays).collect();
    let mut kind = fault.kind.clone();
    let mut targets = kind.targets().into_iter().peekable();
    targets.peek().is_some()
        && targets.all(|target| match target {
            Target::Nodes(nodes) => nodes.iter().all(|n| light.contains(&n.index())),
            _ => false,
        })
}

/// A chain as the checks see it.
fn subject(plan: &Plan, layout: &Layout, chain: &Hosted<'_>, corrupt: &[NodeId]) -> ChainSubject {
    let entry = consensus::entry(&chain.plan.protocol);
    ChainSubject {
        id: chain.id,
        name: chain.name.to_owned(),
        members: chain.members.to_vec(),
        first: (!chain.plan.changes.is_empty())
            .then(|| layout.servers_of(&chain.plan.first_members())),
        quorum: chain.plan.quorum,
        quorum_of: entry.map_or(consensus::byzantine_quorum, |p| p.quorum),
        byzantine: entry.is_none_or(|p| p.byzantine),
        mempool: chain.plan.mempool.transactions,
        time: dates::promise(plan, layout, chain.plan, corrupt),
    }
}

/// Does the plan ask for this check?
pub(super) fn wanted(plan: &Plan, check: &dyn Check) -> bool {
    let is = |word: &String| word == check.name();
    (plan.checks_only.is_empty() || plan.checks_only.iter().any(is))
        && !plan.checks_except.iter().any(is)
}

/// The names of all nodes, by their number.
pub(super) fn names(plan: &Plan, layout: &Layout) -> Vec<String> {
    let nodes = (0..layout.node_count()).map(NodeId);
    nodes.map(|n| layout.name(plan, n)).collect()
}

/// What the figures of a run are told.
pub(super) fn metrics(plan: &Plan, layout: &Layout, corrupt: &[NodeId]) -> MetricsConfig {
    MetricsConfig {
        warmup: Time::ZERO + plan.warmup,
        end: Time::ZERO + plan.duration,
        interval: plan.interval,
        workloads: plan
            .workloads
            .iter()
            .map(|(name, workload)| WorkloadSubject {
                name: name.clone(),
                service: workload.service.clone(),
            })
            .collect(),
        groups: sets(plan, layout, |institution| &institution.group),
        institutions: if plan.institutions.len() <= MAX_ROWS {
            sets(plan, layout, |institution| &institution.name)
        } else {
            Vec::new()
        },
        corrupt: corrupt.to_vec(),
        windows: plan.windows(),
        changes: changes::subjects(plan, layout),
        dated: dates::dated(plan, layout),
    }
}

/// Institutions with their nodes, together where `name` says the same; in node order.
fn sets(
    plan: &Plan,
    layout: &Layout,
    name: impl Fn(&Institution) -> &String,
) -> Vec<(String, Vec<NodeId>)> {
    let mut sets: Vec<(String, Vec<NodeId>)> = Vec::new();
    let mut places: BTreeMap<&String, usize> = BTreeMap::new();
    for institution in &plan.institutions {
        let place = *places.entry(name(institution)).or_insert(sets.len());
        if place == sets.len() {
            sets.push((name(institution).clone(), Vec::new()));
        }
    }
    let nodes = layout.institution_of.iter().enumerate();
    for (node, &i) in nodes.filter(|(n, _)| !layout.administers(NodeId(*n as u32))) {
        let set = plan.institutions.get(i).and_then(|x| places.get(name(x)));
        if let Some((_, nodes)) = set.and_then(|&set| sets.get_mut(set)) {
            nodes.push(NodeId(node as u32));
        }
    }
    sets
}

/// What results say of the scenario.
pub(super) fn identity(plan: &Plan, chains: &[Hosted<'_>]) -> Identity {
    let regions = plan
        .network
        .regions
        .iter()
        .enumerate()
        .map(|(i, region)| Region {
            name: region.name.clone(),
            lat: f64::from(region.lat_udeg) / 1e6,
            lon: f64::from(region.lon_udeg) / 1e6,
            nodes: plan
                .institutions
                .iter()
                .filter(|institution| institution.region == i)
                .map(|institution| (institution.name.clone(), institution.tier.clone()))
                .collect(),
        })
        .collect();
    Identity {
        scenario: plan.name.clone(),
        about: plan.about.clone(),
        variant: plan.variant.clone(),
        seed: plan.seed,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        plan_digest: plan.digest.clone(),
        design_digest: plan.design_digest.clone(),
        chains: chains
            .iter()
            .map(|chain| ChainIdentity {
                id: chain.id,
                name: chain.name.to_owned(),
                instance: None,
                protocol: chain.plan.protocol.clone(),
                nodes: chain.plan.first_members().len() as u64,
                f: chain.plan.f as u64,
                quorum: chain.plan.quorum as u64,
                block_wait: chain.plan.block.wait,
                floor: chain.plan.floor,
            })
            .collect(),
        expectations: plan.expect.clone(),
        inputs: plan.inputs.iter().map(input).collect(),
        regions,
        notes: plan.notes.clone(),
        plan_yaml: plan.yaml.clone(),
        sources: plan.sources.clone(),
    }
}

fn input(input: &InputPlan) -> Input {
    Input {
        path: input.path.clone(),
        taken: input.taken,
        skipped: input.skipped,
        notes: input.notes.clone(),
    }
}
