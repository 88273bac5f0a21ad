//! Insiders: which role an attack takes, where its people are, and how often they act.

use super::Planner;
use crate::plan::{AdversaryPlan, InsiderPlan};
use crate::schema::shape::suggestion;
use crate::schema::{Adversary, At, InsiderKeys};
use consim_core::Span;
use consim_core::values::Name;
use consim_models::sharing::insiders::Deed;
use std::collections::BTreeSet;

/// What people of an adversary can be.
const ROLES: [&str; 6] = [
    "administrator",
    "clinician",
    "authority",
    "carrier",
    "worker",
    "outsider",
];
/// Those of them that have an attack.
const KNOWN: [&str; 3] = ["administrator", "clinician", "outsider"];

/// The role that a deed takes.
fn role(deed: Deed) -> &'static str {
    match deed {
        Deed::EditRecord => "administrator",
        Deed::Exfiltrate | Deed::PurposeCreep | Deed::StaleConsent | Deed::RevokeRace => {
            "clinician"
        }
    }
}

impl Planner<'_> {
    /// What an adversary's people are.
    pub(super) fn insiders(&mut self, adversary: &Adversary) -> Option<BTreeSet<String>> {
        let mut roles = BTreeSet::new();
        let mut whole = true;
        for (role, place) in adversary.roles.iter().flat_map(|words| &words.list) {
            if !ROLES.contains(&role.as_str()) {
                let message = format!("no role of an adversary is called `{role}`");
                self.cx
                    .error("E202", place, message, suggestion(role, &ROLES));
                whole = false;
            } else if KNOWN.contains(&role.as_str()) {
                roles.insert(role.clone());
            } else {
                self.cx.later(place, &format!("the role {role}"));
                whole = false;
            }
        }
        whole.then_some(roles)
    }

    /// What an insider does, and where.
    pub(super) fn deed(&mut self, deed: Deed, keys: &InsiderKeys) -> Option<InsiderPlan> {
        let places = self.nodes(&keys.r#where);
        let rate = keys.rate.value.0;
        if rate == 0 {
            let place = keys.rate.place.clone();
            self.cx
                .error("E107", &place, "an attack that never happens", "6/min");
            return None;
        }
        let chain = self.shared_on(keys.service.as_ref(), &keys.r#where.place.clone())?;
        Some(InsiderPlan {
            deed,
            places: places?,
            // Rates are events in 10^9 s.
            every: Span::from_nanos((1_000_000_000_000_000_000 / rate).max(1)),
            chain,
        })
    }

    /// The chain of a service of data sharing.
    fn shared_on(
        &mut self,
        service: Option<&At<Name>>,
        attack: &crate::tree::Place,
    ) -> Option<String> {
        let found = match service {
            Some(at) => self.sharing.get(&at.value.0),
            None => self.sharing.values().next(),
        };
        if found.is_some() || self.doubt {
            return found.cloned();
        }
        let known: Vec<&str> = self.sharing.keys().map(String::as_str).collect();
        let (place, text) = match service {
            Some(at) if self.cx.is_broken(&at.value.0) => return None,
            Some(at) => (
                at.place.clone(),
                format!("no service `{}` shares records", at.value.0),
            ),
            None => (attack.clone(), "no service shares records".to_owned()),
        };
        let help = if known.is_empty() {
            "services: { records: { data-sharing: {} } }".to_owned()
        } else {
            suggestion(service.map_or("", |at| at.value.0.as_str()), &known)
        };
        self.cx.error("E301", &place, text, help);
        None
    }

    /// Does the adversary have the people, and are they where it happens?
    pub(super) fn has_insiders(
        &mut self,
        name: &At<Name>,
        by: &str,
        adversary: &AdversaryPlan,
        plan: &InsiderPlan,
    ) -> Option<()> {
        let role = role(plan.deed);
        if !adversary.roles.contains(role) {
            let text = format!("nobody does this attack: `{by}` has no {role}");
            let help = format!("adversaries: {{ {by}: {{ roles: [{role}] }} }}");
            self.cx.error("E503", &name.place, text, help);
            return None;
        }
        // An administrator has the machine in hand, a clinician no more than a place at the desk.
        let elsewhere = |i: &&usize| !adversary.nodes.contains(i);
        if plan.deed == Deed::EditRecord
            && let Some(&stranger) = plan.places.iter().find(elsewhere)
        {
            let who = self.institutions.get(stranger).map(|i| i.name.clone());
            let who = who.unwrap_or_default();
            let text = format!("nobody does this attack: `{by}` does not control {who}");
            let help = format!("adversaries: {{ {by}: {{ nodes: {who}, roles: [{role}] }} }}");
            self.cx.error("E503", &name.place, text, help);
            return None;
        }
        Some(())
    }
}
