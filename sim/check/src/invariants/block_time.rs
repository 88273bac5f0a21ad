//! I12b: the times of blocks.

use super::by_height::ByHeight;
use super::{CheckEntry, Subjects, TimePromise, check_from_entry};
use consim_core::{ChainId, Committed, Finding, NodeId, Observer, Probe, Severity, Time};
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "block-time",
    code: "I12b",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "The time of a block is one that a correct clock showed between the blocks before and its decision, or as near to that as its rule says (where no more than f clocks are wrong).",
    applies: |subjects| subjects.chains.iter().any(|chain| chain.time.is_some()),
    build: |subjects| Box::new(BlockTime::new(subjects)),
};

/// The least step from one block to the next, by which a time may be pushed on (CometBFT: a millisecond).
const STEP_NS: i64 = 1_000_000;

/// When a height was decided first, and its time.
#[derive(Clone, Copy)]
struct Decided {
    at: Time,
    time_ns: i64,
}

/// Holds the time of each block against the clock of the run.
pub struct BlockTime {
    subjects: Arc<Subjects>,
    finding: Finding,
    decided: ByHeight<Decided>,
}

impl BlockTime {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            decided: ByHeight::new(),
        }
    }

    /// The earliest and the latest time that a block may have which is decided now; `None` if what was before
    /// is not known.
    fn window(
        &self,
        promise: &TimePromise,
        chain: ChainId,
        committed: &Committed,
        at: Time,
    ) -> Option<(i64, i64)> {
        let wall = |time: Time| promise.start_ns.saturating_add_unsigned(time.nanos());
        let before = committed.sequence.saturating_sub(promise.before);
        let since = if before == 0 {
            Time::ZERO
        } else {
            self.decided.get(chain, before)?.at
        };
        let off = promise.off.nanos();
        let old = (promise.behind)(promise, committed.certificate.view).nanos();
        let earliest = wall(since).saturating_sub_unsigned(off.saturating_add(old));
        let latest = wall(at).saturating_add_unsigned(off.saturating_add(promise.ahead.nanos()));
        // One that came right after another may have been pushed on.
        let parent = committed.sequence.checked_sub(1);
        let parent = parent.and_then(|parent| self.decided.get(chain, parent));
        let pushed = parent.map_or(i64::MIN, |parent| parent.time_ns.saturating_add(STEP_NS));
        Some((earliest, latest.max(pushed)))
    }

    fn judge(&mut self, at: Time, node: NodeId, committed: &Committed) {
        let (chain, sequence) = (committed.chain, committed.sequence);
        let subjects = Arc::clone(&self.subjects);
        let Some(promise) = subjects.chain(chain).and_then(|chain| chain.time) else {
            return;
        };
        if self.decided.get(chain, sequence).is_some() {
            return;
        }
        let time_ns = committed.batch.time_ns();
        self.decided
            .insert(chain, sequence, Decided { at, time_ns });
        let Some((earliest, latest)) = self.window(&promise, chain, committed, at) else {
            return;
        };
        let fits = (earliest..=latest).contains(&time_ns);
        self.finding.judge(fits, || {
            let (off, word) = if time_ns > latest {
                (time_ns.abs_diff(latest), "later")
            } else {
                (time_ns.abs_diff(earliest), "earlier")
            };
            format!(
                "{}, height {sequence}: the time of the block that {} decided is {} ms {word} than any that it may have",
                subjects.chain_name(chain),
                subjects.name(node),
                off.div_ceil(1_000_000)
            )
        });
    }
}

impl Observer for BlockTime {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        if let Probe::Committed(committed) = probe
            && self.subjects.correct(node)
        {
            self.judge(at, node, committed);
        }
    }
}

check_from_entry!(BlockTime);
