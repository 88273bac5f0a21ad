//! `custody` in a run.

use super::{Bearer, Domain, Parts, Place, Setting, Summary};
use crate::plan::WorkloadKind;
use consim_core::{NodeId, Process, StateMachine};
use consim_models::custody::{self, Client, Custody, CustodyMachine, CustodyService};
use consim_models::node::CertificateGate;
use consim_models::node::entry::Entries;
use consim_models::node::service::Service;
use consim_models::orders::{ClientConfig, ServiceConfig};
use std::sync::Arc;

struct Units {
    members: Arc<[NodeId]>,
}

pub(super) fn parts(setting: &Setting<'_>) -> Parts {
    let workloads = setting.chain.workloads(setting.plan);
    let movements = workloads.filter_map(|(_, w)| match &w.kind {
        WorkloadKind::Movements(options) => Some(options),
        _ => None,
    });
    let movements: Vec<_> = movements.collect();
    // A check whose subject does not occur is not listed.
    let mut checks = custody::checks();
    let counted = movements.iter().any(|options| options.queries > 0);
    checks.retain(|check| !movements.is_empty() && (counted || check.name() != "conservation"));
    let model = Units {
        members: Arc::clone(&setting.chain.members),
    };
    (Box::new(model), checks, Box::new(custody::Summary::new()))
}

impl Domain for Units {
    fn machine(&self) -> Arc<dyn StateMachine> {
        Arc::new(CustodyMachine::new(Arc::clone(&self.members)))
    }
    fn service(&self, _place: &Place) -> Box<dyn Service> {
        Box::new(CustodyService::new(ServiceConfig {
            gate: Box::new(CertificateGate),
            orders: Custody,
        }))
    }
    fn desk(&self, place: &Place, bearer: &Bearer<'_>) -> Option<Box<dyn Process>> {
        Some(Box::new(Client::new(ClientConfig {
            server: place.entry,
            certificate: bearer.certificate.to_bytes().into(),
            members: Arc::default(),
            entries: Entries::default(),
        })))
    }
}

impl Summary for custody::Summary {
    fn rows(&self) -> Vec<(String, String)> {
        Self::rows(self)
    }
}
