//! The state machine: batches, which samples they hold, and which numbers there are.

use super::command::{Batch, Command, batch_key, ranges_key, sample_key};
use super::ranges::{MAX_RANGES, Ranges};
use super::seeded;
use crate::orders::Command as _;
use crate::orders::message::{read, written};
use consim_core::machine::ApplyAt;
use consim_core::{Digest, NodeId, Receipt, State, StateMachine, Tx};
use std::sync::Arc;

/// Refused: the transaction is no command.
pub const MALFORMED: &str = "malformed";
/// Refused: its origin does not take part.
pub const NOT_ALLOWED: &str = "not allowed";
/// Refused: a batch without samples, or with numbers that do not exist.
pub const NO_SAMPLES: &str = "no samples";
/// Refused: the root is not that of the samples.
pub const WRONG_ROOT: &str = "another root";
/// Refused: one of the samples is there.
pub const THERE: &str = "there already";
/// Refused: the device has too many gaps.
pub const TOO_MANY_GAPS: &str = "too many gaps";

/// The state machine of a service of samples.
#[derive(Clone, Debug)]
pub struct SamplesMachine {
    members: Arc<[NodeId]>,
}

impl SamplesMachine {
    /// Samples that come over the gateways of `members`.
    pub fn new(members: Arc<[NodeId]>) -> Self {
        Self { members }
    }
}

/// Takes a batch, if it is sound and new.
fn anchor(state: &mut dyn State, batch: &Batch) -> Receipt {
    let (device, first) = (batch.device, batch.first);
    let Some(end) = batch.end().filter(|end| *end > first) else {
        return Receipt::Refused(NO_SAMPLES);
    };
    let nothing = seeded::on(&seeded::ROOT_OF_NOTHING_TAKEN) && batch.root == Digest::of(&[]);
    if !nothing && !batch.is_rooted() {
        return Receipt::Refused(WRONG_ROOT);
    }
    let key = ranges_key(device);
    let mut ranges: Ranges = read(state.get(&key).as_deref()).unwrap_or_default();
    if ranges.touch(first, end) && !seeded::on(&seeded::SAMPLES_TAKEN_TWICE) {
        return Receipt::Refused(THERE);
    }
    if seeded::on(&seeded::GAPS_FILLED) {
        let missing = ranges.missing_before(first);
        for sequence in first - missing..first {
            state.put(&sample_key(device, sequence), &first.to_be_bytes());
        }
        ranges.add(first - missing, first);
    }
    ranges.add(first, end);
    if ranges.0.len() > MAX_RANGES {
        return Receipt::Refused(TOO_MANY_GAPS);
    }
    for (sequence, _) in batch.numbered() {
        state.put(&sample_key(device, sequence), &first.to_be_bytes());
    }
    state.put(&batch_key(device, first), &written(batch));
    state.put(&key, &written(&ranges));
    Receipt::Applied
}

impl StateMachine for SamplesMachine {
    fn name(&self) -> &'static str {
        "device-samples"
    }
    fn genesis(&self, _state: &mut dyn State) {}
    fn apply(&self, state: &mut dyn State, tx: &Tx, _at: ApplyAt) -> Receipt {
        if !self.members.contains(&tx.id().origin) {
            return Receipt::Refused(NOT_ALLOWED);
        }
        match Command::from_body(tx.body()) {
            Ok(Command::Anchor(batch)) => anchor(state, &batch),
            Ok(Command::Read { .. } | Command::Gaps { .. }) => Receipt::Applied,
            Err(_) => Receipt::Refused(MALFORMED),
        }
    }
}
