//! Relays: which chains they join, who runs them, and which services they make one of.

use super::{Planner, Told};
use crate::plan::{ChainPlan, Institution, RelayPlan, ServicePlan};
use crate::schema::shape::suggestion;
use crate::schema::{At, Relays, ServiceKind};
use crate::tree::Place;
use consim_core::values::Name;
use consim_models::sharing::network::MAX_NETWORKS;
use std::collections::{BTreeMap, BTreeSet};

/// The most relays of one name (assumed).
const MAX_RELAYS: u64 = 100;

impl Planner<'_> {
    /// The relays, each with a machine of its own.
    pub(super) fn relays(
        &mut self,
        chains: &BTreeMap<String, ChainPlan>,
    ) -> Option<BTreeMap<String, RelayPlan>> {
        let scenario = self.scenario;
        let mut out = BTreeMap::new();
        let mut whole = true;
        for (name, relays) in &scenario.relays {
            match self.relay(name, relays, chains) {
                Ok(plan) => {
                    out.insert(name.value.0.clone(), plan);
                }
                Err(Told) => whole = false,
            }
        }
        whole.then_some(out)
    }

    fn relay(
        &mut self,
        name: &At<Name>,
        relays: &Relays,
        chains: &BTreeMap<String, ChainPlan>,
    ) -> Result<RelayPlan, Told> {
        let word = name.value.0.as_str();
        if self.groups.contains_key(word) || chains.contains_key(word) {
            let message = format!("`{word}` is a group or a chain, and now relays too");
            let help = format!("selectors could not tell them apart; call them e.g. {word}-relays");
            self.cx.error("E305", &name.place, message, help);
            return Err(Told);
        }
        let mut join: Vec<String> = Vec::new();
        for (chain, place) in &relays.join.list {
            self.joinable(chain, place, chains)?;
            if join.contains(chain) {
                let message = format!("{chain} is joined with itself");
                self.cx.error("E504", place, message, "each chain once");
                return Err(Told);
            }
            join.push(chain.clone());
        }
        if join.len() < 2 {
            let message = "relays join two chains at least";
            let others = chains.keys().find(|other| !join.contains(other));
            let first = join.first().cloned().unwrap_or_default();
            let help = others.map_or_else(String::new, |other| format!("[{first}, {other}]"));
            self.cx.error("E504", &name.place, message, help);
            return Err(Told);
        }
        let through = relays.through.as_ref();
        if let Some(at) = through.filter(|at| !join.contains(&at.value.0)) {
            let message = format!("{} is none of the chains that are joined", at.value.0);
            let known: Vec<&str> = join.iter().map(String::as_str).collect();
            let help = suggestion(&at.value.0, &known);
            self.cx.error("E301", &at.place, message, help);
            return Err(Told);
        }
        let through = through.map(|at| at.value.0.clone());
        let count = relays.count.value.0;
        if !(1..=MAX_RELAYS).contains(&count) {
            let message = format!("{count} relays");
            let help = format!("1 to {MAX_RELAYS}");
            self.cx.error("E107", &relays.count.place, message, help);
            return Err(Told);
        }
        let usual = || {
            let chain = through.as_ref().or(join.first());
            let chain = chain.and_then(|chain| chains.get(chain));
            chain.map_or_else(Vec::new, ChainPlan::first_members)
        };
        let run_by = match &relays.run_by {
            Some(targets) => self.nodes(targets).ok_or(Told)?,
            None => usual(),
        };
        let nodes = self.machines_of_relays(word, &run_by, count as usize);
        Ok(RelayPlan {
            join,
            through,
            nodes,
        })
    }

    /// Is there such a chain, and do its members stay?
    fn joinable(
        &mut self,
        chain: &str,
        place: &Place,
        chains: &BTreeMap<String, ChainPlan>,
    ) -> Result<(), Told> {
        let Some(plan) = chains.get(chain) else {
            if !self.cx.is_broken(chain) {
                let known: Vec<&str> = chains.keys().map(String::as_str).collect();
                let message = format!("no chain is called `{chain}`");
                let help = suggestion(chain, &known);
                self.cx.error("E301", place, message, help);
            }
            return Err(Told);
        };
        if !plan.changes.is_empty() || !plan.trust.is_empty() {
            let what = format!("relays of {chain}, whose members change,");
            self.cx.later(place, &what);
            return Err(Told);
        }
        Ok(())
    }

    /// A machine for each relay, like those of the institutions that run them, in turn.
    fn machines_of_relays(&mut self, name: &str, run_by: &[usize], count: usize) -> Vec<usize> {
        let mut nodes = Vec::new();
        for (number, &host) in (1u32..).zip(run_by.iter().cycle().take(count)) {
            let Some(host) = self.institutions.get(host).cloned() else {
                continue;
            };
            let index = self.institutions.len();
            let relay = Institution {
                name: format!("{name}-{number}"),
                group: name.to_owned(),
                number,
                own_authority: false,
                visits_per_day: None,
                site: None,
                ..host
            };
            self.by_name.entry(relay.name.clone()).or_insert(index);
            self.institutions.push(relay);
            nodes.push(index);
        }
        self.relays.insert(name.to_owned(), nodes.clone());
        nodes
    }

    /// A service on several chains needs ways between all of them; without such a service labels mean nothing.
    pub(super) fn joined(
        &mut self,
        services: &BTreeMap<String, ServicePlan>,
        relays: &BTreeMap<String, RelayPlan>,
    ) {
        let scenario = self.scenario;
        for (name, service) in &scenario.services {
            let Some(plan) = services.get(&name.value.0) else {
                continue;
            };
            let on = plan.chains();
            if on.len() > MAX_NETWORKS {
                let message = format!("a service on {} chains", on.len());
                let help = format!("at most {MAX_NETWORKS}");
                self.cx.error("E107", &name.place, message, help);
            }
            let reached = reached(on.first().copied().unwrap_or_default(), relays);
            let apart = on.iter().find(|chain| !reached.contains(**chain));
            if let (Some(apart), Some(first)) = (apart, on.first()) {
                let message = format!("no relays join {first} and {apart}");
                let help = format!("relays: {{ hub: {{ join: [{}] }} }}", on.join(", "));
                self.cx.error("E507", &name.place, message, help);
            }
            if let ServiceKind::DataSharing(keys) = service
                && on.len() == 1
                && let Some((label, _)) = keys.labels.first()
            {
                let message = "nobody of another network asks for what labels are on";
                let help = "chain: [one, another], and relays between them";
                self.cx.error("E507", &label.place, message, help);
            }
        }
    }
}

/// The chains to which relays lead from one.
fn reached<'a>(from: &'a str, relays: &'a BTreeMap<String, RelayPlan>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::from([from]);
    loop {
        let before = reached.len();
        for relay in relays.values() {
            let join = relay.join.iter().map(String::as_str);
            if join.clone().any(|chain| reached.contains(chain)) {
                reached.extend(join);
            }
        }
        if reached.len() == before {
            return reached;
        }
    }
}
