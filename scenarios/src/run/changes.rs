//! Changes of the members in a run: what the administrator asks for, and what the figures and checks know of
//! it.

use super::layout::Layout;
use crate::plan::{ChainPlan, ChangePlan, Plan};
use consim_check::metrics::ChangeSubject;
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

/// The numbers of the changes that are asked for while others are under way.
pub(super) fn hasty(chain: &ChainPlan) -> Arc<[u64]> {
    let numbered = chain.changes.iter().zip(1..);
    let hasty = numbered.filter(|(change, _)| change.hasty);
    hasty.map(|(_, number)| number).collect()
}

/// The changes of the members, in the order of their numbers.
pub(super) fn subjects(plan: &Plan) -> Vec<ChangeSubject> {
    let names = |list: &[usize]| -> Vec<String> {
        let institutions = list.iter().filter_map(|&i| plan.institutions.get(i));
        institutions.map(|i| i.name.clone()).collect()
    };
    let of = |(id, chain)| numbered(id, chain);
    let all = (0u16..).zip(plan.chains.values()).flat_map(of);
    all.map(|(chain, number, change)| ChangeSubject {
        chain,
        number,
        name: change.name.clone(),
        kind: match (change.renew.is_empty(), change.remove.is_empty()) {
            (false, _) => "replace-keys",
            (true, true) => "join",
            (true, false) => "leave",
        },
        nodes: names(&[&change.add[..], &change.remove[..], &change.renew[..]].concat()),
    })
    .collect()
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
