//! `single-custody` (A3).

use super::deeds;
use crate::custody::command::Deed;
use crate::custody::probe::CustodyProbe;
use crate::custody::unit::Life;
use crate::orders::past::{Forgotten, InOrder, Past};
use consim_core::{Check, Finding, NodeId, Observer, Probe, Receipt, Severity, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Who has a unit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Hands {
    /// All who may take themselves for its holder.
    holders: BTreeSet<NodeId>,
    /// Who hands it over to whom.
    offer: Option<(NodeId, NodeId)>,
}

/// Each unit has at most one holder at any height; a change of holder was handed over by who held it
/// and accepted by who was meant; and a server that is asked names the holder.
#[derive(Debug, Default)]
pub struct SingleCustody {
    order: InOrder,
    units: BTreeMap<u64, Past<Hands>>,
    finding: Finding,
}

impl SingleCustody {
    /// A check of one chain.
    pub fn new() -> Self {
        Self::default()
    }

    /// `who` did `deed`, and the chain took it.
    fn done(&mut self, who: NodeId, unit: u64, deed: Deed) {
        let height = self.order.height();
        let past = self.units.entry(unit).or_default();
        let mut hands = past.now().cloned().unwrap_or_default();
        let has = hands.holders.contains(&who);
        let wrong = match deed {
            Deed::Trace => return,
            Deed::Commission => {
                hands.holders.insert(who);
                None
            }
            Deed::HandOver { to } => {
                hands.offer = Some((who, to));
                (!has).then_some("hands over what it does not hold")
            }
            Deed::Withdraw => {
                let meant = hands.offer.take().is_some_and(|(from, _)| from == who);
                (!has || !meant).then_some("takes back what it did not hand over")
            }
            Deed::Accept => {
                let offer = hands.offer.take();
                if let Some((from, _)) = offer {
                    hands.holders.remove(&from);
                }
                hands.holders.insert(who);
                let meant = offer.is_some_and(|(_, to)| to == who);
                (!meant).then_some("accepts what was not handed over to it")
            }
            Deed::Dispense | Deed::Decommission => {
                hands.holders.remove(&who);
                (!has).then_some("ends what it does not hold")
            }
        };
        let one = hands.holders.len() <= 1;
        self.finding.judge(one && wrong.is_none(), || {
            let holders = &hands.holders;
            match wrong {
                Some(wrong) => format!("unit {unit} at height {height}: {who:?} {wrong}"),
                None => format!("unit {unit} at height {height} has holders: {holders:?}"),
            }
        });
        past.set(height, hands);
    }

    /// A server says at `height` where the unit is.
    fn told(&mut self, unit: u64, life: Option<Life>, height: u64) {
        let past = self.units.get(&unit);
        let hands = match past.map(|past| past.at(height)) {
            None | Some(Ok(None)) => None,
            Some(Ok(Some(hands))) => Some(hands),
            Some(Err(Forgotten)) => return,
        };
        let said: BTreeSet<NodeId> = match life {
            Some(Life::Held { holder, .. }) => [holder].into(),
            Some(Life::Dispensed | Life::Decommissioned) | None => BTreeSet::new(),
        };
        let holds = height <= self.order.height()
            && life.is_some() == hands.is_some()
            && hands.is_none_or(|hands| hands.holders == said);
        self.finding.judge(holds, || {
            format!("unit {unit} at height {height}: a server says {life:?}, and it is {hands:?}")
        });
    }
}

impl Observer for SingleCustody {
    fn probe(&mut self, _at: Time, _node: NodeId, probe: &Probe) {
        for (who, unit, deed, receipt) in deeds(&mut self.order, probe) {
            if receipt == Receipt::Applied {
                self.done(who, unit, deed);
            }
        }
        if let Some(CustodyProbe::Traced { unit, life, height }) = CustodyProbe::of(probe) {
            self.told(*unit, *life, *height);
        }
    }
}

impl Check for SingleCustody {
    fn name(&self) -> &'static str {
        "single-custody"
    }
    fn code(&self) -> &'static str {
        "A3"
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "Each unit has at most one holder at any height, and changes hands only from its holder to whoever accepts what was handed over to them."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
    fn hears_sends(&self) -> bool {
        false
    }
}
