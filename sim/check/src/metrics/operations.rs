//! What users asked for and what came of it.

use super::MetricsConfig;
use super::latencies::Latencies;
use crate::outcome::Operation;
use consim_core::{ChainId, NodeId, OpEnd, OpId, Span, Time, WorkloadId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Counts of some operations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    submitted: u64,
    pub(crate) done: u64,
    refused: u64,
    failed: u64,
    /// Answered within the deadline.
    timely: u64,
    open: u64,
    pub(crate) latencies: Latencies,
}

impl Tally {
    /// Was anything asked for?
    pub(crate) fn fed(&self) -> bool {
        self.submitted > 0
    }
    /// The share answered within the deadline, of all that are not open within it; NaN if none is.
    pub(crate) fn availability(&self) -> f64 {
        let of = self.submitted - self.open;
        if of == 0 {
            f64::NAN
        } else {
            self.timely as f64 / of as f64
        }
    }
    pub(crate) fn outcome(&self) -> Operation {
        Operation {
            submitted: self.submitted,
            committed: self.done,
            refused: self.refused,
            failed: self.failed,
            open: self.open,
            availability: self.availability(),
            latency_ms: self.latencies.summary(),
        }
    }
}

/// An operation that has not ended.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) workload: WorkloadId,
    pub(super) name: &'static str,
    pub(super) node: NodeId,
    pub(super) asked: Time,
    pub(super) deadline: Span,
    /// How many it stands for.
    pub(super) count: u32,
    /// The fault windows that were open when it was asked for.
    pub(super) windows: Arc<[usize]>,
    /// The stretches before, during and after windows in which it was asked for.
    pub(super) phases: Arc<[u32]>,
    /// The steps of progress at which it was asked for: of the run, of its service.
    pub(super) steps: (u64, u64),
    /// The block that executed its transaction.
    pub(super) block: Option<(ChainId, u64)>,
}

/// All operations, counted by everything that figures are asked for by.
#[derive(Debug)]
pub(crate) struct Operations {
    warmup: Time,
    open: BTreeMap<OpId, Open>,
    pub(crate) all: Tally,
    pub(crate) kinds: BTreeMap<&'static str, Tally>,
    /// Each workload's name, tally and place of its service.
    pub(crate) workloads: Vec<(String, Tally, usize)>,
    pub(crate) services: Vec<(String, Tally)>,
    pub(crate) groups: ByNodes,
    pub(crate) institutions: ByNodes,
}

/// Tallies of sets of nodes; a node is in one of them or in none.
#[derive(Debug, Default)]
pub(crate) struct ByNodes {
    /// Name and tally of each set.
    pub(crate) sets: Vec<(String, Tally)>,
    /// The place of each node's set.
    set_of: Vec<Option<usize>>,
}

impl ByNodes {
    fn new(sets: &[(String, Vec<NodeId>)]) -> Self {
        let mut set_of = Vec::new();
        for (set, (_, nodes)) in sets.iter().enumerate() {
            for node in nodes {
                if set_of.len() <= node.index() {
                    set_of.resize(node.index() + 1, None);
                }
                if let Some(slot) = set_of.get_mut(node.index()) {
                    *slot = Some(set);
                }
            }
        }
        let named = |(name, _): &(String, _)| (name.clone(), Tally::default());
        Self {
            sets: sets.iter().map(named).collect(),
            set_of,
        }
    }
    fn of(&mut self, node: NodeId) -> Option<&mut Tally> {
        let set = self.set_of.get(node.index()).copied().flatten()?;
        self.sets.get_mut(set).map(|(_, tally)| tally)
    }
}

impl Operations {
    pub(super) fn new(config: &MetricsConfig) -> Self {
        let mut services: Vec<(String, Tally)> = Vec::new();
        let mut workloads = Vec::new();
        for workload in &config.workloads {
            let known = services
                .iter()
                .position(|(name, _)| *name == workload.service);
            let service = known.unwrap_or_else(|| {
                services.push((workload.service.clone(), Tally::default()));
                services.len() - 1
            });
            workloads.push((workload.name.clone(), Tally::default(), service));
        }
        Self {
            warmup: config.warmup,
            open: BTreeMap::new(),
            all: Tally::default(),
            kinds: BTreeMap::new(),
            workloads,
            services,
            groups: ByNodes::new(&config.groups),
            institutions: ByNodes::new(&config.institutions),
        }
    }

    /// Does `each` to every tally that an operation counts in, if it counts at all.
    fn tally(&mut self, op: &Open, mut each: impl FnMut(&mut Tally)) {
        if op.asked < self.warmup {
            return;
        }
        each(&mut self.all);
        each(self.kinds.entry(op.name).or_default());
        if let Some((_, tally, service)) = self.workloads.get_mut(usize::from(op.workload.0)) {
            each(tally);
            if let Some((_, tally)) = self.services.get_mut(*service) {
                each(tally);
            }
        }
        for sets in [&mut self.groups, &mut self.institutions] {
            if let Some(tally) = sets.of(op.node) {
                each(tally);
            }
        }
    }

    /// Is it under way?
    pub(super) fn is_open(&self, id: OpId) -> bool {
        self.open.contains_key(&id)
    }

    /// The place of a workload's service.
    pub(super) fn service_of(&self, workload: WorkloadId) -> Option<usize> {
        let workload = self.workloads.get(usize::from(workload.0));
        workload.map(|(_, _, service)| *service)
    }

    /// An operation that is not open begins.
    pub(super) fn asked(&mut self, id: OpId, op: Open) {
        let count = u64::from(op.count);
        self.tally(&op, |tally| tally.submitted += count);
        self.open.insert(id, op);
    }

    /// A block executed the transaction of an operation; since when is that open?
    pub(super) fn executed(&mut self, id: OpId, chain: ChainId, height: u64) -> Option<Time> {
        let open = self.open.get_mut(&id)?;
        open.block = Some((chain, height));
        Some(open.asked)
    }

    /// An operation ended; returns it, unless it is not open.
    pub(super) fn ended(&mut self, at: Time, id: OpId, end: OpEnd) -> Option<Open> {
        let op = self.open.remove(&id)?;
        let latency = at - op.asked;
        let timely = latency <= op.deadline;
        let count = u64::from(op.count);
        self.tally(&op, |tally| {
            match end {
                OpEnd::Done => tally.done += count,
                OpEnd::Refused(_) => tally.refused += count,
                OpEnd::GaveUp => {
                    tally.failed += count;
                    return;
                }
            }
            tally.timely += if timely { count } else { 0 };
            tally.latencies.record_all(latency, op.count);
        });
        Some(op)
    }

    /// The run is over: returns what is still open past its deadline, which failed.
    pub(super) fn end(&mut self, at: Time) -> Vec<Open> {
        let open = std::mem::take(&mut self.open);
        let mut failed = Vec::new();
        for op in open.into_values() {
            let count = u64::from(op.count);
            if op.asked + op.deadline < at {
                self.tally(&op, |tally| tally.failed += count);
                failed.push(op);
            } else {
                self.tally(&op, |tally| tally.open += count);
            }
        }
        failed
    }
}
