//! The state machine: units and who holds them.

use super::command::{Command, Deed};
use super::seeded;
use super::unit::{Life, TOTALS, Totals, unit_key};
use crate::orders::Command as _;
use crate::orders::message::{read, written};
use consim_core::machine::ApplyAt;
use consim_core::{NodeId, Receipt, State, StateMachine, Tx};
use std::sync::Arc;

/// Refused: the transaction is no command.
pub const MALFORMED: &str = "malformed";
/// Refused: its origin, or who is to take the unit, does not take part.
pub const NOT_ALLOWED: &str = "not allowed";
/// Refused: the serial was commissioned before.
pub const KNOWN: &str = "commissioned before";
/// Refused: nobody commissioned the unit.
pub const UNKNOWN: &str = "never commissioned";
/// Refused: the unit was dispensed or decommissioned.
pub const ENDED: &str = "its life is over";
/// Refused: the unit is not with who acts.
pub const NOT_HOLDER: &str = "not its holder";
/// Refused: the unit is handed over to somebody who may accept it yet.
pub const ON_ITS_WAY: &str = "handed over already";
/// Refused: the unit was not handed over, or to somebody else.
pub const NOT_OFFERED: &str = "not handed over";

/// The state machine of a custody service.
#[derive(Clone, Debug)]
pub struct CustodyMachine {
    members: Arc<[NodeId]>,
}

impl CustodyMachine {
    /// Custody among `members`.
    pub fn new(members: Arc<[NodeId]>) -> Self {
        Self { members }
    }

    fn unit(&self, state: &mut dyn State, who: NodeId, unit: u64, deed: Deed) -> Receipt {
        match self.next(state, who, unit, deed) {
            Ok(Some(life)) => {
                count(state, deed);
                state.put(&unit_key(unit), &written(&life));
                Receipt::Applied
            }
            Ok(None) => Receipt::Applied,
            Err(reason) => Receipt::Refused(reason),
        }
    }

    /// What `deed` of `who` makes of the unit; nothing if it stays as it is.
    fn next(
        &self,
        state: &dyn State,
        who: NodeId,
        unit: u64,
        deed: Deed,
    ) -> Result<Option<Life>, &'static str> {
        let life: Option<Life> = read(state.get(&unit_key(unit)).as_deref());
        let (holder, offered) = match (deed, life) {
            (Deed::Trace, _) => return Ok(None),
            (Deed::Commission, None) => return Ok(Some(held(who))),
            (Deed::Commission, Some(_)) => return Err(KNOWN),
            (_, None) => return Err(UNKNOWN),
            (_, Some(Life::Held { holder, offered })) => (holder, offered),
            (Deed::Dispense, Some(Life::Dispensed)) if seeded::on(&seeded::DISPENSED_AGAIN) => {
                return Ok(Some(Life::Dispensed));
            }
            (_, Some(Life::Dispensed | Life::Decommissioned)) => return Err(ENDED),
        };
        let next = match deed {
            Deed::Accept if offered != Some(who) => return Err(NOT_OFFERED),
            Deed::Accept => return Ok(Some(held(who))),
            Deed::HandOver { to } if seeded::on(&seeded::HANDED_OVER_BY_ANYBODY) => Life::Held {
                holder,
                offered: Some(to),
            },
            _ if holder != who => return Err(NOT_HOLDER),
            Deed::Withdraw if offered.is_none() => return Err(NOT_OFFERED),
            Deed::Withdraw => held(who),
            _ if offered.is_some() => return Err(ON_ITS_WAY),
            Deed::HandOver { to } if to == who || !self.members.contains(&to) => {
                return Err(NOT_ALLOWED);
            }
            Deed::HandOver { to } => Life::Held {
                holder,
                offered: Some(to),
            },
            Deed::Dispense => Life::Dispensed,
            Deed::Decommission => Life::Decommissioned,
            Deed::Commission | Deed::Trace => return Ok(None),
        };
        Ok(Some(next))
    }
}

fn held(holder: NodeId) -> Life {
    Life::Held {
        holder,
        offered: None,
    }
}

/// Keeps the totals.
fn count(state: &mut dyn State, deed: Deed) {
    let mut totals: Totals = read(state.get(TOTALS).as_deref()).unwrap_or_default();
    match deed {
        Deed::Commission => {
            totals.commissioned += 1;
            totals.held += 1;
        }
        Deed::Dispense => {
            totals.held = totals.held.saturating_sub(1);
            totals.dispensed += 1;
        }
        Deed::Decommission => {
            if !seeded::on(&seeded::STOCK_NOT_BOOKED_OUT) {
                totals.held = totals.held.saturating_sub(1);
            }
            totals.decommissioned += 1;
        }
        Deed::HandOver { .. } | Deed::Accept | Deed::Withdraw | Deed::Trace => return,
    }
    state.put(TOTALS, &written(&totals));
}

impl StateMachine for CustodyMachine {
    fn name(&self) -> &'static str {
        "custody"
    }
    fn genesis(&self, _state: &mut dyn State) {}
    fn apply(&self, state: &mut dyn State, tx: &Tx, _at: ApplyAt) -> Receipt {
        let who = tx.id().origin;
        if !self.members.contains(&who) {
            return Receipt::Refused(NOT_ALLOWED);
        }
        match Command::from_body(tx.body()) {
            Ok(Command::Unit { unit, deed }) => self.unit(state, who, unit, deed),
            Ok(Command::Count) => Receipt::Applied,
            Err(_) => Receipt::Refused(MALFORMED),
        }
    }
}
