//! Metrics: an observer that turns probes into the figures of a run.
//!
//! What nodes under an adversary's control say is left out.
//!
//! *Operations* are what users ask for. One counts if it was asked for at or after the end of the
//! warm-up. Its latency runs from asking to the answer, done or refused, all retries included.
//! *Availability* is the share that was answered within its deadline. One that was given up, or is
//! open at the end past its deadline, *failed*; one that is open at the end within its deadline
//! does not count.
//!
//! *Transactions* are counted once, whatever number of nodes report them. *Submitted* is the first
//! admission by a node, *committed* the first execution that applied it, *rejected* an execution
//! that was refused or found a duplicate; each counts if it happened at or after the end of the
//! warm-up. *Throughput* is what was committed, over the length of the measured part. *Chain
//! latency* runs from the first admission to the first execution (applied or refused), *consensus
//! latency* from the first proposal of a sequence number to its first commit; they count if they
//! begin at or after the end of the warm-up. *Height*, *views* and *ledger bytes* are of the end of
//! the run, warm-up included; so are messages and bytes.
//!
//! The *time series* has bins from time zero, warm-up included: what is counted stands in the bin
//! in which it happened, whenever it was asked for. An operation that failed since it is open at
//! the end stands in the bin of its deadline.
//!
//! *Resilience*, one entry a fault window:
//! - The usual commit rate is that of applied transactions outside of all windows, after the
//!   warm-up.
//! - Downtime is time from the opening of the window to the first commit at or after its end in
//!   which the commit rate is below [`DOWN_BELOW`] of the usual one. Commits are counted in cells
//!   of [`CELL`] (longer in runs with more than [`MAX_CELLS`]) and judged over bins of as many
//!   cells as usually hold [`BLOCKS_PER_BIN`] blocks with transactions; the results name that
//!   length. The first bin begins with the window; a rest of less than half a bin is judged with
//!   the bin before it. Without a usual rate, or where all of it is shorter than half a bin, there
//!   is no value.
//! - A commit is the first execution of a block with an applied transaction.
//! - Time to first commit runs from the end of the window; `None` if nothing was committed after it.
//! - Sensitivity is the area between the distribution functions of the latency of operations asked
//!   for in the window and of those asked for outside of all windows, in seconds. Without an answered
//!   operation on both sides there is no value.
//! - Lost operations are those that were asked for in the window and failed.
//!
//! Memory: histograms, a fixed number of bins and cells, what is open or waits, and a bitmap of the
//! executed transactions.

mod chain;
mod latencies;
mod operations;
mod registry;
mod resilience;
mod series;
mod values;

#[cfg(test)]
mod tests;

pub use chain::{MAX_SEQUENCES, MAX_WAITING_TXS};
pub use registry::{METRICS, MetricEntry, Scope, Unit, find};
pub use resilience::{BLOCKS_PER_BIN, CELL, DOWN_BELOW, MAX_CELLS, MAX_WINDOWS};
pub use series::MAX_BINS;

pub(crate) use chain::{Chain, Ways};
pub(crate) use registry::significant;
pub(crate) use values::RunFigures;

use crate::outcome::{Latency, Operation, Resilience, Throughput};
use crate::results::Bin;
use consim_core::{ChainId, NodeId, Observer, OpEnd, Probe, Span, Time};
use hdrhistogram::Histogram;
use operations::{Open, Operations};
use resilience::Windows;
use series::Series;
use std::collections::BTreeMap;

/// A workload, for the figures of its operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkloadSubject {
    /// Its name.
    pub name: String,
    /// The name of the service that it uses.
    pub service: String,
}

/// What the metrics of a run are told.
#[derive(Clone, Debug, Default)]
pub struct MetricsConfig {
    /// The end of the warm-up.
    pub warmup: Time,
    /// The end of the run.
    pub end: Time,
    /// Length of a bin of the time series.
    pub interval: Span,
    /// The workloads, by their number.
    pub workloads: Vec<WorkloadSubject>,
    /// Groups of organisations with the nodes of their members.
    pub groups: Vec<(String, Vec<NodeId>)>,
    /// Institutions with their nodes, for a table; empty where they are too many for one.
    pub institutions: Vec<(String, Vec<NodeId>)>,
    /// Nodes under an adversary's control.
    pub corrupt: Vec<NodeId>,
}

/// The figures of a run.
#[derive(Debug)]
pub struct Metrics {
    warmup: Time,
    ended: Time,
    corrupt: Vec<NodeId>,
    groups: Vec<(String, Vec<NodeId>)>,
    operations: Operations,
    chains: BTreeMap<ChainId, Chain>,
    series: Series,
    windows: Windows,
}

impl Metrics {
    /// Metrics that have seen nothing.
    pub fn new(config: MetricsConfig) -> Self {
        Self {
            operations: Operations::new(&config),
            series: Series::new(config.interval, config.end),
            windows: Windows::new(config.warmup, config.end),
            chains: BTreeMap::new(),
            warmup: config.warmup,
            ended: Time::ZERO,
            corrupt: config.corrupt,
            groups: config.groups,
        }
    }

    fn chain(&mut self, id: ChainId) -> &mut Chain {
        self.chains.entry(id).or_default()
    }

    fn ended(&mut self, at: Time, op: consim_core::OpId, end: OpEnd) {
        let Some(op) = self.operations.ended(at, op, end) else {
            return;
        };
        let latency = at - op.asked;
        let counts = op.asked >= self.warmup;
        if end == OpEnd::GaveUp {
            self.series.failed(at);
            if counts {
                self.windows.lost(&op.windows);
            }
        } else {
            self.series.answered(at, latency);
            if counts {
                self.windows.answered(&op.windows, latency);
            }
        }
    }

    // ---- results -------------------------------------------------------------------------------

    /// When the run ended.
    pub(crate) fn ended_at(&self) -> Time {
        self.ended
    }
    /// The end of the warm-up.
    pub(crate) fn warmup(&self) -> Time {
        self.warmup
    }
    /// The length of the part that statistics are of.
    pub(crate) fn measured(&self) -> Span {
        self.ended - self.warmup
    }
    /// The length of a bin of the series.
    pub(crate) fn interval(&self) -> Span {
        self.series.interval
    }
    pub(crate) fn series(&self) -> &[Bin] {
        &self.series.bins
    }
    pub(crate) fn latency(&self) -> Latency {
        self.operations.all.latencies.summary()
    }
    pub(crate) fn operations(&self) -> BTreeMap<String, Operation> {
        let kinds = self.operations.kinds.iter();
        kinds
            .map(|(&kind, tally)| (kind.to_owned(), tally.outcome()))
            .collect()
    }
    /// The operations of each group of organisations, then of each institution, that asked.
    pub(crate) fn organisations(&self) -> [Vec<(String, Operation)>; 2] {
        let Operations {
            groups,
            institutions,
            ..
        } = &self.operations;
        [groups, institutions].map(|of| {
            let fed = of.sets.iter().filter(|(_, tally)| tally.fed());
            fed.map(|(name, tally)| (name.clone(), tally.outcome()))
                .collect()
        })
    }
    /// Histograms of answered operations: `all` and by kind, as far as there are any.
    pub(crate) fn histograms(&self) -> BTreeMap<String, Histogram<u64>> {
        let all = std::iter::once(("all", &self.operations.all));
        all.chain(
            self.operations
                .kinds
                .iter()
                .map(|(&kind, tally)| (kind, tally)),
        )
        .filter_map(|(name, tally)| Some((name.to_owned(), tally.latencies.histogram()?.clone())))
        .collect()
    }
    /// The transactions of all chains.
    pub(crate) fn throughput(&self) -> Throughput {
        let sum = |of: fn(&Chain) -> u64| self.chains.values().map(of).sum();
        let committed = sum(|chain| chain.applied);
        Throughput {
            submitted: sum(|chain| chain.submitted),
            committed,
            rejected: sum(|chain| chain.rejected),
            tx_per_s: self.per_second(committed),
        }
    }
    /// A count of the measured part as a rate; 0 if that part is empty.
    pub(crate) fn per_second(&self, count: u64) -> f64 {
        let seconds = self.measured().seconds();
        if seconds > 0.0 {
            count as f64 / seconds
        } else {
            0.0
        }
    }
    /// The figures of a chain, if a node of it said anything.
    pub(crate) fn of_chain(&self, id: ChainId) -> Option<&Chain> {
        self.chains.get(&id)
    }
    pub(crate) fn resilience(&self) -> Vec<Resilience> {
        self.windows.outcome(self.ended)
    }
    /// What no figure is made of, since a limit was reached: admissions of transactions, and fault
    /// windows.
    pub(crate) fn left_out(&self) -> (u64, u64) {
        let unfollowed = self.chains.values().map(|chain| chain.unfollowed).sum();
        (unfollowed, self.windows.untold)
    }
    /// The length of the bins that downtime was judged over, if there are windows and commits.
    pub(crate) fn downtime_bin(&self) -> Option<Span> {
        self.windows.bin()
    }
}

impl Observer for Metrics {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        if self.corrupt.contains(&node) {
            return;
        }
        let warmup = self.warmup;
        match probe {
            Probe::Asked {
                op,
                workload,
                name,
                deadline,
            } => {
                let windows = self.windows.open();
                let asked = Open {
                    workload: *workload,
                    name,
                    node,
                    asked: at,
                    deadline: *deadline,
                    windows,
                };
                self.operations.asked(*op, asked);
            }
            Probe::Ended { op, end, .. } => self.ended(at, *op, *end),
            Probe::Admitted { chain, tx, .. } => {
                if self.chain(*chain).admitted(at, *tx, at >= warmup) {
                    self.series.submitted(at);
                }
            }
            Probe::View { chain, view, .. } => {
                let chain = self.chain(*chain);
                chain.views = chain.views.max(*view);
            }
            Probe::Proposed {
                chain, sequence, ..
            } => self.chain(*chain).proposed(at, *sequence),
            Probe::Committed(committed) => {
                self.chain(committed.chain).committed(at, committed, warmup);
            }
            Probe::Applied(block) => {
                let calm_since = self.windows.calm_since();
                let chain = self.chain(block.header.chain);
                let applied = chain.applied(at, block, warmup, calm_since);
                if let Some(txs) = applied {
                    self.series.committed(at, txs);
                    self.windows.committed(at, txs);
                }
            }
            Probe::Recovered { chain, height, .. } => {
                let chain = self.chain(*chain);
                chain.height = chain.height.max(*height);
            }
            Probe::ViewTimeout { .. }
            | Probe::CaughtUp { .. }
            | Probe::StateTaken { .. }
            | Probe::StateRefused { .. }
            | Probe::StableCheckpoint { .. }
            | Probe::Waiting { .. }
            | Probe::Unauthenticated { .. }
            | Probe::Refused { .. }
            | Probe::Domain(_) => {}
        }
    }

    fn fault(&mut self, at: Time, id: &str, open: bool) {
        self.windows.fault(at, id, open);
    }

    fn end(&mut self, at: Time) {
        self.ended = at;
        for op in self.operations.end(at) {
            self.series.failed(op.asked + op.deadline);
            if op.asked >= self.warmup {
                self.windows.lost(&op.windows);
            }
        }
        self.series.end(at);
        self.windows.end(at);
    }
}
