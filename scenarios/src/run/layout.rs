//! Which node of the kernel stands for whom.

use crate::plan::{ChainPlan, FaultPlan, Plan};
use consim_core::{ChainId, Distribution, NodeId, Span};
use consim_kernel::config::{
    FaultKind, FaultWindow, Flooded, NetworkConfig, NodeConfig, Target, Uplink,
};
use std::sync::Arc;

/// Servers first, in institution order, then a desk for every institution. A desk is the people's
/// side of an institution: it shares the institution's site and never crashes.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// The server of each institution; `None` for one that is no member of a chain.
    pub(crate) servers: Vec<Option<NodeId>>,
    /// The desk of each institution.
    pub(crate) desks: Vec<NodeId>,
    /// The institution of each node.
    pub(crate) institution_of: Vec<usize>,
    /// The chains by number.
    pub(crate) chains: Vec<String>,
    /// The chain of each institution, by number: that of which it is a member, else that of the service which
    /// its people ask.
    homes: Vec<usize>,
    /// The chain with which each node has to do, by number.
    on: Vec<usize>,
    /// The nodes of the administrators of chains whose members change, or whom they believe, with these: each at
    /// a site of its own, in the region of the chain's first member.
    administrators: Vec<(usize, NodeId)>,
    /// The chain, by number, and the node of each institution that is a light client; `None` for all others.
    light: Vec<Option<(usize, NodeId)>>,
    /// The node of each institution that is the machine of a relay; `None` for all others.
    relays: Vec<Option<NodeId>>,
}

impl Layout {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut institution_of = Vec::new();
        let mut next = |i: usize| {
            institution_of.push(i);
            NodeId(institution_of.len() as u32 - 1)
        };
        let member = |i: usize| plan.chains.values().any(|c| c.members.contains(&i));
        let count = plan.institutions.len();
        let servers = (0..count).map(|i| member(i).then(|| next(i))).collect();
        let desks = (0..count).map(&mut next).collect();
        let changing = plan.chains.values().enumerate();
        let changes = |chain: &ChainPlan| !chain.changes.is_empty() || !chain.trust.is_empty();
        let changing = changing.filter(|(_, chain)| changes(chain));
        let firsts = changing.filter_map(|(i, chain)| Some((i, *chain.members.first()?)));
        let administrators: Vec<(usize, NodeId)> =
            firsts.map(|(i, first)| (i, next(first))).collect();
        let follows = |i: usize| {
            let mut chains = plan.chains.values();
            chains.position(|c| c.light.as_ref().is_some_and(|l| l.clients.contains(&i)))
        };
        let light: Vec<Option<(usize, NodeId)>> =
            (0..count).map(|i| Some((follows(i)?, next(i)))).collect();
        let relays = |i: &usize| plan.relays.values().any(|r| r.nodes.contains(i));
        let relays = (0..count).map(|i| relays(&i).then(|| next(i))).collect();
        let homes = plan.homes();
        let home = |i: &usize| homes.get(*i).copied().unwrap_or_default();
        let mut on: Vec<usize> = institution_of.iter().map(home).collect();
        for (chain, node) in administrators.iter().chain(light.iter().flatten()) {
            if let Some(on) = on.get_mut(node.index()) {
                *on = *chain;
            }
        }
        Self {
            on,
            light,
            relays,
            administrators,
            homes,
            servers,
            desks,
            institution_of,
            chains: plan.chains.keys().cloned().collect(),
        }
    }
    pub(crate) fn node_count(&self) -> u32 {
        self.institution_of.len() as u32
    }
    pub(crate) fn chain(&self, name: &str) -> Option<ChainId> {
        self.chains
            .iter()
            .position(|c| c == name)
            .map(|i| ChainId(i as u16))
    }
    /// The chain of an institution, by number.
    pub(crate) fn home(&self, institution: usize) -> usize {
        self.homes.get(institution).copied().unwrap_or_default()
    }
    /// The chain with which a node has to do, by number.
    pub(crate) fn chain_of(&self, node: NodeId) -> usize {
        self.on.get(node.index()).copied().unwrap_or_default()
    }
    /// The chain and its plan, of an institution.
    fn home_plan<'a>(&self, plan: &'a Plan, institution: usize) -> Option<&'a ChainPlan> {
        plan.chains.get(self.chains.get(self.home(institution))?)
    }
    /// Who administers a chain, by its number.
    pub(crate) fn administrator(&self, chain: usize) -> Option<NodeId> {
        let mut administrators = self.administrators.iter();
        administrators.find(|of| of.0 == chain).map(|of| of.1)
    }
    /// Is this the node of an administrator?
    pub(crate) fn administers(&self, node: NodeId) -> bool {
        self.administrators.iter().any(|of| of.1 == node)
    }
    /// The desks of a chain's people, in institution order.
    pub(crate) fn desks_of(&self, chain: usize) -> Vec<NodeId> {
        let desks = self.desks.iter().zip(&self.homes);
        let of = desks.filter(|&(_, &home)| home == chain);
        of.map(|(&desk, _)| desk).collect()
    }
    pub(crate) fn is_server(&self, node: NodeId) -> bool {
        self.servers.contains(&Some(node))
    }
    pub(crate) fn is_light(&self, node: NodeId) -> bool {
        self.light.iter().flatten().any(|(_, at)| *at == node)
    }
    pub(crate) fn is_relay(&self, node: NodeId) -> bool {
        self.relays.contains(&Some(node))
    }
    /// The relay whose machine an institution is.
    pub(crate) fn relay(&self, institution: usize) -> Option<NodeId> {
        self.relays.get(institution).copied().flatten()
    }
    /// The light clients, ascending.
    pub(crate) fn light_clients(&self) -> Vec<NodeId> {
        self.light.iter().flatten().map(|(_, node)| *node).collect()
    }
    /// Those of a chain, by its number.
    pub(crate) fn light_clients_of(&self, chain: usize) -> Vec<NodeId> {
        let of = self.light.iter().flatten().filter(|(on, _)| *on == chain);
        of.map(|(_, node)| *node).collect()
    }
    /// The servers of these institutions.
    pub(crate) fn servers_of(&self, institutions: &[usize]) -> Vec<NodeId> {
        institutions
            .iter()
            .filter_map(|&i| self.servers.get(i).copied().flatten())
            .collect()
    }
    /// The server that an institution's desk talks to: its own, or that of the member with the
    /// least mean delay (the first of these in node order).
    pub(crate) fn entry(&self, plan: &Plan, institution: usize) -> NodeId {
        if let Some(Some(own)) = self.servers.get(institution) {
            return *own;
        }
        let region = |i: usize| plan.institutions.get(i).map_or(0, |x| x.region);
        let distance = |i: usize| {
            let row = plan.network.delays.get(region(institution));
            row.and_then(|r| r.get(region(i)))
                .map_or(Span::MAX, Distribution::mean)
        };
        let chain = self.home_plan(plan, institution);
        let nearest = chain
            .map_or_else(Vec::new, ChainPlan::steady_members)
            .into_iter()
            .min_by_key(|&i| (distance(i), i));
        nearest
            .and_then(|i| self.servers.get(i).copied().flatten())
            .unwrap_or_default()
    }
    /// The nodes of these institutions, and the desks that have no other server than theirs.
    pub(crate) fn nodes_around(&self, plan: &Plan, institutions: &[usize]) -> Vec<NodeId> {
        let mut nodes = self.servers_of(institutions);
        let desks = self.desks_at(plan, &nodes);
        nodes.extend(desks);
        nodes
    }
    /// The desks that talk to one of these servers and to no other.
    pub(crate) fn desks_at(&self, plan: &Plan, servers: &[NodeId]) -> Vec<NodeId> {
        let desks = self.desks.iter().enumerate();
        let desks = desks.filter(|(i, _)| servers.contains(&self.entry(plan, *i)));
        desks.map(|(_, &desk)| desk).collect()
    }
    /// The name of a node, as results print it: its institution's; a desk's says so.
    pub(crate) fn name(&self, plan: &Plan, node: NodeId) -> String {
        let institution = self
            .institution_of
            .get(node.index())
            .and_then(|&i| plan.institutions.get(i));
        if self.administers(node) {
            return match self.chains.get(self.chain_of(node)) {
                Some(chain) if self.chains.len() > 1 => format!("administrator of {chain}"),
                _ => "administrator".to_owned(),
            };
        }
        let name = institution.map_or("?", |i| i.name.as_str());
        if self.is_server(node) || self.is_light(node) || self.is_relay(node) {
            name.to_owned()
        } else {
            format!("{name} desk")
        }
    }

    /// The kernel's nodes.
    pub(crate) fn nodes(&self, plan: &Plan) -> Vec<NodeConfig> {
        self.institution_of
            .iter()
            .enumerate()
            .filter_map(|(node, &i)| {
                let institution = plan.institutions.get(i)?;
                let mut apart = self.administrators.iter();
                let apart = apart.position(|of| of.1 == NodeId(node as u32));
                let site = apart.map_or(i, |number| plan.institutions.len() + number);
                let clock = |of: i64| if apart.is_some() { 0 } else { of };
                Some(NodeConfig {
                    name: self.name(plan, NodeId(node as u32)),
                    region: institution.region as u32,
                    site: site as u32,
                    hardware: Arc::clone(&institution.hardware),
                    clock_offset_ns: clock(institution.clock_offset_ns),
                    clock_drift_ppb: clock(institution.clock_drift_ppb),
                })
            })
            .collect()
    }

    pub(crate) fn network(plan: &Plan) -> NetworkConfig {
        NetworkConfig {
            regions: plan.network.delays.clone(),
            link: plan.network.link.clone(),
            site_link: plan.network.site_link.clone(),
            groups: plan.network.groups.clone(),
            uplinks: plan
                .network
                .sites
                .values()
                .filter(|site| site.uplink > 0)
                .map(|site| Uplink {
                    rate: site.uplink,
                    sites: site.members.iter().map(|&i| i as u32).collect(),
                })
                .collect(),
        }
    }

    /// The fault windows. A fault of processes hits servers; one of lines hits the whole site, for
    /// which any node of the institution stands.
    pub(crate) fn faults(&self, plan: &Plan) -> Vec<FaultWindow> {
        let window = |(id, fault): (&String, &FaultPlan)| {
            let mut kind = fault.kind.clone();
            if let FaultKind::Flood(flood) = &mut kind {
                // Members vote at their servers; whoever else floods sits at a desk.
                let votes = flood.what == Flooded::ViewChanges;
                let machines = if votes { None } else { Some(&self.desks) };
                flood.senders = flood
                    .senders
                    .iter()
                    .filter_map(|n| match machines {
                        Some(desks) => desks.get(n.index()).copied(),
                        None => self.node(n.index()),
                    })
                    .collect();
            }
            for target in kind.targets() {
                if let Target::Nodes(nodes) = target {
                    *nodes = nodes.iter().filter_map(|n| self.node(n.index())).collect();
                }
            }
            FaultWindow {
                id: id.clone(),
                from: fault.from,
                to: fault.to,
                kind,
            }
        };
        plan.faults.iter().map(window).collect()
    }

    /// Nodes that stand for the sites of institutions.
    pub(crate) fn sites_of(&self, institutions: &[usize]) -> Vec<NodeId> {
        institutions.iter().filter_map(|&i| self.node(i)).collect()
    }

    /// The node of an institution: its server, or its light client or relay, or its desk if it has none of these.
    fn node(&self, institution: usize) -> Option<NodeId> {
        let server = self.servers.get(institution).copied().flatten();
        let light = self.light.get(institution).copied().flatten();
        server
            .or(light.map(|(_, node)| node))
            .or(self.relay(institution))
            .or_else(|| self.desks.get(institution).copied())
    }
}
