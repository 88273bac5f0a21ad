//! The heal: when the faults stop, for whom, and what stays broken for good.

use super::Planner;
use crate::plan::{ChainPlan, FaultPlan, HealPlan};
use crate::schema::{At, Auto, Core, Drawn, Leaf, Targets};
use consim_core::Time;
use consim_core::values::Value as _;
use consim_kernel::config::{FaultKind, Target};
use consim_models::consensus;
use std::collections::BTreeMap;

impl Planner<'_> {
    /// When the faults stop. Windows that go on are cut there; outside of the core they stay to the
    /// end of the run. `None` if nothing is to be healed, or a fault lasts as long as the run.
    pub(super) fn heal(
        &mut self,
        chains: &BTreeMap<String, ChainPlan>,
        faults: &mut BTreeMap<String, FaultPlan>,
    ) -> Option<HealPlan> {
        let scenario = self.scenario;
        let end = Time::ZERO + self.duration;
        let broken = self.outside_core(chains)?;
        #[expect(clippy::single_match_else, reason = "two ways to say when")]
        let at = match &scenario.heal.at {
            Some(at) => {
                let healed = self.instant(&at.value, &at.place)?;
                if healed >= end {
                    let text = format!("the run is over at {}", self.duration);
                    let help = "an earlier heal, or a longer duration";
                    self.cx.error("E402", &at.place, text, help);
                    return None;
                }
                healed
            }
            None => {
                let ends = faults.values().map(|fault| fault.to);
                ends.max().filter(|last| *last < end)?
            }
        };
        let mut stays = Vec::new();
        for (name, fault) in faults.iter_mut() {
            if fault.from >= at {
                self.notes.push(format!(
                    "{name} would begin after the heal at {at}: left out"
                ));
                continue;
            }
            if fault.to < at {
                continue;
            }
            if fault.to > at {
                self.notes.push(format!(
                    "{name} is cut by the heal at {at}, it would end at {}",
                    fault.to
                ));
                fault.to = at;
            }
            if let Some(kind) = outside(&fault.kind, &broken) {
                let (from, to) = (at, end);
                let name = format!("{name}, for good");
                stays.push((name, FaultPlan { from, to, kind }));
            }
        }
        faults.retain(|_, fault| fault.from < at);
        faults.extend(stays);
        Some(HealPlan {
            at,
            broken,
            auto: matches!(scenario.heal.bound.value, Auto::Auto),
        })
    }

    /// The members that are not in the core.
    fn outside_core(&mut self, chains: &BTreeMap<String, ChainPlan>) -> Option<Vec<usize>> {
        let scenario = self.scenario;
        let members = chains
            .values()
            .flat_map(|chain| chain.members.iter().copied());
        let members: Vec<usize> = members.collect();
        if matches!(&scenario.heal.core, Core::Nodes(targets) if is_all(targets)) {
            // However it is written, everybody is the default.
            let of_core = |leaf: &&mut Leaf| leaf.path.starts_with(&["heal".into(), "core".into()]);
            let leaves = self.cx.leaves.iter_mut().filter(of_core);
            leaves.for_each(|leaf| leaf.default = true);
            return Some(Vec::new());
        }
        let core = match &scenario.heal.core {
            Core::Nodes(targets) => self.nodes(targets)?,
            Core::Quorum(At {
                value: Drawn::Random,
                ..
            }) => {
                // Of those who are members in the end.
                let quorum = |chain: &ChainPlan| {
                    let entry = consensus::entry(&chain.protocol)?;
                    Some((entry.quorum)(chain.last_members().len()))
                };
                let quorum = chains.values().filter_map(quorum).max()?;
                let key = |&i: &usize| {
                    let name = self.institutions.get(i).map_or("", |x| x.name.as_str());
                    self.bits(&format!("heal.core/{name}"), 0)
                };
                let last = chains.values().flat_map(ChainPlan::last_members);
                let mut drawn: Vec<usize> = last.collect();
                drawn.sort_by_key(key);
                drawn.truncate(quorum);
                drawn
            }
        };
        let broken: Vec<usize> = members.into_iter().filter(|i| !core.contains(i)).collect();
        if !broken.is_empty() {
            let name = |&i: &usize| self.institutions.get(i).map(|x| x.name.clone());
            let names: Vec<String> = broken.iter().filter_map(name).collect();
            let text = format!("not in the core: {}", names.join(", "));
            let place = scenario.heal.bound.place.clone();
            self.derived(&["heal", "core"], text, &place);
        }
        Some(broken)
    }
}

/// Everybody?
fn is_all(targets: &Targets) -> bool {
    matches!(targets.list.as_slice(), [(only, _)] if only.text() == "all")
}

/// What is left of a fault when all but `broken` are healed; `None` if nothing. Who leads is not
/// known before the run, so a fault of the leader heals.
fn outside(kind: &FaultKind, broken: &[usize]) -> Option<FaultKind> {
    let mut kind = kind.clone();
    let mut any = false;
    for target in kind.targets() {
        let Target::Nodes(nodes) = target else {
            return None;
        };
        nodes.retain(|institution| broken.contains(&institution.index()));
        any |= !nodes.is_empty();
    }
    any.then_some(kind)
}
