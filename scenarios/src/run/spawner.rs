//! Makes the processes of a run.

use super::adversaries::Adversaries;
use super::changes;
use super::domain::{Bearer, Domain, Place};
use super::flood::{Flooder, Flooders};
use super::layout::Layout;
use super::operator::{self, Mistakes, Setting};
use super::trust::Trust;
use crate::plan::{ChainPlan, Plan};
use consim_core::{
    ChainId, Context, Event, KeyId, Keyring, NodeId, Payload, Process, SecretKey, SeededBug,
    StateMachine, Time,
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
use consim_models::node::{FullNode, NodeConfig};
use consim_models::{key_value, sharing};
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
pub(crate) struct Parts<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) layout: Arc<Layout>,
    pub(crate) chain_id: ChainId,
    pub(crate) chain: &'a ChainPlan,
    pub(crate) members: Arc<[NodeId]>,
    pub(crate) keys: Keyring,
    pub(crate) secrets: Vec<Arc<SecretKey>>,
    /// Keys that take the place of others while the run goes on.
    pub(crate) renewed: Vec<Arc<SecretKey>>,
    pub(crate) trust: Trust,
    pub(crate) domain: Box<dyn Domain>,
    pub(crate) hooks: Hooks,
    pub(crate) adversaries: Arc<Adversaries>,
}

pub(crate) struct Spawner {
    layout: Arc<Layout>,
    places: Vec<Place>,
    chain_id: ChainId,
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
    /// Bytes of memory of each institution's machine.
    memory: Vec<u64>,
    /// The release of each institution's server; empty if all run the same one.
    releases: Vec<Release>,
    timeout: consim_core::Span,
    checkpoint: u64,
    keys: Keyring,
    secrets: Vec<Arc<SecretKey>>,
    renewed: Vec<Arc<SecretKey>>,
    trust: Trust,
    domain: Box<dyn Domain>,
    machine: Arc<dyn StateMachine>,
    executions: ExecutionCache,
    mistakes: Mistakes,
    flooders: Flooders,
    adversaries: Arc<Adversaries>,
}

impl Spawner {
    pub(crate) fn new(parts: Parts<'_>) -> Self {
        let Parts {
            plan,
            layout,
            chain_id,
            chain,
            members,
            keys,
            secrets,
            renewed,
            trust,
            domain,
            hooks,
            adversaries,
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
                entry: layout.entry(plan, chain, i),
                supervision: institution.tier == "regulator",
            })
            .collect();
        let machine = domain.machine();
        let next = renewed.first().map_or(KeyId(0), |key| key.id());
        let executions = if hooks.share_executions && hooks.bug.is_none() {
            ExecutionCache::shared(&machine)
        } else {
            ExecutionCache::off()
        };
        Self {
            places,
            chain_id,
            members,
            peers: chain.peers.as_ref().map(|peers| {
                let of = |peers: &Vec<usize>| layout.servers_of(peers).into();
                peers.iter().map(of).collect()
            }),
            first: layout.servers_of(&chain.first_members()).into(),
            changes: changes::requests(chain, &layout, next),
            hasty: changes::hasty(chain),
            quorum: hooks.quorum.unwrap_or(chain.quorum),
            options: chain.options.clone(),
            block: chain.block,
            mempool: chain.mempool,
            memory: plan.institutions.iter().map(|i| i.memory).collect(),
            releases: if operator::releases_differ(plan) {
                plan.institutions.iter().map(|i| i.release).collect()
            } else {
                Vec::new()
            },
            timeout: chain.timeout,
            checkpoint: chain.checkpoint,
            keys,
            secrets,
            renewed,
            trust,
            machine,
            domain,
            executions,
            adversaries,
            layout,
            mistakes: Mistakes::default(),
            flooders: Flooders::default(),
        }
    }

    /// A mempool takes no more of its machine's memory than its share.
    fn mempool(&self, institution: usize) -> MempoolLimits {
        let memory = self.memory.get(institution).copied().unwrap_or(u64::MAX);
        MempoolLimits {
            bytes: self.mempool.bytes.min(memory / MEMPOOL_SHARE),
            ..self.mempool
        }
    }

    /// What the ledgers of the run hold.
    pub(crate) fn meter(&self) -> Arc<Meter> {
        Arc::clone(self.executions.meter())
    }

    /// What a node signs and shows, if everything is as it should be.
    fn identity(&self, node: NodeId) -> Option<(Arc<SecretKey>, IdentityCertificate)> {
        let key = Arc::clone(self.secrets.get(node.index())?);
        let renewed = self.trust.renewed.get(&node);
        let certificate = match renewed.filter(|_| self.mistakes.is_renewed(node)) {
            Some(renewed) => *renewed,
            None => *self.trust.certificates.get(node.index())?,
        };
        Some((key, certificate))
    }

    /// The keys that a node gets later.
    fn renewed(&self, node: NodeId) -> Vec<Arc<SecretKey>> {
        let of = |key: &&Arc<SecretKey>| self.keys.owner(key.id()) == node;
        self.renewed.iter().filter(of).cloned().collect()
    }

    /// With whom a member holds connections; `None`: with all.
    fn peers_of(&self, node: NodeId) -> Option<Arc<[NodeId]>> {
        let at = self.members.binary_search(&node).ok()?;
        self.peers.as_ref()?.get(at).cloned()
    }

    fn server(&self, node: NodeId, place: &Place) -> Option<Box<dyn Process>> {
        let (key, certificate) = self.identity(node)?;
        let mut setting = Setting {
            me: node,
            key,
            certificate,
            chain: self.chain_id,
            quorum: self.quorum,
            timeout: self.timeout,
            keep: None,
            release: self.releases.get(place.institution).copied(),
        };
        self.mistakes
            .spoil(node, &mut setting, |other| self.identity(other));
        let replica = consensus::build(
            ReplicaConfig {
                chain: setting.chain,
                me: setting.me,
                members: Arc::clone(&self.first),
                everybody: Arc::clone(&self.members),
                peers: self.peers_of(node),
                administrator: self.trust.genesis.roots.administrator(),
                quorum: setting.quorum,
                key: Arc::clone(&setting.key),
                keys: self.keys.clone(),
                block: self.block,
                mempool: self.mempool(place.institution),
                timeout: setting.timeout,
                checkpoint: self.checkpoint,
                keep: setting.keep,
                renewed: self.renewed(setting.me),
            },
            &self.options,
        );
        let config = NodeConfig {
            node,
            chain: setting.chain,
            members: Arc::clone(&self.members),
            key: setting.key,
            keys: self.keys.clone(),
            machine: self.adversaries.machine(node, &self.machine),
            executions: self.executions.clone(),
            genesis: Arc::clone(&self.trust.genesis),
            certificate: setting.certificate,
            release: setting.release,
        };
        let node = FullNode::new(config, replica, self.domain.service(place));
        Some(Box::new(match self.domain.shows(place) {
            Some(shows) => node.showing(shows),
            None => node,
        }))
    }
}

impl Spawn for Spawner {
    fn spawn(&mut self, node: NodeId) -> Box<dyn Process> {
        if self.layout.administrator == Some(node)
            && let Some(key) = self.secrets.get(node.index())
        {
            return Box::new(Administrator::new(AdministratorConfig {
                chain: self.chain_id,
                members: Arc::clone(&self.members),
                key: Arc::clone(key),
                changes: Arc::clone(&self.changes),
                hasty: Arc::clone(&self.hasty),
                retry: self.timeout,
            }));
        }
        let made = self.layout.institution_of.get(node.index()).and_then(|&i| {
            let place = self.places.get(i)?;
            if self.layout.is_server(node) {
                let honest = || self.server(node, place);
                self.adversaries.server(node, &self.keys, honest)
            } else {
                let bearer = Bearer {
                    key: self.secrets.get(node.index())?,
                    certificate: *self.trust.certificates.get(node.index())?,
                };
                self.domain.desk(place, &bearer)
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
        match what {
            Flooded::Junk(_) => None,
            Flooded::Transactions(bytes) => {
                let flooder = Flooder {
                    chain: self.chain_id,
                    key: &key,
                    certificate,
                };
                Some(
                    self.flooders
                        .transaction(&flooder, (from, to), number, bytes),
                )
            }
            Flooded::ViewChanges => {
                consensus::view_change_spam(&self.options, self.chain_id, number, &key)
            }
        }
    }
}

/// The process of a node that the layout does not know; the kernel never asks for one.
struct Nothing;
impl Process for Nothing {
    fn handle(&mut self, _cx: &mut Context<'_>, _event: Event<'_>) {}
}
