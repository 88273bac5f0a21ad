//! `conservation` (A3).

use super::deeds;
use crate::custody::command::Deed;
use crate::custody::probe::CustodyProbe;
use crate::custody::unit::Totals;
use crate::orders::past::{InOrder, Past};
use consim_core::{Check, Finding, NodeId, Observer, Probe, Receipt, Severity, Time};
use std::collections::BTreeMap;

/// Whenever somebody counts, the units that were commissioned are those that are held, dispensed or
/// decommissioned, and they are as many as were commissioned on the chain by then. A unit counts once
/// here, however often something is done to it.
#[derive(Debug, Default)]
pub struct Conservation {
    order: InOrder,
    /// How each unit that ended did so first; nothing of one that is held.
    units: BTreeMap<u64, Option<Deed>>,
    now: Totals,
    past: Past<Totals>,
    finding: Finding,
}

impl Conservation {
    /// A check of one chain.
    pub fn new() -> Self {
        Self::default()
    }

    fn done(&mut self, unit: u64, deed: Deed) {
        let known = self.units.get(&unit).copied();
        match (deed, known) {
            (Deed::Commission, None) => {
                self.now.commissioned += 1;
                self.now.held += 1;
                self.units.insert(unit, None);
            }
            (Deed::Dispense | Deed::Decommission, Some(None)) => {
                self.now.held -= 1;
                if deed == Deed::Dispense {
                    self.now.dispensed += 1;
                } else {
                    self.now.decommissioned += 1;
                }
                self.units.insert(unit, Some(deed));
            }
            _ => return,
        }
        self.past.set(self.order.height(), self.now);
    }

    fn told(&mut self, said: Totals, height: u64) {
        let Ok(there) = self.past.at(height) else {
            return;
        };
        let there = there.copied().unwrap_or_default();
        let sum = said.held + said.dispensed + said.decommissioned;
        let holds = said.commissioned == sum && said == there && height <= self.order.height();
        self.finding.judge(holds, || {
            format!("at height {height} a server counts {said:?}, and there are {there:?}")
        });
    }
}

impl Observer for Conservation {
    fn probe(&mut self, _at: Time, _node: NodeId, probe: &Probe) {
        for (_, unit, deed, receipt) in deeds(&mut self.order, probe) {
            if receipt == Receipt::Applied {
                self.done(unit, deed);
            }
        }
        if let Some(CustodyProbe::Counted { totals, height }) = CustodyProbe::of(probe) {
            self.told(*totals, *height);
        }
    }
}

impl Check for Conservation {
    fn name(&self) -> &'static str {
        "conservation"
    }
    fn code(&self) -> &'static str {
        "A3"
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "Whenever units are counted, as many are held, dispensed or decommissioned as were commissioned."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
    fn hears_sends(&self) -> bool {
        false
    }
}
