//! The figures of one chain.

use super::latencies::Latencies;
use crate::number_set::{NumberSet, TxSet};
use consim_core::{Block, Committed, NodeId, Probe, Receipt, Span, Time, TxId};
use std::collections::BTreeMap;

/// The most transactions of a chain that are followed from their admission to their execution at a
/// time; others are in no figure of submitted transactions and chain latency.
pub const MAX_WAITING_TXS: usize = 1_000_000;
/// The most sequence numbers that are followed from proposal to execution at a time. Protocols
/// have a few hundred in flight.
pub const MAX_SEQUENCES: usize = 65_536;

/// Where the time of executed transactions went, in nanoseconds in all. The three parts of a
/// transaction add up to its chain latency.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ways {
    pub(crate) txs: u64,
    /// From the admission to the proposal of its batch.
    pub(crate) waiting_ns: u128,
    /// From the proposal to the first commit.
    pub(crate) ordering_ns: u128,
    /// From the first commit to the first execution.
    pub(crate) executing_ns: u128,
}

impl Ways {
    fn add(&mut self, admitted: Time, proposed: Time, committed: Time, executed: Time, count: u32) {
        let all = |span: Span| u128::from(span.nanos()) * u128::from(count);
        self.txs += u64::from(count);
        self.waiting_ns += all(proposed - admitted);
        self.ordering_ns += all(committed - proposed.later(admitted));
        self.executing_ns += all(executed - committed.later(admitted));
    }
}

/// What light clients did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Light {
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
    pub(crate) conflicts: u64,
    /// Bytes that led to what they accepted.
    pub(crate) bytes: u64,
    /// The last decision that each of them accepted.
    reached: BTreeMap<NodeId, u64>,
}

/// One chain.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    pub(crate) height: u64,
    pub(crate) views: u64,
    /// Branches that nodes left, and the most blocks that one of them left; `None`: there are no branches.
    pub(crate) left: Option<(u64, u64)>,
    /// The most nanoseconds by which the time of a block was ahead of true time when it was executed first, and
    /// behind it.
    pub(crate) astray: Option<(u64, u64)>,
    pub(crate) ledger_bytes: u64,
    /// What light clients of it did.
    pub(crate) light: Option<Light>,
    pub(crate) submitted: u64,
    pub(crate) applied: u64,
    pub(crate) rejected: u64,
    pub(crate) latencies: Latencies,
    pub(crate) consensus: Latencies,
    /// From the asking of a user to the first execution.
    pub(crate) end_to_end: Latencies,
    /// Of transactions during which no fault window was open.
    pub(crate) ways: Ways,
    /// Of the others.
    pub(crate) disturbed: Ways,
    /// Admissions that were not followed.
    pub(crate) unfollowed: u64,
    /// The heights of the blocks that were counted.
    heights: NumberSet,
    /// First admission of transactions that wait.
    waiting: BTreeMap<TxId, Time>,
    executed: TxSet,
    /// The highest sequence number that was committed.
    committed: u64,
    /// First proposal of sequence numbers above `committed`.
    proposed: BTreeMap<u64, Time>,
    /// Proposal and first commit of sequence numbers that are not executed yet.
    ordered: BTreeMap<u64, (Time, Time)>,
}

impl Chain {
    /// What a light client said.
    pub(super) fn light(&mut self, node: NodeId, probe: &Probe) {
        let light = self.light.get_or_insert_with(Light::default);
        let reached = light.reached.entry(node).or_default();
        match probe {
            Probe::LightAccepted {
                sequence, fetched, ..
            } => {
                *reached = *sequence;
                light.accepted += 1;
                light.bytes += fetched;
            }
            Probe::LightRefused { .. } => light.refused += 1,
            _ => light.conflicts += 1,
        }
    }
    /// Decisions by which the light client that is behind most is behind.
    pub(super) fn light_lag(&self, light: &Light) -> u64 {
        let last = light.reached.values().min();
        self.committed.saturating_sub(last.copied().unwrap_or(0))
    }
    /// A node left a branch of so many blocks; of none: it might.
    pub(super) fn reorganised(&mut self, depth: u64) {
        let (count, deepest) = self.left.get_or_insert((0, 0));
        *count += u64::from(depth > 0);
        *deepest = depth.max(*deepest);
    }
    /// A block was executed first, in a run that starts at this time.
    pub(super) fn dated(&mut self, start_ns: i64, at: Time, block: &Block) {
        let now = start_ns.saturating_add_unsigned(at.nanos());
        let time = block.header.time_ns;
        let (ahead, behind) = self.astray.get_or_insert((0, 0));
        let off = time.abs_diff(now);
        let worst = if time > now { ahead } else { behind };
        *worst = off.max(*worst);
    }
    /// How much is followed: waiting transactions, proposals, commits.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> [usize; 3] {
        [self.waiting.len(), self.proposed.len(), self.ordered.len()]
    }

    /// A node took a transaction in; was it the first, and the transaction not executed yet?
    pub(super) fn admitted(&mut self, at: Time, tx: TxId, counts: u32) -> bool {
        if self.waiting.contains_key(&tx) || self.executed.contains(tx) {
            return false;
        }
        if self.waiting.len() >= MAX_WAITING_TXS {
            self.unfollowed += 1;
            return false;
        }
        self.waiting.insert(tx, at);
        self.submitted += u64::from(counts);
        true
    }

    pub(super) fn proposed(&mut self, at: Time, sequence: u64) {
        if sequence > self.committed && self.proposed.len() < MAX_SEQUENCES {
            self.proposed.entry(sequence).or_insert(at);
        }
    }

    pub(super) fn committed(&mut self, at: Time, committed: &Committed, warmup: Time) {
        let sequence = committed.sequence;
        if sequence <= self.committed {
            return;
        }
        self.committed = sequence;
        let later = self.proposed.split_off(&(sequence + 1));
        let proposed = std::mem::replace(&mut self.proposed, later).remove(&sequence);
        if let Some(proposed) = proposed {
            if proposed >= warmup {
                self.consensus.record(at - proposed);
            }
            if self.ordered.len() < MAX_SEQUENCES {
                self.ordered.insert(sequence, (proposed, at));
            }
        }
    }

    /// A node executed a block; no fault window is open since `calm_since`. For the first report of
    /// each height: how many transactions were applied.
    pub(super) fn applied(
        &mut self,
        at: Time,
        block: &Block,
        warmup: Time,
        calm_since: Option<Time>,
    ) -> Option<u64> {
        let height = block.header.height;
        if !self.heights.insert(height) {
            return None;
        }
        self.height = self.height.max(height);
        let bytes = block.header.encode().len() + block.committed.encoded_len();
        self.ledger_bytes += bytes as u64;
        let later = self.ordered.split_off(&(block.header.sequence + 1));
        let ordered = std::mem::replace(&mut self.ordered, later).remove(&block.header.sequence);
        let (mut applied, mut rejected) = (0, 0);
        for (tx, receipt) in block.committed.batch.txs().iter().zip(&block.receipts) {
            let count = tx.cohort().count;
            match receipt {
                Receipt::Applied => applied += u64::from(count),
                Receipt::Duplicate | Receipt::Refused(_) => rejected += u64::from(count),
            }
            self.executed.insert(tx.id());
            let admitted = self.waiting.remove(&tx.id());
            let Some(admitted) = admitted.filter(|&admitted| admitted >= warmup) else {
                continue;
            };
            self.latencies.record_all(at - admitted, count);
            if let Some((proposed, committed)) = ordered {
                let calm = calm_since.is_some_and(|since| admitted >= since);
                let ways = if calm {
                    &mut self.ways
                } else {
                    &mut self.disturbed
                };
                ways.add(admitted, proposed, committed, at, count);
            }
        }
        if at >= warmup {
            self.applied += applied;
            self.rejected += rejected;
        }
        Some(applied)
    }
}
