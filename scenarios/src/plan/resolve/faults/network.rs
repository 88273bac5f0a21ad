//! Faults of the network.

use super::super::Planner;
use super::kinds::Plan;
use crate::schema::{At, Lossy, Partition, Slow};
use consim_core::values::Name;
use consim_kernel::config::{self as kernel, FaultKind, Target};

impl Plan for Partition {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let target = planner.target(&self.target)?;
        if let Target::Nodes(nodes) = &target
            && nodes.len() == planner.institutions.len()
        {
            let place = self.target.place.clone();
            planner.cx.error(
                "E308",
                &place,
                "a partition cuts some off from the rest; these are all",
                "name one side of the cut",
            );
            return None;
        }
        Some(FaultKind::Partition(kernel::Partition::new(target)))
    }
}

impl Plan for Lossy {
    fn plan(&self, planner: &mut Planner<'_>, name: &At<Name>) -> Option<FaultKind> {
        let lines = planner.fault_lines(
            name,
            self.target.as_ref(),
            self.between.as_ref(),
            self.from.as_ref(),
            self.to.as_ref(),
        )?;
        let rate_ppb = self.rate.value.0;
        Some(FaultKind::Loss(kernel::Loss {
            lines,
            rate_ppb,
            burst: None,
        }))
    }
}

impl Plan for Slow {
    fn plan(&self, planner: &mut Planner<'_>, name: &At<Name>) -> Option<FaultKind> {
        let lines = planner.fault_lines(
            name,
            self.target.as_ref(),
            self.between.as_ref(),
            self.from.as_ref(),
            self.to.as_ref(),
        )?;
        let add = self.add.distribution(planner.cx);
        Some(FaultKind::Delay(kernel::Delay { lines, add }))
    }
}
