//! What must hold of samples, judged online by rules of their own: nothing here asks the machine.

mod gaps;
mod kept;
mod once;
mod proofs;
mod summary;

pub use gaps::GapsReported;
pub use kept::SamplesKept;
pub use once::SamplesOnce;
pub use proofs::SampleProofs;
pub use summary::Summary;

use super::command::{Batch, Command};
use crate::orders::Command as _;
use crate::orders::past::InOrder;
use consim_core::{Probe, Receipt};
use std::collections::BTreeMap;

/// The batches in the block of `probe`, if it is the next one, with how they were received.
fn received(order: &mut InOrder, probe: &Probe) -> Vec<(Batch, Receipt)> {
    let Some(block) = order.next(probe) else {
        return Vec::new();
    };
    let txs = block.committed.batch.txs().iter().zip(&block.receipts);
    txs.filter_map(|(tx, receipt)| match Command::from_body(tx.body()) {
        Ok(Command::Anchor(batch)) => Some((batch, *receipt)),
        _ => None,
    })
    .collect()
}

/// The batches that the chain took.
fn taken(order: &mut InOrder, probe: &Probe) -> impl Iterator<Item = Batch> + use<> {
    let received = received(order, probe).into_iter();
    received.filter_map(|(batch, receipt)| (receipt == Receipt::Applied).then_some(batch))
}

/// Which numbers of a device came: where each run of them begins and ends.
#[derive(Clone, Debug, Default)]
struct Came {
    runs: BTreeMap<u64, u64>,
}

impl Came {
    /// `from` to before `to` come: had any of them come before?
    fn come(&mut self, from: u64, to: u64) -> bool {
        let before = self.runs.range(..to).next_back();
        let again = before.is_some_and(|(_, end)| *end > from);
        let (mut first, mut last) = (from, to);
        while let Some((&start, &end)) = self.runs.range(..=last).next_back() {
            if end < first {
                break;
            }
            self.runs.remove(&start);
            (first, last) = (first.min(start), last.max(end));
        }
        self.runs.insert(first, last);
        again
    }
    /// What is missing before the last: from, to before.
    fn missing(&self) -> Vec<(u64, u64)> {
        let ends = std::iter::once(0).chain(self.runs.values().copied());
        let gaps = ends.zip(self.runs.keys().copied());
        gaps.filter(|(from, to)| from < to).collect()
    }
    /// How many are missing right before `number`.
    fn missing_before(&self, number: u64) -> u64 {
        let before = self.runs.range(..number).next_back();
        number.saturating_sub(before.map_or(0, |(_, end)| *end))
    }
}
