//! Faults of processes.

use super::super::Planner;
use super::kinds::Plan;
use crate::schema::{
    At, Crash, ExhaustMemory, Lost, MixedVersions, Pause, Restart, RollingRestart, SlowCpu,
    SlowWork,
};
use consim_core::values::Name;
use consim_kernel::config::{self as kernel, FaultKind, Target};

impl Plan for Crash {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let target = planner.servers(&self.target, "crash")?;
        let restart = match &self.restart {
            Restart::Keep(_) => kernel::Restart::Keep,
            Restart::Empty(_) => kernel::Restart::Empty,
            Restart::Snapshot(snapshot) => kernel::Restart::Snapshot(snapshot.age.value),
            Restart::DiskOf(disk) => {
                let other = planner.servers(&disk.node, "be copied")?;
                if matches!(&other, Target::Nodes(nodes) if nodes.len() != 1) {
                    let place = disk.node.place.clone();
                    planner.cx.error(
                        "E308",
                        &place,
                        "the disk of one node is copied",
                        "disk-of: 1 of community",
                    );
                    return None;
                }
                kernel::Restart::DiskOf(other)
            }
        };
        let lose = match self.lose.value {
            Lost::Unsynced => kernel::Lose::Unsynced,
            Lost::Nothing => kernel::Lose::Nothing,
            Lost::All => kernel::Lose::All,
        };
        if self.hit.value.0 == 0 {
            let place = self.hit.place.clone();
            planner
                .cx
                .error("E107", &place, "passes are counted from 1", "hit: 1");
            return None;
        }
        let point = self.point.as_ref().map(|at| kernel::At {
            point: at.value.0,
            hit: self.hit.value.0,
        });
        Some(FaultKind::Crash(kernel::Crash {
            target,
            restart,
            lose,
            point,
        }))
    }
}

impl Plan for Pause {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let target = planner.servers(&self.target, "stand still")?;
        Some(FaultKind::Pause(kernel::Pause { target }))
    }
}

impl Plan for SlowCpu {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let target = planner.servers(&self.target, "be slow")?;
        Some(FaultKind::SlowCpu(kernel::SlowCpu {
            target,
            by_permille: u64::from(self.by.value.0),
            only: match self.only.value {
                SlowWork::All => kernel::Slowed::All,
                SlowWork::Verify => kernel::Slowed::Verify,
                SlowWork::Apply => kernel::Slowed::Apply,
            },
        }))
    }
}

impl Plan for ExhaustMemory {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let target = planner.servers(&self.target, "run out of memory")?;
        let cap = self.cap.value.0;
        Some(FaultKind::ExhaustMemory(kernel::ExhaustMemory {
            target,
            cap,
        }))
    }
}

impl Plan for RollingRestart {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let target = planner.servers(&self.target, "be restarted")?;
        if self.gap.value.is_zero() {
            let place = self.gap.place.clone();
            planner
                .cx
                .error("E107", &place, "no gap between restarts", "for example 20s");
            return None;
        }
        Some(FaultKind::RollingRestart(kernel::RollingRestart {
            target,
            gap: self.gap.value,
            down: self.down.value,
            storm: self.storm.value.0,
        }))
    }
}

impl Plan for MixedVersions {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let target = planner.servers(&self.target, "be upgraded")?;
        Some(FaultKind::MixedVersions(kernel::MixedVersions {
            target,
            to: self.to.value.0.0,
            gap: self.gap.value,
        }))
    }
}
