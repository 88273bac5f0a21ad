//! Changes of the members in a run: what the administrator asks for, and what the figures and checks know of
//! it.

use super::layout::Layout;
use crate::plan::{ChainPlan, ChangePlan, Plan};
use consim_check::metrics::ChangeSubject;
use consim_core::{NodeId, Time};
use consim_models::consensus::MemberChange;
use std::sync::Arc;

/// The changes of a chain's members as its administrator asks for them.
pub(super) fn requests(chain: &ChainPlan, layout: &Layout) -> Arc<[(Time, MemberChange)]> {
    let change = |(change, number): (&ChangePlan, u64)| {
        let change_of = MemberChange {
            number,
            add: layout.servers_of(&change.add),
            remove: layout.servers_of(&change.remove),
        };
        (change.at, change_of)
    };
    chain.changes.iter().zip(1..).map(change).collect()
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
    let all = plan.chains.values().flat_map(|chain| &chain.changes);
    all.map(|change| ChangeSubject {
        name: change.name.clone(),
        kind: if change.remove.is_empty() {
            "join"
        } else {
            "leave"
        },
        nodes: names(&[change.add.as_slice(), change.remove.as_slice()].concat()),
    })
    .collect()
}

/// The server that each desk asks, where members change.
pub(super) fn entries(plan: &Plan, layout: &Layout, chain: &ChainPlan) -> Vec<(NodeId, NodeId)> {
    if chain.changes.is_empty() {
        return Vec::new();
    }
    let desks = layout.desks.iter().enumerate();
    desks
        .map(|(i, &desk)| (desk, layout.entry(plan, chain, i)))
        .collect()
}
