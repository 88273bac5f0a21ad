//! `key-value` in a run.

use super::super::spawner::ValuesOf;
use super::{Bearer, Domain, Parts, Place, Setting, Summary};
use crate::plan::{EntryPlan, WorkloadKind};
use consim_core::{ChainId, NodeId, Observer, Probe, Process, StateMachine, Time, WorkloadId};
use consim_models::key_value::{
    self, Client, KeyValueMachine, KeyValueService, QuorumClient, Store,
};
use consim_models::node::entry::{Entries, Entry};
use consim_models::node::service::Service;
use consim_models::node::{CertificateGate, Shows, client};
use consim_models::orders::{ClientConfig, ServiceConfig};
use std::sync::Arc;

struct KeyValue {
    chain: ChainId,
    members: Arc<[NodeId]>,
    /// Who sets keys.
    writers: Arc<[NodeId]>,
    /// How many members have to say that a write is executed; `None`: clients ask one server.
    wait_for: Option<usize>,
    quorum: usize,
    signs: bool,
    entries: Entries,
    values: ValuesOf,
}

pub(super) fn parts(setting: &Setting<'_>) -> Parts {
    let chain = setting.chain;
    let reads = chain.workloads(setting.plan).any(
        |(_, w)| matches!(&w.kind, WorkloadKind::Transactions(options) if options.read_share > 0),
    );
    let wait_for = chain.plan.wait_for;
    let writers = match wait_for {
        None => Arc::clone(&chain.members),
        Some(_) => Arc::clone(&chain.desks),
    };
    // A check whose subject does not occur is not listed.
    let checks = if reads {
        key_value::checks(&writers)
    } else {
        Vec::new()
    };
    let model = KeyValue {
        chain: chain.id,
        members: Arc::clone(&chain.members),
        writers,
        wait_for,
        quorum: chain.plan.quorum,
        signs: chain.plan.signed,
        entries: entries(setting),
        values: Arc::clone(&setting.hooks.values),
    };
    (Box::new(model), checks, Box::new(Nothing))
}

/// Where the operations of each workload enter.
fn entries(setting: &Setting<'_>) -> Entries {
    let workloads = setting.chain.workloads(setting.plan);
    let of = workloads.filter_map(|(number, workload)| {
        let entry = match &workload.entry {
            EntryPlan::Nearest => return None,
            EntryPlan::Leader => Entry::Leader,
            EntryPlan::All => Entry::All,
            EntryPlan::RoundRobin => {
                let steady = setting.chain.plan.steady_members();
                Entry::RoundRobin(setting.layout.servers_of(&steady).into())
            }
            EntryPlan::Fixed(at) => Entry::RoundRobin(setting.layout.servers_of(at).into()),
        };
        Some((WorkloadId(number), entry))
    });
    Entries::new(of.collect())
}

impl Domain for KeyValue {
    fn machine(&self) -> Arc<dyn StateMachine> {
        Arc::new(KeyValueMachine::new(Arc::clone(&self.writers)))
    }
    fn service(&self, place: &Place) -> Box<dyn Service> {
        Box::new(KeyValueService::new(ServiceConfig {
            gate: Box::new(CertificateGate),
            orders: Store::new((self.values)(place.institution)),
        }))
    }
    fn shows(&self, place: &Place) -> Option<Shows> {
        self.wait_for?;
        let mut policy = (self.values)(place.institution);
        Some(Box::new(move |value| policy.value(value)))
    }
    fn desk(&self, place: &Place, bearer: &Bearer<'_>) -> Option<Box<dyn Process>> {
        let Some(wait_for) = self.wait_for else {
            return Some(Box::new(Client::new(ClientConfig {
                server: place.entry,
                certificate: bearer.certificate.to_bytes().into(),
                members: Arc::clone(&self.members),
                entries: self.entries.clone(),
            })));
        };
        Some(Box::new(QuorumClient::new(client::ClientConfig {
            chain: self.chain,
            members: Arc::clone(&self.members),
            key: Arc::clone(bearer.key),
            certificate: bearer.certificate,
            wait_for,
            signs: self.signs,
            entries: self.entries.clone(),
            quorum: self.quorum,
        })))
    }
}

/// The operations tell all.
struct Nothing;
impl Observer for Nothing {
    fn probe(&mut self, _at: Time, _node: NodeId, _probe: &Probe) {}
}
impl Summary for Nothing {
    fn rows(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}
