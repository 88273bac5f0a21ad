//! The chains of a run: who is on each, what its members sign with, and what runs on it.

use super::domain::{self, Setting};
use super::layout::Layout;
use super::trust::{self, Trust};
use super::{Hooks, RunError, changes};
use crate::plan::{ChainPlan, Plan, ServicePlan, WorkloadPlan};
use consim_core::{ChainId, KeyId, Keyring, NodeId, SecretKey, Streams};
use consim_models::consensus::ProtocolOptions;
use std::sync::Arc;

/// A chain with its service.
#[derive(Clone)]
pub(super) struct Hosted<'a> {
    pub(super) id: ChainId,
    pub(super) name: &'a str,
    pub(super) plan: &'a ChainPlan,
    /// The service's name.
    pub(super) called: &'a str,
    pub(super) service: &'a ServicePlan,
    /// The servers of its members, also of those that become some while it runs.
    pub(super) members: Arc<[NodeId]>,
    /// The desks of its people.
    pub(super) desks: Arc<[NodeId]>,
}

/// The chains of a plan, by number.
pub(super) fn of<'a>(plan: &'a Plan, layout: &Layout) -> Result<Vec<Hosted<'a>>, RunError> {
    let one = |(number, (name, chain)): (usize, (&'a String, &'a ChainPlan))| {
        let mut services = plan.services.iter().filter(|(_, s)| s.is_on(name));
        let Some((called, service)) = services.next().filter(|_| services.next().is_none()) else {
            return Err(RunError::Unsupported(format!(
                "this version runs exactly one service on a chain; {name} has another number"
            )));
        };
        Ok(Hosted {
            id: layout.chain(name).unwrap_or_default(),
            name,
            plan: chain,
            called,
            service,
            members: layout.servers_of(&chain.members).into(),
            desks: layout.desks_of(number).into(),
        })
    };
    plan.chains.iter().enumerate().map(one).collect()
}

impl<'a> Hosted<'a> {
    /// Its place among the chains.
    pub(super) fn number(&self) -> usize {
        usize::from(self.id.0)
    }
    /// What its service is told.
    pub(super) fn setting<'s>(
        &'s self,
        plan: &'s Plan,
        layout: &'s Layout,
        hooks: &'s Hooks,
    ) -> Setting<'s> {
        Setting {
            plan,
            layout,
            chain: self,
            hooks,
        }
    }
    /// What its service brings.
    pub(super) fn domain(&self, plan: &Plan, layout: &Layout, hooks: &Hooks) -> domain::Parts {
        domain::of(self.service, &self.setting(plan, layout, hooks))
    }
    /// The workloads that ask its service, with their numbers.
    pub(super) fn workloads(
        &self,
        plan: &'a Plan,
    ) -> impl Iterator<Item = (u16, &'a WorkloadPlan)> + Clone {
        let called = self.called;
        let numbered = (0u16..).zip(plan.workloads.values());
        numbered.filter(move |(_, workload)| workload.service == called)
    }
    /// What `replace-keys` puts in the place of other keys, by their owners.
    fn replaced(&self, layout: &Layout) -> Vec<NodeId> {
        changes::replacements(self.plan, layout)
    }
}

/// What a chain signs and believes.
#[derive(Clone, Debug)]
pub(super) struct Identities {
    pub(super) keys: Keyring,
    /// The key of each node.
    pub(super) secrets: Vec<Arc<SecretKey>>,
    /// Keys that take the place of others while the run goes on.
    pub(super) renewed: Vec<Arc<SecretKey>>,
    /// The first of the chain's own among those.
    pub(super) first_renewed: KeyId,
    pub(super) trust: Trust,
}

/// The keys of all nodes, as each chain signs with them: a node has one secret, and each chain a scheme.
pub(super) fn identities(
    plan: &Plan,
    layout: &Layout,
    chains: &[Hosted<'_>],
    streams: Streams,
) -> Vec<Identities> {
    let first = KeyId(layout.node_count() + trust::authorities(plan));
    let replaced = chains.iter().flat_map(|chain| chain.replaced(layout));
    let replaced: Arc<[NodeId]> = replaced.collect();
    let mut before = 0;
    let mut out = Vec::new();
    for chain in chains {
        let (keys, mut secrets) = Keyring::sized(
            first.0 + replaced.len() as u32,
            streams.key("keys"),
            chain.plan.signature_bytes,
        );
        let keys = keys.with_replacements(first, Arc::clone(&replaced));
        let keys = if chain.plan.signed {
            keys
        } else {
            keys.with_unsigned_transactions()
        };
        let (from, to) = (chain.members.first(), chain.members.last());
        let keys = match (&chain.plan.options, from, to) {
            (ProtocolOptions::HotStuff(options), Some(&from), Some(&to))
                if options.additions.is_some() =>
            {
                keys.with_aggregates(from.into(), to.into())
            }
            _ => keys,
        };
        let renewed = secrets.split_off(first.0 as usize);
        let authorities = secrets.split_off(layout.node_count() as usize);
        out.push(Identities {
            keys,
            secrets: secrets.into_iter().map(Arc::new).collect(),
            renewed: renewed.into_iter().map(Arc::new).collect(),
            first_renewed: KeyId(first.0 + before),
            trust: trust::establish(plan, layout, chain, authorities),
        });
        before += chain.replaced(layout).len() as u32;
    }
    out
}
