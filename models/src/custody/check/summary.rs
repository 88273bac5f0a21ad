//! What a report tells about custody.

use super::deeds;
use crate::custody::command::Deed;
use crate::custody::probe::CustodyProbe;
use crate::orders::past::InOrder;
use consim_core::{NodeId, Observer, Probe, Receipt, Time};
use std::collections::BTreeMap;

/// Counts of a run.
#[derive(Debug, Default)]
pub struct Summary {
    order: InOrder,
    done: [u64; 6],
    refused: BTreeMap<&'static str, u64>,
    traced: u64,
    counted: u64,
}

impl Summary {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Label and value, in the order of a report.
    pub fn rows(&self) -> Vec<(String, String)> {
        let [
            commissioned,
            handed_over,
            accepted,
            withdrawn,
            dispensed,
            decommissioned,
        ] = self.done;
        let row = |label: String, value: u64| (label, value.to_string());
        let mut rows: Vec<(String, String)> = [
            ("units commissioned", commissioned),
            ("hand-overs", handed_over),
            ("hand-overs accepted", accepted),
            ("hand-overs taken back", withdrawn),
            ("units dispensed", dispensed),
            ("units decommissioned", decommissioned),
            ("units looked up", self.traced),
            ("counts of all units", self.counted),
        ]
        .map(|(label, value)| row(label.to_owned(), value))
        .into();
        let refused = self.refused.iter();
        rows.extend(refused.map(|(reason, n)| row(format!("operations refused: {reason}"), *n)));
        rows
    }
}

impl Observer for Summary {
    fn probe(&mut self, _at: Time, _node: NodeId, probe: &Probe) {
        for (_, _, deed, receipt) in deeds(&mut self.order, probe) {
            let place = match deed {
                Deed::Commission => 0,
                Deed::HandOver { .. } => 1,
                Deed::Accept => 2,
                Deed::Withdraw => 3,
                Deed::Dispense => 4,
                Deed::Decommission => 5,
                Deed::Trace => continue,
            };
            match receipt {
                Receipt::Applied => {
                    if let Some(count) = self.done.get_mut(place) {
                        *count += 1;
                    }
                }
                Receipt::Refused(reason) => *self.refused.entry(reason).or_default() += 1,
                Receipt::Duplicate => {}
            }
        }
        match CustodyProbe::of(probe) {
            Some(CustodyProbe::Traced { .. }) => self.traced += 1,
            Some(CustodyProbe::Counted { .. }) => self.counted += 1,
            None => {}
        }
    }
}
