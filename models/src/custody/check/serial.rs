//! `serial-uniqueness` (A4).

use super::deeds;
use crate::custody::command::Deed;
use crate::orders::past::InOrder;
use consim_core::{Check, Finding, NodeId, Observer, Probe, Receipt, Severity, Time};
use std::collections::BTreeMap;

/// Each serial is commissioned once, nothing happens to a unit before, and nothing after it was
/// dispensed or decommissioned.
#[derive(Debug, Default)]
pub struct SerialUniqueness {
    order: InOrder,
    /// Since when each unit is there, and until when.
    lives: BTreeMap<u64, (u64, Option<u64>)>,
    finding: Finding,
}

impl SerialUniqueness {
    /// A check of one chain.
    pub fn new() -> Self {
        Self::default()
    }

    fn done(&mut self, unit: u64, deed: Deed) {
        let height = self.order.height();
        let life = self.lives.get(&unit).copied();
        let holds = match (deed, life) {
            (Deed::Trace, _) => return,
            (Deed::Commission, before) => before.is_none(),
            (_, Some((_, ended))) => ended.is_none(),
            (_, None) => false,
        };
        self.finding.judge(holds, || match life {
            Some((since, Some(until))) => {
                format!("unit {unit}: {deed:?} at height {height}, there from {since} to {until}")
            }
            Some((since, None)) => {
                format!("unit {unit}: {deed:?} at height {height}, there since {since}")
            }
            None => format!("unit {unit}: {deed:?} at height {height}, never commissioned"),
        });
        let (_, ended) = self.lives.entry(unit).or_insert((height, None));
        if matches!(deed, Deed::Dispense | Deed::Decommission) {
            ended.get_or_insert(height);
        }
    }
}

impl Observer for SerialUniqueness {
    fn probe(&mut self, _at: Time, _node: NodeId, probe: &Probe) {
        for (_, unit, deed, receipt) in deeds(&mut self.order, probe) {
            if receipt == Receipt::Applied {
                self.done(unit, deed);
            }
        }
    }
}

impl Check for SerialUniqueness {
    fn name(&self) -> &'static str {
        "serial-uniqueness"
    }
    fn code(&self) -> &'static str {
        "A4"
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "Each serial is commissioned once, and dispensed or decommissioned at most once; nothing happens to a unit before or after."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
    fn hears_sends(&self) -> bool {
        false
    }
}
