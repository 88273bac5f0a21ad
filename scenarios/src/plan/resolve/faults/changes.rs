//! Faults around changes of the members: a cut, and two at a time.

use super::super::Planner;
use super::super::windows::{Timing, Window};
use super::kinds::Plan;
use crate::schema::shape::suggestion;
use crate::schema::{At, Change, CutChange, DoubleChange, Fault, FaultKind, Scenario};
use consim_core::values::Name;
use consim_kernel::config::{self as kernel, FaultKind as Planned, Target};

impl Plan for CutChange {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<Planned> {
        let target = planner.target(&self.target)?;
        planner.change_called(&self.change)?;
        if matches!(&target, Target::Nodes(nodes) if nodes.len() == planner.institutions.len()) {
            let place = self.target.place.clone();
            planner.cx.error(
                "E308",
                &place,
                "a cut leaves some out; these are all",
                "name one side of the cut",
            );
            return None;
        }
        Some(Planned::Partition(kernel::Partition {
            change: Some(self.change.value.0.clone()),
            ..kernel::Partition::new(target)
        }))
    }
}

impl Plan for DoubleChange {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<Planned> {
        let (_, first) = planner.change_called(&self.change)?;
        let (_, second) = planner.change_called(&self.second)?;
        let of_members = |change: &Change| change.kind.of_members();
        if self.change.value == self.second.value || of_members(first) != of_members(second) {
            let place = self.second.place.clone();
            planner.cx.error(
                "E409",
                &place,
                "two changes, both of the members or both of whom they believe",
                "the name of another change",
            );
            return None;
        }
        Some(Planned::DoubleChange(kernel::DoubleChange {
            first: self.change.value.0.clone(),
            second: self.second.value.0.clone(),
        }))
    }
}

/// The changes that a fault has to meet.
fn met(fault: &Fault) -> Vec<&At<Name>> {
    match &fault.kind {
        FaultKind::CutChange(keys) => vec![&keys.change],
        FaultKind::DoubleChange(keys) => vec![&keys.change, &keys.second],
        _ => Vec::new(),
    }
}

impl<'a> Planner<'a> {
    /// The change of this name.
    fn change_called(&mut self, name: &At<Name>) -> Option<(&'a At<Name>, &'a Change)> {
        let scenario: &'a Scenario = self.scenario;
        let mut changes = scenario.changes.iter();
        if let Some((name, change)) = changes.find(|(n, _)| n.value == name.value) {
            return Some((name, change));
        }
        if !self.cx.is_broken(&name.value.0) {
            let known = scenario.changes.iter().map(|(n, _)| n.value.0.as_str());
            let known: Vec<&str> = known.collect();
            self.cx.error(
                "E301",
                &name.place,
                format!("no change is called `{}`", name.value.0),
                suggestion(&name.value.0, &known),
            );
        }
        None
    }

    /// The changes that a fault is about are asked for in one of its windows.
    pub(super) fn meets(&mut self, fault: &Fault, windows: &[(u64, Window)]) -> Option<()> {
        for name in met(fault) {
            let (called, change) = self.change_called(name)?;
            let at = self.moment(&Timing::of_change(called, &change.common))?;
            if windows.iter().any(|(_, w)| w.from <= at && at < w.to) {
                continue;
            }
            let asked = at.since(consim_core::Time::ZERO);
            self.cx.error(
                "E409",
                &name.place,
                format!(
                    "`{}` is asked for at {asked}, outside of this fault",
                    name.value.0
                ),
                format!("at: {}", name.value.0),
            );
            return None;
        }
        Some(())
    }

    /// Does a fault make this change one that waits for no other?
    pub(in super::super) fn is_doubled(&self, name: &Name) -> bool {
        let mut faults = self.scenario.faults.iter().map(|(_, fault)| fault);
        faults.any(|fault| {
            let doubles =
                matches!(&fault.kind, FaultKind::DoubleChange(keys) if keys.second.value == *name);
            doubles && fault.common.enabled.value.0
        })
    }
}
