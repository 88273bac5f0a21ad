//! `data-sharing` in a run.

use super::super::adversaries;
use super::super::spawner::PolicyOf;
use super::{Bearer, Domain, Parts, Place, Setting, Summary};
use consim_core::{NodeId, Process, StateMachine};
use consim_models::node::CertificateGate;
use consim_models::node::service::Service;
use consim_models::sharing::config::SharingOptions;
use consim_models::sharing::{
    self, Desk, DeskConfig, PseudonymKey, ServiceConfig, SharingMachine, SharingService,
};
use std::sync::Arc;

struct Sharing {
    options: SharingOptions,
    pseudonyms: PseudonymKey,
    members: Arc<[NodeId]>,
    supervision: Arc<[NodeId]>,
    policy: PolicyOf,
}

pub(super) fn parts(options: &SharingOptions, setting: &Setting<'_>) -> Parts {
    let Setting { plan, layout, .. } = setting;
    let supervision = plan
        .institutions
        .iter()
        .zip(&layout.servers)
        .filter(|(institution, _)| institution.tier == "regulator")
        .filter_map(|(_, server)| *server)
        .collect();
    let model = Sharing {
        options: options.clone(),
        pseudonyms: PseudonymKey::of_seed(plan.seed),
        members: Arc::clone(setting.members),
        supervision,
        policy: Arc::clone(&setting.hooks.policy),
    };
    let corrupt = adversaries::corrupt(plan, layout);
    let (emergency, slack) = (options.emergency, plan.heal_bound);
    let checks = sharing::checks_but_of(&corrupt, setting.members, emergency, slack);
    (Box::new(model), checks, Box::new(sharing::Summary::new()))
}

impl Domain for Sharing {
    fn machine(&self) -> Arc<dyn StateMachine> {
        let (members, supervision) = (Arc::clone(&self.members), Arc::clone(&self.supervision));
        Arc::new(SharingMachine::new(members, supervision))
    }
    fn service(&self, place: &Place) -> Box<dyn Service> {
        Box::new(SharingService::new(ServiceConfig {
            options: self.options.clone(),
            pseudonyms: self.pseudonyms,
            name: Arc::clone(&place.name),
            desk: place.desk,
            members: Arc::clone(&self.members),
            supervision: place.supervision,
            gate: Box::new(CertificateGate),
            policy: (self.policy)(place.institution),
        }))
    }
    fn desk(&self, place: &Place, bearer: &Bearer<'_>) -> Option<Box<dyn Process>> {
        Some(Box::new(Desk::new(DeskConfig {
            server: place.entry,
            certificate: bearer.certificate.to_bytes().into(),
            options: self.options.clone(),
        })))
    }
}

impl Summary for sharing::Summary {
    fn rows(&self) -> Vec<(String, String)> {
        Self::rows(self)
    }
}
