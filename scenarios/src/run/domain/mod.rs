//! What a domain model brings to a run: the state machine, the service of a server, the process of
//! a desk, its checks, and what it tells a report. A model is one file here and one line in
//! [`of`].

mod custody;
mod device_samples;
mod key_value;
mod services;
mod sharing;

pub(super) use services::{Services, Summaries};

use super::chains::Hosted;
use super::layout::Layout;
use super::spawner::Hooks;
use crate::plan::{Plan, ServicePlan};
use consim_core::{Check, NodeId, Observer, Process, SecretKey, StateMachine};
use consim_models::node::Shows;
use consim_models::node::membership::IdentityCertificate;
use consim_models::node::service::Service;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a model is told of the run.
pub(super) struct Setting<'a> {
    pub(super) plan: &'a Plan,
    pub(super) layout: &'a Layout,
    /// The chain of the service.
    pub(super) chain: &'a Hosted<'a>,
    pub(super) hooks: &'a Hooks,
}

/// An institution, as far as its processes need it.
pub(super) struct Place {
    pub(super) institution: usize,
    pub(super) name: Arc<str>,
    /// Its desk.
    pub(super) desk: NodeId,
    /// The server that its desk talks to: its own, or the nearest member's.
    pub(super) entry: NodeId,
    pub(super) supervision: bool,
}

/// A node that shows who it is.
pub(super) struct Bearer<'a> {
    /// Its signing key.
    pub(super) key: &'a Arc<SecretKey>,
    pub(super) certificate: IdentityCertificate,
}

/// A domain model in a run.
pub(super) trait Domain: Send {
    /// What executes transactions.
    fn machine(&self) -> Arc<dyn StateMachine>;
    /// The service of an institution's server.
    fn service(&self, place: &Place) -> Box<dyn Service>;
    /// How an institution's server shows clients values of the state, if not as they are.
    fn shows(&self, _place: &Place) -> Option<Shows> {
        None
    }
    /// The process of the people's side of an institution.
    fn desk(&self, place: &Place, bearer: &Bearer<'_>) -> Option<Box<dyn Process>>;
}

/// Counts for the reader of a report.
pub(super) trait Summary: Observer {
    /// What each row counts, and how many.
    fn rows(&self) -> Vec<(String, String)>;
    /// Figures of a service on one chain, by word; those of a run that has none are left out.
    fn metrics(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }
    /// Counts of a service on several chains, by word.
    fn crossings(&self) -> Vec<(String, f64)> {
        Vec::new()
    }
    /// Figures of an attack of the model's own, by the attack's number.
    fn attack(&self, _number: u16) -> BTreeMap<String, f64> {
        BTreeMap::new()
    }
}

/// What a service of a plan brings: its model, its checks, its summary.
pub(super) type Parts = (Box<dyn Domain>, Vec<Box<dyn Check>>, Box<dyn Summary>);

/// The model of a service.
pub(super) fn of(service: &ServicePlan, setting: &Setting<'_>) -> Parts {
    match service {
        ServicePlan::DataSharing { options, .. } => sharing::parts(options, setting),
        ServicePlan::KeyValue { .. } => key_value::parts(setting),
        ServicePlan::Custody { .. } => custody::parts(setting),
        ServicePlan::DeviceSamples { .. } => device_samples::parts(setting),
    }
}
