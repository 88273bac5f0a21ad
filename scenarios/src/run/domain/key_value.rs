//! `key-value` in a run.

use super::super::spawner::ValuesOf;
use super::super::trust::Trust;
use super::{Domain, Parts, Place, Setting, Summary};
use crate::plan::WorkloadKind;
use consim_core::{NodeId, Observer, Probe, Process, StateMachine, Time};
use consim_models::key_value::{
    self, Client, ClientConfig, KeyValueMachine, KeyValueService, ServiceConfig,
};
use consim_models::node::CertificateGate;
use consim_models::node::service::Service;
use std::sync::Arc;

struct KeyValue {
    members: Arc<[NodeId]>,
    values: ValuesOf,
}

pub(super) fn parts(setting: &Setting<'_>) -> Parts {
    let reads =
        setting.plan.workloads.values().any(
            |w| matches!(&w.kind, WorkloadKind::Transactions(options) if options.read_share > 0),
        );
    // A check whose subject does not occur is not listed.
    let checks = if reads {
        key_value::checks(setting.members)
    } else {
        Vec::new()
    };
    let model = KeyValue {
        members: Arc::clone(setting.members),
        values: Arc::clone(&setting.hooks.values),
    };
    (Box::new(model), checks, Box::new(Nothing))
}

impl Domain for KeyValue {
    fn machine(&self) -> Arc<dyn StateMachine> {
        Arc::new(KeyValueMachine::new(Arc::clone(&self.members)))
    }
    fn service(&self, place: &Place) -> Box<dyn Service> {
        Box::new(KeyValueService::new(ServiceConfig {
            gate: Box::new(CertificateGate),
            policy: (self.values)(place.institution),
        }))
    }
    fn desk(&self, place: &Place, node: NodeId, trust: &Trust) -> Option<Box<dyn Process>> {
        Some(Box::new(Client::new(ClientConfig {
            server: place.entry,
            certificate: trust.certificate(node)?,
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
