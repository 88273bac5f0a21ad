//! Changes of the members in a run, and of whom they believe: what the administrator asks for, and what the figures
//! and checks know of it.

use super::layout::Layout;
use crate::plan::{
    AdversaryPlan, AttackPlan, AttackPlanKind, ChainPlan, ChangePlan, Plan, TrustChangeKind,
    TrustPlan,
};
use consim_check::metrics::{ChangeSubject, RevocationSubject};
use consim_core::{ChainId, KeyId, NodeId, Time};
use consim_models::consensus::MemberChange;
use std::sync::Arc;

/// The changes of a chain's members as its administrator asks for them.
///
/// Keys that take the place of others are numbered from `next` on, in the order of [`replacements`].
pub(super) fn requests(
    chain: &ChainPlan,
    layout: &Layout,
    next: KeyId,
) -> Arc<[(Time, MemberChange)]> {
    let mut keys = next.0..;
    let change = |(change, number): (&ChangePlan, u64)| {
        let change_of = MemberChange {
            number,
            add: layout.servers_of(&change.add),
            remove: layout.servers_of(&change.remove),
            renew: layout
                .servers_of(&change.renew)
                .into_iter()
                .zip(keys.by_ref().map(KeyId))
                .collect(),
        };
        (change.at, change_of)
    };
    chain.changes.iter().zip(1..).map(change).collect()
}

/// The owners of the keys that take the place of others, in the order of the changes.
pub(super) fn replacements(chain: &ChainPlan, layout: &Layout) -> Vec<NodeId> {
    let renewed = chain.changes.iter().map(|change| &change.renew);
    renewed.flat_map(|nodes| layout.servers_of(nodes)).collect()
}

/// The names of all changes, with their numbers.
pub(super) fn names(plan: &Plan) -> Vec<(ChainId, u64, String)> {
    let chains = (0u16..).zip(plan.chains.values());
    let of_members = chains.flat_map(|(id, chain)| numbered(id, chain));
    let of_members = of_members.map(|(id, number, change)| (id, number, change.name.clone()));
    let of_trust = of_trust(plan).map(|(id, number, change)| (id, number, change.name.clone()));
    of_members.chain(of_trust).collect()
}

/// The numbers of the changes that are asked for while others are under way.
pub(super) fn hasty(chain: &ChainPlan) -> Arc<[u64]> {
    let numbered = chain.changes.iter().zip(1..);
    let hasty = numbered.filter(|(change, _)| change.hasty);
    hasty.map(|(_, number)| number).collect()
}

/// The changes of the members, and then those of whom they believe, in the order of their numbers.
pub(super) fn subjects(plan: &Plan, layout: &Layout) -> Vec<ChangeSubject> {
    let names = |list: &[usize]| -> Vec<String> {
        let institutions = list.iter().filter_map(|&i| plan.institutions.get(i));
        institutions.map(|i| i.name.clone()).collect()
    };
    let of = |(id, chain)| numbered(id, chain);
    let all = (0u16..).zip(plan.chains.values()).flat_map(of);
    let of_members = all.map(|(chain, number, change)| ChangeSubject {
        chain,
        number,
        name: change.name.clone(),
        kind: match (change.renew.is_empty(), change.remove.is_empty()) {
            (false, _) => "replace-keys",
            (true, true) => "join",
            (true, false) => "leave",
        },
        nodes: names(&[&change.add[..], &change.remove[..], &change.renew[..]].concat()),
        revokes: None,
    });
    let of_trust = of_trust(plan).map(|(chain, number, change)| ChangeSubject {
        chain,
        number,
        name: change.name.clone(),
        kind: match change.does {
            TrustChangeKind::Revoke { .. } => "revoke-certificate",
            TrustChangeKind::Rotate { .. } => "rotate-authority",
        },
        nodes: match &change.does {
            TrustChangeKind::Revoke { bearers: list, .. }
            | TrustChangeKind::Rotate { nodes: list, .. } => names(list),
        },
        revokes: revokes(plan, layout, change),
    });
    of_members.chain(of_trust).collect()
}

/// Does any change take certificates back?
pub(super) fn takes_back(plan: &Plan) -> bool {
    of_trust(plan).any(|(.., change)| matches!(change.does, TrustChangeKind::Revoke { .. }))
}

/// Whose certificates a change takes back, and which attacks are by somebody who has them.
fn revokes(plan: &Plan, layout: &Layout, change: &TrustPlan) -> Option<RevocationSubject> {
    let TrustChangeKind::Revoke { bearers, .. } = &change.does else {
        return None;
    };
    let has = |i: &usize| bearers.contains(i);
    let stole = plan.attacks.iter().filter(|(_, attack)| {
        let held = plan.adversaries.get(&attack.by).into_iter();
        let at = match &attack.does {
            AttackPlanKind::Insider(insider) => insider.places.as_slice(),
            _ => &[],
        };
        held.flat_map(AdversaryPlan::held).any(|i| has(&i)) || at.iter().any(has)
    });
    let windows = stole.flat_map(|(name, attack)| {
        let windows = attack.windows.iter();
        windows.map(|(number, ..)| AttackPlan::id(name, *number))
    });
    let of = layout.institution_of.iter().zip(0u32..);
    Some(RevocationSubject {
        bearers: of
            .filter(|&(i, n)| has(i) && !layout.administers(NodeId(n)))
            .map(|(_, n)| NodeId(n))
            .collect(),
        thefts: windows.collect(),
    })
}

/// The changes that take connections of members while they are under way.
pub(super) fn disturbing(plan: &Plan) -> Vec<(ChainId, u64)> {
    let disturbing = of_trust(plan).filter(|(.., change)| change.disturbs());
    disturbing
        .map(|(chain, number, _)| (chain, number))
        .collect()
}

/// The changes of whom members believe, with their numbers.
fn of_trust(plan: &Plan) -> impl Iterator<Item = (ChainId, u64, &TrustPlan)> {
    let chains = (0u16..).zip(plan.chains.values());
    chains.flat_map(|(id, chain)| {
        let numbered = (first_of_trust(chain)..).zip(&chain.trust);
        numbered.map(move |(number, change)| (ChainId(id), number, change))
    })
}

/// The number of the first change of whom members believe: after those of the members.
pub(super) fn first_of_trust(chain: &ChainPlan) -> u64 {
    chain.changes.len() as u64 + 1
}

/// The changes of a chain with their numbers.
fn numbered(id: u16, chain: &ChainPlan) -> impl Iterator<Item = (ChainId, u64, &ChangePlan)> {
    let numbered = (1..).zip(&chain.changes);
    numbered.map(move |(number, change)| (ChainId(id), number, change))
}

/// The server that each desk asks, where members change.
pub(super) fn entries(plan: &Plan, layout: &Layout) -> Vec<(NodeId, NodeId)> {
    let desks = layout.desks.iter().enumerate();
    let changes = |(i, _): &(usize, &NodeId)| layout.administrator(layout.home(*i)).is_some();
    let asking = desks.filter(changes);
    asking
        .map(|(i, &desk)| (desk, layout.entry(plan, i)))
        .collect()
}
