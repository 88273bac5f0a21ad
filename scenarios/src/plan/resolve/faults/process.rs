//! Faults of processes.

use super::super::Planner;
use super::kinds::Plan;
use crate::schema::{At, Crash, Restart};
use consim_core::values::Name;
use consim_kernel::config::{self as kernel, FaultKind};

impl Plan for Crash {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let Restart::Keep(_) = self.restart;
        let target = planner.servers(&self.target, "crash")?;
        Some(FaultKind::Crash(kernel::Crash::new(target)))
    }
}
