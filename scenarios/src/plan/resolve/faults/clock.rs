//! Faults of clocks.

use super::super::Planner;
use super::kinds::Plan;
use crate::schema::shape::suggestion;
use crate::schema::{
    At, ClockBack, ClockDrift, ClockStep, ClockStrobe, ExpiryEdge, Leap, LeapKind, MoveTimeServer,
    Targets,
};
use consim_core::NodeId;
use consim_core::values::Name;
use consim_kernel::config::{self as kernel, FaultKind, Target};

/// What a clock is said to do, where an institution has none.
const WRONG: &str = "have a wrong clock";

impl Plan for ClockDrift {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let target = planner.servers(&self.target, WRONG)?;
        let ppb = self.rate.value.0;
        Some(FaultKind::ClockDrift(kernel::ClockDrift { target, ppb }))
    }
}

impl Plan for ClockStep {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let target = planner.servers(&self.target, WRONG)?;
        let by_ns = self.by.value.0;
        Some(FaultKind::ClockStep(kernel::ClockStep { target, by_ns }))
    }
}

impl Plan for ClockStrobe {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let target = planner.servers(&self.target, WRONG)?;
        if self.period.value.is_zero() {
            let place = self.period.place.clone();
            planner
                .cx
                .error("E107", &place, "a period of nothing", "for example 1s");
            return None;
        }
        Some(FaultKind::ClockStrobe(kernel::ClockStrobe {
            target,
            by_ns: self.by.value.0,
            period: self.period.value,
        }))
    }
}

impl Plan for ClockBack {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let target = planner.servers(&self.target, WRONG)?;
        let by_ns = i64::try_from(self.by.value.nanos()).unwrap_or(i64::MAX);
        Some(FaultKind::ClockBack(kernel::ClockBack { target, by_ns }))
    }
}

impl Plan for Leap {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let target = planner.servers(&self.target, WRONG)?;
        let kind = match self.kind.value {
            LeapKind::Second => kernel::LeapKind::Second,
            LeapKind::Dst => kernel::LeapKind::Dst,
        };
        Some(FaultKind::Leap(kernel::Leap { target, kind }))
    }
}

impl Plan for MoveTimeServer {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let target = planner.servers(&self.target, WRONG)?;
        planner.at_most_f(&target, &self.target)?;
        let by_ns = self.by.value.0;
        let kind = kernel::MoveTimeServer { target, by_ns };
        Some(FaultKind::MoveTimeServer(kind))
    }
}

impl Plan for ExpiryEdge {
    fn plan(&self, planner: &mut Planner<'_>, name: &At<Name>) -> Option<FaultKind> {
        let known: Vec<&str> = planner.sharing.keys().map(String::as_str).collect();
        let chain = match &self.service {
            Some(service) => planner.sharing.get(&service.value.0),
            None => planner.sharing.values().next(),
        };
        let Some(chain) = chain.cloned() else {
            if planner.doubt {
                return None;
            }
            let none = "services: { records: { data-sharing: {} } }".to_owned();
            let (place, message, help) = if let Some(service) = &self.service {
                let what = service.value.0.as_str();
                let message = format!("no service `{what}` whose consents could end");
                let help = match known.as_slice() {
                    [] => none,
                    known => suggestion(what, known),
                };
                (service.place.clone(), message, help)
            } else {
                let message = "no service whose consents could end".to_owned();
                (name.place.clone(), message, none)
            };
            planner.cx.error("E301", &place, message, help);
            return None;
        };
        let members = planner.chains.get(&chain).map(|c| c.members.as_slice());
        let nodes = members.unwrap_or_default();
        let nodes = nodes.iter().map(|&i| NodeId(i as u32)).collect();
        let target = Target::Nodes(nodes);
        Some(FaultKind::ExpiryEdge(kernel::ExpiryEdge { target }))
    }
}

impl Planner<'_> {
    /// An attacker moves at most f clocks of a chain.
    fn at_most_f(&mut self, target: &Target, targets: &Targets) -> Option<()> {
        let Target::Nodes(nodes) = target else {
            return Some(());
        };
        if self.doubt {
            return Some(());
        }
        let beyond = self.chains.iter().find_map(|(name, chain)| {
            let is_member = |n: &&NodeId| chain.members.contains(&n.index());
            let moved = nodes.iter().filter(is_member).count();
            (moved > chain.f).then(|| (name.clone(), chain.f, moved))
        });
        let Some((chain, f, moved)) = beyond else {
            return Some(());
        };
        self.cx.error(
            "E308",
            &targets.place,
            format!("the attacker moves at most f = {f} clocks of {chain}; these are {moved}"),
            format!("f of {chain}, or clock-step for clocks that are wrong by themselves"),
        );
        None
    }
}
