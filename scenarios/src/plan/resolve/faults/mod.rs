//! Faults: whom they hit.

mod changes;
mod clock;
mod disk;
mod kinds;
mod network;
mod operator;
mod process;
mod random;

use super::Planner;
use super::windows::{MAX_WINDOWS, Timing, Window};
use crate::plan::FaultPlan;
use crate::schema::{At, Fault, FaultKind};
use consim_core::values::Name;
use std::collections::BTreeMap;

impl Planner<'_> {
    pub(super) fn faults(&mut self) -> Option<BTreeMap<String, FaultPlan>> {
        let scenario = self.scenario;
        let mut out = BTreeMap::new();
        let mut whole = true;
        let mut entries: Vec<(At<Name>, Fault)> = Vec::new();
        for (name, fault) in &scenario.faults {
            let FaultKind::Random(random) = &fault.kind else {
                entries.push((name.clone(), fault.clone()));
                continue;
            };
            if !fault.common.enabled.value.0 {
                continue;
            }
            let windows = self.windows(&Timing::of_fault(name, &fault.common));
            match windows.and_then(|windows| self.draw_faults(name, random, &windows)) {
                Some(drawn) => entries.extend(drawn),
                None => whole = false,
            }
        }
        for (name, fault) in &entries {
            let kind = fault.plan(self, name);
            if !fault.common.enabled.value.0 {
                continue;
            }
            let windows = self.windows(&Timing::of_fault(name, &fault.common));
            let met = windows
                .as_ref()
                .and_then(|windows| self.meets(fault, windows));
            let (Some(kind), Some(windows), Some(())) = (kind, windows, met) else {
                whole = false;
                continue;
            };
            if out.len() + windows.len() > MAX_WINDOWS {
                let place = name.place.clone();
                let help = format!("at most {MAX_WINDOWS}; a longer `every`, or fewer entries");
                self.cx
                    .error("E107", &place, "too many occurrences of all faults", help);
                return None;
            }
            for (number, window) in windows {
                let id = match number {
                    0 => name.value.0.clone(),
                    n => format!("{}#{}", name.value.0, n + 1),
                };
                out.insert(
                    id,
                    FaultPlan {
                        from: window.from,
                        to: window.to,
                        kind: kind.clone(),
                    },
                );
            }
        }
        whole.then_some(out)
    }

    /// Where faults of disks may take the last copy of a block, nobody need come back from that.
    pub(super) fn judges_liveness(&mut self, faults: Option<&BTreeMap<String, FaultPlan>>) -> bool {
        let disks = |fault: &FaultPlan| fault.kind.disks();
        let judges = self.keeps_one_copy() || !faults.into_iter().flatten().any(|(_, f)| disks(f));
        if !judges {
            let note = "liveness is not judged: the last copy of a block may be lost";
            self.notes.push(note.into());
        }
        judges
    }
}
