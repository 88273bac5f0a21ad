//! What may be asked of the times of blocks.

use super::layout::Layout;
use crate::plan::{ChainPlan, Plan};
use consim_check::invariants::TimePromise;
use consim_core::{ChainId, NodeId, Span};
use consim_kernel::config::Target;
use consim_models::consensus::tendermint::Synchrony;
use std::collections::{BTreeMap, BTreeSet};

/// The chains whose blocks have times with a meaning, and when the run starts.
pub(super) fn dated(plan: &Plan, layout: &Layout) -> BTreeMap<ChainId, i64> {
    let chains = plan.chains.iter();
    let dated = chains.filter(|(_, chain)| chain.options.time_promise().is_some());
    dated
        .filter_map(|(name, _)| Some((layout.chain(name)?, plan.start_ns)))
        .collect()
}

/// What the rule of a chain promises of the times of its blocks, if the plan sets no more clocks of its members
/// wrong than that bears.
pub(super) fn promise(
    plan: &Plan,
    layout: &Layout,
    chain: &ChainPlan,
    corrupt: &[NodeId],
) -> Option<TimePromise> {
    let rule = chain.options.time_promise()?;
    if wrong_clocks(plan, layout, chain, corrupt)? > chain.f {
        return None;
    }
    let members = chain
        .members
        .iter()
        .filter_map(|&i| plan.institutions.get(i));
    let off = members.map(|member| {
        let drift = u128::from(member.clock_drift_ppb.unsigned_abs());
        let drift = drift * u128::from(plan.duration.nanos()) / 1_000_000_000;
        let drift = u64::try_from(drift).unwrap_or(u64::MAX);
        member.clock_offset_ns.unsigned_abs().saturating_add(drift)
    });
    Some(TimePromise {
        start_ns: plan.start_ns,
        off: Span::from_nanos(off.max().unwrap_or(0)),
        ahead: rule.ahead,
        behind,
        delay: rule.delay,
        before: rule.before,
    })
}

/// How old a value may be that is timely in this round.
fn behind(promise: &TimePromise, round: u64) -> Span {
    let synchrony = Synchrony {
        precision: promise.ahead,
        message_delay: promise.delay,
    };
    synchrony.precision + synchrony.message_delay_in(round)
}

/// Members whose clocks are ever set wrong, or that an adversary has hold of, at most; `None`: any.
fn wrong_clocks(
    plan: &Plan,
    layout: &Layout,
    chain: &ChainPlan,
    corrupt: &[NodeId],
) -> Option<usize> {
    let members: BTreeSet<NodeId> = layout.servers_of(&chain.members).into_iter().collect();
    let corrupt = corrupt.iter().filter(|node| members.contains(node));
    let mut wrong: BTreeSet<NodeId> = corrupt.copied().collect();
    let mut leaders = 0;
    for fault in plan.faults.values().filter(|fault| fault.kind.clocks()) {
        for target in fault.kind.clone().targets() {
            match target {
                Target::Nodes(list) => {
                    let list: Vec<usize> = list.iter().map(|node| node.index()).collect();
                    let servers = layout.servers_of(&list).into_iter();
                    wrong.extend(servers.filter(|node| members.contains(node)));
                }
                Target::LeaderOf(_) => leaders += 1,
                Target::LeadersOf(_) => return None,
            }
        }
    }
    Some(wrong.len() + leaders)
}
