//! Makes the processes of a run.

use super::adversaries::Adversaries;
use super::chains::{Hosted, Identities};
use super::changes;
use super::domain::{Bearer, Domain, Place};
use super::flood::{Flooder, Flooders};
use super::layout::Layout;
use super::light::Clients;
use super::operator::{self, Mistakes, Setting};
use super::relays::Relays;
use super::trust;
use crate::plan::Plan;
use consim_core::{
    ChainId, Context, Event, NodeId, Payload, Process, SecretKey, SeededBug, StateMachine, Time,
};
use consim_kernel::Spawn;
use consim_kernel::config::{FaultKind, Flooded};
use consim_models::consensus::{
    self, BlockLimits, MemberChange, MempoolLimits, ProtocolOptions, ReplicaConfig,
};
use consim_models::ledger::{ExecutionCache, Meter};
use consim_models::node::administrator::{Administrator, AdministratorConfig};
use consim_models::node::membership::IdentityCertificate;
use consim_models::node::release::Release;
use consim_models::node::{FullNode, NodeConfig, Noticing};
use consim_models::relay::RelayedService;
use consim_models::{key_value, sharing};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How the servers of a run keep the rules, by institution.
pub type PolicyOf = Arc<dyn Fn(usize) -> Box<dyn sharing::Policy> + Send + Sync>;
/// How the servers of a run answer reads of a key-value store, by institution.
pub type ValuesOf = Arc<dyn Fn(usize) -> Box<dyn key_value::Policy> + Send + Sync>;

/// Parts of a run that tests replace.
#[derive(Clone)]
pub struct Hooks {
    /// How each institution's server keeps the rules of data sharing.
    pub policy: PolicyOf,
    /// How each institution's server answers reads of a key-value store.
    pub values: ValuesOf,
    /// May nodes share the execution of a block?
    pub share_executions: bool,
    /// Votes that replicas take for a quorum, in place of the protocol's.
    pub quorum: Option<usize>,
    /// The seeded bug that is switched on; nothing in a build without them. Nodes then share no
    /// execution.
    pub bug: Option<&'static SeededBug>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            policy: Arc::new(|_| Box::new(sharing::Honest)),
            values: Arc::new(|_| Box::new(key_value::Honest)),
            share_executions: true,
            quorum: None,
            bug: None,
        }
    }
}

/// A mempool takes one part in so many of a machine's memory (assumed: the rest is for the ledger's
/// state, the records and the operating system).
const MEMPOOL_SHARE: u64 = 4;

/// What processes are made of.
pub(super) struct Parts<'a> {
    pub(super) plan: &'a Plan,
    pub(super) layout: Arc<Layout>,
    /// The chains with what their members sign with and what runs on them.
    pub(super) chains: Vec<(Hosted<'a>, Identities, Box<dyn Domain>)>,
    pub(super) hooks: Hooks,
    pub(super) adversaries: Arc<Adversaries>,
    /// The relays between them, if there are any.
    pub(super) relays: Option<Relays>,
}

pub(super) struct Spawner {
    layout: Arc<Layout>,
    places: Vec<Place>,
    chains: Vec<Chain>,
    /// Bytes of memory of each institution's machine.
    memory: Vec<u64>,
    /// The release of each institution's server; empty if all run the same one.
    releases: Vec<Release>,
    mistakes: Mistakes,
    flooders: Flooders,
    adversaries: Arc<Adversaries>,
    relays: Option<Relays>,
}

/// What the processes of one chain are made of.
struct Chain {
    id: ChainId,
    members: Arc<[NodeId]>,
    /// With whom each of them holds connections, where messages go from peer to peer.
    peers: Option<Vec<Arc<[NodeId]>>>,
    /// Those of them that are members at the beginning.
    first: Arc<[NodeId]>,
    /// Changes of the members, with their times.
    changes: Arc<[(Time, MemberChange)]>,
    /// The numbers of those that do not wait for others.
    hasty: Arc<[u64]>,
    quorum: usize,
    options: ProtocolOptions,
    block: BlockLimits,
    mempool: MempoolLimits,
    timeout: consim_core::Span,
    checkpoint: u64,
    identities: Identities,
    /// What its light clients are told, if it has any.
    light: Option<Clients>,
    /// How servers come by what the registrar says of whom to believe.
    noticing: BTreeMap<NodeId, Noticing>,
    domain: Box<dyn Domain>,
    machine: Arc<dyn StateMachine>,
    executions: ExecutionCache,
}

impl Chain {
    fn new(
        hosted: &Hosted<'_>,
        identities: Identities,
        domain: Box<dyn Domain>,
        layout: &Layout,
        hooks: &Hooks,
        (start_ns, relays): (i64, Option<&Relays>),
    ) -> Self {
        let plan = hosted.plan;
        let mut machine = domain.machine();
        if let Some(relays) = relays {
            machine = relays.machine(hosted, machine);
        }
        let executions = if hooks.share_executions && hooks.bug.is_none() {
            ExecutionCache::shared(&machine)
        } else {
            ExecutionCache::off()
        };
        Self {
            id: hosted.id,
            members: Arc::clone(&hosted.members),
            peers: plan.peers.as_ref().map(|peers| {
                let of = |peers: &Vec<usize>| layout.servers_of(peers).into();
                peers.iter().map(of).collect()
            }),
            first: layout.servers_of(&plan.first_members()).into(),
            changes: changes::requests(plan, layout, identities.first_renewed),
            hasty: changes::hasty(plan),
            quorum: hooks.quorum.unwrap_or(plan.quorum),
            options: plan.options.clone(),
            block: plan.block,
            mempool: plan.mempool,
            timeout: plan.timeout,
            checkpoint: plan.checkpoint,
            light: Clients::of(hosted, &identities, layout, start_ns),
            noticing: trust::noticing(hosted, layout),
            identities,
            domain,
            machine,
            executions,
        }
    }
    /// The keys that a node gets later.
    fn renewed(&self, node: NodeId) -> Vec<Arc<SecretKey>> {
        let Identities { keys, renewed, .. } = &self.identities;
        let of = |key: &&Arc<SecretKey>| keys.owner(key.id()) == node;
        renewed.iter().filter(of).cloned().collect()
    }
    /// With whom a member holds connections; `None`: with all.
    fn peers_of(&self, node: NodeId) -> Option<Arc<[NodeId]>> {
        let at = self.members.binary_search(&node).ok()?;
        self.peers.as_ref()?.get(at).cloned()
    }
    /// What a node signs.
    fn secret(&self, node: NodeId) -> Option<&Arc<SecretKey>> {
        self.identities.secrets.get(node.index())
    }
}

impl Spawner {
    pub(super) fn new(parts: Parts<'_>) -> Self {
        let Parts {
            plan,
            layout,
            chains,
            hooks,
            adversaries,
            relays,
        } = parts;
        let places = plan
            .institutions
            .iter()
            .enumerate()
            .zip(&layout.desks)
            .map(|((i, institution), &desk)| Place {
                institution: i,
                name: institution.name.as_str().into(),
                desk,
                entry: layout.entry(plan, i),
                supervision: institution.tier == "regulator",
            })
            .collect();
        let chains = chains.into_iter();
        let chains = chains.map(|(hosted, identities, domain)| {
            let of_run = (plan.start_ns, relays.as_ref());
            Chain::new(&hosted, identities, domain, &layout, &hooks, of_run)
        });
        let chains = chains.collect();
        Self {
            places,
            relays,
            chains,
            memory: plan.institutions.iter().map(|i| i.memory).collect(),
            releases: if operator::releases_differ(plan) {
                plan.institutions.iter().map(|i| i.release).collect()
            } else {
                Vec::new()
            },
            adversaries,
            layout,
            mistakes: Mistakes::default(),
            flooders: Flooders::default(),
        }
    }

    /// The chain with which a node has to do.
    fn chain(&self, node: NodeId) -> Option<&Chain> {
        self.chains.get(self.layout.chain_of(node))
    }

    /// A mempool takes no more of its machine's memory than its share.
    fn mempool(&self, chain: &Chain, institution: usize) -> MempoolLimits {
        let memory = self.memory.get(institution).copied().unwrap_or(u64::MAX);
        MempoolLimits {
            bytes: chain.mempool.bytes.min(memory / MEMPOOL_SHARE),
            ..chain.mempool
        }
    }

    /// What the ledgers of each chain hold.
    pub(super) fn meters(&self) -> Vec<Arc<Meter>> {
        let executions = self.chains.iter().map(|chain| &chain.executions);
        executions.map(|e| Arc::clone(e.meter())).collect()
    }

    /// What a node signs and shows on its chain, if everything is as it should be.
    fn identity(&self, node: NodeId) -> Option<(Arc<SecretKey>, IdentityCertificate)> {
        let chain = self.chain(node)?;
        let trust = &chain.identities.trust;
        let key = Arc::clone(chain.secret(node)?);
        let renewed = trust.renewed.get(&node);
        let certificate = match renewed.filter(|_| self.mistakes.is_renewed(node)) {
            Some(renewed) => *renewed,
            None => *trust.certificates.get(node.index())?,
        };
        Some((key, certificate))
    }

    fn server(&self, node: NodeId, place: &Place) -> Option<Box<dyn Process>> {
        let chain = self.chain(node)?;
        let Identities { keys, trust, .. } = &chain.identities;
        let (key, certificate) = self.identity(node)?;
        let mut setting = Setting {
            me: node,
            key,
            certificate,
            chain: chain.id,
            quorum: chain.quorum,
            timeout: chain.timeout,
            keep: None,
            release: self.releases.get(place.institution).copied(),
        };
        self.mistakes
            .spoil(node, &mut setting, |other| self.identity(other));
        let replica = consensus::build(
            ReplicaConfig {
                chain: setting.chain,
                me: setting.me,
                members: Arc::clone(&chain.first),
                everybody: Arc::clone(&chain.members),
                peers: chain.peers_of(node),
                administrator: trust
                    .genesis
                    .roots
                    .administrator()
                    .filter(|_| !chain.changes.is_empty()),
                quorum: setting.quorum,
                key: Arc::clone(&setting.key),
                keys: keys.clone(),
                block: chain.block,
                mempool: self.mempool(chain, place.institution),
                timeout: setting.timeout,
                checkpoint: chain.checkpoint,
                keep: setting.keep,
                renewed: chain.renewed(setting.me),
            },
            &chain.options,
        );
        let signing = Arc::clone(&setting.key);
        let config = NodeConfig {
            node,
            chain: setting.chain,
            members: Arc::clone(&chain.members),
            key: setting.key,
            keys: keys.clone(),
            machine: self.adversaries.machine(node, &chain.machine),
            executions: chain.executions.clone(),
            genesis: Arc::clone(&trust.genesis),
            certificate: setting.certificate,
            release: setting.release,
        };
        let mut service = chain.domain.service(place);
        if let Some(relays) = &self.relays {
            let neighbours = relays.neighbours(chain.id);
            if !neighbours.is_empty() {
                service = Box::new(RelayedService::new(service, signing, neighbours));
            }
        }
        let mut server = FullNode::new(config, replica, service);
        if let Some(noticing) = chain.noticing.get(&node) {
            server = server.noticing(*noticing);
        }
        Some(Box::new(match chain.domain.shows(place) {
            Some(shows) => server.showing(shows),
            None => server,
        }))
    }
}

impl Spawn for Spawner {
    fn spawn(&mut self, node: NodeId) -> Box<dyn Process> {
        let Some(chain) = self.chain(node) else {
            return Box::new(Nothing);
        };
        if self.layout.administers(node)
            && let Some(key) = chain.secret(node)
        {
            let config = AdministratorConfig {
                chain: chain.id,
                members: Arc::clone(&chain.members),
                key: Arc::clone(key),
                changes: Arc::clone(&chain.changes),
                hasty: Arc::clone(&chain.hasty),
                retry: chain.timeout,
            };
            let trust = Arc::clone(&chain.identities.trust.changes);
            return Box::new(Administrator::certifying(config, trust));
        }
        if self.layout.is_relay(node) {
            let relays = self.relays.as_ref();
            let relay = relays.and_then(|relays| {
                let honest = relays.relay(node)?;
                Some(self.adversaries.relay(node, &relays.keys(node), honest))
            });
            return relay.unwrap_or_else(|| Box::new(Nothing));
        }
        if self.layout.is_light(node) {
            let honest = || Some(chain.light.as_ref()?.client(node));
            let client = self
                .adversaries
                .server(node, &chain.identities.keys, honest);
            return client.unwrap_or_else(|| Box::new(Nothing));
        }
        let made = self.layout.institution_of.get(node.index()).and_then(|&i| {
            let place = self.places.get(i)?;
            if self.layout.is_server(node) {
                let honest = || self.server(node, place);
                let keys = &chain.identities.keys;
                self.adversaries.server(node, keys, honest)
            } else {
                let bearer = Bearer {
                    key: chain.secret(node)?,
                    certificate: *chain.identities.trust.certificates.get(node.index())?,
                };
                chain.domain.desk(place, &bearer)
            }
        });
        made.unwrap_or_else(|| Box::new(Nothing))
    }
    fn configure(&mut self, node: NodeId, id: &str, fault: &FaultKind, wrong: bool) {
        self.mistakes.set(node, id, fault, wrong);
    }
    fn forge(
        &mut self,
        what: Flooded,
        from: NodeId,
        to: NodeId,
        number: u64,
    ) -> Option<Arc<dyn Payload>> {
        let (key, certificate) = self.identity(from)?;
        let chain = self.chains.get(self.layout.chain_of(from))?;
        match what {
            Flooded::Junk(_) => None,
            Flooded::Transactions(bytes) => {
                let flooder = Flooder {
                    chain: chain.id,
                    key: &key,
                    certificate,
                };
                Some(
                    self.flooders
                        .transaction(&flooder, (from, to), number, bytes),
                )
            }
            Flooded::ViewChanges => {
                consensus::view_change_spam(&chain.options, chain.id, number, &key)
            }
        }
    }
}

/// The process of a node that the layout does not know; the kernel never asks for one.
struct Nothing;
impl Process for Nothing {
    fn handle(&mut self, _cx: &mut Context<'_>, _event: Event<'_>) {}
}
