//! The services on the chains, and the people whom they serve.

use super::{Planner, Told};
use crate::plan::ServicePlan;
use crate::schema::{
    Access, Ask, At, Audit, Custody, DataSharing, Decode, DeviceSamples, Emergency, Freshness,
    Identity, KeyValue, LeafKind, OffChain, OnChain, Population, Pseudonym, Revocation, Search,
    ServiceKind, WaitFor, Workload, WorkloadKind,
};
use consim_core::Span;
use consim_core::values::{Name, Share, Value as _};
use consim_models::sharing::config::{self, SharingOptions};
use consim_models::sharing::network::{Label, Labels};
use std::collections::BTreeMap;

/// The population of a scenario that names none.
const DEFAULT_POPULATION: &str = "patients";
/// All of something, parts per billion.
const WHOLE: u32 = 1_000_000_000;
/// What labels there are where a scenario says nothing of them: open, sharable, protected (assumed).
const USUAL_LABELS: [u32; 3] = [100_000_000, 600_000_000, 250_000_000];
/// The most keys of a store: the state must fit into memory (assumed).
const MAX_KEYS: u64 = 100_000_000;

impl Planner<'_> {
    /// The services: those of the scenario, or one for each model that a workload names.
    pub(super) fn services(&mut self) -> Option<BTreeMap<String, ServicePlan>> {
        let scenario = self.scenario;
        let population = self.population()?;
        let default;
        if scenario.services.is_empty() && self.doubt {
            return None;
        }
        let services: &[(At<Name>, ServiceKind)] = if scenario.services.is_empty() {
            default = [self.default_service()?];
            &default
        } else {
            &scenario.services
        };
        let mut out = BTreeMap::new();
        let mut whole = true;
        for (name, service) in services {
            let plan = match service {
                ServiceKind::DataSharing(sharing) => self.data_sharing(name, sharing, &population),
                ServiceKind::KeyValue(store) => self.key_value(name, store),
                ServiceKind::Custody(Custody { chain }) => self
                    .chain_of_one_server(name, chain.as_ref(), "custody")
                    .map(|chain| ServicePlan::Custody { chain }),
                ServiceKind::DeviceSamples(DeviceSamples { chain }) => self
                    .chain_of_one_server(name, chain.as_ref(), "device-samples")
                    .map(|chain| ServicePlan::DeviceSamples { chain }),
            };
            match plan {
                Some(plan) => {
                    out.insert(name.value.0.clone(), plan);
                }
                None => whole = false,
            }
        }
        whole.then_some(out)
    }

    /// Faults may name a service of data sharing.
    pub(super) fn note_sharing(&mut self, services: Option<&BTreeMap<String, ServicePlan>>) {
        for (name, service) in services.into_iter().flatten() {
            if let ServicePlan::DataSharing { chain, .. } = service {
                self.sharing.insert(name.clone(), chain.clone());
            }
        }
    }

    fn data_sharing(
        &mut self,
        name: &At<Name>,
        sharing: &DataSharing,
        population: &Population,
    ) -> Option<ServicePlan> {
        // Where the language has more than the model, a pattern says what the model does: a
        // further word cannot be accepted without an answer here.
        let DataSharing {
            chain,
            on_chain: OnChain::Digest(_),
            off_chain: OffChain::OwnDatabase(_),
            access: Access::ContractGrant(_),
            search: Search::Forward(_),
            revocation,
            pseudonym: Pseudonym::Hmac(_),
            identity: Identity::Certificate(_),
            audit: Audit::OnChain(_),
            freshness,
            recheck,
            consent,
            emergency,
            labels,
        } = sharing;
        let scopes = consent.scopes.iter().flat_map(|list| &list.items);
        let scopes = self.scopes(scopes.map(|(scope, _)| scope));
        let delegation = self.delegation(consent.delegation.as_ref()).ok();
        let review_within = self.review(emergency).ok();
        let freshness = self.freshness(freshness);
        let mut chains = Vec::new();
        for (word, place) in chain.iter().flat_map(|chain| &chain.list) {
            let at = At {
                value: Name(word.clone()),
                place: place.clone(),
                leaf: 0,
            };
            let chain = self.chain_of_one_server(name, Some(&at), "data-sharing")?;
            if chains.contains(&chain) {
                let message = format!("{chain} is there twice");
                self.cx.error("E504", place, message, "each chain once");
                return None;
            }
            chains.push(chain);
        }
        if chains.is_empty() {
            chains.push(self.chain_of_one_server(name, None, "data-sharing")?);
        }
        let labels = self.labels(labels)?;
        let mut more = chains.split_off(1);
        let chain = chains.pop()?;
        more.sort();
        let options = SharingOptions {
            delegation: delegation?,
            scopes: scopes?,
            freshness: freshness?,
            recheck: recheck.value.0,
            revocation: match revocation {
                Revocation::Flag(_) => config::Revocation::Flag,
                Revocation::KeyRotation(_) => config::Revocation::KeyRotation,
                Revocation::CryptoShred(_) => config::Revocation::CryptoShred,
                Revocation::OffChainDelete(_) => config::Revocation::OffChainDelete,
            },
            ask_each_request: consent.ask.value == Ask::EachRequest,
            grant_expires: consent.expires.value,
            grant_share: population.consent.grant.value.0,
            answer_in: population.consent.answer_in.distribution(self.cx),
            emergency: emergency.allow.value.0,
            review_within: review_within?,
        };
        Some(ServicePlan::DataSharing {
            chain,
            more,
            labels,
            options: Box::new(options),
        })
    }

    /// What providers' plans say of their records.
    fn labels(&mut self, given: &[(At<Name>, At<Share>)]) -> Option<Labels> {
        let draws = self.bits("services/labels", 0);
        if given.is_empty() {
            let shares = USUAL_LABELS;
            return Some(Labels { shares, draws });
        }
        let mut shares = [0; 4];
        for (name, share) in given {
            let word = name.value.0.as_str();
            let place = Label::ALL.iter().position(|label| label.word() == word);
            let Some(slot) = place.and_then(|place| shares.get_mut(place)) else {
                let known = Label::ALL.map(Label::word);
                let message = format!("no label is called `{word}`");
                let help = crate::schema::shape::suggestion(word, &known);
                self.cx.error("E202", &name.place, message, help);
                return None;
            };
            *slot = share.value.0;
        }
        let all: u64 = shares.iter().map(|share| u64::from(*share)).sum();
        if all != u64::from(WHOLE) {
            let place = given.first()?.0.place.clone();
            let message = format!(
                "the labels add up to {}",
                Share((all.min(u64::from(u32::MAX))) as u32).text()
            );
            let help = "100%: open: 10%, sharable: 60%, protected: 25%, non-open: 5%";
            self.cx.error("E506", &place, message, help);
            return None;
        }
        let [open, sharable, protected, _] = shares;
        let shares = [open, sharable, protected];
        Some(Labels { shares, draws })
    }

    /// By which state of the chain a provider decides.
    fn freshness(&mut self, freshness: &Freshness) -> Option<config::Freshness> {
        match freshness {
            Freshness::Local(_) => Some(config::Freshness::Local),
            Freshness::Ordered(_) => Some(config::Freshness::Ordered),
            Freshness::Lease(at) if at.value.is_zero() => {
                let place = at.place.clone();
                self.cx
                    .error("E107", &place, "a lease of no time", "lease: 10s");
                None
            }
            Freshness::Lease(at) => Some(config::Freshness::Lease(at.value)),
        }
    }

    /// Within which time emergency accesses are reviewed, if at all.
    fn review(&mut self, emergency: &Emergency) -> Result<Option<Span>, Told> {
        let Some(at) = &emergency.review_within else {
            return Ok(None);
        };
        let place = at.place.clone();
        if at.value.is_zero() {
            self.cx
                .error("E107", &place, "a review at once", "review_within: 24h");
            return Err(Told);
        }
        if !emergency.allow.value.0 {
            let text = "reviews of emergency accesses that there are not";
            self.cx
                .error("E504", &place, text, "allow: true, or no review_within");
            return Err(Told);
        }
        let supervised = self.institutions.iter().any(|i| i.tier == "regulator");
        if !supervised && !self.doubt {
            let text = "nobody is there to review: no institution is a regulator";
            let help = "organisations: { supervision: { tier: regulator } }";
            self.cx.error("E504", &place, text, help);
            return Err(Told);
        }
        Ok(Some(at.value))
    }

    /// The chain of a service of `kind`, whose clients ask their own server. A desk hands its records
    /// to that, holders of units and gateways are known by it: they cannot ask the others what it did.
    fn chain_of_one_server(
        &mut self,
        name: &At<Name>,
        chain: Option<&At<Name>>,
        kind: &str,
    ) -> Option<String> {
        let chain = self.chain_of(name, chain)?;
        let scenario = self.scenario;
        let found = scenario.chains.iter().find(|(n, _)| n.value.0 == chain);
        let wait_for = found.map(|(_, chain)| &chain.clients.wait_for);
        if let Some(at) = wait_for.filter(|at| !matches!(at.value, WaitFor::One | WaitFor::Auto)) {
            let word = at.value.word();
            self.cx
                .later(&at.place, &format!("wait_for: {word} with {kind}"));
        }
        Some(chain)
    }

    fn key_value(&mut self, name: &At<Name>, store: &KeyValue) -> Option<ServicePlan> {
        let chain = self.chain_of(name, store.chain.as_ref())?;
        let keys = store.keys.value.0;
        if keys == 0 || keys > MAX_KEYS {
            let place = store.keys.place.clone();
            self.cx.error(
                "E107",
                &place,
                format!("{keys} keys"),
                format!("1 to {MAX_KEYS}"),
            );
            return None;
        }
        let skew = store.skew.value.0;
        Some(ServicePlan::KeyValue { chain, keys, skew })
    }

    /// The kind of the one service of a scenario that names none: what its workloads ask.
    pub(super) fn default_service_kind(&self) -> &'static str {
        let synthetic = |(_, w): &(At<Name>, Workload)| match w.kind {
            WorkloadKind::Transactions(_) => Some("key-value"),
            WorkloadKind::Movements(_) => Some("custody"),
            WorkloadKind::Samples(_) => Some("device-samples"),
            WorkloadKind::Visits(_) | WorkloadKind::Consents(_) | WorkloadKind::Audits(_) => None,
        };
        let mut kinds = self.scenario.workloads.iter().filter_map(synthetic);
        kinds.next().unwrap_or("data-sharing")
    }

    fn default_service(&mut self) -> Option<(At<Name>, ServiceKind)> {
        let kind = self.default_service_kind();
        let node = self.cx.default_node(kind)?;
        let place = self.scenario.consim.place.clone();
        self.cx.below(&["services", kind], &place, |cx| {
            let leaf = cx.leaf(LeafKind::Head, String::new(), &node.place);
            let service = ServiceKind::decode(cx, &node)?;
            let name = At {
                value: Name(kind.into()),
                place: place.clone(),
                leaf,
            };
            Some((name, service))
        })
    }

    fn population(&mut self) -> Option<Population> {
        let scenario = self.scenario;
        if let Some((second, _)) = scenario.populations.get(1) {
            let place = second.place.clone();
            self.cx.later(&place, "a second population");
        }
        if let Some((_, population)) = scenario.populations.first() {
            return Some(population.clone());
        }
        let node = self.cx.default_node("{}")?;
        let place = scenario.consim.place.clone();
        self.cx
            .below(&["populations", DEFAULT_POPULATION], &place, |cx| {
                cx.leaf(LeafKind::Head, String::new(), &node.place);
                Population::decode(cx, &node)
            })
    }

    /// The chain of a service: the one that it names, or the only one.
    fn chain_of(&mut self, name: &At<Name>, chain: Option<&At<Name>>) -> Option<String> {
        let known: Vec<String> = self.chains.keys().cloned().collect();
        let Some(at) = chain else {
            if let [only] = known.as_slice() {
                return Some(only.clone());
            }
            if known.len() > 1 {
                let place = name.place.clone();
                self.cx.error(
                    "E502",
                    &place,
                    format!(
                        "which chain? there are {}: {}",
                        known.len(),
                        known.join(", ")
                    ),
                    format!("chain: {}", known.first().cloned().unwrap_or_default()),
                );
            }
            return None;
        };
        if known.contains(&at.value.0) {
            return Some(at.value.0.clone());
        }
        if self.cx.is_broken(&at.value.0) {
            return None;
        }
        let place = at.place.clone();
        let words: Vec<&str> = known.iter().map(String::as_str).collect();
        self.cx.error(
            "E301",
            &place,
            format!("no chain is called `{}`", at.value.0),
            crate::schema::shape::suggestion(&at.value.0, &words),
        );
        None
    }
}
