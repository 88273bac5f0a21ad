//! `data-sharing` in a run.

use super::super::adversaries;
use super::super::spawner::PolicyOf;
use super::{Bearer, Domain, Parts, Place, Setting, Summary};
use crate::plan::{Plan, ServicePlan};
use consim_core::{ChainId, NodeId, Observer, Probe, Process, StateMachine, Time};
use consim_kernel::config::FaultKind;
use consim_models::node::CertificateGate;
use consim_models::node::service::Service;
use consim_models::sharing::config::{Revocation, SharingOptions};
use consim_models::sharing::insiders::{Administrator, Clinician, Deed, Insider};
use consim_models::sharing::{
    self, Desk, DeskConfig, NetworkConfig, PseudonymKey, ServiceConfig, SharingMachine,
    SharingService,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a report tells of data sharing.
struct Told {
    summary: sharing::Summary,
    insiders: sharing::Insiders,
    uses: sharing::Uses,
    copies: sharing::Copies,
}

struct Sharing {
    /// The insiders at each institution.
    insiders: Vec<Vec<Insider>>,
    options: SharingOptions,
    pseudonyms: PseudonymKey,
    members: Arc<[NodeId]>,
    supervision: Arc<[NodeId]>,
    policy: PolicyOf,
    /// The chain, and what is told of the others, where the service is on several.
    network: Option<(ChainId, NetworkConfig)>,
}

pub(super) fn parts(options: &SharingOptions, setting: &Setting<'_>) -> Parts {
    let Setting {
        plan,
        layout,
        chain,
        ..
    } = setting;
    let supervision = plan
        .institutions
        .iter()
        .zip(&layout.servers)
        .filter(|(institution, _)| institution.tier == "regulator")
        .filter_map(|(_, server)| *server)
        .filter(|server| chain.members.contains(server))
        .collect();
    let model = Sharing {
        options: options.clone(),
        pseudonyms: PseudonymKey::of_seed(plan.seed),
        members: Arc::clone(&chain.members),
        supervision,
        policy: Arc::clone(&setting.hooks.policy),
        network: match chain.service {
            ServicePlan::DataSharing { more, labels, .. } if !more.is_empty() => {
                Some((chain.id, NetworkConfig { labels: *labels }))
            }
            _ => None,
        },
        insiders: (0..plan.institutions.len())
            .map(|i| adversaries::insiders_at(plan, i))
            .collect(),
    };
    let corrupt = adversaries::corrupt(plan, layout);
    // Where a clock is wrong, so is what a server takes for the age of a block.
    let lease = options.lease().filter(|_| !moves_clocks(plan));
    let (rules, slack) = (options.rules(), plan.heal_bound);
    let mut checks = sharing::checks_but_of(&corrupt, &chain.members, rules, lease, slack);
    if let Some(within) = options.review_within {
        checks.push(Box::new(sharing::EmergencyReviewed::new(within)));
    }
    let copies = || sharing::Copies::new(&chain.members, options.revocation, slack);
    let gone = [Revocation::CryptoShred, Revocation::OffChainDelete];
    if gone.contains(&options.revocation) {
        checks.push(Box::new(copies()));
    }
    let suspects = adversaries::suspects(plan, layout, chain.name);
    let attacks: Vec<(u16, Deed)> = suspects.iter().map(|s| (s.attack, s.deed)).collect();
    let told = Told {
        copies: copies(),
        uses: sharing::Uses::new(&chain.members, attacks),
        summary: sharing::Summary::new(),
        insiders: sharing::Insiders::new(suspects, &chain.members, &corrupt),
    };
    (Box::new(model), checks, Box::new(told))
}

/// Does a fault of the plan set clocks wrong?
fn moves_clocks(plan: &Plan) -> bool {
    let wrong = |kind: &FaultKind| {
        matches!(
            kind,
            FaultKind::ClockDrift(_)
                | FaultKind::ClockStep(_)
                | FaultKind::ClockStrobe(_)
                | FaultKind::ClockBack(_)
                | FaultKind::Leap(_)
                | FaultKind::MoveTimeServer(_)
                | FaultKind::ExpiryEdge(_)
        )
    };
    plan.faults.values().any(|fault| wrong(&fault.kind))
}

impl Sharing {
    fn insiders_at(&self, place: &Place) -> impl Iterator<Item = &Insider> {
        self.insiders.get(place.institution).into_iter().flatten()
    }
}

impl Domain for Sharing {
    fn machine(&self) -> Arc<dyn StateMachine> {
        let (members, supervision) = (Arc::clone(&self.members), Arc::clone(&self.supervision));
        let machine = SharingMachine::new(members, supervision);
        Arc::new(machine.under(self.options.rules()))
    }
    fn service(&self, place: &Place) -> Box<dyn Service> {
        let mut service = SharingService::new(ServiceConfig {
            options: self.options.clone(),
            pseudonyms: self.pseudonyms,
            name: Arc::clone(&place.name),
            desk: place.desk,
            members: Arc::clone(&self.members),
            supervision: place.supervision,
            gate: Box::new(CertificateGate),
            policy: (self.policy)(place.institution),
        });
        if let Some((_, network)) = self.network {
            service = service.within(network);
        }
        let insiders = self.insiders_at(place);
        let administrators = insiders.filter(|i| i.deed == Deed::EditRecord);
        let administrators: Vec<Insider> = administrators.cloned().collect();
        if administrators.is_empty() {
            return Box::new(service);
        }
        Box::new(Administrator::new(service, administrators))
    }
    fn desk(&self, place: &Place, bearer: &Bearer<'_>) -> Option<Box<dyn Process>> {
        let certificate: Arc<[u8]> = bearer.certificate.to_bytes().into();
        let mut plain = Desk::new(DeskConfig {
            server: place.entry,
            certificate: Arc::clone(&certificate),
            options: self.options.clone(),
        });
        if let Some((chain, _)) = self.network {
            plain = plain.within(chain);
        }
        let mut desk: Box<dyn Process> = Box::new(plain);
        let insiders = self.insiders_at(place);
        for insider in insiders.filter(|i| i.deed != Deed::EditRecord) {
            let certificate = Arc::clone(&certificate);
            desk = Box::new(Clinician::new(
                desk,
                place.entry,
                certificate,
                insider.clone(),
            ));
        }
        Some(desk)
    }
}

impl Observer for Told {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        self.summary.probe(at, node, probe);
        self.insiders.probe(at, node, probe);
        self.uses.probe(at, node, probe);
        self.copies.probe(at, node, probe);
    }
}

impl Summary for Told {
    fn rows(&self) -> Vec<(String, String)> {
        self.summary.rows()
    }
    fn crossings(&self) -> Vec<(String, f64)> {
        self.summary.metrics()
    }
    fn attack(&self, number: u16) -> BTreeMap<String, f64> {
        let mut figures = self.insiders.figures(number);
        figures.extend(self.uses.figures(number));
        figures
    }
    fn metrics(&self) -> Vec<(&'static str, f64)> {
        let mut figures = self.uses.metrics();
        figures.extend(self.copies.metrics());
        figures
    }
}
