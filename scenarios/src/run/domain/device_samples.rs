//! `device-samples` in a run.

use super::{Bearer, Domain, Parts, Place, Setting, Summary};
use crate::plan::WorkloadKind;
use consim_core::{NodeId, Process, StateMachine};
use consim_models::device_samples::{self, Client, Samples, SamplesMachine, SamplesService};
use consim_models::node::CertificateGate;
use consim_models::node::entry::Entries;
use consim_models::node::service::Service;
use consim_models::orders::{ClientConfig, ServiceConfig};
use std::sync::Arc;

struct Devices {
    members: Arc<[NodeId]>,
}

pub(super) fn parts(setting: &Setting<'_>) -> Parts {
    let mut workloads = setting.chain.workloads(setting.plan);
    // A check whose subject does not occur is not listed.
    let checks = if workloads.any(|(_, w)| matches!(w.kind, WorkloadKind::Samples(_))) {
        device_samples::checks()
    } else {
        Vec::new()
    };
    let model = Devices {
        members: Arc::clone(&setting.chain.members),
    };
    let summary = device_samples::Summary::new();
    (Box::new(model), checks, Box::new(summary))
}

impl Domain for Devices {
    fn machine(&self) -> Arc<dyn StateMachine> {
        Arc::new(SamplesMachine::new(Arc::clone(&self.members)))
    }
    fn service(&self, _place: &Place) -> Box<dyn Service> {
        Box::new(SamplesService::new(ServiceConfig {
            gate: Box::new(CertificateGate),
            orders: Samples,
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

impl Summary for device_samples::Summary {
    fn rows(&self) -> Vec<(String, String)> {
        Self::rows(self)
    }
}
