//! Which chain institutions belong to, where there are several: an institution has one server, which takes part in
//! one chain, and its people ask that chain's service; people of an institution without a server ask one service.

use super::Planner;
use crate::plan::{ChainPlan, ServicePlan, WorkloadPlan};
use crate::schema::At;
use consim_core::values::Name;
use std::collections::BTreeMap;

impl Planner<'_> {
    /// Says where a plan of several chains asks for more than this.
    pub(super) fn homes(
        &mut self,
        chains: &BTreeMap<String, ChainPlan>,
        services: &BTreeMap<String, ServicePlan>,
        workloads: &BTreeMap<String, WorkloadPlan>,
    ) {
        let mut homes: BTreeMap<usize, &str> = BTreeMap::new();
        for (name, chain) in chains {
            for &member in &chain.members {
                if let Some(other) = homes.insert(member, name) {
                    let who = self.called(member);
                    let what = format!("{who}, a member of {other}, in {name} too");
                    self.not_yet(name, |s| s.chains.iter().map(|(n, _)| n).collect(), &what);
                    break;
                }
            }
            let mut on_it = services.iter().filter(|(_, s)| s.is_on(name));
            let Some(_) = on_it.next() else {
                let what = format!("{name}, a chain without a service,");
                self.not_yet(name, |s| s.chains.iter().map(|(n, _)| n).collect(), &what);
                continue;
            };
            if let Some((second, _)) = on_it.next() {
                let what = format!("{second}, a second service on {name},");
                self.not_yet(
                    second,
                    |s| s.services.iter().map(|(n, _)| n).collect(),
                    &what,
                );
            }
        }
        for (name, workload) in workloads {
            let Some(service) = services.get(&workload.service) else {
                continue;
            };
            let chain = service.chain();
            for place in workload.load.institutions() {
                let home = *homes.entry(place).or_insert(chain);
                if !service.is_on(home) {
                    let who = self.called(place);
                    let what = format!("{who}, whose people ask {home}, as one that asks {chain}");
                    self.not_yet(
                        name,
                        |s| s.workloads.iter().map(|(n, _)| n).collect(),
                        &what,
                    );
                    break;
                }
            }
        }
    }

    fn called(&self, place: usize) -> String {
        let found = self.institutions.get(place);
        found.map_or_else(String::new, |i| i.name.clone())
    }

    fn not_yet(
        &mut self,
        name: &str,
        names: impl Fn(&crate::schema::Scenario) -> Vec<&At<Name>>,
        what: &str,
    ) {
        let names = names(self.scenario);
        let written = names.into_iter().find(|at| at.value.0 == name);
        let place = written.map_or(&self.scenario.consim.place, |at| &at.place);
        let place = place.clone();
        self.cx.later(&place, what);
    }
}
