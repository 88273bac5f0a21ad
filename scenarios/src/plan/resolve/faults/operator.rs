//! Mistakes of operators.

use super::super::Planner;
use super::kinds::Plan;
use crate::schema::{
    At, DuplicateKey, EarlyPrune, ExpiredCertificate, Invalid, OldBackup, ShortTimeouts, Targets,
    Wipe, WrongGenesis, WrongQuorum, WrongZone,
};
use consim_core::values::Name;
use consim_kernel::config::{self as kernel, FaultKind, Mistake, Target};

fn operator(planner: &mut Planner<'_>, targets: &Targets, mistake: Mistake) -> Option<FaultKind> {
    let target = planner.servers(targets, "be set up wrongly")?;
    Some(FaultKind::Operator(kernel::Operator { target, mistake }))
}

impl Plan for WrongQuorum {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let by = self.by.value.0;
        operator(planner, &self.target, Mistake::WrongQuorum { by })
    }
}

impl Plan for DuplicateKey {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let with = planner.servers(&self.with, "be copied")?;
        if !matches!(&with, Target::Nodes(nodes) if nodes.len() == 1) {
            let place = self.with.place.clone();
            planner.cx.error(
                "E308",
                &place,
                "the key of one node is copied",
                "with: 1 of community",
            );
            return None;
        }
        operator(planner, &self.target, Mistake::DuplicateKey { with })
    }
}

impl Plan for WrongGenesis {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        operator(planner, &self.target, Mistake::WrongGenesis)
    }
}

impl Plan for ShortTimeouts {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let to = self.to.value;
        operator(planner, &self.target, Mistake::ShortTimeouts { to })
    }
}

impl Plan for ExpiredCertificate {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let why = match self.how {
            Invalid::Expired(_) => kernel::Invalid::Expired,
            Invalid::Revoked(_) => kernel::Invalid::Revoked,
            Invalid::NewAuthority(_) => kernel::Invalid::NewAuthority,
        };
        // Certificates are issued before the run, with their last day.
        planner.nodes_quietly(&self.target)?;
        operator(planner, &self.target, Mistake::Certificate(why))
    }
}

impl Plan for EarlyPrune {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let keep = self.keep.value.0;
        operator(planner, &self.target, Mistake::EarlyPrune { keep })
    }
}

impl Plan for WrongZone {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let target = planner.servers(&self.target, "have a clock")?;
        let by_ns = self.by.value.0;
        Some(FaultKind::WrongZone(kernel::WrongZone { target, by_ns }))
    }
}

impl Plan for OldBackup {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let target = planner.servers(&self.target, "be put back")?;
        let age = self.age.value;
        Some(FaultKind::OldBackup(kernel::OldBackup { target, age }))
    }
}

impl Plan for Wipe {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let target = planner.servers(&self.target, "be wiped")?;
        Some(FaultKind::Wipe(kernel::Wipe { target }))
    }
}
