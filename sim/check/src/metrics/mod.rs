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
//! latency* runs from the first admission to the first execution (applied or refused), *end-to-end
//! latency* from the asking of its user to the same, *consensus
//! latency* from the first proposal of a sequence number to its first commit; they count if they
//! begin at or after the end of the warm-up. *Height*, *views* and *ledger bytes* are of the end of
//! the run, warm-up included; so are messages and bytes.
//!
//! The *time series* has bins from time zero, warm-up included: what is counted stands in the bin
//! in which it happened, whenever it was asked for. An operation that failed since it is open at
//! the end stands in the bin of its deadline.
//!
//! *Resilience*, one entry a fault window:
//! - A *gap* runs from a commit, or the first request after it, to the next commit, as long as
//!   somebody waits; if all who waited gave up, it ends there, and is one with the next gap if both
//!   are too long. A request that three commits passed over waits for something else and opens no
//!   gap.
//! - A gap is *usual* if it lies outside of all windows, after the warm-up. One that is longer than
//!   [`STALL_FACTOR`] times the [`USUAL_SHARE`] quantile of those is *time without progress*, from
//!   its beginning; the results name that limit.
//! - Downtime is time without progress from the opening of the window to the first commit at or
//!   after its end. With fewer than [`LEAST_GAPS`] usual gaps there is no value.
//! - A commit is the first execution of a block with an applied transaction.
//! - Time to first commit runs from the end of the window; `None` if nothing was committed after it.
//! - Sensitivity is the area between the distribution functions of the latency of operations asked
//!   for in the window and of those asked for outside of all windows, in seconds. Without an answered
//!   operation on both sides there is no value.
//! - Lost operations are those that were asked for in the window and failed.
//! - Before and after the window as much time is looked at as it lasts, at least [`LEAST_PHASE`].
//!
//! *Acknowledged and lost* are operations that were answered as done, and whose block no node holds
//! at the end of the run.
//!
//! *Services*: see `served.rs`.
//!
//! Memory: histograms, a fixed number of bins, gaps and days, what is open or waits, and a bitmap of
//! the executed transactions.

mod chain;
mod changes;
mod durable;
mod latencies;
mod operations;
mod phases;
mod registry;
mod resilience;
mod series;
mod served;
mod stalls;
mod values;

#[cfg(test)]
mod tests;

pub use chain::{MAX_SEQUENCES, MAX_WAITING_TXS};
pub use changes::{ChangeSubject, RevocationSubject};
pub use phases::{LEAST_PHASE, WindowSubject};
pub use registry::{METRICS, MetricEntry, Scope, Unit, find};
pub use resilience::{LEAST_GAPS, MAX_WINDOWS, STALL_FACTOR, USUAL_SHARE, Unjudged, entry_of};
pub use series::MAX_BINS;
pub use served::{BATCH, LONGEST_IDLE};

pub(crate) use chain::{Chain, Ways};
pub(crate) use registry::significant;
pub(crate) use values::RunFigures;

use crate::outcome::{
    ChangeOutcome, Latency, Operation, Phase, Resilience, ServiceOutcome, Throughput,
};
use crate::results::Bin;
use changes::Changes;
use consim_core::{Block, ChainId, NodeId, Observer, OpEnd, OpId, Probe, Span, Time};
use durable::Durable;
use hdrhistogram::Histogram;
use operations::{Open, Operations};
use phases::Phases;
use resilience::Windows;
use series::Series;
use served::Served;
use std::collections::BTreeMap;
use std::sync::Arc;

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
    /// The windows of all faults and attacks; of a run without them, those of its pair.
    pub windows: Vec<WindowSubject>,
    /// The changes of the members, by their number.
    pub changes: Vec<ChangeSubject>,
    /// Chains whose blocks have times with a meaning, and the time at which the run starts, nanoseconds after
    /// the Unix epoch.
    pub dated: BTreeMap<ChainId, i64>,
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
    phases: Phases,
    /// By the place of the service.
    served: Vec<Served>,
    durable: Durable,
    changes: Changes,
    dated: BTreeMap<ChainId, i64>,
}

impl Metrics {
    /// Metrics that have seen nothing.
    pub fn new(config: MetricsConfig) -> Self {
        let operations = Operations::new(&config);
        let services = operations.services.iter();
        Self {
            served: services
                .map(|_| Served::new(config.warmup, config.end))
                .collect(),
            operations,
            series: Series::new(config.interval, config.end),
            windows: Windows::new(config.warmup),
            phases: Phases::new(&config.windows, config.warmup, config.end),
            durable: Durable::default(),
            changes: Changes::new(&config.changes),
            dated: config.dated,
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

    fn asked(&mut self, at: Time, op: OpId, mut asked: Open) {
        if self.operations.is_open(op) {
            return;
        }
        let service = self.operations.service_of(asked.workload);
        let served = service.and_then(|place| self.served.get_mut(place));
        asked.windows = self.windows.open();
        asked.phases = self.phases.at(at);
        asked.steps = (
            self.windows.asked(at),
            served.map_or(0, |served| served.asked(at, asked.deadline)),
        );
        self.phases.asked(&asked.phases, asked.count);
        self.operations.asked(op, asked);
    }

    fn ended(&mut self, at: Time, id: OpId, end: OpEnd) {
        let Some(op) = self.operations.ended(at, id, end) else {
            return;
        };
        let latency = at - op.asked;
        let counts = op.asked >= self.warmup;
        self.windows.ended(at, op.steps.0, end == OpEnd::GaveUp);
        let service = self.operations.service_of(op.workload);
        if let Some(served) = service.and_then(|place| self.served.get_mut(place)) {
            served.ended(at, op.steps.1, end);
        }
        if end == OpEnd::Done {
            self.durable.acknowledged(id, op.block, op.count);
        }
        if end == OpEnd::GaveUp {
            self.series.failed(at, op.count);
            if counts {
                self.windows.lost(&op.windows, op.count);
                self.phases.lost(&op.phases, op.count);
            }
        } else {
            self.series.answered(at, latency, op.count);
            if counts {
                self.windows.answered(&op.windows, latency, op.count);
                self.phases.answered(&op.phases, latency, op.count);
            }
        }
    }

    fn applied(&mut self, at: Time, node: NodeId, block: &Block) {
        let (id, height) = (block.header.chain, block.header.height);
        self.durable.stands(id, node, height);
        let calm_since = self.windows.calm_since();
        let warmup = self.warmup;
        let applied = self.chain(id).applied(at, block, warmup, calm_since);
        let Some(txs) = applied else { return };
        if let Some(&start_ns) = self.dated.get(&id) {
            self.chain(id).dated(start_ns, at, block);
        }
        for tx in block.committed.batch.txs().iter() {
            match self.operations.executed(tx.op(), id, height) {
                Some(asked) if asked >= warmup => {
                    let count = tx.cohort().count;
                    self.chain(id).end_to_end.record_all(at - asked, count);
                }
                Some(_) => {}
                None => self.durable.executed_late(tx.op(), id, height),
            }
        }
        self.series.committed(at, txs);
        self.windows.committed(at, txs);
        self.phases.committed(at, txs);
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
    pub(crate) fn changes(&self) -> Vec<ChangeOutcome> {
        self.changes.outcomes()
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
    /// One entry a window that opened, with gaps judged by this run's own limit.
    pub(crate) fn resilience(&self) -> Vec<Resilience> {
        let mut rows = self.windows.outcome(self.windows.limit(), self.ended);
        let phases: BTreeMap<String, [Option<Phase>; 3]> = self.phases().into_iter().collect();
        let lost = self.durable.lost();
        for row in &mut rows {
            row.acknowledged_lost = lost;
            if let Some([before, during, after]) = phases.get(&row.id) {
                (row.before, row.during, row.after) = (*before, *during, *after);
            }
        }
        rows
    }
    /// Before, during and after each window of the configuration, open or not.
    pub(crate) fn phases(&self) -> Vec<(String, [Option<Phase>; 3])> {
        self.phases.outcome(self.ended)
    }
    /// Operations that were answered as done and whose block no node holds.
    pub(crate) fn acknowledged_lost(&self) -> u64 {
        self.durable.lost()
    }
    /// The longest usual gap between commits, if it is known.
    pub(crate) fn usual_limit(&self) -> Option<Span> {
        self.windows.limit()
    }
    /// Name of each window of the configuration, the service in it, and seconds of it without
    /// progress if gaps up to `limit` are usual.
    pub(crate) fn phases_with_gaps(
        &self,
        limit: Option<Span>,
    ) -> Vec<(String, Option<Phase>, Option<f64>)> {
        let stretches = limit.map(|limit| self.windows.stretches(limit));
        let windows = self.phases.windows().zip(self.phases());
        windows
            .map(|((id, from, to), (_, [_, during, _]))| {
                let down = stretches.as_ref().map(|stretches| {
                    let (sum, _) = stalls::within(stretches, from, to);
                    sum.seconds()
                });
                (id.to_owned(), during, down)
            })
            .collect()
    }
    /// What another run has to judge, since nothing in this one says what is usual.
    pub fn unjudged(&self) -> Option<Unjudged> {
        self.windows.unjudged(self.ended)
    }
    /// Each service that was asked for something.
    pub(crate) fn services(&self) -> Vec<ServiceOutcome> {
        let services = self.operations.services.iter().zip(&self.served);
        services
            .filter_map(|((name, _), served)| served.outcome(name, self.measured()))
            .collect()
    }
    /// What no figure is made of, since a limit was reached: admissions of transactions, and fault
    /// windows.
    pub(crate) fn left_out(&self) -> (u64, u64) {
        let unfollowed = self.chains.values().map(|chain| chain.unfollowed).sum();
        (unfollowed, self.windows.untold)
    }
    /// The longest gap between commits that is no stall, if there are windows and it is known.
    pub(crate) fn stall_limit(&self) -> Option<Span> {
        self.windows.limit().filter(|_| self.windows.any())
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
                count,
            } => {
                let asked = Open {
                    workload: *workload,
                    name,
                    node,
                    asked: at,
                    deadline: *deadline,
                    count: *count,
                    windows: Arc::new([]),
                    phases: Arc::new([]),
                    steps: (0, 0),
                    block: None,
                };
                self.asked(at, *op, asked);
            }
            Probe::Ended { op, end, .. } => self.ended(at, *op, *end),
            Probe::Admitted {
                chain, tx, count, ..
            } => {
                let counts = if at >= warmup { *count } else { 0 };
                if self.chain(*chain).admitted(at, *tx, counts) {
                    self.series.submitted(at, *count);
                }
            }
            Probe::View { chain, view, .. } => {
                let chain = self.chain(*chain);
                chain.views = chain.views.max(*view);
            }
            Probe::Reorganised { chain, depth } => self.chain(*chain).reorganised(*depth),
            Probe::Proposed {
                chain, sequence, ..
            } => self.chain(*chain).proposed(at, *sequence),
            Probe::Committed(committed) => {
                self.chain(committed.chain).committed(at, committed, warmup);
            }
            Probe::Applied(block) => self.applied(at, node, block),
            Probe::Recovered { chain, height, .. } => {
                self.durable.stands(*chain, node, *height);
                let chain = self.chain(*chain);
                chain.height = chain.height.max(*height);
            }
            Probe::LightAccepted { chain, .. }
            | Probe::LightRefused { chain, .. }
            | Probe::LightConflict { chain, .. } => self.chain(*chain).light(node, probe),
            Probe::Configured(_)
            | Probe::Change { .. }
            | Probe::Noticed { .. }
            | Probe::Unauthenticated { .. } => self.changes.probe(at, probe),
            Probe::ViewTimeout { .. }
            | Probe::Believed { .. }
            | Probe::OutOfMemory { .. }
            | Probe::BlocksGone { .. }
            | Probe::CaughtUp { .. }
            | Probe::StateTaken { .. }
            | Probe::StateRefused { .. }
            | Probe::DamageFound { .. }
            | Probe::Abstains { .. }
            | Probe::StableCheckpoint { .. }
            | Probe::Waiting { .. }
            | Probe::Refused { .. }
            | Probe::Misbehaved { .. }
            | Probe::Heard { .. }
            | Probe::Reached(_)
            | Probe::Domain(_) => {}
        }
    }

    fn fault(&mut self, at: Time, id: &str, open: bool) {
        self.windows.fault(at, id, open);
        if open {
            self.changes.window(at, id);
        }
    }

    fn end(&mut self, at: Time) {
        self.ended = at;
        for op in self.operations.end(at) {
            self.series.failed(op.asked + op.deadline, op.count);
            if op.asked >= self.warmup {
                self.windows.lost(&op.windows, op.count);
                self.phases.lost(&op.phases, op.count);
            }
        }
        self.series.end(at);
        self.windows.end(at);
        for served in &mut self.served {
            served.end(at);
        }
    }
}
