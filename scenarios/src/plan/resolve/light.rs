//! Light clients of a chain: who they are, whom they ask, and what they trust.

use super::{Planner, Told};
use crate::plan::LightPlan;
use crate::schema::{At, Chain, Decode as _, LightClients, Targets, TrustedFirst, Verification};
use consim_core::values::Name;
use consim_models::consensus::{ProtocolEntry, ProtocolOptions};
use consim_models::light::TrustLevel;

/// The role of organisations whose nodes are light clients.
pub(super) const LIGHT_CLIENT: &str = "light-client";

impl Planner<'_> {
    /// The institutions whose nodes are light clients, ascending.
    pub(super) fn light_clients(&self) -> Vec<usize> {
        let organisations = self.scenario.organisations.iter();
        let light = organisations.filter(|(_, organisation)| {
            let roles = organisation.roles.iter().flat_map(|roles| &roles.list);
            roles.into_iter().any(|(role, _)| role == LIGHT_CLIENT)
        });
        let groups = light.filter_map(|(name, _)| self.groups.get(&name.value.0));
        let mut clients: Vec<usize> = groups.flatten().copied().collect();
        clients.sort_unstable();
        clients
    }

    /// Those of a chain, if there are any.
    pub(super) fn light(
        &mut self,
        name: &At<Name>,
        chain: &Chain,
        (members, first): (&[usize], &[usize]),
        entry: &ProtocolEntry,
        options: &ProtocolOptions,
    ) -> Result<Option<LightPlan>, Told> {
        let clients = self.light_clients();
        if clients.is_empty() {
            if chain.light_clients.is_none() {
                return Ok(None);
            }
            if !self.doubt {
                let place = name.place.clone();
                let message = format!("nobody follows {} as a light client", name.value.0);
                let help = "organisations: { clinic: { roles: [light-client] } }";
                self.cx.error("E505", &place, message, help);
            }
            return Err(Told);
        }
        // Of several chains they follow the one that says how.
        let mut followed = self.scenario.chains.iter();
        let followed = followed.find(|(_, chain)| chain.light_clients.is_some());
        if self.scenario.chains.len() > 1 {
            match (&chain.light_clients, followed) {
                (None, _) => return Ok(None),
                (Some(_), Some((other, _))) if other.value != name.value => {
                    let place = name.place.clone();
                    self.cx.later(&place, "light clients of a second chain");
                    return Err(Told);
                }
                (Some(_), _) => {}
            }
        }
        if let Some(&both) = clients.iter().find(|i| members.contains(i)) {
            let who = self.institutions.get(both).map(|i| i.name.clone());
            let who = who.unwrap_or_default();
            let place = chain.members.place.clone();
            let message = format!("{who} is a light client, and a member of {}", name.value.0);
            let help = "members: the groups that are to decide";
            self.cx.error("E504", &place, message, help);
            return Err(Told);
        }
        let default = self.cx.default_node("{}").ok_or(Told)?;
        let place = name.place.clone();
        let path = ["chains", name.value.0.as_str(), "light_clients"];
        let keys = match &chain.light_clients {
            Some(keys) => keys.clone(),
            None => self
                .cx
                .below(&path, &place, |cx| LightClients::decode(cx, &default))
                .ok_or(Told)?,
        };
        if options.certified(1, entry.quorum).is_none() {
            let place = name.place.clone();
            let message = format!(
                "decisions of {} have no certificates that a light client could verify",
                entry.name
            );
            let help = "consensus: pbft, hotstuff, bft-smart, tendermint, qbft or ibft";
            self.cx.error("E505", &place, message, help);
            return Err(Told);
        }
        let plan = self.light_plan(&keys, clients, members, first);
        plan.map(Some).ok_or(Told)
    }

    fn light_plan(
        &mut self,
        keys: &LightClients,
        clients: Vec<usize>,
        members: &[usize],
        first: &[usize],
    ) -> Option<LightPlan> {
        let skipping = keys.verification.value == Verification::Skipping;
        let changes = !self.scenario.changes.is_empty();
        let level = keys.trust_level.value;
        let third = (1, 3);
        for (wrong, place, message, help) in [
            (
                keys.period.value.is_zero(),
                &keys.period.place,
                "a client that looks without a pause",
                "period: 1s",
            ),
            (
                keys.trusting_period.value.is_zero(),
                &keys.trusting_period.place,
                "nothing is trusted for any time",
                "trusting_period: 14d",
            ),
            (
                u64::from(level.0) * 3 < u64::from(level.1),
                &keys.trust_level.place,
                "no correct member need be among those who sign a skip",
                "trust_level: 1/3, or more",
            ),
            (
                skipping && !changes,
                &keys.verification.place,
                "members never change: there is nothing to skip",
                "verification: sequential, or changes: { NAME: { at: 20s, join: NODE } }",
            ),
            (
                !skipping && (level.0, level.1) != third,
                &keys.trust_level.place,
                "nothing is skipped, so that no share of those that are trusted has to sign it",
                "verification: skipping",
            ),
        ] {
            if wrong && !self.doubt {
                self.cx.error("E505", place, message, help);
                return None;
            }
        }
        let full_nodes = match &keys.full_nodes {
            Some(targets) => self.of_members(targets, members)?,
            None => first.to_vec(),
        };
        let others = full_nodes.len().saturating_sub(1);
        let witnesses = usize::try_from(keys.witnesses.value.0).unwrap_or(usize::MAX);
        if witnesses > others {
            let place = keys.witnesses.place.clone();
            let message = format!("there are {others} full nodes beside the primary");
            self.cx
                .error("E107", &place, message, format!("at most {others}"));
            return None;
        }
        let believes = match &keys.trusted {
            TrustedFirst::Genesis(_) => None,
            TrustedFirst::Node(node) => self.of_members(&node.of, members)?.first().copied(),
        };
        Some(LightPlan {
            clients,
            full_nodes,
            witnesses,
            period: keys.period.value,
            skipping,
            trust_level: TrustLevel {
                parts: level.0,
                of: level.1,
            },
            trusting_period: keys.trusting_period.value,
            clock_drift: keys.clock_drift.value,
            believes,
        })
    }

    /// Members of the chain, one at least.
    fn of_members(&mut self, targets: &Targets, members: &[usize]) -> Option<Vec<usize>> {
        let nodes = self.nodes(targets)?;
        let stranger = nodes.iter().find(|i| !members.contains(i));
        if (nodes.is_empty() || stranger.is_some()) && !self.doubt {
            let who = stranger.and_then(|i| self.institutions.get(*i));
            let message = match who {
                Some(who) => format!("{} has nothing of the chain to show", who.name),
                None => "nobody is asked".to_owned(),
            };
            self.cx
                .error("E308", &targets.place, message, "members of the chain");
            return None;
        }
        Some(nodes)
    }
}
