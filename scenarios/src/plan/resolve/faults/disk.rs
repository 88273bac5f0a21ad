//! Faults of disks.

use super::super::Planner;
use super::kinds::Plan;
use crate::schema::{
    At, BitRot, DiskFull, During, Lie, LostWrites, LyingFsync, Misdirect, Rollback, SlowDisk,
    ThenFull, TornWrite, WhichLost,
};
use consim_core::values::Name;
use consim_kernel::config::{self as kernel, FaultKind};

/// What a disk is said to do, where an institution has none.
const AIL: &str = "ail";

impl From<During> for kernel::During {
    fn from(during: During) -> Self {
        match during {
            During::Read => Self::Read,
            During::Write => Self::Write,
        }
    }
}

impl Plan for LostWrites {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let which = match self.which.value {
            WhichLost::Suffix => kernel::WhichLost::Suffix,
            WhichLost::Random => kernel::WhichLost::Random,
        };
        let target = planner.servers(&self.target, AIL)?;
        Some(FaultKind::LostWrites(kernel::LostWrites { target, which }))
    }
}

impl Plan for TornWrite {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        Some(FaultKind::TornWrite(kernel::TornWrite {
            target: planner.servers(&self.target, AIL)?,
            sector: planner.some_bytes(&self.sector, "a sector")?,
            share_ppb: self.share.value.0,
        }))
    }
}

impl Plan for BitRot {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        Some(FaultKind::BitRot(kernel::BitRot {
            target: planner.servers(&self.target, AIL)?,
            during: self.during.value.into(),
            rate_ppb: self.rate.value.0,
            keep_one: planner.keeps_one_copy(),
        }))
    }
}

impl Plan for Misdirect {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        Some(FaultKind::Misdirect(kernel::Misdirect {
            target: planner.servers(&self.target, AIL)?,
            during: self.during.value.into(),
            rate_ppb: self.rate.value.0,
            keep_one: planner.keeps_one_copy(),
        }))
    }
}

impl Plan for LyingFsync {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let how = match self.how.value {
            Lie::Silent => kernel::Lie::Silent,
            Lie::Error => kernel::Lie::Error,
        };
        Some(FaultKind::LyingFsync(kernel::LyingFsync {
            target: planner.servers(&self.target, AIL)?,
            how,
            rate_ppb: self.rate.value.0,
            keep_one: planner.keeps_one_copy(),
        }))
    }
}

impl Plan for DiskFull {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let then = match self.then.value {
            ThenFull::Full => kernel::ThenFull::Full,
            ThenFull::ReadOnly => kernel::ThenFull::ReadOnly,
        };
        Some(FaultKind::DiskFull(kernel::DiskFull {
            target: planner.servers(&self.target, AIL)?,
            after: self.after.value.0,
            then,
        }))
    }
}

impl Plan for SlowDisk {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        Some(FaultKind::SlowDisk(kernel::SlowDisk {
            target: planner.servers(&self.target, AIL)?,
            add: self.add.distribution(planner.cx),
        }))
    }
}

impl Plan for Rollback {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        Some(FaultKind::Rollback(kernel::Rollback {
            target: planner.servers(&self.target, "be rolled back")?,
            age: self.age.value,
            keep_one: planner.keeps_one_copy(),
        }))
    }
}
