//! Changes of whom the members of a chain believe while it runs.

use super::Planner;
use super::windows::Timing;
use crate::plan::{TrustChangeKind, TrustPlan};
use crate::schema::{
    At, AuthorityRotation, CertificateRevocation, Change, ChangeKind, RevocationList, Scenario,
    Targets,
};
use consim_core::Time;
use consim_core::values::Name;
use consim_models::consensus::MAX_CHANGED;
use std::collections::BTreeMap;

impl<'a> Planner<'a> {
    /// The changes of whom the members of a chain believe, in order of time, and of name where they begin at one
    /// instant.
    pub(super) fn trust(&mut self, chain: &At<Name>, members: &[usize]) -> Option<Vec<TrustPlan>> {
        let scenario: &'a Scenario = self.scenario;
        let mut out = Vec::new();
        let mut whole = true;
        for (name, change) in &scenario.changes {
            if !change.kind.of_members() && !self.concerns(name, change, chain)? {
                continue;
            }
            let planned = match &change.kind {
                ChangeKind::RevokeCertificate(keys) => self.revocation((name, change), keys, chain),
                ChangeKind::RotateAuthority(keys) => {
                    self.rotation((name, change), keys, chain, members)
                }
                ChangeKind::Join(_) | ChangeKind::Leave(_) | ChangeKind::ReplaceKeys(_) => continue,
            };
            match planned {
                Some((plan, place)) => out.push((plan, place)),
                None => whole = false,
            }
        }
        if !whole {
            return None;
        }
        out.sort_by(|(a, _), (b, _)| (a.at, &a.name).cmp(&(b.at, &b.name)));
        self.once_for_all(&out, members)?;
        Some(out.into_iter().map(|(plan, _)| plan).collect())
    }

    /// What is revoked for good is neither revoked again nor moved, and nobody else is left behind.
    fn once_for_all(&mut self, plans: &[(TrustPlan, &Targets)], members: &[usize]) -> Option<()> {
        let mut shut: BTreeMap<usize, Time> = BTreeMap::new();
        for (plan, targets) in plans {
            let (TrustChangeKind::Revoke { bearers: who, .. }
            | TrustChangeKind::Rotate { nodes: who, .. }) = &plan.does;
            if let Some((i, since)) = who.iter().find_map(|i| shut.get_key_value(i)) {
                let (who, since) = (self.name_of(*i), since.since(Time::ZERO));
                self.cx.error(
                    "E519",
                    &targets.place,
                    format!("the certificates of {who} are revoked since {since}"),
                    "leave it out, or `reissue` before",
                );
                return None;
            }
            let own = |i: &usize| self.institutions.get(*i).is_some_and(|x| x.own_authority);
            let stays = |i: &&usize| !own(i) && !who.contains(i) && !shut.contains_key(i);
            if matches!(plan.does, TrustChangeKind::Rotate { .. })
                && let Some(&left) = members.iter().find(stays)
            {
                let left = self.name_of(left);
                self.cx.error(
                    "E519",
                    &targets.place,
                    format!(
                        "{left} would be left behind: in the end nobody believes the old authority"
                    ),
                    "name all members, or revoke its certificate before",
                );
                return None;
            }
            shut.extend(plan.shuts_out().iter().map(|&i| (i, plan.at)));
        }
        if !shut.is_empty() {
            let names: Vec<String> = shut.keys().map(|&i| self.name_of(i)).collect();
            self.notes.push(format!(
                "revoked for good, so that nothing is asked of them: {}",
                names.join(", ")
            ));
        }
        Some(())
    }

    fn revocation(
        &mut self,
        (name, change): (&'a At<Name>, &'a Change),
        keys: &'a CertificateRevocation,
        chain: &At<Name>,
    ) -> Option<(TrustPlan, &'a Targets)> {
        self.change_of(name, keys.chain.as_ref(), chain)?;
        let at = self.moment(&Timing::of_change(name, &change.common));
        let bearers = self.nodes(&keys.nodes);
        let (at, bearers) = (at?, bearers?);
        if bearers.len() > MAX_CHANGED {
            let text = format!(
                "the certificates of {} institutions at a time",
                bearers.len()
            );
            let help = format!("at most {MAX_CHANGED}");
            self.cx.error("E107", &keys.nodes.place, text, help);
            return None;
        }
        let fetched = match &keys.list {
            RevocationList::Pushed(_) => None,
            RevocationList::Fetched(list) => {
                if list.every.value.is_zero() {
                    let place = list.every.place.clone();
                    self.cx
                        .error("E107", &place, "every nothing", "for example 24h");
                    return None;
                }
                Some(list.every.value)
            }
        };
        let does = TrustChangeKind::Revoke {
            bearers,
            fetched,
            reissue: keys.reissue.as_ref().map(|at| at.value),
        };
        Some((self.trust_plan(name, change, at, does), &keys.nodes))
    }

    fn rotation(
        &mut self,
        (name, change): (&'a At<Name>, &'a Change),
        keys: &'a AuthorityRotation,
        chain: &At<Name>,
        members: &[usize],
    ) -> Option<(TrustPlan, &'a Targets)> {
        self.change_of(name, keys.chain.as_ref(), chain)?;
        let at = self.moment(&Timing::of_change(name, &change.common));
        let nodes = self.nodes(&keys.nodes);
        let (at, nodes) = (at?, nodes?);
        let place = keys.nodes.place.clone();
        let own = |i: &usize| self.institutions.get(*i).is_some_and(|x| x.own_authority);
        let (what, help) = if let Some(&other) = nodes.iter().find(|i| own(i)) {
            let who = self.name_of(other);
            (
                format!("{who} has an authority of its own"),
                "leave it out: its certificate is not the shared authority's",
            )
        } else if let Some(&other) = nodes.iter().find(|i| !members.contains(i)) {
            let who = self.name_of(other);
            (
                format!("{who} runs no node of {}", chain.value.0),
                "leave it out: certificates of users stay as they are",
            )
        } else {
            let does = TrustChangeKind::Rotate {
                nodes,
                gap: keys.gap.value,
                overlap: keys.overlap.value.0,
            };
            return Some((self.trust_plan(name, change, at, does), &keys.nodes));
        };
        self.cx.error("E519", &place, what, help);
        None
    }

    fn trust_plan(
        &self,
        name: &At<Name>,
        change: &Change,
        at: Time,
        does: TrustChangeKind,
    ) -> TrustPlan {
        TrustPlan {
            name: name.value.0.clone(),
            at,
            hasty: !change.common.waits.value.0 || self.is_doubled(&name.value),
            does,
        }
    }
}
