//! Makes the light clients of a chain.

use super::chains::{Hosted, Identities};
use super::layout::Layout;
use crate::plan::LightPlan;
use consim_core::{NodeId, Process};
use consim_models::consensus;
use consim_models::light::{LightClient, LightConfig, Trusted, Verifier};
use std::sync::Arc;

/// What the light clients of a chain are told.
pub(super) struct Clients {
    verifier: Verifier,
    genesis: Trusted,
    plan: LightPlan,
    /// Whom they ask.
    full_nodes: Vec<NodeId>,
    /// Whom they believe once.
    believes: Option<NodeId>,
    /// Who they are, ascending.
    nodes: Vec<NodeId>,
}

impl Clients {
    /// Those of a chain; `None` if it has none.
    pub(super) fn of(
        hosted: &Hosted<'_>,
        identities: &Identities,
        layout: &Layout,
        start_ns: i64,
    ) -> Option<Self> {
        let plan = hosted.plan.light.clone()?;
        let entry = consensus::entry(&hosted.plan.protocol)?;
        let certified = hosted
            .plan
            .options
            .certified(hosted.plan.checkpoint, entry.quorum)?;
        let first = layout.servers_of(&hosted.plan.first_members());
        let believes = plan.believes.map(|i| layout.servers_of(&[i]));
        Some(Self {
            verifier: Verifier {
                chain: hosted.id,
                keys: identities.keys.clone(),
                administrator: identities.trust.genesis.roots.administrator(),
                certified,
                trusting_period: plan.trusting_period,
                clock_drift: plan.clock_drift,
                trust_level: plan.trust_level,
            },
            genesis: Trusted::genesis(first.into(), start_ns),
            full_nodes: layout.servers_of(&plan.full_nodes),
            believes: believes.and_then(|nodes| nodes.first().copied()),
            nodes: layout.light_clients_of(hosted.number()),
            plan,
        })
    }

    /// The process of one of them. Each asks another member first.
    pub(super) fn client(&self, node: NodeId) -> Box<dyn Process> {
        let place = self.nodes.binary_search(&node).unwrap_or(0);
        let mut full_nodes = self.full_nodes.clone();
        let turn = place % full_nodes.len().max(1);
        full_nodes.rotate_left(turn);
        Box::new(LightClient::new(LightConfig {
            verifier: self.verifier.clone(),
            genesis: self.genesis.clone(),
            believes: self.believes,
            full_nodes: Arc::from(full_nodes),
            witnesses: self.plan.witnesses,
            period: self.plan.period,
            skipping: self.plan.skipping,
        }))
    }
}
