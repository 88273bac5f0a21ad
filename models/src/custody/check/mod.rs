//! What must hold of units, judged online by rules of their own: nothing here asks the machine.

mod conservation;
mod serial;
mod single;
mod summary;

pub use conservation::Conservation;
pub use serial::SerialUniqueness;
pub use single::SingleCustody;
pub use summary::Summary;

use super::command::{Command, Deed};
use crate::orders::Command as _;
use crate::orders::past::InOrder;
use consim_core::{NodeId, Probe, Receipt};

/// What happened to units in the block of `probe`, if it is the next one: who did what to which,
/// with how it was received.
fn deeds(order: &mut InOrder, probe: &Probe) -> Vec<(NodeId, u64, Deed, Receipt)> {
    let Some(block) = order.next(probe) else {
        return Vec::new();
    };
    let txs = block.committed.batch.txs().iter().zip(&block.receipts);
    txs.filter_map(|(tx, receipt)| match Command::from_body(tx.body()) {
        Ok(Command::Unit { unit, deed }) => Some((tx.id().origin, unit, deed, *receipt)),
        _ => None,
    })
    .collect()
}
