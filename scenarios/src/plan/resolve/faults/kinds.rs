//! From the options of a fault to what the kernel is told, with its targets looked up.

use super::super::Planner;
use crate::plan::Who;
use crate::schema::{At, Fault, FaultKind, Lines, Pair, Targets};
use consim_core::values::Name;
use consim_core::{ChainId, NodeId};
use consim_kernel::config::{self as kernel, Target};
use std::collections::BTreeSet;

/// What the options of a kind of fault come to.
pub(super) trait Plan {
    /// `None` if something is wrong, which the planner's context then knows.
    fn plan(&self, planner: &mut Planner<'_>, name: &At<Name>) -> Option<kernel::FaultKind>;
}

impl Plan for Fault {
    fn plan(&self, planner: &mut Planner<'_>, name: &At<Name>) -> Option<kernel::FaultKind> {
        let kind: &dyn Plan = match &self.kind {
            FaultKind::Crash(options) => options,
            FaultKind::Partition(options) => options,
            FaultKind::Loss(options) => options,
            FaultKind::Delay(options) => options,
        };
        kind.plan(planner, name)
    }
}

/// The numbers of institutions stand for nodes until the layout puts nodes in their place.
fn stand_ins(institutions: &[usize]) -> Vec<NodeId> {
    institutions.iter().map(|&i| NodeId(i as u32)).collect()
}

impl Planner<'_> {
    /// Whom a fault hits.
    pub(super) fn target(&mut self, targets: &Targets) -> Option<Target> {
        let who = self.who(targets)?;
        Some(self.target_of(&who))
    }

    fn target_of(&self, who: &Who) -> Target {
        match who {
            Who::Institutions(list) => Target::Nodes(stand_ins(list)),
            Who::LeaderOf(chain) => {
                let number = self.chains.keys().position(|name| name == chain);
                Target::LeaderOf(ChainId(number.unwrap_or(0) as u16))
            }
        }
    }

    /// Whom a fault of processes hits: only a node can crash, and an institution that takes no
    /// part in a chain has none.
    pub(super) fn servers(&mut self, targets: &Targets, done: &str) -> Option<Target> {
        let who = self.who(targets)?;
        if let Who::Institutions(nodes) = &who
            && !self.doubt
        {
            let members: BTreeSet<usize> = self
                .chains
                .values()
                .flat_map(|c| c.members.clone())
                .collect();
            let outsider = nodes.iter().find(|n| !members.contains(n));
            if let Some(outsider) = outsider.and_then(|&i| self.institutions.get(i)) {
                let name = outsider.name.clone();
                self.cx.error(
                    "E308",
                    &targets.place,
                    format!("{name} runs no node of a chain, so nothing of it can {done}"),
                    "leave it out, or make it a member",
                );
                return None;
            }
        }
        Some(self.target_of(&who))
    }

    /// Which lines a link fault hits: of a target, between two sets, or from one to another.
    pub(super) fn fault_lines(
        &mut self,
        name: &At<Name>,
        target: Option<&Targets>,
        between: Option<&Pair>,
        from: Option<&Targets>,
        to: Option<&Targets>,
    ) -> Option<kernel::Lines> {
        let lines = match (target, between, from, to) {
            (Some(target), None, None, None) => Lines::Of(target),
            (None, Some(pair), None, None) => Lines::Between(pair),
            (None, None, Some(from), Some(to)) => Lines::FromTo(from, to),
            _ => {
                let place = name.place.clone();
                self.cx.error(
                    "E211",
                    &place,
                    "which lines? a fault of lines has a target, or `between`, or `from` and `to`",
                    "target: 3 of community; between: [tertiary, community]; or from: tertiary, to: all",
                );
                return None;
            }
        };
        Some(match lines {
            Lines::Of(target) => kernel::Lines::Of(self.target(target)?),
            Lines::FromTo(from, to) => kernel::Lines::FromTo(self.target(from)?, self.target(to)?),
            Lines::Between(pair) => {
                let (a, b) = (self.nodes_quietly(&pair.0)?, self.nodes_quietly(&pair.1)?);
                if let Some(leaf) = self.cx.leaves.get_mut(pair.0.leaf) {
                    leaf.digest = Some(format!("{a:?} {b:?}"));
                }
                kernel::Lines::Between(Target::Nodes(stand_ins(&a)), Target::Nodes(stand_ins(&b)))
            }
        })
    }

    /// The nodes of one side of a pair, whose line the plan already has.
    pub(crate) fn nodes_quietly(&mut self, targets: &Targets) -> Option<Vec<usize>> {
        let leaf = self.cx.leaves.get(targets.leaf).cloned();
        let nodes = self.nodes(targets);
        if let (Some(old), Some(slot)) = (leaf, self.cx.leaves.get_mut(targets.leaf)) {
            *slot = old;
        }
        nodes
    }
}
